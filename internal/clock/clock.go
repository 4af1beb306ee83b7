// Package clock is the time of a sandbox.
//
// Nothing here ticks: no goroutine waits and no timer fires. State is judged
// when it is looked at, so moving the clock is only ever an addition.
package clock

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// A Clock follows the wall clock until it is moved, frozen or sped up.
type Clock struct {
	mu      sync.Mutex
	wall    func() time.Time
	start   Setting
	setting Setting
}

// A Setting is how a clock stands.
type Setting struct {
	Frozen     time.Time // the instant it stands at; zero: it goes
	Signatures Signatures

	// Where it was moved or sped up, a clock that goes showed base when the wall
	// clock showed since, and has gone at scale times its pace from there.
	// Zero: it shows what the wall clock does.
	base, since time.Time
	scale       float64
}

// Signatures says by which clock callers' timestamps are judged.
type Signatures string

// The clocks for signatures.
const (
	Wall    Signatures = "wall"
	Sandbox Signatures = "sandbox"
)

// Mode is what a clock does by itself.
type Mode string

// The modes of a clock.
const (
	Follow Mode = "follow" // it goes as the wall clock goes, or Scale times as fast
	Freeze Mode = "freeze" // it stands
)

// MaxScale is how many times as fast as the wall clock a clock goes at most: a day
// in less than a tenth of a second.
const MaxScale = 1e6

// furthest is the longest way that a clock is advanced at once, so that no sum of
// times overflows: a hundred years.
const furthest = 100 * 365 * 24 * time.Hour

// No clock shows an instant before first, or after last, where it stops: whatever
// began a few Durations before such an instant, or ends a few after it, does so at one
// that RFC 3339 can write.
var (
	first = time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)
	last  = time.Date(8999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// Check returns what is wrong with an instant that a clock is to show.
func Check(t time.Time) error {
	if t.Before(first) || t.After(last) {
		return fmt.Errorf("%s is out of reach; an instant from the year %d to %d was expected", t.Format(time.RFC3339), first.Year(), last.Year())
	}
	return nil
}

// New returns a clock over wall that stands as start says, and goes back
// there on Reset.
func New(wall func() time.Time, start Setting) *Clock {
	if start.Signatures == "" {
		start.Signatures = Wall
	}
	return &Clock{wall: wall, start: start, setting: start}
}

// Now returns the sandbox's time.
func (c *Clock) Now() time.Time {
	now, _ := c.Times()
	return now
}

// Times returns the sandbox's time and the time by which callers' timestamps are
// judged, taken at one instant.
func (c *Clock) Times() (now, stamp time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := c.wall()
	now = c.setting.at(wall)
	if c.setting.Signatures == Sandbox {
		return now, now
	}
	return now, wall
}

// at returns what the clock shows when the wall clock shows wall.
func (s *Setting) at(wall time.Time) time.Time {
	now := wall
	switch {
	case !s.Frozen.IsZero():
		return s.Frozen
	case !s.base.IsZero():
		now = s.base.Add(times(wall.Round(0).Sub(s.since), s.scale))
	}
	if now.After(last) {
		return last
	}
	return now
}

// times multiplies a length of time. A product that is longer than a Duration can
// be, which is 292 years, is as long as one can be.
func times(d time.Duration, scale float64) time.Duration {
	if scale == 1 {
		return d
	}
	if product := float64(d) * scale; product < math.MaxInt64 {
		return time.Duration(product)
	}
	return math.MaxInt64
}

// Advance moves the clock forward by d, which is positive.
func (c *Clock) Advance(d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("advance is %s; a positive duration was expected: to go back, freeze the clock at an earlier instant", d)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := c.wall()
	to := c.setting.at(wall).Add(min(d, furthest))
	if d > furthest || to.After(last) {
		return fmt.Errorf("advance is %s, which is too far; at most %s at once and no further than the year %d was expected", d, furthest, last.Year())
	}
	if !c.setting.Frozen.IsZero() {
		c.setting.Frozen = to
		return nil
	}
	c.setting.goFrom(to, wall, c.setting.pace())
	return nil
}

// goFrom has the clock go from an instant that it shows when the wall clock shows
// wall.
func (s *Setting) goFrom(base, wall time.Time, scale float64) {
	s.Frozen, s.base, s.since, s.scale = time.Time{}, base.Round(0), wall.Round(0), scale
}

// pace returns how many times as fast as the wall clock the clock goes.
func (s *Setting) pace() float64 {
	if s.base.IsZero() {
		return 1
	}
	return s.scale
}

// Scale has the clock go on from what it shows, and as many times as fast as the
// wall clock as n says, until it is frozen, follows or is reset. A frozen clock
// goes on too.
func (c *Clock) Scale(n float64) error {
	if !validScale(n) {
		return fmt.Errorf("scale is %v; a number greater than 0 and at most %d was expected: 60 lets an hour pass in a minute, 1 is the wall clock's pace, and freeze stops the clock", n, int(MaxScale))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := c.wall()
	c.setting.goFrom(c.setting.at(wall), wall, n)
	return nil
}

func validScale(n float64) bool { return n > 0 && n <= MaxScale } // NaN is neither

// Freeze stops the clock at t, which may be earlier than now, and with which Check finds
// nothing wrong.
func (c *Clock) Freeze(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setting = Setting{Frozen: t, Signatures: c.setting.Signatures}
}

// Follow lets the clock show what the wall clock does again, and go at its pace.
func (c *Clock) Follow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setting = Setting{Signatures: c.setting.Signatures}
}

// SetSignatures sets the clock by which callers' timestamps are judged.
func (c *Clock) SetSignatures(s Signatures) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setting.Signatures = s
}

