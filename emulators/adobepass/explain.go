package adobepass

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The refusals that the rows of the table explain.
var (
	ofBearer      = []*contract.Cause{noBearer}
	ofToken       = []*contract.Cause{untrustedToken}
	ofCredentials = []*contract.Cause{unknownCredentials}
	ofParam       = []*contract.Cause{invalidParam}
	ofStatement   = []*contract.Cause{noStatement, tamperedStatement, unknownStatement}
	ofDevice      = []*contract.Cause{malformedDevice}
)

// Advice that several rows give.
const (
	bearerAdvice    = "Send Authorization: Bearer and, after a blank, the access_token of /o/client/token."
	deviceAdvice    = "Send fingerprint, a blank, and base64 of the identifier alone."
	statementAdvice = "Send the statement as the TVE Dashboard has it: three parts with dots between them, in one line."
)

// mistakes are those that clients are known to make, the most frequent first.
var mistakes = []contract.Mistake{
	{Code: "bearer_prefix_missing", Looks: "The header Authorization is the token alone.", Mend: bearerAdvice, Of: ofBearer, Made: findBareToken},
	{Code: "bearer_other_scheme", Looks: "The header Authorization has the scheme {scheme}.", Mend: bearerAdvice, Of: ofBearer, Made: findScheme},
	{Code: "token_in_query", Looks: "The token came in the query, as {param}.", Mend: bearerAdvice, Of: ofBearer, Made: findTokenQuery},
	{Code: "token_quoted", Looks: "Quotes stand around the access token.", Mend: "Send it without them.", Of: ofToken, Made: findQuotedToken},
	{Code: "token_answer_whole", Looks: "The client sent the whole answer of /o/client/token as its token.", Mend: "Send its member access_token alone.", Of: ofToken, Made: findWholeAnswer},
	{Code: "statement_as_token", Looks: "The client sent a software statement as its token.", Mend: "Register with the statement at /o/client/register, and ask /o/client/token for a token.", Of: ofToken, Made: findStatementToken},
	{Code: "secret_as_token", Looks: "The client sent the client_secret of {owner} as its token.", Mend: "Ask /o/client/token for a token with it.", Of: ofToken, Made: findSecretToken},
	{Code: "token_other_algorithm", Looks: "The access token says alg {algorithm}.", Mend: "Tokens are signed with RS256: send the one that /o/client/token gave, and make none.", Of: ofToken, Made: findAlgorithm},
	{Code: "token_other_issuer", Looks: "The access token was issued by {issuer} for {audience}.", Mend: "Ask /o/client/token of this server for a token: those of other services do not count here.", Of: ofToken, Made: findIssuer},

	{Code: "client_id_and_secret_swapped", Looks: "The client sent the client_secret of {owner} as its client_id.", Mend: "Swap the two.", Of: ofCredentials, Made: findSwapped},
	{Code: "secret_of_other_client", Looks: "The client_secret belongs to {owner}, and the client_id is {client_id}.", Mend: "Take both from the same answer of /o/client/register: every registration gives new ones.", Of: ofCredentials, Made: findOthersSecret},
	{Code: "credentials_not_trimmed", Looks: "White space or quotes stand around the client_id or client_secret of {owner}.", Mend: "Trim them where they are read.", Of: ofCredentials, Made: findUntrimmedCredentials},
	{Code: "client_secret_wrong", Looks: "The client {client_id} is registered, and its secret is another.", Mend: "Take both from the same answer of /o/client/register.", Of: ofCredentials, Made: findWrongSecret},

	{Code: "json_for_form", Looks: "The body is JSON, and {operation} reads a form.", Mend: "Send application/x-www-form-urlencoded: name=value&name=value.", Of: []*contract.Cause{invalidParam, unexpectedType}, Made: findJSON},
	{Code: "form_for_json", Looks: "The body is a form, and {operation} reads JSON.", Mend: "Send a JSON object, and Content-Type: application/json.", Of: []*contract.Cause{unreadableBody, unexpectedType}, Made: findForm},
	{Code: "content_type_alone", Looks: "The body is right, and its Content-Type is {got}.", Mend: "Send Content-Type: {want}.", Of: []*contract.Cause{unexpectedType}, Made: findTypeAlone},
	{Code: "credentials_in_basic", Looks: "The credentials came in Authorization: Basic.", Mend: "Send client_id and client_secret in the form.", Of: ofParam, Made: findBasic},
	{Code: "grant_type_other", Looks: "grant_type is {got}.", Mend: "Send grant_type=client_credentials, in lower case.", Of: ofParam, Made: findGrant},
	{Code: "parameter_spelling", Looks: "{Name} is missing, and {got} came.", Mend: "Send {Name}: upper and lower case and underscores count.", Of: ofParam, Made: findSpelling},

	{Code: "statement_not_trimmed", Looks: "White space or quotes stand in the software statement.", Mend: statementAdvice, Of: ofStatement, Made: findUntrimmedStatement},
	{Code: "statement_cut", Looks: "The software statement is the beginning of one of the fixture: {got} of {size} bytes.", Mend: statementAdvice, Of: ofStatement, Made: findCutStatement},
	{Code: "statement_of_other_application", Looks: "{serviceProvider} belongs to the software statement of {owner}, and the client {client} registered with another.", Mend: "Register with the statement of the application that is linked to the service provider.", Of: []*contract.Cause{providerNotLinked}, Made: findLinkedStatement},

	{Code: "device_missing", Looks: "AP-Device-Identifier did not come.", Mend: deviceAdvice, Of: ofDevice, Made: findNoDevice},
	{Code: "device_prefix_missing", Looks: "AP-Device-Identifier is base64 without the word fingerprint before it.", Mend: deviceAdvice, Of: ofDevice, Made: findBareDevice},
	{Code: "device_prefix_encoded", Looks: "AP-Device-Identifier is base64 of the word fingerprint and the identifier together.", Mend: deviceAdvice, Of: ofDevice, Made: findEncodedPrefix},
	{Code: "device_other_separator", Looks: "In AP-Device-Identifier another character than a blank stands behind the word fingerprint.", Mend: deviceAdvice, Of: ofDevice, Made: findSeparator},
	{Code: "device_not_base64", Looks: "The identifier behind the word fingerprint is {got}, which is no base64.", Mend: deviceAdvice, Of: ofDevice, Made: findPlainDevice},
	{Code: "device_info_not_base64", Looks: "X-Device-Info is JSON.", Mend: "Send base64 of it.", Of: []*contract.Cause{malformedDeviceInfo}, Made: findPlainInfo},

	{Code: "service_provider_case", Looks: "The service provider {serviceProvider} differs from {meant} in upper and lower case.", Mend: "Send it as it is.", Of: []*contract.Cause{unknownProvider}, Made: findProvider},
	{Code: "code_lower_case", Looks: "The code {code} is in lower case.", Mend: "Turn what a user types into upper case.", Of: []*contract.Cause{malformedCode}, Made: findLowerCode},
}

