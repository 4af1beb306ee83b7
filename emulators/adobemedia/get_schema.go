package adobemedia

import (
	"net/http"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

var getSchema = &contract.Operation{
	Name: "GetSchema", Method: http.MethodGet, Path: schemasPath, Cite: citeValidate,
	Doc: "Returns the JSON schema (draft-04) of an event type, by which requests are checked. It is public.",
	Params: []contract.Param{
		{Name: "eventType", In: contract.Path, Need: contract.Required, Example: sessionStart, Cite: citeValidate, Doc: "The type of event."},
	},
	Outcomes: contract.Outcomes(schemaFound, noSchema),
	Decide:   decideSchema,
}

var schemaFound = &contract.Outcome{
	Name: "success", Status: 200, Cite: citeValidate, Doc: "The schema is returned. Only that of sessionStart was ever published; the others are made from the tables of parameters.",
	Returns: []contract.Param{
		{Name: "$schema", Need: contract.Required, Cite: citeValidate, Doc: "The meta-schema, draft-04."},
		{Name: "id", Need: contract.Required, Cite: citeValidate, Doc: "The address of the document itself."},
		{Name: "definitions", Type: contract.Object, Need: contract.Required, Cite: citeValidate, Doc: "What all events share, and the event's own."},
		{Name: "type", Need: contract.Required, Cite: citeValidate, Doc: "object"},
		{Name: "$ref", Need: contract.Required, Cite: citeValidate, Doc: "The event's own definition."},
	},
	Do: doSchema,
}

var noSchema = &contract.Outcome{
	Name: "schemaNotFound", Fails: true, Status: 404, Message: "There is no schema of this name.", Doc: "There is no event of this type.",
}

var unknownType = &contract.Cause{Code: "unknown_event_type", Text: "There is no event {eventType}. There are {known}."}

func decideSchema(c *contract.Call) contract.Verdict {
	if name := c.In.Text("eventType"); events[name] == nil {
		return noSchema.Because(unknownType, "eventType", shorten(name), "known", strings.Join(typeNames(eventTypes), ", "))
	}
	return schemaFound.Verdict()
}

// doSchema returns the schema that the checker uses under the current switches.
// Forced for an unknown type, it returns that of sessionStart.
func doSchema(c *contract.Call) any {
	t := events[c.In.Text("eventType")]
	if t == nil {
		t = events[sessionStart]
	}
	ck := checkerOf(c.Switches)
	return schemaOf(c.Request.Base+"/api/v1/schemas/"+t.name, typeNames(eventTypes), ck.rows(t), ck.lenient)
}

// rows returns the rows of a message of type t. In strict mode, the params of
// all other events are added for an event that is not sessionStart.
func (ck checker) rows(t *eventType) []contract.Param {
	rows := t.rows
	if ck.errorNeedsIDs && t.name == "error" {
		rows = errorRows
	}
	if t.name == sessionStart || ck.lenient {
		return rows
	}
	rows = slices.Clone(rows)
	for i := range rows {
		if rows[i].Name == "params" {
			rows[i].Fields = withOtherParams(rows[i].Fields)
		}
	}
	return rows
}

// withOtherParams adds the optional params of all other events to an event's
// own.
func withOtherParams(own []contract.Param) []contract.Param {
	all := slices.Clone(own)
	for _, rows := range [][]contract.Param{eventParams, sessionParams} {
		for _, p := range rows {
			if !slices.ContainsFunc(own, func(q contract.Param) bool { return q.Name == p.Name }) {
				all = append(all, *optionalParams[p.Name])
			}
		}
	}
	return all
}
