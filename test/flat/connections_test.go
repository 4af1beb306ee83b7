package flat_test

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/server"
	"github.com/understudy-suite/understudy/scenarios"
)

// How many connections there are, and what each may hold in both programs of the test,
// the client's and the server's, which are one.
const (
	keptAlive, mostKept  = 5000, 24 << 10
	stalled, mostStalled = 500, 48 << 10
)

// served starts a server with a scenario by which answers stall.
func served(t *testing.T) *server.Server {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "all"), 0o700); err != nil {
		t.Fatal(err)
	}
	const stall = "scenario: stall\napi: all\nrules:\n  - {operation: '*', wire: {fault: stall}}\n"
	if err := os.WriteFile(filepath.Join(dir, "all", "stall.yaml"), []byte(stall), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := server.Start(server.Config{
		APIs: emulators.All, ShippedFixtures: fixtures.Files, ShippedScenarios: scenarios.Files, Scenarios: []string{dir},
		Bind: "127.0.0.1", ControlBind: "127.0.0.1", DoorPorts: []int{0}, APIPorts: "off",
		Seed: 1, Clock: "follow", Signatures: "wall", Auth: []string{"verify"},
		Journal: 1000, MaxSandboxes: 10, MaxStall: 10 * time.Minute, IdleTimeout: 10 * time.Minute, Body: 1 << 20,
		MaxConnections: keptAlive + stalled + 100, MaxInflight: 64 << 20,
		Log: slog.New(slog.DiscardHandler), Wall: time.Now, Env: func(string) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel() // what stalls is not waited for
		_ = s.Close(ended)
	})
	return s
}

// A client is one connection to the door.
type client struct {
	t       *testing.T
	conn    net.Conn
	request []byte
}

// connect connects to the door of a server. The client's calls have these headers.
func connect(t *testing.T, s *server.Server, header ...string) *client {
	t.Helper()
	api := emulators.All[slices.IndexFunc(emulators.All, func(a *contract.API) bool { return a.Name == "adobemedia" })]
	instance, err := s.Registry.Find("default").Instance(api)
	if err != nil {
		t.Fatal(err)
	}
	r, err := api.Sign(contract.Draft{Operation: api.Operation("StartSession"), Host: api.HostNames()[0], Credentials: instance.Credentials(), Now: conformance.Noon})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	var text bytes.Buffer
	if err := conformance.HTTP(r).Write(&text); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.DoorURL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t, conn, text.Bytes()}
}

func (c *client) send() {
	if _, err := c.conn.Write(c.request); err != nil {
		c.t.Fatal(err)
	}
}

// call sends a request and reads its answer.
func (c *client) call() {
	c.send()
	answer, err := http.ReadResponse(bufio.NewReaderSize(c.conn, 1<<10), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = answer.Body.Close() // there is none
	if answer.StatusCode != http.StatusCreated || answer.ContentLength != 0 {
		c.t.Fatalf("got %s with %d bytes; a session was expected to be created", answer.Status, answer.ContentLength)
	}
}

// memory returns the bytes of heap and stacks that are in use.
func memory() int {
	n := heap()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return n + int(m.StackInuse)
}

// A call costs the same beside 5,000 connections that are kept alive, and 500 whose
// answers stall.
func TestConnections(t *testing.T) { // not parallel: it measures
	kept, stalling := keptAlive, stalled
	if race {
		kept, stalling = 200, 20
	}
	quiet, busy := served(t), served(t)
	little, much := connect(t, quiet), connect(t, busy)
	little.call()
	much.call()
	check := func(what string, each, most int) {
		t.Logf("%s holds %d bytes", what, each)
		if each > most && !race {
			t.Errorf("%s holds %d bytes; at most %d were expected", what, each, most)
		}
	}

	began := memory()
	for range kept {
		connect(t, busy).call()
	}
	check("a connection that is kept alive", (memory()-began)/kept, mostKept)
	compare(t, "beside connections that are kept alive", little.call, much.call)

	calls := func() int { // that were decided so far
		n := busy.Registry.Find("default").Journal.Counts()
		return n.Entries + n.Dropped
	}
	before, decided := memory(), calls()
	for range stalling {
		connect(t, busy, gateway.ScenarioHeader, "all/stall").send()
	}
	for calls() < decided+stalling {
		runtime.Gosched()
	}
	check("a connection whose answer stalls", (memory()-before)/stalling, mostStalled)
	compare(t, "beside answers that stall", little.call, much.call)
}
