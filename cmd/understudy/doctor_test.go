package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/server"
)

// anyPorts have the doctor look at no port, since a test cannot know who has one.
var anyPorts = []string{"UNDERSTUDY_CONTROL_PORT=0", "UNDERSTUDY_DOOR_PORT=0", "UNDERSTUDY_API_PORTS=0"}

// findings runs the doctor with variables beside anyPorts, and returns by check what it
// found, the findings of one check joined.
func findings(t *testing.T, code int, vars []string, args ...string) map[string]string {
	t.Helper()
	r := command(t, append(append([]string{}, anyPorts...), vars...), "", append([]string{"doctor", "-o", "json"}, args...)...)
	var list struct {
		Items []struct{ Check, Result, Found, Expected, Mend string }
	}
	if err := json.Unmarshal([]byte(r.out), &list); err != nil || r.code != code {
		t.Errorf("got exit %d, want %d: %v\n%s%s", r.code, code, err, r.out, r.err)
	}
	all := map[string]string{}
	problems := 0
	for _, f := range list.Items {
		all[f.Check] += f.Result + ": " + f.Found + "; " + f.Mend + "\n"
		if f.Found == "" || f.Expected == "" || (f.Result == fine) != (f.Mend == "") {
			t.Errorf("%s: what was found and expected belong to each finding, and a way to mend it to each that is not ok: %+v", f.Check, f)
		}
		if f.Result == problem {
			problems++
		}
	}
	if (problems > 0) != (code == exitFailed) {
		t.Errorf("%d problems and exit %d", problems, code)
	}
	return all
}

// finds holds findings against texts that those of a check have.
func finds(t *testing.T, got map[string]string, check string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(got[check], text) {
			t.Errorf("%s: got %q, want %q", check, got[check], text)
		}
	}
}

func TestDoctorFindsAHealthyServer(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *server.Config) { c.Version, c.Commit = build() })
	got := findings(t, exitDone, nil, "--control", s.ControlURL)
	for _, check := range append(apiNames(), "settings", "control", "version", "clock", "door", "proxies") {
		finds(t, got, check, "ok: ")
	}
	if entries, _ := s.Registry.Find("default").Journal.List(journal.Filter{}); len(entries) > 0 || len(s.Registry.List()) > 1 {
		t.Errorf("the doctor left %d calls and %d sandboxes", len(entries), len(s.Registry.List()))
	}
	command(t, anyPorts, "", "doctor", "--control", s.ControlURL).want(t, exitDone, "CHECK", "MEND", "an understudy answers at "+s.DoorURL)
	command(t, anyPorts, "", "doctor", "--control", s.ControlURL, "-o", "markdown").want(t, exitDone, "| check | result |", "| door | ok |")
}

func TestDoctorLooksForTheServer(t *testing.T) {
	t.Parallel()
	got := findings(t, exitFailed, []string{"UNDERSTUDY_CONTROL=" + noServer})
	finds(t, got, "control", "problem: no server answers at "+noServer, "start it with understudy serve")
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	defer stranger.Close()
	finds(t, findings(t, exitFailed, nil, "--control", stranger.URL), "control", "problem: "+stranger.URL+" answers, and not as an understudy")
	s := start(t, func(c *server.Config) { c.Token = "long-enough-a-token"; c.Version = "9.9.9" })
	finds(t, findings(t, exitFailed, nil, "--control", s.ControlURL), "control", "problem: ", "UNDERSTUDY_CONTROL_TOKEN")
	got = findings(t, exitDone, []string{"UNDERSTUDY_CONTROL_TOKEN=long-enough-a-token", "UNDERSTUDY_CONTROL=" + s.ControlURL})
	finds(t, got, "version", "warning: the server is 9.9.9")
}

func TestDoctorComparesClocks(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]string{
		0: "ok: ", 10 * time.Second: "warning: the server's clock is ", -10 * time.Second: "warning: the server's clock is ", -time.Hour: "problem: the server's clock is ",
	} {
		s := start(t, func(c *server.Config) { c.Wall = func() time.Time { return time.Now().Add(skew) } })
		code := exitDone
		if strings.HasPrefix(want, problem) {
			code = exitFailed
		}
		got := findings(t, code, nil, "--control", s.ControlURL)
		finds(t, got, "clock", want)
		if skew < 0 {
			finds(t, got, "clock", "behind this machine's")
		} else if skew > 0 {
			finds(t, got, "clock", "ahead of this machine's")
		}
	}
}

