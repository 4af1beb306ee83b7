package adobepass

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// givens are what can have happened before a test begins.
var givens = []*contract.Trigger{
	{
		Name: "token", Do: givenToken,
		Doc: "A client was given an access token.",
		Params: []contract.Param{
			{Name: "token", Max: 4096, Example: "given-token", Doc: "The token, taken as it is until it ends; a JWT unless said otherwise."},
			givenClientRow,
			{Name: "ends_in", Type: contract.Duration, Example: "5s", Doc: "When it ends; as if it had just been given unless said otherwise."},
		},
	},
	{
		Name: "code", Do: givenCode,
		Doc: "A session was created and nobody has logged in yet: its code waits.",
		Params: []contract.Param{
			{Name: "code", Max: 7, Example: "GIVEN01", Doc: "The authentication code: seven capital letters and digits; a new one unless said otherwise."},
			givenProviderRow, givenMVPDRow, givenClientRow, givenDeviceRow,
			{Name: "ends_in", Type: contract.Duration, Example: "5s", Doc: "When it ends; as if it had just been created unless said otherwise."},
		},
	},
	{
		Name: "profile", Do: givenProfile,
		Doc: "A user has logged in: the device has a profile.",
		Params: []contract.Param{
			givenProviderRow, givenMVPDRow, givenClientRow, givenDeviceRow,
			{Name: "username", Doc: "Who; the first user unless said otherwise."},
			{Name: "ends_in", Type: contract.Duration, Example: "5s", Doc: "When it ends; as if the user had just logged in unless said otherwise."},
		},
	},
	{
		Name: "trial", Do: givenTrial,
		Doc: "A TempPass was begun on a device, and resources were watched.",
		Params: []contract.Param{
			givenProviderRow,
			{Name: "mvpd", Need: contract.Required, Example: "flexibleTempPass", Doc: "The MVPD: a TempPass that is basic or promotional."},
			givenClientRow, givenDeviceRow,
			{Name: "used", Type: contract.Integer, Min: 1, Max: maxUsed, Example: "4", Doc: "How many resources were watched; one unless said otherwise. Only a promotional one counts them."},
			{Name: "identity", Max: 1024, Example: "someone@example.com", Doc: "What stands under the fixture's temp_key in AP-TempPass-Identity; a promotional TempPass needs it."},
			{Name: "age", Type: contract.Duration, Example: "30s", Doc: "How long ago it was begun."},
		},
	},
}

// The rows that say whose it is. Without them it is that of a documented sample.
var (
	givenProviderRow = contract.Param{Name: "service_provider", Example: "REF30", Doc: "The service provider; the first one unless said otherwise."}
	givenMVPDRow     = contract.Param{Name: "mvpd", Example: "Cablevision", Doc: "The MVPD; the first of the service provider that has a login unless said otherwise."}
	givenClientRow   = contract.Param{Name: "client_id", Example: "s6BhdRkqt3", Doc: "The client; that of the fixture's first token, or else a new one of the first software statement, unless said otherwise. Where the sandbox has a statement of its own, the first client that registers with it stands for that of the token."}
	givenDeviceRow   = contract.Param{Name: "device", Max: longestDevice, Example: sampleDevice, Doc: "The device, as AP-Device-Identifier has it; that of the samples unless said otherwise, which understudy call sends, too."}
)

// A givenOwner says whose something is.
type givenOwner struct {
	provider, client, device string
}

// ownerOfGiven reads whose it is.
func ownerOfGiven(c *contract.Call) (o givenOwner, err error) {
	st := c.State.(*state)
	if o.provider = c.In.Text("service_provider"); o.provider == "" && len(st.Providers) > 0 {
		o.provider = st.Providers[0].ID
	}
	device := cmp.Or(c.In.Text("device"), givenDeviceRow.Example)
	var ok bool
	if o.device, ok = deviceID(device); !ok {
		return o, fmt.Errorf("device is %.80q; fingerprint and base64 were expected, as AP-Device-Identifier has it", device)
	}
	o.client, err = clientOfGiven(c)
	return o, err
}

// clientOfGiven finds the client. Where the fixture lists no token it registers one as
// RegisterClient does.
func clientOfGiven(c *contract.Call) (string, error) {
	st, id := c.State.(*state), c.In.Text("client_id")
	if id != "" {
		if st.Clients[id] == nil {
			return "", fmt.Errorf("client_id is %.80q, and no such client is registered", id)
		}
		return id, nil
	}
	if len(st.Tokens) > 0 && st.Clients[st.Tokens[0].Client] != nil {
		return st.Tokens[0].Client, nil
	}
	statement := ""
	if len(st.Software) > 0 {
		statement = st.Software[0].Statement
	}
	past := c.Earlier(c.Now.Add(-24*time.Hour), registerClient, contract.Values{"software_statement": statement})
	result, err := past.Succeed()
	if err != nil {
		return "", err
	}
	return result.(*registration).ClientID, nil
}

// begunAt is when something began that lives for a time and ends in the time that
// is given.
func begunAt(c *contract.Call, lives time.Duration, by string) (time.Time, error) {
	left := c.In.Duration("ends_in")
	if !c.In.Has("ends_in") {
		left = lives
	}
	if left > lives {
		return c.Now, fmt.Errorf("ends_in is %s; it is valid for %s, which is the most: %s says so", left, lives, by)
	}
	return c.Now.Add(left - lives), nil
}

