// Package clock is the time of a sandbox.
//
// Nothing here ticks: no goroutine waits and no timer fires. State is judged
// when it is looked at, so moving the clock is only ever an addition.
package clock

import (
	"fmt"
	"sync"
	"time"
)

// A Clock follows the wall clock until it is moved or frozen.
type Clock struct {
	mu      sync.Mutex
	wall    func() time.Time
	start   Setting
	setting Setting
}

// A Setting is how a clock stands.
type Setting struct {
	Frozen     time.Time     // the instant it stands at; zero: it follows the wall clock
	Offset     time.Duration // how far it was advanced
	Signatures Signatures
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
	Follow Mode = "follow" // it goes as the wall clock goes
	Freeze Mode = "freeze" // it stands
)

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

func (s Setting) at(wall time.Time) time.Time {
	if !s.Frozen.IsZero() {
		return s.Frozen.Add(s.Offset)
	}
	return wall.Add(s.Offset)
}

// Advance moves the clock forward by d, which is positive.
func (c *Clock) Advance(d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("advance is %s; a positive duration was expected: to go back, freeze the clock at an earlier instant", d)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setting.Offset += d
	return nil
}

// Freeze stops the clock at t, which may be earlier than now.
func (c *Clock) Freeze(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setting.Frozen, c.setting.Offset = t, 0
}

// Follow lets the clock go with the wall clock again.
func (c *Clock) Follow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setting.Frozen, c.setting.Offset = time.Time{}, 0
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
	Signatures Signatures `json:"signatures"`
}

// Read returns the time and the clock's mode.
func (c *Clock) Read() Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Reading{Now: c.setting.at(c.wall()).UTC(), Mode: Follow, Signatures: c.setting.Signatures}
	if !c.setting.Frozen.IsZero() {
		r.Mode = Freeze
	}
	return r
}
