package polyv

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A caller is who asks, and what proves it.
type caller struct {
	pairs []pair // all that is signed, and the sign, by name; each name once

	appID     string
	timestamp string
	sign      string

	application application
	strange     bool // no application is known, and nobody asked for one

	jsonFault error // why the body is no JSON object
}

// A pair is one parameter, decoded.
type pair struct{ name, value string }

// The parameters that every call has, and those that any may have. They are
// signed as all others are, but for the sign itself.
var protocol = []string{"appId", "requestId", "sign", "signatureMethod", "signatureNonce", "timestamp"}

// callerOf returns the call's caller. The check read makes it. An outcome
// that is called for without the checks needs it too.
func callerOf(c *contract.Call) *caller {
	if k, ok := c.Caller.(*caller); ok {
		return k
	}
	k := &caller{}
	if c.Request != nil && c.Request.URL != nil {
		k.listen(c)
	}
	c.Caller = k
	return k
}

// read takes the request apart and judges nothing, so that a scenario can see
// the parameters of a request that will be refused.
func read(c *contract.Call) contract.Verdict {
	c.Caller = nil
	callerOf(c)
	return contract.Verdict{}
}

// formOf is the form of a POST. Parameters may stand there and in the query,
// whose value of a name counts first. The service takes a query also where the
// body is no form (SDKs send the four bytes null).
func formOf(r *contract.Request) string {
	if r.Method == http.MethodPost && isForm(r) {
		return string(r.Body)
	}
	return ""
}

func isForm(r *contract.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}

// decode takes one pair apart. Where its percent-encoding is broken it is taken
// as it stands.
func decode(piece string) pair {
	name, value, _ := strings.Cut(piece, "=")
	if strings.ContainsAny(piece, "%+") {
		n, err := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err == nil && err2 == nil {
			return pair{n, v}
		}
	}
	return pair{name, value}
}

func (k *caller) listen(c *contract.Call) {
	k.pairs = inOrderSent(c.Request)
	sent := len(k.pairs)
	k.pairs = firstOfEach(k.pairs)
	if len(k.pairs) < sent {
		c.Note("repeated parameters", "of each name the first counts, for the signature too")
	}
	k.appID, k.timestamp, k.sign = k.value("appId"), k.value("timestamp"), k.value("sign")
	c.In = k.parameters(c)
}

// maxParameters is how many parameters of a request are read; what follows is
// not, and so fails the signature.
const maxParameters = 10_000

// inOrderSent are the request's parameters as they came.
func inOrderSent(r *contract.Request) []pair {
	pairs := split(r.URL.RawQuery)
	if form := formOf(r); form != "" {
		pairs = append(pairs, split(form)...)
	}
	return pairs[:min(len(pairs), maxParameters)]
}

func split(text string) []pair {
	if text == "" {
		return nil
	}
	pairs := make([]pair, 0, min(strings.Count(text, "&")+1, maxParameters))
	for piece := range strings.SplitSeq(text, "&") {
		if len(pairs) == maxParameters {
			break
		}
		if piece != "" {
			pairs = append(pairs, decode(piece))
		}
	}
	return pairs
}

// firstOfEach sorts parameters by name, and keeps the first of each.
func firstOfEach(pairs []pair) []pair {
	slices.SortStableFunc(pairs, byName)
	return slices.CompactFunc(pairs, func(a, b pair) bool { return a.name == b.name })
}

func byName(a, b pair) int { return cmp.Compare(a.name, b.name) }

// value is what a parameter says; "" where it is absent too.
func (k *caller) value(name string) string {
	if i, found := k.find(name); found {
		return k.pairs[i].value
	}
	return ""
}

func (k *caller) find(name string) (int, bool) {
	return slices.BinarySearchFunc(k.pairs, name, func(p pair, name string) int { return cmp.Compare(p.name, name) })
}

// parameters are those that the operation has rows for. Others are signed, as
// the service does, and otherwise ignored.
func (k *caller) parameters(c *contract.Call) contract.Values {
	if c.Operation == nil {
		return contract.Values{}
	}
	rows := c.Operation.Params
	in := make(contract.Values, len(rows))
	body := k.readBody(c)
	known := 0
	for i := range rows {
		p := &rows[i]
		if p.In == contract.Path {
			in[p.Name] = contract.Raw(c.Request.Path[p.Name])
			continue
		}
		if at, found := k.find(p.Name); found {
			in[p.Name] = contract.Raw(k.pairs[at].value)
			known++
		} else if x, given := body[p.Name]; given && p.In == contract.Body {
			in[p.Name] = plain(x)
		}
	}
	k.tellUnknown(c, known)
	return in
}

// readBody reads a JSON body, of operations that may have one.
func (k *caller) readBody(c *contract.Call) contract.Values {
	r := c.Request
	if len(r.Body) == 0 || isForm(r) || string(r.Body) == "null" || !takesBody(c.Operation) {
		return nil
	}
	in, err := wire.Object(r.Body)
	k.jsonFault = err
	return in
}

func takesBody(op *contract.Operation) bool {
	return op != nil && slices.ContainsFunc(op.Params, func(p contract.Param) bool { return p.In == contract.Body })
}

// plain is a JSON value as a parameter's text; what is no text and no number
// stays what it is, and its row refuses it.
func plain(x any) any {
	switch v := x.(type) {
	case nil:
		return contract.Raw("")
	case string:
		return contract.Raw(v)
	case json.Number:
		return contract.Raw(v)
	}
	return x
}

// tellUnknown has the journal name parameters that the operation does not
// have: a misspelled pageSize changes nothing, and nothing else says so.
func (k *caller) tellUnknown(c *contract.Call, known int) {
	for _, name := range protocol {
		if _, found := k.find(name); found {
			known++
		}
	}
	if known == len(k.pairs) {
		return
	}
	const most = 8
	var names []string
	for i := range k.pairs {
		name := k.pairs[i].name
		if slices.Contains(protocol, name) || slices.ContainsFunc(c.Operation.Params, func(p contract.Param) bool { return p.Name == name && p.In != contract.Path }) {
			continue
		}
		if len(names) == most {
			names = append(names, "…")
			break
		}
		names = append(names, brief(name))
	}
	c.Note("ignored parameters", strings.Join(names, " "))
}
