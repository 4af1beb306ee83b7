package youdu

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

var (
	unknownPath     = &contract.Cause{Code: "no_such_path", Text: "The path {path} is none of those that are emulated. The session API is at /cgi/session/…, the token at /cgi/gettoken, and the same below /v3/api/jgapp/."}
	wrongMethod     = &contract.Cause{Code: "wrong_method", Text: "The method was {got}; {expected} was expected here."}
	tokenMissing    = &contract.Cause{Code: "token_missing", Text: "The query has no accessToken, or an empty one. Call GetToken first and send what it returned as ?accessToken=…"}
	unknownToken    = &contract.Cause{Code: "token_unknown", Text: "The accessToken was not issued here, or was dropped because its application has {most} later ones. Call GetToken, and send the token as it is, 32 hexadecimal digits."}
	expiredToken    = &contract.Cause{Code: "token_expired", Text: "The accessToken of {appId} was issued at {issued} and counted until {ended}; now it is {now} by the sandbox's clock. Call GetToken again: no library does so by itself."}
	bodyNotJSON     = &contract.Cause{Code: "body_no_json", Text: "The body is no JSON object: {why}. Send {\"buin\":…,\"appId\":\"…\",\"encrypt\":\"…\"}; forms are taken by media/upload alone."}
	bodyNotForm     = &contract.Cause{Code: "body_no_form", Text: "The body is not the form that media/upload takes: {why}. Send multipart/form-data with the values buin, appId and encrypt and the part file."}
	fieldMissing    = &contract.Cause{Code: "envelope_lacks", Text: "The envelope has no {Name}, or an empty one. It needs buin, appId and encrypt."}
	fieldMistyped   = &contract.Cause{Code: "envelope_mistyped", Text: "The envelope's {Name} is {got}; {expected} was expected."}
	unknownBuin     = &contract.Cause{Code: "buin_unknown", Text: "No application of the fixture has the buin {buin}."}
	unknownApp      = &contract.Cause{Code: "app_unknown", Text: "The fixture lists no application {appId} under the buin {buin}."}
	disabledApp     = &contract.Cause{Code: "app_disabled", Text: "The application {appId} is disabled in the fixture."}
	tokenOfOtherApp = &contract.Cause{Code: "app_not_the_tokens", Text: "The envelope names the application {appId}, and the accessToken was issued to {tokenApp}. Tokens are not shared between applications."}
	appWithoutRight = &contract.Cause{Code: "app_without_right", Text: "The application {appId} may not make session calls: {because}."}
	messageNotJSON  = &contract.Cause{Code: "message_no_json", Text: "The envelope was decrypted, and what it holds is not the JSON object of {operation}: {why}."}
	fileMissing     = &contract.Cause{Code: "file_missing", Text: "The form has no part named file."}
	paramMistyped   = &contract.Cause{Code: "parameter_mistyped", Text: "{Name} is {got}; {expected} was expected."}
)

// checkPath refuses unknown paths.
func checkPath(c *contract.Call) contract.Verdict {
	if c.Miss == contract.NoSuchPath {
		return notFound.Because(unknownPath, "path", c.Request.URL.Path)
	}
	return contract.Verdict{}
}

// checkMethod refuses methods other than the documented one.
func checkMethod(c *contract.Call) contract.Verdict {
	if c.Operation != nil {
		return contract.Verdict{}
	}
	return badRequest.Because(wrongMethod, "got", c.Request.Method, "expected", c.Request.At[0].Method)
}

// checkToken checks the token of every call except GetToken, which ignores it: a
// library sends an empty one there.
func checkToken(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	switch {
	case c.Operation == getToken || c.Auth == contract.Off:
		return contract.Verdict{}
	case cl.token == "":
		return missToken.Because(tokenMissing)
	case c.Auth == contract.Presence:
		return contract.Verdict{}
	case cl.issued.Token == "":
		return tokenNotExist.Because(unknownToken, "most", maxTokens)
	case cl.issued.ended(c.Now):
		return tokenExpired.Because(expiredToken, "appId", cl.issued.AppID, "issued", cl.issued.Issued, "ended", cl.issued.Ends, "now", nowUTC(c))
	}
	return contract.Verdict{}
}

// checkBody refuses a body that is neither an envelope nor a form.
func checkBody(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	switch {
	case cl.postedBody.err == nil:
		return contract.Verdict{}
	case c.Operation == uploadMedia:
		return wire.OrCompressed(c, invalidForm.Because(bodyNotForm, "why", cl.postedBody.err.Error()))
	}
	if allowsPlain(c) && len(c.Request.Body) == 0 {
		return contract.Verdict{} // a plain call without parameters
	}
	return wire.OrCompressed(c, invalidJSON.Because(bodyNotJSON, "why", cl.postedBody.err.Error()))
}

// hasEnvelope reports whether the call has an envelope to check. With auth off,
// what the envelope says of the caller is not checked.
func hasEnvelope(c *contract.Call) bool {
	cl := callerOf(c)
	return c.Request.Method == http.MethodPost && c.Auth != contract.Off && !(cl.bare && c.Operation != getToken)
}

