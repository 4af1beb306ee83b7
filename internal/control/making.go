package control

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario/player"
	"github.com/understudy-suite/understudy/internal/wire"
)

// making are the members of a body that makes a sandbox.
var making = []contract.Param{
	{Name: "name", Doc: "Its name: lower-case letters, digits and hyphens. Without it one that is free."},
	{Name: "seed", Type: contract.Integer, Doc: "The seed of its dice. Without it, it follows from the server's seed and the name."},
	{Name: "fixtures", Type: contract.Object, Doc: "By API, the name of the fixture with which it begins."},
	{Name: "set", Type: contract.Object, Doc: "Switches of fixtures: their values, by api.switch."},
	{Name: "scenarios", Type: contract.List, Of: contract.String, Doc: "The scenarios that are on from the start, the last one asked first."},
	{Name: "clock", Type: contract.Object, Doc: "How its clock begins, with the members that PUT of a clock takes."},
	{Name: "auth", Doc: "How much of a caller's proof is checked: verify, presence or off, or an object of these by API."},
	{Name: "unknown", OneOf: []string{string(contract.Refuse), string(contract.Adopt)}, Doc: "What becomes of identifiers that no fixture knows: refuse or adopt, or an object of these by API."},
	{Name: "claims", Type: contract.Object, Fields: []contract.Param{
		{Name: "addresses", Type: contract.List, Of: contract.String, Doc: "IP addresses of clients."},
		{Name: "headers", Type: contract.Object, Doc: "Values of headers, by the headers' names."},
	}, Doc: "Requests that belong to it though they name no sandbox and know no word that one has by itself; before words that one only adopted."},
	{Name: "given", Type: contract.Object, Doc: "What happened before it begins: by API, a list such as [{\"session\": {\"age\": \"9m50s\"}}]."},
	{Name: "door", Doc: "The URL of the shared door as its clients see it, such as http://understudy:6410. Without it, the server's."},
	{Name: "ttl", Type: contract.Duration, Doc: "How long it lives unused. Without it, until it is dropped."},
}

// makingForms are the forms of such a body, for its description.
var makingForms = []any{making, byAPI("auth"), byAPI("unknown"), byAPI("auth", "unknown")}

// byAPI are the rows of a body that has a mode for each of some APIs in these members.
func byAPI(members ...string) []contract.Param {
	rows := slices.Clone(making)
	for i := range rows {
		if slices.Contains(members, rows[i].Name) {
			rows[i].Type, rows[i].OneOf = contract.Object, nil
		}
	}
	return rows
}

// A maker makes the origin of a sandbox from a body.
type maker struct {
	server *Server
	in     contract.Values
	origin sandbox.Origin
	undone string // what a refusal says of nothing; "": was made
}

// postSandbox makes a sandbox, or finds the one that the same request made.
func (s *Server) postSandbox(a *request) (any, error) { return s.makeSandbox(a, "") }

// putSandbox is postSandbox where the name stands in the path.
func (s *Server) putSandbox(a *request) (any, error) { return s.makeSandbox(a, a.path["sandbox"]) }

func (s *Server) makeSandbox(a *request, name string) (any, error) {
	in, err := a.object(names(making)...)
	if err != nil {
		return nil, err
	}
	if other := in.Text("name"); name != "" && other != "" && other != name {
		return nil, refuse(http.StatusBadRequest, "the body names the sandbox %s and the address %s; let them say the same", quote(other), quote(name))
	}
	name = cmp.Or(name, in.Text("name"))
	if name == sandbox.Default {
		return nil, refuse(http.StatusConflict, "the sandbox default exists from the start and is made by the server's flags; take another name")
	}
	origin, err := s.originOf(in)
	if err != nil {
		return nil, err
	}
	box, made, err := s.config.Registry.Make(name, origin)
	if err != nil {
		return nil, makingProblem(err)
	}
	return s.madeSandbox(a, box, made)
}

// A madeAnswer is a sandbox that was made, or found by the request that made it. The
// credentials that are its own are told, since nobody could learn them otherwise.
type madeAnswer struct {
	status int
	box    *sandboxAnswer
	own    []string
}

func (s *Server) madeSandbox(a *request, box *sandbox.Sandbox, made bool) (any, error) {
	answer := madeAnswer{status: http.StatusOK}
	if made {
		answer.status = http.StatusCreated
	}
	var err error
	answer.box, err = s.wholeSandbox(a, box, func(api *contract.API, all contract.Values) contract.Values {
		shown := s.config.Redactor.Credentials(api, all)
		for name, value := range box.Minted(api) {
			shown[name] = value
			if text, is := value.(string); is {
				answer.own = append(answer.own, text)
			}
		}
		return shown
	})
	return answer, err
}

