package polyv

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// decoded is a world of a fixture's text.
func decoded(text string, seed contract.Seed) (*state, error) {
	seed.Dice = contract.NewDice(&countingSource{})
	seed.Decode = func(into any) error { return yaml.Unmarshal([]byte(text), into) }
	made, err := API.State(seed)
	if err != nil {
		return nil, err
	}
	return made.(*state), nil
}

// A document that contradicts itself is refused, whether it is a fixture or a
// snapshot.
func TestRefusedWorlds(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct{ text, want string }{
		"an appId twice":        {"applications: [{appId: a, appSecret: s, userId: u}, {appId: a, appSecret: t, userId: u}]", `the appId "a" is empty or stands twice`},
		"a channel twice":       {`channels: [{channelId: "1", userId: u}, {channelId: "1", userId: u}]`, `the channel "1" stands twice`},
		"a channel's name":      {"channels: [{channelId: lesson, userId: u}]", "lesson: the id is no number"},
		"a channel below zero":  {`channels: [{channelId: "-5", userId: u}]`, "the id is no number"},
		"a huge channel":        {`channels: [{channelId: "99999999999999999999", userId: u}]`, "the id is no number"},
		"a session twice":       {`channels: [{channelId: "1", userId: u, sessions: [{sessionId: a, startTime: 1, endTime: 2}]}, {channelId: "2", userId: u, sessions: [{sessionId: a, startTime: 1, endTime: 2}]}]`, `the session "a" stands twice`},
		"a session without id":  {`channels: [{channelId: "1", userId: u, sessions: [{startTime: 1, endTime: 2}]}]`, "session 0 has no id"},
		"an end before a start": {`channels: [{channelId: "1", userId: u, sessions: [{sessionId: a, startTime: 3, endTime: 2}]}]`, `the session "a" ended before it started`},
		"two live sessions":     {`channels: [{channelId: "1", userId: u, sessions: [{sessionId: a, startTime: 1}, {sessionId: b, startTime: 2}]}]`, `the sessions "a" and "b" are both live`},
		"a further live one":    {`channels: [{channelId: "1", userId: u, sessions: [{sessionId: a, startTime: 1}], generate: {count: 2, days: 5, live: true}}]`, `the session "a" is live already`},
		"too many":              {`channels: [{channelId: "1", userId: u, generate: {count: 100000, days: 1}}]`, "100000 sessions are too many for 1 days"},
		"no day":                {`channels: [{channelId: "1", userId: u, generate: {count: 1, days: 1, not_before: soon}}]`, `not_before is "soon"`},
		"no address":            {`channels: [{channelId: "1", userId: u, callback_url: "ftp://example.com"}]`, `"ftp://example.com" is no address`},
		"half an address":       {`channels: [{channelId: "1", userId: u, callback_url: "http:///hook"}]`, `"http:///hook" is no address`},
	} {
		if _, err := decoded(v.text, contract.Seed{Now: pageDay}); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: got %v, want %s", name, err, v.want)
		}
	}
	if _, err := decoded("", contract.Seed{Now: pageDay, Switches: contract.Values{"callback_url": "hook"}}); err == nil || !strings.Contains(err.Error(), `callback_url: "hook" is no address`) {
		t.Errorf("a switch that holds no address: got %v", err)
	}
	for name, v := range map[string]struct{ document, want string }{
		"sessions out of order": {`{"channels":{"1":{"id":"1","sessions":[{"id":"b","start":2,"end":3},{"id":"a","start":1,"end":2}]}}}`, `the session "a" started before the one that stands before it`},
		"another's place":       {`{"channels":{"1":{"id":"2","sessions":[]}}}`, `what stands under "1" is another channel or none`},
		"no channel":            {`{"channels":{"1":null}}`, `what stands under "1" is another channel or none`},
		"no session":            {`{"channels":{"1":{"id":"1","sessions":[null]}}}`, "session 0 has no id"},
		"more than are kept":    {`{"channels":{"1":{"id":"1","sessions":[` + strings.Repeat("null,", maxSessions) + `null]}}}`, "are more than the 100000"},
	} {
		st := &state{}
		if err := json.Unmarshal([]byte(v.document), st); err != nil {
			t.Fatal(err)
		}
		if err := st.Reindex(); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: got %v, want %s", name, err, v.want)
		}
	}
}