func givenToken(c *contract.Call) error {
	st, text := c.State.(*state), c.In.Text("token")
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("token is %.80q, which no Authorization header carries; ASCII letters, digits and signs without blanks were expected", text)
	}
	client, err := clientOfGiven(c)
	if err != nil {
		return err
	}
	at, err := begunAt(c, c.Switches.Duration("token_ttl"), "the switch token_ttl")
	if err != nil {
		return err
	}
	past := c.Earlier(at, createToken, contract.Values{"client_id": client, "client_secret": st.Clients[client].Secret, "grant_type": "client_credentials"})
	result, err := past.Succeed()
	if err != nil {
		return err
	}
	issued := result.(*accessToken).Token
	if text == "" {
		jwt, err := issued.MarshalJSON()
		if err == nil {
			err = json.Unmarshal(jwt, &text)
		}
		if err != nil {
			return fmt.Errorf("signing the token: %w", err)
		}
	}
	return st.addToken(fixedToken{Token: text, Client: client, Issued: issued.claims.Issued, Expires: issued.claims.Expires})
}

func givenCode(c *contract.Call) error {
	st, code := c.State.(*state), c.In.Text("code")
	o, err := ownerOfGiven(c)
	if err != nil {
		return err
	}
	at, err := begunAt(c, c.Switches.Duration("code_ttl"), "the switch code_ttl")
	if err != nil {
		return err
	}
	if code != "" && (!wellFormedCode(code) || st.Sessions[code] != nil) {
		return fmt.Errorf("code is %.20q; one of six or seven capital letters and digits that no session has was expected", code)
	}
	if old := st.unfinished[creator{o.client, o.device, o.provider}]; old.valid(at.UnixMilli()) && c.Switches.Bool("new_code_voids_old") {
		return fmt.Errorf("a newer code of the same client, device and service provider voids the code %s; give it another device", old.Code)
	}
	past := c.Earlier(at, createSession, contract.Values{
		"serviceProvider": o.provider, "mvpd": cmp.Or(c.In.Text("mvpd"), st.defaultMVPD(o.provider)), "domainName": "adobe.com", "redirectUrl": "https://adobe.com",
	})
	past.Caller = &caller{client: o.client, device: o.device, wantedCode: code}
	result, err := past.Succeed()
	if err != nil {
		return err
	}
	if r, is := result.(*sessionReply); !is || r.Code == "" {
		return fmt.Errorf("CreateSession would have given no code: no login is needed with this mvpd on this device")
	}
	return nil
}

func givenProfile(c *contract.Call) error {
	st := c.State.(*state)
	o, err := ownerOfGiven(c)
	if err != nil {
		return err
	}
	id := cmp.Or(c.In.Text("mvpd"), st.defaultMVPD(o.provider))
	at, err := begunAt(c, st.authnTTL(c, id), "authn_ttl of the mvpd, or the switch")
	if err != nil {
		return err
	}
	in := contract.Values{"serviceProvider": o.provider, "mvpd": id, "domainName": "adobe.com", "redirectUrl": "https://adobe.com"}
	// A code that waits goes on to wait: the login that is given was before it.
	owner := creator{o.client, o.device, o.provider}
	if waiting := st.unfinished[owner]; waiting != nil {
		delete(st.unfinished, owner)
		defer func() { st.unfinished[owner] = waiting }()
	}
	created := c.Earlier(at, createSession, in)
	created.Caller = &caller{client: o.client, device: o.device}
	result, err := created.Succeed()
	if err != nil {
		return err
	}
	r, is := result.(*sessionReply)
	if !is || r.Code == "" {
		return fmt.Errorf("CreateSession would have given no code: no login is needed with this mvpd on this device")
	}
	login := c.Earlier(at, submitLogin, contract.Values{"reg_code": r.Code, "action": "allow", "username": c.In.Text("username")})
	login.Caller = &caller{}
	if name := c.In.Text("username"); st.user(name) == nil && name != "" {
		return fmt.Errorf("username is %.80q, and no such user is among the fixture's", name)
	}
	_, err = login.Succeed()
	return err
}

func givenTrial(c *contract.Call) error {
	st, id := c.State.(*state), c.In.Text("mvpd")
	o, err := ownerOfGiven(c)
	if err != nil {
		return err
	}
	m := st.mvpd(id)
	if m == nil || m.TempPass == "" || !st.provider(o.provider).integrates(id) {
		return fmt.Errorf("mvpd is %.80q, which is no TempPass of service provider %.80q", id, o.provider)
	}
	in := contract.Values{"serviceProvider": o.provider, "mvpd": id}
	if identity := c.In.Text("identity"); identity != "" {
		in[identityHeader] = base64.StdEncoding.EncodeToString(wire.Encode(contract.Values{m.TempKey: identity}))
	}
	past := c.Earlier(c.Now.Add(-c.In.Duration("age")), authorize, in)
	past.Caller = &caller{client: o.client, device: o.device}
	h := holderOf(past, id)
	for n := range max(1, c.In.Int("used")) {
		resource := "given-" + strconv.FormatInt(n+1, 10)
		if denied, why := st.trialDenial(past, m, h, resource); denied != nil {
			text := trialRefusal(denied).Because(why, "mvpd", id).Explain(past).Text
			return fmt.Errorf("resource %d would have been denied with %s: %s", n+1, denied.code, text)
		}
		st.useTrial(past, m, h, resource)
	}
	return nil
}
