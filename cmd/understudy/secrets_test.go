package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/server"
)

// canaries are the values of the variables that APIs declare: by variable, and the
// secret ones.
func canaries() (vars map[string]string, secrets []string) {
	vars = map[string]string{}
	for _, api := range emulators.All {
		for _, c := range api.Credentials {
			if c.Env == "" {
				continue
			}
			vars[c.Env] = "own-" + strings.ToLower(c.Name)
			switch {
			case c.Name == "buin":
				vars[c.Env] = "4711"
			case c.Identifier:
			case c.Name == "aesKey":
				vars[c.Env] = base64.StdEncoding.EncodeToString([]byte(">>canary?of?aesKey?~of?32?bytes<"))
			default:
				vars[c.Env] = "canary/+&" + c.Name + "=\"<ü>"
			}
			if !c.Identifier {
				secrets = append(secrets, vars[c.Env])
			}
		}
	}
	return vars, secrets
}

// spellings are the encodings in which a secret is looked for. They are written
// down here anew, so that the test does not believe what it tests.
func spellings(secret string) []string {
	b := []byte(secret)
	var percent strings.Builder
	for _, c := range b {
		fmt.Fprintf(&percent, "%%%02x", c)
	}
	marshalled, _ := json.Marshal(secret)
	return []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), percent.String(), strings.Trim(string(marshalled), `"`),
		base64.StdEncoding.EncodeToString(b), base64.URLEncoding.EncodeToString(b), base64.RawStdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b),
		base64.StdEncoding.EncodeToString(append([]byte("user:"), b...))[8:16], hex.EncodeToString(b), secret[:len(secret)*2/3],
	}
}

// leaks reports which of the needles, all in lower case, stand in a text.
func leaks(t *testing.T, where, text string, needles []string) {
	t.Helper()
	folded := strings.ToLower(text)
	for _, s := range needles {
		if at := strings.Index(folded, s); at >= 0 {
			t.Errorf("%s tells the secret %s: …%q…", where, s, folded[max(0, at-100):min(len(folded), at+len(s)+40)])
		}
	}
}

// logged is a log that several goroutines write.
type logged struct {
	sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Buffer.Write(p)
}

func (l *logged) text() string {
	l.Lock()
	defer l.Unlock()
	return l.String()
}

// send sends a request to an API's port, and returns the answer's body.
func sendTo(t *testing.T, s *server.Server, api *contract.API, r *contract.Request) string {
	t.Helper()
	q, err := http.NewRequest(r.Method, s.URL(api.Name)+r.Target, bytes.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	q.Host = r.Host
	for name, values := range r.Header {
		q.Header[name] = values
	}
	answer, err := client.DirectHTTP(time.Minute).Do(q)
	if err != nil {
		t.Fatal(err)
	}
	return bodyOf(t, answer)
}

// askControl asks the control API, and returns what it answers.
func askControl(t *testing.T, s *server.Server, method, path, kind, body string) (int, string) {
	t.Helper()
	q, err := http.NewRequest(method, s.ControlURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		q.Header.Set("Content-Type", kind)
	}
	answer, err := client.DirectHTTP(time.Minute).Do(q)
	if err != nil {
		t.Fatal(err)
	}
	var header strings.Builder
	_ = answer.Header.Write(&header)
	return answer.StatusCode, header.String() + bodyOf(t, answer)
}

// carry sends requests that carry a secret wherever a client may put one.
func carry(t *testing.T, s *server.Server, api *contract.API, secret string) {
	t.Helper()
	var forms []string
	for i, f := range spellings(secret) {
		if i < 6 || i == 10 {
			forms = append(forms, f)
		}
	}
	id := api.Credentials[0].Name
	for _, op := range api.Operations[len(api.Operations)-1:] {
		path := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(op.Path, "x")
		for _, f := range forms {
			escaped := url.QueryEscape(f)
			ascii := strings.Map(func(r rune) rune {
				if r < ' ' || r > '~' {
					return '?'
				}
				return r
			}, f)
			object, _ := json.Marshal(map[string]any{id: f, "SecretKey": f, "deep": []any{map[string]any{"x": f}}, f: 1})
			for _, r := range []*contract.Request{
				{Method: op.Method, Target: path + "?" + id + "=" + escaped + "&x=" + escaped + "&" + escaped + "=1"},
				{Method: op.Method, Target: path + "/" + url.PathEscape(f)},
				{Method: "POST", Target: path, Header: http.Header{"Content-Type": {"application/json"}, "X-Tc-Action": {op.Name}}, Body: object},
				{Method: "POST", Target: path, Header: http.Header{"Content-Type": {"application/json"}}, Body: object[:len(object)-3]},
				{Method: "POST", Target: path, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(id + "=" + escaped + "&SecretKey=" + escaped)},
				{Method: "POST", Target: path, Header: http.Header{"Content-Type": {"multipart/form-data; boundary=b"}}, Body: []byte("--b\r\nContent-Disposition: form-data; name=\"" + id + "\"\r\n\r\n" + f + "\r\n--b--\r\n")},
				{Method: op.Method, Target: path, Header: http.Header{
					"Authorization": {"TC3-HMAC-SHA256 " + ascii + "; broken \"" + ascii}, "User-Agent": {ascii}, "X-Other": {ascii}, "X-Tc-Action": {op.Name}, "X-Tc-Version": {"2022-01-10"}, "X-Tc-Timestamp": {"1"},
				}},
				{Method: op.Method, Target: path, Header: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+f))}}},
				{Method: op.Method, Target: path, Header: http.Header{"Authorization": {"Bearer " + ascii}, "Understudy-Outcome": {ascii}}},
			} {
				sendTo(t, s, api, r)
			}
		}
	}
}

