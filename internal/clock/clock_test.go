package clock_test

import (
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestClock(t *testing.T) {
	wall := noon
	c := clock.New(func() time.Time { return wall }, clock.Setting{})
	check := func(what string, want time.Time, mode clock.Mode) {
		t.Helper()
		if got := c.Read(); !got.Now.Equal(want) || got.Mode != mode || !c.Now().Equal(want) {
			t.Errorf("%s: got %v, want %v %s", what, got, want, mode)
		}
	}
	check("at first", noon, clock.Follow)
	if err := c.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	wall = wall.Add(time.Minute)
	check("advanced, it still goes", noon.Add(61*time.Minute), clock.Follow)
	c.Freeze(noon.Add(-time.Hour))
	wall = wall.Add(time.Minute)
	check("frozen earlier", noon.Add(-time.Hour), clock.Freeze)
	if err := c.Advance(time.Minute); err != nil {
		t.Fatal(err)
	}
	check("frozen and advanced", noon.Add(-59*time.Minute), clock.Freeze)
	if now, stamp := c.Times(); !stamp.Equal(wall) || now.Equal(wall) {
		t.Errorf("got %v, %v", now, stamp)
	}
	c.SetSignatures(clock.Sandbox)
	if now, stamp := c.Times(); !stamp.Equal(now) {
		t.Errorf("got %v, %v", now, stamp)
	}
	c.Follow()
	check("following again", wall, clock.Follow)
	for _, d := range []time.Duration{0, -time.Second} {
		if c.Advance(d) == nil {
			t.Errorf("advanced by %s", d)
		}
	}
}

func TestResetGoesBackToTheStart(t *testing.T) {
	c := clock.New(time.Now, clock.Setting{Frozen: noon, Signatures: clock.Sandbox})
	c.Follow()
	c.SetSignatures(clock.Wall)
	c.Reset()
	if got := c.Read(); !got.Now.Equal(noon) || got.Signatures != clock.Sandbox || got.Mode != clock.Freeze {
		t.Errorf("got %v", got)
	}
}
