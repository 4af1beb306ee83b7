// Package replay writes calls of the journal so that they can be made, or end, again:
// as a line for curl, a program, an example, a scenario, an HTTP archive.
package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The forms of a call.
const (
	HTTP     = "http"     // the exchange as examples are kept
	CURL     = "curl"     // a line for a shell that sends the request
	Go       = "go"       // a program that sends it
	Node     = "node"     // another one
	Scenario = "scenario" // a scenario file that brings about the same ending
)

// Forms lists the forms of a call.
var Forms = []string{HTTP, CURL, Go, Node, Scenario}

// A Writer writes calls of the journal.
type Writer struct {
	APIs []*contract.API
	Base string // the address by which the reader came; requests go by its scheme
}

// WhyAnew is said where a request was asked for and a line is written that signs anew.
const WhyAnew = "the secrets are not told here, and a signature made with them could be used elsewhere; this line signs anew"

// Write writes a call, as the control API shows it, in a form. note is what has to be
// said beside it. The error says why the call cannot be written so.
func (w Writer) Write(e *journal.Entry, form string) (text, note string, err error) {
	if form == Scenario {
		return w.scenario(e)
	}
	if e.Redacted {
		if line := Again(w.APIs, e); line != "" {
			return line + "\n", WhyAnew, nil
		}
		return "", "", fmt.Errorf("%s is shown without its proofs and named no operation, so it has no form %s; use json", e.ID, form)
	}
	if e.Request.Truncated || form == HTTP && e.Response.Truncated {
		note = "the journal kept the beginning of a long body only"
	}
	switch form {
	case HTTP:
		text = exchange(e)
	case CURL:
		text = Curl(e.Request.Method, w.address(e), "", e.Request.Header, e.Request.Body) + "\n"
	case Go:
		text = goProgram(e, w.address(e))
	case Node:
		text = nodeProgram(e, w.scheme())
	}
	return text, note, nil
}

func (w Writer) scheme() string {
	scheme, _, _ := strings.Cut(w.Base, "://")
	return scheme
}

func (w Writer) address(e *journal.Entry) string {
	if strings.Contains(e.Request.URL, "://") {
		return e.Request.URL
	}
	return w.scheme() + "://" + e.Request.Host + e.Request.URL
}

// RequestOf is the request of a call.
func RequestOf(e *journal.Entry) Message {
	return Message{Line: e.Request.Method + " " + e.Request.URL + " HTTP/1.1", Host: e.Request.Host, Header: e.Request.Header, Body: e.Request.Body}
}

// ResponseOf is the answer of a call.
func ResponseOf(e *journal.Entry) Message {
	return Message{Line: StatusLine(e.Response.Status), Header: e.Response.Header, Body: e.Response.Body}
}

// exchange writes a call as examples are kept in testdata/*.http.
func exchange(e *journal.Entry) string {
	request, answer := RequestOf(e), ResponseOf(e)
	request.Header = without(request.Header, "Content-Length")
	answer.Header = without(answer.Header, "Date", "Content-Length")
	operation := e.Operation
	if operation == "" {
		operation = "-"
	}
	return fmt.Sprintf("# %s of sandbox %s: %s/%s/%s\n# clock: %s\n%s----\n%s",
		e.ID, e.Sandbox, e.API, operation, e.Outcome, e.Time.UTC().Format(time.RFC3339Nano), request.Text(), answer.Text())
}

// without is a copy of headers that lacks some, and those of understudy.
func without(h http.Header, names ...string) http.Header {
	left := h.Clone()
	for name := range h {
		if strings.HasPrefix(name, "Understudy-") {
			left.Del(name)
		}
	}
	for _, name := range names {
		left.Del(name)
	}
	return left
}

// Again is the line that makes a call again and signs it anew; "" where the request
// named no operation.
func Again(apis []*contract.API, e *journal.Entry) string {
	api, op := find(apis, e)
	if op == nil {
		return ""
	}
	args := []string{"understudy", "call", api.Name, op.Name}
	if e.Sandbox != "default" {
		args = append(args, "--sandbox", e.Sandbox)
	}
	decoded := decodedOf(e)
	for i := range op.Params {
		name := op.Params[i].Name
		x, given := decoded[name]
		if !given || x == nil || isSigned(api, name) {
			continue
		}
		text, is := x.(string)
		if !is {
			text = string(wire.Encode(x))
		}
		if isMasked(text) || strings.HasPrefix(text, "@") { // call would read a file
			continue
		}
		args = append(args, name+"="+text)
	}
	return Line(args...)
}

// find returns the API and the operation of a call; nil where it named none.
func find(apis []*contract.API, e *journal.Entry) (*contract.API, *contract.Operation) {
	at := slices.IndexFunc(apis, func(api *contract.API) bool { return api.Name == e.API })
	if at < 0 {
		return nil, nil
	}
	return apis[at], apis[at].Operation(e.Operation)
}

// decodedOf returns the values of a request as they are read from JSON, numbers as they
// were written.
func decodedOf(e *journal.Entry) map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(wire.Encode(e.Request.Decoded)))
	decoder.UseNumber()
	var decoded map[string]any
	if decoder.Decode(&decoded) != nil {
		return nil
	}
	return decoded
}

// isSigned reports whether call gives a parameter itself when it signs.
func isSigned(api *contract.API, name string) bool {
	for _, c := range api.Credentials {
		if strings.EqualFold(c.Name, name) {
			return true
		}
	}
	for _, s := range api.Secrets {
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return strings.EqualFold(name, "timestamp")
}

// isMasked reports whether something was left out of a text.
func isMasked(text string) bool {
	return strings.Contains(text, contract.Redacted) || strings.HasPrefix(text, contract.EnvPrefix)
}
