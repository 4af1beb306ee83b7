package conformance

import (
	"testing"
	"unicode/utf8"
)

// A Statement is one sentence, row or sample of a document that an emulator is
// held to.
type Statement struct {
	Says   string // in a few words of the document
	Chosen string // of one that contradicts the document itself, a newer page or what was observed: what is done, and why; "": it is answered as it stands
	Holds  func(t *testing.T)
}

// maxQuote is how many characters of a document a statement may quote.
const maxQuote = 90

// Document tests the statements of a document one by one, and logs what was chosen
// where they contradict something.
func Document(t *testing.T, statements []Statement) {
	t.Helper()
	seen := map[string]bool{}
	for _, s := range statements {
		if s.Says == "" || seen[s.Says] || utf8.RuneCountInString(s.Says) > maxQuote {
			t.Errorf("%q is empty, stands twice or is longer than %d characters", s.Says, maxQuote)
		}
		seen[s.Says] = true
		t.Run(s.Says, func(t *testing.T) {
			if s.Chosen != "" {
				t.Log("chosen: " + s.Chosen)
			}
			s.Holds(t)
		})
	}
}
