package tencentcar

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The documented size limits (citeStructure).
const (
	maxBody = 10 << 20 // POST
	maxForm = 1 << 20  // POST with signature v1
	maxGet  = 32 << 10
)

// maxSkew is the largest accepted difference between a timestamp and the server's
// time, in seconds.
const maxSkew = 300

var (
	wrongMethod            = &contract.Cause{Code: "wrong_verb", Text: "The verb was {verb}; the service takes GET and POST on its one endpoint."}
	tooLarge               = &contract.Cause{Code: "too_large", Text: "The {what} has {size} bytes and may have {most}."}
	unsupportedBody        = &contract.Cause{Code: "foreign_body", Text: "The Content-Type is {type}. No action of CAR declares such a body: send application/json, or a form under signature v1."}
	badForm                = &contract.Cause{Code: "bad_form", Text: "Query or form cannot be taken apart: {fault}. A body of JSON needs Content-Type application/json; curl -d says application/x-www-form-urlencoded unless told otherwise."}
	missingCommonParameter = &contract.Cause{Code: "common_parameter_missing", Text: "The request was read as {family}, because {because}; it lacks {Name}."}
	notANumber             = &contract.Cause{Code: "common_parameter_no_number", Text: "{Name} is {got}; a whole number was expected."}
)

func checkMethod(c *contract.Call) contract.Verdict {
	if m := c.Request.Method; m != http.MethodGet && m != http.MethodPost {
		return unsupportedProtocol.Because(wrongMethod, "verb", m)
	}
	return contract.Verdict{}
}

func checkSize(c *contract.Call) contract.Verdict {
	r, cl := c.Request, callerOf(c)
	size := len(r.Body)
	if r.Method == http.MethodGet {
		if len(r.Target) > maxGet || len(r.URL.RawQuery) > maxGet {
			return requestSizeLimitExceeded.Because(tooLarge, "what", "query of the GET", "size", len(r.URL.RawQuery), "most", maxGet)
		}
		return contract.Verdict{}
	}
	// The service reports a form that is too large for signature v1 as a wrong
	// signature, with a message of its own.
	if cl.family == v1 && bodyKindOf(r) == formBody && (r.TooLarge || size > maxForm) {
		v := signatureFailure.Because(tooLarge, "what", "form", "size", size, "most", maxForm)
		v.OwnMessage = v1TooLarge
		return v
	}
	if r.TooLarge || size > maxBody {
		return requestSizeLimitExceeded.Because(tooLarge, "what", "body, as far as it was read,", "size", size, "most", maxBody)
	}
	return contract.Verdict{}
}

// v1TooLarge is the message of real answers for a form that is too large for
// signature v1 (sdk-python#42, sdk-dotnet#75, sdk-php#20).
const v1TooLarge = "The provided credentials could not be validated because of exceeding request size limit, please use new signature method `TC3-HMAC-SHA256`."

func checkForm(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	if cl.unsupportedBody {
		return invalidRequest.Because(unsupportedBody, "type", header(c.Request.Header, "Content-Type"))
	}
	if cl.formFault == "" {
		return contract.Verdict{}
	}
	v := invalidParameter.Because(badForm, "fault", cl.formFault)
	v.OwnMessage = "Url key and value should be splited by `=`." // sic, LunaTranslator#264
	return wire.OrCompressed(c, v)
}

