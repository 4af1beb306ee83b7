package polyv

import (
	"testing"

	"github.com/understudy-suite/understudy/internal/wire"
)

// Answers that encode themselves are written as their structs say.
func TestAnswersEncodeThemselves(t *testing.T) {
	t.Parallel()
	type asDeclared success4 // without methods
	for _, rows := range []statusRows{{}, {{2272655, "live"}}, {{1, "end"}, {2, `"<&>"`}}} {
		answer := success4{200, "success", "b38b.82.1", rows, true}
		declared := asDeclared(answer)
		declared.Data = []statusRow(rows)
		if got, want := wire.Encode(&answer), wire.Encode(&declared); string(got) != string(want) {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	}
}
