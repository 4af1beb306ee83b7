package schema

import (
	"maps"
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// Scenario is the schema of scenario files for these APIs.
func Scenario(apis []*contract.API) []byte {
	defs := object{
		"rule": rule(), "wire": network(), "duration": object{"type": "string", "pattern": duration},
		"condition": condition(), "headers": object{"type": "object"},
		"everywhere": forAllAPIs(),
	}
	each := list{ifThen("api", scenario.Everywhere, object{"properties": object{"rules": object{"items": ref("everywhere")}}})}
	for _, api := range apis {
		defs["api."+api.Name] = ofAPI(api)
		for _, op := range api.Operations {
			defs["operation."+api.Name+"."+op.Name] = ofOperation(api, op)
		}
		each = append(each, ifThen("api", api.Name, object{"properties": object{"rules": object{"items": ref("api." + api.Name)}}}))
	}
	return encode(object{
		"$schema": draft, "title": "A scenario of understudy",
		"description": "Decides how calls end, in the API's own words: scenarios/<api>/<name>.yaml.",
		"type":        "object", "required": list{"scenario", "api", "rules"}, "additionalProperties": false,
		"properties": object{
			"scenario":    object{"type": list{"string", "number"}, "description": "The scenario's name: the file's."},
			"api":         object{"enum": apiNames(apis, scenario.Everywhere), "description": "The API whose calls it decides; all: what the network does to every one."},
			"description": stringWith("What the scenario does, as QA would say it."),
			"tags":        object{"type": "array", "items": stringWith(""), "uniqueItems": true, "description": "Words to find it by."},
			"rules":       object{"type": "array", "minItems": 1, "items": ref("rule"), "description": "Tried from top to bottom; the first that fits decides."},
		},
		"allOf": each, "$defs": defs,
	})
}

// rule is what holds for a rule of any API.
func rule() object {
	return object{
		"type": "object", "required": list{"operation"}, "additionalProperties": false,
		"properties": object{
			"operation": stringWith(`The operation that it decides, by its documented name; "*": every one.`),
			"where":     object{"type": "object", "description": "What the call has to say: by parameter, path into an object, header.NAME or query.NAME."},
			"state":     stringWith("The state of the scenario in which it fits; it begins in initial."),
			"times":     object{"type": "integer", "minimum": 1, "description": "How many calls it decides; without it, there is no end."},
			"skip":      object{"type": "integer", "minimum": 0, "description": "How many fitting calls it lets through before."},
			"chance":    object{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "description": "How likely it decides, by the sandbox's seeded dice."},
			"from":      withDoc(ref("duration"), "From when on it decides, since the activation, by the sandbox's clock."),
			"until":     withDoc(ref("duration"), "Until when it decides, since the activation, by the sandbox's clock."),
			"outcome":   stringWith("How the call ends: a documented outcome of the operation."),
			"outcomes":  object{"type": "array", "minItems": 1, "items": stringWith(""), "description": "How calls end, one after the other; emulator: as the emulator decides."},
			"repeat":    object{"enum": list{"last", "all"}, "description": "What follows the last of outcomes: the last again, or all from the start."},
			"message":   withDoc(object{"type": list{"string", "number", "boolean"}, "minLength": 1}, "Stands in for the documented message."),
			"with":      object{"type": "object", "description": "Fields laid over what the outcome returns; null takes one away."},
			"phantom":   object{"const": true, "description": "The success is answered, and nothing changes."},
			"then":      stringWith("The state that the scenario is in afterwards."),
			"trigger":   object{"type": "object", "minProperties": 1, "description": "What happens outside the API after the call."},
			"expect": object{
				"type": "object", "required": list{"fired"}, "additionalProperties": false, "description": "What verify holds the rule against.",
				"properties": object{"fired": object{"type": "integer", "minimum": 1, "description": "How often it decides at least."}},
			},
			"wire": ref("wire"),
		},
		"not":              object{"required": list{"outcome", "outcomes"}},
		"dependentSchemas": object{"repeat": object{"required": list{"outcomes"}}},
		"anyOf": list{
			object{"required": list{"outcome"}},
			object{"required": list{"outcomes"}},
			object{"required": list{"phantom"}},
			object{"required": list{"then"}},
			object{"required": list{"trigger"}},
			object{"required": list{"expect"}},
			object{"required": list{"wire"}},
		},
	}
}

// network is what the network does.
func network() object {
	pair := func(first, second object, keys ...string) object {
		return object{
			"type": "object", "required": enumOf(keys), "additionalProperties": false,
			"properties": object{keys[0]: first, keys[1]: second},
		}
	}
	length := ref("duration")
	return object{
		"type": "object", "minProperties": 1, "additionalProperties": false, "description": "What the network does to the answer.",
		"properties": object{
			"delay": object{"description": "How long the answer is held back.", "anyOf": list{
				length,
				pair(object{"anyOf": list{length, object{"const": 0}}}, length, "min", "max"),
				pair(length, object{"type": "number", "exclusiveMinimum": 0, "maximum": 5}, "median", "sigma"),
			}},
			"bandwidth": object{"type": "string", "pattern": `^[1-9][0-9]{0,8}(B|KB|MB)/s$`, "description": "How fast the body passes: 2KB/s."},
			"fault":     object{"enum": enumOf(scenario.Faults), "description": "How the connection fails."},
			"when":      object{"enum": list{string(scenario.Before), string(scenario.After)}, "description": "Whether the request had arrived when the wire broke. After: the outcome has happened, the answer is lost."},
			"answer": object{
				"type": "object", "required": list{"status"}, "additionalProperties": false,
				"description": "What something between client and service answers in its stead.",
				"properties": object{
					"status": object{"type": "integer", "minimum": 200, "maximum": 599}, "headers": ref("headers"), "body": stringWith(""),
				},
			},
			"headers": withDoc(ref("headers"), "Laid over the answer's; null takes one away."),
		},
		"not": object{"required": list{"fault", "answer"}},
	}
}

// condition is a plain value, or a matcher.
func condition() object {
	operands := object{
		string(scenario.In):      object{"type": "array", "minItems": 1, "items": stringWith(""), "description": "It is one of these."},
		string(scenario.Matches): withDoc(object{"type": list{"string", "number", "boolean"}, "maxLength": scenario.LongestPattern}, "This regular expression (RE2) finds something in it."),
		string(scenario.Absent):  object{"const": true, "description": "It is not there."},
		string(scenario.Present): object{"const": true, "description": "It is there, be it empty or null."},
		string(scenario.Greater): object{"type": "number", "description": "It is a number, and greater."},
		string(scenario.Less):    object{"type": "number", "description": "It is a number, and less."},
	}
	return object{"anyOf": list{
		stringWith("It is this."),
		object{"type": "object", "minProperties": 1, "additionalProperties": false, "properties": operands},
	}}
}

// everywhere is what holds for a rule for all APIs: it says what the network does.
func forAllAPIs() object {
	return object{"properties": object{
		"operation": object{"const": scenario.Any},
		"where":     conditions(nil),
		"outcome":   false, "outcomes": false, "repeat": false, "message": false, "with": false, "phantom": false, "trigger": false,
	}}
}

// ofAPI is what holds for a rule of one API.
func ofAPI(api *contract.API) object {
	operations := []string{scenario.Any}
	branches := list{ifThen("operation", scenario.Any, outcomeNames(api, nil, api.Operations))}
	for _, op := range api.Operations {
		operations = append(operations, op.Name)
		branches = append(branches, ifThen("operation", op.Name, ref("operation."+api.Name+"."+op.Name)))
	}
	triggers := object{}
	for _, t := range api.Triggers {
		params := mapping(t.Params)
		delete(params, "required") // what is left out may be the call's
		triggers[t.Name] = withDoc(params, t.Doc)
	}
	return object{
		"properties": object{
			"operation": object{"enum": enumOf(operations)},
			"trigger":   object{"properties": triggers, "additionalProperties": false},
		},
		"allOf": branches,
	}
}

// ofOperation is what holds for a rule of one operation.
func ofOperation(api *contract.API, op *contract.Operation) object {
	s := outcomeNames(api, op, []*contract.Operation{op})
	return withDoc(s, op.Doc)
}

// ends is what a rule may say of op, or of every operation where op is nil:
// its outcomes, their fields, and the parameters of operations.
func outcomeNames(api *contract.API, op *contract.Operation, operations []*contract.Operation) object {
	var outcomes list
	var known []string
	fields := object{}
	for _, o := range api.Ends(op) {
		outcomes = append(outcomes, withDoc(object{"const": o.Name}, o.Doc))
		known = append(known, o.Name)
		table := o.Returns
		if o.Fails {
			table = api.Failure
		}
		maps.Copy(fields, optionalRows(table))
	}
	properties := object{
		"outcome": object{"anyOf": outcomes},
		"outcomes": object{"items": object{"anyOf": append(slices.Clone(outcomes),
			object{"const": scenario.Emulator, "description": "As the emulator decides."})}},
		"where": conditions(operations),
		"with":  object{"properties": fields, "additionalProperties": false},
	}
	if len(known) == 0 {
		properties["outcome"], properties["outcomes"] = false, object{"items": object{"const": scenario.Emulator}}
	}
	return object{"properties": properties}
}

// loose describes fields and leaves open what stands in them: a scenario may
// say what the service never would.
func optionalRows(table []contract.Param) object {
	fields := object{}
	for i := range table {
		s := object{}
		if p := &table[i]; p.Type == contract.Object && p.Fields != nil {
			s["properties"] = optionalRows(p.Fields)
		}
		fields[table[i].Name] = withDoc(s, table[i].Doc)
	}
	return fields
}

// conditions are those that a rule of these operations may have.
func conditions(operations []*contract.Operation) object {
	properties, patterns := object{}, object{`^header\.[^ ]+$`: ref("condition"), `^query\..+$`: ref("condition")}
	for _, op := range operations {
		pathProperties(properties, patterns, "", "", op.Params)
	}
	return object{"properties": properties, "patternProperties": patterns, "additionalProperties": false}
}

// places writes down the names by which conditions reach parameters and what is
// inside of them: under is the path to the rows, and pattern the same as an
// expression. Below a list, whose elements have numbers, there is no plain path.
func pathProperties(properties, patterns object, under, pattern string, table []contract.Param) {
	counted := pattern != "" && under == ""
	for i := range table {
		p := &table[i]
		name, quoted := under+p.Name, pattern+quoteMeta(p.Name)
		inner := name + "."
		if counted {
			patterns["^"+quoted+"$"], inner = ref("condition"), ""
		} else {
			properties[name] = withDoc(ref("condition"), p.Doc)
		}
		if p.Type == contract.List {
			quoted, inner = quoted+`\.[0-9]{1,9}`, ""
			patterns["^"+quoted+"$"] = ref("condition")
		}
		switch {
		case p.Type != contract.Object && p.Of != contract.Object:
		case p.Fields == nil:
			patterns["^"+quoted+`\..+$`] = ref("condition")
		default:
			pathProperties(properties, patterns, inner, quoted+`\.`, p.Fields)
		}
	}
}
