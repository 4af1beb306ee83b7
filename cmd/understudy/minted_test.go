package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/server"
)

// makeBox makes a sandbox as a job would.
func makeBox(t *testing.T, s *server.Server, body map[string]any) *madeSandbox {
	t.Helper()
	c, err := client.New(s.ControlURL, "", "")
	if err != nil {
		t.Fatal(err)
	}
	box := &madeSandbox{}
	if err := c.Send(t.Context(), http.MethodPost, client.Path("sandboxes"), body, box); err != nil {
		t.Fatal(err)
	}
	return box
}

// An unchanged client has the address of an API and the credentials of one sandbox,
// and says nothing else about where it belongs.
type unchanged struct {
	t           *testing.T
	api         *contract.API
	base        string // of the API's own port, or of the door
	box         string // where its calls have to arrive
	credentials contract.Values
	calls       int
}

func newUnchanged(t *testing.T, base, api string, box *madeSandbox) *unchanged {
	t.Helper()
	found, err := findAPI(api)
	if err != nil {
		t.Fatal(err)
	}
	return &unchanged{t: t, api: found, base: base, box: box.Name, credentials: maps.Clone(contract.Values(box.Credentials[api]))}
}

// An answered call, as its client sees it.
type answered struct {
	header http.Header
	body   string
}

// member is a member of a JSON object that was answered.
func (a *answered) member(t *testing.T, name string) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(a.body), &members); err != nil || members[name] == nil {
		t.Fatalf("there is no %s in %s", name, a.body)
	}
	return fmt.Sprint(members[name])
}

// sign makes the request of a client library.
func (u *unchanged) sign(operation string, in contract.Values, host string) *http.Request {
	u.t.Helper()
	op := u.api.Operation(operation)
	at, err := url.Parse(u.base)
	if err != nil {
		u.t.Fatal(err)
	}
	if host == "" {
		host = at.Host
	}
	r, err := u.api.Sign(contract.Draft{Operation: op, In: in, Host: host, Credentials: u.credentials, Now: time.Now()})
	if err != nil {
		u.t.Fatalf("%s: %v", operation, err)
	}
	q, err := http.NewRequestWithContext(u.t.Context(), r.Method, u.base+r.Target, bytes.NewReader(r.Body))
	if err != nil {
		u.t.Fatal(err)
	}
	q.Header, q.Host = r.Header, host
	return q
}

// ask sends a request that has to arrive in the client's sandbox, and to end so.
func (u *unchanged) ask(r *http.Request, outcome string) *answered {
	u.t.Helper()
	answer, err := client.DirectHTTP(time.Minute).Do(r)
	if err != nil {
		u.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		u.t.Fatal(err)
	}
	u.calls++
	if call, ended := answer.Header.Get("Understudy-Call"), answer.Header.Get("Understudy-Outcome"); !strings.HasPrefix(call, u.box+"-") || !strings.HasSuffix(ended, "/"+outcome) {
		u.t.Errorf("%s %s: the call is %s and ended in %s; a call of %s that ends in %s was expected: %s", r.Method, r.URL, call, ended, u.box, outcome, body)
	}
	return &answered{answer.Header, string(body)}
}

func (u *unchanged) call(operation string, in contract.Values, outcome string) *answered {
	u.t.Helper()
	return u.ask(u.sign(operation, in, ""), outcome)
}

// sample calls an operation with the values of the documentation, but those by which
// its client is known.
func (u *unchanged) sample(operation, outcome string) *answered {
	u.t.Helper()
	return u.call(operation, u.sampleOf(operation), outcome)
}

func (u *unchanged) sampleOf(operation string) contract.Values {
	in := contract.Sample(u.api.Operation(operation).Params)
	for _, name := range []string{"accessToken", "params", "software_statement"} {
		delete(in, name)
	}
	return in
}

