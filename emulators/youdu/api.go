package youdu

import (
	"net/http"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// API is the table of Youdu's server API.
var API = &contract.API{
	Name:  "youdu",
	Title: "Youdu IM session API",
	Docs:  "https://github.com/youduim/youdu-doc",
	Port:  6415,

	Identifiers: identifiers,

	Pick:   contract.ByMethod,
	Checks: checks,
	Fail:   fail,
	Write:  write,
	Sign:   sign,

	Operations: operations,
	Protocol:   []string{"buin", "appId", "encrypt", "accessToken", "timestamp"}, // the last is GetToken's message
	Common:     common,
	Failure:    failureRows,

	State:    newState,
	Fixture:  fixtureRows,
	Switches: switches,
	Credentials: []contract.Credential{
		{Name: "buin", Env: "YOUDU_BUIN", Identifier: true},
		{Name: "appId", Env: "YOUDU_APP_ID", Identifier: true},
		{Name: "aesKey", Env: "YOUDU_AES_KEY"},
		{Name: "accessToken"}, // so that a call by hand needs no other before it
	},
	Adopts:      adopts,
	Mint:        mint,
	Environment: []contract.Variable{{Name: "YOUDU_API", Value: contract.BaseURL}},
	Secrets:     []string{"accessToken", "aesKey", "encrypt"},
	Triggers:    triggers,
	Lifecycle:   &lifecycle,
	Mistakes:    mistakes,
}

var operations = []*contract.Operation{
	getToken,
	createSession,
	getSession,
	updateSession,
	sendMessage,
	uploadMedia,
	getMedia,
	searchMedia,
}

// checks is the order in which the service checks. It is inferred: no page has
// it. The first check parses and decrypts the request as far as possible, so that
// a scenario sees the parameters of a request that a later check refuses.
var checks = []contract.Check{
	{Name: "read", Do: readRequest},
	{Name: "path", Do: checkPath, Ends: contract.Outcomes(notFound)},
	{Name: "method", Do: checkMethod, Ends: contract.Outcomes(badRequest)},
	{Name: "token", Do: checkToken, Ends: contract.Outcomes(missToken, tokenNotExist, tokenExpired)},
	{Name: "body", Do: checkBody, Ends: contract.Outcomes(invalidJSON, invalidForm)},
	{Name: "buin", Do: checkBuin, Ends: contract.Outcomes(missBuin, formatBuin, invalidBuin)},
	{Name: "app-id", Do: checkAppID, Ends: contract.Outcomes(missAppID, formatAppID, invalidAppID)},
	{Name: "encrypt", Do: checkEncrypt, Ends: contract.Outcomes(missEncrypt, formatEncrypt, invalidEncrypt)},
	{Name: "permission", Do: checkPermission, Ends: contract.Outcomes(invalidAppID)},
	{Name: "message", Do: checkMessage, Ends: contract.Outcomes(invalidJSON, invalidForm)},
	{Name: "parameters", Do: checkParams, Ends: contract.Outcomes(invalidJSON)},
	{Name: "adopt", Do: adoptAccounts},
}

// basePath is the API's path, aliasPath the path under which the proxy in front
// of the service serves the same API.
const (
	basePath  = "/cgi/"
	aliasPath = "/v3/api/jgapp/"
)

// alias returns the path below aliasPath.
func alias(path string) []string { return []string{aliasPath + strings.TrimPrefix(path, basePath)} }

// tokenRow is the accessToken. A missing one has an outcome of its own.
var tokenRow = contract.Param{
	Name: "accessToken", In: contract.Query, Need: contract.Expected, Example: lastingToken, Cite: citeGlobal,
	Doc: "The token that GetToken returned.",
}

// lastingToken is a token of the default fixture that never expires.
const lastingToken = "d0c5d0c5d0c5d0c5d0c5d0c5d0c5d0c5"

// identifiers returns the token, and the enterprise and application that the
// envelope names.
func identifiers(r *contract.Request) []string {
	ids := make([]string, 0, 2)
	if token := queryValue(r.URL.RawQuery, "accessToken"); token != "" {
		ids = append(ids, token)
	}
	if len(r.Body) == 0 || r.TooLarge {
		return ids
	}
	body := parseBody(r)
	r.Parsed = &body
	buin, isNumber := parseBuin(body.envelope["buin"])
	if appID := body.envelope.Text("appId"); isNumber && appID != "" {
		ids = append(ids, appIdentifier(buin, appID))
	}
	return ids
}

// queryValue returns the first parameter of that name without parsing the whole
// query. Braces may be unescaped.
func queryValue(query, name string) string {
	for more := true; more; {
		var piece string
		piece, query, more = strings.Cut(query, "&")
		if n, value, _ := strings.Cut(piece, "="); wire.Unescape(n) == name {
			return wire.Unescape(value)
		}
	}
	return ""
}

// failure is the body of every error.
type failure struct {
	Errcode int    `json:"errcode"`
	Errmsg  string `json:"errmsg"`
}

var failureRows = []contract.Param{
	{Name: "errcode", Type: contract.Integer, Need: contract.Required, Cite: citeGlobal, Doc: "The error's number; 0 on success."},
	{Name: "errmsg", Need: contract.Required, Cite: citeGlobal, Doc: "What happened; ok on success. The page's text stands here, for no page quotes a real answer."},
}

// fail returns the body of an error.
func fail(c *contract.Call, v contract.Verdict) any {
	return &failure{errcodes[v.Outcome.Name], v.Message(c)}
}

// withData is the beginning of an answer that has data, withoutData a whole
// answer that has none.
const (
	withData    = `{"errcode":0,"errmsg":"ok","encrypt":`
	withoutData = `{"errcode":0,"errmsg":"ok"}`
)

// headers are those of every answer except a file. The type is inferred.
var headers = http.Header{"Content-Type": {"application/json; charset=utf-8"}}

// write makes the response of an outcome. The field encrypt is there only if
// there is data, and never in an error.
func write(c *contract.Call, v contract.Verdict, reply contract.Reply) contract.Response {
	r := contract.Response{Status: v.Outcome.Status, Header: headers}
	switch {
	case v.Outcome.Fails:
		r.Body = reply.Body
	case len(reply.Body) <= len("{}"):
		r.Body = []byte(withoutData)
	default:
		r.Body = answerWithData(c, reply.Body)
	}
	return r
}

// answerWithData makes an answer with data. It is encrypted for the calling
// application, unless that one wants plain answers.
func answerWithData(c *contract.Call, data []byte) []byte {
	cl := callerOf(c)
	if cl.plain || cl.keyApp == nil {
		b := make([]byte, 0, len(withData)+len(data)+1)
		b = append(append(b, withData...), data...)
		return append(b, '}')
	}
	b := make([]byte, 0, len(withData)+cl.keyApp.sealedSize(data)+3)
	b = append(append(b, withData...), '"')
	b = cl.keyApp.seal(b, newPrefix(c.Dice()), data)
	return append(b, '"', '}')
}