// checkCommonParameters checks that the common parameters are there. For a GET
// without any parameter the service reports Timestamp first (a public trace); the
// order of the others is inferred. The message names the parameter without X-TC-,
// also for TC3.
func checkCommonParameters(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	proof := c.Auth != contract.Off
	switch {
	case proof && cl.timestamp == "":
		return cl.missing("Timestamp", c)
	case cl.action == "":
		return cl.missing("Action", c)
	case proof && cl.version == "":
		return cl.missing("Version", c)
	case !proof:
		return contract.Verdict{}
	}
	if cl.family == v1 {
		for _, p := range [...]pair{{"Nonce", cl.nonce}, {"SecretId", cl.secretID}, {"Signature", cl.signature}} {
			if p.value == "" {
				return cl.missing(p.name, c)
			}
		}
		// The SDKs send nonces of 16 to 63 bits. Replay is not checked.
		if _, err := strconv.ParseUint(cl.nonce, 10, 64); err != nil {
			return invalidParameter.Because(notANumber, "Name", "Nonce", "type", "integer", "got", cl.nonce)
		}
	}
	var err error
	if cl.unixTime, err = strconv.ParseInt(cl.timestamp, 10, 64); err != nil {
		return invalidParameter.Because(notANumber, "Name", "Timestamp", "type", "integer", "got", cl.timestamp)
	}
	return contract.Verdict{}
}

// missing refuses a request without a common parameter.
func (cl *caller) missing(name string, c *contract.Call) contract.Verdict {
	how, because := "TC3-HMAC-SHA256", "it has an Authorization header"
	if cl.family == v1 {
		how, because = "signature v1", "it has no Authorization header"
		if c.Request.Method == http.MethodPost && bodyKindOf(c.Request) != formBody {
			because += ", and its body is no form"
		}
	}
	v := missingParameter.Because(missingCommonParameter, "Name", name, "family", how, "because", because)
	if c.Request.Method == http.MethodPost && cl.family == v1 { // they stand in the body
		return wire.OrCompressed(c, v)
	}
	return v
}

var (
	malformedAuthorization = &contract.Cause{Code: "authorization_malformed", Text: "The Authorization header is {got}; its {part} is not as expected: " + algorithm + " Credential=<SecretId>/<date>/<service>/tc3_request, SignedHeaders=content-type;host, Signature=<64 hexadecimal digits>."}
	signingSkipped         = &contract.Cause{Code: "signing_skipped", Text: "The client was told not to sign and sent Authorization: SKIP. No action of CAR is known to take it; the switch skip_signature has the emulator take it."}
	wrongScopeDate         = &contract.Cause{Code: "scope_date", Text: "The scope's date is {got}; the UTC day of timestamp {timestamp} is {expected}. Clients that take the local day fail between midnight and their offset."}
	wrongScopeService      = &contract.Cause{Code: "scope_service", Text: "The scope's service is {got}; the strict verifier asks for car. The Node and Java SDKs put there what stands before the first dot of their endpoint: use an endpoint that begins with car., or the switch verifier: lenient."}
)

// checkAuthorization checks the grammar of the TC3 header, and that its scope has
// the day of the timestamp.
func checkAuthorization(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	if cl.family != tc3 || c.Auth == contract.Off {
		return contract.Verdict{}
	}
	a := &cl.auth
	switch {
	case a.skip && c.Switches.Bool("skip_signature"):
		return contract.Verdict{}
	case a.skip:
		return invalidAuthorization.Because(signingSkipped, "part", a.fault)
	case a.fault != "":
		return invalidAuthorization.Because(malformedAuthorization, "part", a.fault, "got", header(c.Request.Header, "Authorization"))
	case c.Auth == contract.Presence:
		return contract.Verdict{}
	}
	if stamped := time.Unix(cl.unixTime, 0).UTC(); !a.isOf(stamped) {
		return invalidAuthorization.Because(wrongScopeDate, "part", "`Date` in Credential",
			"got", a.date, "expected", stamped.Format(time.DateOnly), "timestamp", cl.unixTime)
	}
	if strict(c) && a.service != service {
		return invalidAuthorization.Because(wrongScopeService, "part", "`Service` in Credential", "got", a.service)
	}
	return contract.Verdict{}
}

// strict reports whether the verifier accepts the documented signature only.
func strict(c *contract.Call) bool { return c.Switches.Text("verifier") == "strict" }

var clockSkew = &contract.Cause{Code: "clock_skew", Text: "The request was stamped {timestamp}, which is {skew} seconds away from the server's {serverUnix}; 300 are allowed. Stamps are held against the wall clock, or against the sandbox's with --signature-clock sandbox."}

