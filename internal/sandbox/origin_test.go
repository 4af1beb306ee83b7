package sandbox_test

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

func (h *testRegistry) make(t *testing.T, name string, change func(*sandbox.Origin)) *sandbox.Sandbox {
	t.Helper()
	o := h.Origin()
	o.Request = "{}"
	if change != nil {
		change(&o)
	}
	s, made, err := h.Make(name, o)
	if err != nil || !made {
		t.Fatal(made, err)
	}
	return s
}

func (h *testRegistry) parse(t *testing.T, text string) *fixture.Fixture {
	t.Helper()
	f, err := fixture.Parse("toy/default.yaml", []byte(text), []*contract.API{h.api})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// tokensOf are the identifiers that a sandbox is known by.
func (h *testRegistry) tokensOf(t *testing.T, s *sandbox.Sandbox) string {
	t.Helper()
	instance, err := s.Instance(h.api)
	if err != nil {
		t.Fatal(err)
	}
	own := instance.Credentials().Text("token")
	var all []string
	instance.WithState(func(state contract.State) {
		for identifier := range state.Identifiers() {
			if identifier == own {
				identifier = "own"
			}
			all = append(all, identifier)
		}
	})
	return strings.Join(all, " ")
}

// A reset goes back to what a sandbox was made with, whatever is in force by then; a
// newer version of its files counts.
func TestResetGoesBackToTheOrigin(t *testing.T) {
	h := newTestRegistry(t, nil)
	night := h.parse(t, strings.Replace(tokens, "default", "night", 1))
	s := h.make(t, "a", func(o *sandbox.Origin) { o.Fixtures["toy"] = night })
	first := h.get(t, "first")
	own := h.instance(t, "a").Credentials().Text("token")
	if got := h.tokensOf(t, s); got != "t-1 t-2 own" || h.byIdentifier(own) != "a" {
		t.Fatalf("got %s", got)
	}
	loaded := h.parse(t, "fixture: other\napi: toy\ntokens: [t-9]\n")
	if err := h.instance(t, "a").Load(loaded); err != nil || h.tokensOf(t, s) != "t-9 own" {
		t.Errorf("loaded: %s, %v", h.tokensOf(t, s), err)
	}
	if err := s.Reset(); err != nil || h.tokensOf(t, s) != "t-1 t-2 own" {
		t.Errorf("reset: %s, %v", h.tokensOf(t, s), err)
	}
	newer := h.parse(t, "fixture: night\napi: toy\ntokens: [t-3]\n")
	h.UpdateFixtures(func(f *fixture.Fixture) *fixture.Fixture {
		if f == night {
			return newer
		}
		return nil
	})
	for _, box := range []*sandbox.Sandbox{s, first} {
		if err := box.Reset(); err != nil {
			t.Error(err)
		}
	}
	if got := h.tokensOf(t, s) + ", " + h.tokensOf(t, first); got != "t-3 own, own t-2" {
		t.Errorf("after the file changed: %s", got)
	}
	if len(h.Fixtures()) != 2 {
		t.Errorf("%d fixtures are in use", len(h.Fixtures()))
	}
}

// The same seed gives the same bytes whatever a sandbox's name, but for that by which
// its callers find it.
func TestSeedOfASandbox(t *testing.T) {
	seed := uint64(9)
	state := func(name string, seed *uint64) string {
		h := newTestRegistry(t, nil)
		h.make(t, name, func(o *sandbox.Origin) { o.Seed = seed })
		dice := h.instance(t, name).Dice(nil, 1)
		return dice.ID() + " " + h.instance(t, name).Credentials().Text("token")
	}
	a, b, c := strings.Fields(state("a", &seed)), strings.Fields(state("b", &seed)), strings.Fields(state("a", nil))
	if a[0] != b[0] || a[0] == c[0] || a[1] == b[1] || a[1] != c[1] || a[1] != strings.Fields(state("a", &seed))[1] {
		t.Errorf("got %s, %s, %s", a, b, c)
	}
}

// A sandbox lives as long as it is used. One that was made on request does not give
// way to another.
func TestTimeToLive(t *testing.T) {
	h := newTestRegistry(t, func(c *sandbox.Config) { c.Max = 3 })
	brief := h.make(t, "brief", func(o *sandbox.Origin) { o.TTL = time.Minute })
	h.make(t, "lasting", nil)
	token := h.instance(t, "brief").Credentials().Text("token")
	h.wall = h.wall.Add(time.Minute)
	if h.byIdentifier(token) != "brief" {
		t.Error("it ended too early")
	}
	h.wall = h.wall.Add(time.Minute)
	use := brief.Use()
	h.wall = h.wall.Add(time.Minute)
	if h.Find("brief") == nil {
		t.Error("it ended under a call")
	}
	use.Done()
	if _, err := h.Get("more"); !errors.As(err, new(*sandbox.FullError)) {
		t.Errorf("got %v", err)
	}
	h.wall = h.wall.Add(time.Minute + 1)
	if h.Find("brief") != nil || h.byIdentifier(token) != "" || len(h.List()) != 2 {
		t.Error("its time is over, and it lives")
	}
	h.get(t, "more")
	h.wall = h.wall.Add(time.Hour)
	h.get(t, "yet-more")
	if h.Find("lasting") == nil || h.Find("more") != nil {
		t.Error("the one made by first use was expected to give way, and no other")
	}
}

func TestMakeTwice(t *testing.T) {
	h := newTestRegistry(t, nil)
	s := h.make(t, "a", nil)
	o := h.Origin()
	o.Request = "{}"
	if again, made, err := h.Make("a", o); again != s || made || err != nil {
		t.Errorf("the same request: got %v, %t, %v", again, made, err)
	}
	o.Request = `{"seed":1}`
	var taken *sandbox.TakenError
	if _, _, err := h.Make("a", o); !errors.As(err, &taken) || taken.First {
		t.Errorf("another request: got %v", err)
	}
	h.get(t, "first")
	if _, _, err := h.Make("first", o); !errors.As(err, &taken) || !taken.First {
		t.Errorf("one made by first use: got %v", err)
	}
	o.Fixtures["toy"] = h.parse(t, "fixture: bad\napi: toy\ntokens: [twice, twice]\n")
	if _, _, err := h.Make("bad", o); err == nil || h.Find("bad") != nil {
		t.Errorf("no state can be made of it: got %v, and it lives: %t", err, h.Find("bad") != nil)
	}
}

func TestClaims(t *testing.T) {
	h := newTestRegistry(t, nil)
	none := http.Header{}
	phone := http.Header{"X-Device": {"phone"}}
	if h.ByClaim("10.0.0.9:1", phone) != nil {
		t.Error("nothing is claimed yet")
	}
	claims := sandbox.Claims{Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("::1")}, Headers: map[string]string{"X-Device": "phone"}}
	s := h.make(t, "a", func(o *sandbox.Origin) { o.Claims = claims })
	for _, tt := range []struct {
		client string
		header http.Header
		want   bool
	}{
		{"10.0.0.9:1", none, true},
		{"[::ffff:10.0.0.9]:1", none, true},
		{"[::1]:9", none, true},
		{"10.0.0.8:1", phone, true},
		{"10.0.0.8:1", http.Header{"X-Device": {"desk", "phone"}}, true},
		{"10.0.0.8:1", none, false},
		{"10.0.0.8:1", http.Header{"X-Device": {"Phone"}}, false},
		{"nowhere", none, false},
		{"", none, false},
	} {
		if got := h.ByClaim(tt.client, tt.header); (got == s) != tt.want {
			t.Errorf("%s %v: got %v", tt.client, tt.header, got)
		}
	}
	o := h.Origin()
	o.Request, o.Claims = "{}", sandbox.Claims{Headers: claims.Headers}
	var refused *sandbox.ClaimError
	if _, _, err := h.Make("b", o); !errors.As(err, &refused) || refused.Owner != "a" {
		t.Errorf("got %v", err)
	}
	if _, err := h.Drop(t.Context(), "a"); err != nil || h.ByClaim("10.0.0.9:1", phone) != nil {
		t.Errorf("%v; a claim outlives its sandbox", err)
	}
}

// A claimed address is found whatever the zone: those of requests have none.
func TestClaimedAddressWithZone(t *testing.T) {
	h := newTestRegistry(t, nil)
	h.make(t, "a", func(o *sandbox.Origin) {
		o.Claims.Addresses = []netip.Addr{netip.MustParseAddr("fe80::1%lo"), netip.MustParseAddr("::ffff:10.0.0.1")}
	})
	for _, client := range []string{"[fe80::1%eth0]:9", "[fe80::1]:9", "10.0.0.1:9", "[::ffff:10.0.0.1]:9"} {
		if s := h.ByClaim(client, nil); s == nil || s.Name != "a" {
			t.Errorf("%s: found %v", client, s)
		}
	}
}

// Two who ask for the same sandbox, of which no state can be made, both discard it, and
// neither what another made under its name in between.
func TestDiscardMeansOneSandbox(t *testing.T) {
	h := newTestRegistry(t, nil)
	broken := h.make(t, "a", nil)
	h.Discard(broken)
	whole := h.make(t, "a", nil)
	h.Discard(broken)
	if h.Find("a") != whole {
		t.Error("another sandbox of the name is gone")
	}
}