// proofs makes calls under these credentials, one as it is right and one with a
// signature that is not, and returns the signatures that nobody must be told.
func proofs(t *testing.T, s *server.Server, api *contract.API, credentials contract.Values) (secrets []string) {
	t.Helper()
	signature := regexp.MustCompile(`(?:\bsign=|Signature=|"encrypt":")([0-9A-Za-z+/=%]{20,})`)
	for _, op := range api.Operations {
		u, _ := url.Parse(s.URL(api.Name))
		r, err := api.Sign(contract.Draft{Operation: op, In: contract.Sample(op.Params), Host: u.Host, Credentials: credentials, Now: time.Now()})
		if err != nil {
			t.Fatalf("%s %s: %v", api.Name, op.Name, err)
		}
		sendTo(t, s, api, r)
		all := r.Target + "\n" + strings.Join(r.Header["Authorization"], "") + "\n" + string(r.Body)
		found := signature.FindStringSubmatch(all)
		if found == nil {
			continue
		}
		right := found[1]
		wrong := strings.Map(func(c rune) rune { return map[rune]rune{'0': '1', '1': '2', 'a': 'b', 'A': 'B', 'C': 'D'}[c] }, right[:8])
		wrong = strings.Map(func(c rune) rune {
			if c == 0 {
				return '3'
			}
			return c
		}, wrong) + right[8:]
		r.Target = strings.Replace(r.Target, right, wrong, 1)
		r.Body = bytes.Replace(r.Body, []byte(right), []byte(wrong), 1)
		if a := r.Header["Authorization"]; a != nil {
			r.Header["Authorization"] = []string{strings.Replace(a[0], right, wrong, 1)}
		}
		sendTo(t, s, api, r)
		secrets = append(secrets, right[8:40-16], wrong[:20])
	}
	return secrets
}

