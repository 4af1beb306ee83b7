package player_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
	"github.com/understudy-suite/understudy/internal/scenario/player"
)

func TestMatchers(t *testing.T) {
	media := contract.Values{"id": "m1", "size": int64(7)}
	in := contract.Values{
		"UserId": "u1", "Count": int64(5), "Strict": true, "Page": json.Number("2"), "Media": media, "a.b": "dotted",
		"Lines": []any{contract.Values{"name": "first"}, map[string]any{"name": "second"}}, "Empty": "", "Null": nil,
	}
	tests := []struct {
		where string
		want  bool
	}{
		{"UserId: {in: [u2, u1]}", true},
		{"UserId: {in: [u2, u3]}", false},
		{"Strict: {in: [on]}", true},
		{"UserId: {matches: '^u[0-9]$'}", true},
		{"UserId: {matches: '^u[2-9]$'}", false},
		{"Count: {matches: '5'}", true},
		{"Media: {matches: '.*'}", false},
		{"UserId: {absent: true}", false},
		{"Missing: {absent: true}", true},
		{"Null: {absent: true}", false},
		{"UserId: {present: true}", true},
		{"Empty: {present: true}", true},
		{"Null: {present: true}", true},
		{"Missing: {present: true}", false},
		{"Count: {gt: 4}", true},
		{"Count: {gt: 5}", false},
		{"Count: {lt: 5.5}", true},
		{"Count: {gt: 4, lt: 6}", true},
		{"Count: {gt: 5, lt: 6}", false},
		{"Page: {gt: 1}", true},
		{"UserId: {gt: 1}", false},
		{"Strict: {gt: 0}", false},
		{"Media.id: m1", true},
		{"Media.id: m2", false},
		{"Media.size: {lt: 8}", true},
		{"Media.other: {absent: true}", true},
		{"Lines.0.name: first", true},
		{"Lines.1.name: second", true},
		{"Lines.2.name: {absent: true}", true},
		{"a.b: dotted", true},
		{"header.X-Trace: on", true},
		{"header.x-trace: on", true},
		{"header.Host: api.example", true},
		{"header.X-Other: {absent: true}", true},
		{"header.X-Trace: {matches: '^o'}", true},
		{"query.page: 3", true},
		{"query.page: {gt: 2}", true},
		{"query.none: {absent: true}", true},
		{"UserId: u1, Count: 5, header.X-Trace: on", true},
		{"UserId: u1, Count: 6, header.X-Trace: on", false},
	}
	op := *create
	op.Params = append(slices.Clone(op.Params), contract.Param{Name: "Missing"}, contract.Param{Name: "Null"}, contract.Param{Name: "Empty"})
	op.Params = append(op.Params, contract.Param{Name: "Media", Type: contract.Object})
	op.Params = slices.DeleteFunc(op.Params, func(p contract.Param) bool { return p.Name == "Media" && p.Fields != nil })
	api := *toy
	api.Operations = []*contract.Operation{&op}
	for _, tt := range tests {
		s, err := scenario.Parse("s.yaml", []byte("scenario: s\napi: toy\nrules:\n  - operation: Create\n    where: {"+tt.where+"}\n    outcome: success\n"), []*contract.API{&api})
		if err != nil {
			t.Fatal(err)
		}
		p := player.New([]*contract.API{&api}, 1, func() time.Time { return noon })
		p.On(s, scenario.Options{})
		play := p.Ask(&contract.Call{API: &api, Operation: &op, In: in, Now: noon, Request: &contract.Request{
			URL: &url.URL{RawQuery: "page=3"}, Host: "api.example", Header: http.Header{"X-Trace": {"on", "off"}},
		}}, false)
		if got := play.Scenario != ""; got != tt.want {
			t.Errorf("%s: got %t, want %t (%s)", tt.where, got, tt.want, say(play))
		}
		if list, _ := play.Mismatches.List(); !tt.want && (len(list) != 1 || !strings.HasPrefix(list[0].Why, "where ")) {
			t.Errorf("%s: got %v, want the condition that did not hold", tt.where, list)
		}
	}
}

