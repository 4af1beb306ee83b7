package soak_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
)

// A kind is a way to behave.
type kind struct {
	name    string
	clients int
	run     func(*client)
}

// 1,000 clients of the APIs, and the people who keep changing things under them.
var kinds = []kind{
	{"caller", 560, (*client).call},
	{"victim", 120, (*client).meetFaults},
	{"sailor", 100, (*client).sail},
	{"guest", 60, (*client).visit},
	{"uploader", 12, (*client).upload},
	{"staller", 24, (*client).stall},
	{"dripper", 20, (*client).drip},
	{"cutter", 40, (*client).cut},
	{"exact", 1, (*client).countExactly}, // 64 clients at once

	{"resetter", 12, (*client).reset},
	{"reader", 2, (*client).read},
	{"writer", 1, (*client).write},
}

// The sandboxes that live as long as the soak. Only in the weather does a scenario
// break what nobody called for.
const (
	calmSandboxes    = 12
	weatherSandboxes = 6
	exactClients     = 64
)

func calm(i int) string      { return fmt.Sprintf("calm-%d", i%calmSandboxes) }
func stormy(i int) string    { return fmt.Sprintf("weather-%d", i%weatherSandboxes) }
func pathOf(b string) string { return "/v1/sandboxes/" + b }

// A client does one thing after another until the soak ends.
type client struct {
	*soak
	number  int // among its kind
	rand    *rand.Rand
	sandbox string
}

func (s *soak) client(i int, number uint64) *client {
	return &client{soak: s, number: i, rand: rand.New(rand.NewPCG(*seed, number)), sandbox: calm(i)}
}

func (c *client) goesOn() bool { return c.stop.Err() == nil }

// every calls do at intervals until the soak ends.
func (c *client) every(d time.Duration, do func(n int)) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for n := 1; c.goesOn(); n++ {
		do(n)
		select {
		case <-tick.C:
		case <-c.stop.Done():
		}
	}
}

// callers is the HTTP client of all, and what they know.
type callers struct {
	http *http.Client

	mu          sync.Mutex
	credentials map[string]map[string]contract.Values // by sandbox and API
}

