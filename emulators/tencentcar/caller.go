package tencentcar

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A family is one of the two signature methods.
type family int

const (
	v1  family = iota // everything in the query or the form, HmacSHA1 or HmacSHA256
	tc3               // X-TC headers and Authorization, TC3-HMAC-SHA256
)

// A caller is what a request says of its sender: the credentials and the common
// parameters.
type caller struct {
	family          family
	action          string
	version         string
	timestamp       string
	unixTime        int64 // timestamp as a number
	nonce           string
	secretID        string
	signature       string
	signatureMethod string // SignatureMethod, of v1
	token           string
	language        string
	region          string
	regionGiven     bool

	auth    authorization
	signing *signing  // for explanations, as the request has it; nil: not read
	tried   triedKeys // by its explanation
	pairs   []pair    // of the query or the form, in the order sent

	formFault       string // why query or form cannot be parsed; reported after the size check
	jsonErr         error  // why the body is no JSON object; reported after the rate limit
	unsupportedBody bool   // multipart or octet-stream

	account *account    // nil: not looked up
	derived *derivedKey // the signing key that the account had; nil: none
	lists   *accessLists

	requestID string // RequestId
}

// A pair is one name=value of a query or a form.
type pair struct{ name, value string }

// callerOf returns the call's caller. The check "read" makes it. If no check ran,
// because the request itself calls for an outcome, callerOf makes it.
func callerOf(c *contract.Call) *caller {
	if cl, ok := c.Caller.(*caller); ok {
		return cl
	}
	var cl *caller
	if c.Request == nil {
		cl = &caller{}
	} else {
		cl, c.In = parseCaller(c)
	}
	c.Caller = cl
	return cl
}

// readRequest parses the request and refuses nothing, so that a scenario can see
// the parameters of a request that a later check refuses.
func readRequest(c *contract.Call) contract.Verdict {
	c.Caller = nil
	callerOf(c)
	c.Notes = make(contract.Facts, 0, 4)
	return contract.Verdict{}
}

// requestID returns the RequestId of the call: it is in the answer, in the server
// session and in one of the messages. Only for Do and what runs after it.
func requestID(c *contract.Call) string {
	cl := callerOf(c)
	if cl.requestID == "" {
		cl.requestID = c.Dice().ID()
	}
	return cl.requestID
}

// parseCaller parses the request of a call into its caller and parameters.
func parseCaller(c *contract.Call) (*caller, contract.Values) {
	r := c.Request
	cl := &caller{family: familyOf(c)}
	in := cl.readParameters(r)
	if cl.family == v1 {
		cl.readV1()
	} else {
		cl.readHeaders(r.Header)
	}
	if cl.language == "" && cl.family == v1 {
		cl.language = header(r.Header, "X-Tc-Language")
	}
	return cl, in
}

// familyOf returns tc3 for a request with an Authorization header, whatever its
// value, and v1 otherwise. With contract.Off the header X-TC-Action is enough for
// tc3.
func familyOf(c *contract.Call) family {
	if _, ok := c.Request.Header["Authorization"]; ok {
		return tc3
	}
	if c.Auth == contract.Off && header(c.Request.Header, "X-Tc-Action") != "" && queryOrFormValue(c.Request, "Action") == "" {
		return tc3
	}
	return v1
}

// readParameters reads the query of a GET, the form or the JSON body of a POST.
func (cl *caller) readParameters(r *contract.Request) contract.Values {
	switch {
	case r.Method == http.MethodGet:
		return cl.readPairs(r.URL.RawQuery)
	case r.Method != http.MethodPost || r.TooLarge:
		return contract.Values{}
	}
	switch bodyKindOf(r) {
	case formBody:
		return cl.readPairs(string(r.Body))
	case binaryBody:
		cl.unsupportedBody = true
		return contract.Values{}
	}
	if len(r.Body) == 0 {
		// The SDKs send {} for an action without parameters. An empty body
		// means the same: missing parameters are reported by name.
		return contract.Values{}
	}
	in, err := wire.Object(r.Body)
	if err != nil {
		cl.jsonErr = err
		return contract.Values{}
	}
	if bytes.Contains(r.Body, []byte("null")) {
		maps.DeleteFunc(in, func(_ string, value any) bool { return value == nil }) // the Node SDK strips null members, others send them
	}
	return in
}

