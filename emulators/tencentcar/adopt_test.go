package tencentcar

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

// A build with a key, a project and a version of its own makes the documented calls, from a
// reservation to the end of the session.
func TestClientOfItsOwn(t *testing.T) {
	const blob = "eyJhYmMiOjEyM30="
	user := contract.Values{"UserId": "player-1", "UserIp": "125.127.178.228"}
	apply := contract.Values{"UserId": "player-1", "UserIp": "125.127.178.228", "ProjectId": "cap-shop0001", "ApplicationVersionId": "ver-shop"}
	begin := contract.Values{"UserId": "player-1", "UserIp": "125.127.178.228", "ClientSession": blob}
	w := conformance.Own(t, API, contract.Values{"secretId": "AKIDofTheShop", "secretKey": "secret"}, []conformance.OwnCall{
		{Operation: "ApplyConcurrent", In: apply, Ends: success, Refused: "InvalidParameterValue"},
		{Operation: "CreateSession", In: begin, Ends: success, Refused: "FailedOperation.LockTimeout"},
		{Operation: "DescribeConcurrentCount", In: contract.Values{"ProjectId": "cap-shop0001"}, Ends: success, Refused: "InvalidParameterValue"},
		{Operation: "DescribeConcurrentCount", In: contract.Values{"ProjectId": "cap-shop0002"}, Ends: success, Refused: "InvalidParameterValue"},
		{Operation: "StartPublishStream", In: contract.Values{"UserId": "player-1"}, Ends: success},
		{Operation: "StopPublishStream", In: contract.Values{"UserId": "player-1"}, Ends: success},
		{Operation: "DestroySession", In: contract.Values{"UserId": user["UserId"]}, Ends: success},
	})
	want := []string{"SecretId AKIDofTheShop", "ProjectId cap-shop0001", "ApplicationVersionId ver-shop", "ProjectId cap-shop0002"}
	if got := w.AdoptedIDs(t); !slices.Equal(got, want) {
		t.Errorf("adopted %v, want %v", got, want)
	}
}

// A client with a SHARED project of its own brings applications along.
func TestOwnApplication(t *testing.T) {
	w := newWorld(t, conformance.Setting{Auth: contract.Presence, Unknown: contract.Adopt})
	w.withState(func(st *state) { st.Projects[0].ProjectType = "SHARED" })
	in := contract.Values{"UserId": "u", "UserIp": "125.127.178.228", "ProjectId": "cap-shop0001", "ApplicationId": "app-shop"}
	if e := w.call("ApplyConcurrent", in); e.Outcome != success {
		t.Errorf("got %s: %s", e.Outcome, e.Response.Body)
	}
	if got := w.AdoptedIDs(t); !slices.Equal(got, []string{"ProjectId cap-shop0001", "ApplicationId app-shop"}) {
		t.Errorf("adopted %v", got)
	}
	w.withState(func(st *state) {
		if first := st.Projects[0].ApplicationIDs; len(first) != 1 {
			t.Errorf("the first project runs %v too", first)
		}
	})
}

// Where the proof is verified, an adopted SecretId has the first account's secret, and the
// explanation of a refused one says so.
func TestAdoptedSecret(t *testing.T) {
	w := newWorld(t, conformance.Setting{Unknown: contract.Adopt})
	in := contract.Values{"UserId": "cg_user"}
	e, _ := w.serve(w.signedFor(carHost, "AKIDown", "another secret", "DestroySession", in))
	if e.Outcome != "AuthFailure.SignatureFailure" || !strings.Contains(e.Explanation.Text, "The SecretId AKIDown was adopted, and its secret is that of the fixture's first.") ||
		!strings.Contains(e.Explanation.Text, "--auth presence or off") || !strings.Contains(e.Explanation.Text, "--credentials env") {
		t.Errorf("got %s, %+v", e.Outcome, e.Explanation)
	}
	if e, _ = w.serve(w.signedFor(carHost, "AKIDown", docKey, "DestroySession", in)); strings.HasPrefix(e.Outcome, "AuthFailure") {
		t.Errorf("with the first account's secret: got %s", e.Outcome)
	}
	if e, _ = w.serve(w.signedFor(carHost, docID, "another secret", "DestroySession", in)); strings.Contains(e.Explanation.Text, "was adopted") {
		t.Errorf("of a documented key it is told: %s", e.Explanation.Text)
	}
}