func newCallers() *callers {
	return &callers{
		credentials: map[string]map[string]contract.Values{},
		http: &http.Client{
			Timeout: 90 * time.Second,
			Transport: &http.Transport{
				DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
				DisableCompression:  true,
				MaxIdleConnsPerHost: 2000,
				IdleConnTimeout:     20 * time.Second, // longer than the server waits for the head of a request that has begun
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (k *callers) closeIdle() { k.http.CloseIdleConnections() }

// prepare makes the sandboxes that stay, and has every way been gone once.
func (s *soak) prepare() {
	s.stop = context.Background()
	c := s.client(0, 0)
	for i := range calmSandboxes {
		c.greet(calm(i))
	}
	for i := range weatherSandboxes {
		c.greet(stormy(i))
		c.control("PUT", pathOf(stormy(i))+"/scenarios/all/weather", "", 200)
	}
	for _, api := range emulators.All {
		for _, op := range api.Operations {
			c.exchange("a call", c.signed(api, op), nil)
		}
	}
	for i := range faults {
		c.exchange("a faulted call", c.anyCall(), &faults[i])
	}
	c.control("GET", "/metrics", "", 200)
}

// greet makes a sandbox by first use, and learns its credentials.
func (c *client) greet(name string) {
	r, err := http.NewRequest("GET", c.server.URL("adobemedia")+"/", nil)
	if err != nil {
		c.t.Error(err)
		return
	}
	r.Header.Set(gateway.SandboxHeader, name)
	c.exchange("the first call in a sandbox", r, nil)
	_, text := c.control("GET", pathOf(name), "", 200)
	var box struct {
		Credentials map[string]contract.Values `json:"credentials"`
	}
	if err := json.Unmarshal(text, &box); err != nil {
		c.ledger.fault("unreadable sandbox", "%v in %s", err, text)
		return
	}
	c.callers.mu.Lock()
	defer c.callers.mu.Unlock()
	c.callers.credentials[name] = box.Credentials
}

// signed makes a call as the API's client libraries do.
func (c *client) signed(api *contract.API, op *contract.Operation) *http.Request {
	return c.signedWith(api, op, contract.Sample(op.Params))
}

func (c *client) signedWith(api *contract.API, op *contract.Operation, in contract.Values) *http.Request {
	base := c.server.URL(api.Name)
	if c.rand.IntN(4) == 0 {
		base = c.server.DoorURL + "/" + api.Name
	}
	host := strings.TrimPrefix(c.server.URL(api.Name), "http://")
	c.callers.mu.Lock()
	known := c.callers.credentials[c.sandbox][api.Name]
	if known == nil {
		known = c.callers.credentials[calm(0)][api.Name]
	}
	c.callers.mu.Unlock()
	credentials := contract.Values{}
	for _, k := range api.Credentials {
		credentials[k.Name] = "nobody"
		if known.Has(k.Name) {
			credentials[k.Name] = known[k.Name]
		}
	}
	signed, err := api.Sign(contract.Draft{Operation: op, In: in, Host: host, Credentials: credentials, Now: time.Now()})
	if err != nil {
		c.t.Errorf("%s %s: %v", api.Name, op.Name, err)
		return nil
	}
	r, err := http.NewRequest(signed.Method, base+signed.Target, bytes.NewReader(signed.Body))
	if err != nil {
		c.t.Errorf("%s %s: %v", api.Name, op.Name, err)
		return nil
	}
	r.Host = signed.Host
	for name, values := range signed.Header {
		r.Header[name] = values
	}
	r.Header.Set(gateway.SandboxHeader, c.sandbox)
	return r
}

func (c *client) anyOperation() (*contract.API, *contract.Operation) {
	api := emulators.All[c.rand.IntN(len(emulators.All))]
	return api, api.Operations[c.rand.IntN(len(api.Operations))]
}

func (c *client) anyCall() *http.Request { return c.signed(c.anyOperation()) }

// spoil makes a signed call wrong in some place.
func (c *client) spoil(r *http.Request) {
	switch c.rand.IntN(5) {
	case 0:
		if s := r.Header.Get("Authorization"); s != "" {
			r.Header.Set("Authorization", s[:len(s)-1])
		}
		r.URL.RawQuery += "&sign=00"
	case 1:
		body := []byte(strings.Repeat("{\"x\":[", 50))
		r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	case 2:
		r.Method = []string{"PUT", "DELETE", "PATCH", "OPTIONS", "FOO"}[c.rand.IntN(5)]
	case 3:
		r.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.Path + "/no/such"}
	case 4:
		r.Header = http.Header{gateway.SandboxHeader: r.Header[gateway.SandboxHeader]}
		r.URL.RawQuery = ""
	}
}

// An answer is one that has come whole.
type answer struct {
	status int
	header http.Header
}

// exchange sends r and judges what comes: whole answers of the API, problems of
// understudy's own, and the fault that was called for.
func (c *client) exchange(what string, r *http.Request, called *fault) (*answer, bool) {
	if r == nil {
		return nil, false
	}
	if called != nil {
		r.Header.Set(gateway.ScenarioHeader, called.scenario)
	}
	began := time.Now()
	got, broken := c.send(r)
	took := time.Since(began)
	switch {
	case broken == nil && got.status == gateway.StatusProblem:
		c.problem(what, r, got)
		return got, false
	case called == nil && broken != nil:
		c.ledger.fault(what+" was broken", "%s %s in %s: %v", r.Method, r.URL, c.sandbox, broken)
		return nil, false
	case called != nil && called.breaks != (broken != nil):
		c.ledger.fault("fault "+called.name+" did not play as called for", "%s %s: %v", r.Method, r.URL, broken)
	case called != nil && took < called.at:
		c.ledger.fault("fault "+called.name+" came early", "%s %s after %s", r.Method, r.URL, took)
	case called != nil:
		c.ledger.saw("fault " + called.name)
	}
	if broken != nil {
		return nil, false
	}
	return got, c.answered(what, r, got)
}

// answered counts a whole answer, which has to be the API's.
func (c *client) answered(what string, r *http.Request, got *answer) bool {
	outcome := got.header.Get(gateway.OutcomeHeader)
	if outcome == "" {
		c.ledger.fault(what+" was answered by nobody", "%s %s: %d %v", r.Method, r.URL, got.status, got.header)
		return false
	}
	api, _, _ := strings.Cut(outcome, "/")
	if strings.HasSuffix(outcome, "/success") {
		c.ledger.saw(api + " success")
	} else {
		c.ledger.saw(api + " refusal")
	}
	return true
}

// problem counts a failure of understudy's own. Some are what the soak provokes.
func (c *client) problem(what string, r *http.Request, got *answer) {
	switch code := got.header.Get(gateway.ProblemHeader); code {
	case "busy", "sandbox":
		c.ledger.saw("problem " + code)
	default:
		c.ledger.fault(what+" met the problem "+code, "%s %s: %v", r.Method, r.URL, got.header)
	}
}

// send sends r and reads the whole answer. Its error says which connection it had.
func (c *client) send(r *http.Request) (*answer, error) {
	var conn httptrace.GotConnInfo
	began, at := time.Now(), time.Duration(0)
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { conn, at = i, time.Since(began) }}
	response, err := c.callers.http.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil {
		return nil, fmt.Errorf("%w (%s after it began, %s after it had a connection; reused %t, idle for %s)",
			err, time.Since(began), time.Since(began)-at, conn.Reused, conn.IdleTime)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return nil, err
	}
	return &answer{response.StatusCode, response.Header}, nil
}

// control asks the control API, which has to answer with one of these statuses.
func (c *client) control(method, path, body string, want ...int) (int, []byte) {
	r, err := http.NewRequest(method, c.server.ControlURL+path, strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return 0, nil
	}
	answer, err := c.callers.http.Do(r)
	if err != nil {
		c.ledger.fault("control broke off", "%s %s: %v", method, path, err)
		return 0, nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		c.ledger.fault("control broke off", "%s %s: %v", method, path, err)
	}
	for _, status := range want {
		if answer.StatusCode == status {
			return status, text
		}
	}
	c.ledger.fault("control refused", "%s %s: %d %.300s", method, path, answer.StatusCode, text)
	return answer.StatusCode, text
}

// call calls rightly and wrongly.
func (c *client) call() {
	for c.goesOn() {
		r := c.anyCall()
		if c.rand.IntN(3) == 0 {
			c.spoil(r)
		}
		c.exchange("a call", r, nil)
	}
}

// meetFaults calls for a fault with every call.
func (c *client) meetFaults() {
	for c.goesOn() {
		c.exchange("a faulted call", c.anyCall(), &faults[c.rand.IntN(len(faults))])
	}
}

// sail calls where a scenario breaks answers as it likes.
func (c *client) sail() {
	c.sandbox = stormy(c.number)
	for c.goesOn() {
		r := c.anyCall()
		switch got, broken := c.send(r); {
		case errors.Is(broken, context.DeadlineExceeded):
			c.ledger.fault("a call in the weather was not answered", "%s %s: %v", r.Method, r.URL, broken)
		case broken != nil:
			c.ledger.saw("weather broke an answer")
		case got.status == gateway.StatusProblem:
			c.problem("a call in the weather", r, got)
		default:
			c.answered("a call in the weather", r, got)
		}
	}
}

// visit makes sandboxes by first use and drops them.
func (c *client) visit() {
	for n := 0; c.goesOn(); n++ {
		c.sandbox = fmt.Sprintf("guest-%d-%d", c.number, n)
		for range 1 + c.rand.IntN(4) {
			c.exchange("a guest's call", c.anyCall(), nil)
		}
		// One that found no room is not there.
		if status, _ := c.control("DELETE", pathOf(c.sandbox), "", 200, 404); status == 200 {
			c.ledger.saw("sandbox dropped")
		}
	}
}

// upload sends bodies of all sizes up to the longest and a little more: files, and
// what no API wants.
func (c *client) upload() {
	blob := bytes.Repeat([]byte("0123456789abcdef"), (maxBody+1<<20)/16)
	for c.goesOn() {
		size := 1 + c.rand.IntN(1<<(10+c.rand.IntN(14)))
		size = min(size, len(blob))
		api, op := c.anyOperation()
		var r *http.Request
		if c.rand.IntN(3) == 0 {
			api = find("youdu")
			op = api.Operation("UploadMedia")
			in := contract.Sample(op.Params)
			in["file"] = string(blob[:min(size, 6<<20)])
			r = c.signedWith(api, op, in)
		} else if r = c.signed(api, op); r != nil {
			r.Method = "POST"
			r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader(blob[:size])), int64(size), nil
			if c.rand.IntN(4) == 0 {
				r.ContentLength = -1 // in chunks, for which as much is reserved as for the longest body
			}
		}
		if _, ok := c.exchange("a large body", r, nil); ok {
			c.ledger.saw("large body")
		}
	}
}

func find(name string) *contract.API {
	for _, api := range emulators.All {
		if api.Name == name {
			return api
		}
	}
	panic("there is no API " + name)
}

// dial opens a connection to some port, which the end of the soak closes.
func (c *client) dial() (conn *net.TCPConn, done func()) {
	address := c.server.DoorURL
	if c.rand.IntN(2) == 0 {
		address = c.server.URL(emulators.All[c.rand.IntN(len(emulators.All))].Name)
	}
	dialled, err := net.DialTimeout("tcp", strings.TrimPrefix(address, "http://"), 30*time.Second)
	if err != nil {
		c.ledger.fault("no connection", "%s: %v", address, err)
		return nil, nil
	}
	unhook := context.AfterFunc(c.stop, func() { _ = dialled.Close() })
	return dialled.(*net.TCPConn), func() {
		unhook()
		_ = dialled.Close()
	}
}

// head is the head of a request with a body of so many bytes.
func head(length int) string {
	return fmt.Sprintf("POST /api/v1/sessions HTTP/1.1\r\nHost: adobemedia.localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", length)
}

// stall begins a request and waits. The server has to end it.
func (c *client) stall() {
	for c.goesOn() {
		conn, done := c.dial()
		if conn == nil {
			continue
		}
		text := []string{"P", "POST / HTTP/1.1\r\nHost: x\r\nX", head(64<<10) + "{", head(100)}[c.rand.IntN(4)]
		if c.rand.IntN(100) == 0 {
			text = head(maxBody) + strings.Repeat(" ", 64<<10) // holds a good part of the memory for bodies
		}
		_, _ = io.WriteString(conn, text)
		c.ends("a stalled connection", conn)
		c.ledger.saw("stalled connection")
		done()
	}
}

// drip sends a body byte by byte.
func (c *client) drip() {
	for c.goesOn() {
		conn, done := c.dial()
		if conn == nil {
			continue
		}
		_, _ = io.WriteString(conn, head(8<<10))
		dripping := make(chan struct{})
		over := make(chan struct{})
		go func() {
			defer close(dripping)
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
				case <-over:
					return
				}
				if _, err := conn.Write([]byte(" ")); err != nil {
					return
				}
			}
		}()
		c.ends("a dripping connection", conn)
		close(over)
		<-dripping
		c.ledger.saw("dripping connection")
		done()
	}
}

