package adobemedia

import (
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The causes that close a session. A sessionEnd has its own name as the cause.
const (
	notClosed  = ""
	byIdle     = "idle"
	byStall    = "stalled"
	byAge      = "old"
	byScenario = "scenario"
	byDownload = "download"
)

// stallGrace extends the documented 30 minutes of a stalled playhead: SDKs send
// sessionEnd at exactly that moment, and it is accepted.
const stallGrace = 5 * time.Second

// limits are the switches about how long a session lasts, in milliseconds.
type limits struct {
	idle, stall, age, tombstone int64
	drop                        bool
}

func limitsOf(sw contract.Values) limits {
	return limits{
		idle:      sw.Duration("idle_timeout").Milliseconds(),
		stall:     sw.Duration("stall_timeout").Milliseconds(),
		age:       sw.Duration("max_age").Milliseconds(),
		tombstone: sw.Duration("tombstone_ttl").Milliseconds(),
		drop:      sw.Text("closed_policy") == "drop",
	}
}

// recordEvent records an accepted event, which extends the session.
func (s *session) recordEvent(now int64, in contract.Values) {
	s.Last = now
	s.Received++
	playhead, _ := playheadOf(in)
	if playhead != s.Playhead || s.Received == 1 {
		s.Playhead, s.Moved = playhead, now
	}
}

// closedBy returns what closed the session and when. The first of several
// expired timers counts.
func (s *session) closedBy(now int64, l limits) (by string, at int64) {
	if s.EndedBy != notClosed {
		return s.EndedBy, s.Ended
	}
	if by, at = s.firstTimer(l); now < at {
		return notClosed, 0
	}
	return by, at
}

// firstTimer returns the timer that closes the session if no event follows, and the
// first instant at which it has expired.
func (s *session) firstTimer(l limits) (by string, at int64) {
	by, at = byIdle, s.Last+l.idle
	if stalls := s.Moved + l.stall + stallGrace.Milliseconds(); stalls < at {
		by, at = byStall, stalls
	}
	if ages := s.Created + l.age + 1; ages < at { // SDKs send sessionEnd after exactly 24 hours
		by, at = byAge, ages
	}
	return by, at
}

// isForgotten reports whether the session counts as unknown.
func (s *session) isForgotten(now int64, l limits) bool {
	return s.Forgotten || now >= s.forgottenAt(l)
}

// forgottenAt is the first instant at which the session is forgotten.
func (s *session) forgottenAt(l limits) int64 { return s.Created + max(l.tombstone, l.age) + 1 }
