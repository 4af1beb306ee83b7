package control_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/redact"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

const journalOf = "/v1/sandboxes/default/journal"

func TestJournal(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.call("POST", "/hats/1?sig=abcdef", `{"hat":"fez"}`)
	s.call("GET", "/nowhere", "")
	s.call("POST", "/hats/1", `{"hat":"bowler"}`, "Understudy-Outcome", "SoldOut.NoHat")
	s.check([]row{
		{
			name: "newest first, without what may be long", method: "GET", target: journalOf, status: 200,
			want:  []string{`{"items":[{"id":"default-3"`, `"url":"/hats/1?sig=abcdef"`, `"delivered":"sent"`, `"found_by":"default"`},
			never: []string{`"body"`, `"decoded"`, `"text"`, `"next"`, `"parameters"`},
		},
		{method: "GET", target: journalOf + "/default-3", status: 200, want: []string{
			`"body":"{\"hat\":\"bowler\"}"`, `"decoded":{"hat":"bowler"}`, `"decided_by":{"kind":"header"}`, `"explanation":{"cause":"header"`, `"outcome":"SoldOut.NoHat"`,
		}},
		{name: "what was sent and answered of what is documented", method: "GET", target: journalOf + "/default-1", status: 200, want: []string{
			`"parameters":{"unknown":[],"not_sent":["X-Toy-Key","sizes"],"answered":["hat"],"not_answered":[]}`,
		}},
		{method: "GET", target: journalOf + "/default-2", status: 200, never: []string{`"parameters"`}},
		{method: "GET", target: journalOf + "/default-9", status: 404, want: []string{`has no entry \"default-9\"; it holds 3, and 0 gave way to later ones`}},
		{method: "GET", target: journalOf + "?limit=1", status: 200, want: []string{`"id":"default-3"`, `"next":"default-3"}`}, never: []string{"default-2"}},
		{method: "GET", target: journalOf + "?limit=1&after=default-3", status: 200, want: []string{`"id":"default-2"`, `"next":"default-2"}`}},
		{method: "GET", target: journalOf + "?after=default-2", status: 200, want: []string{`"id":"default-1"`}, never: []string{"next", "default-2"}},
		{method: "GET", target: journalOf + "?api=toy&operation=SellHat&outcome=success", status: 200, want: []string{"default-1"}, never: []string{"default-2", "default-3"}},
		{method: "GET", target: journalOf + "?decided_by=check", status: 200, want: []string{"default-2"}, never: []string{"default-1", "default-3"}},
		{method: "GET", target: journalOf + "?status=409", status: 200, want: []string{"default-3"}, never: []string{"default-1", "default-2"}},
		{method: "GET", target: journalOf + "?outcome=strange&since=5m", status: 200, want: []string{"default-2"}},
		{method: "GET", target: journalOf + "?since=2026-03-01T12:00:01Z", status: 200, want: []string{`{"items":[]}`}},
		{method: "GET", target: journalOf + "?operatoin=x", status: 400, want: []string{`did you mean \"operation\"?`}},
		{method: "GET", target: journalOf + "?api=tyo", status: 400, want: []string{`did you mean \"toy\"?`}},
		{method: "GET", target: journalOf + "?api=plain&operation=SellHat", status: 400, want: []string{`there is no operation \"SellHat\"; known: Ask`}},
		{method: "GET", target: journalOf + "?outcome=NoHat", status: 400, want: []string{`there is no outcome \"NoHat\"; did you mean \"SoldOut.NoHat\"?`}},
		{method: "GET", target: journalOf + "?operation=ListHats&outcome=SoldOut.NoHat", status: 400},
		{method: "GET", target: journalOf + "?decided_by=chek", status: 400, want: []string{`nothing is decided by \"chek\"; did you mean \"check\"?`}},
		{method: "GET", target: journalOf + "?status=20", status: 400, want: []string{`status is \"20\"; a whole number from 100 to 999 was expected`}},
		{method: "GET", target: journalOf + "?limit=1001", status: 400, want: []string{"from 1 to 1000"}},
		{method: "GET", target: journalOf + "?limit=x", status: 400},
		{method: "GET", target: journalOf + "?since=yesterday", status: 400, want: []string{"an instant such as"}},
		{method: "GET", target: journalOf + "?since=-5m", status: 400},
		{method: "GET", target: journalOf + "?after=other-3", status: 400, want: []string{`an entry's id such as default-12`}},
		{method: "GET", target: journalOf + "?after=default-x", status: 400},
		{method: "DELETE", target: journalOf, status: 204},
		{method: "GET", target: journalOf, status: 200, want: []string{`{"items":[]}`}},
	})
	s.call("GET", "/hats", "")
	s.check([]row{{name: "no id is given twice", method: "GET", target: journalOf, status: 200, want: []string{`"id":"default-4"`}}})
}

