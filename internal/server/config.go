// Package server puts understudy together: fixtures, scenarios, sandboxes, the
// gateway and the control API, and serves them.
package server

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/files"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/redact"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
	"github.com/understudy-suite/understudy/internal/wire"
)

// Config says what is served and how. Its members are the flags of serve, as
// they were written.
type Config struct {
	APIs             []*contract.API
	ShippedFixtures  fs.FS
	ShippedScenarios fs.FS

	Listen func(network, address string) (net.Listener, error) // nil: net.Listen

	Bind, ControlBind string
	ControlPort       int
	DoorPorts         []int
	APIPorts          string // "6411-6415", "0" or "off"
	APIPortsNamed     bool   // the user named the ports
	Only              []string

	TLS                 bool
	TLSPorts            []int
	TLSDir              string // folder in which the CA is kept; "": it lives in memory
	TLSCACert, TLSCAKey string // files of a given CA
	TLSNames            []string
	TLSFaults           []string // host=fault
	HTTP2               bool     // offered by the TLS door

	Scenarios  []string      // folders
	Fixtures   []string      // folders
	Poll       time.Duration // interval of polling; 0: events of the operating system
	Fixture    []string      // api=name
	Set        []string      // api.switch=value
	Activate   []string      // scenarios
	FromEnv    bool          // credentials from the environment count beside the documented ones
	Seed       uint64
	Clock      string // "follow" or an instant
	Signatures string // "wall" or "sandbox"
	Auth       []string
	Unknown    []string
	CORS       []string

	Journal      int
	MaxSandboxes int
	MaxStall     time.Duration
	Body         int64 // longest request body in bytes

	MaxConnections int   // that the APIs' ports have open at once
	MaxInflight    int64 // bytes of memory that all request bodies hold at once
	MaxState       int64 // bytes of memory that the states of all sandboxes hold; 0: no limit

	Token        string
	AllowHosts   []string
	Origins      []string
	Exposed      bool
	Redact       bool
	PlainAnswers bool

	CallbackAllow []string // hosts that callbacks may go to beside this machine
	AdvertiseDoor string   // URL of the shared door as clients see it; "": by which their request came

	Version, Commit string
	Log             *slog.Logger     // nil: nothing is logged
	LogCall         func(LoggedCall) // logs a call, beside others; nil: calls are not logged
	LogDropped      func() int64     // how many lines of the log did not reach its reader; may be nil
	Wall            func() time.Time
	Env             func(string) string

	Open     func(dir string) (Folder, error) // opens a folder of users; nil: files.Open
	Patience time.Duration                    // how long a reading of folders may take before that is reported; 0: 5 s
	Limit    time.Duration                    // how long a start waits for a reading of folders; 0: files.Limit

	HeadTimeout time.Duration // how long the head of a request may take; 0: 10 s
	IdleTimeout time.Duration // how long a connection may be open between two requests; 0: 120 s
}

// A Folder is an open folder of users.
type Folder interface {
	fs.FS
	io.Closer
}

// FirstPort is the port of the API that comes first in a range of API ports.
const FirstPort = 6411

// APIPorts returns the range that holds every API's own port: "6411-6415".
func APIPorts(apis []*contract.API) string {
	last := FirstPort
	for _, api := range apis {
		last = max(last, api.Port)
	}
	return fmt.Sprintf("%d-%d", FirstPort, last)
}

// The documented limits that no flag changes.
const (
	journalBytes    = 16 << 20
	journalAllBytes = 256 << 20
	journalBody     = 64 << 10
)

// A UsageError says what is wrong with a flag's value.
type UsageError struct{ err error }

func (e *UsageError) Error() string { return e.err.Error() }

// Unwrap returns what was wrong with it.
func (e *UsageError) Unwrap() error { return e.err }

// loaded is what a Config names, found and checked.
type loaded struct {
	apis     []*contract.API
	fixtures *fixture.Library
	library  *library.Library
	registry *sandbox.Registry
	cors     map[string]gateway.CORS
}

