package verify

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// A Check is one thing that a test states about the calls of a sandbox: how many were
// of a kind, in which order they came, or that rules decided as often as they expect.
type Check struct {
	Name  string // as the file has it, or made of the rest
	Calls Calls
	Count Count

	Order         []Calls // what came one after the other; with it Calls and Count say nothing
	By            string  // the parameter per value of which Order holds; "": per sandbox
	Within, After time.Duration

	Expectations bool   // rules of active scenarios decided as often as their expect says
	Since        int    // the number of the call after which the check begins; 0: the first
	Doubt        string // why it is not known which call that is; "": it is
}

// Calls says which calls are meant. Zero members mean any.
type Calls struct {
	API, Operation, Outcome string
	Where                   []scenario.Condition
	DecidedBy               journal.Decider
}

// Count is how many calls there should be.
type Count struct {
	Least int
	Most  int // Unlimited: any number
}

// Unlimited is a Count without a greatest number.
const Unlimited = -1

// String writes a count as words: at least 2 calls.
func (c Count) String() string {
	switch {
	case c.Most == Unlimited:
		return "at least " + counted(c.Least, "call")
	case c.Least == c.Most:
		return "exactly " + counted(c.Least, "call")
	case c.Least == 0:
		return "at most " + counted(c.Most, "call")
	}
	return fmt.Sprintf("%d to %d calls", c.Least, c.Most)
}

// String writes which calls are meant: parcels/Drop/success where owner is "u1".
func (c *Calls) String() string {
	name := c.kind()
	if name == "" {
		name = "any call"
	}
	for i := range c.Where {
		if len(name) > longestName {
			name += " and more"
			break
		}
		word := " where "
		if i > 0 {
			word = " and "
		}
		name += word + c.Where[i].Param + " is " + c.Where[i].Want()
	}
	if c.DecidedBy.Kind != "" {
		name += ", decided by " + deciderText(c.DecidedBy)
	}
	return name
}

// kind is the API, operation and outcome, as far as they are said.
func (c *Calls) kind() string {
	var parts []string
	if c.API != "" {
		parts = append(parts, c.API)
	}
	switch {
	case c.Operation != "":
		parts = append(parts, c.Operation)
	case c.Outcome != "":
		parts = append(parts, scenario.Any)
	}
	if c.Outcome != "" {
		parts = append(parts, c.Outcome)
	}
	return strings.Join(parts, "/")
}

// deciderText writes what decided as far as it is said.
func deciderText(d journal.Decider) string {
	text := string(d.Kind)
	for _, name := range []string{d.Name, d.Scenario} {
		if name != "" {
			text += " " + name
		}
	}
	if d.Rule > 0 {
		text += " rule " + strconv.Itoa(d.Rule)
	}
	return text
}

// expected says what a check expects.
func (c *Check) expected() string {
	switch {
	case c.Expectations:
		return "every rule with expect fired as often"
	case c.Order == nil:
		return c.Count.String()
	}
	text := "in this order"
	if c.By != "" {
		text += " for each " + c.By
	}
	if c.Within > 0 {
		text += ", each at most " + c.Within.String() + " after the one before"
	}
	if c.After > 0 {
		text += ", each at least " + c.After.String() + " after the one before"
	}
	return text
}

// longestName is the longest name of a check, in characters.
const longestName = 200

// title makes a name for a check that has none.
func (c *Check) title() string {
	text := c.Calls.String()
	switch {
	case c.Expectations:
		text = "expectations"
	case c.Order != nil:
		var items []string
		for i := range c.Order {
			items = append(items, c.Order[i].String())
		}
		text = strings.Join(items, ", then ")
	}
	return cut(text+": "+c.expected(), longestName)
}

// cut shortens a text to so many characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// counted writes a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// catalogue finds the operation of a journal's entry.
type catalogue map[[2]string]*contract.Operation

func newCatalogue(apis []*contract.API) catalogue {
	all := catalogue{}
	for _, api := range apis {
		for _, op := range api.Operations {
			all[[2]string{api.Name, op.Name}] = op
		}
	}
	return all
}
