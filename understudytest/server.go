package understudytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/memnet"
	"github.com/understudy-suite/understudy/internal/server"
	"github.com/understudy-suite/understudy/scenarios"
)

// A Server is an understudy that tests talk to. Its methods may be called from several
// goroutines.
type Server struct {
	control   *client.Client
	transport *http.Transport
	route     route
	own       *server.Server // nil: it runs elsewhere
	faults    *keptLog       // of own
	names     *names
	close     sync.Once
	closed    atomic.Bool // own was closed
}

// An Option changes how a server is started. A server that runs already keeps its own
// settings.
type Option func(*options)

type options struct {
	config server.Config
	memory bool
}

// InMemory serves without ports: only clients of Server.RoundTripper and Sandbox.Client
// reach the server.
func InMemory() Option { return func(o *options) { o.memory = true } }

// Scenarios takes scenarios from folders, DIR/<api>/<name>.yaml, beside those that are
// shipped.
func Scenarios(dirs ...string) Option {
	return func(o *options) { o.config.Scenarios = append(o.config.Scenarios, dirs...) }
}

// Fixtures takes fixtures from folders, DIR/<api>/<name>.yaml, beside those that are
// shipped.
func Fixtures(dirs ...string) Option {
	return func(o *options) { o.config.Fixtures = append(o.config.Fixtures, dirs...) }
}

// Seed decides everything that is invented: identifiers, names, chance. Without it the
// seed is 1, so that every run gets the same.
func Seed(seed uint64) Option { return func(o *options) { o.config.Seed = seed } }

// Start starts a server on free ports of 127.0.0.1 and closes it when the test ends.
// Where UNDERSTUDY_CONTROL names a running server, that one is used.
func Start(t testing.TB, with ...Option) *Server {
	t.Helper()
	s, err := Open(with...)
	if err != nil {
		t.Fatalf("understudy did not start: %v", err)
	}
	t.Cleanup(func() {
		s.Close()
		if faults := s.ownFaults(); faults != "" {
			t.Errorf("understudy failed on requests; please report this:\n%s", faults)
		}
	})
	return s
}

// Open is Start for a server that the tests of a package share, in TestMain. The caller
// closes it.
func Open(with ...Option) (*Server, error) {
	s := &Server{names: runningNames}
	o := options{config: defaults()}
	for _, option := range with {
		option(&o)
	}
	address, token := os.Getenv(client.ControlVariable), os.Getenv("UNDERSTUDY_CONTROL_TOKEN")
	if address == "" {
		token = ""
		var err error
		if address, err = s.start(o); err != nil {
			return nil, err
		}
	}
	if err := s.connect(address, token); err != nil {
		s.Close()
		if s.own == nil {
			err = fmt.Errorf("%w (%s is set, so no server was started here; unset it for one of the test's own)", err, client.ControlVariable)
		}
		return nil, err
	}
	return s, nil
}

// defaults are the settings of understudy serve, on free ports.
func defaults() server.Config {
	return server.Config{
		APIs: emulators.All, ShippedFixtures: fixtures.Files, ShippedScenarios: scenarios.Files,
		Bind: "127.0.0.1", ControlBind: "127.0.0.1", DoorPorts: []int{0}, APIPorts: "0",
		Seed: 1, Clock: "follow", Signatures: "wall", Auth: []string{"verify"}, Env: os.Getenv,
		Journal: 1000, MaxSandboxes: 1000, MaxStall: 120 * time.Second, Body: 10 << 20,
		MaxConnections: 8192, MaxInflight: 256 << 20, MaxState: 512 << 20,
		Version: "understudytest", Wall: time.Now, //nolint:forbidigo // like a command, a test is where the wall clock enters
	}
}

// memoryHost is the host of a server in memory. No other machine can have such a name.
const memoryHost = "understudy.test"

