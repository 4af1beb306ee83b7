package scenario_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/player"
	"github.com/understudy-suite/understudy/internal/scenario/scenariotest"
	"github.com/understudy-suite/understudy/internal/wire"
)

var update = flag.Bool("update", false, "rewrite testdata/bad/*.txt; read the difference before you keep it")

func TestParseReportsFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 25 {
		t.Fatalf("got %d files, %v, want at least 25", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, got := scenario.Parse(filepath.Base(file), text, apis)
			if got == nil || s != nil {
				t.Fatal("got no fault, want one")
			}
			described := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(described, []byte(got.Error()+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(described)
			if err != nil {
				t.Fatal(err)
			}
			if got.Error()+"\n" != string(want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestParseReads(t *testing.T) {
	text, err := os.ReadFile("testdata/good/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := scenario.Parse("everything.yaml", text, apis)
	if err != nil {
		t.Fatal(err)
	}
	want := &scenario.Scenario{
		Name: "everything", API: "toy", Description: "Says all that a scenario can say.", Tags: []string{"quota", "retry"},
		File: "everything.yaml", Text: string(text),
		Rules: []scenario.Rule{
			{
				Line: 7, Operation: "Create", Times: 2, Skip: 1, Outcomes: []string{"NotFound.NoIdle"}, Message: "Nobody is idle: {come back later}",
				Where: []scenario.Condition{{Param: "UserId", Value: "u1"}, {Param: "Count", Value: "007"}, {Param: "Strict", Value: "on"}},
				With: wire.Patch{
					{Name: "zebra", Value: []byte("1.50")},
					{Name: "apple"},
					{Name: "inner", Inner: wire.Patch{
						{Name: "b", Value: []byte(`[1,{"d":null,"c":"on"},true]`)},
						{Name: "a", Value: []byte(`"gone"`)},
						{Name: "e", Value: []byte("{}")},
					}},
					{Name: "none", Value: []byte("{}")},
					{Name: "text", Value: []byte(`"5"`)},
				},
			},
			{Line: 19, Operation: "*", Times: 9, Wire: &scenario.Wire{
				Delay: scenario.Delay{Fixed: 1500 * time.Millisecond}, Fault: scenario.Truncate,
				Headers: []scenario.HeaderChange{{Name: "Retry-After", Value: "5"}, {Name: "Server", Remove: true}},
			}},
			{Line: 25, Operation: "Login", From: time.Minute, Until: 5 * time.Minute, Chance: 0.25, Wire: &scenario.Wire{Bandwidth: 2000, When: scenario.After, Delay: scenario.Delay{Min: time.Second, Max: 3 * time.Second}, Answer: &scenario.Answer{
				Status: 502, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<h1>Bad Gateway</h1>",
			}}},
			{
				Line: 37, Operation: "Create", State: "initial", Then: "asleep", Expect: 3, Phantom: true, RepeatAll: true,
				Outcomes: []string{"NotFound.NoIdle", "emulator", "success"},
				Where: []scenario.Condition{
					{Param: "UserId", Match: scenario.In, In: []string{"u1", "2"}},
					{Param: "Count", Match: scenario.Greater, Number: 1},
					{Param: "Count", Match: scenario.Less, Number: 9.5},
					{Param: "Media.id", Match: scenario.Present},
					{Param: "query.page", Match: scenario.Absent},
					{Param: "header.X-Trace", Value: "on"},
				},
				Triggers: []scenario.Trigger{{Name: "user.lost", In: contract.Values{"count": int64(2)}}},
				Wire:     &scenario.Wire{Delay: scenario.Delay{Median: time.Second, Sigma: 0.5}},
			},
			{Line: 53, Operation: "Create", State: "asleep", Outcomes: []string{"success"}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got, want := got.FullName(), "toy/everything"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	reply, err := got.Rules[0].With.Over([]byte(`{"apple":1,"inner":{"a":1,"z":2},"last":3}`))
	laid := `{"inner":{"a":"gone","z":2,"b":[1,{"d":null,"c":"on"},true],"e":{}},"last":3,"zebra":1.50,"none":{},"text":"5"}`
	if err != nil || string(reply) != laid {
		t.Errorf("got  %s, %v\nwant %s", reply, err, laid)
	}
}

func TestParseCondition(t *testing.T) {
	tests := []struct {
		text string
		want scenario.Condition
		err  string
	}{
		{"UserId=u1", scenario.Condition{Param: "UserId", Value: "u1"}, "<nil>"},
		{"q=a=b", scenario.Condition{Param: "q", Value: "a=b"}, "<nil>"},
		{"q=", scenario.Condition{Param: "q"}, "<nil>"},
		{"UserId", scenario.Condition{}, `the condition is "UserId"; parameter=value was expected, such as UserId=u1`},
		{"=u1", scenario.Condition{}, `the condition is "=u1"; parameter=value was expected, such as UserId=u1`},
	}
	for _, tt := range tests {
		got, err := scenario.ParseCondition(tt.text)
		if !reflect.DeepEqual(got, tt.want) || fmt.Sprint(err) != tt.err {
			t.Errorf("%s: got %v, %v, want %v, %s", tt.text, got, err, tt.want, tt.err)
		}
	}
}

var located = regexp.MustCompile(`^f\.yaml:[1-9][0-9]*:[1-9][0-9]*: .`)

// FuzzParse holds that every refusal names its place, and that what is read
// can be played.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := scenario.Parse("f.yaml", text, apis)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !located.MatchString(line) {
					t.Errorf("got %q, want file:line:col: text", line)
				}
			}
			return
		}
		play(t, s)
	})
}

// play plays a scenario, and does with its play what the engine does.
func play(t *testing.T, s *scenario.Scenario) {
	if len(s.Rules) == 0 {
		t.Fatal("got no rules")
	}
	p := player.New(apis, 1, func() time.Time { return scenariotest.Noon })
	p.On(s, scenario.Options{})
	for _, op := range []*contract.Operation{scenariotest.Create, scenariotest.List, scenariotest.Login, nil} {
		for _, refused := range []bool{false, true} {
			got := p.Ask(scenariotest.Call(op, contract.Values{"UserId": "u1", "Count": int64(7)}), refused)
			if list, more := got.Mismatches.List(); len(list)+more > len(s.Rules) {
				t.Errorf("%d rules passed over of %d", len(list)+more, len(s.Rules))
			}
			if body, err := got.With.Over([]byte(`{"a":{"b":1}}`)); err != nil {
				t.Fatal(err)
			} else if _, err := wire.Object(body); err != nil {
				t.Fatalf("%v in %s", err, body)
			}
		}
	}
	if len(p.Active()) != 1 {
		t.Errorf("got %d active, want 1", len(p.Active()))
	}
}

// One expression too many is one fault: what the further ones would have meant
// is not known, and no rule is said to cover another by them.
func TestTooManyExpressionsAreOneFault(t *testing.T) {
	var text strings.Builder
	text.WriteString("scenario: s\napi: toy\nrules:\n")
	for i := range 55 {
		fmt.Fprintf(&text, "  - {operation: Create, where: {UserId: {matches: '^u%d$'}}, outcome: success}\n", i)
	}
	_, err := scenario.Parse("s.yaml", []byte(text.String()), apis)
	want := "s.yaml:54:51: this is regular expression 51 of the file; at most 50 were expected; use in, or split the file"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
