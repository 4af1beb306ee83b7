package adobemedia

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
)

// 100,000 open sessions in one sandbox, each opened with the documented body,
// take less than 120 MiB, the journal included.
func TestMemoryOfOpenSessions(t *testing.T) { // not parallel: the heap is measured
	const sessions, most = 100_000, 120 << 20
	before := heap()
	w := frozenWorld(t)
	for range sessions {
		newSessionID(t, w)
	}
	grown := heap() - before
	var open int
	(&client{w, t}).withState(func(st *state) { open = len(st.sessions) })
	if open != sessions || grown > most {
		t.Errorf("%d sessions take %d MiB, want %d in at most %d", open, grown>>20, sessions, most>>20)
	}
	t.Logf("%d sessions take %.1f MiB", open, float64(grown)/(1<<20))
	runtime.KeepAlive(w)
}

// heap returns the allocated bytes of the program.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The number of sessions is limited: the oldest closed session is deleted first,
// then the oldest. Later calls delete forgotten sessions.
func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	first, ended := s.start(sessionStartBody("", "")), s.start(sessionStartBody("", ""))
	s.event(ended, 204, eventBody("sessionEnd", ""))
	s.withState(func(st *state) {
		for i := range maxSessions - 2 { // as if they had been opened in a row
			one := *st.Sessions[0]
			one.ID = newFake(i)
			one.Start.Raw = nil
			st.Sessions = append(st.Sessions, &one)
			st.sessions[one.ID] = &one
		}
	})
	second := s.start(sessionStartBody("", ""))
	s.withState(func(st *state) {
		if len(st.Sessions) != maxSessions-maxSessions/16+1 || len(st.sessions) != len(st.Sessions) {
			t.Errorf("%d sessions are left", len(st.Sessions))
		}
		if st.session(strings.Split(ended, "/")[4]) != nil || st.session(strings.Split(first, "/")[4]) != nil || st.Sessions[0].ID != newFake(maxSessions/16-2) {
			t.Error("sessions other than the oldest were deleted")
		}
	})
	s.event(second, 204, eventBody("ping", ""))
	s.event(ended, 404, eventBody("ping", ""))

	s.advance(26 * time.Hour)
	for range maxSessions/maxSweep + 1 {
		s.start(sessionStartBody("", ""))
	}
	s.withState(func(st *state) {
		if len(st.Sessions) != maxSessions/maxSweep+1 || len(st.sessions) != len(st.Sessions) {
			t.Errorf("%d sessions are left after a day", len(st.Sessions))
		}
	})
}

func newFake(i int) string {
	const digits = "0123456789abcdef"
	id := []byte(strings.Repeat("0", 64))
	for at := 0; i > 0; at++ {
		id[at] = digits[i%16]
		i /= 16
	}
	return string(id)
}