// told returns everything that the control API, the log and the commands say.
func told(t *testing.T, s *server.Server, log *logged, vars []string) map[string]string {
	t.Helper()
	all := map[string]string{}
	get := func(path string) string {
		_, text := askControl(t, s, "GET", path, "", "")
		all["GET "+path] = text
		return text
	}
	for _, path := range []string{
		"/", "/healthz", "/readyz", "/metrics", "/v1/status", "/v1/apis", "/v1/openapi.json", "/v1/schemas/scenario.json", "/v1/schemas/fixture.json",
		"/v1/scenarios", "/v1/sandboxes", "/v1/sandboxes/default", "/v1/sandboxes/default/scenarios", "/v1/sandboxes/default/state", "/v1/sandboxes/default/clock",
	} {
		get(path)
	}
	for _, api := range emulators.All {
		get("/v1/apis/" + api.Name)
		get("/v1/apis/" + api.Name + "/openapi.json")
	}
	run := func(args ...string) {
		r := command(t, vars, "", args...)
		all["understudy "+strings.Join(args, " ")] = r.out + r.err
	}
	run("journal", "--limit", "1000")
	run("journal", "--limit", "1000", "-o", "json")
	run("journal", "-o", "har")
	get("/v1/sandboxes/default/journal.har")
	next, shown := "", map[string]bool{}
	for {
		text := get("/v1/sandboxes/default/journal?limit=1000" + next)
		var p page
		if err := json.Unmarshal([]byte(text[strings.Index(text, "{"):]), &p); err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Items {
			get("/v1/sandboxes/default/journal/" + e.ID)
			if kind := e.API + e.Operation + e.Outcome; !shown[kind] {
				shown[kind] = true
				for _, form := range []string{"page", "json", "http", "curl", "go", "node", "scenario"} {
					run("journal", "show", e.ID, "-o", form)
				}
			}
		}
		if p.Next == "" {
			break
		}
		next = "&after=" + p.Next
	}
	for _, api := range emulators.All {
		run("call", api.Name, api.Operations[0].Name)
		run("call", api.Name, api.Operations[0].Name, "--curl")
	}
	all["the log"] = log.text()
	return all
}

// ask makes the control API say what it was told.
func ask(t *testing.T, s *server.Server, secret string) map[string]string {
	t.Helper()
	all := map[string]string{}
	quoted, _ := json.Marshal(secret)
	do := func(method, path, kind, body string) {
		_, all[method+" "+path] = askControl(t, s, method, path, kind, body)
	}
	in := url.PathEscape(secret)
	do("GET", "/v1/"+in, "", "")
	do("GET", "/v1/apis/"+in, "", "")
	do("GET", "/v1/sandboxes/"+in, "", "")
	do("GET", "/v1/scenarios/polyv/"+in, "", "")
	do("GET", "/v1/sandboxes/default/journal/"+in, "", "")
	do("GET", "/v1/sandboxes/default/journal?api="+url.QueryEscape(secret), "", "")
	do("PUT", "/v1/sandboxes/default/clock", "application/json", `{"advance":`+string(quoted)+`}`)
	do("PUT", "/v1/sandboxes/default/state", "application/json", `{"version":2,"state":{`+string(quoted)+`:{}}}`)
	do("POST", "/v1/sandboxes/default/triggers/tencentcar/client.lost", "application/json", `{"UserId":`+string(quoted)+`}`)
	do("PUT", "/v1/scenarios/polyv/told", "application/yaml", "scenario: told\napi: polyv\ndescription: "+string(quoted)+"\nrules:\n  - operation: ListChannels\n    where: {keyword: "+string(quoted)+"}\n    outcome: success\n")
	do("PUT", "/v1/sandboxes/default/scenarios/polyv/told", "", "")
	do("PUT", "/v1/scenarios/polyv/bad", "application/yaml", "scenario: "+string(quoted)+"\n")
	return all
}

// startTold starts a server whose log is kept.
func startTold(t *testing.T, change func(*server.Config)) (*server.Server, *logged) {
	t.Helper()
	log := &logged{}
	s := start(t, func(c *server.Config) {
		c.Clock, c.Journal = "follow", 100000
		c.Log, c.LogCall = slog.New(slog.NewTextHandler(log, nil)), callLogger(log, logJSON, false)
		change(c)
	})
	return s, log
}

