package contract

import (
	"strings"
	"testing"
)

func TestShorten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc…"},
		{"a", 0, "…"},
		{"é", 1, "…"},
		{"aéb", 2, "a…"},
		{"aéb", 3, "aé…"},
		{"a😀", 4, "a…"},
		{"😀😀", 7, "😀…"},
		{strings.Repeat("\x80", 20), 10, strings.Repeat("\x80", 6) + "…"}, // no character at all
	} {
		if got := Shorten(c.text, c.most); got != c.want {
			t.Errorf("%q to %d: got %q, want %q", c.text, c.most, got, c.want)
		}
	}
}
