package youdu

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/understudy-suite/understudy/internal/contract"
)

var (
	noPath      = &contract.Cause{Code: "no_such_path", Text: "The path {path} is none of those that are emulated. The session API is at /cgi/session/…, the token at /cgi/gettoken, and the same below /v3/api/jgapp/."}
	wrongMethod = &contract.Cause{Code: "wrong_method", Text: "The method was {got}; {expected} was expected here."}
	noToken     = &contract.Cause{Code: "token_missing", Text: "The query has no accessToken, or an empty one. Call GetToken first and send what it returned as ?accessToken=…"}
	strange     = &contract.Cause{Code: "token_unknown", Text: "The accessToken was not issued here, or gave way to {most} later ones of its application. Call GetToken, and send the token as it is, 32 hexadecimal digits."}
	expired     = &contract.Cause{Code: "token_expired", Text: "The accessToken of {appId} was issued at {issued} and counted until {ended}; now it is {now} by the sandbox's clock. Call GetToken again: no library does so by itself."}
	noJSON      = &contract.Cause{Code: "body_no_json", Text: "The body is no JSON object: {why}. Send {\"buin\":…,\"appId\":\"…\",\"encrypt\":\"…\"}; forms are taken by media/upload alone."}
	noForm      = &contract.Cause{Code: "body_no_form", Text: "The body is not the form that media/upload takes: {why}. Send multipart/form-data with the values buin, appId and encrypt and the part file."}
	absent      = &contract.Cause{Code: "envelope_lacks", Text: "The envelope has no {Name}, or an empty one. It needs buin, appId and encrypt."}
	mistyped    = &contract.Cause{Code: "envelope_mistyped", Text: "The envelope's {Name} is {got}; {expected} was expected."}
	otherBuin   = &contract.Cause{Code: "buin_unknown", Text: "No application of the fixture has the buin {buin}."}
	noApp       = &contract.Cause{Code: "app_unknown", Text: "The fixture lists no application {appId} under the buin {buin}."}
	appOff      = &contract.Cause{Code: "app_disabled", Text: "The application {appId} is disabled in the fixture."}
	otherApp    = &contract.Cause{Code: "app_not_the_tokens", Text: "The envelope names the application {appId}, and the accessToken was issued to {tokenApp}. Tokens are not shared between applications."}
	noSessions  = &contract.Cause{Code: "app_without_right", Text: "The application {appId} may not make session calls: {because}."}
	noCall      = &contract.Cause{Code: "message_no_json", Text: "The envelope was decrypted, and what it holds is not the JSON object of {operation}: {why}."}
	noFile      = &contract.Cause{Code: "file_missing", Text: "The form has no part named file."}
	badRow      = &contract.Cause{Code: "parameter_mistyped", Text: "{Name} is {got}; {expected} was expected."}
)

func checkPath(c *contract.Call) contract.Verdict {
	if c.Miss == contract.NoSuchPath {
		return notFound.Because(noPath, "path", c.Request.URL.Path)
	}
	return contract.Verdict{}
}

func checkMethod(c *contract.Call) contract.Verdict {
	if c.Operation != nil {
		return contract.Verdict{}
	}
	return wrongRequest.Because(wrongMethod, "got", c.Request.Method, "expected", c.Request.At[0].Method)
}

// checkToken asks for the token of every call but the one that gets it. At
// that one it is ignored: a library sends an empty one there.
func checkToken(c *contract.Call) contract.Verdict {
	k := callerOf(c)
	switch {
	case c.Operation == getToken || c.Auth == contract.Off:
		return contract.Verdict{}
	case k.token == "":
		return missToken.Because(noToken)
	case c.Auth == contract.Presence:
		return contract.Verdict{}
	case k.issued.Token == "":
		return tokenNotExist.Because(strange, "most", maxTokens)
	case k.issued.ended(c.Now):
		return tokenExpired.Because(expired, "appId", k.issued.AppID, "issued", k.issued.Issued, "ended", k.issued.Ends, "now", instant(c))
	}
	return contract.Verdict{}
}

func checkBody(c *contract.Call) contract.Verdict {
	k := callerOf(c)
	switch {
	case k.bodyFault == nil:
		return contract.Verdict{}
	case c.Operation == uploadMedia:
		return invalidForm.Because(noForm, "why", k.bodyFault.Error())
	}
	if allowsPlain(c) && len(c.Request.Body) == 0 {
		return contract.Verdict{} // a plain call without parameters
	}
	return invalidJSON.Because(noJSON, "why", k.bodyFault.Error())
}

// enveloped reports whether the call has an envelope to be judged. Where no
// proof is asked for, what it says of the caller is not looked at.
func enveloped(c *contract.Call) bool {
	k := callerOf(c)
	return c.Request.Method == http.MethodPost && c.Auth != contract.Off && !(k.bare && c.Operation != getToken)
}

