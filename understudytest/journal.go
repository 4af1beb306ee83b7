package understudytest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/output"
)

// An Entry is a call in the journal of a sandbox: what was asked, how it ended and why.
type Entry struct {
	ID         string    `json:"id"`
	Time       time.Time `json:"time"` // by the sandbox's clock
	API        string    `json:"api"`
	Operation  string    `json:"operation"` // "": the request named none
	Outcome    string    `json:"outcome"`
	DecidedBy  Decider   `json:"decided_by"`
	Status     int       `json:"status"`
	DurationMS float64   `json:"duration_ms"`
	FoundBy    string    `json:"found_by"`  // by what the call belongs to the sandbox: path, header, host, proxy, word, claim, default
	Delivered  string    `json:"delivered"` // sent, fault, client gone or pending
	Request    Message   `json:"request"`
	Response   Message   `json:"response"`

	// Explanation is that of a refusal; the zero Explanation: there is none.
	Explanation Explanation `json:"explanation"`
}

// A Decider is what decided how a call ended.
type Decider struct {
	Kind     string `json:"kind"` // emulator, check, scenario or header
	Name     string `json:"name"` // of the check
	Scenario string `json:"scenario"`
	Rule     int    `json:"rule"` // counted from 1
}

// String writes the decider in words: check signature.
func (d Decider) String() string {
	switch {
	case d.Scenario != "":
		return fmt.Sprintf("%s %s rule %d", d.Kind, d.Scenario, d.Rule)
	case d.Name != "":
		return d.Kind + " " + d.Name
	}
	return d.Kind
}

// A Message is a request or its answer.
type Message struct {
	Method  string      `json:"method"`
	URL     string      `json:"url"`
	Status  int         `json:"status"`
	Header  http.Header `json:"headers"`
	Body    string      `json:"body"`    // "base64:" and more where it is no UTF-8
	Decoded any         `json:"decoded"` // what the body says, by parameter
}

// An Explanation says why a call was refused.
type Explanation struct {
	Cause           string `json:"cause"` // a stable code
	Text            string `json:"text"`  // what is wrong, and what mends it
	Expected        string `json:"expected"`
	Got             string `json:"got"`
	FirstDifference string `json:"first_difference"`
}

// Journal lists the calls of the sandbox, the first one first, without bodies, and of an
// Explanation the Cause alone. Entry has all of a call. It has the last 1,000 calls.
func (b *Sandbox) Journal() []Entry {
	b.t.Helper()
	entries, _, err := b.journal(1000)
	b.must(err)
	return entries
}

// Entry returns all that is known of a call, by its ID, which the header Understudy-Call
// of the answer has too.
func (b *Sandbox) Entry(id string) Entry {
	b.t.Helper()
	e, err := b.entry(id)
	b.must(err)
	return e
}

// journal lists the last calls, the first of them first, and whether there were others.
func (b *Sandbox) journal(limit int) (entries []Entry, more bool, err error) {
	var list struct {
		Items []Entry `json:"items"`
		Next  string  `json:"next"`
	}
	path := fmt.Sprintf("%s?limit=%d", b.control.InSandbox("journal"), limit)
	if err := b.control.Get(context.Background(), path, &list); err != nil {
		return nil, false, err
	}
	slices.Reverse(list.Items)
	return list.Items, list.Next != "", nil
}

func (b *Sandbox) entry(id string) (e Entry, err error) {
	return e, b.send(http.MethodGet, []string{"journal", id}, nil, &e)
}

// How much of a journal is logged.
const (
	mostLogged    = 50
	mostExplained = 10
	longestLine   = 400 // characters
)

// logJournal logs the last calls, a line for each, and why they were refused.
func (b *Sandbox) logJournal() {
	b.t.Helper()
	entries, more, err := b.journal(mostLogged)
	if err != nil {
		if !noServer(err) {
			b.t.Logf("the journal of sandbox %s cannot be read: %v", b.Name, err)
		}
		return
	}
	if len(entries) == 0 {
		b.t.Logf("no call reached the sandbox %s; clients are led there by its URL, its Credentials or its Client", b.Name)
		return
	}
	var text strings.Builder
	fmt.Fprintf(&text, "the calls of sandbox %s:", b.Name)
	if more {
		fmt.Fprintf(&text, " the last %d", mostLogged)
	}
	explained := 0
	for i := range entries {
		e := &entries[i]
		text.WriteString("\n  " + clean(e.line()))
		if e.Explanation.Cause == "" || explained == mostExplained {
			continue
		}
		explained++
		if whole, err := b.entry(e.ID); err == nil {
			for _, line := range whole.Explanation.lines() {
				text.WriteString("\n      " + clean(line))
			}
		}
	}
	b.t.Log(text.String())
}

// line is a call in one line.
func (e *Entry) line() string {
	operation := e.Operation
	if operation == "" {
		operation = e.Request.Method + " " + e.Request.URL
	}
	line := fmt.Sprintf("%s %s %s: %s (HTTP %d, by %s, %.1f ms)", e.ID, e.API, operation, e.Outcome, e.Status, e.DecidedBy, e.DurationMS)
	if e.Delivered != "sent" {
		line += ", delivery: " + e.Delivered
	}
	return line
}

// lines are the explanation, in lines.
func (x *Explanation) lines() (all []string) {
	for _, part := range []struct{ name, text string }{
		{"why: ", x.Text}, {"expected: ", x.Expected}, {"got: ", x.Got}, {"first difference: ", x.FirstDifference},
	} {
		if part.text != "" {
			all = append(all, part.name+part.text)
		}
	}
	return all
}

// clean makes one line of limited length of a text that clients may have written.
func clean(text string) string {
	text = output.OneLine(text)
	if utf8.RuneCountInString(text) > longestLine {
		text = string([]rune(text)[:longestLine-1]) + "…"
	}
	return text
}
