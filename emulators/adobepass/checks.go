package adobepass

import (
	"net/url"
	"strings"
	"unicode"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The longest values that are accepted. No limit is published, but values that
// are stored with each session need one.
const (
	longestURL        = 2048
	longestDomain     = 253
	longestDevice     = 1024
	longestDeviceInfo = 4096
)

var (
	unknownPath         = &contract.Cause{Code: "no_such_path", Text: "There is no operation at {path}. The service provider comes before the collection, as in /api/v2/REF30/sessions; only /api/v2/authenticate/REF30/CODE has it the other way round."}
	unexpectedMethod    = &contract.Cause{Code: "wrong_method", Text: "The method was {method}; {path} takes {takes}."}
	unknownProvider     = &contract.Cause{Code: "unknown_service_provider", Text: "The service provider {serviceProvider} is not in the fixture. Identifiers are case-sensitive."}
	unexpectedType      = &contract.Cause{Code: "content_type", Text: "The Content-Type is {got}; {want} was expected."}
	unreadableBody      = &contract.Cause{Code: "body_unreadable", Text: "The body cannot be parsed: {why}."}
	malformedDevice     = &contract.Cause{Code: "device_identifier", Text: "AP-Device-Identifier is {got}. Expected is: fingerprint, a blank, and base64 of the device's identifier."}
	malformedDeviceInfo = &contract.Cause{Code: "device_info", Text: "X-Device-Info {why}. Expected is base64 of a JSON object with model, version, osName, osVersion and connectionType."}
	invalidParam        = &contract.Cause{Code: "parameter", Text: "{Name} is {rule}."}
	malformedCode       = &contract.Cause{Code: "code_form", Text: "The code {code} is not of six or seven capital letters and digits."}
	unusableURL         = &contract.Cause{Code: "redirect_url", Text: "redirectUrl {why}."}
	longDomain          = &contract.Cause{Code: "domain_too_long", Text: "domainName has {size} characters; no domain has more than 253."}
	unknownPartner      = &contract.Cause{Code: "unknown_partner", Text: "The partner is {partner}; Apple is the only one that is documented."}
	malformedSAML       = &contract.Cause{Code: "saml_response", Text: "SAMLResponse is no base64. It is base64 first and percent-encoded after that."}
)

func checkPath(c *contract.Call) contract.Verdict {
	switch c.Miss {
	case contract.NoSuchPath:
		return notFound.Because(unknownPath, "path", c.Request.URL.Path)
	case contract.WrongMethod:
		return wrongMethod.Because(unexpectedMethod, "method", c.Request.Method, "path", c.Request.URL.Path, "takes", allowedMethods(c.Request))
	}
	return contract.Verdict{}
}

// checkProvider looks up the service provider. A state without any, which only
// tests of scenarios have, leaves this to Decide.
func checkProvider(c *contract.Call) contract.Verdict {
	if _, named := c.In["serviceProvider"]; !named || c.Operation.Helper {
		return contract.Verdict{}
	}
	ca := callerOf(c)
	ca.refusal = contract.Verdict{}
	c.WithState(func() {
		st, id := c.State.(*state), c.In.Text("serviceProvider")
		if len(st.Providers) > 0 && (st.provider(id) != nil || !c.Adopt("serviceProvider", id)) {
			ca.refusal = st.checkProvider(c)
		}
	})
	return ca.refusal
}

// checkProvider looks up the service provider in the state.
func (st *state) checkProvider(c *contract.Call) contract.Verdict {
	if id := c.In.Text("serviceProvider"); st.provider(id) == nil {
		return badServiceProvider.Because(unknownProvider, "serviceProvider", id)
	}
	return contract.Verdict{}
}

// checkBody checks the body's type and whether the body could be parsed.
// CreateToken takes any type: its parameters may be in the query, and a known
// client then sends the type JSON and no body.
func checkBody(c *contract.Call) contract.Verdict {
	r, ca := c.Request, callerOf(c)
	want := bodyType(c.Operation)
	dcr := c.Operation == registerClient || c.Operation == createToken // they have error codes of their own
	if r.TooLarge {
		ca.parseFault = "it is longer than this server takes"
	}
	got := mediaType(r)
	switch {
	case r.TooLarge:
	case want == "", got == want, c.Operation == createToken, c.Operation == registerClient && got == formType:
	case got == "" && len(r.Body) == 0: // no body, no type
	case dcr:
		return invalidRequest.Because(unexpectedType, "got", quotedOrMissing(got), "want", want)
	default:
		return unsupportedType.Because(unexpectedType, "got", quotedOrMissing(got), "want", want)
	}
	if ca.parseFault == "" {
		return contract.Verdict{}
	}
	return wire.OrCompressed(c, refuseBody(c, ca.parseFault, dcr))
}

// refuseBody refuses a body that cannot be parsed.
func refuseBody(c *contract.Call, why string, dcr bool) contract.Verdict {
	switch {
	case dcr:
		return invalidRequest.Because(unreadableBody, "why", why)
	case c.Request.TooLarge:
	case c.Operation == preauthorize, c.Operation == authorize:
		return badResources.Because(unreadableBody, "why", why)
	case c.Operation == logout: // its query has only this parameter
		return badRedirect.Because(unusableURL, "why", "cannot be read: "+why)
	}
	return badRequest.Because(unreadableBody, "why", why)
}

// quotedOrMissing returns s in quotes, or the word missing where s is empty.
func quotedOrMissing(s string) string {
	if s == "" {
		return "missing"
	}
	return `"` + s + `"`
}

// checkDevice reads the device identifier, where the operation takes one.
func checkDevice(c *contract.Call) contract.Verdict {
	p := findParam(c.Operation, deviceHeader)
	if p == nil {
		return contract.Verdict{}
	}
	given := c.In.Text(deviceHeader)
	if given != "" || p.Need != contract.Optional {
		id, ok := deviceID(given)
		if !ok {
			return badDevice.Because(malformedDevice, "got", quotedOrMissing(given))
		}
		callerOf(c).device = id
	}
	if why := deviceInfoFault(c.In.Text(deviceInfoHeader), c.Switches.Bool("strict_device_info")); why != "" {
		return badDeviceInfo.Because(malformedDeviceInfo, "why", why)
	}
	return contract.Verdict{}
}

// refuseParams returns the refusal for the first violated row. The outcomes are
// those of the operation; DCR has two.
func refuseParams(c *contract.Call, found []contract.Violation) contract.Verdict {
	for _, v := range found {
		if v.Rule == contract.Unknown {
			continue
		}
		because := func(o *contract.Outcome) contract.Verdict {
			return o.Because(invalidParam, "Name", v.Path, "rule", string(v.Rule))
		}
		name, _, _ := strings.Cut(v.Path, ".")
		switch {
		case name == "grant_type" && v.Rule == contract.Unlisted:
			return because(unsupportedGrant)
		case c.Operation == registerClient, c.Operation == createToken:
			return because(invalidRequest)
		}
		switch name {
		case "serviceProvider":
			return because(badServiceProvider)
		case "mvpd":
			return because(badMVPD)
		case "code":
			return because(badCode)
		case "partner":
			return because(badPartner)
		case "resources":
			return because(badResources)
		case "SAMLResponse":
			return because(badSAML)
		}
	}
	return contract.Verdict{}
}

// checkValues checks what a row cannot express.
func checkValues(c *contract.Call) contract.Verdict {
	if u := c.In.Text("redirectUrl"); u != "" {
		if why := urlFault(u); why != "" {
			return badRedirect.Because(unusableURL, "why", why)
		}
	}
	if d := c.In.Text("domainName"); len(d) > longestDomain {
		return badDomain.Because(longDomain, "size", len(d))
	}
	if code, named := c.In["code"]; named && !c.Operation.Helper && !wellFormedCode(c.In.Text("code")) {
		return badCode.Because(malformedCode, "code", code)
	}
	if p, named := c.In["partner"]; named && p != partnerApple {
		return badPartner.Because(unknownPartner, "partner", p)
	}
	if s := c.In.Text("SAMLResponse"); s != "" {
		if _, ok := decodeBase64(strings.Join(strings.Fields(s), "")); !ok {
			return badSAML.Because(malformedSAML)
		}
	}
	switch c.Operation {
	case preauthorize, authorize:
		return checkResources(c)
	case registerClient, createToken:
		if ca := callerOf(c); len(ca.repeated) > 0 {
			return invalidRequest.Because(repeatedName, "Name", ca.repeated[0])
		}
	}
	return contract.Verdict{}
}

// wellFormedCode reports whether a code is well-formed. The pages print codes of
// seven characters, and one of six.
func wellFormedCode(code string) bool {
	if len(code) != 6 && len(code) != 7 {
		return false
	}
	for _, r := range code {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return true
}

// urlFault returns why no user agent may be sent to a URL, or "" where it may.
// Every scheme is accepted that does not execute or read something by itself.
func urlFault(s string) string {
	if len(s) > longestURL {
		return "is longer than 2048 bytes"
	}
	u, err := url.Parse(s)
	if err != nil {
		return "is no URI: " + err.Error()
	}
	switch strings.ToLower(u.Scheme) {
	case "":
		return "has no scheme"
	case "javascript", "data", "vbscript", "file", "blob":
		return "has the scheme " + u.Scheme + ", to which no user agent should be sent"
	case "http", "https":
		if u.Hostname() == "" {
			return "has no host"
		}
	}
	for _, r := range u.Host {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-._~:[]", r) {
			return "has the character " + string(r) + " in its host"
		}
	}
	return ""
}
