package conformance

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// adopts checks that an API takes in the identifiers that its Adopts lists, and no others:
// each is known from then on, survives a snapshot, and is known without adoption in a world
// that begins with the saved fixture. An API without Adopts has none.
func adopts(t *testing.T, api *contract.API) {
	for _, fault := range adoptionFaults(t, api) {
		t.Error(fault)
	}
}

func adoptionFaults(t *testing.T, api *contract.API) (faults []string) {
	t.Helper()
	seen := map[string]bool{}
	for i := range api.Adopts {
		row := &api.Adopts[i]
		if row.What == "" || row.Doc == "" || row.Take == nil || row.Rows == nil || api.Such(row) == "" || seen[row.What] {
			faults = append(faults, fmt.Sprintf("Adopts: the row %q lacks What, Doc, Take, Rows or an Example, or stands twice", row.What))
			continue
		}
		seen[row.What] = true
		faults = append(faults, rowFaults(t, api, row)...)
	}
	if len(api.Adopts) > 0 && faults == nil {
		faults = append(faults, checkFaults(t, api)...)
	}
	return faults
}

// rowFaults adopts an identifier by a row alone, as a check would.
func rowFaults(t *testing.T, api *contract.API, row *contract.Adoptable) (faults []string) {
	t.Helper()
	add := func(format string, args ...any) {
		faults = append(faults, "Adopts: "+row.What+": "+fmt.Sprintf(format, args...))
	}
	w := New(t, api, Setting{Unknown: contract.Adopt, Auth: contract.Presence})
	i, id := w.Instance(t), strangeID(api, row)
	var refusal string
	var listed bool
	i.WithState(func(s contract.State) {
		_, refusal = i.Adopt(&contract.Call{API: api, In: everySample(api), State: s, Switches: i.Switches(), Now: Noon, Runtime: adopting{}}, row.What, id)
		for known := range s.Identifiers() {
			listed = listed || known == id
		}
	})
	if refusal != "" {
		add("%q is not adopted in the world of the fixture default: %s", id, refusal)
		return faults
	}
	if listed != row.Routes {
		add("Routes is %t, and that the state's Identifiers lists it is %t", row.Routes, listed)
	}
	rows := i.AdoptedRows()
	if len(rows) != 1 {
		add("Rows returns nothing for what was just adopted")
		return faults
	}
	text, err := i.Fixture().Save(api, "saved", rows)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := fixture.Parse("saved", text, []*contract.API{api})
	if err != nil {
		add("the fixture with its Rows cannot be read: %v\n%s", err, text)
		return faults
	}
	again := New(t, api, Setting{}).Instance(t)
	if err := again.Load(saved); err != nil {
		add("no state can be made of the fixture with its Rows: %v\n%s", err, text)
		return faults
	}
	again.WithState(func(s contract.State) {
		if got := row.Rows(s, row.ShownAs(id)); !reflect.DeepEqual(got, rows[0]) {
			add("in a world with the saved fixture, Rows returns %v; %v was saved", got, rows[0])
		}
	})
	document, err := i.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Restore(document); err != nil {
		add("a snapshot after it cannot be restored: %v", err)
	}
	return faults
}

// checkFaults sends every documented example with identifiers of the client's own in the
// place of those that are documented.
func checkFaults(t *testing.T, api *contract.API) (faults []string) {
	t.Helper()
	brought := false
	for _, op := range api.Operations {
		documented := New(t, api, Setting{Auth: contract.Presence})
		known, in := documented.Credentials(t), contract.Sample(op.Params)
		documented.Send(documented.Request(t, op, in))
		ownIn, own := strange(api, in).(contract.Values), strange(api, known).(contract.Values)
		if reflect.DeepEqual(ownIn, in) && reflect.DeepEqual(own, known) {
			continue
		}
		w := New(t, api, Setting{Auth: contract.Presence, Unknown: contract.Adopt})
		send := func() *http.Request { return w.RequestOf(t, op, ownIn, own) }
		w.Send(send())
		first, adopted := w.Last(t), w.Instance(t).Adopted()
		brought = brought || len(adopted) > 0
		if len(first.Adopted) != len(adopted) {
			faults = append(faults, fmt.Sprintf("%s: the journal has %v as adopted, the sandbox %v", op.Name, first.Adopted, adopted))
		}
		w.Send(send())
		if again := w.Instance(t).Adopted(); !slices.Equal(again, adopted) || w.Last(t).Adopted != nil {
			faults = append(faults, fmt.Sprintf("%s: a second call like the first adopts again: %v, %v", op.Name, adopted, again))
		}
		faults = append(faults, lastingFaults(t, w, op, adopted)...)
		refusing := New(t, api, Setting{Auth: contract.Presence})
		refusing.Send(refusing.RequestOf(t, op, ownIn, own))
		want, refused := documented.Last(t).Outcome, refusing.Last(t).Outcome
		if !api.Outcome(op, want).Fails && first.Outcome == refused && refused != want {
			faults = append(faults, fmt.Sprintf("%s with identifiers of the client's own ends in %s with and without adoption, where the documented ones end in %s; have a check adopt them: %v %v", op.Name, refused, want, ownIn, own))
		}
		if got := refusing.Instance(t).Adopted(); got != nil || refusing.Last(t).Adopted != nil {
			faults = append(faults, fmt.Sprintf("%s adopts %v where unknown is refuse", op.Name, got))
		}
		faults = append(faults, togetherFaults(t, api, op, ownIn, own, adopted)...)
	}
	if !brought {
		faults = append(faults, "no documented example has an identifier adopted; Adopts names them as credentials and parameters do, and checks ask for them by Call.Adopt")
	}
	return faults
}

