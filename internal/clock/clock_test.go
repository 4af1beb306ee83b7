package clock_test

import (
	"math"
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

// A scaled clock goes on from where it stood, whatever it did before, and so many
// times as fast.
func TestScale(t *testing.T) {
	wall := noon
	c := clock.New(func() time.Time { return wall }, clock.Setting{})
	scale := func(n float64) {
		t.Helper()
		if err := c.Scale(n); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, want time.Time, scale float64) {
		t.Helper()
		if got := c.Read(); !got.Now.Equal(want) || got.Scale != scale {
			t.Errorf("%s: got %v, want %v at %v", what, got, want, scale)
		}
	}
	check("at first", noon, 1)
	scale(60)
	check("nothing jumps", noon, 60)
	wall = wall.Add(time.Minute)
	check("a minute later", noon.Add(time.Hour), 60)
	if err := c.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	wall = wall.Add(time.Second)
	check("advanced, it keeps its pace", noon.Add(2*time.Hour+time.Minute), 60)
	scale(0.5)
	wall = wall.Add(time.Minute)
	check("slower than the wall clock", noon.Add(2*time.Hour+90*time.Second), 0.5)
	c.Freeze(noon)
	wall = wall.Add(time.Hour)
	check("frozen", noon, 1)
	scale(2)
	wall = wall.Add(time.Second)
	check("a frozen clock goes on from where it stands", noon.Add(2*time.Second), 2)
	c.Follow()
	check("following again", wall, 1)
	scale(clock.MaxScale)
	wall = wall.Add(24 * time.Hour)
	now := c.Now()
	wall = wall.Add(24 * time.Hour)
	if again := c.Now(); now.Year() != 2318 || !again.Equal(now) {
		t.Errorf("got %v and then %v; at most 292 years pass", now, again)
	}
	c.Freeze(time.Date(8999, 12, 31, 23, 59, 59, 0, time.UTC))
	scale(clock.MaxScale)
	wall = wall.Add(time.Hour)
	check("no clock passes the year 8999", time.Date(8999, 12, 31, 23, 59, 59, 0, time.UTC), clock.MaxScale)
	c.Reset()
	check("after a reset", wall, 1)
	for _, n := range []float64{0, -1, math.NaN(), math.Inf(1), clock.MaxScale + 1} {
		if err := c.Scale(n); err == nil {
			t.Errorf("the scale %v was taken", n)
		}
	}
	check("what was refused changes nothing", wall, 1)
}

// Ways that are longer than a Duration can be add up.
func TestAdvanceByCenturies(t *testing.T) {
	wall := noon
	c := clock.New(func() time.Time { return wall }, clock.Setting{})
	const century = 100 * 365 * 24 * time.Hour
	for range 4 {
		if err := c.Advance(century); err != nil {
			t.Fatal(err)
		}
	}
	if want := noon.Add(century).Add(century).Add(century).Add(century); !c.Now().Equal(want) {
		t.Errorf("got %v, want %v", c.Now(), want)
	}
	c.Freeze(time.Date(8999, 12, 31, 23, 0, 0, 0, time.UTC))
	if c.Advance(time.Hour) == nil || c.Advance(century+1) == nil {
		t.Error("the clock was advanced too far")
	}
}

// What lasts as long as anything can be told to last ends at an instant that documents
// can have, and began at one.
func TestInstantsOutOfReach(t *testing.T) {
	const longest = time.Duration(math.MaxInt64)
	for at, good := range map[string]bool{
		"0000-01-01T00:00:00Z": false, "0001-01-01T00:00:00Z": false, "0999-12-31T23:59:59Z": false,
		"1000-01-01T00:00:00Z": true, "8999-12-31T23:59:59Z": true,
		"8999-12-31T23:59:59-01:00": false, "9999-12-31T23:59:59Z": false,
	} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if err := clock.Check(instant); err == nil != good {
			t.Errorf("%s: %v", at, err)
		}
		_, err = clock.New(time.Now, clock.Setting{}).Restore(clock.Reading{Now: instant, Mode: clock.Freeze, Signatures: clock.Wall})
		if err == nil != good {
			t.Errorf("a reading of %s: %v", at, err)
		}
		for _, far := range []time.Time{instant.Add(longest).Add(longest), instant.Add(-longest).Add(-longest)} {
			if _, err := far.MarshalJSON(); good && err != nil {
				t.Errorf("%s: %v", at, err)
			}
		}
	}
}
