package adobepass

import (
	"encoding/base64"
	"errors"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// A caller is what the checks found out about the client that sent the request.
type caller struct {
	client     string // id of the registered client; "" where the operation takes no access token
	device     string // the identifier's bytes in standard base64
	software   *software
	loginPage  *loginData // what the login page shows
	identities []identity // single sign-on identities that the request proves
	parseFault string     // why the body cannot be parsed
	repeated   []string   // names that a form has more than once
	wantedCode string     // the code of the session that the call begins; "": a new one

	bearer  bearer           // the access token
	refusal contract.Verdict // what a check found under the state's lock
}

// callerOf returns the call's caller. The check read creates it.
func callerOf(c *contract.Call) *caller {
	if ca, ok := c.Caller.(*caller); ok {
		return ca
	}
	ca := &caller{}
	c.Caller = ca
	return ca
}

// canonicalNames are the documented names of headers as net/http keeps them.
var canonicalNames = func() map[string]string {
	all := map[string]string{}
	for _, name := range [...]string{
		deviceHeader, deviceInfoHeader, "X-Forwarded-For", subjectHeader, rokuHeader,
		serviceTokenHeader, partnerHeader, identityHeader, visitorHeader,
	} {
		all[name] = http.CanonicalHeaderKey(name)
	}
	return all
}()

// parseRequest reads the parameters of the request into c.In. It refuses
// nothing; later checks do.
func parseRequest(c *contract.Call) contract.Verdict {
	ca := callerOf(c)
	op, r := c.Operation, c.Request
	if op == nil {
		return contract.Verdict{}
	}
	c.In = make(contract.Values, 8) // clients send few of the headers that have a row
	var forms, queries, body bool
	for i := range op.Params {
		p := &op.Params[i]
		switch p.In {
		case contract.Path:
			c.In[p.Name] = p.Type.Arrived(strings.Clone(r.Path[p.Name])) // so that a stored value does not keep the whole URL in memory
		case contract.Header:
			if v := headerValue(r.Header, p.Name); v != "" {
				c.In[p.Name] = p.Type.Arrived(v)
			}
		case contract.Form:
			forms = true
		case contract.Query:
			queries = true
		case contract.Body:
			body = true
		}
	}
	if r.URL.RawQuery != "" && (queries || op == createToken) {
		ca.parseForm(c, r.URL.RawQuery, contract.Query)
	}
	switch {
	case r.TooLarge || len(r.Body) == 0:
	case (forms || body) && wire.Coding(r) != "": // as a form it would only lack its parameters
		ca.parseFault = "it is compressed"
	case forms && op != registerClient:
		ca.parseForm(c, string(r.Body), contract.Form)
	case body && op == registerClient && mediaType(r) == formType: // a known client falls back on it
		ca.parseForm(c, string(r.Body), contract.Body)
	case body:
		ca.parseObject(c)
	}
	return contract.Verdict{}
}

// parseForm reads a form or a query. The first value of a repeated name counts.
// Names without a row are ignored, so that a body cannot fill the memory.
func (ca *caller) parseForm(c *contract.Call, text string, place contract.Place) {
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		name, value, _ := strings.Cut(pair, "=")
		if strings.ContainsRune(name, '%') { // few clients encode names
			name = wire.Unescape(name)
		}
		if name == "domain" && place == contract.Form {
			name = "domainName" // answers call the missing parameter domain
		}
		p := findParam(c.Operation, name)
		if p == nil || (p.In != place && (p.In != contract.Form || c.Operation != createToken)) {
			continue
		}
		if _, twice := c.In[p.Name]; twice {
			if !slices.Contains(ca.repeated, p.Name) {
				ca.repeated = append(ca.repeated, p.Name)
			}
			continue
		}
		plain, err := url.QueryUnescape(value)
		if err != nil {
			ca.parseFault = "the value of " + p.Name + ": " + err.Error()
			continue
		}
		if len(plain) == len(value) {
			plain = strings.Clone(plain) // so that a stored value does not keep the whole body in memory
		}
		c.In[p.Name] = p.Type.Arrived(plain)
	}
}

// parseObject reads a JSON body. Members without a row are ignored.
func (ca *caller) parseObject(c *contract.Call) {
	v, err := wire.Object(c.Request.Body)
	if err != nil {
		ca.parseFault = err.Error()
		var f *wire.Fault
		if errors.As(err, &f) && f.Key != "" {
			ca.repeated = append(ca.repeated, f.Key)
		}
		return
	}
	for i := range c.Operation.Params {
		p := &c.Operation.Params[i]
		if x, ok := v[p.Name]; ok && p.In == contract.Body {
			c.In[p.Name] = x
		}
	}
}

// findParam returns the row of a parameter, or nil.
func findParam(op *contract.Operation, name string) *contract.Param {
	for i := range op.Params {
		if op.Params[i].Name == name {
			return &op.Params[i]
		}
	}
	return nil
}

// headerValue returns the first value of a header by its documented name.
func headerValue(h http.Header, name string) string {
	if known, ok := canonicalNames[name]; ok {
		name = known
	}
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// mediaType returns the request's media type without its parameters.
func mediaType(r *contract.Request) string {
	v := r.Header["Content-Type"]
	if len(v) == 0 {
		return ""
	}
	switch v[0] {
	case formType, jsonType:
		return v[0]
	}
	t, _, err := mime.ParseMediaType(v[0])
	if err != nil {
		t, _, _ = strings.Cut(v[0], ";")
		t = strings.ToLower(strings.TrimSpace(t))
	}
	return t
}

// deviceAddress returns the address of the streaming device: the first entry of
// X-Forwarded-For, which a server sets that calls for a device, else the
// sender's address.
func deviceAddress(r *contract.Request) (host, port string) {
	host, port, err := net.SplitHostPort(r.Client)
	if err != nil {
		host = r.Client
	}
	if v := r.Header["X-Forwarded-For"]; len(v) > 0 {
		first, _, _ := strings.Cut(v[0], ",")
		if first = strings.TrimSpace(first); first != "" && len(first) <= longestAddress {
			host = strings.Clone(first)
		}
	}
	return host, port
}

// longestAddress is the longest possible address, zone included.
const longestAddress = 64

// isBase64 reports whether decodeBase64 accepts s, without decoding it.
func isBase64(s string) bool {
	s = strings.TrimRight(s, "=")
	standard, urlSafe := false, false
	for i := range len(s) {
		switch b := s[i]; {
		case 'A' <= b && b <= 'Z', 'a' <= b && b <= 'z', '0' <= b && b <= '9':
		case b == '+' || b == '/':
			standard = true
		case b == '-' || b == '_':
			urlSafe = true
		default:
			return false
		}
	}
	return len(s)%4 != 1 && !(standard && urlSafe)
}

// decodeBase64 decodes base64 of either alphabet, with or without padding.
func decodeBase64(s string) ([]byte, bool) {
	s = strings.TrimRight(s, "=")
	e := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		e = base64.RawURLEncoding
	}
	b, err := e.DecodeString(s)
	return b, err == nil
}