func checkBuin(c *contract.Call) contract.Verdict {
	if !enveloped(c) {
		return contract.Verdict{}
	}
	k := callerOf(c)
	x, is := number(k.said["buin"])
	_, text := k.said["buin"].(string) // in JSON; an empty one is mistyped, not absent
	switch {
	case !text && !k.said.Has("buin"):
		return missBuin.Because(absent, "Name", "buin")
	case !is:
		return formatBuin.Because(mistyped, "Name", "buin", "got", shown(k.said["buin"]), "expected", "a JSON integer")
	case c.Auth == contract.Verify && !k.buinOurs:
		return invalidBuin.Because(otherBuin, "buin", x)
	}
	return contract.Verdict{}
}

func checkAppID(c *contract.Call) contract.Verdict {
	k := callerOf(c)
	if !enveloped(c) {
		if c.Auth == contract.Verify && k.tokenApp != nil && k.tokenApp.Disabled {
			return invalidAppID.Because(appOff, "appId", k.tokenApp.AppID)
		}
		return contract.Verdict{}
	}
	switch {
	case !k.said.Has("appId"):
		return missAppID.Because(absent, "Name", "appId")
	case k.said.Text("appId") == "":
		return formatAppID.Because(mistyped, "Name", "appId", "got", shown(k.said["appId"]), "expected", "a string")
	case c.Auth != contract.Verify:
		return contract.Verdict{}
	case k.app == nil:
		return invalidAppID.Because(noApp, "appId", k.said.Text("appId"), "buin", shown(k.said["buin"]))
	case k.app.Disabled:
		return invalidAppID.Because(appOff, "appId", k.app.AppID)
	case k.tokenApp != nil && k.tokenApp != k.app && c.Operation != getToken:
		return invalidAppID.Because(otherApp, "appId", k.app.AppID, "tokenApp", k.tokenApp.AppID)
	}
	return contract.Verdict{}
}

func checkEncrypt(c *contract.Call) contract.Verdict {
	k := callerOf(c)
	if c.Request.Method != http.MethodPost {
		return contract.Verdict{}
	}
	x, there := k.said["encrypt"]
	_, text := x.(string)
	_, raw := x.(contract.Raw)
	_, object := x.(contract.Values)
	_, digits := x.(json.Number)
	switch {
	case allowsPlain(c) && (!there || object || digits && c.Operation == getToken):
		return contract.Verdict{}
	case !k.said.Has("encrypt"):
		return missEncrypt.Because(absent, "Name", "encrypt")
	case !text && !raw:
		return formatEncrypt.Because(mistyped, "Name", "encrypt", "got", shown(x), "expected", "a string")
	case k.breach != nil:
		return k.breach.verdict().Explained(whyEnvelope)
	}
	return contract.Verdict{}
}

// checkRight asks whether the application may make session calls. An API of
// another kind of application fails with "invalid appId", the page says.
func checkRight(c *contract.Call) contract.Verdict {
	k := callerOf(c)
	if c.Auth != contract.Verify || k.key == nil || !isSession(c.Operation) {
		return contract.Verdict{}
	}
	switch {
	case k.key.NoSession:
		return invalidAppID.Because(noSessions, "appId", k.key.AppID, "because", "the fixture says session: false of it")
	case c.Switches.Text("session_apps") == "organisation" && k.key.AppID != orgApp:
		return invalidAppID.Because(noSessions, "appId", k.key.AppID, "because", "the switch session_apps leaves them to "+orgApp)
	}
	return contract.Verdict{}
}

func isSession(op *contract.Operation) bool {
	return op == createSession || op == getSession || op == updateSession || op == sendMessage
}

// checkMessage judges what was decrypted.
func checkMessage(c *contract.Call) contract.Verdict {
	k := callerOf(c)
	switch {
	case k.message != nil:
		return invalidJSON.Because(noCall, "operation", c.Operation.Name, "why", k.message.Error())
	case c.Operation == uploadMedia && !k.hasPart:
		return invalidForm.Because(noFile)
	}
	return contract.Verdict{}
}

// checkRows holds the parameters against the operation's rows. GetToken has
// none: what it is sent is a time, and no parameter.
func checkRows(c *contract.Call) contract.Verdict {
	if c.Operation == getToken {
		return contract.Verdict{}
	}
	return rows(c)
}

var rows = contract.ValidateParams(judge)

// judge refuses what is of another type than documented: the service would not
// be able to read the JSON into its parameters. All else that the rows say is
// told with the codes of the table of situations, in the order of each call.
func judge(_ *contract.Call, found []contract.Violation) contract.Verdict {
	for _, v := range found {
		if v.Rule == contract.Mistyped || v.Rule == contract.Null {
			return invalidJSON.Because(badRow, "Name", v.Path, "got", shown(v.Got), "expected", "the type "+expected(v.Param))
		}
	}
	return contract.Verdict{}
}

func expected(p *contract.Param) string {
	if p == nil {
		return "documented"
	}
	return p.Type.String()
}

// shown tells a value for an explanation, cut short.
func shown(x any) string {
	switch v := x.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("%.80q", v)
	case contract.Raw:
		return fmt.Sprintf("%.80q", string(v))
	case json.Number:
		return fmt.Sprintf("the number %.80s", string(v))
	case []any:
		return "a list"
	case contract.Values:
		return "an object"
	}
	return fmt.Sprint(x)
}