// A server tells addresses that its clients do not reach, as from inside of a container.
func TestDoctorAsksAtEachDoor(t *testing.T) {
	t.Parallel()
	stranger := httptest.NewServer(http.NotFoundHandler())
	defer stranger.Close()
	s := start(t)
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"version": "1", "started": time.Now(), "ready": false, "doors": map[string]string{"door": noServer, "one": s.DoorURL, "other": stranger.URL},
		})
	}))
	defer inside.Close()
	got := findings(t, exitFailed, nil, "--control", inside.URL)
	finds(t, got, "door", "problem: "+noServer+": nobody who speaks HTTP", "docker run -p")
	finds(t, got, "other", "problem: "+stranger.URL+": somebody else, who answers 404 Not Found")
	finds(t, got, "one", "ok: ")
	finds(t, got, "ready", "warning: ", "understudy health --wait")
}

func TestDoctorSaysWhoHasAPort(t *testing.T) {
	t.Parallel()
	s := start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	silent, door, control := portOf(t, "http://"+l.Addr().String()), portOf(t, s.DoorURL), portOf(t, s.ControlURL)
	got := findings(t, exitFailed, nil, "--control-port", control, "--door-port", door+","+silent, "--bind", "127.0.0.1", "--control-bind", "127.0.0.1", "--control", noServer)
	finds(t, got, "port "+control, "problem: 127.0.0.1:"+control+" is taken by an understudy", "--control-port")
	finds(t, got, "port "+door, "problem: 127.0.0.1:"+door+" is taken by an understudy", "--door-port")
	finds(t, got, "port "+silent, "problem: 127.0.0.1:"+silent+" is taken by nobody who speaks HTTP")
	got = findings(t, exitDone, nil, "--control", s.ControlURL, "--control-port", control, "--door-port", door+","+silent, "--bind", "127.0.0.1", "--control-bind", "127.0.0.1")
	finds(t, got, "port "+control, "ok: the server has it")
	finds(t, got, "port "+door, "ok: the server has it")
	finds(t, got, "port "+silent, "warning: ")
	if runtime.GOOS == "linux" { // where 127.0.0.2 is this machine's too
		got = findings(t, exitDone, nil, "--control", s.ControlURL, "--door-port", silent, "--bind", "127.0.0.2")
		finds(t, got, "port "+silent, "ok: it is free")
	}
	got = findings(t, exitFailed, nil, "--control", s.ControlURL, "--door-port", silent, "--bind", "192.0.2.1", "--api-ports", "6411-6412")
	finds(t, got, "port "+silent, "problem: 192.0.2.1 is no address of this machine", "--bind")
	finds(t, got, "ports", "problem: --api-ports 6411-6412 leaves no port for ")
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

func TestDoctorReadsSettings(t *testing.T) {
	t.Parallel()
	s := start(t)
	at := "UNDERSTUDY_CONTROL=" + s.ControlURL
	finds(t, findings(t, exitDone, []string{at, "UNDERSTUDY_BIDN=::", "UNDERSTUDY_PORT=tcp://10.0.0.1"}), "settings",
		`warning: the environment variable UNDERSTUDY_BIDN sets nothing; did you mean "UNDERSTUDY_BIND"?`, "unset it")
	finds(t, findings(t, exitDone, []string{at, "UNDERSTUDY_DOOR=" + s.DoorURL}), "settings", "ok: ") // as `env` has it
	finds(t, findings(t, exitFailed, []string{at, "UNDERSTUDY_JOURNAL=many"}), "settings", `problem: UNDERSTUDY_JOURNAL sets --journal to "many"`)
	finds(t, findings(t, exitFailed, []string{at}, "--config", file(t, "understudy.yaml", "bidn: localhost\n")), "settings", "problem: ", `did you mean "bind"?`)
	finds(t, findings(t, exitFailed, []string{at}, "--config", file(t, "understudy.yaml", "scenarios: [/nonexistent]\n")), "scenarios", "problem: ", "make the folder")
}

func TestDoctorLooksForProxies(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, tt := range []struct {
		vars []string
		want string
	}{
		{[]string{"HTTP_PROXY=http://user:secret@proxy.example:3128"}, "warning: clients are led to a proxy by HTTP_PROXY, also for localhost, 127.0.0.1, ::1"},
		{[]string{"http_proxy=proxy.example:3128", "NO_PROXY=localhost,127.0.0.1"}, "also for ::1; export NO_PROXY=localhost,127.0.0.1,::1 no_proxy="},
		{[]string{"http_proxy=proxy.example:3128", "no_proxy=localhost, 127.0.0.0/8 [::1]"}, "ok: "},
		{[]string{"ALL_PROXY=socks5://proxy.example", "NO_PROXY=*"}, "ok: "},
		{[]string{"HTTPS_PROXY=" + s.DoorURL}, "ok: no variable names a proxy in between"},
		{[]string{"HTTPS_PROXY=" + strings.TrimPrefix(s.DoorURL, "http://")}, "ok: no variable names a proxy in between"},
	} {
		got := findings(t, exitDone, append(tt.vars, "UNDERSTUDY_CONTROL="+s.ControlURL))
		finds(t, got, "proxies", tt.want)
		if strings.Contains(got["proxies"], "secret") {
			t.Errorf("the doctor tells a password: %s", got["proxies"])
		}
	}
	for entry, exempt := range map[string]bool{
		"a.example": true, "A.example:80": true, ".example": true, "*.example": true, "example": true, "b.example": false, "xa.example": false, "": false, ".": false, "10.0.0.0/8": false,
	} {
		if exempts(entry, "a.example") != exempt {
			t.Errorf("NO_PROXY=%s: got %v", entry, !exempt)
		}
	}
}

func TestDoctorLooksIntoFolders(t *testing.T) {
	t.Parallel()
	s := start(t)
	const good = "scenario: calm\napi: tencentcar\nrules: [{operation: CreateSession, outcome: success}]\n"
	folder := func(text string) string { return filepath.Dir(filepath.Dir(file(t, "tencentcar/calm.yaml", text))) }
	look := func(code int, flag, dir string) map[string]string {
		t.Helper()
		return findings(t, code, []string{"UNDERSTUDY_CONTROL=" + s.ControlURL}, "--"+flag, dir)
	}
	whole := folder(good)
	finds(t, look(exitDone, "scenarios", whole), "scenarios", "ok: 1 file in "+whole)
	finds(t, look(exitFailed, "scenarios", folder(strings.Replace(good, "CreateSession", "CreateSesion", 1))), "scenarios", "problem: 1 fault in ", `did you mean "CreateSession"?`, "understudy validate ")
	finds(t, look(exitFailed, "fixtures", filepath.Join(whole, "tencentcar", "calm.yaml")), "fixtures", "is a file", "with --fixtures")
	finds(t, look(exitFailed, "fixtures", filepath.Join(whole, "none")), "fixtures", "problem: ", "make the folder")
	finds(t, look(exitDone, "fixtures", t.TempDir()), "fixtures", "warning: there is no file *.yaml in ")
	if os.Geteuid() == 0 {
		return // root may read everything
	}
	if err := os.Chmod(filepath.Join(whole, "tencentcar", "calm.yaml"), 0); err != nil {
		t.Fatal(err)
	}
	finds(t, look(exitFailed, "scenarios", whole), "scenarios", "permission denied", "chmod")
}

func TestDoctorAsksForLocalhost(t *testing.T) {
	t.Parallel()
	served := &status{Doors: map[string]string{"door": start(t).DoorURL}}
	for _, tt := range []struct {
		found  []string
		err    error
		status *status
		want   string
	}{
		{nil, errors.New("no file"), nil, "warning: it has no address: no file"},
		{[]string{"192.0.2.1"}, nil, nil, "problem: it is 192.0.2.1, which is another machine's"},
		{[]string{"127.0.0.1", "::1"}, nil, nil, "ok: it is 127.0.0.1 and ::1"},
		{[]string{"127.0.0.1", "::1"}, nil, served, "warning: it is also ::1, where the door's port " + portOf(t, served.Doors["door"])},
		{[]string{"::1"}, nil, nil, "warning: it is ::1 and not 127.0.0.1"},
	} {
		d := &doctor{hosts: func(context.Context) ([]string, error) { return tt.found, tt.err }, status: tt.status}
		d.localhost(t.Context())
		if f := d.findings[0]; len(d.findings) != 1 || !strings.HasPrefix(f.result+": "+f.found, tt.want) {
			t.Errorf("%v: got %+v, want %q", tt.found, d.findings, tt.want)
		}
	}
	if found, err := loopbackNames(t.Context()); err == nil && len(found) == 0 {
		t.Error("localhost has no address and there is no error")
	}
}
