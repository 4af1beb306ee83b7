package tencentcar

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// resign signs any request as the Go SDK does.
func resign(r *contract.Request, id, key string) *contract.Request {
	r.Header.Set("X-Tc-Timestamp", "1700000000")
	if r.Header.Get("X-Tc-Version") == "" {
		r.Header.Set("X-Tc-Version", version)
	}
	cl := &caller{timestamp: "1700000000", account: &account{SecretKey: key}}
	cl.auth = authorization{date: "2023-11-14", service: service, signedHeaders: "content-type;host"}
	s := signingOf(&contract.Call{Request: r}, cl)
	s.variant = variant{host: r.Host, uri: "/"}
	r.Header.Set("Authorization", authorizationHeader(id, "2023-11-14/car", cl.auth.signedHeaders, s.signature()))
	return r
}

// Bad input ends in the documented error and does not change the state.
func TestBadInput(t *testing.T) {
	t.Parallel()
	post := func(body string, headers ...string) *contract.Request {
		r := request("POST", "/", carHost, body, append([]string{"Content-Type", jsonMedia, "X-TC-Action", "ApplyConcurrent"}, headers...)...)
		return resign(r, docID, docKey)
	}
	good := `{"UserId":"u1","UserIp":"1.2.3.4","ProjectId":"cap-abcdefgh"}`
	big := post(good)
	big.Body = append(big.Body, strings.Repeat(" ", 11<<20)...)
	verb := post(good)
	verb.Method = "PUT"
	header := func(name, value string) *contract.Request {
		r := post(good)
		r.Header.Add(name, value)
		return r
	}
	set := func(name, value string) *contract.Request {
		r := post(good)
		r.Header.Set(name, value)
		return r
	}
	form := func(body string) *contract.Request {
		return request("POST", "/", carHost, body, "Content-Type", "application/x-www-form-urlencoded")
	}
	get := func(target string) *contract.Request { return request("GET", target, carHost, "") }
	for name, v := range map[string]struct {
		r    *contract.Request
		want string
	}{
		"truncated JSON":             {post(good[:20]), wantJSON},
		"JSON of another type":       {post(`[]`), wantJSON},
		"null":                       {post(`null`), wantJSON},
		"text after the JSON":        {post(good + "x"), wantJSON},
		"deep nesting":               {post(strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)), wantJSON},
		"invalid UTF-8":              {post("{\"UserId\":\"\xff\"}"), wantJSON},
		"invalid escape":             {post(`{"UserId":"\x"}`), wantJSON},
		"wrong type":                 {post(strings.Replace(good, `"u1"`, `5`, 1)), "InvalidParameter"},
		"wrong type before unknown":  {post(`{"UserId":5,"Foo":1}`), "InvalidParameter"},
		"an object for a string":     {post(`{"UserId":{"a":1}}`), "InvalidParameter"},
		"unknown before missing":     {post(`{"Foo":1}`), "UnknownParameter"},
		"names in other case":        {post(strings.Replace(good, "UserId", "userid", 1)), "UnknownParameter"},
		"empty body":                 {post(""), "MissingParameter"},
		"no member":                  {post("{}"), "MissingParameter"},
		"11 MB body":                 {big, "RequestSizeLimitExceeded"},
		"wrong verb":                 {verb, "UnsupportedProtocol"},
		"two Authorization headers":  {header("Authorization", "SKIP"), "AuthFailure.InvalidAuthorization"},
		"two X-TC-Action headers":    {header("X-TC-Action", "CreateSession"), "InvalidAction"},
		"two X-TC-Timestamp headers": {header("X-TC-Timestamp", "1700000001"), "InvalidParameter"},
		"two X-TC-Version headers":   {header("X-TC-Version", version), "NoSuchVersion"},
		"two Content-Type headers":   {header("Content-Type", "text/plain"), "AuthFailure.SignatureFailure"},
		"no number for a timestamp":  {set("X-TC-Timestamp", "soon"), "InvalidParameter"},
		"a huge timestamp":           {set("X-TC-Timestamp", "9223372036854775807"), "AuthFailure.InvalidAuthorization"},
		"a negative timestamp":       {set("X-TC-Timestamp", "-9223372036854775808"), "AuthFailure.InvalidAuthorization"},
		"nonsense Authorization":     {set("Authorization", "nonsense"), "AuthFailure.InvalidAuthorization"},
		"empty Authorization":        {set("Authorization", ""), "AuthFailure.InvalidAuthorization"},
		"SKIP":                       {set("Authorization", "SKIP"), "AuthFailure.InvalidAuthorization"},
		"multipart":                  {set("Content-Type", "multipart/form-data; boundary=x"), "InvalidRequest"},
		"octets":                     {set("Content-Type", "application/octet-stream"), "InvalidRequest"},
		"JSON sent as a form":        {set("Content-Type", "application/x-www-form-urlencoded"), "InvalidParameter"},
		"a bare GET":                 {get("/"), "MissingParameter"},
		"a GET of 33 KB":             {get("/?a=" + strings.Repeat("x", 33<<10)), "RequestSizeLimitExceeded"},
		"a form of 1 MB and more":    {form("a=" + strings.Repeat("x", 1<<20)), "AuthFailure.SignatureFailure"},
		"a form that names twice":    {form("a=1&a=2"), "InvalidParameter"},
		"a form that is no UTF-8":    {form("a=%ff"), "InvalidParameter"},
		"a form without =":           {form("a"), "InvalidParameter"},
		"no Nonce":                   {form("Timestamp=1700000000&Action=DestroySession&Version=2022-01-10"), "MissingParameter"},
		"a Nonce of 65 bits":         {form("Timestamp=1700000000&Action=DestroySession&Version=2022-01-10&Nonce=18446744073709551616&SecretId=a&Signature=b"), "InvalidParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, conformance.Setting{Fixture: "one"})
			before := w.snapshot()
			got, answer := w.serve(v.r)
			if got.Outcome != v.want {
				t.Errorf("got %s, want %s: %s", got.Outcome, v.want, answer)
			}
			if e := got.Explanation; e == nil || e.Cause == "" || e.Text == "" || strings.Contains(e.Text, "{Name}") {
				t.Errorf("explained as %+v", e)
			}
			if after := w.snapshot(); after != before {
				t.Errorf("the state is now %s", after)
			}
		})
	}
}