// Setting returns how the clock stands.
func (c *Clock) Setting() Setting {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.setting
}

// Reset puts the clock back to how it stood at first.
func (c *Clock) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setting = c.start
}

// A Reading is what a clock shows.
type Reading struct {
	Now        time.Time  `json:"now"`
	Mode       Mode       `json:"mode"`
	Scale      float64    `json:"scale"` // how many times as fast as the wall clock it goes; of a frozen clock 1
	Signatures Signatures `json:"signatures"`
}

// Read returns the time and the clock's mode.
func (c *Clock) Read() Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Reading{Now: c.setting.at(c.wall()).UTC(), Mode: Follow, Scale: c.setting.pace(), Signatures: c.setting.Signatures}
	if !c.setting.Frozen.IsZero() {
		r.Mode = Freeze
	}
	return r
}

// Restore checks a reading, and returns what has the clock show it and go on from
// there.
func (c *Clock) Restore(r Reading) (set func(), err error) {
	r.Scale = cmp.Or(r.Scale, 1)
	shown := Check(r.Now)
	switch {
	case r.Mode != Follow && r.Mode != Freeze:
		return nil, fmt.Errorf("its mode is %.40q; %s or %s was expected", r.Mode, Follow, Freeze)
	case r.Signatures != Wall && r.Signatures != Sandbox:
		return nil, fmt.Errorf("signatures is %.40q; %s or %s was expected", r.Signatures, Wall, Sandbox)
	case r.Now.IsZero():
		return nil, errors.New("it shows no instant; now was expected, such as 2026-03-01T12:00:00Z")
	case shown != nil:
		return nil, fmt.Errorf("now: %w", shown)
	case !validScale(r.Scale) || r.Mode == Freeze && r.Scale != 1:
		return nil, fmt.Errorf("its scale is %v; a number greater than 0 and at most %d was expected, of a frozen clock 1", r.Scale, int(MaxScale))
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.setting = Setting{Signatures: r.Signatures}
		if r.Mode == Freeze {
			c.setting.Frozen = r.Now
		} else {
			c.setting.goFrom(r.Now, c.wall(), r.Scale)
		}
	}, nil
}
