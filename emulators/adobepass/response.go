package adobepass

import (
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
)

// allowedHeaders are the headers that a browser may send: those that the page on
// throttling prints, and the other documented ones.
const allowedHeaders = "ap_11,ap_42,ap_z,ap_19,ap_21,ap_23,authorization,content-type,pass_sfp,AP-Session-Identifier,AP-Device-Identifier,AP-SDK-Identifier,X-Device-Info," +
	"AP-Partner-Framework-Status,AP-TempPass-Identity,AP-Visitor-Identifier,AD-Service-Token,Adobe-Subject-Token,X-Roku-Reserved-Roku-Connect-Token,X-Forwarded-For"

// corsHeaders are in every response, as the page on throttling prints them.
var corsHeaders = http.Header{
	"Access-Control-Allow-Credentials": {"true"},
	"Access-Control-Allow-Headers":     {allowedHeaders},
	"Access-Control-Allow-Methods":     {"POST,GET,OPTIONS,DELETE"},
	"Access-Control-Expose-Headers":    {"pass_sfp,Authzf-Error-Code,Authzf-Sub-Error-Code,Authzf-Error-Details"},
}

var (
	jsonHeaders     = withHeaders(corsHeaders, "Content-Type", "application/json;charset=UTF-8")
	htmlHeaders     = withHeaders(corsHeaders, "Content-Type", "text/html;charset=UTF-8", "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'")
	edgeHeaders     = withHeaders(corsHeaders, "Content-Type", "text/html", "Server", "openresty")
	dcrHeaders      = withHeaders(jsonHeaders, "Cache-Control", "no-store", "Pragma", "no-cache")
	redirectHeaders = withHeaders(corsHeaders, "Cache-Control", "no-store")
)

// withHeaders returns a copy of h with further headers. Names and values
// alternate.
func withHeaders(h http.Header, pairs ...string) http.Header {
	h = h.Clone()
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// headersFor returns base with the caller's origin. Without an origin it returns
// base itself, which must not be changed.
func headersFor(c *contract.Call, base http.Header) http.Header {
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

// write encodes the response of any outcome as the JSON operations do.
func write(c *contract.Call, v contract.Verdict, reply contract.Reply) contract.Response {
	switch {
	case v.Outcome == tooManyRequests:
		return contract.Response{Status: v.Outcome.Status, Header: headersFor(c, edgeHeaders), Body: []byte(rateLimitPage)}
	case isUserAgentPath(c.Request):
		return writeErrorPage(c, v, reply)
	}
	base := jsonHeaders
	if strings.HasPrefix(c.Request.URL.Path, dcrPath) {
		base = dcrHeaders
	}
	h := headersFor(c, base)
	switch v.Outcome.Status {
	case http.StatusUnauthorized:
		h = withHeaders(h, "Www-Authenticate", `Bearer error="invalid_token"`)
	case http.StatusMethodNotAllowed:
		h = withHeaders(h, "Allow", allowedMethods(c.Request))
	}
	return contract.Response{Status: statusOf(c, v), Header: h, Body: reply.Body}
}

// statusOf returns the outcome's status, or the one that a switch sets.
func statusOf(c *contract.Call, v contract.Verdict) int {
	switch {
	case itemLevel(c, v):
		return http.StatusOK
	case v.Outcome == unsupportedType:
		return int(c.Switches.Int("unsupported_media_type"))
	}
	return v.Outcome.Status
}

// allowedMethods lists the methods of a path.
func allowedMethods(r *contract.Request) string {
	var methods []string
	for _, op := range r.At {
		methods = append(methods, op.Method)
	}
	return strings.Join(append(methods, http.MethodOptions), ", ")
}

// rateLimitPage is the standard page of the edge server: 166 bytes with CRLF
// line ends.
const rateLimitPage = "<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n<center><h1>429 Too Many Requests</h1></center>\r\n<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n"

// isUserAgentPath reports whether a path is meant for browsers.
func isUserAgentPath(r *contract.Request) bool {
	for _, op := range r.At {
		switch op.Name {
		case "Authenticate", "ShowLogin", "SubmitLogin", "FinishLogout":
			return true
		}
	}
	return false
}

// writeErrorPage renders an error for a browser: errors of the user agent's
// endpoints are text/html. The text of these pages is not documented.
func writeErrorPage(c *contract.Call, v contract.Verdict, _ contract.Reply) contract.Response {
	if v.Outcome == tooManyRequests {
		return contract.Response{Status: v.Outcome.Status, Header: headersFor(c, edgeHeaders), Body: []byte(rateLimitPage)}
	}
	h := headersFor(c, htmlHeaders)
	if v.Outcome.Status == http.StatusMethodNotAllowed {
		h = withHeaders(h, "Allow", allowedMethods(c.Request))
	}
	return renderPage(v.Outcome.Status, h, errorPage(), struct {
		Status        int
		Code, Message string
	}{v.Outcome.Status, v.Outcome.Name, v.Message(c)})
}

// renderPage renders a page. html/template escapes all values of a request.
func renderPage(status int, h http.Header, t *template.Template, data any) contract.Response {
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		panic("adobepass: a page that cannot be rendered: " + err.Error())
	}
	return contract.Response{Status: status, Header: h, Body: []byte(b.String())}
}

var errorPage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("error").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{{.Status}} {{.Code}}</title></head>
<body>
<h1>{{.Message}}</h1>
<p>{{.Status}} {{.Code}}</p>
</body>
</html>
`))
})