// ends waits until the server has ended the connection.
func (c *client) ends(what string, conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(60 * time.Second))
	text, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.ledger.fault(what+" was not ended", "within a minute; it got %.200q", text)
	}
	if status, _, _ := strings.Cut(strings.TrimPrefix(string(text), "HTTP/1.1 "), " "); status != "" && status != "599" && status != "400" && status != "408" {
		c.ledger.fault(what+" was answered", "%.300q", text)
	}
}

// cut breaks connections off in all places.
func (c *client) cut() {
	c.every(100*time.Millisecond, func(int) {
		conn, done := c.dial()
		if conn == nil {
			return
		}
		defer done()
		text := head(20) + `{"eventType":"ping"}`
		_, _ = io.WriteString(conn, text[:1+c.rand.IntN(len(text))])
		if c.rand.IntN(2) == 0 {
			_ = conn.SetLinger(0) // ends it with a RST
		}
		c.ledger.saw("connection cut")
	})
}

// countExactly plays scenarios that decide so many calls, to many clients at once.
func (c *client) countExactly() {
	for round := 0; c.goesOn(); round++ {
		c.sandbox = fmt.Sprintf("exact-%d", round)
		c.greet(c.sandbox)
		name, played := exactWire, func(h http.Header) bool { return h.Get(exactHeader) == "played" }
		if round%2 == 1 {
			name = exactOutcome
			played = func(h http.Header) bool { return strings.HasPrefix(h.Get("Understudy-Decided-By"), "scenario") }
		}
		c.control("PUT", pathOf(c.sandbox)+"/scenarios/"+name, "", 200)
		hits, broken := c.atOnce(round, name == exactOutcome, played)
		_, text := c.control("GET", pathOf(c.sandbox)+"/scenarios", "", 200)
		if fired := fmt.Sprintf(`"fired":%d,`, exactTimes); !strings.Contains(string(text), fired) || !broken && hits != exactTimes {
			c.ledger.fault("times: N was not exact", "%s decided %d calls, want %d; the server says %.500s", name, hits, exactTimes, text)
		} else {
			c.ledger.saw("times exact")
		}
		c.control("DELETE", pathOf(c.sandbox), "", 200)
	}
}