// makingProblem is the refusal of a sandbox that could not be made.
func makingProblem(err error) error {
	var name *sandbox.NameError
	var taken *sandbox.TakenError
	var claim *sandbox.ClaimError
	var full *sandbox.FullError
	switch {
	case errors.As(err, &name):
		return refuse(http.StatusBadRequest, "%v", err)
	case errors.As(err, &taken), errors.As(err, &claim):
		return refuse(http.StatusConflict, "%v", err)
	case errors.As(err, &full):
		return refuse(http.StatusServiceUnavailable, "%v", err)
	case errors.As(err, new(*sandbox.NoRoomError)):
		return err
	}
	return refuse(http.StatusUnprocessableEntity, "no state can be made of a fixture: %v", err)
}

// originOf makes what a sandbox is made with.
func (s *Server) originOf(in contract.Values) (sandbox.Origin, error) {
	m := &maker{server: s, in: maps.Clone(in), origin: s.config.Registry.Origin()}
	m.origin.Request = requestText(in)
	auth, unknown := m.byAPI("auth"), m.byAPI("unknown")
	if found := contract.Validate(making, m.in); len(found) > 0 {
		return m.origin, refuse(http.StatusUnprocessableEntity, "the body does not say how a sandbox is made; nothing was made").violating(found)
	}
	for _, read := range []func() error{
		m.seed, m.fixtures, m.switches, m.scenarios, m.clock,
		func() error {
			return setModes(m, "auth", auth, m.origin.Auth, contract.Verify, contract.Presence, contract.Off)
		},
		func() error {
			return setModes(m, "unknown", unknown, m.origin.Unknown, contract.Refuse, contract.Adopt)
		},
		m.claims, m.given, m.door, m.ttl,
	} {
		if err := read(); err != nil {
			return m.origin, err
		}
	}
	return m.origin, nil
}

// requestText is the body without what may stand in the path instead, so that the same is
// known again.
func requestText(in contract.Values) string {
	in = maps.Clone(in)
	delete(in, "name")
	return string(wire.Encode(in))
}

// unmakable is the refusal of a member.
func (m *maker) unmakable(format string, args ...any) error {
	return refuse(http.StatusUnprocessableEntity, "%s; nothing %s", fmt.Sprintf(format, args...), cmp.Or(m.undone, "was made"))
}

func (m *maker) seed() error {
	n, given := m.in["seed"].(int64)
	if !given {
		return nil
	}
	if n < 0 {
		return m.unmakable("seed is %d; a whole number from 0 on was expected", n)
	}
	seed := uint64(n)
	m.origin.Seed = &seed
	return nil
}

// api finds an API that a member names.
func (m *maker) api(member, name string) (*contract.API, error) {
	api, err := m.server.api(name)
	if p := (*problem)(nil); errors.As(err, &p) {
		return nil, m.unmakable("%s: %s", member, p.Detail)
	}
	return api, err
}

func (m *maker) fixtures() error {
	named := m.in.Object("fixtures")
	for _, name := range slices.Sorted(maps.Keys(named)) {
		api, err := m.api("fixtures", name)
		if err != nil {
			return err
		}
		f, err := m.server.config.Fixture(api, named.Text(name))
		if err != nil {
			return m.unmakable("fixtures: %v", err)
		}
		m.origin.Fixtures[name] = f
	}
	return nil
}

func (m *maker) switches() error {
	set := m.in.Object("set")
	for _, key := range slices.Sorted(maps.Keys(set)) {
		name, knob, _ := strings.Cut(key, ".")
		api, err := m.api("set", name)
		if err != nil {
			return err
		}
		f, err := m.origin.Fixtures[name].With(api, knob, plainText(set[key]))
		if err != nil {
			return m.unmakable("set: %v", err)
		}
		m.origin.Fixtures[name] = f
	}
	return nil
}

// plainText is a scalar as a flag or a file would have it.
func plainText(x any) string {
	if s, is := x.(string); is {
		return s
	}
	return string(wire.Encode(x))
}

func (m *maker) scenarios() error {
	if m.in["scenarios"] == nil {
		return nil
	}
	m.origin.Scenarios = nil
	named := m.in.Texts("scenarios")
	if len(named) > player.MostActive {
		return m.unmakable("scenarios has %d names; at most %d are active at once", len(named), player.MostActive)
	}
	for _, name := range named {
		found, err := m.server.scenario(name)
		if p := (*problem)(nil); errors.As(err, &p) {
			return m.unmakable("scenarios: %s", p.Detail)
		}
		if err != nil {
			return err
		}
		m.origin.Scenarios = append(m.origin.Scenarios, found)
	}
	return nil
}