// browse opens an address as a browser does, with a form where there is one.
func (u *unchanged) browse(address string, form url.Values, outcome string) *answered {
	u.t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(u.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		u.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return u.ask(r, outcome)
}

// A flow is what a client of an API does from its credentials on.
var flows = map[string]func(*unchanged){
	"tencentcar": func(u *unchanged) {
		user := contract.Values{"UserId": "u-1", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30=", "ProjectId": "cap-abcdefgh"}
		with := func(names ...string) contract.Values {
			in := contract.Values{}
			for _, name := range names {
				in[name] = user[name]
			}
			return in
		}
		u.call("ApplyConcurrent", with("UserId", "UserIp", "ProjectId"), "success")
		u.call("CreateSession", with("UserId", "UserIp", "ClientSession"), "success")
		u.call("DescribeConcurrentCount", with("ProjectId"), "success")
		u.call("StartPublishStream", with("UserId"), "success")
		u.call("StartPublishStreamWithURL", contract.Values{"UserId": "u-1", "PublishStreamURL": "rtmp://live.example/app/stream"}, "success")
		u.call("StopPublishStream", with("UserId"), "success")
		u.call("DestroySession", with("UserId"), "success")
	},
	"polyv": func(u *unchanged) {
		for _, op := range u.api.Operations {
			u.sample(op.Name, op.Outcomes[0].Name)
		}
	},
	"youdu":      youduFlow,
	"adobepass":  passFlow,
	"adobemedia": mediaFlow,
}

// youduFlow has the buin and the appId first, and then the token alone.
func youduFlow(u *unchanged) {
	delete(u.credentials, "accessToken")
	sealed := u.sample("GetToken", "success").member(u.t, "encrypt")
	var token struct{ AccessToken string }
	if err := json.Unmarshal(opened(u.t, u.credentials.Text("aesKey"), sealed), &token); err != nil || token.AccessToken == "" {
		u.t.Fatalf("got the token %+v, %v", token, err)
	}
	u.credentials["accessToken"] = token.AccessToken
	for _, op := range u.api.Operations[1:] {
		u.sample(op.Name, "success")
	}
	// A session is read with the token alone: the request is a GET without an envelope.
	alone := maps.Clone(u.credentials)
	delete(alone, "buin")
	delete(alone, "appId")
	u.credentials = alone
	u.sample("GetSession", "success")
}

// opened decrypts an envelope as a client library does.
func opened(t *testing.T, aesKey, sealed string) []byte {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(aesKey)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(text) == 0 || len(text)%aes.BlockSize != 0 {
		t.Fatalf("%q is no envelope: %v", sealed, err)
	}
	cipher.NewCBCDecrypter(block, key[:aes.BlockSize]).CryptBlocks(text, text)
	size := binary.BigEndian.Uint32(text[16:20])
	if int(size) > len(text)-20 {
		t.Fatalf("%q is encrypted with another key", sealed)
	}
	return text[20 : 20+size]
}

// register makes a new client of the software statement, which calls from then on.
func (u *unchanged) register() {
	u.t.Helper()
	delete(u.credentials, "accessToken")
	known := u.sample("RegisterClient", "success")
	token := u.call("CreateToken", contract.Values{
		"client_id": known.member(u.t, "client_id"), "client_secret": known.member(u.t, "client_secret"), "grant_type": "client_credentials",
	}, "success")
	u.credentials["accessToken"] = token.member(u.t, "access_token")
}

// passFlow is an application on a television, a browser, and a telephone where the user
// enters the code.
func passFlow(u *unchanged) {
	const device = "AP-Device-Identifier"
	u.register()
	provider := contract.Values{"serviceProvider": "REF30", device: "fingerprint dGVsZXZpc2lvbg=="}
	with := func(more contract.Values) contract.Values {
		in := maps.Clone(provider)
		maps.Copy(in, more)
		return in
	}
	u.call("GetConfiguration", contract.Values{"serviceProvider": "REF30"}, "success")
	begun := u.call("CreateSession", with(nil), "missingParameters")
	code := begun.member(u.t, "code")
	television := u.credentials

	// The telephone is another client, which has the code from its user.
	u.credentials = maps.Clone(television)
	u.register()
	u.call("GetSession", contract.Values{"serviceProvider": "REF30", "code": code, device: "fingerprint dGVsZXBob25l"}, "success")
	u.call("ResumeSession", contract.Values{
		"serviceProvider": "REF30", "code": code, device: "fingerprint dGVsZXBob25l",
		"mvpd": "Cablevision", "domainName": "adobe.com", "redirectUrl": "https://adobe.com/back",
	}, "authenticate")

	// Its browser has the code in the address and in the form, and nothing else.
	page := u.browse(u.base+"/api/v2/authenticate/REF30/"+code, nil, "success").header.Get("Location")
	if !strings.HasPrefix(page, u.base+"/") {
		u.t.Fatalf("the browser is led to %q, away from %s", page, u.base)
	}
	shown := u.browse(page, nil, "success")
	entered := regexp.MustCompile(`name="reg_code" value="([^"]+)"`).FindStringSubmatch(shown.body)
	if entered == nil {
		u.t.Fatalf("the page has no code: %s", shown.body)
	}
	bare, _, _ := strings.Cut(page, "?")
	u.browse(bare, url.Values{"reg_code": {entered[1]}, "action": {"deny"}}, "deny")
	if back := u.browse(bare, url.Values{"reg_code": {entered[1]}, "action": {"allow"}}, "allow"); back.header.Get("Location") != "https://adobe.com/back" {
		u.t.Errorf("the browser is led back to %q", back.header.Get("Location"))
	}

	u.credentials = television
	u.call("GetProfileByCode", with(contract.Values{"code": code}), "success")
	for _, operation := range []string{"GetProfiles", "GetProfile"} {
		if got := u.call(operation, with(contract.Values{"mvpd": "Cablevision"}), "success"); !strings.Contains(got.body, `"Cablevision":`) {
			u.t.Errorf("%s: the television has no profile: %s", operation, got.body)
		}
	}
	for _, operation := range []string{"Preauthorize", "Authorize"} {
		u.call(operation, with(contract.Values{"mvpd": "Cablevision", "resources": []any{"resource1"}}), "success")
	}
	out := u.call("Logout", with(contract.Values{"mvpd": "Cablevision", "redirectUrl": "https://adobe.com/out"}), "logout")
	var logout struct {
		Logouts map[string]struct{ URL string }
	}
	if err := json.Unmarshal([]byte(out.body), &logout); err != nil || logout.Logouts["Cablevision"].URL == "" {
		u.t.Fatalf("the logout has no address: %s", out.body)
	}
	u.browse(logout.Logouts["Cablevision"].URL, nil, "success")
}

// mediaFlow has the organisation and the report suite first, and then the id of the
// session alone.
func mediaFlow(u *unchanged) {
	started := u.sample("StartSession", "created").header.Get("Location")
	owner := u.credentials
	u.credentials = contract.Values{}
	sid := started[strings.LastIndex(started, "/")+1:]
	for _, event := range []string{"play", "ping", "sessionComplete"} {
		u.call("SendEvent", contract.Values{"sid": sid, "eventType": event}, u.api.Operation("SendEvent").Outcomes[0].Name)
	}
	u.credentials = owner
	u.call("SendDownloaded", contract.Values{}, u.api.Operation("SendDownloaded").Outcomes[0].Name)
	u.call("SendBatch", contract.Values{}, u.api.Operation("SendBatch").Outcomes[0].Name)
}

// The credentials of a sandbox lead to it from beginning to end: what is issued on the
// way leads there too. No call of another sandbox does, and none is counted elsewhere.
func TestMintedCredentialsLead(t *testing.T) {
	t.Parallel()
	for _, door := range []string{"own port", "door"} {
		t.Run(door, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			boxes := []*madeSandbox{makeBox(t, s, map[string]any{}), makeBox(t, s, map[string]any{})}
			calls := map[string]int{}
			for _, name := range apiNames() {
				for _, box := range boxes {
					base := s.DoorURL
					if door != "door" {
						base = s.URL(name)
					}
					u := newUnchanged(t, base, name, box)
					flows[name](u)
					calls[box.Name] += u.calls
				}
			}
			for _, box := range boxes {
				checkFound(t, s, box.Name, calls[box.Name])
			}
			checkFound(t, s, "default", 0)
		})
	}
}

// checkFound holds a sandbox's journal against how many calls it had. All of them were
// found by what they carry.
func checkFound(t *testing.T, s *server.Server, box string, calls int) {
	t.Helper()
	entries, _ := s.Registry.Find(box).Journal.List(journal.Filter{})
	if len(entries) != calls {
		t.Errorf("the journal of %s has %d calls, want %d", box, len(entries), calls)
	}
	for i := range entries {
		if e := &entries[i]; e.FoundBy != "word" {
			t.Errorf("%s %s found its sandbox by %s, want by word", e.ID, e.Operation, e.FoundBy)
		}
	}
}

// firstCalls are calls that a client makes with nothing but its credentials, how they
// end, and how they end in a sandbox that does not know these.
var firstCalls = []struct{ api, operation, known, unknown string }{
	{"tencentcar", "CreateSession", "success", "AuthFailure.SecretIdNotFound"},
	{"polyv", "ListSessions", "success", "applicationNotFound"},
	{"youdu", "GetToken", "success", "INVALID_APPID"},
	{"youdu", "GetSession", "success", "ACCESSTOKEN_NOTEXIST"},
	{"adobepass", "RegisterClient", "success", "unapproved_software_statement"},
	{"adobepass", "GetConfiguration", "success", "invalid_access_token_client_application"},
	{"adobemedia", "StartSession", "created", "created"}, // the service asks for no proof
}

// Where something names the sandbox, the word of another one is unknown there, and the
// documented credentials count beside its own.
func TestNamedSandboxRefusesForeignCredentials(t *testing.T) {
	t.Parallel()
	s := start(t)
	one, two := makeBox(t, s, map[string]any{}), makeBox(t, s, map[string]any{})
	documented := &madeSandbox{}
	c, err := client.New(s.ControlURL, "default", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Get(t.Context(), c.InSandbox(), documented); err != nil {
		t.Fatal(err)
	}
	for _, first := range firstCalls {
		name, base := first.api, s.URL(first.api)
		for _, tt := range []struct {
			whose   *madeSandbox
			outcome string
		}{{one, first.unknown}, {two, first.known}, {documented, first.known}} {
			for _, leads := range []string{"header", "path", "host"} {
				u := newUnchanged(t, base, name, tt.whose)
				u.box = two.Name
				host := ""
				switch leads {
				case "path":
					u.base += "/@" + two.Name
				case "host":
					host = two.Name + "." + name + ".localhost"
				}
				r := u.sign(first.operation, u.sampleOf(first.operation), host)
				if leads == "header" {
					r.Header.Set("Understudy-Sandbox", two.Name)
				}
				u.ask(r, tt.outcome)
				if e, _ := s.Registry.Find(two.Name).Journal.List(journal.Filter{Limit: 1}); len(e) == 0 || e[0].FoundBy != leads {
					t.Errorf("%s: the call found its sandbox otherwise than by %s", name, leads)
				}
			}
		}
	}
	checkFound(t, s, one.Name, 0)
	checkFound(t, s, "default", 0)
	u := newUnchanged(t, s.URL("adobemedia"), "adobemedia", one)
	sid := path.Base(u.sample("StartSession", "created").header.Get("Location"))
	r := u.sign("SendEvent", contract.Values{"sid": sid, "eventType": "play"}, "")
	r.Header.Set("Understudy-Sandbox", two.Name)
	u.box = two.Name
	u.ask(r, "sessionNotFound")
}

// receiver is a client's side: it tells of each callback that it gets.
func receiver(t *testing.T) (address string, got <-chan string) {
	t.Helper()
	all := make(chan string, 100)
	side := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		all <- r.URL.RequestURI() + " " + string(body)
	}))
	t.Cleanup(side.Close)
	return side.URL + "/receive", all
}