// start starts a server in this process, and returns the address of its control API.
func (s *Server) start(o options) (address string, err error) {
	s.names, s.faults = &names{}, &keptLog{}
	o.config.Log = slog.New(slog.NewTextHandler(s.faults, &slog.HandlerOptions{Level: slog.LevelError}))
	if o.memory {
		network := &memnet.Network{}
		s.route.below, o.config.Listen = network.DialContext, network.Listen
		o.config.ControlPort, o.config.DoorPorts, o.config.APIPorts = 6400, []int{6410}, server.APIPorts(emulators.All)
	}
	if s.own, err = server.Start(o.config); err != nil {
		return "", fmt.Errorf("starting a server: %w", err)
	}
	if o.memory {
		return "http://" + memoryHost + ":6400", nil
	}
	return s.own.ControlURL, nil
}

// connect asks a server where its APIs are.
func (s *Server) connect(address, token string) (err error) {
	if s.control, err = client.New(address, "", token); err != nil {
		return err
	}
	if s.route.below == nil {
		s.route.below = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	}
	s.transport = &http.Transport{DialContext: s.route.dial, DisableCompression: true, MaxIdleConnsPerHost: 64}
	s.control.Through(s.transport)
	var status struct {
		Doors map[string]string `json:"doors"`
	}
	if err := s.control.Get(context.Background(), client.Path("status"), &status); err != nil {
		return err
	}
	control, err := url.Parse(s.control.Base)
	if err != nil {
		return fmt.Errorf("the address of the control API: %w", err)
	}
	door, err := url.Parse(status.Doors["door"])
	if err != nil {
		return fmt.Errorf("the address of the door: %w", err)
	}
	if control.Scheme == "http" && door.Scheme == "http" && door.Path == "" {
		s.transport.DialTLSContext = s.route.dial
		s.route.set(door, control)
	}
	return nil
}

// Close ends a server that was started here, and the connections to it. To close it
// again does nothing.
func (s *Server) Close() {
	s.close.Do(func() {
		if s.transport != nil {
			s.transport.CloseIdleConnections()
		}
		if s.own != nil {
			s.closed.Store(true)
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_ = s.own.Close(ctx) // what does not end in time is cut
		}
	})
}

// ownFaults tells the faults of a server that was started here.
func (s *Server) ownFaults() string {
	if s.own == nil || s.own.Panics() == 0 {
		return ""
	}
	return s.faults.String()
}

// RoundTripper carries requests to the server, whatever their host: those to documented
// hosts, such as https://car.tencentcloudapi.com, go to the door that all APIs share, and
// never leave the machine. HTTPS is spoken without TLS.
func (s *Server) RoundTripper() http.RoundTripper { return s.transport }

// A keptLog keeps the beginning of a log.
type keptLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// mostLog is how many bytes of a log are kept.
const mostLog = 16 << 10

// Write keeps a line where there is room.
func (l *keptLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len() < mostLog {
		l.text.Write(line)
	}
	return len(line), nil
}

// String returns what was kept.
func (l *keptLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A route leads every connection to the server.
type route struct {
	below func(ctx context.Context, network, address string) (net.Conn, error)
	door  string          // host and port to which unknown hosts lead; "": they lead nowhere else
	hosts map[string]bool // hosts of the server
}

func (r *route) set(door *url.URL, others ...*url.URL) {
	r.hosts = map[string]bool{"localhost": true, door.Hostname(): true}
	for _, u := range others {
		r.hosts[u.Hostname()] = true
	}
	port := door.Port()
	if port == "" {
		port = "80"
	}
	r.door = net.JoinHostPort(door.Hostname(), port)
}

func (r *route) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ip := net.ParseIP(host)
	if r.door != "" && !r.hosts[host] && !(ip != nil && ip.IsLoopback()) {
		address = r.door
	}
	return r.below(ctx, network, address)
}

// noServer reports whether err says that the server has gone.
func noServer(err error) bool {
	var of *client.Error
	return errors.As(err, &of) && of.Kind == client.NoServer
}
