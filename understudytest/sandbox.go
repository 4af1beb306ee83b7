package understudytest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/document"
)

// A Sandbox is one test's own world: state, clock, scenarios, journal and credentials.
// Its methods end the test that it was made for where something is wrong, so they are
// called from that test's goroutine; a subtest takes a sandbox of its own.
type Sandbox struct {
	Name string

	t       testing.TB
	server  *Server
	control *client.Client
	made    madeSandbox

	mu    sync.Mutex
	rules []*Rule
}

// madeSandbox is a sandbox as the control API tells it.
type madeSandbox struct {
	URLs        map[string]string         `json:"urls"`
	Credentials map[string]map[string]any `json:"credentials"`
	Env         map[string]string         `json:"env"`
}

// idleLife is how long a sandbox lives on a running server where its test was killed.
const idleLife = "1h"

// Sandbox makes a sandbox with credentials of its own, named after the test. When the
// test ends it is dropped; when the test has failed, its journal is logged before.
func (s *Server) Sandbox(t testing.TB) *Sandbox {
	t.Helper()
	name := s.names.take(s.baseName(t.Name()))
	b := &Sandbox{Name: name, t: t, server: s, control: s.control.In(name)}
	t.Cleanup(func() {
		t.Helper()
		b.end()
	})
	b.must(b.send(http.MethodPut, nil, map[string]any{"ttl": idleLife}, &b.made))
	if s.own == nil {
		b.Reset() // a test that was killed may have left it
	}
	return b
}

// end tells what a failed test needs, and drops the sandbox.
func (b *Sandbox) end() {
	b.t.Helper()
	defer b.server.names.release(b.Name)
	if b.made.URLs == nil {
		return // it was not made
	}
	for _, r := range b.rules {
		if !r.on {
			b.t.Errorf("the rule of box.On(%q, %q) says for no call what happens; add Outcome, Delay or Fault", r.api, r.operation)
		}
	}
	if b.t.Failed() {
		b.logJournal()
	}
	if err := b.send(http.MethodDelete, nil, nil, nil); err != nil && !noServer(err) {
		b.t.Logf("the sandbox %s was not dropped: %v", b.Name, err)
	}
}