func checkTimestamp(c *contract.Call) contract.Verdict {
	cl, now := callerOf(c), c.ServerTime().Unix()
	if c.Auth != contract.Verify || cl.unixTime >= now-maxSkew && cl.unixTime <= now+maxSkew {
		return contract.Verdict{}
	}
	return signatureExpire.Because(clockSkew, "serverUnix", now, "timestamp", cl.unixTime, "skew", cl.unixTime-now)
}

var (
	unknownSecretID = &contract.Cause{Code: "unknown_secret_id", Text: "The SecretId {SecretId} is in no account of this sandbox. Add it to the fixture's accounts, or use {first}. A SecretId of another sandbox is unknown here."}
	keyDisabled     = &contract.Cause{Code: "key_disabled", Text: "The account of SecretId {SecretId} has the status {status} in the fixture."}
	noAPIKey        = &contract.Cause{Code: "no_api_key", Text: "The account of SecretId {SecretId} has the status " + noKeyStatus + " in the fixture."}
)

// checkSecretID finds the account. If signatures are not verified, an unknown
// SecretId gets the sub-account of the first account.
func checkSecretID(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	c.WithState(func() {
		st := c.State.(*state)
		cl.lists, cl.account = &st.Lists, st.account(cl.secretID)
		if cl.account == nil && c.Adopt("SecretId", cl.secretID) {
			cl.account = st.account(cl.secretID)
		}
		if cl.account != nil {
			cl.derived = cl.account.derived
		}
	})
	if cl.account != nil {
		c.Key = cl.account.SecretKey
		if c.Auth == contract.Verify {
			return cl.account.checkStatus()
		}
		return contract.Verdict{}
	}
	var first *account
	c.WithState(func() { first = c.State.(*state).firstAccount() })
	if c.Auth == contract.Verify && !cl.auth.skip {
		return secretIDNotFound.Because(unknownSecretID, "SecretId", cl.secretID, "first", first.SecretID)
	}
	cl.account = &account{SecretID: cl.secretID, Uin: first.Uin, unknown: true}
	return contract.Verdict{}
}

// checkStatus refuses an account that is disabled or has no API key.
func (a *account) checkStatus() contract.Verdict {
	switch a.Status {
	case disabledStatus, deletedStatus:
		return secretIDNotFound.Because(keyDisabled, "SecretId", a.SecretID, "status", a.Status)
	case noKeyStatus:
		return invalidSecretID.Because(noAPIKey, "SecretId", a.SecretID)
	}
	return contract.Verdict{}
}

// checkSignature verifies the signature: verifyTC3 in signature.go or verifyV1 in
// signature_v1.go decides. A key that no fixture has cannot be
// verified, because its secret is not known.
func checkSignature(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	if c.Auth != contract.Verify || cl.auth.skip || cl.account.unknown {
		return contract.Verdict{}
	}
	verify := verifyTC3
	if cl.family == v1 {
		verify = verifyV1
	}
	return wire.OrCompressed(c, verify(c, cl).OfAdopted(c, "SecretId", cl.secretID))
}

var (
	tokenMismatch = &contract.Cause{Code: "token_mismatch", Text: "SecretId {SecretId} is a temporary key; the token sent with it is not its own ({got} bytes, {expected} expected)."}
	tokenExpired  = &contract.Cause{Code: "token_expired", Text: "The token of the temporary key {SecretId} expired at {expired}, and it is {now} in this sandbox."}
	mfaRequired   = &contract.Cause{Code: "mfa", Text: "The account of SecretId {SecretId} has the status " + mfaStatus + " in the fixture."}
)