// maxTried is the longest text, in bytes, that explanations look into.
const maxTried = 64 << 10

// around are characters that stand around values which were not trimmed.
const around = " \t\r\n\"'"

// when returns an explanation of these facts where a mistake was made.
func when(made bool, facts ...any) *contract.Explanation {
	if !made {
		return nil
	}
	return contract.Found(facts...)
}

// isJWT reports whether a text has the three parts of a JWT.
func isJWT(text string) bool {
	return len(text) <= maxTried && strings.Count(text, ".") == 2 && strings.HasPrefix(text, "eyJ")
}

func findBareToken(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return when(isJWT(c.Request.Header.Get("Authorization")))
}

func findScheme(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	scheme, _, found := strings.Cut(c.Request.Header.Get("Authorization"), " ")
	return when(found && scheme != "" && !strings.EqualFold(scheme, "Bearer"), "scheme", truncate(scheme, 40))
}

func findTokenQuery(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	for piece := range strings.SplitSeq(c.Request.URL.RawQuery, "&") {
		if name, value, _ := strings.Cut(piece, "="); value != "" && strings.HasSuffix(strings.ToLower(name), "token") {
			return contract.Found("param", truncate(name, 40))
		}
	}
	return nil
}

func findQuotedToken(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	token := bearerToken(c.Request)
	plain := strings.Trim(token, around)
	return when(plain != token && isJWT(plain))
}

func findWholeAnswer(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	token := bearerToken(c.Request)
	if len(token) > maxTried {
		return nil
	}
	in, err := wire.Object([]byte(token))
	return when(err == nil && in.Has("access_token"))
}