// readPairs parses name=value pairs. It keeps the first fault for the check
// "form".
func (cl *caller) readPairs(text string) contract.Values {
	in := contract.Values{}
	for piece := range strings.SplitSeq(text, "&") {
		if piece == "" {
			continue
		}
		name, value, split := strings.Cut(piece, "=")
		p := pair{wire.Unescape(name), wire.Unescape(value)}
		switch _, twice := in[p.name]; {
		case !split:
			cl.setFormFault("the piece %.60q has no `=`", piece)
		case !utf8.ValidString(p.name) || !utf8.ValidString(p.value):
			cl.setFormFault("the piece %.60q is not UTF-8", piece)
		case twice:
			cl.setFormFault("the name %.60q appears twice", p.name)
		}
		cl.pairs = append(cl.pairs, p)
		if cl.family == v1 && slices.Contains(commonParameters, p.name) {
			continue
		}
		in[p.name] = contract.Raw(p.value)
	}
	return in
}

// setFormFault keeps the fault if it is the first one.
func (cl *caller) setFormFault(text string, args ...any) {
	if cl.formFault == "" {
		cl.formFault = fmt.Sprintf(text, args...)
	}
}

// commonParameters are those that a v1 request carries among the parameters of
// the action. Language and RequestClient are undocumented; the SDKs send them.
var commonParameters = []string{
	"Action", "Version", "Timestamp", "Nonce", "SecretId", "Signature",
	"Region", "SignatureMethod", "Token", "Language", "RequestClient",
}

func (cl *caller) readV1() {
	for i := range cl.pairs {
		p := &cl.pairs[i]
		switch p.name {
		case "Action":
			cl.action = p.value
		case "Version":
			cl.version = p.value
		case "Timestamp":
			cl.timestamp = p.value
		case "Nonce":
			cl.nonce = p.value
		case "SecretId":
			cl.secretID = p.value
		case "Signature":
			cl.signature = p.value
		case "SignatureMethod":
			cl.signatureMethod = p.value
		case "Token":
			cl.token = p.value
		case "Language":
			cl.language = p.value
		case "Region":
			cl.region, cl.regionGiven = p.value, true
		}
	}
}

func (cl *caller) readHeaders(h http.Header) {
	cl.action = header(h, "X-Tc-Action")
	cl.version = header(h, "X-Tc-Version")
	cl.timestamp = header(h, "X-Tc-Timestamp")
	cl.token = header(h, "X-Tc-Token")
	cl.language = header(h, "X-Tc-Language")
	cl.region, cl.regionGiven = header(h, "X-Tc-Region"), h["X-Tc-Region"] != nil
	cl.auth = parseAuthorization(header(h, "Authorization"))
	cl.secretID = cl.auth.secretID
}

// header returns the header of a canonical name. The values of a header that was
// sent twice are joined by a comma, so that all code reads the same value.
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

// queryOrFormValue finds one parameter in the query of a GET or the form of a
// POST, without parsing the rest.
func queryOrFormValue(r *contract.Request, name string) string {
	text := ""
	switch {
	case r.Method == http.MethodGet:
		text = r.URL.RawQuery
	case r.Method == http.MethodPost && bodyKindOf(r) == formBody:
		text = string(r.Body)
	}
	for piece := range strings.SplitSeq(text, "&") {
		if n, value, _ := strings.Cut(piece, "="); n == name {
			return wire.Unescape(value)
		}
	}
	return ""
}

// The kinds of body that the service distinguishes. A body of any other
// Content-Type is read as JSON.
const (
	jsonBody = iota
	formBody
	binaryBody // multipart/form-data or application/octet-stream
)

func bodyKindOf(r *contract.Request) int {
	kind, _, _ := strings.Cut(header(r.Header, "Content-Type"), ";")
	kind = strings.TrimSpace(kind)
	switch {
	case kind == "application/json": // as nearly all send it
	case strings.EqualFold(kind, "application/x-www-form-urlencoded"):
		return formBody
	case strings.EqualFold(kind, "multipart/form-data"), strings.EqualFold(kind, "application/octet-stream"):
		return binaryBody
	}
	return jsonBody
}