// redactor returns what keeps secrets out of documents and log.
func (c *Config) redactor() *redact.Redactor {
	config := redact.Config{APIs: c.APIs, All: c.Redact}
	if c.FromEnv {
		config.Env = c.Env
	}
	return redact.New(config)
}

func (c *Config) load(notify func([]contract.Callback), redactor *redact.Redactor) (*loaded, error) {
	l := &loaded{}
	var err error
	if l.apis, err = c.servedAPIs(); err != nil {
		return nil, &UsageError{err}
	}
	l.fixtures, l.library = fixture.NewLibrary(c.APIs), library.New(c.APIs)
	what := "the content of " + strings.Join(slices.Concat(c.Scenarios, c.Fixtures), ", ")
	if err := files.Within(cmp.Or(c.Limit, files.Limit), what, func() error { return c.readFiles(l) }); err != nil {
		return nil, err
	}
	config := sandbox.Config{
		APIs: l.apis, Seed: c.Seed, Wall: c.Wall, Max: c.MaxSandboxes,
		Journal:  journal.Limits{Entries: c.Journal, Bytes: journalBytes, Body: journalBody},
		MaxState: c.MaxState, JournalAll: journalAllBytes, Notify: notify, Learn: redactor.Learn, Mask: redactor.Error,
	}
	var errs [7]error
	config.Fixtures, errs[0] = c.fixtures(l)
	config.Scenarios, errs[1] = c.activeScenarios(l)
	config.Auth, errs[2] = modes("--auth", c.Auth, c.APIs, l.apis, contract.Verify, contract.Presence, contract.Off)
	config.Unknown, errs[5] = modes("--unknown", c.Unknown, c.APIs, l.apis, contract.Refuse, contract.Adopt)
	l.cors, errs[6] = modes("--cors", c.CORS, c.APIs, l.apis, gateway.Vendor, gateway.Open)
	config.Clock, errs[3] = c.clock()
	config.Credentials, errs[4] = c.credentials(l.apis)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, &UsageError{err}
	}
	l.registry, err = sandbox.New(config)
	return l, err
}

// servedAPIs are the APIs that --only names, or all.
func (c *Config) servedAPIs() ([]*contract.API, error) {
	if len(c.Only) == 0 {
		return c.APIs, nil
	}
	var served []*contract.API
	for _, name := range c.Only {
		api, err := find(c.APIs, name)
		if err != nil {
			return nil, fmt.Errorf("--only: %w", err)
		}
		served = append(served, api)
	}
	return served, nil
}

