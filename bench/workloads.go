//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/contract"
)

// users is how many callers' users take turns: the APIs refuse one user who comes too often.
const users = 64

// instant is where the clocks stand, so that what is signed and reserved once stays valid as long as a load takes.
var instant = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

// A workload is one call of one API, as it is sent and as it is answered rightly.
type workload struct {
	api, operation string
	fixture        string                             // that the API begins with
	where          string                             // the parameter by which the active scenarios do not fit; without one they are not due yet
	input          func(user int) contract.Values     // what a user's call carries
	before         string                             // the operation whose answer gives each user a session
	session        func(answer *http.Response) string // reads it
	status         int
	part           string // that a right answer holds
}

func (w *workload) name() string { return w.api + "/" + w.operation }

var createSession = &workload{
	api: "tencentcar", operation: "CreateSession", fixture: "load", where: "UserId", status: http.StatusOK, part: `"ServerSession":"`,
	input: func(user int) contract.Values {
		return contract.Values{"UserId": userName(user), "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}
	},
}

func userName(user int) string { return fmt.Sprintf("user_%02d", user) }

// others are the main calls of the other APIs.
var others = []*workload{
	{
		api: "adobemedia", operation: "StartSession", fixture: "default", where: "eventType", status: http.StatusCreated, part: "\r\nLocation: ",
		input: func(int) contract.Values { return contract.Values{} },
	},
	{
		api: "adobemedia", operation: "SendEvent", fixture: "default", where: "sid", status: http.StatusNoContent, part: "HTTP/1.1 204",
		input:   func(int) contract.Values { return contract.Values{"eventType": "play"} },
		before:  "StartSession",
		session: func(answer *http.Response) string { return filepath.Base(answer.Header.Get("Location")) },
	},
	{
		api: "adobepass", operation: "CreateSession", fixture: "default", where: "mvpd", status: http.StatusOK, part: `"actionName":"authenticate"`,
		input: func(int) contract.Values {
			return contract.Values{"serviceProvider": "REF30", "mvpd": "Cablevision", "domainName": "adobe.com", "redirectUrl": "https://adobe.com"}
		},
	},
	{
		api: "adobepass", operation: "GetProfiles", fixture: "authenticated", where: "serviceProvider", status: http.StatusOK, part: `{"profiles":{"Cablevision"`,
		input: func(int) contract.Values { return contract.Values{"serviceProvider": "REF30"} },
	},
	{
		api: "youdu", operation: "GetToken", fixture: "default", status: http.StatusOK, part: `"errcode":0,`,
		input: func(int) contract.Values { return contract.Values{} },
	},
	{
		api: "youdu", operation: "SendMessage", fixture: "default", where: "sender", status: http.StatusOK, part: `"errcode":0,`,
		input: func(user int) contract.Values {
			return contract.Values{"sender": "test1", "receiver": "test2", "msgType": "text", "text": contract.Values{"content": fmt.Sprintf("message of %s", userName(user))}}
		},
	},
	{
		api: "polyv", operation: "ListSessionData", fixture: "default", where: "channelId", status: http.StatusOK, part: `"code":200,`,
		input: func(int) contract.Values { return contract.Values{"channelId": "2272655", "page": 1, "pageSize": 10} },
	},
}

// An instance is a running understudy and what its control API says.
type instance struct {
	door, control string          // host:port
	credentials   contract.Values // of the first sandbox that is under load
}

// ask sends a body of JSON to the control API and decodes its answer.
func (s *instance) ask(ctx context.Context, method, path string, body, answer any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+s.control+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	a, err := direct.Do(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(a.Body)
	if err := errors.Join(err, a.Body.Close()); err != nil {
		return err
	}
	if a.StatusCode >= 300 {
		return fmt.Errorf("%s %s: got %s: %s", method, path, a.Status, shorten(text))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// direct goes through no proxy, and keeps no connection that would count as one under load.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}

// A setup is what an understudy is told before a load.
type setup struct {
	work      *workload
	sandboxes int  // beside the default one; the first is called where shared is not set
	shared    bool // each has users of its own among those that take turns
	active    int  // scenarios that are on and do not fit
}

// prepare makes the sandboxes and signs what is sent to them. Nothing but the credentials says for which one a call is.
func (s *instance) prepare(ctx context.Context, u setup) ([]request, error) {
	var sent []request
	for i := range u.sandboxes {
		var made struct {
			Credentials map[string]contract.Values `json:"credentials"`
			Scenarios   []string                   `json:"scenarios"`
		}
		body := map[string]any{"name": fmt.Sprintf("load-%d", i), "fixtures": map[string]string{u.work.api: u.work.fixture}}
		if u.work == createSession {
			body["set"] = map[string]string{"tencentcar.rate_limits": "off"}
		}
		if err := s.ask(ctx, http.MethodPost, "/v1/sandboxes", body, &made); err != nil {
			return nil, fmt.Errorf("making a sandbox: %w", err)
		}
		if len(made.Scenarios) != u.active {
			return nil, fmt.Errorf("%d scenarios are active in a sandbox, expected %d", len(made.Scenarios), u.active)
		}
		if i > 0 && !u.shared {
			continue
		}
		turns := users
		if u.shared {
			turns = 1
		}
		if i == 0 {
			s.credentials = made.Credentials[u.work.api]
		}
		more, err := u.work.sign(ctx, s.door, made.Credentials[u.work.api], turns)
		if err != nil {
			return nil, err
		}
		sent = append(sent, more...)
	}
	return sent, nil
}

// sign makes the requests of users, with the API's own table and the caller's credentials.
func (w *workload) sign(ctx context.Context, host string, credentials contract.Values, users int) ([]request, error) {
	var sent []request
	for user := range users {
		in := w.input(user)
		if w.before != "" {
			first, err := draft(w.api, w.before, host, credentials, contract.Values{})
			if err != nil {
				return nil, err
			}
			in["sid"], err = w.begin(ctx, first)
			if err != nil {
				return nil, err
			}
		}
		r, err := draft(w.api, w.operation, host, credentials, in)
		if err != nil {
			return nil, err
		}
		sent = append(sent, request{raw: raw(r), status: w.status, part: []byte(w.part)})
	}
	return sent, nil
}

// begin sends a call and reads the session that its answer names.
func (w *workload) begin(ctx context.Context, first *contract.Request) (string, error) {
	r, err := http.NewRequestWithContext(ctx, first.Method, "http://"+first.Host+first.Target, bytes.NewReader(first.Body))
	if err != nil {
		return "", err
	}
	r.Header = first.Header
	a, err := direct.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = a.Body.Close() }()
	name := w.session(a)
	if a.StatusCode >= 300 || name == "" {
		return "", fmt.Errorf("%s of %s: got %s, expected a session", w.before, w.api, a.Status)
	}
	return name, nil
}

// draft makes the request that a client library would send.
func draft(apiName, operation, host string, credentials, in contract.Values) (*contract.Request, error) {
	at := slices.IndexFunc(emulators.All, func(a *contract.API) bool { return a.Name == apiName })
	if at < 0 {
		return nil, fmt.Errorf("there is no API %s", apiName)
	}
	api := emulators.All[at]
	return api.Sign(contract.Draft{Operation: api.Operation(operation), In: in, Host: host, Credentials: credentials, Now: instant})
}

// raw writes a request out.
func raw(r *contract.Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.Target, r.Host)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, r.Header.Get(name))
	}
	if r.Method != http.MethodGet {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.Body))
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	return b.Bytes()
}

