package handbook_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/handbook"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

var (
	refused = &contract.Outcome{Name: "badToken", Fails: true, Status: 401, Message: "no | `token`", Doc: "The <token> is wrong.", Cite: "https://toy.example/auth"}
	fine    = &contract.Outcome{Name: "success", Status: 200, Doc: "Done.", Cite: "https://toy.example", Returns: []contract.Param{
		{Name: "items", Type: contract.List, Of: contract.Object, Need: contract.Required, Doc: "All.", Cite: "x", Fields: []contract.Param{{Name: "id", Doc: "Which.", Cite: "x"}, {Name: "end", Type: contract.Integer, Nullable: true, Doc: "When.", Cite: "x"}}},
	}}
	broken = &contract.Outcome{Name: "broken", Fails: true, Status: 500, Doc: "It is broken."}
)

var toy = &contract.API{
	Name: "toy", Title: "Toy *API*", Docs: "https://toy.example", Port: 6499, Hosts: contract.HostNames("", "toy.example"),
	Checks: []contract.Check{{Name: "read"}, {Name: "token", Ends: []*contract.Outcome{refused}}, {Name: "again", Ends: []*contract.Outcome{refused}}},
	Operations: []*contract.Operation{{
		Name: "PlayGame", Doc: "Plays.", Cite: "https://toy.example/play", Method: "POST", Path: "/play/{id}", Aliases: []string{"/game"}, Rate: 7,
		Params: []contract.Param{
			{Name: "id", In: contract.Path, Need: contract.Required, Example: "g1", Max: 9, Doc: "Which\nof them.", Cite: "x"},
			{Name: "mode", In: contract.Query, OneOf: []string{"a|b", ""}, Default: "", Doc: "How."},
			{Name: "n", Type: contract.Integer, Min: 1, Max: 5, Need: contract.Expected, Doc: "Times.", Cite: "x"},
		},
		Outcomes: []*contract.Outcome{fine},
		Statuses: map[*contract.Outcome]int{refused: 403},
	}},
	Common:      []*contract.Outcome{broken},
	Failure:     []contract.Param{{Name: "error", Need: contract.Required, Doc: "Why.", Cite: "x"}},
	Switches:    []contract.Param{{Name: "patience", Type: contract.Duration, Default: 90 * time.Second, Doc: "How long."}},
	Fixture:     []contract.Param{{Name: "games", Type: contract.List, Of: contract.Object, Doc: "The games.", Fields: []contract.Param{{Name: "id", Need: contract.Required, Doc: "Its id."}}}},
	Credentials: []contract.Credential{{Name: "key", Env: "TOY_KEY"}},
	Adopts: []contract.Adoptable{
		{What: "id", Doc: "As the first game."},
		{What: "key", Routes: true, Example: "k-1", Doc: "A key."},
	},
	Triggers: []*contract.Trigger{{Name: "game.over", Doc: "It ends.", Params: []contract.Param{{Name: "id", Example: "g1"}}}},
}

var (
	listed = []library.Listed{
		{Name: "toy/rain", API: "toy", Description: "It rains.", Tags: []string{"wet"}, Rules: 1, Operations: []string{"*", "PlayGame"}},
		{Name: "toy/faulty", API: "toy", Error: "it is"},
		{Name: "other/sun", API: "other", Description: "It shines.", Rules: 1},
	}
	shelved = []*fixture.Fixture{{Name: "default", API: "toy", Description: "Two games."}, {Name: "default", API: "other"}}
)

