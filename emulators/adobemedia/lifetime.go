package adobemedia

import (
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// What closes a session. A sessionEnd is told by its own name.
const (
	notClosed  = ""
	byIdle     = "idle"
	byStall    = "stalled"
	byAge      = "old"
	byScenario = "scenario"
	byDownload = "download"
)

// stallGrace is how much longer than the documented 30 minutes a playhead may
// stand: SDKs send sessionEnd at just that moment, and it is taken.
const stallGrace = 5 * time.Second

// limits are the switches that say how long a session lasts, in milliseconds.
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

// touch takes an event: by it the session lives on.
func (s *session) recordEvent(now int64, in contract.Values) {
	s.Last = now
	s.Received++
	playhead, _ := playheadOf(in)
	if playhead != s.Playhead || s.Received == 1 {
		s.Playhead, s.Moved = playhead, now
	}
}

// closed says what has closed the session and when. Of several timers that ran
// out the first counts.
func (s *session) closedBy(now int64, l limits) (by string, at int64) {
	if s.EndedBy != notClosed {
		return s.EndedBy, s.Ended
	}
	for _, timer := range [...]struct {
		by string
		at int64 // the first instant at which it has run out
	}{
		{byIdle, s.Last + l.idle},
		{byStall, s.Moved + l.stall + stallGrace.Milliseconds()},
		{byAge, s.Created + l.age + 1}, // the SDKs' sessionEnd comes after exactly 24 hours
	} {
		if now >= timer.at && (by == notClosed || timer.at < at) {
			by, at = timer.by, timer.at
		}
	}
	return by, at
}

// lost reports whether nothing remembers the session any more.
func (s *session) isForgotten(now int64, l limits) bool {
	return s.Forgotten || now > s.Created+max(l.tombstone, l.age)
}
