// Package callback makes the calls that a service makes to its customer's
// side: a stream has ended, a message was sent.
//
// It is the only package that calls anybody, and it calls only whom
// the operator allows: this machine, and the hosts that --callback-allow names.
// The address is checked when it is dialled, so that no name can lead
// elsewhere. No proxy is asked, no redirect followed, and what waits is
// bounded.
package callback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The limits of callbacks.
const (
	Timeout = 5 * time.Second // from dialling to the end of the answer
	Most    = 1024            // callbacks that wait at once, over all hosts
	answer  = 64 << 10        // bytes that are read of an answer
)

// Result says what became of a callback.
type Result string

// What can become of a callback.
const (
	Answered Result = "answered" // whatever the status
	Failed   Result = "failed"   // no answer came
	Refused  Result = "refused"  // its host is not allowed
	Dropped  Result = "dropped"  // too many waited
)

// Results lists every result.
var Results = []Result{Answered, Failed, Refused, Dropped}

// Config says whom a Sender may call.
type Config struct {
	Allow []string // host names or addresses beside this machine's own
	Log   *slog.Logger
}

// A Sender sends callbacks: those to one host in the order in which they came,
// those to different hosts at the same time.
type Sender struct {
	config Config
	client *http.Client
	ends   context.Context // done: what is under way is cut
	cut    context.CancelFunc

	mu      sync.Mutex
	lanes   map[string][]contract.Callback // by host and port; a lane exists while a goroutine sends its callbacks
	waiting int
	closed  bool
	counts  map[Result]int64
	sending sync.WaitGroup
}

// New returns a sender that calls this machine and the hosts that config allows,
// and no other.
func New(config Config) *Sender {
	s := &Sender{config: config, lanes: map[string][]contract.Callback{}, counts: map[Result]int64{}}
	s.config.Allow = nil
	for _, host := range config.Allow {
		s.config.Allow = append(s.config.Allow, strings.ToLower(host))
	}
	s.ends, s.cut = context.WithCancel(context.Background())
	s.client = &http.Client{
		Timeout: Timeout,
		Transport: &http.Transport{
			Proxy:               nil, // the environment has no say in whom we call
			DialContext:         s.dial,
			DisableKeepAlives:   true, // nothing stays open once a callback is answered
			TLSHandshakeTimeout: Timeout,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s
}

// Send takes callbacks and returns at once. What becomes of them stands in the
// log and in Count.
func (s *Sender) Send(callbacks []contract.Callback) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range callbacks {
		host, err := s.check(b.URL)
		switch {
		case err != nil:
			s.countFailure(b, Refused, err)
		case s.closed:
			s.countFailure(b, Dropped, errors.New("the server is stopping"))
		case s.waiting >= Most:
			s.countFailure(b, Dropped, fmt.Errorf("%d callbacks wait already", Most))
		default:
			s.enter(host, b)
		}
	}
}

// enter puts b into the lane of its host, and opens the lane where there is
// none.
func (s *Sender) enter(host string, b contract.Callback) {
	s.waiting++
	lane, open := s.lanes[host]
	s.lanes[host] = append(lane, b)
	if !open {
		s.sending.Go(func() { s.run(host) })
	}
}

// run sends what is in a lane, and closes the lane once it is empty.
func (s *Sender) run(host string) {
	for {
		b, more := s.next(host)
		if !more {
			return
		}
		status, err := s.send(b)
		s.mu.Lock()
		switch {
		case errors.As(err, new(*notAllowedError)):
			s.countFailure(b, Refused, err)
		case err != nil:
			s.countFailure(b, Failed, err)
		default:
			s.counts[Answered]++
			s.config.Log.Info("a callback was answered", "url", b.URL, "status", status)
		}
		s.mu.Unlock()
	}
}

func (s *Sender) next(host string) (b contract.Callback, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lane := s.lanes[host]
	if len(lane) == 0 {
		delete(s.lanes, host)
		return b, false
	}
	s.lanes[host] = lane[1:]
	s.waiting--
	return lane[0], true
}

func (s *Sender) send(b contract.Callback) (status int, err error) {
	r, err := http.NewRequestWithContext(s.ends, b.Method, b.URL, bytes.NewReader(b.Body))
	if err != nil {
		return 0, err
	}
	if b.Header != nil {
		r.Header = b.Header
	}
	got, err := s.client.Do(r)
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return 0, failed.Err // the log has the address in a field of its own
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = got.Body.Close() }()
	_, err = io.CopyN(io.Discard, got.Body, answer)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return got.StatusCode, err
}

// countFailure counts and logs a callback without an answer. The caller holds the
// lock.
func (s *Sender) countFailure(b contract.Callback, r Result, err error) {
	s.counts[r]++
	s.config.Log.Warn("a callback was not answered", "url", b.URL, "result", string(r), "why", err.Error())
}

// Count returns how many callbacks had a result. A nil Sender sends nothing.
func (s *Sender) Count(r Result) int64 {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[r]
}

// Close sends what waits, until ctx is done, and then cuts what is left.
func (s *Sender) Close(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, s.cut)
	defer stop()
	s.sending.Wait()
	s.cut()
}

// A notAllowedError says that a host is not among the allowed ones.
type notAllowedError struct{ host string }

func (e *notAllowedError) Error() string {
	return fmt.Sprintf("the host %q is not allowed; callbacks go to this machine only, and to hosts that serve --callback-allow names", e.host)
}

// check says which lane a URL belongs to, or why it is not called.
func (s *Sender) check(address string) (lane string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%q is no http or https URL", address)
	}
	host := strings.ToLower(u.Hostname())
	if !s.named(host) && !own(host) {
		return "", &notAllowedError{host}
	}
	return strings.ToLower(u.Host), nil
}

// named reports whether the operator allows a host by its name or address.
func (s *Sender) named(host string) bool { return slices.Contains(s.config.Allow, host) }

// own reports whether a host can only mean this machine.
func own(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// dial connects and looks at the address that it came to. A name that is
// allowed may lead anywhere but to link-local addresses, where clouds keep
// their secrets; a name of this machine only to this machine.
func (s *Sender) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Control: func(_, to string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(to)
		if err != nil {
			return err
		}
		ip := a.Addr().Unmap().WithZone("")
		switch {
		case ip.IsLoopback(), s.named(ip.String()):
			return nil
		case s.named(strings.ToLower(host)) && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified():
			return nil
		}
		return &notAllowedError{host + " (" + ip.String() + ")"}
	}}
	return d.DialContext(ctx, network, address)
}
