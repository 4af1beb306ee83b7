package player_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/player"
	"github.com/understudy-suite/understudy/internal/wire"
)

func read(t testing.TB, name, rules string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse(name, []byte("scenario: "+name+"\napi: toy\nrules:\n"+rules), apis)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// say tells a play in one line: the outcome, who decided, and who passed.
func say(p player.Play) string {
	s := "-"
	if p.Verdict.Outcome != nil {
		s = p.Verdict.Outcome.Name
	}
	if p.Scenario != "" {
		s += fmt.Sprintf(" by %s %d", p.Scenario, p.Rule)
	}
	list, _ := p.Mismatches.List()
	for _, passed := range list {
		s += fmt.Sprintf("; %s %d %s", passed.Scenario, passed.Rule, passed.Why)
	}
	return s
}

func TestAsk(t *testing.T) {
	u1 := contract.Values{"UserId": "u1"}
	type ask struct {
		op      *contract.Operation
		in      contract.Values
		refused bool
		want    string
	}
	tests := []struct {
		name, rules string
		narrow      scenario.Options
		asks        []ask
	}{
		{"first rule that fits", `
  - {operation: List, outcome: success}
  - {operation: Create, where: {UserId: u2}, outcome: success}
  - {operation: Create, outcome: NotFound.NoIdle}`, scenario.Options{}, []ask{
			{create, u1, false, `NotFound.NoIdle by toy/s 3; toy/s 2 where UserId: got "u1", want "u2"`},
			{create, nil, false, `NotFound.NoIdle by toy/s 3; toy/s 2 where UserId: got nothing, want "u2"`},
			{create, contract.Values{"UserId": nil}, false, `NotFound.NoIdle by toy/s 3; toy/s 2 where UserId: got null, want "u2"`},
			{create, contract.Values{"UserId": "u2"}, false, `success by toy/s 2`},
			{login, u1, false, "-"},
			{nil, nil, true, "-"},
		}},
		{"times and skip", `
  - {operation: Create, where: {UserId: u1}, skip: 1, times: 2, outcome: NotFound.NoIdle}
  - {operation: Create, wire: {delay: 2s}}`, scenario.Options{}, []ask{
			{create, u1, false, "- by toy/s 2; toy/s 1 skip: 1 of 1 let through"},
			{create, nil, false, `- by toy/s 2; toy/s 1 where UserId: got nothing, want "u1"`},
			{create, u1, false, "NotFound.NoIdle by toy/s 1"},
			{create, u1, false, "NotFound.NoIdle by toy/s 1"},
			{create, u1, false, "- by toy/s 2; toy/s 1 times: fired 2 of 2"},
		}},
		{"every operation", `
  - {operation: '*', outcome: internalError}`, scenario.Options{}, []ask{
			{create, u1, false, "internalError by toy/s 1"},
			{list, nil, false, "internalError by toy/s 1"},
			{login, nil, false, "internalError by toy/s 1"},
			{nil, nil, true, "-; toy/s 1 a check refused the request, and internalError is not an outcome of a check"},
		}},
		{"what a check refused", `
  - {operation: Create, skip: 1, outcome: NotFound.NoIdle}
  - {operation: '*', times: 1, outcome: expired}
  - {operation: '*', wire: {fault: reset}}`, scenario.Options{}, []ask{
			{create, u1, true, "expired by toy/s 2; toy/s 1 a check refused the request, and NotFound.NoIdle is not an outcome of a check"},
			{nil, nil, true, "- by toy/s 3; toy/s 2 times: fired 1 of 1"},
			{create, u1, false, "- by toy/s 3; toy/s 1 skip: 1 of 1 let through; toy/s 2 times: fired 1 of 1"},
			{create, u1, false, "NotFound.NoIdle by toy/s 1"},
		}},
		{
			"narrowed", `
  - {operation: Create, where: {UserId: u1}, outcome: NotFound.NoIdle}
  - {operation: '*', outcome: internalError}`,
			scenario.Options{Times: 2, Skip: 1, Where: []scenario.Condition{{Param: "Page", Value: "1"}}},
			[]ask{
				{create, u1, false, `-; toy/s 1 where Page: got nothing, want "1"; toy/s 2 where Page: got nothing, want "1"`},
				{create, contract.Values{"UserId": "u1", "Page": int64(1)}, false, "-; toy/s 1 skip of the activation: 1 of 1 let through; toy/s 2 skip of the activation: 1 of 1 let through"},
				{create, contract.Values{"UserId": "u1", "Page": int64(1)}, false, "NotFound.NoIdle by toy/s 1"},
				{list, contract.Values{"Page": contract.Raw("1")}, false, "internalError by toy/s 2"},
				{list, contract.Values{"Page": contract.Raw("1")}, false, "-; toy/s 2 times of the activation: fired 2 of 2"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlayer()
			p.On(read(t, "s", tt.rules), tt.narrow)
			for range 2 { // again after Rewind
				for i, a := range tt.asks {
					if got := say(p.Ask(call(a.op, a.in), a.refused)); got != a.want {
						t.Errorf("%d\ngot  %s\nwant %s", i, got, a.want)
					}
				}
				p.Rewind()
			}
			c := call(create, u1)
			c.API = other
			if got := say(p.Ask(c, false)); got != "-" {
				t.Errorf("another API: got %s, want -", got)
			}
		})
	}
}

func TestConditionsCompareTexts(t *testing.T) {
	tests := []struct {
		value string
		got   any
		want  bool
	}{
		{"5", "5", true},
		{"5", contract.Raw("5"), true},
		{"5", json.Number("5"), true},
		{"5", int64(5), true},
		{"5", 5.0, true},
		{"'5'", int64(5), true},
		{"1.50", 1.5, true},
		{"007", "007", true},
		{"007", int64(7), false},
		{"-9223372036854775808", int64(-1 << 63), true},
		{"on", true, true},
		{"on", "on", true},
		{"True", true, true},
		{"false", true, false},
		{"90s", 90 * time.Second, true},
		{"u1", "u2", false},
		{"u1", []any{"u1"}, false},
		{"u1", contract.Values{"u1": "u1"}, false},
		{"''", nil, false},
		{"''", "", true},
	}
	for _, tt := range tests {
		p := newPlayer()
		p.On(read(t, "s", "  - {operation: Create, where: {UserId: "+tt.value+"}, outcome: success}"), scenario.Options{})
		play := p.Ask(call(create, contract.Values{"UserId": tt.got}), false)
		if got := play.Scenario != ""; got != tt.want {
			t.Errorf("%s and %#v: got %t, want %t (%s)", tt.value, tt.got, got, tt.want, say(play))
		}
	}
}

func TestPlaySays(t *testing.T) {
	p := newPlayer()
	p.On(read(t, "s", `
  - operation: Create
    outcome: NotFound.NoIdle
    message: Nobody.
    with: {a: 1}
    wire: {delay: 2s, fault: stall, headers: {X-A: a}}`), scenario.Options{Wire: &scenario.Wire{
		Delay: scenario.Delay{Fixed: time.Second}, Answer: &scenario.Answer{Status: 502},
		Headers: []scenario.HeaderChange{{Name: "X-B", Value: "b"}},
	}})
	got := p.Ask(call(create, nil), false)
	want := player.Play{
		Verdict: contract.Verdict{Outcome: noIdle, OwnMessage: "Nobody."}, With: wire.Patch{{Name: "a", Value: []byte("1")}},
		Delay: time.Second, Wire: &scenario.Wire{Delay: scenario.Delay{Fixed: time.Second}, Answer: &scenario.Answer{Status: 502}, Headers: []scenario.HeaderChange{
			{Name: "X-A", Value: "a"}, {Name: "X-B", Value: "b"},
		}},
		Scenario: "toy/s", Rule: 1,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestPlayerActivates(t *testing.T) {
	p := newPlayer()
	status := func() string {
		var b strings.Builder
		for _, s := range p.Active() {
			for _, r := range s.Rules {
				left := "any"
				if r.Left != nil {
					left = fmt.Sprint(*r.Left)
				}
				fmt.Fprintf(&b, "%s %d %s %s %d %s\n", s.Scenario, r.Rule, r.Operation, strings.Join(r.Outcomes, ","), r.Fired, left)
			}
		}
		return b.String()
	}
	a := read(t, "a", "  - {operation: Create, times: 3, outcome: success}")
	b := scenario.Implicit(toy, create, noIdle)
	tests := []struct {
		what string
		do   func()
		want string
	}{
		{"nothing", func() {}, ""},
		{"one", func() { p.On(a, scenario.Options{}) }, "toy/a 1 Create success 0 3\n"},
		{"the last is asked first", func() {
			p.On(b, scenario.Options{})
			if got := say(p.Ask(call(create, nil), false)); got != "NotFound.NoIdle by toy/Create/NotFound.NoIdle 1" {
				t.Errorf("got %s", got)
			}
		}, "toy/Create/NotFound.NoIdle 1 Create NotFound.NoIdle 1 any\ntoy/a 1 Create success 0 3\n"},
		{"again comes last and begins anew", func() {
			p.On(a, scenario.Options{Times: 1})
			p.Ask(call(create, nil), false)
			p.Ask(call(create, nil), false)
		}, "toy/a 1 Create success 1 0\ntoy/Create/NotFound.NoIdle 1 Create NotFound.NoIdle 2 any\n"},
		{"rewind", p.Rewind, "toy/a 1 Create success 0 1\ntoy/Create/NotFound.NoIdle 1 Create NotFound.NoIdle 0 any\n"},
		{"off unknown", func() {
			if p.Off("b") {
				t.Error("got true, want false")
			}
		}, "toy/a 1 Create success 0 1\ntoy/Create/NotFound.NoIdle 1 Create NotFound.NoIdle 0 any\n"},
		{"off by short name", func() {
			if !p.Off("a") {
				t.Error("got false, want true")
			}
		}, "toy/Create/NotFound.NoIdle 1 Create NotFound.NoIdle 0 any\n"},
		{"all off", p.OffAll, ""},
	}
	for _, tt := range tests {
		tt.do()
		if got := status(); got != tt.want {
			t.Errorf("%s\ngot\n%swant\n%s", tt.what, got, tt.want)
		}
	}
	if got := say(p.Ask(call(create, nil), false)); got != "-" {
		t.Errorf("got %s, want -", got)
	}
}

func TestPassedIsBounded(t *testing.T) {
	p := newPlayer()
	p.On(read(t, "s", strings.Repeat("  - {operation: Create, where: {UserId: u1}, times: 1, outcome: success}\n", 500)), scenario.Options{})
	list, more := p.Ask(call(create, nil), false).Mismatches.List()
	if len(list) != 64 || more != 436 {
		t.Errorf("got %d and %d more, want 64 and 436", len(list), more)
	}
}

// A rule that is worn out is no longer tried, and nobody can tell: plays and mismatches are
// those of rules that are tried at every call, which those are that want a state.
func TestWornOutRulesAreTold(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	one := func(of ...string) string { return of[dice.IntN(len(of))] }
	for round := range 100 {
		tried, removed := newPlayer(), newPlayer()
		for i := range 1 + dice.IntN(4) {
			var rules, wanting string
			for range 1 + dice.IntN(30) {
				rule := fmt.Sprintf("  - {operation: %s, outcome: %s, times: %d%s%s", one("Create", "'*'"), one("internalError", "expired"), 1+dice.IntN(3),
					one("", ", skip: 1", ", chance: 0.5"), one("", ", where: {UserId: u1}", ", where: {UserId: {in: [u2, u3]}}", ", where: {UserId: u2, Page: 1}"))
				rules, wanting = rules+rule+"}\n", wanting+rule+", state: initial}\n"
			}
			name := fmt.Sprint("s", i)
			removed.On(read(t, name, rules), scenario.Options{})
			tried.On(read(t, name, wanting), scenario.Options{})
		}
		for i := range 60 {
			if i == 40 {
				tried.Rewind()
				removed.Rewind()
			}
			c, refused := call([]*contract.Operation{create, list}[dice.IntN(2)], contract.Values{"UserId": fmt.Sprint("u", dice.IntN(4)), "Page": int64(dice.IntN(2))}), dice.IntN(4) == 0
			if got, want := say(removed.Ask(c, refused)), say(tried.Ask(c, refused)); got != want {
				t.Fatalf("round %d, call %d\ngot  %s\nwant %s", round, i, got, want)
			}
		}
	}
}

// TestTimesIsExact holds that a rule fires neither less nor more often than it
// should, however many call.
func TestTimesIsExact(t *testing.T) {
	p := newPlayer()
	p.On(read(t, "s", `
  - {operation: Create, skip: 100, times: 500, outcome: NotFound.NoIdle}
  - {operation: Create, times: 300, outcome: success}`), scenario.Options{})
	p.On(read(t, "narrow", "  - {operation: Create, outcome: expired}"), scenario.Options{Skip: 50, Times: 70})
	var fired [3]atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for range 50 {
				switch play := p.Ask(call(create, nil), false); play.Verdict.Outcome {
				case noIdle:
					fired[0].Add(1)
				case success:
					fired[1].Add(1)
				case expired:
					fired[2].Add(1)
				}
				_ = p.Active()
			}
		})
	}
	all.Wait()
	for i, want := range []int64{500, 300, 70} {
		if got := fired[i].Load(); got != want {
			t.Errorf("rule %d: got %d, want %d", i, got, want)
		}
	}
}

// TestPlayerServesMany is for the race detector.
func TestPlayerServesMany(t *testing.T) {
	p := newPlayer()
	s := read(t, "s", "  - {operation: '*', times: 2, outcome: internalError}")
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 100 {
				switch i % 4 {
				case 0:
					p.On(s, scenario.Options{})
				case 1:
					p.Off("toy/s")
				case 2:
					p.Rewind()
				}
				p.Ask(call(create, nil), i%2 == 0)
			}
		})
	}
	all.Wait()
}