// checkToken checks the token of a temporary key. A token that comes with a
// permanent key is ignored; whether the service does so is not known.
func checkToken(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	a := cl.account
	switch {
	case c.Auth != contract.Verify || a.unknown:
		return contract.Verdict{}
	case a.Status == mfaStatus:
		return mfaFailure.Because(mfaRequired, "SecretId", a.SecretID)
	case a.Token == "":
		return contract.Verdict{}
	case !equalSecret(a.Token, cl.token):
		return tokenFailure.Because(tokenMismatch, "SecretId", a.SecretID, "got", len(cl.token), "expected", len(a.Token))
	case !a.TokenExpires.IsZero() && !c.Now.Before(a.TokenExpires):
		return tokenFailure.Because(tokenExpired, "SecretId", a.SecretID, "expired", a.TokenExpires.Format(time.RFC3339), "now", c.Now.UTC().Format(time.RFC3339))
	}
	return contract.Verdict{}
}

var (
	wrongVersion    = &contract.Cause{Code: "unknown_version", Text: "The version asked for is {Version}; CAR has " + version + " alone."}
	unknownAction   = &contract.Cause{Code: "unknown_action", Text: "The action asked for is {Action}; the mainland API of CAR has ApplyConcurrent, CreateSession, DestroySession, DescribeConcurrentCount, StartPublishStream, StartPublishStreamWithURL and StopPublishStream. Upper and lower case count."}
	withdrawnAction = &contract.Cause{Code: "action_offline", Text: "The fixture lists {Action} in offline_actions."}
	regionEmpty     = &contract.Cause{Code: "region_empty", Text: "A region was sent and is empty, and the switch empty_region says refuse."}
	regionNotServed = &contract.Cause{Code: "region_not_served", Text: "The region is {region}; the fixture's regions do not list it."}
)

func checkVersion(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	if cl.version == version || cl.version == "" && c.Auth == contract.Off {
		return contract.Verdict{}
	}
	return noSuchVersion.Because(wrongVersion, "Version", cl.version)
}

func checkAction(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	if c.Operation == nil || c.Operation.Name != cl.action {
		return invalidAction.Because(unknownAction, "Action", cl.action)
	}
	if slices.Contains(cl.lists.Offline, cl.action) {
		return actionOffline.Because(withdrawnAction, "Action", cl.action)
	}
	return contract.Verdict{}
}

// checkRegion accepts every region unless the fixture lists regions: CAR neither
// needs nor uses one. A sibling service refused an empty region, but the Go SDK
// always sends Region= with signature v1, and works.
func checkRegion(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	if !cl.regionGiven {
		return contract.Verdict{}
	}
	region := cl.region
	if region == "" {
		if c.Switches.Text("empty_region") != "refuse" {
			return contract.Verdict{}
		}
		v := invalidParameterValue.Because(regionEmpty)
		v.OwnMessage = "A value specified in `X-TC-Region` is not valid, is unsupported, or cannot be used." // sdk-nodejs#56
		if cl.family == v1 {
			v.OwnMessage = strings.Replace(v.OwnMessage, "X-TC-Region", "Region", 1)
		}
		return v
	}
	if len(cl.lists.Regions) > 0 && !slices.Contains(cl.lists.Regions, region) {
		return unsupportedRegion.Because(regionNotServed, "region", region)
	}
	return contract.Verdict{}
}

var deniedByCAM = &contract.Cause{Code: "cam_denied", Text: "The account of SecretId {SecretId} denies {Action} in the fixture."}

func checkPermission(c *contract.Call) contract.Verdict {
	cl := callerOf(c)
	if slices.Contains(cl.account.Deny, cl.action) || slices.Contains(cl.account.Deny, "*") {
		return authUnauthorizedOperation.Because(deniedByCAM, "SecretId", cl.account.SecretID, "Action", cl.action)
	}
	return contract.Verdict{}
}

var (
	addressBlacklisted    = &contract.Cause{Code: "address_blacklisted", Text: "The call came from {address}, which the fixture's ip_blacklist has."}
	addressNotWhitelisted = &contract.Cause{Code: "address_not_whitelisted", Text: "The call came from {address}, which the fixture's ip_whitelist does not have."}
)

