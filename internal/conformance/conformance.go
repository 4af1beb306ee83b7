// Package conformance tests an API against what understudy promises for every
// one. A new API gets all of these tests for three lines.
package conformance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

// Run tests api against the promises.
func Run(t *testing.T, api *contract.API) {
	t.Run("1 the table is complete", func(t *testing.T) { complete(t, api) })
	t.Run("2 every outcome can be called for", func(t *testing.T) { callable(t, api) })
	t.Run("3 every success returns its rows", func(t *testing.T) { returns(t, api) })
	t.Run("3 what did not happen leaves no trace", func(t *testing.T) { traceless(t, api) })
	t.Run("4 every violation is judged", func(t *testing.T) { judged(t, api) })
	t.Run("5 every example is answered as printed", func(t *testing.T) { examples(t, api) })
	t.Run("6 the same seed gives the same bytes", func(t *testing.T) { repeatable(t, api) })
	t.Run("6 parallel clients", func(t *testing.T) { parallel(t, api) })
	t.Run("7 snapshot and restore", func(t *testing.T) { restorable(t, api) })
	t.Run("7 a damaged snapshot", func(t *testing.T) { damaged(t, api) })
	t.Run("7 what is kept is counted", func(t *testing.T) { counted(t, api) })
	t.Run("7 a world goes on from a snapshot", func(t *testing.T) { resumable(t, api) })
	t.Run("7 what happened before", func(t *testing.T) { given(t, api) })
	t.Run("7 what is refused is said in full", func(t *testing.T) { worded(t, api) })
	t.Run("8 calls can be verified", func(t *testing.T) { verifiable(t, api) })
	t.Run("8 credentials of the operator", func(t *testing.T) { usesCredentials(t, api) })
	t.Run("8 credentials of a sandbox's own", func(t *testing.T) { mints(t, api) })
	t.Run("8 identifiers of a client's own", func(t *testing.T) { adopts(t, api) })
	t.Run("9 pages of other origins", func(t *testing.T) { browsers(t, api) })
	t.Run("9 what has a life", func(t *testing.T) { lives(t, api) })
}

