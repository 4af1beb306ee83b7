package adobepass

import (
	"net/url"
	"strings"
	"unicode"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The longest values that are taken. No limit is published; what is kept for
// each live code must have one.
const (
	longestURL    = 2048
	longestDomain = 253
	longestDevice = 1024
	longestInfo   = 4096
)

var (
	unknownPath   = &contract.Cause{Code: "no_such_path", Text: "Nothing lives at {path}. The service provider comes before the collection, as in /api/v2/REF30/sessions; only /api/v2/authenticate/REF30/CODE has it the other way round."}
	otherMethod   = &contract.Cause{Code: "wrong_method", Text: "The method was {method}; {path} takes {takes}."}
	strangeSP     = &contract.Cause{Code: "unknown_service_provider", Text: "The service provider {serviceProvider} is not in the fixture. Identifiers are case-sensitive."}
	otherType     = &contract.Cause{Code: "content_type", Text: "The Content-Type is {got}; {want} was expected."}
	unreadable    = &contract.Cause{Code: "body_unreadable", Text: "The body cannot be taken apart: {why}."}
	noDevice      = &contract.Cause{Code: "device_identifier", Text: "AP-Device-Identifier is {got}. Expected was: fingerprint, a blank, and base64 of what identifies the device."}
	strangeInfo   = &contract.Cause{Code: "device_info", Text: "X-Device-Info {why}. Expected was base64 of a JSON object with model, version, osName, osVersion and connectionType."}
	rowViolated   = &contract.Cause{Code: "parameter", Text: "{Name} is {rule}."}
	strangeCode   = &contract.Cause{Code: "code_form", Text: "The code {code} is not of six or seven capital letters and digits."}
	strangeURL    = &contract.Cause{Code: "redirect_url", Text: "redirectUrl {why}."}
	longDomain    = &contract.Cause{Code: "domain_too_long", Text: "domainName has {size} characters; no domain has more than 253."}
	strangeFriend = &contract.Cause{Code: "unknown_partner", Text: "The partner is {partner}; Apple is the only one that is documented."}
	strangeSAML   = &contract.Cause{Code: "saml_response", Text: "SAMLResponse is no base64. It is base64 first and percent-encoded after that."}
)

func checkPath(c *contract.Call) contract.Verdict {
	switch c.Miss {
	case contract.NoSuchPath:
		return notFound.Because(unknownPath, "path", c.Request.URL.Path)
	case contract.WrongMethod:
		return wrongMethod.Because(otherMethod, "method", c.Request.Method, "path", c.Request.URL.Path, "takes", allow(c.Request))
	}
	return contract.Verdict{}
}

// checkProvider looks the service provider up. A world that has none, in which
// scenarios are tried out, leaves that to Decide.
func checkProvider(c *contract.Call) (v contract.Verdict) {
	if _, named := c.In["serviceProvider"]; !named || c.Operation.Helper {
		return v
	}
	c.WithState(func() {
		if st := c.State.(*state); len(st.Providers) > 0 {
			v = st.checkProvider(c)
		}
	})
	return v
}

func (st *state) checkProvider(c *contract.Call) contract.Verdict {
	if id := c.In.Text("serviceProvider"); st.provider(id) == nil {
		return badServiceProvider.Because(strangeSP, "serviceProvider", id)
	}
	return contract.Verdict{}
}

// checkBody looks at the body's type, and whether it could be taken apart.
// CreateToken takes any type: its parameters may stand in the query, and a
// client was seen that says JSON then and sends no body.
func checkBody(c *contract.Call) contract.Verdict {
	r, k := c.Request, callerOf(c)
	want := bodyOf(c.Operation)
	dcr := c.Operation == registerClient || c.Operation == createToken // which have errors of their own
	if r.TooLarge {
		k.fault = "it is longer than this server takes"
	}
	got := media(r)
	switch {
	case r.TooLarge:
	case want == "", got == want, c.Operation == createToken, c.Operation == registerClient && got == form:
	case got == "" && len(r.Body) == 0: // no body, no type
	case dcr:
		return invalidRequest.Because(otherType, "got", quoted(got), "want", want)
	default:
		return unsupportedType.Because(otherType, "got", quoted(got), "want", want)
	}
	switch {
	case k.fault == "":
		return contract.Verdict{}
	case dcr:
		return invalidRequest.Because(unreadable, "why", k.fault)
	case r.TooLarge:
	case c.Operation == preauthorize, c.Operation == authorize:
		return badResources.Because(unreadable, "why", k.fault)
	case c.Operation == logout: // whose query has this one parameter
		return badRedirect.Because(strangeURL, "why", "cannot be read: "+k.fault)
	}
	return badRequest.Because(unreadable, "why", k.fault)
}

func quoted(s string) string {
	if s == "" {
		return "missing"
	}
	return `"` + s + `"`
}

// checkDevice reads who the device is, where the operation asks for it.
func checkDevice(c *contract.Call) contract.Verdict {
	p := row(c.Operation, deviceHeader)
	if p == nil {
		return contract.Verdict{}
	}
	given := c.In.Text(deviceHeader)
	if given != "" || p.Need != contract.Optional {
		id, ok := deviceID(given)
		if !ok {
			return badDevice.Because(noDevice, "got", quoted(given))
		}
		callerOf(c).device = id
	}
	if why := unfitInfo(c.In.Text(deviceInfoHeader), c.Switches.Bool("strict_device_info")); why != "" {
		return badDeviceInfo.Because(strangeInfo, "why", why)
	}
	return contract.Verdict{}
}

// judge says what a violated row earns. The endings are those of the
// operation; DCR knows two.
func judge(c *contract.Call, found []contract.Violation) contract.Verdict {
	for _, v := range found {
		if v.Rule == contract.Unknown {
			continue
		}
		because := func(o *contract.Outcome) contract.Verdict {
			return o.Because(rowViolated, "Name", v.Path, "rule", string(v.Rule))
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

// checkValues holds values against what no row can say.
func checkValues(c *contract.Call) contract.Verdict {
	if u := c.In.Text("redirectUrl"); u != "" {
		if why := unfitURL(u); why != "" {
			return badRedirect.Because(strangeURL, "why", why)
		}
	}
	if d := c.In.Text("domainName"); len(d) > longestDomain {
		return badDomain.Because(longDomain, "size", len(d))
	}
	if code, named := c.In["code"]; named && !c.Operation.Helper && !codeForm(c.In.Text("code")) {
		return badCode.Because(strangeCode, "code", code)
	}
	if p, named := c.In["partner"]; named && p != partnerApple {
		return badPartner.Because(strangeFriend, "partner", p)
	}
	if s := c.In.Text("SAMLResponse"); s != "" {
		if _, ok := unbase64(strings.Join(strings.Fields(s), "")); !ok {
			return badSAML.Because(strangeSAML)
		}
	}
	switch c.Operation {
	case preauthorize, authorize:
		return checkResources(c)
	case registerClient, createToken:
		if k := callerOf(c); len(k.repeated) > 0 {
			return invalidRequest.Because(repeatedName, "Name", k.repeated[0])
		}
	}
	return contract.Verdict{}
}

// codeForm reports whether a code is well-formed. Pages print codes of seven
// characters, and one of six.
func codeForm(code string) bool {
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

// unfitURL says why no user agent may be sent to a redirect URL; "" where it
// may. Any scheme is good that does not run or read something by itself.
func unfitURL(s string) string {
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
