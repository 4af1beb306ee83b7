package conformance

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

var update = flag.Bool("update", false, "rewrite the answers of examples that name no page as their source")

// examples sends each request of testdata/*.http through the real gateway and
// compares the answer with the one below it.
func examples(t *testing.T, api *contract.API) {
	files := exampleFiles(t)
	if len(files) == 0 {
		t.Error("there is no testdata/*.http; write down a request as the page prints it and a line ---- below it; go test -update adds the answer")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".http"), func(t *testing.T) { example(t, api, file) })
	}
}

func exampleFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.http")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func readExchanges(t *testing.T, file string) []exchange {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all, err := exchanges(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func example(t *testing.T, api *contract.API, file string) {
	all := readExchanges(t, file)
	w := New(t, api, setting(t, all[0]))
	var rewritten []string
	for i, x := range all {
		got := received(w.Send(x.send()).Result())
		w.Last(t) // is of a listed outcome
		_, printed := x.remark("source")
		if *update && !printed {
			x.answer = got
		} else if g, want := generalise(got, x.invented()), generalise(x.answer, x.invented()); strings.TrimRight(g, "\n") != strings.TrimRight(want, "\n") {
			t.Errorf("exchange %d: got\n%s\nwant\n%s\n%s%s", i+1, got, x.answer, firstDifference(g, want), remedy(printed))
		}
		rewritten = append(rewritten, x.String())
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(rewritten, betweenExchanges[1:])), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// remedy says what to do about an answer that is not as its example has it.
func remedy(printed bool) string {
	if printed {
		return "\nThe example is that of a page: change the emulator, or name random members in a line # invented:"
	}
	return "\nIf the new answer is right, go test -update writes it"
}

// setting returns the setting that the remarks of the first exchange describe.
func setting(t *testing.T, x exchange) (s Setting) {
	t.Helper()
	if v, ok := x.remark("clock"); ok {
		at, err := time.Parse(time.RFC3339, v)
		if err != nil {
			t.Fatal(err)
		}
		s.Clock = at
	}
	if v, ok := x.remark("seed"); ok {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		s.Seed = n
	}
	s.Fixture, _ = x.remark("fixture")
	if v, ok := x.remark("set"); ok {
		s.Set = map[string]string{}
		for _, pair := range strings.Fields(v) {
			name, value, _ := strings.Cut(pair, "=")
			s.Set[name] = value
		}
	}
	return s
}

func (x exchange) invented() []string {
	v, _ := x.remark("invented")
	return strings.Fields(v)
}