// A duration in since is counted back from the sandbox's own time.
func TestSinceBySandboxClock(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.call("GET", "/hats", "")
	s.check([]row{
		{method: "PUT", target: "/v1/sandboxes/default/clock", body: `{"advance":"1h"}`, status: 200},
		{method: "GET", target: journalOf + "?since=30m", status: 200, want: []string{`{"items":[]}`}},
		{method: "GET", target: journalOf + "?since=90m", status: 200, want: []string{"default-1"}},
	})
}

// canary is a secret that must not be seen anywhere.
const canary = "canary-4f1e"

// canaries are requests and answers that carry the secret in every place where
// one can stand.
var canaries = map[string]journal.Entry{
	"headers": {
		Request:  journal.Message{Header: http.Header{"X-Toy-Key": {canary}, "Authorization": {"HMAC Credential=x, Sig=" + canary}, "Kept": {"kept"}}},
		Response: journal.Message{Header: http.Header{"Token": {canary}, "X-Echo": {"you sent " + canary}}},
	},
	"bearer repeated elsewhere": {
		Request:     journal.Message{Header: http.Header{"Authorization": {"Bearer " + canary}}},
		Explanation: &journal.Explanation{Cause: "kept", Text: "the token " + canary + " is gone", Got: canary, Expected: "x" + canary, FirstDifference: canary},
	},
	"signature in an authorization repeated elsewhere": {
		Request:     journal.Message{Header: http.Header{"Authorization": {`HMAC Credential=kept, Sig="` + canary + `"`}}},
		Explanation: &journal.Explanation{Cause: "kept", Got: canary},
	},
	"query":           {Request: journal.Message{URL: "/hats?kept=1&sig=" + canary + "&Token=" + canary}},
	"escaped query":   {Request: journal.Message{URL: "/hats?kept=1&s%69g=canary%2D4f1e&x=" + canary}},
	"broken query":    {Request: journal.Message{URL: "/hats?kept&%zz=1&sig=canary-4f1e%zz"}},
	"path":            {Request: journal.Message{URL: "/kept/" + canary, Decoded: contract.Values{"token": canary}}},
	"form":            {Request: journal.Message{Body: journal.Text("kept=1&token=" + canary)}},
	"json":            {Request: journal.Message{Body: journal.Text(`{"kept":1,"deep":[{"a":{"Token":"` + canary + `"}},[2]]}`)}},
	"escaped json":    {Request: journal.Message{Body: journal.Text(`{"kept":1,"\u0074oken":"canary\u002d4f1e","x":"` + canary + `"}`)}},
	"json object":     {Request: journal.Message{Body: journal.Text(`{"kept":1,"token":{"a":"` + canary + `"}}`)}},
	"json number":     {Request: journal.Message{Body: journal.Text(`{"kept":1,"token":12345678}`)}, Explanation: &journal.Explanation{Cause: "c", Text: "12345678"}},
	"cut json":        {Request: journal.Message{Body: journal.Text(`{"kept":1,"token":"` + canary)}},
	"cut json object": {Request: journal.Message{Body: journal.Text(`{"kept":1,"token":{"a":"` + canary + `","b":["` + canary)}},
	"number decoded":  {Request: journal.Message{Decoded: contract.Values{"token": json.Number("12345678"), "kept": true}, URL: "/12345678"}},
	"object decoded":  {Request: journal.Message{Decoded: contract.Values{"token": contract.Values{"a": canary}, "kept": true}}},
	"broken json":     {Request: journal.Message{Body: journal.Text(`{"kept":1,"token":` + canary + `}`)}},
	"multipart":       {Request: journal.Message{Body: journal.Text("--b\r\nContent-Disposition: form-data; name=\"token\"\r\nContent-Type: text/plain\r\n\r\n" + canary + "\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nkept\r\n--b--\r\n")}},
	"answer":          {Response: journal.Message{Body: journal.Text(`{"kept":1,"token":"` + canary + `"}`), Decoded: map[string]any{"token": canary}}},
	"answer decoded":  {Response: journal.Message{Body: journal.Text(`{"encrypt":"kept"}`), Decoded: json.RawMessage(`{"kept":[{"token":"` + canary + `"}],"x":"` + canary + `"}`)}},
	"number struck":   {Request: journal.Message{URL: "/hats?sig=12345678"}, Response: journal.Message{Decoded: json.RawMessage(`{"kept":12345678}`)}},
	"prose":           {Explanation: &journal.Explanation{Cause: "kept", Text: "string to sign: a=1&sig=" + canary}},
	"decoded":         {Request: journal.Message{Decoded: contract.Values{"sig": contract.Raw(canary), "kept": []any{canary, contract.Values{"token": canary}, contract.Raw(canary)}}}},
	"violations":      {Violations: []contract.Violation{{Path: "kept.0.token", Got: canary}, {Path: "x", Got: canary}}},
	"notes":           {Notes: contract.Facts{{Name: "kept", Value: canary}, {Name: "token", Value: canary}}, Explanation: &journal.Explanation{Cause: "c", Facts: contract.Facts{{Name: "sig", Value: canary}, {Name: "x", Value: canary}}}},
}