func TestAskingNothingAllocatesNothing(t *testing.T) {
	p := newPlayer()
	c := call(create, nil)
	if got := testing.AllocsPerRun(100, func() { p.Ask(c, false) }); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
	p.On(read(t, "s", "  - {operation: Create, where: {Count: 5}, outcome: success}"), scenario.Options{})
	c.In = contract.Values{"Count": int64(5)}
	if got := testing.AllocsPerRun(100, func() { p.Ask(c, false) }); got != 0 {
		t.Errorf("got %v allocations for a rule that fits at once, want 0", got)
	}
}

// BenchmarkAsk is what asking alone costs a call that no rule fits.
func BenchmarkAsk(b *testing.B) {
	for _, rule := range []struct{ name, text string }{
		{"another operation", "- {operation: List, outcome: success}"},
		{"another value", "- {operation: Create, where: {UserId: u%d-}, outcome: success}"},
		{"three values", "- {operation: Create, where: {UserId: u1, Page: %d, header.X-Trace: on}, outcome: success}"},
		{"worn out", "- {operation: Create, times: 1, outcome: success}"},
		{"another state", "- {operation: Create, times: 1, state: late, outcome: success}\n- {operation: List, then: late}"},
		{"no chance", "- {operation: Create, chance: 0.000001, outcome: success}"},
		{"a number", "- {operation: Create, where: {Count: {gt: %d}}, outcome: success}"},
		{"a pattern", "- {operation: Create, where: {UserId: {matches: '^x%d'}}, outcome: success}"},
	} {
		for _, active := range []int{0, 1, 100} {
			b.Run(fmt.Sprintf("%s/%d active", rule.name, active), func(b *testing.B) {
				p := newPlayer()
				for i := range active {
					text := rule.text
					if strings.Contains(text, "%d") {
						text = fmt.Sprintf(text, 1000+i)
					}
					p.On(read(b, fmt.Sprint("s", i), text), scenario.Options{})
				}
				c := call(create, contract.Values{"UserId": "u1", "Page": int64(2), "Count": int64(3)})
				for range active {
					p.Ask(c, false)
				}
				b.ReportAllocs()
				for b.Loop() {
					p.Ask(c, false)
				}
			})
		}
	}
}

