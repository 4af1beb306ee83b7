package tencentcar

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A family is one of the two ways in which callers prove who they are.
type family int

const (
	v1  family = iota // everything in the query or the form, HmacSHA1 or HmacSHA256
	tc3               // X-TC headers and Authorization, TC3-HMAC-SHA256
)

// A caller is who asks, and what the common protocol says beside the
// business parameters.
type caller struct {
	family    family
	action    string
	version   string
	timestamp string
	stamp     int64 // timestamp as a number
	nonce     string
	secretID  string
	signature string
	method    string // SignatureMethod, of v1
	token     string
	language  string
	region    *string // nil: not given

	auth  authorization
	pairs []pair // of the query or the form, in the order sent

	formFault string // why query or form cannot be taken apart; judged after the size
	jsonFault error  // why the body is no JSON object; judged after the rate limit
	foreign   bool   // multipart or octet-stream

	account *account // nil: none is known
	lists   *gate

	id string // RequestId
}

// A pair is one name=value of a query or a form.
type pair struct{ name, value string }

// callerOf returns the call's caller. The check read makes it. An outcome
// that is called for without the checks needs it too.
func callerOf(c *contract.Call) *caller {
	if k, ok := c.Caller.(*caller); ok {
		return k
	}
	k := &caller{}
	if c.Request != nil {
		k, c.In = listen(c)
	}
	c.Caller = k
	return k
}

// read takes the request apart and judges nothing, so that a scenario can see
// the parameters of a request that will be refused.
func read(c *contract.Call) contract.Verdict {
	c.Caller = nil
	callerOf(c)
	c.Notes = make(contract.Facts, 0, 4)
	return contract.Verdict{}
}

// requestID is one for the call, whoever asks for it first: it stands in the
// answer, in the server session and in one of the messages. Only for Do and
// what comes after it.
func requestID(c *contract.Call) string {
	k := callerOf(c)
	if k.id == "" {
		k.id = c.Dice().ID()
	}
	return k.id
}

func listen(c *contract.Call) (*caller, contract.Values) {
	r := c.Request
	k := &caller{family: familyOf(c)}
	in := k.readParameters(r)
	if k.family == v1 {
		k.readV1()
	} else {
		k.readHeaders(r.Header)
	}
	if k.language == "" {
		k.language = header(r.Header, "X-Tc-Language")
	}
	return k, in
}

// familyOf: an Authorization header makes it TC3, whatever it holds, and its
// absence makes it v1. Where no proof is asked for, the X-TC headers alone will do.
func familyOf(c *contract.Call) family {
	if _, ok := c.Request.Header["Authorization"]; ok {
		return tc3
	}
	if c.Auth == contract.Off && header(c.Request.Header, "X-Tc-Action") != "" && parameter(c.Request, "Action") == "" {
		return tc3
	}
	return v1
}

// readParameters reads the query of a GET, the form or the JSON body of a POST.
func (k *caller) readParameters(r *contract.Request) contract.Values {
	switch {
	case r.Method == http.MethodGet:
		return k.readPairs(r.URL.RawQuery)
	case r.Method != http.MethodPost || r.TooLarge:
		return contract.Values{}
	}
	switch media(r) {
	case form:
		return k.readPairs(string(r.Body))
	case multipart:
		k.foreign = true
		return contract.Values{}
	}
	if len(r.Body) == 0 {
		// An action without parameters is sent as {} by the SDKs; nothing at
		// all is taken for the same, and what is missing is told by name.
		return contract.Values{}
	}
	in, err := wire.Object(r.Body)
	if err != nil {
		k.jsonFault = err
		return contract.Values{}
	}
	for name, value := range in {
		if value == nil { // the Node SDK strips null members, others send them
			delete(in, name)
		}
	}
	return in
}

