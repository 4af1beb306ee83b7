package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/redact"
)

// A MistakeTest is the request of a client that makes a mistake, and one that
// resembles it and is refused for another cause.
type MistakeTest struct {
	Code    string
	Setting Setting
	Made    func(testing.TB, *World) // sends the request with the mistake
	Near    func(testing.TB, *World) // sends the one without it; nil: another test of the row does
	Told    string                   // the cause of the latter
}

// Mistakes tests an API's table of mistakes: each row has a test in which the journal
// names it, and one in which it is silent. No explanation tells a secret.
func Mistakes(t *testing.T, api *contract.API, tests []MistakeTest) {
	made, near := map[string]bool{}, map[string]bool{}
	for i, v := range tests {
		row := slices.IndexFunc(api.Mistakes, func(m contract.Mistake) bool { return m.Code == v.Code })
		if row < 0 {
			t.Errorf("test %d is of %s, which is no row of the table", i, v.Code)
			continue
		}
		made[v.Code] = true
		t.Run(fmt.Sprintf("%s %d", v.Code, i), func(t *testing.T) {
			t.Parallel()
			expectCause(t, api, v.Setting, v.Made, v.Code)
		})
		if v.Near == nil {
			continue
		}
		near[v.Code] = true
		t.Run(fmt.Sprintf("%s %d, a near miss", v.Code, i), func(t *testing.T) {
			t.Parallel()
			expectCause(t, api, v.Setting, v.Near, v.Told)
		})
	}
	for _, m := range api.Mistakes {
		if !made[m.Code] || !near[m.Code] {
			t.Errorf("%s is in the table and has no test (%t) or no near miss (%t)", m.Code, made[m.Code], near[m.Code])
		}
	}
}

// braces matches a place in the text of a row.
var braces = regexp.MustCompile(`\{([^{}]*)\}`)

// expectCause sends a request and expects the cause in its entry.
func expectCause(t *testing.T, api *contract.API, s Setting, send func(testing.TB, *World), want string) {
	t.Helper()
	w := New(t, api, s)
	send(t, w)
	e := w.Last(t)
	if e.Explanation == nil {
		t.Fatalf("got %s without an explanation, want %s", e.Outcome, want)
	}
	if e.Explanation.Cause != want {
		t.Errorf("got %s, %s (%s), want %s\nexpected %s\ngot %s", e.Outcome, e.Explanation.Cause, e.Explanation.Text, want, e.Explanation.Expected, e.Explanation.Got)
	}
	if i := slices.IndexFunc(api.Mistakes, func(m contract.Mistake) bool { return m.Code == want }); i >= 0 {
		for _, place := range braces.FindAllStringSubmatch(api.Mistakes[i].Looks+api.Mistakes[i].Mend, -1) {
			if _, given := e.Explanation.Facts.Get(place[1]); !given {
				t.Errorf("no fact fills the place {%s} of %s", place[1], want)
			}
		}
	}
	for _, fact := range e.Explanation.Facts {
		if fact.Value == "" {
			t.Errorf("the fact %s of %s is empty; leave it out", fact.Name, want)
		}
	}
	expectNoSecrets(t, w, e)
}

// expectNoSecrets checks that an explanation has no secret of the state, and when it
// is masked no signature.
func expectNoSecrets(t *testing.T, w *World, e journal.Entry) {
	t.Helper()
	shown := explanationText(e)
	w.Instance(t).WithState(func(s contract.State) {
		if holder, is := s.(contract.SecretHolder); is {
			for secret := range holder.Secrets() {
				if *secret != "" && strings.Contains(shown, *secret) {
					t.Errorf("the explanation tells the secret %s: %s", *secret, shown)
				}
			}
		}
	})
	masked := explanationText(redact.New(redact.Config{APIs: []*contract.API{w.API}, All: true}).Entry(e))
	for _, signature := range e.Explanation.Signatures {
		if signature != "" && strings.Contains(masked, signature) {
			t.Errorf("the masked explanation has the signature %s: %s", signature, masked)
		}
	}
}

// explanationText is all that an explanation says.
func explanationText(e journal.Entry) string {
	x := e.Explanation
	return fmt.Sprint(x.Text, "\n", x.Facts, "\n", x.Expected, "\n", x.Got, "\n", x.FirstDifference)
}

// checkMistakes checks the form of the table of mistakes.
func checkMistakes(t *testing.T, api *contract.API) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range api.Mistakes {
		if !snakeCase.MatchString(m.Code) || seen[m.Code] {
			t.Errorf("mistake %q: the code is not snake_case or stands twice", m.Code)
		}
		seen[m.Code] = true
		if lacks := missing("Looks", m.Looks, "Mend", m.Mend, "Of", len(m.Of)); lacks != "" || m.Made == nil {
			t.Errorf("mistake %s lacks %s or Made", m.Code, lacks)
		}
		for _, cause := range m.Of {
			if cause == nil || cause.Code == m.Code {
				t.Errorf("mistake %s: one of the causes that it explains is nil or has its own code", m.Code)
			}
		}
	}
}