// A snapshot that somebody wrote by hand leads no counter over its end.
func TestProgressHasAnEnd(t *testing.T) {
	for _, far := range []player.Progress{
		{Scenario: "toy/s", State: scenario.Initial, Fired: math.MaxInt},
		{Scenario: "toy/s", State: scenario.Initial, Skipped: math.MaxInt},
		{Scenario: "toy/s", State: scenario.Initial, Rules: []player.RuleProgress{{Fired: math.MaxInt}}},
		{Scenario: "toy/s", State: scenario.Initial, Rules: []player.RuleProgress{{Skipped: math.MaxInt}}},
	} {
		if err := far.Check(); err == nil || !strings.Contains(err.Error(), "fired or let through 9223372036854775807 calls; at most 9007199254740992 were expected") {
			t.Errorf("%+v: got %v", far, err)
		}
	}
}

// FuzzNarrow holds that what narrows a scenario is refused with its place, or
// can be played.
func FuzzNarrow(f *testing.F) {
	for _, s := range []string{
		`{"times":2,"skip":1}`, `{"where":{"UserId":"u1","header.A":{"in":["a"]}}}`, `{"for":"30m","wire":{"delay":{"min":"1s","max":"2s"}}}`,
		`{"where":{"Media.id":{"matches":"^a"}}}`, `{"wire":{"fault":"reset","when":"after"}}`, `{"times":0}`, `{"where":{"":{"":""}}}`,
	} {
		f.Add([]byte(s))
	}
	s, err := scenario.Parse("s.yaml", []byte(text("toy", "s", "x")), apis)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := scenario.ParseOptions(s, body, apis)
		if err != nil {
			return
		}
		p := newPlayer()
		p.On(s, n)
		for range 3 {
			p.Ask(call(create, nil), false)
		}
		if list, _ := p.Ask(call(create, nil), true).Mismatches.List(); len(list) > 1 {
			t.Errorf("got %v", list)
		}
	})
}