// names of operations, outcomes and triggers are promises to files and scripts.
var wellFormed = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*$`)

// kebabCase is the form of the names of checks, which the journal and the header
// Understudy-Decided-By show.
var kebabCase = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// snakeCase is the form of the codes of causes, which the journal shows.
var snakeCase = regexp.MustCompile(`^[a-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*$`)

func complete(t *testing.T, api *contract.API) {
	if lacks := missing("Title", api.Title, "Docs", api.Docs, "Port", api.Port); lacks != "" {
		t.Errorf("the API's literal lacks %s", lacks)
	}
	if api.Pick == nil || api.Fail == nil || api.Write == nil || api.Sign == nil || api.State == nil {
		t.Fatal("the API's literal lacks one of the functions Pick, Fail, Write, Sign, State; contract.ByMethod and package wire have plain ones")
	}
	if len(api.Failure) == 0 {
		t.Error("the API's literal lacks Failure; list there the rows of what Fail returns")
	}
	checkHosts(t, api)
	checks := map[string]bool{}
	for _, c := range api.Checks {
		if !kebabCase.MatchString(c.Name) || checks[c.Name] {
			t.Errorf("check %q: the name is not kebab-case or stands twice", c.Name)
		}
		checks[c.Name] = true
	}
	checkMistakes(t, api)
	operations := map[string]bool{}
	for _, op := range api.Operations {
		if !wellFormed.MatchString(op.Name) || operations[op.Name] {
			t.Errorf("operation %q: the name is not well-formed or stands twice", op.Name)
		}
		operations[op.Name] = true
		if lacks := missing("Doc", op.Doc, "Method", op.Method, "Path", op.Path, "Outcomes", len(op.Outcomes)); lacks != "" || op.Decide == nil {
			t.Errorf("%s lacks %s", op.Name, cmp.Or(lacks, "Decide"))
		}
		if op.Cite == "" && !op.Helper {
			t.Errorf("%s lacks Cite, the page that it was read from", op.Name)
		}
		if len(op.Outcomes) > 0 && op.Outcomes[0].Fails {
			t.Errorf("%s lists a failure first; its plain success was expected there", op.Name)
		}
		checkRows(t, op.Name, op.Params)
		outcomes := map[string]bool{}
		for _, o := range api.Ends(op) {
			if !wellFormed.MatchString(o.Name) || outcomes[o.Name] {
				t.Errorf("%s: outcome %q: the name is not well-formed or stands twice", op.Name, o.Name)
			}
			outcomes[o.Name] = true
			if lacks := missing("Status", o.Status, "Doc", o.Doc); lacks != "" {
				t.Errorf("%s: outcome %s lacks %s", op.Name, o.Name, lacks)
			}
			checkRows(t, op.Name+" "+o.Name, o.Returns)
		}
		for o, status := range op.Statuses {
			if !outcomes[o.Name] || status == o.Status {
				t.Errorf("%s: the status %d of outcome %s is of no outcome of the operation, or no other than elsewhere", op.Name, status, o.Name)
			}
		}
	}
	checkRows(t, "failure", api.Failure)
	checkRows(t, "fixture", api.Fixture)
	checkRows(t, "switches", api.Switches)
	for _, s := range api.Switches {
		if s.Default == nil || len(contract.Validate([]contract.Param{s}, contract.Values{s.Name: s.Default})) > 0 {
			t.Errorf("switch %s: its default %v is no value of its own row", s.Name, s.Default)
		}
	}
	for _, tr := range api.Triggers {
		if !wellFormed.MatchString(tr.Name) || tr.Doc == "" || tr.Do == nil {
			t.Errorf("trigger %q lacks a name, Doc or Do", tr.Name)
		}
		checkRows(t, tr.Name, tr.Params)
	}
}

// hostName is the form of a documented host name: at most one of its labels is open.
var hostName = regexp.MustCompile(`^([a-z0-9-]+\.)*(\*\.)?([a-z0-9-]+\.)+[a-z0-9-]+$`)

func checkHosts(t *testing.T, api *contract.API) {
	for i, h := range api.Hosts {
		if !hostName.MatchString(h.Name) {
			t.Errorf("host %q: a name in lower case was expected, with one open label at most, before a domain: *.parcels.example", h.Name)
		}
		if h.Pattern() != (len(h.Known) > 0) {
			t.Errorf("host %q: a pattern has Known names, so that files without patterns can have them, and nothing else has", h.Name)
		}
		for _, name := range h.Known {
			if strings.Contains(name, "*") || !h.Matches(name) {
				t.Errorf("host %q: the known name %q is none of it", h.Name, name)
			}
		}
		if slices.ContainsFunc(api.Hosts[:i], func(o contract.Host) bool { return o.Name == h.Name }) {
			t.Errorf("host %q stands twice", h.Name)
		}
	}
}

// missing lists the names, each before its value, whose value is the zero one.
func missing(pairs ...any) string {
	var names []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := pairs[i+1]; v == "" || v == 0 {
			names = append(names, pairs[i].(string))
		}
	}
	return strings.Join(names, ", ")
}

func checkRows(t *testing.T, where string, rows []contract.Param) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range rows {
		if lacks := missing("Name", p.Name, "Doc", p.Doc); lacks != "" {
			t.Errorf("%s: the row %q lacks %s", where, p.Name, lacks)
		}
		if seen[p.Name] {
			t.Errorf("%s: the row %q stands twice", where, p.Name)
		}
		seen[p.Name] = true
		checkRows(t, where+" "+p.Name, p.Fields)
	}
}

// unfilled is a place in a message that was not filled.
var unfilled = regexp.MustCompile(`\{[A-Za-z]\w*\}`)

// callable calls for each outcome of each operation in a world where there is
// nothing: an outcome leans on nothing that the emulator would have checked.
func callable(t *testing.T, api *contract.API) {
	for _, op := range api.Operations {
		for _, o := range api.Ends(op) {
			w := New(t, api, Setting{Fixture: "empty", Auth: contract.Off})
			w.Play(t, op, o)
			got := w.Send(w.Request(t, op, contract.Sample(op.Params)))
			e := w.Last(t)
			if e.Outcome != o.Name || e.DecidedBy.Kind != journal.Scenario || got.Code != op.Status(o) {
				t.Errorf("%s/%s: ended in %s with status %d, decided by %s: %s", op.Name, o.Name, e.Outcome, got.Code, e.DecidedBy.Kind, got.Body)
			}
			if place := unfilled.FindString(got.Body.String()); place != "" {
				t.Errorf("%s/%s: the place %s reached the client: %s", op.Name, o.Name, place, got.Body)
			}
			accepted(t, op.Name+"/"+o.Name, api, o, e)
		}
	}
}

// accepted holds what an outcome returned against its rows, by the validation
// that requests are held against.
func accepted(t *testing.T, what string, api *contract.API, o *contract.Outcome, e journal.Entry) {
	t.Helper()
	returned := contract.Values{}
	if raw := fmt.Appendf(nil, "%s", e.Response.Decoded); e.Response.Decoded != nil {
		var err error
		if returned, err = wire.Object(raw); err != nil {
			t.Errorf("%s: returned %s: %v", what, raw, err)
			return
		}
	}
	advice := "list its row in the outcome's Returns; or, where nothing was there to return, have Do invent it with the call's dice: a scenario may call for any outcome at any time"
	if o.Fails {
		advice = "the rows of what Fail returns are API.Failure"
	}
	for _, v := range contract.Validate(api.Returned(o), returned) {
		t.Errorf("%s: returned %s, where %s is %s; %s", what, e.Response.Decoded, v.Path, v.Rule, advice)
	}
}

// returns plays each success in the default world.
func returns(t *testing.T, api *contract.API) {
	for _, op := range api.Operations {
		for _, o := range op.Outcomes {
			if o.Fails {
				continue
			}
			w := New(t, api, Setting{Auth: contract.Off})
			w.Play(t, op, o)
			w.Send(w.Request(t, op, contract.Sample(op.Params)))
			e := w.Last(t)
			accepted(t, op.Name+"/"+o.Name, api, o, e)
			if shown := journal.Show(api, e).Parameters; shown != nil && len(shown.Unknown) > 0 {
				t.Errorf("%s: the journal shows %q as unknown; add rows for them, or list them in the API's Protocol", op.Name, shown.Unknown)
			}
		}
	}
}

// judged leaves out and mistypes each row in turn.
func judged(t *testing.T, api *contract.API) {
	for _, op := range api.Operations {
		for _, p := range op.Params {
			w := New(t, api, Setting{Auth: contract.Off})
			without := contract.Sample(op.Params)
			delete(without, p.Name)
			judge(t, w, op, without, func(e journal.Entry) bool { return p.Need == contract.Required && !says(e, p.Name) }, p.Name+" left out")
			mistyped := contract.Sample(op.Params)
			mistyped[p.Name] = wrong(p.Type)
			judge(t, w, op, mistyped, func(journal.Entry) bool { return p.In == contract.Body }, p.Name+" mistyped")
		}
	}
}

func wrong(t contract.Type) any {
	if t == contract.String {
		return []any{int64(5)}
	}
	return "neither number nor list"
}

// says reports whether a request has name after all: what a client library sends
// by itself, such as the time, cannot be left out by its caller.
func says(e journal.Entry, name string) bool {
	in, _ := e.Request.Decoded.(contract.Values)
	_, given := in[name]
	return given
}

func judge(t *testing.T, w *World, op *contract.Operation, in contract.Values, fails func(journal.Entry) bool, what string) {
	t.Helper()
	got := w.Send(w.Request(t, op, in))
	if got.Code == gateway.StatusProblem {
		t.Errorf("%s, %s: %s", op.Name, what, got.Body)
		return
	}
	e := w.Last(t)
	o := w.API.Outcome(op, e.Outcome)
	switch {
	case o == nil:
		t.Errorf("%s, %s: ended in %s, which is none of its outcomes", op.Name, what, e.Outcome)
	case fails(e) && !o.Fails:
		t.Errorf("%s, %s: ended in the success %s", op.Name, what, o.Name)
	}
}

// traffic is a mix of calls, each success and each of the operation's own
// failures among them, and returns the answers as text.
func traffic(t *testing.T, w *World) string {
	t.Helper()
	var b strings.Builder
	for _, op := range w.API.Operations {
		in := contract.Sample(op.Params)
		fmt.Fprintln(&b, answer(w.Send(w.Request(t, op, in)).Result()))
		for _, o := range op.Outcomes {
			r := w.Request(t, op, in)
			r.Header.Set(gateway.OutcomeHeader, o.Name)
			fmt.Fprintln(&b, answer(w.Send(r).Result()))
		}
	}
	return b.String()
}

// answer returns an answer as text with every header but the date.
func answer(r *http.Response) string {
	var names []string
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	fmt.Fprintln(&b, r.StatusCode)
	for _, name := range names {
		fmt.Fprintln(&b, name, r.Header[name])
	}
	body, _ := io.ReadAll(r.Body)
	b.Write(body)
	return b.String()
}

func repeatable(t *testing.T, api *contract.API) {
	first := traffic(t, New(t, api, Setting{}))
	if second := traffic(t, New(t, api, Setting{})); second != first {
		t.Errorf("two runs with one seed differ:\n%s", firstDifference(first, second))
	}
	if third := traffic(t, New(t, api, Setting{Seed: 2})); third == first && invents(t) {
		t.Error("another seed gave the same bytes, and yet examples have members that are invented; draw what the service makes up from Call.Dice")
	}
}

// invents reports whether an example has members that the service makes up.
func invents(t *testing.T) bool {
	t.Helper()
	for _, file := range exampleFiles(t) {
		if slices.ContainsFunc(readExchanges(t, file), func(x exchange) bool { return len(x.invented()) > 0 }) {
			return true
		}
	}
	return false
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d:\n%s\n%s", i+1, as[i], bs[i])
		}
	}
	return "one is longer"
}

// parallel sends the same traffic from 64 clients at once; the race detector
// looks on.
func parallel(t *testing.T, api *contract.API) {
	w := New(t, api, Setting{})
	for client := range 64 {
		op := api.Operations[client%len(api.Operations)]
		t.Run(fmt.Sprint(client), func(t *testing.T) {
			t.Parallel()
			for range 4 {
				if got := w.Send(w.Request(t, op, contract.Sample(op.Params))); got.Code == gateway.StatusProblem {
					t.Errorf("%s: %s", op.Name, got.Body)
				}
			}
		})
	}
}

func restorable(t *testing.T, api *contract.API) {
	plain, restored := New(t, api, Setting{}), New(t, api, Setting{})
	traffic(t, plain)
	traffic(t, restored)
	instance := restored.Instance(t)
	before, err := instance.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := instance.Restore(before); err != nil {
		t.Fatal(err)
	}
	after, err := instance.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if string(after) != string(before) {
		t.Errorf("restored:\n%s\nwas:\n%s", after, before)
	}
	if got, want := traffic(t, restored), traffic(t, plain); got != want {
		t.Errorf("the restored world answers otherwise: %s", firstDifference(got, want))
	}
	for _, file := range exampleFiles(t) {
		restorableBetween(t, api, file)
	}
}

// restorableBetween restores a snapshot before each exchange of an example, and
// expects the answers of a world that is not restored.
func restorableBetween(t *testing.T, api *contract.API, file string) {
	t.Helper()
	all := readExchanges(t, file)
	plain, restored := New(t, api, setting(t, all[0])), New(t, api, setting(t, all[0]))
	for i, x := range all {
		snapshot, err := restored.Instance(t).Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if err := restored.Instance(t).Restore(snapshot); err != nil {
			t.Fatal(err)
		}
		want := received(plain.Send(x.send()).Result())
		if got := received(restored.Send(x.send()).Result()); got != want {
			t.Errorf("%s, exchange %d: after a snapshot was restored the answer is another one; every part of the state needs an exported field that JSON keeps: %s",
				file, i+1, firstDifference(got, want))
		}
	}
}

// resumable saves a world in the midst of a storm, and expects the same answers once
// it was reset and put back.
func resumable(t *testing.T, api *contract.API) {
	w, apis := New(t, api, Setting{}), []*contract.API{api}
	op := api.Operations[0]
	text := fmt.Sprintf("scenario: storm\napi: %s\nrules:\n"+
		"  - {operation: %s, skip: 1, times: 2, outcome: %s}\n"+
		"  - {operation: '*', chance: 0.5, wire: {headers: {X-Storm: blows}}}\n", api.Name, op.Name, op.Outcomes[len(op.Outcomes)-1].Name)
	storm, err := scenario.Parse("storm.yaml", []byte(text), apis)
	if err != nil {
		t.Fatal(err)
	}
	by, err := scenario.ParseOptions(storm, []byte(`{"times":30}`), apis)
	if err != nil {
		t.Fatal(err)
	}
	w.Sandbox.Player.On(storm, by)
	traffic(t, w)
	if err := w.Sandbox.Clock.Advance(time.Minute); err != nil {
		t.Fatal(err)
	}
	saved := w.save(t)
	want := traffic(t, w)
	if err := w.Sandbox.Reset(); err != nil {
		t.Fatal(err)
	}
	traffic(t, w)
	w.load(t, saved)
	if again := w.save(t); again != saved {
		t.Errorf("put back, the world is another one: %s", firstDifference(again, saved))
	}
	if got := traffic(t, w); got != want {
		t.Errorf("put back, the world answers otherwise: %s", firstDifference(got, want))
	}
	if !strings.Contains(want, "X-Storm [blows]") {
		t.Error("the storm did not blow")
	}
}

// given begins with each given by its examples. It changes the state, to one that
// is restored as it is, twice to the same, and is refused nowhere.
func given(t *testing.T, api *contract.API) {
	for _, what := range api.Givens() {
		t.Run(what.Name, func(t *testing.T) {
			checkRows(t, what.Name, what.Params)
			if what.Doc == "" {
				t.Error("the given has no Doc")
			}
			w := New(t, api, Setting{})
			plain := w.snapshot(t)
			w.Given(t, string(wire.Encode([]any{contract.Values{what.Name: examplesOf(what.Params)}})))
			before := w.snapshot(t)
			if before == plain {
				t.Error("by its examples nothing happened")
			}
			w.findsItself(t, New(t, api, Setting{}))
			if err := w.Instance(t).Restore([]byte(before)); err != nil {
				t.Fatal(err)
			}
			if after := w.snapshot(t); after != before {
				t.Errorf("restored: %s", firstDifference(after, before))
			}
			if err := w.Sandbox.Reset(); err != nil {
				t.Fatal(err)
			}
			if again := w.snapshot(t); again != before {
				t.Errorf("after a reset something else happened: %s", firstDifference(again, before))
			}
		})
	}
}

// findsItself holds that whatever plain does not know leads to the world's sandbox.
func (w *World) findsItself(t *testing.T, plain *World) {
	t.Helper()
	if _, err := w.Registry.Get("other"); err != nil {
		t.Fatal(err)
	}
	known := plain.identifiers(t)
	for _, id := range w.identifiers(t) {
		if !slices.Contains(known, id) && cmp.Or(w.Registry.ByIdentifier(w.API, func() []string { return []string{id} })) != w.Sandbox {
			t.Errorf("%s leads to no sandbox", id)
		}
	}
}

func (w *World) identifiers(t *testing.T) (all []string) {
	t.Helper()
	w.Instance(t).WithState(func(state contract.State) { all = slices.Collect(state.Identifiers()) })
	return all
}

// examplesOf are the examples of rows, as a fixture file has them.
func examplesOf(rows []contract.Param) contract.Values {
	in := contract.Values{}
	for _, p := range rows {
		switch {
		case p.Example == "":
		case p.Type == contract.String || p.Type == contract.Duration:
			in[p.Name] = p.Example
		default:
			in[p.Name] = json.RawMessage(p.Example)
		}
	}
	return in
}

// Given has the world begin anew after what happened before, as a fixture file lists
// it.
func (w *World) Given(t testing.TB, list string) {
	t.Helper()
	if err := w.TryGiven(t, list); err != nil {
		t.Fatal(err)
	}
}

// TryGiven is Given for what may be refused.
func (w *World) TryGiven(t testing.TB, list string) (err error) {
	t.Helper()
	defer func() { checkWorded(t, err) }()
	givens, err := fixture.ReadGivens(w.API, []byte(list))
	if err != nil {
		return err
	}
	w.Registry.UpdateFixtures(func(f *fixture.Fixture) *fixture.Fixture {
		newest := *f
		newest.Givens = givens
		return &newest
	})
	return w.Sandbox.Reset(sandbox.State)
}

// Outcome makes a call by the examples of its rows with in laid over them, and returns
// its outcome. credentials are laid over those of the world's first account.
func (w *World) Outcome(t testing.TB, name string, in, credentials contract.Values) string {
	t.Helper()
	op := w.API.Operation(name)
	values, own := contract.Sample(op.Params), w.Credentials(t)
	maps.Copy(values, in)
	if own == nil {
		own = contract.Values{}
	}
	maps.Copy(own, credentials)
	r, err := w.API.Sign(contract.Draft{Operation: op, In: values, Host: "api.example", Credentials: own, Now: w.Sandbox.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return w.Glance(t, HTTP(r)).Outcome
}

// save returns the whole world as JSON.
func (w *World) save(t testing.TB) string {
	t.Helper()
	world, _, err := w.Sandbox.World(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(world, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// load puts back what save returned.
func (w *World) load(t testing.TB, text string) {
	t.Helper()
	var world sandbox.World
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&world); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Sandbox.Restore(&world, w.find); err != nil {
		t.Fatal(err)
	}
}

// usesCredentials begins with nothing but the credentials that serve --credentials
// reads from the environment. They are then those of the first account.
func usesCredentials(t *testing.T, api *contract.API) {
	given := New(t, api, Setting{}).Credentials(t)
	got := New(t, api, Setting{Fixture: "empty", Credentials: given}).Credentials(t)
	for _, c := range api.Credentials {
		if c.Env != "" && got[c.Name] != given[c.Name] {
			t.Errorf("%s was given as %v and is %v; State has to add an account with Seed.Credentials", c.Name, given[c.Name], got[c.Name])
		}
	}
	w := New(t, api, Setting{})
	var held []string
	w.Instance(t).WithState(func(s contract.State) {
		if h, is := s.(contract.SecretHolder); is {
			for place := range h.Secrets() {
				held = append(held, *place)
			}
		}
	})
	for _, c := range api.Credentials {
		if secret := given.Text(c.Name); !c.Identifier && secret != "" && !slices.Contains(held, secret) {
			t.Errorf("%s is a secret and not among State.Secrets; yield where it stands, or say in API.Credentials that it is an Identifier", c.Name)
		}
	}
}
