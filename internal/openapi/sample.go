package openapi

import (
	"bytes"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// sampleRequest returns the request that a client library would send for op, or nil
// where the API cannot sign with made-up credentials.
func sampleRequest(api *contract.API, op *contract.Operation) *contract.Request {
	if api.Sign == nil {
		return nil
	}
	madeUp := contract.Values{}
	for _, c := range api.Credentials {
		madeUp[c.Name] = "nobody"
	}
	r, err := api.Sign(contract.Draft{
		Operation: op, In: contract.Sample(op.Params), Host: "localhost", Credentials: madeUp, Now: epoch,
	})
	if err != nil {
		return nil
	}
	return r
}

var epoch = time.Unix(0, 0).UTC()

// discriminator returns the header or query parameter whose value is the name of the
// operation in each operation's request.
func discriminator(api *contract.API, ops []*contract.Operation) *parameter {
	all := &schema{Type: "string"}
	var candidates []parameter
	for i, op := range ops {
		r := sampleRequest(api, op)
		if r == nil || r.URL == nil {
			return nil
		}
		naming := append(parametersWith(r.Header, "header", op.Name), parametersWith(r.URL.Query(), "query", op.Name)...)
		if i == 0 {
			candidates = naming
		}
		candidates = slices.DeleteFunc(candidates, func(p parameter) bool {
			return !slices.ContainsFunc(naming, func(q parameter) bool { return p.Name == q.Name && p.In == q.In })
		})
		all.Enum = append(all.Enum, op.Name)
	}
	if len(candidates) == 0 {
		return nil
	}
	p := candidates[0]
	p.Required, p.Schema, p.Description = true, all, "Which operation is meant."
	return &p
}

// parametersWith lists the parameters that have the value, by name.
func parametersWith(values map[string][]string, in, value string) []parameter {
	var found []parameter
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if slices.Contains(values[name], value) {
			found = append(found, parameter{Name: name, In: in})
		}
	}
	return found
}

// sampleResponse returns what Write makes of an outcome's reply, or of a mark in its
// place.
func sampleResponse(api *contract.API, op *contract.Operation, o *contract.Outcome, reply []byte) (r contract.Response, ok bool) {
	// Write may need what the checks find out, and no check has run. Such answers
	// are left out.
	defer func() { ok = recover() == nil }()
	write := api.Write
	if op.Write != nil {
		write = op.Write
	}
	request := sampleRequest(api, op)
	if request == nil {
		request = &contract.Request{Method: op.Method, URL: &url.URL{Path: op.Path}, Header: http.Header{}}
	}
	c := &contract.Call{
		API: api, Operation: op, Request: request, In: contract.Sample(op.Params), Now: epoch, Auth: contract.Off,
		Switches: contract.Values{}, Runtime: sampleRuntime{},
	}
	for i := range api.Switches {
		c.Switches[api.Switches[i].Name] = api.Switches[i].Default
	}
	return write(c, o.Verdict(), contract.Reply{Body: reply, Header: http.Header{}}), true
}

// encryptsBodies reports whether the API's requests are encrypted. Then its answers
// are too, except to made-up credentials.
func encryptsBodies(api *contract.API) bool {
	return slices.ContainsFunc(api.Operations, func(op *contract.Operation) bool {
		rows := bodyRows(op.Params)
		_, plain := requestMediaType(api, op, rows)
		return len(rows) > 0 && !plain
	})
}

// isBareList reports whether a body is the one list of its rows, without an object
// around it.
func isBareList(rows []contract.Param, body []byte) bool {
	return len(rows) == 1 && rows[0].Type == contract.List && bytes.HasPrefix(bytes.TrimSpace(body), []byte("["))
}

// requestMediaType returns the media type of op's requests, "" where they have no
// body, and whether the rows are readable in it.
func requestMediaType(api *contract.API, op *contract.Operation, rows []contract.Param) (kind string, plain bool) {
	if len(rows) > 0 {
		kind = kinds[rows[0].In]
	}
	r := sampleRequest(api, op)
	if r == nil {
		return kind, api.Sign == nil
	}
	if len(r.Body) == 0 {
		return kind, true
	}
	kind = kindOf(r.Header, r.Body)
	var has func(name string) bool
	switch kind {
	case "application/json":
		if isBareList(rows, r.Body) {
			return kind, true
		}
		given, _ := wire.Object(r.Body)
		has = given.Has
	case "application/x-www-form-urlencoded":
		given, _ := url.ParseQuery(string(r.Body))
		has = given.Has
	default:
		has = func(name string) bool { return bytes.Contains(r.Body, []byte(`name="`+name+`"`)) }
	}
	for name := range contract.Sample(rows) {
		if !has(name) {
			return kind, false
		}
	}
	return kind, true
}

// unknown is the media range of an unknown type.
const unknown = "*/*"

// kindOf returns the media type of a body.
func kindOf(h http.Header, body []byte) string {
	if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); err == nil {
		return kind
	}
	if _, err := wire.Value(body); err == nil {
		return "application/json"
	}
	return "application/octet-stream"
}

// A sampleRuntime is a runtime that keeps nothing. Its dice always give the same.
type sampleRuntime struct{}

func (sampleRuntime) WithState(f func())                      { f() }
func (sampleRuntime) CountInWindow(string, time.Duration) int { return 1 }
func (sampleRuntime) Wall() time.Time                         { return epoch }
func (sampleRuntime) Dice() *contract.Dice                    { return contract.NewDice(new(counter)) }

func (sampleRuntime) Mint() *contract.Dice        { return contract.NewDice(new(counter)) }
func (sampleRuntime) Issue(string)                {}
func (sampleRuntime) Forget(string)               {}
func (sampleRuntime) Adopt(string, string) bool   { return false }
func (sampleRuntime) Adopted(string, string) bool { return false }

// counter is a source of chance in which nothing is left to chance.
type counter uint64

func (c *counter) Uint64() uint64  { *c += 0x9e3779b97f4a7c15; return uint64(*c) }
func (c *counter) Int63() int64    { return int64(c.Uint64() >> 1) }
func (c *counter) Seed(seed int64) { *c = counter(seed) }