func checkSourceAddress(c *contract.Call) contract.Verdict {
	lists := callerOf(c).lists
	if len(lists.Blacklist) == 0 && len(lists.Whitelist) == 0 {
		return contract.Verdict{}
	}
	from := c.Request.Client
	if listContains(lists.Blacklist, from) {
		return ipInBlacklist.Because(addressBlacklisted, "address", from)
	}
	if len(lists.Whitelist) > 0 && !listContains(lists.Whitelist, from) {
		return ipNotInWhitelist.Because(addressNotWhitelisted, "address", from)
	}
	return contract.Verdict{}
}

// listContains reports whether an address, with or without a port, is on a list
// of addresses and networks.
func listContains(list []string, from string) bool {
	if host, _, err := net.SplitHostPort(from); err == nil {
		from = host
	}
	at, err := netip.ParseAddr(from)
	if err != nil {
		return false
	}
	for _, entry := range list {
		if network, err := netip.ParsePrefix(entry); err == nil && network.Contains(at.Unmap()) {
			return true
		}
		if single, err := netip.ParseAddr(entry); err == nil && single.Unmap() == at.Unmap() {
			return true
		}
	}
	return false
}

// rateLimit is the action's documented number of calls per second, counted by
// action, by the edge that received the call, and by account.
func rateLimit(c *contract.Call) contract.Limit {
	if !c.Switches.Bool("rate_limits") {
		return contract.Limit{}
	}
	a := callerOf(c).account
	who := a.Uin
	if who == "" {
		who = a.SecretID
	}
	return contract.Limit{
		Key:   c.Operation.Name + " at " + edgeOf(c.Request.Host) + " by " + who,
		Calls: c.Operation.Rate, Window: time.Second,
	}
}

// edgeOf is the access region that a host name leads to.
func edgeOf(host string) string {
	if rest, ok := strings.CutPrefix(host, "car."); ok {
		if region, _, ok := strings.Cut(rest, ".tencentcloudapi.com"); ok {
			return region
		}
	}
	return "the nearest edge"
}

var notJSON = &contract.Cause{Code: "body_not_json", Text: "The body is no JSON object: {fault}."}

func checkJSON(c *contract.Call) contract.Verdict {
	if err := callerOf(c).jsonErr; err != nil {
		return wire.OrCompressed(c, jsonParseError.Because(notJSON, "fault", err.Error()))
	}
	return contract.Verdict{}
}

var (
	wrongType   = &contract.Cause{Code: "parameter_mistyped", Text: "{Name} is documented as a {type}; what came is {got}."}
	unknownName = &contract.Cause{Code: "parameter_unknown", Text: "{Action} declares no parameter {Name}. Upper and lower case count."}
	missingName = &contract.Cause{Code: "parameter_missing", Text: "{Action} requires {Name}."}
	badValue    = &contract.Cause{Code: "parameter_value", Text: "The value {got} of {Name} is not acceptable: {rule}."}
)

// judgeParameters refuses a request whose parameters do not fit the rows. It
// reports wrong types first, then unknown names, then missing names, then values.
func judgeParameters(_ *contract.Call, found []contract.Violation) contract.Verdict {
	for i := range found {
		if f := &found[i]; f.Rule == contract.Mistyped {
			return invalidParameter.Because(wrongType, "Name", f.Path, "type", f.Param.Type.String(), "got", f.Got)
		}
	}
	for i := range found {
		if f := &found[i]; f.Rule == contract.Unknown {
			return unknownParameter.Because(unknownName, "Name", f.Path)
		}
	}
	for i := range found {
		if f := &found[i]; f.Rule == contract.Missing || f.Rule == contract.Null && f.Param.Need == contract.Required {
			return missingParameter.Because(missingName, "Name", f.Path)
		}
	}
	f := &found[0]
	return invalidParameterValue.Because(badValue, "Name", f.Path, "got", f.Got, "rule", string(f.Rule))
}