// A channel keeps so many sessions: the oldest gives way to a new one, also
// where lists of external ids hold it.
func TestOldestGivesWay(t *testing.T) {
	t.Parallel()
	st, err := decoded(`channels: [{channelId: "1", userId: u, externalSessionId: x}]`, contract.Seed{Now: pageDay})
	if err != nil {
		t.Fatal(err)
	}
	ch, dice := st.Channels["1"], contract.NewDice(&countingSource{})
	var first, last *session
	for i := range maxSessions + 5 {
		s := st.start(ch, pageDay.Add(time.Duration(i)*time.Second), dice)
		st.stop(ch, pageDay.Add(time.Duration(i)*time.Second), dice)
		if i == 4 {
			first = s
		}
		last = s
	}
	if n := len(ch.Sessions); n != maxSessions || len(st.sessions) != n || len(ch.bound["x"]) != n {
		t.Errorf("got %d sessions, %d by id and %d by external id", n, len(st.sessions), len(ch.bound["x"]))
	}
	if st.sessions[first.ID] != nil || ch.Sessions[len(ch.Sessions)-1] != last || slices.Contains(ch.Sessions, first) {
		t.Error("it was not the oldest that gave way")
	}
	for _, s := range slices.Clone(ch.Sessions) {
		st.remove(s)
	}
	if len(ch.Sessions) != 0 || len(st.sessions) != 0 || len(ch.bound) != 0 {
		t.Errorf("what is left: %d, %d, %d", len(ch.Sessions), len(st.sessions), len(ch.bound))
	}
}

// Sessions are kept in the order of their starts, also where the sandbox's
// clock was put back, or several start in one second.
func TestOrder(t *testing.T) {
	t.Parallel()
	st, err := decoded(`channels: [{channelId: "1", userId: u, externalSessionId: x}]`, contract.Seed{Now: pageDay})
	if err != nil {
		t.Fatal(err)
	}
	ch, dice := st.Channels["1"], contract.NewDice(&countingSource{})
	for i, at := range []time.Duration{0, 0, 0, time.Hour, time.Minute, -time.Hour, 2 * time.Hour} {
		s := st.start(ch, pageDay.Add(at), dice)
		if ch.live != s || s.End != 0 {
			t.Errorf("session %d is not live", i)
		}
		st.stop(ch, pageDay.Add(at), dice)
		if s.End < s.Start {
			t.Errorf("session %d ended before it started", i)
		}
	}
	if !slices.IsSortedFunc(ch.Sessions, compareSessions) || !slices.IsSortedFunc(ch.bound["x"], compareSessions) || len(ch.Sessions) != 7 {
		t.Errorf("the order is lost: %v", ch.Sessions)
	}
	if err := st.Reindex(); err != nil {
		t.Error(err)
	}
}

// The id of a session is the microsecond at which its stream was connected: two
// to four seconds before it starts, in base 36.
func TestMint(t *testing.T) {
	t.Parallel()
	st := &state{sessions: map[string]*session{}}
	dice := contract.NewDice(&countingSource{})
	for range 1000 {
		id := st.newSessionID(pageDay.UnixMilli(), dice)
		if st.sessions[id] != nil || len(id) != 10 || id != strings.ToLower(id) {
			t.Fatalf("got %s", id)
		}
		st.sessions[id] = &session{}
	}
	// The same throw gives the next free id.
	first := st.newSessionID(1652062574000, contract.NewDice(&countingSource{}))
	st.sessions[first] = &session{}
	if second := st.newSessionID(1652062574000, contract.NewDice(&countingSource{})); second == first || second[:9] != first[:9] {
		t.Errorf("got %s after %s", second, first)
	}
}