// Each contract.Auth checks its part of the credentials.
func TestAuth(t *testing.T) {
	t.Parallel()
	body := `{"UserId":"u1"}`
	bare := func(headers ...string) *contract.Request {
		return request("POST", "/", carHost, body, append([]string{"Content-Type", jsonMedia, "X-TC-Action", "DestroySession"}, headers...)...)
	}
	stale := func() *contract.Request {
		return bare("X-TC-Version", version, "X-TC-Timestamp", "1", "Authorization", authorizationHeader("nobody", "2023-11-14/127", "content-type;host", strings.Repeat("0", 64)))
	}
	form := func(text string) *contract.Request {
		return request("POST", "/", carHost, text, "Content-Type", "application/x-www-form-urlencoded")
	}
	for _, v := range []struct {
		name string
		auth contract.Auth
		r    *contract.Request
		want string
	}{
		{"nothing", contract.Verify, bare(), "MissingParameter"},
		{"nothing", contract.Presence, bare(), "MissingParameter"},
		{"nothing", contract.Off, bare(), success},
		{"stale, unknown SecretId", contract.Verify, stale(), "AuthFailure.InvalidAuthorization"},
		{"stale, unknown SecretId", contract.Presence, stale(), success},
		{"stale, unknown SecretId", contract.Off, stale(), success},
		{"malformed", contract.Presence, bare("X-TC-Version", version, "X-TC-Timestamp", "1", "Authorization", "x"), "AuthFailure.InvalidAuthorization"},
		{"malformed", contract.Off, bare("Authorization", "x"), success},
		{"SKIP", contract.Presence, bare("X-TC-Version", version, "X-TC-Timestamp", "1", "Authorization", "SKIP"), "AuthFailure.InvalidAuthorization"},
		{"no action", contract.Off, request("POST", "/", carHost, body, "Content-Type", jsonMedia), "MissingParameter"},
		{"another version", contract.Off, bare("X-TC-Version", "2021-01-01"), "NoSuchVersion"},
		{"form", contract.Off, form("Action=DestroySession&UserId=u1"), success},
		{"form", contract.Presence, form("Action=DestroySession&UserId=u1&Timestamp=1&Version=2022-01-10&Nonce=1&SecretId=a&Signature=b"), success},
		{"form", contract.Presence, form("Action=DestroySession&UserId=u1&Timestamp=1&Version=2022-01-10&Nonce=1&SecretId=a"), "MissingParameter"},
	} {
		w := newWorld(t, conformance.Setting{Fixture: "one", Auth: v.auth})
		if got, answer := w.serve(v.r); got.Outcome != v.want {
			t.Errorf("%s, %s: got %s, want %s: %s", v.name, v.auth, got.Outcome, v.want, answer)
		}
	}
}

