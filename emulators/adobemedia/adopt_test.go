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
