package conformance

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// mints checks the credentials that are a sandbox's own: no two sandboxes have the
// same, the service knows them beside those of the fixture, and they alone lead to
// their sandbox. An API without Mint has none.
func mints(t *testing.T, api *contract.API) {
	for _, fault := range mintFaults(t, api, Setting{}) {
		t.Error(fault)
	}
}

func mintFaults(t *testing.T, api *contract.API, s Setting) (faults []string) {
	t.Helper()
	if api.Mint == nil {
		return nil
	}
	w := newMinted(t, api, s)
	documented, own, other := w.Credentials(t), w.own(t, "one"), w.own(t, "other")
	drawn := 0
	for _, c := range api.Credentials {
		switch x := own[c.Name]; {
		case x == nil || x == documented[c.Name]: // all accounts have it in common
		case x == other[c.Name]:
			faults = append(faults, fmt.Sprintf("Mint made the %s %v for two sandboxes; draw it from the dice", c.Name, x))
		default:
			drawn++
		}
	}
	if drawn == 0 {
		return append(faults, "Mint made no credential of the API's Credentials that only one sandbox has")
	}
	led := false
	for _, op := range api.Operations {
		leads, found := checkMinted(t, api, s, op)
		led = led || leads
		faults = append(faults, found...)
	}
	if !led {
		faults = append(faults, "no documented example that succeeds says by its request who calls; Identifiers has to read there what Mint makes")
	}
	return faults
}

// checkMinted sends the documented example of an operation with minted credentials,
// and reports whether they led to their sandbox. It looks at no example that fails
// with those of the fixture.
func checkMinted(t *testing.T, api *contract.API, s Setting, op *contract.Operation) (led bool, faults []string) {
	t.Helper()
	fails := func(e journal.Entry) bool { return api.Outcome(op, e.Outcome).Fails }
	in := contract.Sample(op.Params)
	w := newMinted(t, api, s)
	known := w.Credentials(t)
	documented := w.signed(t, op, in, known)
	if fails(w.sendTo(t, sandbox.Default, documented)) {
		return false, nil
	}
	if e := w.sendTo(t, "one", documented); fails(e) {
		faults = append(faults, fmt.Sprintf("%s with the credentials of the fixture ends in %s in a sandbox that has some of its own; State has to add to the accounts, and not to replace them", op.Name, e.Outcome))
	}
	w = newMinted(t, api, s)
	own := w.own(t, "one")
	in = exchanged(in, known, own).(contract.Values)
	minted := w.signed(t, op, in, own)
	if e := w.sendTo(t, "one", minted); fails(e) {
		faults = append(faults, fmt.Sprintf("%s with the credentials that Mint made ends in %s; State has to add an account with each of Seed.Credentials", op.Name, e.Outcome))
	}
	if api.Identifiers == nil || reflect.DeepEqual(api.Identifiers(documented), api.Identifiers(minted)) {
		return false, faults // the request does not say who calls
	}
	w = newMinted(t, api, s)
	w.Send(HTTP(w.signed(t, op, in, w.own(t, "one"))))
	if entries, _ := w.Registry.Find("one").Journal.List(journal.Filter{}); len(entries) != 1 || entries[0].FoundBy != "word" {
		faults = append(faults, op.Name+" with the credentials that Mint made did not find their sandbox; the state has to list among its Identifiers what the API's Identifiers read")
	}
	return true, append(faults, loadedFaults(t, api, s, in, op)...)
}

// loadedFaults has a sandbox stand as another one did. Its own credentials go on to lead
// to it and to count.
func loadedFaults(t *testing.T, api *contract.API, s Setting, in contract.Values, op *contract.Operation) []string {
	t.Helper()
	w := newMinted(t, api, s)
	own := w.own(t, "one")
	world, _, err := w.Registry.Find("other").World(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Registry.Find("one").Restore(world, w.find); err != nil {
		t.Fatal(err)
	}
	w.Send(HTTP(w.signed(t, op, in, own)))
	entries, _ := w.Registry.Find("one").Journal.List(journal.Filter{})
	if len(entries) != 1 || entries[0].FoundBy != "word" {
		return []string{op.Name + " with the credentials that Mint made did not find their sandbox once the world of another was loaded; State has to be a contract.Enroller that adds the account"}
	}
	if outcome := entries[0].Outcome; api.Outcome(op, outcome).Fails {
		return []string{fmt.Sprintf("%s with the credentials that Mint made ends in %s once the world of another sandbox was loaded; Enroll has to add an account in the likeness of the first", op.Name, outcome)}
	}
	return nil
}

// A mintedWorld has the sandboxes one and other, with credentials of their own.
type mintedWorld struct{ *World }

func newMinted(t *testing.T, api *contract.API, s Setting) mintedWorld {
	t.Helper()
	w := mintedWorld{New(t, api, s)}
	for _, name := range []string{"one", "other"} {
		origin := w.Registry.Origin()
		origin.Request = "{}"
		if _, _, err := w.Registry.Make(name, origin); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// own returns the credentials that a sandbox alone has.
func (w mintedWorld) own(t *testing.T, box string) contract.Values {
	t.Helper()
	instance, err := w.Registry.Find(box).Instance(w.API)
	if err != nil {
		t.Fatal(err)
	}
	return instance.Credentials()
}

// sendTo sends a request to a sandbox that its header names.
func (w mintedWorld) sendTo(t *testing.T, box string, r *contract.Request) journal.Entry {
	t.Helper()
	q := HTTP(r)
	q.Header = q.Header.Clone()
	q.Header.Set(gateway.SandboxHeader, box)
	w.Send(q)
	entries, _ := w.Registry.Find(box).Journal.List(journal.Filter{Limit: 1})
	if len(entries) == 0 {
		t.Fatalf("the journal of %s is empty; the latest answer was %s", box, w.latest)
	}
	return entries[0]
}

// exchanged has one account's credentials where a value has another's.
func exchanged(x any, from, to contract.Values) any {
	switch v := x.(type) {
	case contract.Values:
		all := contract.Values{}
		for name, inner := range v {
			all[name] = exchanged(inner, from, to)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, inner := range v {
			all[i] = exchanged(inner, from, to)
		}
		return all
	case string:
		for name, value := range from {
			if value == v && to.Has(name) {
				return to[name]
			}
		}
	}
	return x
}