// checkBuin checks the enterprise number of the envelope.
func checkBuin(c *contract.Call) contract.Verdict {
	if !hasEnvelope(c) {
		return contract.Verdict{}
	}
	cl := callerOf(c)
	buin, isNumber := parseBuin(cl.envelope["buin"])
	_, text := cl.envelope["buin"].(string) // in JSON an empty text is mistyped, not missing
	switch {
	case !text && !cl.envelope.Has("buin"):
		return missBuin.Because(fieldMissing, "Name", "buin")
	case !isNumber:
		return formatBuin.Because(fieldMistyped, "Name", "buin", "got", describe(cl.envelope["buin"]), "expected", "a JSON integer")
	case c.Auth == contract.Verify && !cl.buinKnown:
		return invalidBuin.Because(unknownBuin, "buin", buin)
	}
	return contract.Verdict{}
}

// checkAppID checks the application, and that the token is issued to it.
func checkAppID(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	if !hasEnvelope(c) {
		if c.Auth == contract.Verify && cl.tokenApp != nil && cl.tokenApp.Disabled {
			return invalidAppID.Because(disabledApp, "appId", cl.tokenApp.AppID)
		}
		return contract.Verdict{}
	}
	switch {
	case !cl.envelope.Has("appId"):
		return missAppID.Because(fieldMissing, "Name", "appId")
	case cl.envelope.Text("appId") == "":
		return formatAppID.Because(fieldMistyped, "Name", "appId", "got", describe(cl.envelope["appId"]), "expected", "a string")
	case c.Auth != contract.Verify:
		return contract.Verdict{}
	case cl.app == nil:
		return invalidAppID.Because(unknownApp, "appId", cl.envelope.Text("appId"), "buin", describe(cl.envelope["buin"]))
	case cl.app.Disabled:
		return invalidAppID.Because(disabledApp, "appId", cl.app.AppID)
	case cl.tokenApp != nil && cl.tokenApp != cl.app && c.Operation != getToken:
		return invalidAppID.Because(tokenOfOtherApp, "appId", cl.app.AppID, "tokenApp", cl.tokenApp.AppID)
	}
	return contract.Verdict{}
}

// checkEncrypt checks that the envelope can be decrypted.
func checkEncrypt(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	if c.Request.Method != http.MethodPost {
		return contract.Verdict{}
	}
	x, there := cl.envelope["encrypt"]
	_, text := x.(string)
	_, raw := x.(contract.Raw)
	_, object := x.(contract.Values)
	_, digits := x.(json.Number)
	switch {
	case allowsPlain(c) && (!there || object || digits && c.Operation == getToken):
		return contract.Verdict{}
	case !cl.envelope.Has("encrypt"):
		return missEncrypt.Because(fieldMissing, "Name", "encrypt")
	case !text && !raw:
		return formatEncrypt.Because(fieldMistyped, "Name", "encrypt", "got", describe(x), "expected", "a string")
	case cl.decryptFault != nil:
		v := cl.decryptFault.verdict().Explained(explainEnvelope)
		if cl.app != nil {
			v = v.OfAdopted(c, "appId", appIdentifier(cl.app.Buin, cl.app.AppID))
		}
		return v
	}
	return contract.Verdict{}
}

// checkPermission checks that the application may make session calls. The page
// says that a call of another kind of application fails with "invalid appId".
func checkPermission(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	if c.Auth != contract.Verify || cl.keyApp == nil || !isSession(c.Operation) {
		return contract.Verdict{}
	}
	switch {
	case cl.keyApp.NoSession:
		return invalidAppID.Because(appWithoutRight, "appId", cl.keyApp.AppID, "because", "the fixture says session: false of it")
	case c.Switches.Text("session_apps") == "organisation" && cl.keyApp.AppID != orgApp:
		return invalidAppID.Because(appWithoutRight, "appId", cl.keyApp.AppID, "because", "the switch session_apps leaves them to "+orgApp)
	}
	return contract.Verdict{}
}

func isSession(op *contract.Operation) bool {
	return op == createSession || op == getSession || op == updateSession || op == sendMessage
}

// checkMessage refuses a decrypted message that is not the JSON of the call.
func checkMessage(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	switch {
	case cl.messageErr != nil:
		return invalidJSON.Because(messageNotJSON, "operation", c.Operation.Name, "why", cl.messageErr.Error())
	case c.Operation == uploadMedia && cl.part == nil:
		return invalidForm.Because(fileMissing)
	}
	return contract.Verdict{}
}

// checkParams checks the parameters against the operation's rows. GetToken has no
// rows: its message is a time.
func checkParams(c *contract.Call) contract.Verdict {
	if c.Operation == getToken {
		return contract.Verdict{}
	}
	return validateParams(c)
}

var validateParams = contract.ValidateParams(refuseMistyped)

// refuseMistyped refuses parameters of another type than the documented one: the
// service cannot decode such JSON. Other violations of the rows are found by each
// operation's Decide, with the codes of the table of situations.
func refuseMistyped(_ *contract.Call, found []contract.Violation) contract.Verdict {
	for _, v := range found {
		if v.Rule == contract.Mistyped || v.Rule == contract.Null {
			return invalidJSON.Because(paramMistyped, "Name", v.Path, "got", describe(v.Got), "expected", "the type "+typeName(v.Param))
		}
	}
	return contract.Verdict{}
}

// typeName names the type of a row.
func typeName(p *contract.Param) string {
	if p == nil {
		return "documented"
	}
	return p.Type.String()
}

// describe shortens a value for an explanation.
func describe(x any) string {
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