// redacting is a server that keeps every secret, with one call in its journal.
func redacting(t *testing.T, e journal.Entry) *testServer {
	t.Helper()
	s := newTestServer(t, func(c *control.Config) { c.Redactor = redact.New(redact.Config{APIs: apis, All: true}) })
	box := s.registry.Find(sandbox.Default)
	e.API, e.Time = "toy", noon
	e.Request.Header = e.Request.Header.Clone()
	box.Journal.Add(box.Journal.Turn(), &e)
	box.Journal.Close(&e, time.Millisecond, journal.Sent)
	return s
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for name, e := range canaries {
		s := redacting(t, e)
		for _, target := range []string{journalOf, journalOf + "/default-1"} {
			got := s.ask("GET", target, "").Body.String()
			if strings.Contains(got, canary) || strings.Contains(got, "4f1e") || strings.Contains(got, "12345678") {
				t.Errorf("%s, %s: the secret is in %s", name, target, got)
			}
			if target != journalOf && (!strings.Contains(got, "[redacted]") || !strings.Contains(got, "kept")) {
				t.Errorf("%s, %s: masked too much or too little: %s", name, target, got)
			}
		}
		if still, _ := s.registry.Find(sandbox.Default).Journal.Find("default-1"); len(still.Request.Header["X-Toy-Key"]) == 1 && still.Request.Header.Get("X-Toy-Key") != canary {
			t.Errorf("%s: the journal itself was changed", name)
		}
	}
}

// What is no secret is reported as it was sent, byte for byte where that can be.
func TestRedactKeeps(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *control.Config) { c.Redactor = redact.New(redact.Config{APIs: apis, All: true}) })
	s.call("POST", "/hats/1?a=b+c&d&sig=canary-4f1e", `{"hat":"fez","n":[1,2.50,null],"u":"ü"}`, "Authorization", "Bearer canary-4f1e")
	s.call("POST", "/hats/1", `"just text"`)
	s.call("POST", "/hats/1", "\xff\xfe")
	s.check([]row{
		{method: "GET", target: journalOf + "/default-1", status: 200, never: []string{"canary"}, want: []string{
			`"url":"/hats/1?a=b+c&d&sig=[redacted]"`, `"body":"{\"hat\":\"fez\",\"n\":[1,2.50,null],\"u\":\"ü\"}"`, `"Authorization":["[redacted]"]`,
		}},
		{method: "GET", target: journalOf + "/default-2", status: 200, want: []string{`"body":"\"just text\""`}},
		{method: "GET", target: journalOf + "/default-3", status: 200, want: []string{`"body":"base64://4="`}},
	})
}
