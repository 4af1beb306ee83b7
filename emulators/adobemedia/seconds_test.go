package adobemedia

import (
	"fmt"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
)

// A time that was probably sent in seconds is taken, and noted.
func TestSecondsAreNoted(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	const noted = "playerTime.ts looks like seconds"
	at := func(body, ts string) string { return strings.Replace(body, "1509045324153", ts, 1) }
	for ts, want := range map[string]string{
		"1509045324":    "1509045324; in milliseconds that is 1970-01-18T11:10:45Z",
		"1509045324153": "<nil>", "999999999": "<nil>", "10000000000": "<nil>", "0": "<nil>",
	} {
		events := s.start(at(sessionStartBody("", ""), ts))
		if got, _ := s.Last(t).Notes.Get(noted); fmt.Sprint(got) != want {
			t.Errorf("sessionStart at %s: got the note %v, want %s", ts, got, want)
		}
		s.event(events, 204, at(eventBody("ping", ""), ts))
		if got, _ := s.Last(t).Notes.Get(noted); fmt.Sprint(got) != want {
			t.Errorf("ping at %s: got the note %v, want %s", ts, got, want)
		}
	}
}
