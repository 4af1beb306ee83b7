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
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
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
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var header strings.Builder
	_ = answer.Header.Write(&header)
	return answer.StatusCode, header.String() + string(text)
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
				for _, form := range []string{"page", "json", "http", "curl", "scenario"} {
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
	do("PUT", "/v1/sandboxes/default/state", "application/json", `{"version":1,"state":{`+string(quoted)+`:{}}}`)
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
		c.Log = slog.New(slog.NewTextHandler(log, nil))
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
