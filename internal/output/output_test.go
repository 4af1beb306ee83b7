package output_test

import (
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/output"
)

// Nothing that is printed steers a terminal: U+009B begins a command there as ESC [ does.
func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                       "plain",
		"lines\n\tand tabs":           "lines\n\tand tabs",
		"\x1b[2J\x7f\r":               `\u001b[2J\u007f\u000d`,
		"a\u0080\u009b\u009f\u00a0é游": "a\\u0080\\u009b\\u009f\u00a0é游",
		"no UTF-8 \x9b1m \xff":        `no UTF-8 \x9b1m \xff`,
		"\ufffd":                      "\ufffd",
	} {
		if got := output.Printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got, want := output.OneLine("a\n b\u009b"), `a b\u009b`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// JSON says the same with every control character escaped.
func TestJSONIsPrintable(t *testing.T) {
	t.Parallel()
	want := "\"\\u001b \\u009b \\u007f é\""
	var b strings.Builder
	if err := output.Indent(&b, []byte("\"\\u001b \u009b \u007f é\"")); err != nil || b.String() != want+"\n" {
		t.Errorf("got %q, %v; want %q", b.String(), err, want)
	}
	if got := output.JSONText("\x1b \u009b \u007f é"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