// Ids that nobody has are refused as if nothing were adopted.
func TestHostileIDs(t *testing.T) {
	w := newWorld(t, conformance.Setting{Auth: contract.Presence, Unknown: contract.Adopt})
	for _, id := range []string{"cap\x00null", "cap\nline", "cap\u202e", strings.Repeat("x", 10<<10), "cap\x7f"} {
		e := w.call("DescribeConcurrentCount", contract.Values{"ProjectId": id})
		if e.Outcome != "InvalidParameterValue" || !strings.Contains(e.Explanation.Text, "The ProjectId was not adopted: it is ") {
			t.Errorf("%.20q: got %s, %+v", id, e.Outcome, e.Explanation)
		}
	}
	if got := w.AdoptedIDs(t); got != nil {
		t.Errorf("adopted %.200v", got)
	}
}

// An instance adopts a thousand ids, and refuses the others as unknown ones.
func TestManyIDs(t *testing.T) {
	w := newWorld(t, conformance.Setting{Auth: contract.Off, Unknown: contract.Adopt})
	var last journal.Entry
	for n := range 1200 {
		last = w.call("DescribeConcurrentCount", contract.Values{"ProjectId": fmt.Sprintf("cap-%d", n)})
		if n == 0 && last.Outcome != success {
			t.Fatalf("got %s", last.Outcome)
		}
	}
	if last.Outcome != "InvalidParameterValue" || !strings.Contains(last.Explanation.Text, "1000 were adopted already, which is the most") {
		t.Errorf("got %s, %+v", last.Outcome, last.Explanation)
	}
	if n := len(w.AdoptedIDs(t)); n != 1000 {
		t.Errorf("%d are adopted, want 1000", n)
	}
}

// Sixty-four clients that bring the same id at once bring it once.
func TestOneIDAtOnce(t *testing.T) {
	w := newWorld(t, conformance.Setting{Auth: contract.Presence, Unknown: contract.Adopt, Set: map[string]string{"rate_limits": "off"}})
	var wait sync.WaitGroup
	for range 64 {
		r := httpRequest(w.signedFor(carHost, "AKIDown", "x", "DescribeConcurrentCount", contract.Values{"ProjectId": "cap-own"}))
		wait.Go(func() { w.Send(r) })
	}
	wait.Wait()
	if got := w.AdoptedIDs(t); !slices.Equal(got, []string{"SecretId AKIDown", "ProjectId cap-own"}) {
		t.Errorf("adopted %v", got)
	}
}

// An id that is taken in for one project after another counts each time.
func TestPairingsAreBounded(t *testing.T) {
	w := newWorld(t, conformance.Setting{Auth: contract.Off, Unknown: contract.Adopt})
	w.withState(func(st *state) { st.Projects[0].ProjectType = "SHARED" })
	var last journal.Entry
	held := w.Registry.StateLoad().Held
	for n := range 700 {
		last = w.call("ApplyConcurrent", contract.Values{"UserId": "u", "UserIp": "125.127.178.228", "ProjectId": fmt.Sprintf("cap-%d", n), "ApplicationId": "app-shop"})
	}
	if !strings.Contains(last.Explanation.Text, "1000 were adopted already, which is the most") {
		t.Errorf("got %s, %+v", last.Outcome, last.Explanation)
	}
	pairs := 0
	w.withState(func(st *state) {
		for i := range st.Projects {
			if slices.Contains(st.Projects[i].ApplicationIDs, "app-shop") {
				pairs++
			}
		}
	})
	if pairs != 500 {
		t.Errorf("%d projects run the application, want 500", pairs)
	}
	if more := w.Registry.StateLoad().Held - held; more < 1000<<10 {
		t.Errorf("the budget counts %d bytes more", more)
	}
}
