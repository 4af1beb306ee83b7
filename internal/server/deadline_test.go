package server

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// A deadlineCounter counts how often the deadline of reads is set.
type deadlineCounter struct {
	net.Conn
	sets int
}

func (c *deadlineCounter) SetReadDeadline(t time.Time) error {
	c.sets++
	return c.Conn.SetReadDeadline(t)
}

// A read ends at the deadline that counts when it ends, whatever was set before it and
// meanwhile.
func TestLateDeadlines(t *testing.T) {
	t.Parallel()
	const forever = time.Duration(-1)
	for name, one := range map[string]struct {
		before []time.Duration // deadlines from the start; forever: none
		during []time.Duration // set one second after the read began
		want   time.Duration   // when the read fails; forever: it gets the byte of the tenth minute
	}{
		"none":                                  {want: forever},
		"one":                                   {before: []time.Duration{time.Minute}, want: time.Minute},
		"earlier, lifted":                       {before: []time.Duration{time.Minute, forever}, want: forever},
		"later after that":                      {before: []time.Duration{time.Minute, 2 * time.Minute}, want: 2 * time.Minute},
		"earlier after that":                    {before: []time.Duration{2 * time.Minute, time.Minute}, want: time.Minute},
		"over":                                  {before: []time.Duration{-time.Minute}, want: 0},
		"hastened":                              {before: []time.Duration{time.Minute}, during: []time.Duration{2 * time.Second}, want: 2 * time.Second},
		"cut off":                               {during: []time.Duration{-time.Minute}, want: time.Second},
		"cut off, and lifted before it is seen": {during: []time.Duration{-time.Minute, forever}, want: forever},
		"lifted meanwhile":                      {before: []time.Duration{time.Minute}, during: []time.Duration{forever}, want: forever},
		"prolonged meanwhile":                   {before: []time.Duration{time.Minute}, during: []time.Duration{3 * time.Minute}, want: 3 * time.Minute},
		"prolonged meanwhile, and then less of that": {before: []time.Duration{time.Minute}, during: []time.Duration{3 * time.Minute, 2 * time.Minute}, want: 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				defer far.Close()
				c := &lateConn{Conn: near}
				defer c.Close()
				start := time.Now()
				set := func(all []time.Duration) {
					for _, d := range all {
						var at time.Time
						if d != forever {
							at = start.Add(d)
						}
						if err := c.SetReadDeadline(at); err != nil {
							t.Error(err)
						}
					}
				}
				// What an earlier read had set.
				set([]time.Duration{30 * time.Second})
				go func() { _, _ = far.Write([]byte("x")) }()
				if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
				set([]time.Duration{forever})
				set(one.before)
				time.AfterFunc(time.Second, func() { set(one.during) })
				time.AfterFunc(10*time.Minute, func() { _, _ = far.Write([]byte("x")) })
				n, err := c.Read(make([]byte, 1))
				took := time.Since(start)
				if one.want == forever {
					if n != 1 || err != nil || took != 10*time.Minute {
						t.Errorf("got %d, %v after %s, want a byte after 10m", n, err, took)
					}
					return
				}
				if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || took != max(one.want, 0) {
					t.Errorf("got %d, %v after %s, want the deadline's error after %s", n, err, took, one.want)
				}
			})
		})
	}
}

// Reads that find their bytes set no deadline but the first.
func TestDeadlinesAreSetLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		below := &deadlineCounter{Conn: near}
		c := &lateConn{Conn: below}
		defer c.Close()
		for range 100 {
			_ = c.SetReadDeadline(time.Now().Add(2 * time.Minute))
			go func() { _, _ = far.Write([]byte("x")) }()
			if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			_ = c.SetReadDeadline(time.Time{})
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			_ = c.SetReadDeadline(time.Time{})
		}
		if below.sets > 1 {
			t.Errorf("the deadline was set %d times for 100 reads that found their byte", below.sets)
		}
	})
}