// Callbacks of a sandbox go to its own client's side, whatever happens in another at the
// same time. Each is sent once, so that none goes astray where all arrive.
func TestCallbacksStayInTheirSandbox(t *testing.T) {
	t.Parallel()
	s := start(t)
	type side struct {
		box *madeSandbox
		got <-chan string
	}
	var sides []side
	for range 2 {
		address, got := receiver(t)
		sides = append(sides, side{makeBox(t, s, map[string]any{"set": map[string]any{"youdu.callback_url": address, "polyv.callback_url": address}}), got})
	}
	for _, channel := range []string{"2272655", "2272657"} {
		for i, one := range sides {
			if i == 0 || channel == "2272655" {
				at(t, s, "trigger", "polyv", "stream.started", "channelId="+channel, "--sandbox", one.box.Name).want(t, exitDone)
			}
		}
	}
	first := newUnchanged(t, s.URL("youdu"), "youdu", sides[0].box)
	first.sample("SendMessage", "success")
	for i, wanted := range [][]string{{"channelId=2272655", "channelId=2272657", `"toApp":"sysMsgMonitor"`}, {"channelId=2272655"}} {
		var all []string
		for range wanted {
			select {
			case got := <-sides[i].got:
				all = append(all, got)
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: got %q; callbacks with %q were expected", sides[i].box.Name, all, wanted)
			}
		}
		for _, want := range wanted {
			if !slices.ContainsFunc(all, func(got string) bool { return strings.Contains(got, want) }) {
				t.Errorf("%s: got %q; a callback with %q was expected", sides[i].box.Name, all, want)
			}
		}
	}
}