// ends plays n calls and tells how they ended, one letter of the outcome each:
// n for NoIdle, s for success, a point for what the emulator decided.
func ends(p *player.Player, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(letter(p.Ask(call(create, contract.Values{"UserId": "u1"}), false)))
	}
	return b.String()
}

func letter(play player.Play) string {
	switch play.Verdict.Outcome {
	case noIdle:
		return "n"
	case success:
		return "s"
	case internalError:
		return "i"
	case expired:
		return "e"
	}
	return "."
}

func TestSequencesStatesAndTimes(t *testing.T) {
	tests := []struct{ name, rules, want string }{
		{"one after the other, then the last", "- {operation: Create, outcomes: [NotFound.NoIdle, emulator, success]}", "n.ssss"},
		{"over again", "- {operation: Create, outcomes: [NotFound.NoIdle, emulator, success], repeat: all}", "n.sn.s"},
		{"a sequence ends", "- {operation: Create, outcomes: [NotFound.NoIdle, success], repeat: all, times: 3}", "nsn..."},
		{"the emulator is shielded", "- {operation: Create, times: 2, outcomes: [emulator]}\n- {operation: Create, outcome: NotFound.NoIdle}", "..nnnn"},
		{"flapping", "- {operation: Create, state: initial, outcome: success, then: down}\n- {operation: Create, state: down, outcome: NotFound.NoIdle, then: initial}", "snsnsn"},
		{"a state that stays", "- {operation: Create, state: initial, skip: 1, outcome: success, then: down}\n- {operation: Create, state: down, outcome: NotFound.NoIdle}", ".snnnn"},
		{"only a state is entered", "- {operation: Create, times: 2, then: ready}\n- {operation: Create, state: ready, outcome: success}", "..ssss"},
		{"never the last one", "- {operation: Create, skip: 2, times: 2, outcome: NotFound.NoIdle}", "..nn.."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlayer()
			p.On(read(t, "s", tt.rules), scenario.Options{})
			for range 2 { // again after Rewind
				if got := ends(p, 6); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				p.Rewind()
			}
		})
	}
}

// What the network does is done to refused calls as well; what happens outside
// the API, and states, are about calls that were let in.
func TestRulesWithoutAnOutcomeAndChecks(t *testing.T) {
	for rule, want := range map[string]string{
		"{operation: Create, wire: {delay: 1s}}":                                       "- by toy/s 1",
		"{operation: Create, wire: {delay: 1s}, then: late}":                           "- by toy/s 1",
		"{operation: Create, then: late}":                                              "-; toy/s 1 a check refused the request, and the rule is about calls that pass the checks",
		"{operation: Create, trigger: {user.lost: {}}}":                                "-; toy/s 1 a check refused the request, and the rule is about calls that pass the checks",
		"{operation: Create, trigger: {user.lost: {}}, wire: {delay: 1s}}":             "-; toy/s 1 a check refused the request, and the rule is about calls that pass the checks",
		"{operation: Create, outcomes: [emulator], wire: {delay: 1s}}":                 "-; toy/s 1 a check refused the request, and emulator is not an outcome of a check",
		"{operation: Create, outcomes: [expired, emulator], trigger: {user.lost: {}}}": "expired by toy/s 1",
	} {
		p := newPlayer()
		p.On(read(t, "s", "- "+rule), scenario.Options{})
		if got := say(p.Ask(call(create, nil), true)); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", rule, got, want)
		}
	}
}