// No secret that a server holds leaves it: those of the environment never, and with
// --redact no other.
func TestSecretsAreNotTold(t *testing.T) {
	t.Parallel()
	own, secrets := canaries()
	for name, change := range map[string]func(*server.Config){
		"credentials of the environment beside the documented ones": func(*server.Config) {},
		"credentials of the environment alone":                      func(c *server.Config) { c.Fixture = emptyFixtures() },
		"credentials of the environment and redact":                 func(c *server.Config) { c.Redact = true },
		"redact": func(c *server.Config) {
			c.Redact, c.FromEnv, c.Fixtures = true, false, []string{fixtureFolder(t, own)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, log := startTold(t, func(c *server.Config) {
				c.FromEnv, c.Env = true, func(name string) string { return own[name] }
				change(c)
			})
			vars := []string{"UNDERSTUDY_CONTROL=" + s.ControlURL}
			for name, value := range own {
				vars = append(vars, name+"="+value)
			}
			var needles []string
			for _, secret := range secrets {
				for _, s := range spellings(secret) {
					needles = append(needles, strings.ToLower(s))
				}
			}
			for _, api := range emulators.All {
				credentials := contract.Values{}
				for _, c := range api.Credentials {
					credentials[c.Name] = own[c.Env]
				}
				if api.Name == "youdu" {
					credentials["accessToken"] = "canary-of-a-token-of-youdu"
				}
				if api.Name != "adobemedia" {
					for _, proof := range proofs(t, s, api, credentials) {
						needles = append(needles, strings.ToLower(proof))
					}
				}
				for _, c := range api.Credentials {
					if !c.Identifier && c.Env != "" {
						carry(t, s, api, own[c.Env])
					}
				}
			}
			var texts []map[string]string
			for _, secret := range secrets {
				texts = append(texts, ask(t, s, secret))
			}
			for _, all := range append(texts, told(t, s, log, vars)) {
				for where, text := range all {
					leaks(t, where, text, needles)
				}
			}
		})
	}
}

func emptyFixtures() (all []string) {
	for _, api := range emulators.All {
		all = append(all, api.Name+"=empty")
	}
	return all
}