func (m *maker) clock() error {
	members := m.in.Object("clock")
	if members == nil {
		return nil
	}
	var modes []string
	for _, name := range []string{"follow", "freeze", "scale"} {
		if members.Has(name) {
			modes = append(modes, name)
		}
	}
	if len(modes) > 1 {
		return m.unmakable("clock has the members %s, which contradict each other; at most one of them was expected", strings.Join(modes, " and "))
	}
	c := clock.New(m.server.config.Registry.Wall, m.origin.Clock)
	for _, name := range []string{"follow", "freeze", "scale", "signatures", "advance"} {
		value, given := members[name]
		if !given {
			continue
		}
		delete(members, name)
		if err := clockActions[name](c, value); err != nil {
			return m.unmakable("clock: %v", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		return m.unmakable("clock has a member %s, which is unknown there%s", quote(name), hint(name, slices.Sorted(maps.Keys(clockActions))))
	}
	m.origin.Clock = c.Setting()
	return nil
}

// byAPI takes a member that has a mode for each of some APIs out of the body; nil: it has
// one for all, or none.
func (m *maker) byAPI(member string) contract.Values {
	modes, is := m.in[member].(contract.Values)
	if is {
		delete(m.in, member)
	}
	return modes
}

// setModes reads one mode for all APIs, or one for each of some.
func setModes[M ~string](m *maker, member string, modes contract.Values, set map[string]M, known ...M) error {
	if mode := m.in.Text(member); mode != "" {
		modes = contract.Values{}
		for _, api := range m.server.config.APIs {
			modes[api.Name] = mode
		}
	}
	for _, name := range slices.Sorted(maps.Keys(modes)) {
		if _, err := m.api(member, name); err != nil {
			return err
		}
		mode := modes.Text(name)
		if !slices.Contains(known, M(mode)) {
			return m.unmakable("%s is %s%s", member, describe(modes[name]), hint(mode, mapSlice(known, func(mode M) string { return string(mode) })))
		}
		set[name] = M(mode)
	}
	return nil
}

// mostClaims is how many requests of each kind a sandbox can claim.
const mostClaims = 100

// ownHeaders is how the headers begin that understudy itself reads.
const ownHeaders = "Understudy-"

func (m *maker) claims() error {
	claims := m.in.Object("claims")
	addresses, headers := claims.Texts("addresses"), claims.Object("headers")
	if len(addresses) > mostClaims || len(headers) > mostClaims {
		return m.unmakable("claims has %d addresses and %d headers; at most %d of each were expected", len(addresses), len(headers), mostClaims)
	}
	for _, text := range addresses {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return m.unmakable("claims.addresses has %s; an IP address such as 192.168.1.40 was expected", quote(text))
		}
		m.origin.Claims.Addresses = append(m.origin.Claims.Addresses, address)
	}
	m.origin.Claims.Headers = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value, is := headers[name].(string)
		key := http.CanonicalHeaderKey(name)
		_, twice := m.origin.Claims.Headers[key]
		switch {
		case !httpguts.ValidHeaderFieldName(name) || key == "Host":
			return m.unmakable("claims.headers has %s, which is no header that a claim can be about; a name such as X-Device was expected", quote(name))
		case strings.HasPrefix(key, ownHeaders):
			return m.unmakable("claims.headers has %s, which tells understudy what to do and is never the client's own, so that it cannot be claimed; a name such as X-Device was expected", quote(name))
		case !is || value == "" || !httpguts.ValidHeaderFieldValue(value) || strings.TrimSpace(value) != value:
			return m.unmakable("claims.headers.%s is %s; the value that requests have was expected, as a text", name, describe(headers[name]))
		case twice:
			return m.unmakable("claims.headers has %s in two spellings; leave one of them", key)
		}
		m.origin.Claims.Headers[key] = value
	}
	return nil
}

func (m *maker) given() error {
	given := m.in.Object("given")
	m.origin.Givens = map[string][]fixture.Given{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		api, err := m.api("given", name)
		if err != nil {
			return err
		}
		if m.origin.Givens[name], err = fixture.ReadGivens(api, wire.Encode(given[name])); err != nil {
			return faultsProblem("list of what is given", err)
		}
	}
	return nil
}

func (m *maker) door() error {
	text := m.in.Text("door")
	if m.in["door"] == nil {
		return nil
	}
	var ok bool
	if m.origin.Door, ok = wire.DoorURL(text); !ok {
		return m.unmakable("door is %s; an address such as http://understudy:6410 was expected", quote(text))
	}
	return nil
}

func (m *maker) ttl() error {
	if _, given := m.in["ttl"]; !given {
		return nil
	}
	m.origin.TTL = m.in.Duration("ttl")
	if m.origin.TTL <= 0 {
		return m.unmakable("ttl is %s; a positive duration such as 10m was expected", m.origin.TTL)
	}
	return nil
}

// names lists the names of rows.
func names(rows []contract.Param) []string {
	return mapSlice(rows, func(p contract.Param) string { return p.Name })
}
