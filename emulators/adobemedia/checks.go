package adobemedia

import (
	"fmt"
	"mime"
	"net/http"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

var (
	noSuchPath  = &contract.Cause{Code: "no_such_path", Text: "{path} is no path of this API. It has POST /api/v1/sessions, /api/v1/sessions/<id>/events and /api/v1/downloaded, and GET /api/v1/schemas/<eventType>."}
	otherPrefix = &contract.Cause{Code: "other_prefix", Text: "The path is below {prefix}, and the switch path_prefix is {expected}."}
	wrongMethod = &contract.Cause{Code: "wrong_method", Text: "The method was {method}; the path takes {allowed}."}
	tooLarge    = &contract.Cause{Code: "too_large", Text: "The body has {size} bytes, as far as it was read; the switch max_body allows {most}."}
	otherMedia  = &contract.Cause{Code: "content_type", Text: "The Content-Type is {type}, and the switch strict_content_type asks for application/json."}
)

// checkPath refuses undocumented paths. A path below a prefix is accepted where
// the switch path_prefix names the prefix.
func checkPath(c *contract.Call) contract.Verdict {
	at := findRoute(c.Request)
	if at.operations == nil {
		return notFound.Because(noSuchPath, "path", shorten(c.Request.URL.Path))
	}
	if expected := c.Switches.Text("path_prefix"); at.prefix != "" && at.prefix != expected {
		return notFound.Because(otherPrefix, "prefix", shorten(at.prefix), "expected", `"`+expected+`"`)
	}
	return contract.Verdict{}
}

func checkMethod(c *contract.Call) contract.Verdict {
	if c.Operation != nil {
		return contract.Verdict{}
	}
	may := allowedMethods(c.Request)
	if c.Request.Method == http.MethodOptions && may != http.MethodGet {
		return preflight.Verdict()
	}
	return methodNotAllowed.Because(wrongMethod, "method", c.Request.Method, "allowed", may)
}

func checkSize(c *contract.Call) contract.Verdict {
	if limit := c.Switches.Int("max_body"); c.Request.TooLarge || int64(len(c.Request.Body)) > limit {
		return payloadTooLarge.Because(tooLarge, "size", len(c.Request.Body), "most", limit)
	}
	return contract.Verdict{}
}

func checkContentType(c *contract.Call) contract.Verdict {
	if c.Operation == getSchema || !c.Switches.Bool("strict_content_type") {
		return contract.Verdict{}
	}
	contentType := c.Request.Header.Get("Content-Type")
	if media, _, _ := mime.ParseMediaType(contentType); media != "application/json" {
		return unsupportedMediaType.Because(otherMedia, "type", `"`+shorten(contentType)+`"`)
	}
	return contract.Verdict{}
}

var (
	notJSON           = &contract.Cause{Code: "not_json", Text: "The body cannot be read as JSON: {found}."}
	noType            = &contract.Cause{Code: "no_event_type", Text: "{found} The types are those of GET /api/v1/schemas/<eventType>."}
	wrongPathForEvent = &contract.Cause{Code: "wrong_path_for_event", Text: "{found} sessionStart opens a session at /api/v1/sessions; every other event goes to /api/v1/sessions/<id>/events."}
	schemaViolated    = &contract.Cause{Code: "schema", Text: "The request violates the schema of {eventType}: {found} GET /api/v1/schemas/{eventType} returns the schema; with the switch unknown_keys: lenient, unknown keys are accepted."}
	wrongBatch        = &contract.Cause{Code: "batch", Text: "{found} A downloaded session is one array of events, the first sessionStart; nothing of it is kept unless all of it is right."}
	batchesOff        = &contract.Cause{Code: "batch_off", Text: "{found} The switch accept_batch_on_sessions is off, as announced for the future: send downloaded sessions to /api/v1/downloaded."}
	liveFlag          = &contract.Cause{Code: "downloaded_flag", Text: "{found} media.downloaded is true with an array, and absent or false with a single sessionStart."}
)

// refuse returns a badRequest whose message is the one published sentence,
// followed by what was found.
func refuse(cause *contract.Cause, found string, facts ...any) contract.Verdict {
	v := badRequest.Because(cause, append([]any{"found", found}, facts...)...)
	v.OwnMessage = improperFormat + " " + found
	return v
}

// readBody parses the request's body, whatever its Content-Type.
func readBody(c *contract.Call) contract.Verdict {
	var err error
	switch c.Operation {
	case getSchema:
		c.In = contract.Values{"eventType": findRoute(c.Request).values["eventType"]}
	case startSession, sendEvent:
		c.In, err = wire.Object(c.Request.Body)
	default:
		var x any
		x, err = wire.Value(c.Request.Body)
		list, isList := x.([]any)
		if err == nil && !isList {
			return refuse(wrongBatch, "The body is no array of events.")
		}
		c.In = contract.Values{"events": list}
	}
	if err != nil {
		c.In = nil
		v := badRequest.Because(notJSON, "found", shorten(err.Error()))
		v.OwnMessage = improperFormat + " The body is no JSON."
		return wire.OrCompressed(c, v)
	}
	return contract.Verdict{}
}

// checkBody checks the parsed body against the schemas.
func checkBody(c *contract.Call) contract.Verdict {
	switch c.Operation {
	case startSession:
		return checkSingle(c)
	case sendEvent:
		v := checkSingle(c)
		c.In["sid"] = findRoute(c.Request).values["sid"] // set last, because the body may have a member of this name
		return v
	case sendBatch:
		if !c.Switches.Bool("accept_batch_on_sessions") {
			return refuse(batchesOff, "The body is an array.")
		}
		return checkBatch(c, true)
	case sendDownloaded:
		return checkBatch(c, false)
	}
	return contract.Verdict{}
}

// checkSingle checks one event against its schema: sessionStart, or an event of
// an open session.
func checkSingle(c *contract.Call) contract.Verdict {
	t, v := typeOf(c.In)
	opens := c.Operation == startSession
	switch {
	case !v.Pending():
		return v
	case opens && t.name != sessionStart:
		return refuse(wrongPathForEvent, "The eventType is "+t.name+" and not sessionStart.")
	case !opens && t.name == sessionStart:
		return refuse(wrongPathForEvent, "The eventType is sessionStart, which opens a session of its own.")
	}
	if found := checkerOf(c.Switches).check(t, c.In); len(found) > 0 {
		return refuseViolations(c, t, found)
	}
	if opens && c.In.Object("params").Bool(downloadedKey) {
		return refuse(liveFlag, "params."+downloadedKey+" is true, and this is a live session.")
	}
	return contract.Verdict{}
}

// checkBatch checks each event against its schema. It stops at the first event
// with violations, because nothing is stored then.
func checkBatch(c *contract.Call, flagged bool) contract.Verdict {
	list, _ := c.In["events"].([]any)
	if len(list) == 0 {
		return refuse(wrongBatch, "The array is empty.")
	}
	for i, x := range list {
		in, isObject := x.(contract.Values)
		if !isObject {
			return refuse(wrongBatch, fmt.Sprintf("Element %d is no object.", i))
		}
		t, v := typeOf(in)
		switch {
		case !v.Pending():
			v.OwnMessage = fmt.Sprintf("%s (element %d)", v.OwnMessage, i)
			return v
		case (t.name == sessionStart) != (i == 0):
			return refuse(wrongBatch, fmt.Sprintf("Element %d is %s; sessionStart stands first and nowhere else.", i, t.name))
		}
		if found := checkerOf(c.Switches).check(t, in); len(found) > 0 {
			return refuseViolations(c, t, prefixIndex(i, found))
		}
	}
	if first := list[0].(contract.Values); flagged && !first.Object("params").Bool(downloadedKey) {
		return refuse(liveFlag, "params."+downloadedKey+" of the first element is not true.")
	}
	return contract.Verdict{}
}

// typeOf returns the event type of a message.
func typeOf(in contract.Values) (*eventType, contract.Verdict) {
	x, given := in["eventType"]
	name, isText := x.(string)
	t := events[name]
	switch {
	case !given:
		return nil, refuse(noType, "eventType is missing.")
	case !isText:
		return nil, refuse(noType, "eventType is no string.")
	case t == nil:
		return nil, refuse(noType, "There is no eventType "+shorten(name)+".")
	}
	return t, contract.Verdict{}
}

// refuseViolations refuses a message for its violations of the schema.
func refuseViolations(c *contract.Call, t *eventType, found []contract.Violation) contract.Verdict {
	c.Violations = found[:min(len(found), maxViolations)]
	return refuse(schemaViolated, describeViolations(found), "eventType", t.name)
}