// A server that masks secrets hands out the credentials that it makes, once: to whom it
// makes the sandbox for. All others stay masked, which env says.
func TestMintedCredentialsUnderRedact(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *server.Config) { c.Redact = true })
	box := makeBox(t, s, map[string]any{})
	for _, name := range apiNames() {
		flows[name](newUnchanged(t, s.URL(name), name, box))
	}
	c, err := client.New(s.ControlURL, "", "")
	if err != nil {
		t.Fatal(err)
	}
	var shown json.RawMessage
	if err := c.Get(t.Context(), client.Path("sandboxes", box.Name), &shown); err != nil || !strings.Contains(string(shown), contract.Redacted) {
		t.Errorf("the sandbox is shown as %s, %v", shown, err)
	}
	for _, credential := range []string{box.Env["TENCENTCLOUD_SECRET_KEY"], box.Env["POLYV_APP_SECRET"]} {
		if credential == "" || strings.Contains(string(shown), credential) {
			t.Errorf("%q is told again, or was not told at all", credential)
		}
	}
	for _, args := range [][]string{{"--sandbox", "auto"}, {"--sandbox", "fresh"}} {
		made := at(t, s, append([]string{"env"}, args...)...)
		made.want(t, exitDone, "export POLYV_APP_SECRET=")
		if strings.Contains(made.out, contract.Redacted) || made.err != "" {
			t.Errorf("env %v: %s%s", args, made.out, made.err)
		}
	}
	for _, name := range []string{"default", "fresh"} {
		r := at(t, s, "env", "--sandbox", name)
		r.want(t, exitDone, "POLYV_APP_SECRET='"+contract.Redacted+"'", "!POLYV_APP_SECRET", "!no client can use it", "!--sandbox auto")
	}
}