func TestMismatchesNameStates(t *testing.T) {
	p := newPlayer()
	p.On(read(t, "s", "- {operation: Create, state: late, outcome: success}\n- {operation: Create, outcome: NotFound.NoIdle, then: late}"), scenario.Options{})
	for _, want := range []string{
		"NotFound.NoIdle by toy/s 2; toy/s 1 state: the scenario was not in late", "success by toy/s 1",
	} {
		if got := say(p.Ask(call(create, nil), false)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	p.Rewind()
	if got := letter(p.Ask(call(create, nil), false)); got != "n" {
		t.Errorf("after Rewind: got %s, want n", got)
	}
}

// A sequence does not move on for a call that a check refused, unless that
// outcome is the next one.
func TestSequenceAndRefusals(t *testing.T) {
	p := newPlayer()
	p.On(read(t, "s", "- {operation: Create, outcomes: [success, expired, NotFound.NoIdle]}"), scenario.Options{})
	var got string
	for _, refused := range []bool{true, false, true, true, false} {
		got += letter(p.Ask(call(create, nil), refused))
	}
	if got != ".se.n" {
		t.Errorf("got %s, want .se.n", got)
	}
	play := p.Ask(call(create, nil), true)
	if list, _ := play.Mismatches.List(); len(list) != 1 || !strings.Contains(list[0].Why, "not one of a check's") {
		t.Errorf("got %v", list)
	}
}

func TestFromAndUntil(t *testing.T) {
	now := noon
	p := player.New(apis, 1, func() time.Time { return now })
	p.On(read(t, "s", "- {operation: Create, from: 1m, until: 5m, outcome: NotFound.NoIdle}\n- {operation: Create, until: 6m, outcome: success}"), scenario.Options{})
	ask := func(at time.Duration) player.Play {
		c := call(create, nil)
		c.Now = now.Add(at)
		return p.Ask(c, false)
	}
	for at, want := range map[time.Duration]string{
		0: "s", 59 * time.Second: "s", time.Minute: "n", 5*time.Minute - 1: "n", 5 * time.Minute: "s", 6 * time.Minute: ".", -time.Minute: "s",
	} {
		if got := letter(ask(at)); got != want {
			t.Errorf("at %s: got %s, want %s", at, got, want)
		}
	}
	if list, _ := ask(7 * time.Minute).Mismatches.List(); fmt.Sprint(list) !=
		"[{toy/s 1 until: 7m0s since the activation, and the rule ends at 5m0s} {toy/s 2 until: 7m0s since the activation, and the rule ends at 6m0s}]" {
		t.Errorf("got %v", list)
	}
	now = now.Add(time.Hour)
	p.Rewind()
	if got := letter(ask(2 * time.Minute)); got != "n" {
		t.Errorf("after Rewind: got %s, want n", got)
	}
	p.On(read(t, "s", "- {operation: Create, outcome: success}"), scenario.Options{For: time.Minute})
	if got := letter(ask(59*time.Second)) + letter(ask(time.Minute)); got != "s." {
		t.Errorf("for a minute: got %s, want s.", got)
	}
}

func TestChanceFollowsTheSeed(t *testing.T) {
	play := func(seed uint64, name string, rewind func(*player.Player)) string {
		p := player.New(apis, seed, func() time.Time { return noon })
		p.On(read(t, name, "- {operation: List, chance: 0.5, outcome: success}\n- {operation: Create, chance: 0.2, outcome: NotFound.NoIdle}"), scenario.Options{})
		first := ""
		for range 2 {
			got := ""
			for i := range 1000 {
				if i%3 == 0 { // what happens elsewhere shifts nothing
					p.Ask(call(list, nil), false)
				}
				got += letter(p.Ask(call(create, nil), false))
			}
			if first != "" && got != first {
				t.Error("rewinding does not rewind the dice")
			}
			first = got
			rewind(p)
		}
		return first
	}
	rewind, dice := (*player.Player).Rewind, (*player.Player).RewindDice
	first := play(1, "s", rewind)
	if n := strings.Count(first, "n"); n < 150 || n > 250 {
		t.Errorf("got %d of 1,000 with a chance of 0.2", n)
	}
	if play(1, "s", dice) != first {
		t.Error("the same seed throws otherwise")
	}
	if play(2, "s", rewind) == first || play(1, "other", rewind) == first {
		t.Error("another seed or another scenario throws the same")
	}
}

func TestDelaysAreThrown(t *testing.T) {
	throws := func(delay string) []time.Duration {
		p := newPlayer()
		p.On(read(t, "s", "- {operation: Create, wire: {delay: "+delay+"}}"), scenario.Options{})
		var all []time.Duration
		for range 2000 {
			all = append(all, p.Ask(call(create, nil), false).Delay)
		}
		p.Rewind()
		for i := range 100 {
			if got := p.Ask(call(create, nil), false).Delay; got != all[i] {
				t.Fatalf("%s: throw %d is %s again, was %s", delay, i, got, all[i])
			}
		}
		slices.Sort(all)
		return all
	}
	if all := throws("2s"); all[0] != 2*time.Second || all[1999] != 2*time.Second {
		t.Errorf("fixed: got %s to %s", all[0], all[1999])
	}
	if all := throws("{min: 1s, max: 3s}"); all[0] < time.Second || all[1999] > 3*time.Second || all[0] > 1100*time.Millisecond || all[1999] < 2900*time.Millisecond {
		t.Errorf("uniform: got %s to %s", all[0], all[1999])
	}
	all := throws("{median: 1s, sigma: 0.5}")
	if median := all[1000]; median < 900*time.Millisecond || median > 1100*time.Millisecond {
		t.Errorf("log-normal: the median is %s", median)
	}
	// One standard deviation of the logarithm above the median: 84 of 100.
	if got, want := all[1682].Seconds(), math.Exp(0.5); math.Abs(got-want) > 0.15 {
		t.Errorf("log-normal: got %.2fs, want about %.2fs", got, want)
	}
}

func TestEverywhere(t *testing.T) {
	s, err := scenario.Parse("all.yaml", []byte("scenario: brown-out\napi: all\nrules:\n  - {operation: '*', times: 3, wire: {delay: 1s}}"), apis)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlayer()
	p.On(s, scenario.Options{})
	elsewhere := call(other.Operations[0], nil)
	elsewhere.API = other
	got := ""
	for _, c := range []*contract.Call{call(create, nil), elsewhere, call(nil, nil), elsewhere} {
		got += say(p.Ask(c, c.Operation == nil)) + "\n"
	}
	if want := strings.Repeat("- by all/brown-out 1\n", 3) + "-; all/brown-out 1 times: fired 3 of 3\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestStatus(t *testing.T) {
	p := newPlayer()
	p.On(read(t, "s", "- {operation: Create, skip: 1, outcomes: [NotFound.NoIdle, emulator], expect: {fired: 2}, then: late}"), scenario.Options{})
	ends(p, 2)
	st := p.Active()[0]
	got := fmt.Sprintf("%s %s %t %+v", st.Scenario, st.State, st.Since.Equal(noon), st.Rules)
	want := "toy/s late true [{Rule:1 Line:4 Operation:Create Outcomes:[NotFound.NoIdle emulator] Next: Fired:1 Skipped:1 Left:<nil> Expect:2}]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A scenario that a call names is asked before those that are on, and counts
// for that call alone.
func TestAskFirst(t *testing.T) {
	p := newPlayer()
	p.On(read(t, "on", "- {operation: Create, outcome: success}"), scenario.Options{})
	named := read(t, "named", "- {operation: Create, where: {UserId: u1}, times: 1, outcome: NotFound.NoIdle}")
	for n, want := range []string{"NotFound.NoIdle by toy/named 1", "NotFound.NoIdle by toy/named 1"} {
		if got := say(p.AskFirst(named, call(create, contract.Values{"UserId": "u1"}), false, uint64(n))); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	got := say(p.AskFirst(named, call(create, nil), false, 3))
	if want := `success by toy/on 1; toy/named 1 where UserId: got nothing, want "u1"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(p.Active()) != 1 {
		t.Error("the named scenario stays on")
	}
	flaky := read(t, "flaky", "- {operation: Create, chance: 0.5, outcome: NotFound.NoIdle}")
	all := ""
	for n := range 40 {
		all += letter(p.AskFirst(flaky, call(create, nil), false, uint64(n)))
	}
	if !strings.Contains(all, "n") || !strings.Contains(all, "s") {
		t.Errorf("the dice always fall alike: %s", all)
	}
}

// Fields are laid over those outcomes of a sequence that return them.
func TestSequenceLaysFieldsWhereTheyBelong(t *testing.T) {
	p := newPlayer()
	p.On(read(t, "s", "- {operation: Create, outcomes: [NotFound.NoIdle, success], with: {id: 1, apple: 2, zebra: 3}}"), scenario.Options{})
	var got []string
	for range 2 {
		for _, m := range p.Ask(call(create, nil), false).With {
			got = append(got, m.Name)
		}
	}
	if want := "[apple zebra id zebra]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestUpdate(t *testing.T) {
	p := newPlayer()
	l := library.New(apis)
	put := func(name, description string) {
		if _, err := l.Put("", []byte(text("toy", name, description))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "b", "gone"} {
		put(name, "x")
		p.On(l.InForce("toy/"+name), scenario.Options{Times: 5})
	}
	p.On(read(t, "own", "- {operation: Create, where: {UserId: u9}, outcome: success}"), scenario.Options{})
	p.Ask(call(create, nil), false)
	put("a", "x")      // says what it said
	put("b", "y")      // says something else
	put("own", "late") // has the name of one that came from elsewhere
	if err := l.Delete("gone"); err != nil {
		t.Fatal(err)
	}
	if changed := p.Update(l.InForce); fmt.Sprint(changed) != "[toy/b]" {
		t.Errorf("got %v", changed)
	}
	got := ""
	for _, st := range p.Active() {
		got += fmt.Sprint(st.Scenario, " ", st.Rules[0].Fired, "; ")
	}
	if want := "toy/own 0; toy/gone 1; toy/b 0; toy/a 0; "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What is remembered of a value is about that value alone, about its type and
// its absence as well, and about no more values than are let in.
func TestWhatAValueDidNotFitIsRemembered(t *testing.T) {
	p := newPlayer()
	rules := ""
	for i := range 20 {
		rules += fmt.Sprintf("  - {operation: Create, where: {UserId: {matches: '^u%d$'}}, outcome: success}\n", i)
	}
	rules = strings.ReplaceAll(rules, "^u9$", "^(u9|true|5)$") // plain texts only
	for _, matcher := range []string{"absent: true", "in: [five]", "matches: 'xx'"} {
		rules += "  - {operation: Create, where: {UserId: {" + matcher + "}}, outcome: success}\n"
	}
	for i := range 5 { // which of them fits is for another place to say
		p.On(read(t, fmt.Sprint("s", i), strings.ReplaceAll(rules, "}}, outcome", "}, header.X-N: {gt: "+fmt.Sprint(i-1)+", lt: "+fmt.Sprint(i+1)+"}}, outcome")), scenario.Options{})
	}
	ask := func(in contract.Values, n int) string {
		c := call(create, in)
		c.Request = &contract.Request{Header: http.Header{"X-N": {fmt.Sprint(n)}}}
		play := p.Ask(c, false)
		return fmt.Sprint(play.Scenario, " ", play.Rule)
	}
	for range 3 {
		for n := range 5 {
			for i := range 20 {
				if got, want := ask(contract.Values{"UserId": fmt.Sprint("u", i)}, n), fmt.Sprint("toy/s", n, " ", i+1); got != want {
					t.Fatalf("got %s, want %s", got, want)
				}
			}
			for _, tt := range []struct {
				in   contract.Values
				rule string
			}{
				{nil, "21"},
				{contract.Values{"UserId": "five"}, "22"},
				{contract.Values{"UserId": strings.Repeat("x", 1000)}, "23"},
				{contract.Values{"UserId": int64(5)}, "10"},
			} {
				if got, want := ask(tt.in, n), fmt.Sprint("toy/s", n, " ", tt.rule); got != want {
					t.Errorf("%v: got %s, want %s", tt.in, got, want)
				}
			}
			for _, in := range []contract.Values{{"UserId": ""}, {"UserId": nil}, {"UserId": "u20"}, {"UserId": contract.Values{}}} {
				if got := ask(in, n); got != " 0" {
					t.Errorf("%v: got %s, want none", in, got)
				}
			}
		}
		for i := range 200 { // more than are remembered
			if got := ask(contract.Values{"UserId": fmt.Sprint("v", i)}, 3); got != " 0" {
				t.Fatalf("v%d: got %s, want none", i, got)
			}
		}
		if got := ask(contract.Values{"UserId": "u1"}, 7); got != " 0" {
			t.Errorf("got %s, want none", got)
		}
	}
}