func findStatementToken(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	known := false
	c.WithState(func() { known = c.State.(*state).statement(bearerToken(c.Request)) != nil })
	return when(known)
}

// clientWhere returns the first client, by its id, that fits.
func clientWhere(c *contract.Call, fits func(*client) bool) (id string, found bool) {
	c.WithState(func() {
		for _, one := range c.State.(*state).Clients {
			if fits(one) && (!found || one.ID < id) {
				id, found = one.ID, true
			}
		}
	})
	return id, found
}

// ownerOf explains by a client whose secret the text is. The explanation does not
// repeat it.
func ownerOf(c *contract.Call, text string, facts ...any) *contract.Explanation {
	owner, found := clientWhere(c, func(one *client) bool { return text != "" && one.Secret == text })
	if !found {
		return nil
	}
	e := contract.Found(append(facts, "owner", owner)...)
	e.Keys = []string{text}
	return e
}

func findSecretToken(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return ownerOf(c, bearerToken(c.Request))
}

// jwtPart decodes a part of a JWT, without verifying it.
func jwtPart(token string, part int) contract.Values {
	if !isJWT(token) {
		return nil
	}
	text, ok := decodeBase64(strings.Split(token, ".")[part])
	if !ok {
		return nil
	}
	in, err := wire.Object(text)
	if err != nil {
		return nil
	}
	return in
}

func findAlgorithm(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	algorithm := jwtPart(bearerToken(c.Request), 0).Text("alg")
	return when(algorithm != "" && algorithm != "RS256", "algorithm", truncate(algorithm, 40))
}

func findIssuer(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	in := jwtPart(bearerToken(c.Request), 1)
	from, audience := in.Text("iss"), in.Text("aud")
	return when(in != nil && (from != issuer || audience != ""), "issuer", quotedOrMissing(truncate(from, 80)), "audience", quotedOrMissing(truncate(audience, 80)))
}

func findSwapped(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return ownerOf(c, c.In.Text("client_id"), "client_id", "a client_secret")
}

func findOthersSecret(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return ownerOf(c, c.In.Text("client_secret"))
}

func findUntrimmedCredentials(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	id, secret := strings.Trim(c.In.Text("client_id"), around), strings.Trim(c.In.Text("client_secret"), around)
	owner, found := clientWhere(c, func(one *client) bool { return one.ID == id && one.Secret == secret })
	return when(found, "owner", owner)
}

func findWrongSecret(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	_, found := clientWhere(c, func(one *client) bool { return one.ID == c.In.Text("client_id") })
	return when(found)
}

// looksLike reports whether the body is a JSON object, or a form with a parameter
// of the operation.
func looksLike(c *contract.Call, kind string) bool {
	body := c.Request.Body
	if len(body) == 0 || len(body) > maxTried {
		return false
	}
	if kind == jsonType {
		_, err := wire.Object(body)
		return err == nil
	}
	values, err := url.ParseQuery(string(body))
	return err == nil && slices.ContainsFunc(c.Operation.Params, func(p contract.Param) bool { return values.Has(p.Name) })
}

// readsForm reports whether an operation reads a form.
func readsForm(op *contract.Operation) bool { return op == createToken || bodyType(op) == formType }

func findJSON(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return when(readsForm(c.Operation) && looksLike(c, jsonType), "operation", c.Operation.Name)
}

func findForm(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return when(!readsForm(c.Operation) && looksLike(c, formType), "operation", c.Operation.Name)
}

func findTypeAlone(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return when(looksLike(c, bodyType(c.Operation)))
}

func findBasic(c *contract.Call, v contract.Verdict) *contract.Explanation {
	name, _ := v.Facts.Get("Name")
	scheme, _, _ := strings.Cut(c.Request.Header.Get("Authorization"), " ")
	return when(strings.EqualFold(scheme, "Basic") && (name == "client_id" || name == "client_secret"))
}

func findGrant(c *contract.Call, v contract.Verdict) *contract.Explanation {
	name, _ := v.Facts.Get("Name")
	given := c.In.Text("grant_type")
	known := []string{"password", "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"}
	return when(name == "grant_type" && (slices.Contains(known, given) || plainName(given) == "clientcredentials"), "got", quotedOrMissing(truncate(given, 60)))
}

