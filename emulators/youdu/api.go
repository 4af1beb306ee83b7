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
	Common:     common,
	Failure:    failureRows,

	State:    newState,
	Fixture:  fixtureRows,
	Switches: switches,
	Credentials: []contract.Credential{
		{Name: "buin", Env: "YOUDU_BUIN"},
		{Name: "appId", Env: "YOUDU_APP_ID"},
		{Name: "aesKey", Env: "YOUDU_AES_KEY"},
		{Name: "accessToken"}, // so that a call by hand needs no other before it
	},
	Secrets:  []string{"accessToken", "aesKey"},
	Triggers: triggers,
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

// checks is the order in which the service checks. No page tells it: it is
// inferred. A request is taken apart and decrypted first, as far as that goes,
// so that a scenario can see the parameters of one that will be refused.
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
}

// basePath is where the API is, aliasPath what the proxy in front of it makes
// of that and also serves.
const (
	basePath  = "/cgi/"
	aliasPath = "/v3/api/jgapp/"
)

func alias(path string) []string { return []string{aliasPath + strings.TrimPrefix(path, basePath)} }

// tokenRow is the accessToken. Its absence is answered by an outcome of its own.
var tokenRow = contract.Param{
	Name: "accessToken", In: contract.Query, Need: contract.Expected, Example: lastingToken, Cite: citeGlobal,
	Doc: "The token that GetToken returned.",
}

// lastingToken is the token of the default fixture that never ends.
const lastingToken = "d0c5d0c5d0c5d0c5d0c5d0c5d0c5d0c5"

// identifiers knows a caller by its token, or else by the enterprise and the
// application that its envelope names.
func identifiers(r *contract.Request) []string {
	var ids []string
	if token := queryValue(r.URL.RawQuery, "accessToken"); token != "" {
		ids = append(ids, token)
	}
	if len(r.Body) == 0 || r.TooLarge {
		return ids
	}
	var envelope contract.Values
	if isForm(r) {
		envelope, _, _ = parseForm(r)
	} else if envelope, _ = wire.Object(r.Body); envelope != nil {
		normaliseNames(envelope, envelopeRows)
	}
	buin, isNumber := parseBuin(envelope["buin"])
	if appID := envelope.Text("appId"); isNumber && appID != "" {
		ids = append(ids, appIdentifier(buin, appID))
	}
	return ids
}

// parameter looks up one parameter of a query without taking the rest apart;
// of several the first counts. Braces may stand there as they are.
func queryValue(query, name string) string {
	for piece := range strings.SplitSeq(query, "&") {
		if n, value, _ := strings.Cut(piece, "="); wire.Unescape(n) == name {
			return wire.Unescape(value)
		}
	}
	return ""
}

// failure is what every error returns.
type failure struct {
	Errcode int    `json:"errcode"`
	Errmsg  string `json:"errmsg"`
}

var failureRows = []contract.Param{
	{Name: "errcode", Type: contract.Integer, Need: contract.Required, Cite: citeGlobal, Doc: "The error's number; 0 on success."},
	{Name: "errmsg", Need: contract.Required, Cite: citeGlobal, Doc: "What happened; ok on success. The page's text stands here, for no page quotes a real answer."},
}

func fail(c *contract.Call, v contract.Verdict) any {
	return &failure{errcodes[v.Outcome.Name], v.Message(c)}
}

// The parts of an answer that has data.
const (
	withData    = `{"errcode":0,"errmsg":"ok","encrypt":`
	withoutData = `{"errcode":0,"errmsg":"ok"}`
)

// headers are those of every answer but a file's. No page tells the type.
var headers = http.Header{"Content-Type": {"application/json; charset=utf-8"}}

// write puts any ending on the wire. The field encrypt is there only where
// there is data, and never beside an error.
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

// envelope is an answer with data: encrypted for the application that asked,
// or as it is where it asked so.
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