func find(apis []*contract.API, name string) (*contract.API, error) {
	var names []string
	for _, a := range apis {
		if a.Name == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return nil, fmt.Errorf("there is no API %q%s", name, document.Hint(name, names))
}

// readFiles reads the shipped fixtures and then the files of the folders. A fault in
// one of them stops the start: nothing should play a file that is half
// understood. Of the shipped ones those that are not needed at once are read when one is
// used.
func (c *Config) readFiles(l *loaded) error {
	l.library.AddLater(c.ShippedScenarios, "shipped")
	errs := []error{c.addFixtures(l.fixtures)}
	for _, dir := range c.Scenarios {
		err := c.inFolder("--scenarios", dir, func(folder fs.FS) error { return l.library.Add(folder, dir) })
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// inFolder opens a folder that a flag names, and has it read.
func (c *Config) inFolder(flag, dir string, read func(fs.FS) error) error {
	folder, err := c.openFolder(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return errors.Join(read(folder), folder.Close())
}

func (c *Config) openFolder(dir string) (Folder, error) {
	if c.Open != nil {
		return c.Open(dir)
	}
	return files.Open(dir)
}

// addFixtures adds the shipped fixtures, and over them those of the folders.
func (c *Config) addFixtures(fixtures *fixture.Library) error {
	errs := []error{fixtures.AddLater(c.ShippedFixtures)}
	for _, dir := range c.Fixtures {
		errs = append(errs, c.inFolder("--fixtures", dir, fixtures.Add))
	}
	return errors.Join(errs...)
}

// fixtures finds the fixture of every API, with the switches that were set.
func (c *Config) fixtures(l *loaded) (map[string]*fixture.Fixture, error) {
	named := map[string]string{}
	for _, pair := range c.Fixture {
		name, value, err := splitPair("--fixture", pair, "api=name")
		if err != nil {
			return nil, err
		}
		if _, err := find(c.APIs, name); err != nil {
			return nil, fmt.Errorf("--fixture: %w", err)
		}
		named[name] = value
	}
	all := map[string]*fixture.Fixture{}
	for _, api := range c.APIs {
		f, err := l.fixtures.Default(api), error(nil)
		switch name := named[api.Name]; {
		case name != "":
			f, err = l.fixtures.Find(api, name)
		case c.FromEnv || c.Redact: // what the environment adds may not fit; and secrets are known from the start
			f, err = f.Read()
		}
		if err != nil {
			return nil, err
		}
		all[api.Name] = f
	}
	for _, pair := range c.Set {
		key, value, err := splitPair("--set", pair, "api.switch=value")
		if err != nil {
			return nil, err
		}
		name, knob, _ := strings.Cut(key, ".")
		api, err := find(c.APIs, name)
		if err != nil {
			return nil, fmt.Errorf("--set: %w", err)
		}
		if all[name], err = all[name].With(api, knob, value); err != nil {
			return nil, fmt.Errorf("--set: %w", err)
		}
	}
	return all, nil
}

func splitPair(flag, pair, form string) (name, value string, err error) {
	name, value, ok := strings.Cut(pair, "=")
	if !ok || name == "" {
		return "", "", fmt.Errorf("%s: %q was found, %s was expected", flag, pair, form)
	}
	return name, value, nil
}

// activeScenarios finds the scenarios that --activate names.
func (c *Config) activeScenarios(l *loaded) ([]*scenario.Scenario, error) {
	var active []*scenario.Scenario
	for _, name := range c.Activate {
		s, err := l.library.Find(name)
		if err != nil {
			return nil, fmt.Errorf("--activate: %w", err)
		}
		active = append(active, s)
	}
	return active, nil
}

// modes reads modes for all APIs or for one: verify,parcels=off.
func modes[M ~string](flag string, pairs []string, all, served []*contract.API, known ...M) (map[string]M, error) {
	set := map[string]M{}
	for _, pair := range pairs {
		name, mode, one := strings.Cut(pair, "=")
		if !one {
			name, mode = "", pair
		}
		if !slices.Contains(known, M(mode)) {
			return nil, fmt.Errorf("%s: there is no mode %q%s", flag, mode, document.Hint(mode, texts(known)))
		}
		if one {
			if _, err := find(all, name); err != nil {
				return nil, fmt.Errorf("%s: %w", flag, err)
			}
			set[name] = M(mode)
			continue
		}
		for _, api := range served {
			set[api.Name] = M(mode)
		}
	}
	return set, nil
}

func texts[M ~string](modes []M) []string {
	all := make([]string, len(modes))
	for i, m := range modes {
		all[i] = string(m)
	}
	return all
}

func (c *Config) clock() (clock.Setting, error) {
	s := clock.Setting{Signatures: clock.Signatures(c.Signatures)}
	if s.Signatures != clock.Wall && s.Signatures != clock.Sandbox {
		return s, fmt.Errorf("--signature-clock is %q; wall or sandbox was expected", c.Signatures)
	}
	if c.Clock == string(clock.Follow) {
		return s, nil
	}
	t, err := time.Parse(time.RFC3339, c.Clock)
	if err != nil {
		return s, fmt.Errorf("--clock is %q; follow or an instant such as 2026-01-31T12:00:00Z was expected", c.Clock)
	}
	if err := clock.Check(t); err != nil {
		return s, fmt.Errorf("--clock: %w", err)
	}
	s.Frozen = t
	return s, nil
}

// credentials takes in what the environment says, for APIs of which it says all.
func (c *Config) credentials(apis []*contract.API) (map[string]contract.Values, error) {
	all := map[string]contract.Values{}
	if !c.FromEnv {
		return all, nil
	}
	var names, lacking []string
	for _, api := range apis {
		var missing []string
		v := contract.Values{}
		for _, k := range api.Credentials {
			if k.Env == "" {
				continue
			}
			names = append(names, k.Env)
			s := c.Env(k.Env)
			if s == "" {
				missing = append(missing, k.Env)
				continue
			}
			v[k.Name] = s
			if !k.Identifier && len(s) < redact.Shortest {
				c.Log.Warn("--credentials env: a secret is so short that it is not recognised where it stands in a text", "variable", k.Env)
			}
		}
		switch {
		case len(v) == 0:
		case len(missing) == 0:
			all[api.Name] = v
		default:
			lacking = append(lacking, api.Name+" lacks "+strings.Join(missing, ", "))
			c.Log.Warn("--credentials env: the environment has the credentials of an API in part; they are left out. Set what is missing, or unset the others", "api", api.Name, "missing", strings.Join(missing, ", "))
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("--credentials env: the environment has no API's credentials whole; %sknown variables: %s", strings.Join(append(lacking, ""), "; "), strings.Join(names, ", "))
	}
	return all, nil
}

// APIPort is the port of api, and whether there is one.
func (c *Config) APIPort(api *contract.API) (port int, open bool, err error) {
	switch c.APIPorts {
	case "off":
		return 0, false, nil
	case "0":
		return 0, true, nil
	}
	first, last, ok := strings.Cut(c.APIPorts, "-")
	from, err1 := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	if !ok || err1 != nil || err2 != nil || from < 1 || to > 65535 || from > to {
		return 0, false, &UsageError{fmt.Errorf("--api-ports is %q; a range such as 6411-6415, 0 for free ports, or off was expected", c.APIPorts)}
	}
	port = from + api.Port - FirstPort
	if port > to {
		return 0, false, &UsageError{fmt.Errorf("--api-ports %s leaves no port for %s: it is number %d of the range; end it at %d", c.APIPorts, api.Name, api.Port-FirstPort+1, port)}
	}
	return port, true, nil
}

// checkControl refuses to open the control port to others without a thought.
func (c *Config) checkControl() error {
	if c.Token != "" || c.Exposed || loopback(c.ControlBind) {
		return nil
	}
	return &UsageError{fmt.Errorf("--control-bind %s opens the control port beyond this machine: set --control-token, or allow it to everyone with --expose-control-without-token", c.ControlBind)}
}

// maxControlConnections is how many connections the control port has open at once.
const maxControlConnections = 1024

func (c *Config) checkLimits() error {
	if c.MaxConnections < 1 {
		return &UsageError{fmt.Errorf("--max-connections is %d; at least 1 was expected", c.MaxConnections)}
	}
	if c.MaxInflight < c.Body {
		return &UsageError{fmt.Errorf("--max-inflight is %d bytes; at least %d was expected, so that one body fits", c.MaxInflight, c.Body)}
	}
	if c.MaxState != 0 && c.MaxState < c.Body {
		return &UsageError{fmt.Errorf("--max-state is %d bytes; 0 for no limit, or at least %d was expected, so that one upload fits", c.MaxState, c.Body)}
	}
	return nil
}

// checkAdvertised wants an address that others can be led to.
func (c *Config) checkAdvertised() error {
	if c.AdvertiseDoor == "" {
		return nil
	}
	door, ok := wire.DoorURL(c.AdvertiseDoor)
	if !ok {
		return &UsageError{fmt.Errorf("--advertise-door is %q; an address such as https://mocks.example.com/understudy was expected", c.AdvertiseDoor)}
	}
	c.AdvertiseDoor = door
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
