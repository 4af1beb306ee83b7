package server_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/server"
)

// config serves the toy API on free ports.
func config() server.Config {
	return server.Config{
		APIs:             []*contract.API{toy.New()},
		ShippedFixtures:  fstest.MapFS{"toy/default.yaml": {Data: []byte("fixture: default\napi: toy\ntokens: [t-1]")}},
		ShippedScenarios: fstest.MapFS{"toy/broken.yaml": {Data: []byte("scenario: broken\napi: toy\nrules: [{operation: Page, outcome: broken}]")}},
		Bind:             "127.0.0.1", ControlBind: "127.0.0.1", DoorPorts: []int{0, 0}, APIPorts: "0",
		Seed: 1, Clock: "follow", Signatures: "wall", Auth: []string{"off"},
		Journal: 100, MaxSandboxes: 10, MaxStall: time.Minute, Body: 1 << 20, MaxConnections: 100, MaxInflight: 64 << 20,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Wall: time.Now, Env: func(string) string { return "" },
	}
}

func start(t *testing.T, c server.Config) *server.Server {
	t.Helper()
	s, err := server.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

func TestServes(t *testing.T) {
	t.Parallel()
	s := start(t, config())
	for _, url := range []string{s.DoorURL + "/toy/page", s.DoorURL + "/page", s.URL("toy") + "/page"} {
		if status, body := get(t, url); status != 200 || body != "<p>locker</p>" {
			t.Errorf("%s: got %d %s", url, status, body)
		}
	}
	if status, _ := get(t, s.ControlURL+"/readyz"); status != 200 {
		t.Errorf("readyz: got %d", status)
	}
	if _, body := get(t, s.ControlURL+"/v1/status"); !strings.Contains(body, s.URL("toy")) || !strings.Contains(body, s.DoorURL) {
		t.Errorf("status tells no addresses: %s", body)
	}
	if _, body := get(t, s.ControlURL+"/metrics"); !strings.Contains(body, `understudy_calls_total{api="toy",decided_by="emulator",operation="Page",outcome="success"} 3`) {
		t.Errorf("metrics: %s", body)
	}
}

func TestOptionsOfTheWholeServerIsTheAPIs(t *testing.T) {
	t.Parallel()
	s := start(t, config())
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL("toy"), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if got, _ := io.ReadAll(conn); !strings.Contains(string(got), "404 Not Found") {
		t.Errorf("got %s", got)
	}
}

func TestCloseCutsWhatStalls(t *testing.T) {
	t.Parallel()
	before := runtime.NumGoroutine()
	dir := t.TempDir()
	write(t, dir, "toy/stall.yaml", "scenario: stall\napi: toy\nrules: [{operation: Page, wire: {delay: 1m}}]")
	c := config()
	c.Scenarios, c.Activate = []string{dir}, []string{"stall"}
	s, err := server.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan int, 1)
	go func() {
		r, err := http.Get(s.DoorURL + "/page")
		if err != nil {
			done <- 0
			return
		}
		_ = r.Body.Close()
		done <- r.StatusCode
	}()
	for s.Registry.Find(sandbox.Default).Journal.Counts().Entries == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("got %v, %v", err, ctx.Err())
	}
	if status := <-done; status != 200 {
		t.Errorf("got %d", status)
	}
	http.DefaultClient.CloseIdleConnections()
	for range 200 {
		if runtime.NumGoroutine() <= before+20 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTakenPorts(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	tests := []struct {
		name   string
		change func(*server.Config)
		want   string // "": it starts all the same
	}{
		{"control", func(c *server.Config) { c.ControlPort = port }, "for control is taken; end what listens there, or choose another with --control-port"},
		{"door", func(c *server.Config) { c.DoorPorts = []int{port} }, "for door is taken; end what listens there, or choose another with --door-port"},
		{"API by default", func(c *server.Config) { c.APIPorts = ports(port) }, ""},
		{"API by name", func(c *server.Config) { c.APIPorts, c.APIPortsNamed = ports(port), true }, "for toy is taken; end what listens there, or choose another with --api-ports"},
	}
	for _, tt := range tests {
		c := config()
		tt.change(&c)
		s, err := server.Start(c)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			if got := s.URL("toy"); got != s.DoorURL+"/toy" {
				t.Errorf("%s: toy is reported at %s", tt.name, got)
			}
			_ = s.Close(context.Background())
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

// ports is the range in which the toy API, the ninth, gets this port.
func ports(port int) string {
	first := port - (toy.New().Port - server.FirstPort)
	return strings.Join([]string{strconv.Itoa(first), strconv.Itoa(port)}, "-")
}

func TestValuesThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*server.Config)
		want   string
	}{
		{"only", func(c *server.Config) { c.Only = []string{"toi"} }, `--only: there is no API "toi"; did you mean "toy"?`},
		{"auth", func(c *server.Config) { c.Auth = []string{"verfy"} }, `--auth: there is no mode "verfy"; did you mean "verify"?`},
		{"auth of an API", func(c *server.Config) { c.Auth = []string{"toi=off"} }, `--auth: there is no API "toi"`},
		{"clock", func(c *server.Config) { c.Clock = "noon" }, `--clock is "noon"; follow or an instant`},
		{"clock out of reach", func(c *server.Config) { c.Clock = "0001-01-01T00:00:00Z" }, `--clock: 0001-01-01T00:00:00Z is out of reach; an instant from the year 1000 to 8999`},
		{"signature clock", func(c *server.Config) { c.Signatures = "sand" }, `--signature-clock is "sand"; wall or sandbox was expected`},
		{"fixture form", func(c *server.Config) { c.Fixture = []string{"toy"} }, `--fixture: "toy" was found, api=name was expected`},
		{"fixture API", func(c *server.Config) { c.Fixture = []string{"toi=x"} }, `--fixture: there is no API "toi"`},
		{"fixture", func(c *server.Config) { c.Fixture = []string{"toy=x"} }, `toy has no fixture "x"`},
		{"set", func(c *server.Config) { c.Set = []string{"toy.limit=on"} }, `--set: toy has no switch "limit"; did you mean "limits"?`},
		{"set API", func(c *server.Config) { c.Set = []string{"limits=on"} }, `--set: there is no API "limits"`},
		{"set form", func(c *server.Config) { c.Set = []string{"toy.limits"} }, `api.switch=value was expected`},
		{"activate", func(c *server.Config) { c.Activate = []string{"brokn"} }, `--activate: `},
		{"api ports", func(c *server.Config) { c.APIPorts = "some" }, `--api-ports is "some"`},
		{"api ports too few", func(c *server.Config) { c.APIPorts = "6411-6415" }, `leaves no port for toy`},
		{"credentials", func(c *server.Config) { c.FromEnv = true }, `known variables: TOY_TOKEN`},
		{"open control", func(c *server.Config) { c.ControlBind = "0.0.0.0" }, `--expose-control-without-token`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := config()
			tt.change(&c)
			s, err := server.Start(c)
			if err == nil {
				_ = s.Close(context.Background())
			}
			var usage *server.UsageError
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestFaultyFilesStopTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "toy/bad.yaml", "scenario: bad\napi: toy\nrules: [{operation: Pag, outcome: broken}]")
	c := config()
	c.Scenarios = []string{dir}
	if _, err := server.Start(c); err == nil || !strings.Contains(err.Error(), `toy/bad.yaml:3:`) || !strings.Contains(err.Error(), `did you mean "Page"?`) {
		t.Errorf("got %v", err)
	}
	c = config()
	c.Fixtures = []string{filepath.Join(dir, "none")}
	if _, err := server.Start(c); err == nil || !strings.Contains(err.Error(), "--fixtures: ") {
		t.Errorf("got %v", err)
	}
	c = config()
	c.Scenarios = []string{filepath.Join(dir, "none")}
	if _, err := server.Start(c); err == nil || !strings.Contains(err.Error(), "--scenarios: ") {
		t.Errorf("got %v", err)
	}
}

func TestFilesOfFoldersLieOverTheShipped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "toy/default.yaml", "fixture: default\napi: toy\nlimits: on\ntokens: [mine]")
	c := config()
	c.Fixtures, c.Set, c.FromEnv = []string{dir}, []string{"toy.limits=off"}, true
	c.Env = func(name string) string { return map[string]string{"TOY_TOKEN": "from-env"}[name] }
	s := start(t, c)
	instance, err := s.Registry.Find(sandbox.Default).Instance(s.APIs[0])
	if err != nil {
		t.Fatal(err)
	}
	state, _ := instance.Snapshot()
	if !strings.Contains(string(state), "mine") || instance.Switches().Bool("limits") {
		t.Errorf("got %s, %v", state, instance.Switches())
	}
}