// plainName is a name without what differs between spellings.
func plainName(name string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
}

// sentNames lists the names of the body, a form or an object, and of the query.
func sentNames(c *contract.Call) (names []string) {
	if len(c.Request.Body) > maxTried || len(c.Request.URL.RawQuery) > maxTried {
		return nil
	}
	for _, text := range []string{c.Request.URL.RawQuery, string(c.Request.Body)} {
		if values, err := url.ParseQuery(text); err == nil {
			for name := range values {
				names = append(names, name)
			}
		}
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(c.Request.Body, &object) == nil {
		for name := range object {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func findSpelling(c *contract.Call, v contract.Verdict) *contract.Explanation {
	missing, _ := v.Facts.Get("Name")
	text, _ := missing.(string)
	rule, _ := v.Facts.Get("rule")
	if rule != string(contract.Missing) {
		return nil
	}
	for _, name := range sentNames(c) {
		if name != text && plainName(name) == plainName(text) {
			return contract.Found("got", truncate(name, 60))
		}
	}
	return nil
}

func findUntrimmedStatement(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	text := c.In.Text("software_statement")
	plain := strings.Join(strings.Fields(strings.Trim(text, around)), "")
	known := false
	c.WithState(func() { known = plain != text && c.State.(*state).statement(plain) != nil })
	return when(known)
}

func findCutStatement(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	const least = 16 // shorter beginnings are common to all statements
	text, size := c.In.Text("software_statement"), 0
	c.WithState(func() {
		for _, s := range c.State.(*state).Software {
			if len(text) >= least && len(text) < len(s.Statement) && strings.HasPrefix(s.Statement, text) {
				size = len(s.Statement)
			}
		}
	})
	return when(size > 0, "got", len(text), "size", size)
}

// findLinkedStatement finds the application that is linked to the service provider,
// and names it as its statement does.
func findLinkedStatement(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	id, owner := c.In.Text("serviceProvider"), ""
	c.WithState(func() {
		for _, s := range c.State.(*state).Software {
			if slices.Contains(s.Providers, id) && owner == "" {
				owner = quotedOrMissing(jwtPart(s.Statement, 1).Text("client_name"))
			}
		}
	})
	return when(owner != "", "owner", owner)
}

func deviceText(c *contract.Call) string { return strings.TrimSpace(c.In.Text(deviceHeader)) }

func findNoDevice(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return when(deviceText(c) == "")
}

// isUnderstood reports whether a device identifier is well-formed.
func isUnderstood(header string) bool {
	_, ok := deviceID(header)
	return ok
}

func findBareDevice(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	text := deviceText(c)
	plain, _ := decodeBase64(text)
	return when(len(text) >= 8 && isUnderstood("fingerprint "+text) && !strings.HasPrefix(string(plain), "fingerprint"))
}

func findEncodedPrefix(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	_, rest, found := strings.Cut(deviceText(c), " ")
	if !found {
		rest = deviceText(c)
	}
	plain, _ := decodeBase64(rest)
	return when(strings.HasPrefix(string(plain), "fingerprint"))
}

func findSeparator(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	rest, found := strings.CutPrefix(strings.ToLower(deviceText(c)), "fingerprint")
	text := strings.TrimLeft(rest, ":=;,\t ")
	return when(found && text != rest && !strings.HasPrefix(rest, " ") && isUnderstood("fingerprint "+text))
}

func findPlainDevice(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	kind, text, _ := strings.Cut(deviceText(c), " ")
	return when(strings.EqualFold(kind, "fingerprint") && text != "" && !isBase64(text), "got", quotedOrMissing(truncate(text, 40)))
}

func findPlainInfo(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	text := c.In.Text(deviceInfoHeader)
	return when(len(text) <= maxTried && json.Valid([]byte(text)) && strings.HasPrefix(text, "{"))
}

func findProvider(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	meant := ""
	c.WithState(func() {
		for _, p := range c.State.(*state).Providers {
			if strings.EqualFold(p.ID, c.In.Text("serviceProvider")) {
				meant = p.ID
			}
		}
	})
	return when(meant != "", "meant", meant)
}

func findLowerCode(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return when(wellFormedCode(strings.ToUpper(strings.TrimSpace(c.In.Text("code")))))
}
