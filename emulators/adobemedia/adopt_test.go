package adobemedia

import (
	"slices"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A player with an organisation and a report suite of its own begins a session and sends its
// events, adopted or not; adopted, its account is listed.
func TestPlayerOfItsOwn(t *testing.T) {
	own := contract.Values{"reportSuite": "shop.rsid", "orgId": "ABCDEF7890ABCDEF12345678@AdobeOrg"}
	w := conformance.Own(t, API, own, []conformance.OwnCall{
		{Operation: "StartSession", Ends: created.Name, Refused: created.Name},
		{Operation: "StartSession", Ends: created.Name, Refused: created.Name},
		{Operation: "SendDownloaded", Ends: downloaded.Name, Refused: downloaded.Name},
	})
	if got := w.AdoptedIDs(t); !slices.Equal(got, []string{"analytics.reportSuite ABCDEF7890ABCDEF12345678@AdobeOrg shop.rsid"}) {
		t.Errorf("adopted %v", got)
	}
	if e := w.Last(t); e.Adopted != nil {
		t.Errorf("a later call adopted %v", e.Adopted)
	}
}

// Names with a blank are not adopted: which part is the organisation would be open. Nor is
// an account twice, however often it comes.
func TestAmbiguousAccount(t *testing.T) {
	w := conformance.New(t, API, conformance.Setting{Unknown: contract.Adopt})
	accounts := func() (n int) {
		w.Instance(t).WithState(func(s contract.State) { n = len(s.(*state).Accounts) })
		return n
	}
	before := accounts()
	for _, own := range []contract.Values{{"reportSuite": "x y", "orgId": "a@AdobeOrg"}, {"reportSuite": "y", "orgId": "a x"}, {"reportSuite": "y ", "orgId": "a"}, {"reportSuite": "y", "orgId": " a"}} {
		for range 3 {
			w.Send(w.RequestOf(t, API.Operation("StartSession"), nil, own))
			if e := w.Last(t); e.Outcome != created.Name || e.Adopted != nil {
				t.Errorf("%v: got %s, %v", own, e.Outcome, e.Adopted)
			}
		}
	}
	if n := accounts(); n != before {
		t.Errorf("there are %d accounts, and %d before", n, before)
	}
	w.Instance(t).WithState(func(s contract.State) {
		st := s.(*state)
		if takeAccount(&contract.Call{State: st}, st.Accounts[0].identifier()) {
			t.Error("an account of the fixture is taken again")
		}
	})
	if _, _, err := w.Sandbox.World(nil); err != nil {
		t.Error(err)
	}
}
