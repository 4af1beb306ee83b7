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

// A caller is what the checks found out about the client.
type caller struct {
	pairs []pair // all signed parameters and the sign, sorted by name; each name once

	appID     string
	timestamp string
	sign      string

	application application
	known       bool        // the application is that of the appId
	first       application // of the sandbox
	unknown     bool        // the appId is unknown, and its proof is not verified

	jsonErr error // why the body is no JSON object
}

// A pair is one parameter, decoded.
type pair struct{ name, value string }

// protocol lists the parameters that every call has or may have. All but the sign
// are signed.
var protocol = []string{"appId", "requestId", "sign", "signatureMethod", "signatureNonce", "timestamp"}

// callerOf returns the call's caller. The check read makes it; an outcome that is
// forced before the checks have run makes it here.
func callerOf(c *contract.Call) *caller {
	if ca, ok := c.Caller.(*caller); ok {
		return ca
	}
	ca := &caller{}
	if c.Request != nil && c.Request.URL != nil {
		ca.parse(c)
	}
	c.Caller = ca
	return ca
}

// parseRequest parses the request and refuses nothing, so that a scenario can match
// the parameters of a request that will be refused.
func parseRequest(c *contract.Call) contract.Verdict {
	c.Caller = nil
	callerOf(c)
	return contract.Verdict{}
}

// formOf returns the form of a POST. Parameters may be in the form and in the
// query; the query's value counts first. The service accepts a query also where
// the body is no form (SDKs send the four bytes null).
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

// decode decodes one pair. A pair with broken percent-encoding stays as it is.
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

func (ca *caller) parse(c *contract.Call) {
	ca.pairs = inOrderSent(c.Request)
	sent := len(ca.pairs)
	ca.pairs = firstOfEach(ca.pairs)
	if len(ca.pairs) < sent {
		c.Note("repeated parameters", "of each name the first counts, for the signature too")
	}
	ca.appID, ca.timestamp, ca.sign = ca.value("appId"), ca.value("timestamp"), ca.value("sign")
	c.In = ca.readParameters(c)
}

// maxParameters is how many parameters of a request are read. A request with more
// fails the signature check.
const maxParameters = 10_000

// inOrderSent returns the request's parameters in the order in which they were
// sent.
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
	for more := true; more && len(pairs) < maxParameters; {
		var piece string
		if piece, text, more = strings.Cut(text, "&"); piece != "" {
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

// value returns the value of a parameter, or "".
func (ca *caller) value(name string) string {
	if i, found := ca.find(name); found {
		return ca.pairs[i].value
	}
	return ""
}

func (ca *caller) find(name string) (int, bool) {
	return slices.BinarySearchFunc(ca.pairs, name, func(p pair, name string) int { return cmp.Compare(p.name, name) })
}

// readParameters returns the parameters for which the operation has rows. Others
// are signed, as by the service, and otherwise ignored.
func (ca *caller) readParameters(c *contract.Call) contract.Values {
	if c.Operation == nil {
		return contract.Values{}
	}
	rows := c.Operation.Params
	in := make(contract.Values, len(rows))
	body := ca.readBody(c)
	known := 0
	for i := range rows {
		p := &rows[i]
		if p.In == contract.Path {
			in[p.Name] = p.Type.Arrived(c.Request.Path[p.Name])
			continue
		}
		if at, found := ca.find(p.Name); found {
			in[p.Name] = p.Type.Arrived(ca.pairs[at].value)
			known++
		} else if x, given := body[p.Name]; given && p.In == contract.Body {
			in[p.Name] = rawValue(x)
		}
	}
	ca.noteIgnored(c, known)
	return in
}

// readBody reads a JSON body, of operations that may have one.
func (ca *caller) readBody(c *contract.Call) contract.Values {
	r := c.Request
	if len(r.Body) == 0 || isForm(r) || string(r.Body) == "null" || !takesBody(c.Operation) {
		return nil
	}
	in, err := wire.Object(r.Body)
	ca.jsonErr = err
	return in
}

func takesBody(op *contract.Operation) bool {
	return op != nil && slices.ContainsFunc(op.Params, func(p contract.Param) bool { return p.In == contract.Body })
}

// rawValue returns a JSON string or number as a parameter's text. Any other value
// stays as it is, and its row refuses it.
func rawValue(x any) any {
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

// noteIgnored notes in the journal the parameters that the operation does not have:
// nothing else reports a misspelled pageSize.
func (ca *caller) noteIgnored(c *contract.Call, known int) {
	for _, name := range protocol {
		if _, found := ca.find(name); found {
			known++
		}
	}
	if known == len(ca.pairs) {
		return
	}
	const most = 8
	var names []string
	for i := range ca.pairs {
		name := ca.pairs[i].name
		if slices.Contains(protocol, name) || slices.ContainsFunc(c.Operation.Params, func(p contract.Param) bool { return p.Name == name && p.In != contract.Path }) {
			continue
		}
		if len(names) == most {
			names = append(names, "…")
			break
		}
		names = append(names, shorten(name))
	}
	c.Note("ignored parameters", strings.Join(names, " "))
}
