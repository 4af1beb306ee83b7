package verify_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/verify"
)

var names = verify.Names{
	APIs:  []*contract.API{toy, other},
	Entry: func(id string) (int, string, bool) { return 7, "", id == "box-7" },
	Scenario: func(name string) (string, int, error) {
		if name == "toy/full" {
			return name, 2, nil
		}
		return "", 0, fmt.Errorf("there is no scenario %q", name)
	},
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{operatoin: Create}":                                            `checks:1:2: a check has no key "operatoin"; did you mean "operation"?`,
		"{api: tyo}":                                                     `there is no API "tyo"; did you mean "toy"?`,
		"{api: toy, operation: Craete}":                                  `toy has no operation "Craete"; did you mean "Create"?`,
		"{operation: Ak}":                                                `understudy has no operation "Ak"; did you mean "Ask"?`,
		"{operation: Create, outcome: NoIdel}":                           `Create has no outcome "NoIdel"; did you mean "NotFound.NoIdle"?`,
		"{api: other, outcome: badSignature}":                            `other has no outcome "badSignature"; known: success`,
		"{operation: Create, where: {UserID: u1}}":                       `Create has no parameter "UserID"; did you mean "UserId"?`,
		"{where: {Userid: u1}}":                                          `understudy has no parameter "Userid"; did you mean "UserId"?`,
		"{where: {UserId: {matchs: u}}}":                                 `where UserId has no matcher "matchs"; did you mean "matches"?`,
		"{where: {UserId: {matches: '('}}}":                              "is no regular expression",
		"{where: {header.: x}}":                                          `"" is no name of a header`,
		"{decided_by: chek}":                                             `nothing is decided by "chek"; did you mean "check"?`,
		"{decided_by: check sgnature}":                                   `no check is called "sgnature"; did you mean "signature"?`,
		"{decided_by: emulator x}":                                       "emulator alone was expected",
		"{decided_by: scenario toy/full rule 3}":                         "decided_by names the rule 3, and the scenario toy/full has 2 rules",
		"{decided_by: scenario toy/full rule 0}":                         `the rule "0"; a number from 1 on`,
		"{where: {UserId: {absent: true, present: true}}}":               "where UserId can never be met: absent and present exclude each other",
		"{where: {UserId: {absent: true, matches: '^u'}}}":               "where UserId can never be met",
		"{where: {UserId: {matches: '^u', absent: true}}}":               "where UserId can never be met",
		"{where: {Count: {gt: 5, lt: 3}}}":                               "where Count can never be met: gt 5 and lt 3 exclude each other",
		"{where: {Count: {lt: 5, gt: 5}}}":                               "where Count can never be met",
		"{where: {UserId: {in: [u1, u2], matches: '^x'}}}":               "where UserId can never be met",
		"{where: {Count: {in: [1, 2], gt: 2}}}":                          "where Count can never be met",
		"{where: {UserId: {in: [" + strings.Repeat("u,", 1000) + "u]}}}": "where UserId.in has 1001 values; at most 1000",
		"[" + strings.Repeat("{where: {UserId: {in: ["+strings.Repeat("u,", 999)+"u]}}},", 11) + "]": "have 11000 values; at most 10000",
		"{order: [Create, {operation: Create, where: {Count: {gt: 3, lt: 3}}}]}":                     "where Count can never be met",
		"{decided_by: scenario toy/none}":                                                            `there is no scenario "toy/none"`,
		"{count: {exactly: -1}}":                                                                     "exactly is -1; a number from 0 to",
		"{count: {exactly: 1, at_least: 1}}":                                                         "exactly excludes at_least and at_most",
		"{count: {at_least: 0}}":                                                                     "at_least is 0; a number from 1 to",
		"{count: {at_least: 3, at_most: 2}}":                                                         "at_most is 2, and at_least is 3",
		"{count: {}}":                                                                                "count says nothing",
		"{count: 3}":                                                                                 "count is the number 3; a mapping",
		"{count: {exactly: two}}":                                                                    "a whole number was expected",
		"{since: box-9}":                                                                             `since is "box-9", which is no call of the sandbox`,
		"{name: ''}":                                                                                 "name is empty",
		"{name: " + strings.Repeat("x", 201) + "}":                                                   "name has 201 characters; at most 200",
		"{by: UserId}":                                                                               "by belongs to an order",
		"{within: 5s}":                                                                               "within belongs to an order",
		"{order: [Create]}":                                                                          "order has 1 call; at least two were expected",
		"{order: Create}":                                                                            "order is the text \"Create\"; a list was expected",
		"{order: [Create, Destory]}":                                                                 `understudy has no operation "Destory"; did you mean "Destroy"?`,
		"{order: [Create, {operatoin: Destroy}]}":                                                    `a call of an order has no key "operatoin"`,
		"{order: [Create, Destroy], by: UserID}":                                                     `none of these operations has a parameter "UserID"; did you mean "UserId"?`,
		"{order: [Create, Destroy], within: 5}":                                                      "within is the number 5; a duration above zero",
		"{order: [Create, Destroy], after: -1s}":                                                     "a duration above zero",
		"{order: [Create, Destroy], within: 1s, after: 2s}":                                          "within is 1s, and after is 2s",
		"{order: [Create, Destroy], where: {UserId: u1}}":                                            "where does not stand beside order; say it of a call in it",
		"{order: [Create, Destroy], count: {exactly: 1}}":                                            "count does not stand beside order",
		"{expectations: false}":                                                                      "expectations is false; true was expected",
		"{expectations: true, api: toy}":                                                             "api does not stand beside expectations",
		"[{expectations: true}, {expectations: true}]":                                               "expectations are checked twice",
		"[]":  "the list of checks is empty",
		"[1]": "a check is the number 1; a mapping",
		"[" + strings.Repeat("{},", 1000) + "{}]":                          "this is check 1001; at most 1000",
		"{order: [" + strings.Repeat("Create,", 100) + "Create]}":          "order has 101 calls; at most 100",
		"[" + strings.Repeat("{order: [Create, Create]},", 101) + "]":      "this is order 101; at most 100",
		"[" + strings.Repeat("{where: {UserId: {matches: u}}},", 51) + "]": "this is regular expression 51 of the file",
	} {
		checks, err := verify.Parse("checks", []byte(text), names)
		if err == nil || !strings.Contains(err.Error(), want) || errors.As(err, new(*verify.UnreadableError)) {
			t.Errorf("%s: got %v, %v, want %s", text[:min(len(text), 80)], checks, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "the file is empty", "a: [": "this is not YAML", "x": "a mapping of keys to values was expected",
		`{"api":"toy","api":"toy"}`: "stands twice", "{}\n---\n{}": "a second document",
	} {
		if _, err := verify.Parse("checks", []byte(text), names); !errors.As(err, new(*verify.UnreadableError)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an UnreadableError with %s", text, err, want)
		}
	}
}

// FuzzParse reads anything that is given as checks. What is taken can be held against
// a world.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"{}", "[]", "[{operation: Create, where: {UserId: u1}}]", "{order: [Apply, {operation: Create, outcome: success}], by: UserId, within: 5s, after: 1s}",
		"{expectations: true}", "{api: toy, count: {at_least: 1, at_most: 2}, decided_by: check signature, since: box-7, name: x}",
		"{\"operation\":\t\"Create\", \"where\": {\"UserId\": {\"matches\": \"^u\"}}}", "a: &a [*a]", "{where: {Media.id: {in: [a]}, header.X-A: {absent: true}}}",
	} {
		f.Add([]byte(text))
	}
	entries := three()
	for i, e := range entries {
		e.Number, e.ID = i+1, fmt.Sprint("box-", i+1)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		checks, err := verify.Parse("checks", text, names)
		if err != nil {
			return
		}
		w := &verify.World{Sandbox: "box", APIs: names.APIs}
		w.Journal.Entries = entries
		report, err := verify.Run(t.Context(), checks, w)
		if err != nil || len(report.Checks) != len(checks) {
			t.Fatalf("%q: got %v, %v for %d checks", text, report, err, len(checks))
		}
		for _, form := range output.CheckForms {
			if written := report.Write(form); len(written) == 0 {
				t.Fatalf("%q: nothing is written as %s", text, form)
			}
		}
	})
}

// What a check is called is bounded, however much it says.
func TestLongChecksAreNamed(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "header.X-%d: v, ", i)
	}
	checks, err := verify.Parse("checks", []byte("{where: {"+b.String()+"}}"), names)
	if err != nil || len(checks[0].Name) > 300 || !strings.HasSuffix(checks[0].Name, "…") {
		t.Errorf("got %v, %q", err, checks[0].Name)
	}
}
