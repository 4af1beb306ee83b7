package adobepass

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The documented request headers.
const (
	deviceHeader       = "AP-Device-Identifier"
	deviceInfoHeader   = "X-Device-Info"
	forwardedHeader    = "X-Forwarded-For"
	subjectHeader      = "Adobe-Subject-Token"
	rokuHeader         = "X-Roku-Reserved-Roku-Connect-Token"
	serviceTokenHeader = "AD-Service-Token"
	partnerHeader      = "AP-Partner-Framework-Status"
	identityHeader     = "AP-TempPass-Identity"
	visitorHeader      = "AP-Visitor-Identifier"
)

// The rows of headers that several operations take.
var (
	deviceRow = contract.Param{
		Name: deviceHeader, In: contract.Header, Need: contract.Expected, Example: sampleDevice, Cite: citeHeaders,
		Doc: "Who the streaming device is: fingerprint, a blank, and base64 of an identifier. Its absence ends in invalid_header_device_identifier.",
	}
	deviceInfoRow = contract.Param{
		Name: deviceInfoHeader, In: contract.Header, Example: sampleDeviceInfo, Cite: citeHeaders,
		Doc: "What the streaming device is: base64 of a JSON object. The pages call it required and say what happens without it; the example that they print is no valid JSON. So it is read leniently unless strict_device_info says otherwise.",
	}
	forwardedRow     = contract.Param{Name: forwardedHeader, In: contract.Header, Cite: citeHeaders, Doc: "The address of the streaming device, where a server sends the request for it."}
	subjectRow       = contract.Param{Name: subjectHeader, In: contract.Header, Cite: citeHeaders, Doc: "The platform's identity of the user (Amazon). One that cannot be read gives no single sign-on, and no error."}
	rokuRow          = contract.Param{Name: rokuHeader, In: contract.Header, Cite: citeHeaders, Doc: "The platform's identity of the user (Roku), read as Adobe-Subject-Token is."}
	serviceTokenRow  = contract.Param{Name: serviceTokenHeader, In: contract.Header, Cite: citeHeaders, Doc: "The identity that an external service gives the user: a JWS (RS256) with iss, sub, aud, iat and exp, verified with the fixture's key for iss."}
	partnerStatusRow = contract.Param{Name: partnerHeader, In: contract.Header, Cite: citeHeaders, Doc: "What the partner's framework (Apple's) reports about permission and provider: base64 of a JSON object."}
	identityRow      = contract.Param{Name: identityHeader, In: contract.Header, Cite: citeHeaders, Doc: "For a promotional TempPass, who the user is: base64 of a JSON object."}
	visitorRow       = contract.Param{Name: visitorHeader, In: contract.Header, Cite: citeHeaders, Doc: "The Experience Cloud id (ECID) of the visitor; it decides nothing."}
)

// The values that all samples send. The JSON in the second lacks a comma.
const (
	sampleDevice     = "fingerprint YmEyM2QxNDEtZDcxNS01NjFjLTk0ZjQtZTllNGM5NjZiMWVi"
	sampleDeviceInfo = "ewoJInByaW1hcnlIYXJkd2FyZVR5cGUiOiAiU2V0VG9wQm94IiwKCSJtb2RlbCI6ICJUViA1dGggR2VuIiwKCSJtYW51ZmFjdHVyZXIiOiAiQXBwbGUiLAoJIm9zTmFtZSI6ICJ0dk9TIgoJIm9zVmVuZG9yIjogIkFwcGxlIiwKCSJvc1ZlcnNpb24iOiAiMTEuMCIKfQ=="
)

// deviceID parses AP-Device-Identifier. The identifier may be any bytes, so it
// is stored as base64.
func deviceID(header string) (id string, ok bool) {
	kind, text, _ := strings.Cut(strings.TrimSpace(header), " ")
	text = strings.TrimSpace(text)
	if !strings.EqualFold(kind, "fingerprint") || text == "" || len(text) > longestDevice {
		return "", false
	}
	plain, ok := decodeBase64(text)
	if !ok || len(plain) == 0 {
		return "", false
	}
	return base64.StdEncoding.EncodeToString(plain), true
}

// deviceInfoFault returns what is wrong with X-Device-Info, or "".
func deviceInfoFault(header string, strict bool) string {
	if header == "" {
		if strict {
			return "is missing"
		}
		return ""
	}
	if len(header) > longestDeviceInfo {
		return "is longer than 4096 bytes"
	}
	switch {
	case !isBase64(header):
		return "is no base64"
	case !strict:
		return ""
	}
	text, _ := decodeBase64(header)
	info, err := wire.Object(text)
	if err != nil {
		return "is no JSON object: " + err.Error()
	}
	for _, name := range [...]string{"model", "version", "osName", "osVersion", "connectionType"} {
		if info.Text(name) == "" {
			return "lacks " + name
		}
	}
	return ""
}

// readIdentities reads the single sign-on identities of a call: of the platform,
// and of an external service. Unreadable ones are ignored. It is a check, so
// that signatures are verified without the state's lock.
func readIdentities(c *contract.Call) contract.Verdict {
	ca := callerOf(c)
	for _, name := range [...]string{subjectHeader, rokuHeader} {
		if sub := platformSubject(c.In.Text(name)); sub != "" {
			ca.identities = append(ca.identities, identity{platformSSO, sub})
			break
		}
	}
	if token := c.In.Text(serviceTokenHeader); token != "" {
		sub, why := serviceSubject(c, token)
		if why != "" {
			c.Note("AD-Service-Token gives no single sign-on", why)
		} else {
			ca.identities = append(ca.identities, identity{serviceTokenSSO, sub})
		}
	}
	return contract.Verdict{}
}