// What is derived of a channel follows its sessions and the clock.
func TestDerive(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{Clock: pageDay})
	withState(t, w, func(s *state) {
		live := s.start(s.Channels["2272657"], pageDay, contract.NewDice(&countingSource{}))
		for at, want := range map[time.Time][]string{
			pageDay: {
				`"2272655":{"status":"end","sessions":4,"listed":4}`, `"2272657":{"status":"live","live":"` + live.ID + `","sessions":1,"listed":1}`,
				`"2614940":{"status":"playback","sessions":0,"listed":0}`, `"2624138":{"status":"unStart","sessions":0,"listed":0}`,
			},
			pageDay.Add(maxSpan): {`"2272655":{"status":"end","sessions":4,"listed":0}`},
		} {
			derived, err := json.Marshal(s.Derive(at, w.Instance(t).Switches()))
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range want {
				if !strings.Contains(string(derived), text) {
					t.Errorf("at %s: got %s, want %s", at, derived, text)
				}
			}
		}
	})
}

// Further credentials are of the first account, and may name it otherwise.
func TestFurtherCredentials(t *testing.T) {
	t.Parallel()
	own := contract.Values{"appId": "mine", "appSecret": "secret", "userId": "me"}
	const text = `{applications: [{appId: a, appSecret: s, userId: u}], channels: [{channelId: "1", userId: u}]}`
	st, err := decoded(text, contract.Seed{Now: pageDay, Credentials: []contract.Values{own}})
	if err != nil {
		t.Fatal(err)
	}
	if a, known := st.application("mine"); !known || a != (application{"mine", "secret", "u", "me"}) {
		t.Errorf("got %+v", a)
	}
	if words := slices.Collect(st.Identifiers()); fmt.Sprint(words) != "[a mine]" {
		t.Errorf("got the words %v", words)
	}
	if c := st.Credentials(); c.Text("appId") != "a" || c.Text("userId") != "u" || st.secretOf("u") != "s" || st.secretOf("x") != "" {
		t.Errorf("got %v", c)
	}
	own["appId"] = "a"
	if st, err = decoded(text, contract.Seed{Now: pageDay, Credentials: []contract.Values{own}}); err != nil || len(st.Applications) != 1 || st.Applications[0].AppSecret != "secret" {
		t.Errorf("the documented appId with another secret: %+v, %v", st.Applications, err)
	}
	if st, err = decoded("", contract.Seed{Now: pageDay, Credentials: []contract.Values{own}}); err != nil || st.Applications[0].UserID != "me" {
		t.Errorf("in an empty world: %+v, %v", st.Applications, err)
	}
	if st, err = decoded("", contract.Seed{Now: pageDay}); err != nil || st.Credentials() != nil {
		t.Errorf("nobody has credentials: %v, %v", st.Credentials(), err)
	}
}

// FuzzRestore takes any document for a snapshot: it is refused, or it is the
// state that it describes, and calls can be made in it.
func FuzzRestore(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"applications":[],"channels":{}}`, `{"applications":[{"appId":"a","appSecret":"s","userId":"1b448be323"}],"channels":{"1":{"id":"1","name":"n","userId":"1b448be323","sessions":[{"id":"a","start":1,"end":2,"customId":"x","views":{}},{"id":"b","start":2}]}}}`,
		`{"channels":{"1":null}}`, `{"channels":{"2272655":{"id":"2272655","userId":"1b448be323","sessions":[{"id":"a","start":-9223372036854775808,"end":9223372036854775807}]}}}`,
	} {
		f.Add(seed)
	}
	api, latest := recordOutcomes()
	f.Fuzz(func(t *testing.T, document string) {
		s := &state{}
		if wire.ReadSaved([]byte(document), s) != nil || s.Reindex() != nil {
			return
		}
		once, err := wire.Saved(s)
		if err != nil {
			t.Fatal(err)
		}
		w := conformance.New(t, api, conformance.Setting{Clock: pageDay, Auth: contract.Off})
		if err := w.Instance(t).Restore(once); err != nil {
			t.Fatalf("the snapshot %s is refused: %v", once, err)
		}
		for _, op := range API.Operations {
			w.Send(newRequest(op.Method, strings.ReplaceAll(op.Path, "{channelId}", "2272655"),
				"channelId=2272655&channelIds=2272655&sessionId=a&sessionIds=a,b&externalSessionId=x&userId=1b448be323", ""))
			e := w.Last(t)
			if e.Operation != op.Name || e.Outcome != latest().Name || API.Outcome(op, e.Outcome) != latest() {
				t.Fatalf("%s ended in %s of %s", op.Name, e.Outcome, e.Operation)
			}
		}
		withState(t, w, func(s *state) {
			if err := s.Reindex(); err != nil {
				t.Fatalf("after the calls: %v", err)
			}
		})
	})
}

// The index of what an account's channels have sent says what looking through
// all of them says, whatever begins, ends, gives way and is restored.
func TestAccountIndex(t *testing.T) {
	t.Parallel()
	st, err := decoded(`