// A part of the credentials that no variable gives is not waited for.
func TestCredentialsOfTheEnvironment(t *testing.T) {
	t.Parallel()
	c := config()
	c.APIs[0].Credentials = append(c.APIs[0].Credentials, contract.Credential{Name: "lasting"})
	c.FromEnv = true
	c.Env = func(name string) string {
		return map[string]string{"TOY_TOKEN": "from-env", "": "of no variable"}[name]
	}
	s := start(t, c)
	want := contract.Values{"token": "from-env"}
	if got := s.Registry.Config().Credentials["toy"]; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Credentials that the environment has in part are told, and not left out in
// silence because those of another API are whole.
func TestCredentialsInPart(t *testing.T) {
	t.Parallel()
	other := toy.New()
	other.Name, other.Port, other.Hosts = "other", other.Port+1, nil
	other.Credentials = []contract.Credential{{Name: "token", Env: "OTHER_TOKEN"}, {Name: "id", Env: "OTHER_ID", Identifier: true}, {Name: "more", Env: "OTHER_MORE"}}
	vars := map[string]string{"TOY_TOKEN": "from-env", "OTHER_TOKEN": "the-secret-of-other"}
	c := config()
	var log strings.Builder
	c.APIs, c.FromEnv, c.Log = append(c.APIs, other), true, slog.New(slog.NewTextHandler(&log, nil))
	c.Env = func(name string) string { return vars[name] }
	s := start(t, c)
	if got := s.Registry.Config().Credentials; len(got) != 1 || got["toy"] == nil {
		t.Errorf("got %v", got)
	}
	for _, want := range []string{"level=WARN", "api=other", `missing="OTHER_ID, OTHER_MORE"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %s: %s", want, log.String())
		}
	}
	delete(vars, "TOY_TOKEN")
	c.APIs = []*contract.API{toy.New(), other}
	if _, err := server.Start(c); err == nil || !strings.Contains(err.Error(), "other lacks OTHER_ID, OTHER_MORE; known variables: TOY_TOKEN, OTHER_TOKEN") {
		t.Errorf("got %v", err)
	}
}

// An error that stops the start names no secret.
func TestErrorsTellNoSecrets(t *testing.T) {
	t.Parallel()
	c := config()
	c.FromEnv = true
	c.Env = func(name string) string { return map[string]string{"TOY_TOKEN": "twice-told"}[name] }
	c.ShippedFixtures = fstest.MapFS{"toy/default.yaml": {Data: []byte("fixture: default\napi: toy\ntokens: [twice-told, twice-told]")}}
	if _, err := server.Start(c); err == nil || strings.Contains(err.Error(), "twice-told") || !strings.Contains(err.Error(), "token env:TOY_TOKEN stands twice") {
		t.Errorf("got %v", err)
	}
}

func TestOnlySome(t *testing.T) {
	t.Parallel()
	c := config()
	c.Only, c.APIPorts = []string{"toy"}, "off"
	s := start(t, c)
	if got := s.URL("toy"); got != s.DoorURL+"/toy" {
		t.Errorf("got %s", got)
	}
	if n := s.Panics(); n != 0 {
		t.Errorf("%d requests failed", n)
	}
}

// A callback reaches the receiver after the answer, the journal has it, and
// a host that no one allowed is left alone.
func TestCallbacksAreSent(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.URL.RequestURI() }))
	defer receiver.Close()
	c := config()
	shown := c.APIs[0].Operation("Page").Outcomes[0]
	shown.Do = func(c *contract.Call) any {
		c.Notify(contract.Callback{Method: "GET", URL: receiver.URL + "/seen?n=1"})
		c.Notify(contract.Callback{Method: "GET", URL: "http://198.51.100.1/"})
		return nil
	}
	s := start(t, c)
	get(t, s.DoorURL+"/toy/page")
	if got := <-heard; got != "/seen?n=1" {
		t.Errorf("the receiver heard %s", got)
	}
	if _, body := get(t, s.ControlURL+"/v1/sandboxes/default/journal/default-1"); !strings.Contains(body, `"callbacks":[{"method":"GET","url":"`+receiver.URL+`/seen?n=1"}`) {
		t.Errorf("the journal tells %s", body)
	}
	if _, body := get(t, s.ControlURL+"/metrics"); !strings.Contains(body, `understudy_callbacks_total{result="refused"} 1`) {
		t.Errorf("metrics tell %s", body)
	}
}

func TestAdvertisedDoorIsReported(t *testing.T) {
	t.Parallel()
	c := config()
	c.AdvertiseDoor = "https://mocks.example.com/us/"
	s := start(t, c)
	if _, body := get(t, s.ControlURL+"/v1/status"); !strings.Contains(body, `"doors":{"door":"https://mocks.example.com/us","toy":"https://mocks.example.com/us/toy"}`) {
		t.Errorf("status tells %s", body)
	}
	for _, bad := range []string{"mocks.example.com", "ftp://x", "http://", "http://x/?a=1", "http://x/#a", "%"} {
		c := config()
		c.AdvertiseDoor = bad
		var usage *server.UsageError
		if _, err := server.Start(c); !errors.As(err, &usage) || !strings.Contains(err.Error(), "--advertise-door is") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

// A request to the control port that ends in a fault of understudy's own counts as one to
// an API does.
func TestFaultsOfTheControlPortCount(t *testing.T) {
	t.Parallel()
	c := config()
	c.APIs[0].Triggers = append(c.APIs[0].Triggers, &contract.Trigger{Name: "roof.falls", Do: func(*contract.Call) error { panic("the roof fell") }})
	s := start(t, c)
	answer, err := http.Post(s.ControlURL+"/v1/sandboxes/default/triggers/toy/roof.falls", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if n := s.Panics(); answer.StatusCode != 500 || n != 1 {
		t.Errorf("got %d and %d faults, want 500 and 1", answer.StatusCode, n)
	}
}
