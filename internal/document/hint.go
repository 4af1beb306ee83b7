package document

import (
	"fmt"
	"strings"
)

// few is how many known words are listed where none is near.
const few = 8

// longest is the longest word that is compared with known ones: nothing that
// is known is longer, and comparing takes time.
const longest = 128

// Hint suggests a known word in place of one that is not: `; did you mean
// "X"?`. Where none is near it lists the known ones if they are few, and
// otherwise says nothing.
func Hint(got string, known []string) string {
	if word := nearest(got, known); word != "" {
		return fmt.Sprintf("; did you mean %q?", word)
	}
	if len(known) == 0 || len(known) > few {
		return ""
	}
	return "; known: " + strings.Join(known, ", ")
}

// nearest finds the known word that was probably meant, or "".
func nearest(got string, known []string) string {
	if got == "" || len(got) > longest {
		return ""
	}
	for _, word := range known {
		if strings.EqualFold(got, word) {
			return word
		}
	}
	best, far := "", 0
	for _, word := range known {
		if d, ok := near(got, word); ok && (best == "" || d < far) {
			best, far = word, d
		}
	}
	if best != "" {
		return best
	}
	return partialMatch(got, known)
}

// near reports whether got may be a misspelling of word, and how far it is from it.
func near(got, word string) (int, bool) {
	limit := max(len(got), len(word)) / 3
	d := distance(strings.ToLower(got), strings.ToLower(word), limit)
	return d, d <= limit
}

// partialMatch returns the only known name whose last part got is near to: NoIdle for
// ResourceNotFound.NoIdle.
func partialMatch(got string, known []string) string {
	found := ""
	for _, word := range known {
		dot := strings.LastIndexAny(word, "./")
		if _, ok := near(got, word[dot+1:]); dot < 0 || !ok {
			continue
		}
		if found != "" {
			return ""
		}
		found = word
	}
	return found
}

// distance is the number of letters to put in, take out, change or swap with
// their neighbour to make b of a. What is beyond limit is not counted further.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	var before, row, next []int
	row = make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next = make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := row[j-1]
			if a[i-1] != b[j-1] {
				cost++
			}
			next[j] = min(row[j]+1, next[j-1]+1, cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