// An identity identifies a user in single sign-on.
type identity struct {
	Kind  string `json:"kind"` // the type of the profiles that it finds
	Value string `json:"word"`
}

// longestIdentity is the longest identity that is stored as it is.
const longestIdentity = 256

// identityValue returns the stored form of an identity: the value itself, or a
// digest where it is long.
func identityValue(value string) string {
	if len(value) > longestIdentity {
		return digest(value)
	}
	return value
}

// platformSubject reads a platform's JWS or JWE. The platforms publish no keys:
// a JWS is identified by its subject, an encrypted JWE by a digest of its text.
func platformSubject(token string) string {
	switch strings.Count(token, ".") {
	case 2:
		if sub := unverifiedSubject(token); sub != "" {
			return identityValue(sub)
		}
	case 4: // a JWE
		return digest(token)
	}
	return ""
}

// serviceClaims are the claims of an AD-Service-Token.
type serviceClaims struct {
	Issuer   string           `json:"iss"`
	Subject  string           `json:"sub"`
	Audience jwt.ClaimStrings `json:"aud"`
	Expires  int64            `json:"exp"`
	claims   `json:"-"`       // for its methods only
}

// serviceSubject reads an AD-Service-Token. why says why it is not accepted.
func serviceSubject(c *contract.Call, token string) (sub, why string) {
	var s serviceClaims
	if _, _, err := parser.ParseUnverified(token, &s); err != nil {
		return "", "it is no JWS: " + err.Error()
	}
	if s.Issuer == "" || s.Subject == "" {
		return "", "it lacks iss or sub"
	}
	if c.Switches.Bool("service_token_verify") {
		var key *rsa.PublicKey
		c.WithState(func() { key = c.State.(*state).serviceKey(s.Issuer) })
		if key == nil {
			return "", "the fixture has no key for its iss " + s.Issuer
		}
		if _, err := parser.ParseWithClaims(token, &serviceClaims{}, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
			return "", "its signature is not good: " + err.Error()
		}
	}
	forAdobe := false
	for _, a := range s.Audience {
		forAdobe = forAdobe || strings.EqualFold(a, "Adobe")
	}
	switch {
	case !forAdobe:
		return "", "its aud is not Adobe"
	case s.Expires > 0 && c.Now.Unix() >= s.Expires:
		return "", "it expired at " + time.Unix(s.Expires, 0).UTC().String()
	}
	return identityValue(s.Issuer + "|" + s.Subject), ""
}

// A pfs is a partner framework status.
type pfs struct {
	Permission struct {
		AccessStatus string `json:"accessStatus"`
	} `json:"frameworkPermissionInfo"`
	Provider struct {
		ID         string          `json:"id"`
		Expiration json.RawMessage `json:"expirationDate"` // a string; a number is accepted too
	} `json:"frameworkProviderInfo"`
}

// frameworkStatusOf parses AP-Partner-Framework-Status. It returns nil where it
// cannot.
func frameworkStatusOf(c *contract.Call) *pfs {
	text, ok := decodeBase64(c.In.Text(partnerHeader))
	var s pfs
	if !ok || len(text) == 0 || json.Unmarshal(text, &s) != nil {
		return nil
	}
	return &s
}

// expiration returns when the provider's information expires, in milliseconds.
func (s *pfs) expiration() (ms int64, ok bool) {
	ms, err := strconv.ParseInt(strings.Trim(string(s.Provider.Expiration), `"`), 10, 64)
	return ms, err == nil
}

var pfsFault = &contract.Cause{Code: "partner_framework_status", Text: "AP-Partner-Framework-Status: accessStatus {accessStatus}, provider id {id}, expirationDate {expirationDate}."}

// checkFrameworkStatus checks a partner framework status. A good one gives the
// MVPD that it names and the zero Verdict.
func (st *state) checkFrameworkStatus(c *contract.Call, s *pfs) (*mvpd, contract.Verdict) {
	if s == nil {
		return nil, pfsNotPresent.Because(pfsFault, "accessStatus", "missing", "id", "missing", "expirationDate", "missing")
	}
	because := func(o *contract.Outcome) (*mvpd, contract.Verdict) {
		return nil, o.Because(pfsFault, "accessStatus", quotedOrMissing(s.Permission.AccessStatus), "id", quotedOrMissing(s.Provider.ID), "expirationDate", string(s.Provider.Expiration))
	}
	switch s.Permission.AccessStatus {
	case "granted":
	case "notDetermined":
		return because(pfsNotDetermined)
	case "denied", "restricted":
		return because(pfsNotGranted)
	default:
		return because(pfsNotPresent)
	}
	m := st.mvpdByMappingID(s.Provider.ID)
	if m == nil {
		return because(pfsNoProvider)
	}
	if ends, ok := s.expiration(); !ok || ends < c.Now.UnixMilli() {
		return because(pfsExpired)
	}
	return m, contract.Verdict{}
}

// trialIdentity reads from AP-TempPass-Identity the key that the promotional
// TempPass m uses, hashed.
func trialIdentity(c *contract.Call, m *mvpd) (value string, ok bool) {
	text, ok := decodeBase64(c.In.Text(identityHeader))
	if !ok || len(text) == 0 {
		return "", false
	}
	object, err := wire.Object(text)
	if err != nil || object.Text(m.TempKey) == "" {
		return "", false
	}
	return digest(object.Text(m.TempKey)), true
}
