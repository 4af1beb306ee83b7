package adobepass

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// allowed are the headers that a browser may send: those that the page on
// throttling prints, and the rest of the documented ones.
const allowed = "ap_11,ap_42,ap_z,ap_19,ap_21,ap_23,authorization,content-type,pass_sfp,AP-Session-Identifier,AP-Device-Identifier,AP-SDK-Identifier,X-Device-Info," +
	"AP-Partner-Framework-Status,AP-TempPass-Identity,AP-Visitor-Identifier,AD-Service-Token,Adobe-Subject-Token,X-Roku-Reserved-Roku-Connect-Token,X-Forwarded-For"

// edge are the headers of every answer, as the page on throttling prints them.
var edge = http.Header{
	"Access-Control-Allow-Credentials": {"true"},
	"Access-Control-Allow-Headers":     {allowed},
	"Access-Control-Allow-Methods":     {"POST,GET,OPTIONS,DELETE"},
	"Access-Control-Expose-Headers":    {"pass_sfp,Authzf-Error-Code,Authzf-Sub-Error-Code,Authzf-Error-Details"},
}

var (
	jsonAnswer = with(edge, "Content-Type", "application/json;charset=UTF-8")
	htmlAnswer = with(edge, "Content-Type", "text/html;charset=UTF-8", "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'")
	edgeAnswer = with(edge, "Content-Type", "text/html", "Server", "openresty")
	dcrAnswer  = with(jsonAnswer, "Cache-Control", "no-store", "Pragma", "no-cache")
	goAnswer   = with(edge, "Cache-Control", "no-store")
)

// with is h with further headers; names and values alternate.
func with(h http.Header, pairs ...string) http.Header {
	h = h.Clone()
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// headers are base as the caller gets it: its origin is echoed. They are
// shared where there is nothing to add.
func headers(c *contract.Call, base http.Header) http.Header {
	origin := c.Request.Header["Origin"]
	if len(origin) == 0 {
		return base
	}
	h := make(http.Header, len(base)+2)
	for name, values := range base {
		h[name] = values
	}
	h["Access-Control-Allow-Origin"] = origin[:1:1]
	return h
}

// write puts any ending on the wire as the JSON operations do.
func write(c *contract.Call, v contract.Verdict, reply contract.Reply) contract.Response {
	switch {
	case v.Outcome == tooManyRequests:
		return contract.Response{Status: v.Outcome.Status, Header: headers(c, edgeAnswer), Body: []byte(throttledPage)}
	case userAgentAt(c.Request):
		return writePage(c, v, reply)
	}
	base := jsonAnswer
	if strings.HasPrefix(c.Request.URL.Path, dcrPath) {
		base = dcrAnswer
	}
	h := headers(c, base)
	switch v.Outcome.Status {
	case http.StatusUnauthorized:
		h = with(h, "Www-Authenticate", `Bearer error="invalid_token"`)
	case http.StatusMethodNotAllowed:
		h = with(h, "Allow", allow(c.Request))
	}
	return contract.Response{Status: statusOf(c, v), Header: h, Body: reply.Body}
}

// statusOf is the outcome's status, but where a switch says otherwise.
func statusOf(c *contract.Call, v contract.Verdict) int {
	switch {
	case itemLevel(c, v):
		return http.StatusOK
	case v.Outcome == unsupportedType && c.Switches.Int("unsupported_media_type") == http.StatusBadRequest:
		return http.StatusBadRequest
	}
	return v.Outcome.Status
}

// allow lists the methods that a path takes.
func allow(r *contract.Request) string {
	var methods []string
	for _, op := range r.At {
		methods = append(methods, op.Method)
	}
	return strings.Join(append(methods, http.MethodOptions), ", ")
}

// throttledPage is the stock page of the edge: 166 bytes with CRLF line ends.
const throttledPage = "<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n<center><h1>429 Too Many Requests</h1></center>\r\n<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n"

// userAgentAt reports whether a browser is meant to ask at this path.
func userAgentAt(r *contract.Request) bool {
	for _, op := range r.At {
		switch op.Name {
		case "Authenticate", "ShowLogin", "SubmitLogin", "FinishLogout":
			return true
		}
	}
	return false
}

// writePage tells an ending to a person: errors of the user agent's endpoints
// are text/html, and what their pages say is documented nowhere.
func writePage(c *contract.Call, v contract.Verdict, _ contract.Reply) contract.Response {
	if v.Outcome == tooManyRequests {
		return contract.Response{Status: v.Outcome.Status, Header: headers(c, edgeAnswer), Body: []byte(throttledPage)}
	}
	h := headers(c, htmlAnswer)
	if v.Outcome.Status == http.StatusMethodNotAllowed {
		h = with(h, "Allow", allow(c.Request))
	}
	return page(v.Outcome.Status, h, errorPage, struct {
		Status        int
		Code, Message string
	}{v.Outcome.Status, v.Outcome.Name, v.Message(c)})
}

// page renders a page; html/template escapes whatever comes from a request.
func page(status int, h http.Header, t *template.Template, data any) contract.Response {
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		panic("adobepass: a page that cannot be rendered: " + err.Error())
	}
	return contract.Response{Status: status, Header: h, Body: []byte(b.String())}
}

var errorPage = template.Must(template.New("error").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{{.Status}} {{.Code}}</title></head>
<body>
<h1>{{.Message}}</h1>
<p>{{.Status}} {{.Code}}</p>
</body>
</html>
`))
