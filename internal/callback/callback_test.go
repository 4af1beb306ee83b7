package callback_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/callback"
	"github.com/understudy-suite/understudy/internal/contract"
)

// receiver is a customer's server that keeps the requests that it receives.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	heard []string
}

func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	e := &receiver{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		e.heard = append(e.heard, fmt.Sprintf("%s %s %s %s", r.Method, r.URL.RequestURI(), r.Header.Get("X-Kind"), body))
		e.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *receiver) paths() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.heard...)
}

// sender returns a sender and its log.
func sender(allow ...string) (*callback.Sender, *bytes.Buffer) {
	var log bytes.Buffer
	return callback.New(callback.Config{Allow: allow, Log: slog.New(slog.NewTextHandler(&log, nil))}), &log
}

func get(urls ...string) (all []contract.Callback) {
	for _, u := range urls {
		all = append(all, contract.Callback{Method: "GET", URL: u})
	}
	return all
}

func TestCallbacksOfOneHostKeepTheirOrder(t *testing.T) {
	e := newReceiver(t, nil)
	s, log := sender()
	var want []string
	for i := range 50 {
		s.Send([]contract.Callback{{
			Method: "POST", URL: fmt.Sprintf("%s/cb?n=%d", e.URL, i), Header: http.Header{"X-Kind": {"live"}}, Body: []byte("body"),
		}})
		want = append(want, fmt.Sprintf("POST /cb?n=%d live body", i))
	}
	s.Close(context.Background())
	if got := e.paths(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if s.Count(callback.Answered) != 50 {
		t.Errorf("got %d answered: %s", s.Count(callback.Answered), log)
	}
}

func TestOnlyAllowedHostsAreCalled(t *testing.T) {
	e := newReceiver(t, nil)
	_, port, _ := net.SplitHostPort(e.Listener.Addr().String())
	tests := []struct {
		url   string
		allow []string
		want  callback.Result
	}{
		{"http://127.0.0.1:" + port + "/", nil, callback.Answered},
		{"http://localhost:" + port + "/", nil, callback.Answered},
		{"http://[::ffff:127.0.0.1]:" + port + "/", nil, callback.Answered},
		{"http://example.com/", nil, callback.Refused},
		{"http://127.0.0.1.example.com/", nil, callback.Refused},
		{"http://10.0.0.1/", nil, callback.Refused},
		{"http://169.254.169.254/latest/meta-data", nil, callback.Refused},
		{"http://[fe80::1%25lo]/", nil, callback.Refused},
		{"http://0.0.0.0:" + port + "/", nil, callback.Refused},
		{"http://localhost@example.com/", nil, callback.Refused},
		{"file:///etc/passwd", nil, callback.Refused},
		{"gopher://127.0.0.1/", nil, callback.Refused},
		{"http:///nowhere", nil, callback.Refused},
		{"http://%zz/", nil, callback.Refused},
		{"//127.0.0.1:" + port, nil, callback.Refused},
		{"http://[::ffff:169.254.169.254]/", []string{"::ffff:169.254.169.254"}, callback.Refused}, // allowed, and leads to a link-local address
		{"http://[::ffff:0.0.0.0]:" + port + "/", []string{"::ffff:0.0.0.0"}, callback.Refused},
		{"http://nowhere.invalid/", []string{"Nowhere.Invalid"}, callback.Failed}, // allowed, and not there
		{"http://127.0.0.1:1/", nil, callback.Failed},
	}
	for _, tt := range tests {
		s, log := sender(tt.allow...)
		s.Send(get(tt.url))
		s.Close(context.Background())
		for _, r := range callback.Results {
			want := int64(0)
			if r == tt.want {
				want = 1
			}
			if got := s.Count(r); got != want {
				t.Errorf("%s: got %d %s, want %d: %s", tt.url, got, r, want, log)
			}
		}
	}
}

// A redirect is an answer: following it would let a receiver choose whom we call.
func TestNoRedirectIsFollowed(t *testing.T) {
	other := newReceiver(t, nil)
	e := newReceiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	s, _ := sender()
	s.Send(get(e.URL))
	s.Close(context.Background())
	if got := other.paths(); len(got) > 0 || s.Count(callback.Answered) != 1 {
		t.Errorf("the redirect was followed: %v", got)
	}
}

// The environment's proxy would see what is sent, and could answer for anybody.
func TestNoProxyIsAsked(t *testing.T) {
	proxy, e := newReceiver(t, nil), newReceiver(t, nil)
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	s, _ := sender("nowhere.invalid")
	s.Send(get(e.URL, "http://nowhere.invalid/"))
	s.Close(context.Background())
	if got := proxy.paths(); len(got) > 0 {
		t.Errorf("the proxy heard %v", got)
	}
}

func TestAStalledReceiverHoldsUpNobodyElse(t *testing.T) {
	release := make(chan struct{})
	stalled := newReceiver(t, func(http.ResponseWriter, *http.Request) { <-release })
	e := newReceiver(t, nil)
	s, _ := sender()
	s.Send(get(stalled.URL, e.URL))
	for deadline := time.Now().Add(5 * time.Second); len(e.paths()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the other receiver was not called")
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	s.Close(ctx)
	close(release)
	if s.Count(callback.Failed) != 1 {
		t.Errorf("got %d failed", s.Count(callback.Failed))
	}
}

func TestWhatWaitsIsBoundedAndNothingStaysBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	release := make(chan struct{})
	e := newReceiver(t, func(http.ResponseWriter, *http.Request) { <-release })
	s, log := sender()
	for range callback.Most + 100 {
		s.Send(get(e.URL))
	}
	if n := s.Count(callback.Dropped); n < 99 || !strings.Contains(log.String(), "1024 callbacks wait already") {
		t.Errorf("got %d dropped", n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Close(ctx)
	close(release)
	e.Close()
	s.Send(get(e.URL))
	if !strings.Contains(log.String(), "the server is stopping") {
		t.Error("a callback was taken after the end")
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left, there were %d", runtime.NumGoroutine(), before)
		}
	}
}

// A callback to a port of understudy's own could cause the next one without end.
func TestOwnPortsAreNotCalled(t *testing.T) {
	t.Parallel()
	e := newReceiver(t, nil)
	_, port, _ := net.SplitHostPort(e.Listener.Addr().String())
	var log bytes.Buffer
	s := callback.New(callback.Config{
		Own: func(p int) bool { return strconv.Itoa(p) == port },
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	s.Send(get("http://127.0.0.1:"+port+"/", "http://localhost:"+port+"/", "http://[::ffff:127.0.0.1]:"+port+"/"))
	s.Close(context.Background())
	if s.Count(callback.Refused) != 3 || len(e.paths()) != 0 || !strings.Contains(log.String(), "understudy's own") {
		t.Errorf("got %d refused, %v: %s", s.Count(callback.Refused), e.paths(), &log)
	}
}

// Names below .localhost mean this machine, whether or not a resolver knows them.
func TestLocalhostNamesNeedNoResolver(t *testing.T) {
	t.Parallel()
	e := newReceiver(t, nil)
	_, port, _ := net.SplitHostPort(e.Listener.Addr().String())
	s, log := sender()
	s.Send(get("http://receiver.no-resolver-knows-it.localhost:"+port+"/", "http://Other.LOCALHOST:"+port+"/"))
	s.Close(context.Background())
	if s.Count(callback.Answered) != 2 {
		t.Errorf("got %d answers: %s", s.Count(callback.Answered), log)
	}
}