var unnamable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^a-z0-9]+`) })

// The lengths of names: of a sandbox, and of what is added to the test's own.
const (
	longestName = 63
	roomForMore = 15
)

// baseName makes the name of a sandbox of a test's name.
func (s *Server) baseName(test string) string {
	base := strings.Trim(unnamable().ReplaceAllString(strings.ToLower(test), "-"), "-")
	ascii := !strings.ContainsFunc(test, func(r rune) bool { return r > 127 })
	if most := longestName - roomForMore; len(base) > most || !ascii || base == "" || base == "default" {
		base = strings.Trim("test-"+base[:min(len(base), most-len("test--123456"))], "-") + "-" + digest(test)
	}
	if s.own == nil { // other packages' tests may use it at the same time
		base += "-" + digest(program())
	}
	return base
}

// names are those of the sandboxes that tests of this process have.
type names struct {
	mu    sync.Mutex
	taken map[string]bool
}

// runningNames are those on a server that runs elsewhere, which several Servers reach.
var runningNames = &names{}

// take returns a name that no test has: base, or where another test of that name or the
// same test has it, base and a number.
func (n *names) take(base string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.taken == nil {
		n.taken = map[string]bool{}
	}
	name := base
	for i := 2; n.taken[name]; i++ {
		name = base + "-" + strconv.Itoa(i)
	}
	n.taken[name] = true
	return name
}

// release gives a name back.
func (n *names) release(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.taken, name)
}

// digest is a short text that stands for another.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:3])
}

// program is the import path of the package that is tested.
var program = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Path
	}
	return ""
})

// URL is the address of an API for clients of this sandbox.
func (b *Sandbox) URL(api string) string {
	b.t.Helper()
	return known(b, "API", api, b.made.URLs)
}

// Credentials are the sandbox's own for an API, by the vendor's names. Calls that carry
// them belong to the sandbox by whatever address they come.
func (b *Sandbox) Credentials(api string) map[string]string {
	b.t.Helper()
	all := map[string]string{}
	for name, value := range known(b, "API", api, b.made.Credentials) {
		all[name] = fmt.Sprint(value)
	}
	return all
}

// Env are the environment variables that point clients to the sandbox, such as
// TENCENTCAR_ENDPOINT and TENCENTCLOUD_SECRET_ID.
func (b *Sandbox) Env() map[string]string { return maps.Clone(b.made.Env) }

// Setenv sets the variables of Env until t ends. As with t.Setenv, t is not parallel.
func (b *Sandbox) Setenv(t testing.TB) {
	t.Helper()
	for name, value := range b.made.Env {
		t.Setenv(name, value)
	}
}

// Client is an HTTP client whose requests all belong to the sandbox, as RoundTripper has
// it.
func (b *Sandbox) Client() *http.Client { return &http.Client{Transport: b.RoundTripper()} }

// RoundTripper is that of the server, and has every request belong to the sandbox.
func (b *Sandbox) RoundTripper() http.RoundTripper { return &named{b.Name, b.server.transport} }

// named adds the header by which a request names its sandbox.
type named struct {
	sandbox string
	*http.Transport
}

// RoundTrip sends a request.
func (n *named) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Understudy-Sandbox", n.sandbox)
	return n.Transport.RoundTrip(r)
}

// Scenario switches a scenario on, by its name: tencentcar/no-idle, or any documented
// outcome of an operation, tencentcar/CreateSession/FailedOperation.SlowDown.
func (b *Sandbox) Scenario(name string) {
	b.t.Helper()
	b.must(b.send(http.MethodPut, []string{"scenarios", name}, nil, nil))
}

// ScenarioOff switches a scenario off; without a name, all of them.
func (b *Sandbox) ScenarioOff(name ...string) {
	b.t.Helper()
	if len(name) == 0 {
		b.must(b.send(http.MethodDelete, []string{"scenarios"}, nil, nil))
	}
	for _, n := range name {
		b.must(b.send(http.MethodDelete, []string{"scenarios", n}, nil, nil))
	}
}

// Trigger has something happen outside the API's calls: a user logs in, a client is
// lost. understudy list triggers has their names.
func (b *Sandbox) Trigger(api, name string, params map[string]any) {
	b.t.Helper()
	b.must(b.send(http.MethodPost, []string{"triggers", api, name}, params, nil))
}

// A Due is something that ended by itself when its time had come.
type Due struct {
	API  string    `json:"api"`
	What string    `json:"what"` // session, token
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
}

type moved struct {
	Now     time.Time `json:"now"`
	Expired []Due     `json:"expired"`
}

// Advance moves the sandbox's clock forward, and returns what ended because of that, in
// the order of time; at most the first 1,000 of it.
func (b *Sandbox) Advance(d time.Duration) []Due {
	b.t.Helper()
	return b.moveClock(map[string]any{"advance": d.String()}).Expired
}

// Freeze stops the sandbox's clock at an instant, and returns what ended because of that.
func (b *Sandbox) Freeze(at time.Time) []Due {
	b.t.Helper()
	return b.moveClock(map[string]any{"freeze": at.Format(time.RFC3339Nano)}).Expired
}

func (b *Sandbox) moveClock(how map[string]any) (m moved) {
	b.t.Helper()
	b.must(b.send(http.MethodPut, []string{"clock"}, how, &m))
	return m
}

// Now is the time by the sandbox's clock.
func (b *Sandbox) Now() time.Time {
	b.t.Helper()
	var m moved
	b.must(b.send(http.MethodGet, []string{"clock"}, nil, &m))
	return m.Now
}

// Fixture has an API begin anew with a fixture, by its name.
func (b *Sandbox) Fixture(api, name string) {
	b.t.Helper()
	b.must(b.send(http.MethodPut, []string{"fixtures", api}, map[string]any{"name": name}, nil))
}

// Set has an API begin anew with a switch of its fixture set. understudy list switches
// has their names.
func (b *Sandbox) Set(api, name string, value any) {
	b.t.Helper()
	b.must(b.send(http.MethodPut, []string{"fixtures", api}, map[string]any{"set": map[string]any{name: value}}, nil))
}

// Reset has the sandbox begin anew: state, journal, clock, fixtures, and no scenario on.
func (b *Sandbox) Reset() {
	b.t.Helper()
	b.must(b.send(http.MethodPost, []string{"reset"}, nil, nil))
}

// A Snapshot is a sandbox as it stood at one moment.
type Snapshot []byte

// Snapshot returns all that decides how calls end: states, clock, dice, switches and the
// scenarios that are on. The journal is no part of it.
func (b *Sandbox) Snapshot() Snapshot {
	b.t.Helper()
	var taken json.RawMessage
	b.must(b.send(http.MethodGet, []string{"state"}, nil, &taken))
	return Snapshot(taken)
}

// Restore has the sandbox stand as it did when the snapshot was taken.
func (b *Sandbox) Restore(s Snapshot) {
	b.t.Helper()
	b.must(b.send(http.MethodPut, []string{"state"}, json.RawMessage(s), nil))
}

// send asks the control API about something in the sandbox.
func (b *Sandbox) send(method string, path []string, value, into any) error {
	return b.control.Send(context.Background(), method, b.control.InSandbox(path...), value, into)
}

// must ends the test where err is one.
func (b *Sandbox) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("sandbox %s: %s", b.Name, b.said(err))
	}
}

// said is an error as the test's author needs it.
func (b *Sandbox) said(err error) string {
	if noServer(err) && b.server.closed.Load() {
		return "its server was closed, by Close or at the end of the test that started it; call Start in each test that needs a server, or Open in TestMain for one that tests share"
	}
	return plainFaults(err.Error())
}

var place = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^\S+:\d+:\d+: `) })

// plainFaults leaves the places of faults out: they are those of a text that this
// package wrote.
func plainFaults(text string) string { return place().ReplaceAllString(text, "") }

// known returns what a map has under a name, or ends the test with what it has.
func known[T any](b *Sandbox, what, name string, all map[string]T) T {
	b.t.Helper()
	found, ok := all[name]
	if !ok {
		b.t.Fatalf("there is no %s %q%s", what, name, document.Hint(name, slices.Sorted(maps.Keys(all))))
	}
	return found
}