// fixtureFolder makes a folder of the shipped default fixtures with other secrets
// in them, under the documented identifiers.
func fixtureFolder(t *testing.T, own map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for _, api := range emulators.All {
		text, err := fs.ReadFile(fixtures.Files, api.Name+"/default.yaml")
		if err != nil {
			t.Fatal(err)
		}
		known := conformance.New(t, api, conformance.Setting{}).Credentials(t)
		for _, c := range api.Credentials {
			if c.Env == "" {
				continue
			}
			quoted, _ := json.Marshal(own[c.Env])
			if c.Name == "buin" {
				quoted = []byte(own[c.Env])
			}
			text = bytes.ReplaceAll(text, []byte(known.Text(c.Name)), quoted)
		}
		if err := os.MkdirAll(filepath.Join(folder, api.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, api.Name, "default.yaml"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// envServer starts a server with these variables and no account but theirs.
func envServer(t *testing.T, vars map[string]string, change func(*server.Config)) (*server.Server, *logged) {
	t.Helper()
	return startTold(t, func(c *server.Config) {
		c.FromEnv, c.Env, c.Fixture = true, func(name string) string { return vars[name] }, emptyFixtures()
		change(c)
	})
}

// What a state names by its variable is taken in again, and nothing else is.
func TestStateNamesItsVariables(t *testing.T) {
	t.Parallel()
	const path = "/v1/sandboxes/default/state"
	own, _ := canaries()
	s, _ := envServer(t, own, func(c *server.Config) { c.Clock = "2026-01-31T12:00:00Z" })
	vars := []string{"UNDERSTUDY_CONTROL=" + s.ControlURL}
	for name, value := range own {
		vars = append(vars, name+"="+value)
	}
	read := func(s *server.Server) string {
		q, err := client.DirectHTTP(time.Minute).Get(s.ControlURL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer q.Body.Close()
		text, err := io.ReadAll(q.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	states := func(text string) string { before, _, _ := strings.Cut(text, `,"clock":`); return before }
	taken := read(s)
	for _, api := range emulators.All {
		for _, c := range api.Credentials {
			if !c.Identifier && c.Env != "" && !strings.Contains(taken, `"env:`+c.Env+`"`) {
				t.Errorf("the state names no %s: %s", c.Env, taken)
			}
		}
	}
	if status, text := askControl(t, s, "PUT", path, "application/json", taken); status != 200 {
		t.Fatalf("what was taken is not put back: %s", text)
	}
	if again := read(s); again != taken {
		t.Errorf("after it was put back the state is %s, want %s", again, taken)
	}
	command(t, vars, "", "call", "polyv", "ListChannels").want(t, exitDone, `"code":200`)
	command(t, vars, "", "call", "tencentcar", "DescribeConcurrentCount", "ProjectIds=cap-1").want(t, exitDone, "HTTP/1.1 200")

	for name, tt := range map[string]struct{ old, new, want string }{
		"a variable of no API":       {"env:POLYV_APP_SECRET", "env:PATH", `"env:PATH\", which is no variable of polyv; it has POLYV_APP_SECRET`},
		"an identifier's":            {"env:POLYV_APP_SECRET", "env:POLYV_APP_ID", "which is no variable of polyv"},
		"another API's":              {"env:POLYV_APP_SECRET", "env:TENCENTCLOUD_SECRET_KEY", "which is no variable of polyv"},
		"left out by serve --redact": {"env:POLYV_APP_SECRET", "[redacted]", "take the state from a server without it"},
	} {
		changed := strings.Replace(strings.Replace(taken, tt.old, tt.new, 1), `"secretId":"own-secretid"`, `"secretId":"changed"`, 1)
		if status, text := askControl(t, s, "PUT", path, "application/json", changed); status != 422 || !strings.Contains(text, "nothing was put back") || !strings.Contains(text, strings.TrimPrefix(tt.want, `"`)) {
			t.Errorf("%s: %d %s", name, status, text)
		}
		if again := read(s); states(again) != states(taken) {
			t.Errorf("%s: it was refused and changed the state to %s", name, again)
		}
	}

	// Where no secret stands, the name of a variable is a text like any other.
	named := strings.Replace(taken, `"channels":{`, `"channels":{"1":{"id":"1","name":"env:POLYV_APP_SECRET","userId":"own-userid","sessions":[]}`, 1)
	if status, text := askControl(t, s, "PUT", path, "application/json", named); status != 200 || named == taken {
		t.Fatalf("a channel with that name: %d %s", status, text)
	}
	command(t, vars, "", "call", "polyv", "ListChannels", "keyword=env:POLYV_APP_SECRET").want(t, exitDone, `"channels":["1"]`)

	if status, text := askControl(t, start(t), "PUT", path, "application/json", taken); status != 422 || !strings.Contains(text, "this server took in no ") || !strings.Contains(text, "start it with --credentials env") {
		t.Errorf("without --credentials env: %d %s", status, text)
	}
	part := map[string]string{"TENCENTCLOUD_SECRET_ID": "own", "TENCENTCLOUD_SECRET_KEY": "own-key", "POLYV_APP_SECRET": own["POLYV_APP_SECRET"]}
	other, _ := envServer(t, part, func(*server.Config) {})
	only := taken[:strings.Index(taken, `"state":{`)+9] + `"polyv":` + polyvState(t, taken) + "}}"
	if status, text := askControl(t, other, "PUT", path, "application/json", only); status != 422 || !strings.Contains(text, "this server took in no POLYV_APP_SECRET") {
		t.Errorf("of an API that was left out: %d %s", status, text)
	}
}

// A secret that two APIs share, or that is too short to be recognised in a text, is
// named in a state by the variable of its own API.
func TestStateNamesOwnVariables(t *testing.T) {
	t.Parallel()
	const path = "/v1/sandboxes/default/state"
	for _, secret := range []string{"shared-by-two-APIs", "abc"} {
		s, _ := envServer(t, map[string]string{
			"POLYV_APP_ID": "own", "POLYV_USER_ID": "own", "POLYV_APP_SECRET": secret, "TENCENTCLOUD_SECRET_ID": "own", "TENCENTCLOUD_SECRET_KEY": secret,
		}, func(*server.Config) {})
		_, taken := askControl(t, s, "GET", path, "", "")
		taken = taken[strings.Index(taken, "{"):]
		if strings.Contains(taken, secret) || !strings.Contains(taken, `"appSecret":"env:POLYV_APP_SECRET"`) || !strings.Contains(taken, `"secretKey":"env:TENCENTCLOUD_SECRET_KEY"`) {
			t.Errorf("%s: got %s", secret, taken)
		}
		if status, text := askControl(t, s, "PUT", path, "application/json", taken); status != 200 {
			t.Errorf("%s: it is not put back: %s", secret, text)
		}
	}
}

func polyvState(t *testing.T, taken string) string {
	t.Helper()
	var m struct{ State map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(taken), &m); err != nil {
		t.Fatal(err)
	}
	return string(m.State["polyv"])
}

// wrongSign makes a call to polyv whose sign is wrong, and returns what the
// journal shows of it and the sign that would have been right.
func wrongSign(t *testing.T, s *server.Server, credentials contract.Values, keyword string) (shown, right string) {
	t.Helper()
	api, err := findAPI("polyv")
	if err != nil {
		t.Fatal(err)
	}
	r, err := api.Sign(contract.Draft{Operation: api.Operation("ListChannels"), In: contract.Values{"keyword": keyword}, Host: "x", Credentials: credentials, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	target, right, _ := strings.Cut(r.Target, "sign=")
	r.Target = target + "sign=" + strings.Repeat("0", 32)
	sendTo(t, s, api, r)
	_, list := askControl(t, s, "GET", "/v1/sandboxes/default/journal?limit=1", "", "")
	id := regexp.MustCompile(`"id":"(default-\d+)"`).FindStringSubmatch(list)[1]
	_, shown = askControl(t, s, "GET", "/v1/sandboxes/default/journal/"+id, "", "")
	return shown, right
}

// The keys of the documentation are no secrets: what they sign is shown, also beside
// credentials of the environment. For those, and with --redact, only the texts are.
func TestWhichSignaturesAreShown(t *testing.T) {
	t.Parallel()
	own, _ := canaries()
	documented := contract.Values{"appId": "g4rqgmmjuo", "appSecret": "fsq2k5weced1h8vui657xtdva66whf0g"}
	mine := contract.Values{"appId": own["POLYV_APP_ID"], "appSecret": own["POLYV_APP_SECRET"]}
	mixed := contract.Values{"appId": "g4rqgmmjuo", "appSecret": own["POLYV_APP_SECRET"]}
	fromEnv := func(c *server.Config) { c.FromEnv, c.Env = true, func(name string) string { return own[name] } }
	plain, _ := startTold(t, func(*server.Config) {})
	beside, _ := startTold(t, fromEnv)
	masked, _ := startTold(t, func(c *server.Config) { c.Redact = true })
	for name, tt := range map[string]struct {
		s           *server.Server
		credentials contract.Values
		shows       bool
	}{
		"documented": {plain, documented, true}, "documented beside the environment's": {beside, documented, true},
		"of the environment": {beside, mine, false}, "documented with redact": {masked, documented, false},
	} {
		shown, right := wrongSign(t, tt.s, tt.credentials, "a")
		if strings.Contains(shown, right) != tt.shows || strings.Contains(shown, strings.Repeat("0", 32)) != tt.shows {
			t.Errorf("%s: the signatures stand in the entry or not, want %v: %s", name, tt.shows, shown)
		}
		if !strings.Contains(shown, "Text: {appSecret}appId") || !strings.Contains(shown, `"first_difference"`) {
			t.Errorf("%s: the text that is signed is missing: %s", name, shown)
		}
	}
	// A client that signs with its own secret and names the documented appId.
	api, _ := findAPI("polyv")
	r, err := api.Sign(contract.Draft{Operation: api.Operation("ListChannels"), Host: "x", Credentials: mixed, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	sendTo(t, beside, api, r)
	_, sign, _ := strings.Cut(r.Target, "sign=")
	_, list := askControl(t, beside, "GET", "/v1/sandboxes/default/journal?limit=1", "", "")
	id := regexp.MustCompile(`"id":"(default-\d+)"`).FindStringSubmatch(list)[1]
	if _, shown := askControl(t, beside, "GET", "/v1/sandboxes/default/journal/"+id, "", ""); strings.Contains(shown, sign) || !strings.Contains(shown, "signed_with_other_secret") {
		t.Errorf("signed with the secret of the environment: %s", shown)
	}
}

// call signs where the server keeps its secrets to itself, and prints no signature.
func TestCallWithoutToldSecrets(t *testing.T) {
	t.Parallel()
	own, _ := canaries()
	s, _ := envServer(t, own, func(*server.Config) {})
	vars := []string{"UNDERSTUDY_CONTROL=" + s.ControlURL}
	for name, value := range own {
		vars = append(vars, name+"="+value)
	}
	const line = "understudy call polyv ListChannels 'keyword=a b'"
	r := command(t, vars, "", "call", "polyv", "ListChannels", "keyword=a b")
	r.want(t, exitDone, `"code":200`, "sign=[redacted]")
	command(t, vars, "", "call", "polyv", "ListChannels", "keyword=a b", "--curl").want(t, exitDone, line, "!this line signs anew")
	for _, form := range []string{"curl", "http", "go", "node"} {
		r := command(t, vars, "", "journal", "show", "default-1", "-o", form)
		r.want(t, exitDone, line, "!this line signs anew")
		if strings.Contains(r.out, "curl ") || strings.Contains(r.out, "sign=") {
			t.Errorf("%s: got %s", form, r.out)
		}
	}
	command(t, vars, "", "journal", "show", "default-1").want(t, exitDone, "again: "+line, "sign=[redacted]")
	at(t, s, "call", "polyv", "ListChannels").want(t, exitFailed, "!set POLYV_APP_SECRET for this command too")

	// Tokens that understudy issues itself are no secrets of the environment's account.
	r = command(t, vars, "", "call", "youdu", "GetToken")
	r.want(t, exitDone, `"encrypt":"[redacted]"`)
	token := regexp.MustCompile(`"accessToken": "([0-9a-zA-Z]+)"`).FindStringSubmatch(r.out)
	if token == nil {
		t.Fatalf("no token is told: %s", r.out)
	}
	command(t, vars, "", "call", "youdu", "SearchMedia", "mediaId=x", "accessToken="+token[1]).want(t, exitDone, "accessToken=[redacted]", `"errcode"`)

	// With --redact the keys of the documentation are known without being told.
	s, _ = startTold(t, func(c *server.Config) { c.Redact = true })
	for _, api := range emulators.All {
		op := api.Operations[0]
		if r := at(t, s, "call", api.Name, op.Name); r.code != exitDone || strings.Contains(r.out, "sign=") && !strings.Contains(r.out, "sign=[redacted]") {
			t.Errorf("%s: got %d, %s%s", api.Name, r.code, r.out, r.err)
		}
	}
	at(t, s, "call", "polyv", "ListChannels").want(t, exitDone, `"code":200`, "sign=[redacted]")
	at(t, s, "call", "youdu", "SearchMedia", "mediaId=x").want(t, exitDone, "accessToken=[redacted]", `"errcode"`)
}

// The log leaves the machine more often than the journal: it holds no proofs, not
// even those of the documented keys.
func TestLogHoldsNoProofs(t *testing.T) {
	t.Parallel()
	s, log := startTold(t, func(c *server.Config) {
		c.Set = []string{"polyv.callback_url=http://operator:pass-4f1e@127.0.0.1:1/told?token=token-4f1e"}
	})
	api, _ := findAPI("tencentcar")
	for _, authorization := range []string{
		"TC3-HMAC-SHA256 Credential=AKID, Signature=4f1e4f1e", `TC3-HMAC-SHA256 "4f1e4f1e"`, "Bearer 4f1e4f1e4f1e4f1e4f1e", "4f1e", "Basic 4f1e4f1e4f1e4f1e4f1e",
	} {
		sendTo(t, s, api, &contract.Request{Method: "POST", Target: "/", Body: []byte("{}"), Header: http.Header{
			"Authorization": {authorization}, "X-Tc-Action": {"ApplyConcurrent"}, "X-Tc-Version": {"2022-01-10"}, "X-Tc-Timestamp": {fmt.Sprint(time.Now().Unix())},
		}})
	}
	at(t, s, "trigger", "polyv", "stream.started", "channelId=2272655").want(t, exitDone)
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(log.text(), "a callback was not answered"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no callback was logged: %s", log.text())
		}
	}
	got := log.text()
	if strings.Contains(got, "4f1e") || regexp.MustCompile(`sign=[0-9a-fA-F]{6}`).MatchString(got) {
		t.Errorf("the log has %s", got)
	}
	if !strings.Contains(got, "authorization_malformed") || !strings.Contains(got, "http://[redacted]@127.0.0.1:1/told?token=[redacted]") || !strings.Contains(got, "Signature=<64 hexadecimal digits>") {
		t.Errorf("the log says too little: %s", got)
	}
}