// otherNames names scenarios that are there for other users.
func otherNames(api string, n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("%s/other-%d", api, i))
	}
	return names
}

// writeScenarios writes files with a scenario each, which decides a call of somebody who never calls; once for each folder.
func (w *workload) writeScenarios(folder string, n int) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(folder, w.api), 0o755); err != nil {
		return err
	}
	for i := range n {
		condition := fmt.Sprintf("where: {%s: \"nobody-%d\"}", w.where, i)
		if w.where == "" {
			condition = fmt.Sprintf("from: %dh", i+1) // the clock stands
		}
		text := fmt.Sprintf("scenario: other-%d\napi: %s\nrules:\n  - operation: %s\n    %s\n    wire: {delay: 1ms}\n", i, w.api, w.operation, condition)
		if err := os.WriteFile(filepath.Join(folder, w.api, fmt.Sprintf("other-%d.yaml", i)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeFixture writes the fixture load: each user has a reservation.
func writeFixture(folder string) error {
	if err := os.MkdirAll(filepath.Join(folder, "tencentcar"), 0o755); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("fixture: load\napi: tencentcar\ndescription: Users who take turns, each with a reservation.\n" +
		"accounts:\n  - {secretId: AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE, secretKey: Gu5t9xGARNpq86cd98joQYCN3EXAMPLE, uin: \"100000000001\"}\n" +
		"projects:\n  - {project_id: cap-abcdefgh, amount: 1000, application_ids: [app-a1b2c3d4]}\n" +
		"applications:\n  - {application_id: app-a1b2c3d4, versions: [ver-1a2b3c4d]}\nreservations:\n")
	for user := range users {
		fmt.Fprintf(&b, "  - {user_id: %s, project_id: cap-abcdefgh}\n", userName(user))
	}
	return os.WriteFile(filepath.Join(folder, "tencentcar", "load.yaml"), []byte(b.String()), 0o644)
}

// goroutines reads how many goroutines the server has.
func (s *instance) goroutines(ctx context.Context) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.control+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	a, err := direct.Do(r)
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(a.Body)
	if err := errors.Join(err, a.Body.Close()); err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, is := strings.CutPrefix(line, "go_goroutines "); is {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, errors.New("the metrics do not say how many goroutines there are")
}