// readPairs takes name=value pairs apart. The first fault is kept for the check
// that judges it.
func (k *caller) readPairs(text string) contract.Values {
	in := contract.Values{}
	for piece := range strings.SplitSeq(text, "&") {
		if piece == "" {
			continue
		}
		name, value, split := strings.Cut(piece, "=")
		p := pair{wire.Unescape(name), wire.Unescape(value)}
		switch _, twice := in[p.name]; {
		case !split:
			k.fault("the piece %.60q has no `=`", piece)
		case !utf8.ValidString(p.name) || !utf8.ValidString(p.value):
			k.fault("the piece %.60q is not UTF-8", piece)
		case twice:
			k.fault("the name %.60q stands twice", p.name)
		}
		k.pairs = append(k.pairs, p)
		if k.family == v1 && slices.Contains(commonParameters, p.name) {
			continue
		}
		in[p.name] = contract.Raw(p.value)
	}
	return in
}

func (k *caller) fault(text string, args ...any) {
	if k.formFault == "" {
		k.formFault = fmt.Sprintf(text, args...)
	}
}

// commonParameters are those that a v1 request carries among the business
// parameters. Language and RequestClient are sent by the SDKs only.
var commonParameters = []string{
	"Action", "Version", "Timestamp", "Nonce", "SecretId", "Signature",
	"Region", "SignatureMethod", "Token", "Language", "RequestClient",
}

func (k *caller) readV1() {
	for i := range k.pairs {
		p := &k.pairs[i]
		switch p.name {
		case "Action":
			k.action = p.value
		case "Version":
			k.version = p.value
		case "Timestamp":
			k.timestamp = p.value
		case "Nonce":
			k.nonce = p.value
		case "SecretId":
			k.secretID = p.value
		case "Signature":
			k.signature = p.value
		case "SignatureMethod":
			k.method = p.value
		case "Token":
			k.token = p.value
		case "Language":
			k.language = p.value
		case "Region":
			k.region = &p.value
		}
	}
}

func (k *caller) readHeaders(h http.Header) {
	k.action = header(h, "X-Tc-Action")
	k.version = header(h, "X-Tc-Version")
	k.timestamp = header(h, "X-Tc-Timestamp")
	k.token = header(h, "X-Tc-Token")
	k.language = header(h, "X-Tc-Language")
	if _, ok := h["X-Tc-Region"]; ok {
		region := header(h, "X-Tc-Region")
		k.region = &region
	}
	k.auth = parseAuthorization(header(h, "Authorization"))
	k.secretID = k.auth.secretID
}

// header returns the header of that canonical name. A header sent twice is one
// whose values are joined by a comma, so no parameter has two meanings.
func header(h http.Header, name string) string {
	switch values := h[name]; len(values) {
	case 0:
		return ""
	case 1:
		return values[0]
	default:
		return strings.Join(values, ",")
	}
}

// parameter looks up one parameter in the query of a GET or the form of a POST
// without taking the rest apart.
func parameter(r *contract.Request, name string) string {
	text := ""
	switch {
	case r.Method == http.MethodGet:
		text = r.URL.RawQuery
	case r.Method == http.MethodPost && media(r) == form:
		text = string(r.Body)
	}
	for piece := range strings.SplitSeq(text, "&") {
		if n, value, _ := strings.Cut(piece, "="); n == name {
			return wire.Unescape(value)
		}
	}
	return ""
}

// The kinds of body that the service tells apart. Whatever is none of the
// others is read as JSON.
const (
	jsonBody = iota
	form
	multipart
)

func media(r *contract.Request) int {
	kind, _, _ := strings.Cut(header(r.Header, "Content-Type"), ";")
	kind = strings.TrimSpace(kind)
	switch {
	case strings.EqualFold(kind, "application/x-www-form-urlencoded"):
		return form
	case strings.EqualFold(kind, "multipart/form-data"), strings.EqualFold(kind, "application/octet-stream"):
		return multipart
	}
	return jsonBody
}