// lastingFaults checks that a snapshot has what was adopted, and that a reset forgets it.
func lastingFaults(t *testing.T, w *World, op *contract.Operation, adopted []sandbox.Adopted) (faults []string) {
	t.Helper()
	world, _, err := w.Sandbox.World(nil)
	if err == nil {
		err = w.Sandbox.Reset()
	}
	if err != nil {
		t.Fatal(err)
	}
	if left := w.Instance(t).Adopted(); len(left) > 0 {
		faults = append(faults, fmt.Sprintf("%s: after a reset %v counts as adopted", op.Name, left))
	}
	if _, err := w.Sandbox.Restore(world, nil); err != nil {
		faults = append(faults, fmt.Sprintf("%s: a snapshot with what was adopted cannot be restored: %v", op.Name, err))
	}
	if back := w.Instance(t).Adopted(); !slices.Equal(back, adopted) {
		faults = append(faults, fmt.Sprintf("%s: after a snapshot was restored %v counts as adopted, before %v", op.Name, back, adopted))
	}
	return faults
}

// togetherFaults sends the same call from many clients at once.
func togetherFaults(t *testing.T, api *contract.API, op *contract.Operation, in, own contract.Values, adopted []sandbox.Adopted) (faults []string) {
	t.Helper()
	const clients = 8
	w := New(t, api, Setting{Auth: contract.Presence, Unknown: contract.Adopt})
	var requests []*http.Request
	for range clients {
		requests = append(requests, w.RequestOf(t, op, in, own))
	}
	var wait sync.WaitGroup
	for _, r := range requests {
		wait.Go(func() { w.Send(r) })
	}
	wait.Wait()
	if got := w.Instance(t).Adopted(); len(got) != len(adopted) {
		faults = append(faults, fmt.Sprintf("%s from %d clients at once adopts %v, from one %v; look and adopt in one WithState", op.Name, clients, got, adopted))
	}
	return faults
}

// strange puts an identifier of the client's own in the place of each that the API adopts.
func strange(api *contract.API, x any) any {
	v, is := x.(contract.Values)
	if !is {
		return x
	}
	made := contract.Values{}
	for name, inner := range v {
		if row := api.Adoptable(name); row != nil {
			if s, is := inner.(string); is {
				made[name] = another(s)
				continue
			}
		}
		made[name] = strange(api, inner)
	}
	return made
}

// another is a text of the same form: the last letters or digits are others.
func another(s string) string {
	b, left := []byte(s), 4
	for i := len(b) - 1; i >= 0 && left > 0; i-- {
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			b[i] = '0' + (c-'0'+3)%10
		case c >= 'a' && c <= 'z':
			b[i] = 'a' + (c-'a'+5)%26
		case c >= 'A' && c <= 'Z':
			b[i] = 'A' + (c-'A'+5)%26
		default:
			continue
		}
		left--
	}
	return string(b)
}

// strangeID is an identifier of a kind, in the form of the documented one.
func strangeID(api *contract.API, row *contract.Adoptable) string {
	return another(cmp.Or(row.Example, everySample(api).Text(row.What)))
}

// everySample has the sample values of all operations.
func everySample(api *contract.API) contract.Values {
	all := contract.Values{}
	for _, op := range api.Operations {
		for name, x := range contract.Sample(op.Params) {
			if _, has := all[name]; !has {
				all[name] = x
			}
		}
	}
	return all
}

// adopting is the runtime of an adoption without a call.
type adopting struct{ contract.Runtime }

func (adopting) Issue(string)  {}
func (adopting) Forget(string) {}

func (adopting) Dice() *contract.Dice { return contract.NewDice(&counting{}) }

// counting is a source of chance whose values follow from a counter.
type counting struct{ n uint64 }

func (c *counting) Uint64() uint64 { c.n++; return c.n * 0x9e3779b97f4a7c15 }
func (c *counting) Int63() int64   { return int64(c.Uint64() >> 1) }
func (c *counting) Seed(int64)     {}