func TestPage(t *testing.T) {
	t.Parallel()
	page := string(handbook.Page(toy, listed, shelved))
	for _, want := range []string{
		"# Toy \\*API\\*\n", "`http://127.0.0.1:6499`", "`toy.localhost`", "Documented hosts: `toy.example`.",
		"$ understudy call toy PlayGame id=g1 n=1\n", "| `key` | `TOY_KEY` |",
		"- [PlayGame](#playgame)\n", "`POST /play/{id}`, also `/game`; documented limit: 7 calls a second\n", "Source: <https://toy.example/play>.\n",
		"| `id` | path | string | required | at most 9 characters; such as `g1` | Which<br>of them. |\n",
		"The page prints status 403 for `badToken`, which has 401 elsewhere.\n",
		"| `items[].end` | body | integer or null | optional |  | When. |\n",
		"| `mode` | query | string | optional | `a\\|b`, empty; default empty | How. *inferred* |\n",
		"| `n` | body | integer | *expected* | 1 to 5 | Times. |\n",
		"| `success` | 200 |  | Done. |\n", "| `items[].id` | body | string | optional |  | Which. |\n",
		"1. read\n2. token: `badToken`\n3. again: `badToken`\n",
		"| `badToken` | 401, error | no \\| \\`token\\` | The &lt;token&gt; is wrong. |\n",
		"| `broken` | 500, error |  | It is broken. *inferred* |\n",
		"| `error` | body | string | required |  | Why. |\n",
		"`--set toy.NAME=VALUE`", "| `patience` | duration | default `1m30s` | How long. *inferred* |\n",
		"| `games[].id` | string | required |  | Its id. |\n",
		"## Ids that are adopted\n", "| `id` | `g1` | no | As the first game. |\n| `key` | `k-1` | yes | A key. |\n",
		"| `game.over` | `id` (such as `g1`) | It ends. |\n",
		"| `toy/rain` | all, `PlayGame` | wet | It rains. |\n",
		"| `default` | Two games. |\n| `empty` | The empty state. It is always there. |\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not there", want)
		}
	}
	for _, not := range []string{"It shines.", "faulty", "\n\n\n", "%!"} {
		if strings.Contains(page, not) {
			t.Errorf("%q is there", not)
		}
	}
	if n := strings.Count(page, "| `badToken` |"); n != 1 {
		t.Errorf("the outcome of two steps is written %d times, want once", n)
	}
	if t.Failed() {
		t.Logf("the page:\n%s", page)
	}
}

// Every row of a table has as many cells as its head.
func TestTablesAreWhole(t *testing.T) {
	t.Parallel()
	cells := 0
	for line := range strings.Lines(string(handbook.Page(toy, listed, shelved))) {
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		switch {
		case !strings.HasPrefix(line, "|"):
			cells = 0
		case cells == 0:
			cells = n
		case cells != n:
			t.Errorf("got %d bars, want %d: %s", n, cells, line)
		}
	}
}

func TestSamePageTwice(t *testing.T) {
	t.Parallel()
	if !bytes.Equal(handbook.Page(toy, listed, shelved), handbook.Page(toy, listed, shelved)) {
		t.Error("two pages of the same tables differ")
	}
}

func TestPageOfLittle(t *testing.T) {
	t.Parallel()
	little := &contract.API{Name: "little", Title: "Little", Operations: []*contract.Operation{{Name: "Do", Method: "GET", Path: "/", Helper: true}}}
	page := string(handbook.Page(little, nil, nil))
	for _, not := range []string{"Triggers", "Switches", "Common outcomes", "These ship as files", "%!"} {
		if strings.Contains(page, not) {
			t.Errorf("%q is there", not)
		}
	}
	if !strings.Contains(page, "- [Do](#do): an operation of understudy's own") {
		t.Errorf("the helper is not distinguished:\n%s", page)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	api := *toy
	api.Operations = append(api.Operations[:1:1], &contract.Operation{Name: "Page", Helper: true}) // which is no operation of the vendor's
	got := string(handbook.Table([]*contract.API{&api}))
	want := "| API | Stands in for | Port | Operations | Handbook |\n| --- | --- | --- | --- | --- |\n" +
		"| `toy` | [Toy \\*API\\*](https://toy.example) | 6499 | 1 | [page](docs/handbook/toy.md) |\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
