package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/server"
)

// An uploader is a client of the Youdu API with a sandbox of its own.
type uploader struct {
	t    *testing.T
	s    *server.Server
	name string
}

// call calls an operation and returns the body of the answer.
func (u *uploader) call(operation string, in contract.Values) string {
	u.t.Helper()
	api := emulators.All[slices.IndexFunc(emulators.All, func(api *contract.API) bool { return api.Name == "youdu" })]
	op, credentials := api.Operation(operation), contract.Values(nil)
	instance, err := u.s.Registry.Find(sandbox.Default).Instance(api)
	if err != nil {
		u.t.Fatal(err)
	}
	instance.WithState(func(st contract.State) { credentials = st.Credentials() })
	d, err := api.Sign(contract.Draft{Operation: op, In: in, Host: "youdu.example", Credentials: credentials, Now: u.s.Registry.Wall()})
	if err != nil {
		u.t.Fatal(err)
	}
	d.Header.Set(gateway.SandboxHeader, u.name)
	return sendTo(u.t, u.s, api, d)
}

// upload uploads a file of half a MiB that no other is like.
func (u *uploader) upload(n int) string {
	u.t.Helper()
	content := strings.Repeat(fmt.Sprintf("%s %07d ", u.name, n), 1<<19)[:1<<19]
	return u.call("UploadMedia", contract.Values{"type": "file", "name": "notes.txt", "file": content})
}

// What thirty sandboxes upload is bounded together: what finds no room is refused, and
// status and metrics say so. Dropping or resetting sandboxes makes room.
func TestUploadsOfAllSandboxesAreBounded(t *testing.T) {
	t.Parallel()
	const most, done = 12 << 20, `"errcode":0`
	s := start(t, func(c *server.Config) {
		c.MaxState, c.Auth = most, []string{"off"}
	})
	status := func() (held, limit, refused int64) {
		t.Helper()
		var answer struct {
			State struct {
				Bytes    int64 `json:"bytes"`
				MaxBytes int64 `json:"max_bytes"`
				Refused  int64 `json:"refused"`
			} `json:"state"`
		}
		_, text := askControl(t, s, "GET", "/v1/status", "", "")
		if err := json.Unmarshal([]byte(text[strings.Index(text, "{"):]), &answer); err != nil {
			t.Fatal(err)
		}
		return answer.State.Bytes, answer.State.MaxBytes, answer.State.Refused
	}
	var all []*uploader
	for n := range 30 {
		all = append(all, &uploader{t, s, fmt.Sprintf("job-%d", n)})
	}
	taken, refused := 0, int64(0)
	for n := range 2 {
		for _, u := range all {
			body := u.upload(n)
			switch {
			case strings.Contains(body, done):
				taken++
			case strings.Contains(body, `"code":"no-room"`) && strings.Contains(body, `"status":599`) && strings.Contains(body, "job-0 (") && strings.Contains(body, "understudy sandbox drop NAME"):
				refused++
			default:
				t.Fatalf("got %s", body)
			}
		}
	}
	held, limit, counted := status()
	if taken < 20 || taken > 24 || held > most || held < most-(1<<20) || limit != most || counted != refused {
		t.Errorf("%d uploads of half a MiB were taken and %d refused; the status says %d bytes of %d and %d refused", taken, refused, held, limit, counted)
	}
	_, metrics := askControl(t, s, "GET", "/metrics", "", "")
	for _, want := range []string{"understudy_state_bytes 1.2", "understudy_state_limit_bytes 1.2582912e+07", fmt.Sprintf("understudy_state_refusals_total %d", refused)} {
		if !strings.Contains(metrics, "\n"+want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	first := all[0]
	if body := first.call("SearchMedia", contract.Values{"mediaId": "0-0"}); !strings.Contains(body, `"errcode"`) {
		t.Errorf("a call that adds nothing: got %s", body)
	}
	large := `{"version":2,"state":{"youdu":{"apps":[],"accounts":[{"account":"` + strings.Repeat("x", 4<<20) + `"}],"sessions":{},"tokens":[],"media":{},"serial":0,"package":0,"direct":0}}}`
	if code, body := askControl(t, s, "PUT", "/v1/sandboxes/job-0/state", "application/json", large); code != 413 || !strings.Contains(body, "nothing was put back") {
		t.Errorf("a state without room: got %d %s", code, body)
	}

	at(t, s, "sandbox", "drop", "job-0", "job-1", "job-2").want(t, 0)
	if held, _, _ = status(); held > most-3<<19 {
		t.Errorf("after three sandboxes were dropped %d bytes are held", held)
	}
	if body := first.upload(5); !strings.Contains(body, done) {
		t.Errorf("after a drop: got %s", body)
	}
	at(t, s, "reset", "--sandbox", "job-0").want(t, 0)
	if got, _, _ := status(); got > held+1<<18 {
		t.Errorf("after a reset %d bytes are held, want about %d", got, held)
	}
	if body := all[3].upload(6); !strings.Contains(body, done) {
		t.Errorf("after a reset: got %s", body)
	}
}

// Where there is no room left, the list of sandboxes still tells what could be dropped.
func TestSandboxesAreListedWithoutRoom(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *server.Config) { c.MaxState, c.Auth = 16<<20, []string{"off"} })
	for i := 0; ; i++ {
		u := &uploader{t, s, fmt.Sprintf("full-%d", i/10)}
		if !strings.Contains(u.upload(i), `"errcode":0`) {
			break
		}
		if i > 100 {
			t.Fatal("there is always room")
		}
	}
	if status, text := askControl(t, s, "GET", "/v1/sandboxes", "", ""); status != 200 || !strings.Contains(text, `"full-0"`) {
		t.Errorf("got %d, %.300s", status, text)
	}
}