channels:
  - {channelId: "1", userId: u, sessions: [{sessionId: a, startTime: 1652400000000, endTime: 1652410000000}], generate: {count: 20, days: 1}}
  - {channelId: "2", userId: u, generate: {count: 20, days: 1, live: true}}
  - {channelId: "3", userId: other, generate: {count: 20, days: 1}}`, contract.Seed{Now: pageDay})
	if err != nil {
		t.Fatal(err)
	}
	dice := contract.NewDice(&countingSource{})
	check := func(when string) {
		t.Helper()
		all := map[string][]*session{}
		for _, ch := range st.Channels {
			for _, s := range ch.Sessions {
				if s.End != 0 {
					all[ch.UserID] = append(all[ch.UserID], s)
				}
			}
		}
		for _, list := range all {
			slices.SortFunc(list, compareSessions)
		}
		if !maps.EqualFunc(st.over, all, slices.Equal) {
			t.Errorf("%s: got %v, want %v", when, st.over, all)
		}
	}
	check("at first")
	now := pageDay
	for i := range 200 {
		now = now.Add(time.Duration(randomBelow(dice, 600)-100) * time.Second) // at times backward
		ch := st.Channels[strconv.Itoa(1+i%3)]
		switch {
		case ch.live != nil:
			st.stop(ch, now, dice)
		case i%7 == 0 && len(ch.Sessions) > 0:
			st.remove(ch.Sessions[randomBelow(dice, int64(len(ch.Sessions)))])
		default:
			st.start(ch, now, dice)
		}
		check(fmt.Sprint("after step ", i))
		span := window{to: now.UnixMilli() - randomBelow(dice, 36*3_600_000)}
		span.from = span.to - randomBelow(dice, day.Milliseconds())
		want := slices.DeleteFunc(slices.Clone(started(st.over["u"], span)), func(s *session) bool { return s.End > span.to })
		if before, late := st.endedWithin("u", span); !slices.Equal(slices.Concat(before, late), want) {
			t.Errorf("after step %d: within %v got %v and %v, want %v", i, span, before, late, want)
		}
	}
	if err := st.Reindex(); err != nil {
		t.Fatal(err)
	}
	check("restored")
	for _, ch := range st.Channels {
		for len(ch.Sessions) > 0 {
			st.remove(ch.Sessions[len(ch.Sessions)-1])
		}
	}
	if len(st.over) != 0 {
		t.Errorf("what is left: %v", st.over)
	}
}

// As many addresses are remembered as the bound says; those go first whose
// block is over.
func TestBlockedBound(t *testing.T) {
	t.Parallel()
	withState(t, conformance.New(t, API, conformance.Setting{Clock: pageDay}), func(s *state) {
		for i := range maxBlocked {
			until := pageDay
			if i%2 == 0 {
				until = pageDay.Add(time.Minute)
			}
			s.block(strconv.Itoa(i), until, pageDay)
		}
		s.block("new", pageDay.Add(time.Minute), pageDay)
		if len(s.blocked) != maxBlocked/2+1 {
			t.Errorf("%d addresses are blocked", len(s.blocked))
		}
		for i := range 3 * maxBlocked {
			if s.block("more "+strconv.Itoa(i), pageDay.Add(time.Minute), pageDay); len(s.blocked) > maxBlocked {
				t.Fatalf("%d addresses are blocked", len(s.blocked))
			}
		}
	})
}