// The fixture's accounts, addresses, regions and actions decide outcomes.
func TestFixtureRows(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		set    map[string]string
		change func(*state)
		id     string
		token  string
		head   []string
		want   string
	}{
		"disabled":                 {change: func(st *state) { st.Accounts[0].Status = "disabled" }, want: "AuthFailure.SecretIdNotFound"},
		"no API key":               {change: func(st *state) { st.Accounts[0].Status = "no_api_key" }, want: "AuthFailure.InvalidSecretId"},
		"mfa":                      {change: func(st *state) { st.Accounts[0].Status = "mfa" }, want: "AuthFailure.MFAFailure"},
		"denied":                   {change: func(st *state) { st.Accounts[0].Deny = []string{"DestroySession"} }, want: "AuthFailure.UnauthorizedOperation"},
		"all denied":               {change: func(st *state) { st.Accounts[0].Deny = []string{"*"} }, want: "AuthFailure.UnauthorizedOperation"},
		"another is denied":        {change: func(st *state) { st.Accounts[0].Deny = []string{"CreateSession"} }, want: success},
		"blacklisted":              {change: func(st *state) { st.Lists.Blacklist = []string{"127.0.0.0/8"} }, want: "IpInBlacklist"},
		"not whitelisted":          {change: func(st *state) { st.Lists.Whitelist = []string{"10.0.0.1"} }, want: "IpNotInWhitelist"},
		"whitelisted":              {change: func(st *state) { st.Lists.Whitelist = []string{"127.0.0.1"} }, want: success},
		"offline":                  {change: func(st *state) { st.Lists.Offline = []string{"DestroySession"} }, want: "ActionOffline"},
		"any region":               {head: []string{"X-TC-Region", "moon"}, want: success},
		"region not served":        {change: func(st *state) { st.Lists.Regions = []string{"ap-guangzhou"} }, head: []string{"X-TC-Region", "moon"}, want: "UnsupportedRegion"},
		"empty region":             {head: []string{"X-TC-Region", ""}, want: success},
		"empty region refuse":      {set: map[string]string{"empty_region": "refuse"}, head: []string{"X-TC-Region", ""}, want: wantValue},
		"token":                    {id: "AKIDtemporaryEXAMPLE", token: "sts-token-example", want: success},
		"no token":                 {id: "AKIDtemporaryEXAMPLE", want: "AuthFailure.TokenFailure"},
		"expired token":            {id: "AKIDtemporaryEXAMPLE", token: "sts-token-example", change: func(st *state) { st.Accounts[1].TokenExpires = conformance.Noon }, want: "AuthFailure.TokenFailure"},
		"token of a permanent key": {token: "sts-token-example", want: success},
		"unknown key":              {id: "nobody", want: "AuthFailure.SecretIdNotFound"},
	} {
		w := newWorld(t, conformance.Setting{Fixture: "one", Set: v.set})
		if v.change != nil {
			w.withState(v.change)
		}
		id := v.id
		if id == "" {
			id = docID
		}
		key := docKey
		if id == "AKIDtemporaryEXAMPLE" {
			key = "temporarySecretKeyEXAMPLE"
		}
		head := append([]string{"Content-Type", jsonMedia, "X-TC-Action", "DestroySession"}, v.head...)
		if v.token != "" {
			head = append(head, "X-TC-Token", v.token)
		}
		if got, answer := w.serve(resign(request("POST", "/", carHost, `{"UserId":"u1"}`, head...), id, key)); got.Outcome != v.want {
			t.Errorf("%s: got %s, want %s: %s", name, got.Outcome, v.want, answer)
		}
	}
}

// The CAM message has the RequestId of the answer.
func TestUnauthorizedHasTheRequestID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, conformance.Setting{Fixture: "one"})
	w.withState(func(st *state) { st.Accounts[0].Deny = []string{"*"} })
	_, answer := w.serve(w.signed("DestroySession", contract.Values{"UserId": "u1"}))
	var body struct {
		Response struct {
			Error     problem
			RequestID string `json:"RequestId"`
		}
	}
	if err := json.Unmarshal(answer, &body); err != nil {
		t.Fatal(err)
	}
	want := "[[request id:" + body.Response.RequestID + "]you are not authorized to perform operation (car:DestroySession)\nresource (*) has no permission\n]"
	if got := body.Response.Error.Message; !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want it to end in %q", got, want)
	}
}

// A call with any body or query leaves a state that can be restored, and changes
// nothing if it fails.
func FuzzBody(f *testing.F) {
	for i, op := range operations {
		sample := wire.EncodeRows(op.Params, contract.Sample(op.Params))
		f.Add(sample, byte(i), byte(0))
		f.Add(sample[:len(sample)/2], byte(i), byte(0))
	}
	f.Add([]byte("Action=CreateSession&UserId=cg_user&UserIp=%ff&Timestamp=1700000000&Version=2022-01-10"), byte(1), byte(1))
	f.Add([]byte("UserId=cg_user&UserIp=1.2.3.4&RunMode=RunWithoutClient&HostUserId=x&Role=Viewer"), byte(1), byte(2))
	f.Fuzz(func(t *testing.T, body []byte, action, kind byte) {
		w := newWorld(t, conformance.Setting{Auth: contract.Off})
		op := operations[int(action)%len(operations)]
		media := []string{jsonMedia, "application/x-www-form-urlencoded"}[kind%2]
		r := request("POST", "/", carHost, string(body), "Content-Type", media, "X-TC-Action", op.Name, "Authorization", "x")
		if kind%3 == 2 {
			r = request("GET", "/", carHost, "", "X-TC-Action", op.Name, "Authorization", "x")
			r.URL.RawQuery = string(body)
		}
		before := w.snapshot()
		e, _ := w.serve(r)
		if after := w.snapshot(); e.Outcome != success && after != before {
			t.Errorf("%s changed the state", e.Outcome)
		}
		w.checkRestore(1)
	})
}
