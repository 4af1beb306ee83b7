// Package callback makes the calls that a service makes to its customer's
// side: a stream has ended, a message was sent.
//
// It is the only package that makes requests, and only to hosts that the operator
// allows: this machine, and the hosts that --callback-allow names. The address is
// checked when it is dialled, so that no name can lead elsewhere. No proxy is used,
// no redirect is followed, and the queues are bounded.
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

// Results lists all results.
var Results = []Result{Answered, Failed, Refused, Dropped}

// Config says which hosts a Sender may call.
type Config struct {
	Allow []string                  // host names or addresses beside this machine's own
	Own   func(port int) (own bool) // reports whether this process listens on a port; nil: on none
	Log   *slog.Logger
}

// A Sender sends callbacks: those to one host in the order in which they came,
// those to different hosts at the same time.
type Sender struct {
	config Config
	client *http.Client
	ends   context.Context // when it is done, requests under way are cancelled
	cut    context.CancelFunc

	mu      sync.Mutex
	queues  map[string][]contract.Callback // by host and port; a queue exists while a goroutine sends its callbacks
	waiting int
	closed  bool
	counts  map[Result]int64
	sending sync.WaitGroup
}

// New returns a sender that calls this machine and the hosts that config allows,
// and no other.
func New(config Config) *Sender {
	s := &Sender{config: config, queues: map[string][]contract.Callback{}, counts: map[Result]int64{}}
	s.config.Allow = nil
	for _, host := range config.Allow {
		s.config.Allow = append(s.config.Allow, strings.ToLower(host))
	}
	s.ends, s.cut = context.WithCancel(context.Background())
	s.client = &http.Client{
		Timeout: Timeout,
		Transport: &http.Transport{
			Proxy:               nil, // the environment must not redirect callbacks
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
			s.enqueue(host, b)
		}
	}
}

// enqueue adds b to the queue of its host. A host without a queue gets one, and a
// goroutine that sends it.
func (s *Sender) enqueue(host string, b contract.Callback) {
	s.waiting++
	queue, open := s.queues[host]
	s.queues[host] = append(queue, b)
	if !open {
		s.sending.Go(func() { s.drain(host) })
	}
}

// drain sends what is in a queue, and removes the queue once it is empty.
func (s *Sender) drain(host string) {
	for {
		b, more := s.next(host)
		if !more {
			return
		}
		status, err := s.send(b)
		s.mu.Lock()
		switch {
		case errors.As(err, new(*notAllowedError)), errors.As(err, new(*ownPortError)):
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
	queue := s.queues[host]
	if len(queue) == 0 {
		delete(s.queues, host)
		return b, false
	}
	s.queues[host] = queue[1:]
	s.waiting--
	return queue[0], true
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

// check returns the queue that a URL belongs to, or why it is not called.
func (s *Sender) check(address string) (queue string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%q is no http or https URL", address)
	}
	host := strings.ToLower(u.Hostname())
	if !s.isAllowed(host) && !isLoopback(host) {
		return "", &notAllowedError{host}
	}
	return strings.ToLower(u.Host), nil
}

// isAllowed reports whether the operator allows a host by its name or address.
func (s *Sender) isAllowed(host string) bool { return slices.Contains(s.config.Allow, host) }

// isLoopback reports whether a host can only mean this machine.
func isLoopback(host string) bool {
	if isLocalhostName(host) {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

func isLocalhostName(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// dial connects, and checks the address that a name resolved to. A name that is
// allowed may lead anywhere but to link-local addresses, where clouds keep
// their secrets; a name of this machine only to this machine.
func (s *Sender) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
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
		case s.config.Own != nil && s.config.Own(int(a.Port())) && isThisMachine(ip):
			return &ownPortError{a.Port()}
		case ip.IsLoopback(), s.isAllowed(ip.String()):
			return nil
		case s.isAllowed(strings.ToLower(host)) && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified():
			return nil
		}
		return &notAllowedError{host + " (" + ip.String() + ")"}
	}}
	if !isLocalhostName(strings.ToLower(host)) {
		return d.DialContext(ctx, network, address)
	}
	// Not every resolver knows what the standard (RFC 6761) says of these names.
	conn, err := d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		if six, failed := d.DialContext(ctx, network, net.JoinHostPort("::1", port)); failed == nil {
			return six, nil
		}
	}
	return conn, err
}

// An ownPortError says that a callback would reach understudy itself, where a callback
// may cause the next one.
type ownPortError struct{ port uint16 }

func (e *ownPortError) Error() string {
	return fmt.Sprintf("port %d of this machine is understudy's own; give the address of the receiver", e.port)
}

// isThisMachine reports whether an address is one of this machine's.
func isThisMachine(ip netip.Addr) bool {
	if ip.IsLoopback() || ip.IsUnspecified() {
		return true
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true // it may be
	}
	return slices.ContainsFunc(all, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == ip
	})
}