// atOnce sends twice as many calls as the scenario decides, from all clients at once.
// broken says that a call found no room, so that the answers do not tell all.
func (c *client) atOnce(round int, outcome bool, played func(http.Header) bool) (hits int, broken bool) {
	var all sync.WaitGroup
	var mu sync.Mutex
	car := find("tencentcar")
	for i := range exactClients {
		one := c.soak.client(i, 1<<32|uint64(round)<<8|uint64(i))
		one.sandbox = c.sandbox
		all.Go(func() {
			for range 2 * exactTimes / exactClients {
				r := one.signed(car, car.Operation("DescribeConcurrentCount"))
				if !outcome {
					r = one.anyCall()
				}
				got, ok := one.exchange("a counted call", r, nil)
				mu.Lock()
				if broken = broken || !ok; ok && played(got.header) {
					hits++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return hits, broken
}

// reset sets sandboxes back, and has the weather begin anew.
func (c *client) reset() {
	c.every(50*time.Millisecond, func(int) {
		name := calm(c.rand.IntN(calmSandboxes))
		if c.rand.IntN(3) == 0 {
			name = stormy(c.rand.IntN(weatherSandboxes))
		}
		only := []string{"", "?only=state", "?only=journal", "?only=scenarios,dice"}[c.rand.IntN(4)]
		c.control("POST", pathOf(name)+"/reset"+only, "", 200)
		c.ledger.saw("reset")
		if strings.HasPrefix(name, "weather") {
			c.control("PUT", pathOf(name)+"/scenarios/all/weather", "", 200, 409) // 409: the other one has reset it again
		}
	})
}

// read reads all that the control API tells.
func (c *client) read() {
	paths := []string{"/metrics", "/v1/status", "/v1/sandboxes", "/v1/scenarios", "/readyz"}
	for _, part := range []string{"", "/journal?limit=50", "/state", "/scenarios"} {
		paths = append(paths, pathOf(calm(c.number))+part, pathOf(stormy(c.number))+part)
	}
	c.every(100*time.Millisecond, func(n int) { c.control("GET", paths[n%len(paths)], "", 200) })
}

// write rewrites the files of the watched folders: at once, and in place where a
// reader meets half of it. Some revisions are no scenarios at all.
func (c *client) write() {
	c.every(100*time.Millisecond, func(n int) {
		switch n % 4 {
		case 0:
			c.replace(filepath.Join(c.scenarios, "all", "weather.yaml"), weather(n))
			c.ledger.saw("scenario files written")
		case 1:
			c.put(filepath.Join(c.scenarios, "polyv", fmt.Sprintf("churn-%d.yaml", n%5)), fmt.Sprintf("scenario: churn-%d\napi: polyv\nrules: [{operation: ListChannels, times: %d, outcome: success}]\n", n%5, n))
		case 2:
			c.put(filepath.Join(c.scenarios, "polyv", "faulty.yaml"), fmt.Sprintf("scenario: faulty\napi: polyv\nrules: [{operation: NoSuch%d", n))
		case 3:
			c.replace(filepath.Join(c.fixtures, "polyv", "default.yaml"), fixtureText(n))
			c.ledger.saw("fixture files written")
		}
		if n%40 == 0 {
			_ = os.Remove(filepath.Join(c.scenarios, "polyv", "faulty.yaml"))
		}
	})
}

// put writes a file in place.
func (c *client) put(path, text string) {
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		c.t.Error(err)
	}
}

// replace puts a whole file in another's place.
func (c *client) replace(path, text string) {
	c.put(path+".new", text)
	if err := os.Rename(path+".new", path); err != nil {
		c.t.Error(err)
	}
}
