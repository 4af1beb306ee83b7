package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/scenario"
)

func journalShow(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "show one entry in full: request, answer, who decided and why",
		Long: "show prints one entry in full. Its forms: page, to be read; json, as the control API has it; http, the\n" +
			"exchange as examples are kept; curl, a line that sends the request again; scenario, a scenario file\n" +
			"that brings about the same outcome. Where the server keeps signatures to itself, as it does for\n" +
			"credentials of its environment and with --redact, http and curl print a line for understudy call.",
		Args: cobra.ExactArgs(1),
	}
	t := targetFlags(cmd)
	form := choose(cmd, "form of the answer", "page", output.FormJSON, "http", "curl", "scenario")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := c.Get(cmd.Context(), c.InSandbox("journal", args[0]), &raw); err != nil {
			return err
		}
		if form.value == output.FormJSON {
			return output.Indent(env.out, raw)
		}
		shown, err := readEntry(raw)
		if err != nil {
			return err
		}
		e := &shown.Entry
		if form.value != "scenario" && (e.Request.Truncated || form.value != "curl" && e.Response.Truncated) {
			env.note("understudy: the journal kept the beginning of a long body only\n")
		}
		if e.Redacted && (form.value == "http" || form.value == "curl") {
			return printAgain(env, e, form.value)
		}
		switch form.value {
		case "http":
			return printExchange(env.out, e)
		case "curl":
			return printCurl(env.out, e, c.Base)
		case "scenario":
			return printScenario(env.out, e)
		}
		return printPage(env.out, shown)
	}
	return cmd
}

// readEntry reads an entry. Its numbers stay as they were written.
func readEntry(raw []byte) (*journal.Shown, error) {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	e := &journal.Shown{}
	if err := decoder.Decode(e); err != nil {
		return nil, fmt.Errorf("reading the entry: %w", err)
	}
	return e, nil
}

func requestOf(e *journal.Entry) client.Message {
	return client.Message{Line: e.Request.Method + " " + e.Request.URL + " HTTP/1.1", Host: e.Request.Host, Header: e.Request.Header, Body: e.Request.Body}
}

func responseOf(e *journal.Entry) client.Message {
	return client.Message{Line: client.StatusLine(e.Response.Status), Header: e.Response.Header, Body: e.Response.Body}
}

// printPage writes an entry to be read.
func printPage(w io.Writer, e *journal.Shown) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s/%s/%s\n", e.ID, e.API, operationOf(&e.Entry), e.Outcome)
	fmt.Fprintf(&b, "%s, %g ms, %s; from %s", e.Time.UTC().Format(time.RFC3339Nano), e.DurationMS, e.Delivered, e.Client.Address)
	if e.Client.UserAgent != "" {
		fmt.Fprintf(&b, " (%s)", output.OneLine(e.Client.UserAgent))
	}
	fmt.Fprintf(&b, "; sandbox %s found by %s\n\n", e.Sandbox, e.FoundBy)
	b.WriteString(strings.TrimRight(requestOf(&e.Entry).Text(), "\n") + "\n\n")
	b.WriteString(strings.TrimRight(responseOf(&e.Entry).Text(), "\n") + "\n\n")
	fmt.Fprintf(&b, "decided by: %s\n", decider(e.DecidedBy))
	pageWire(&b, e.Wire)
	pageExplanation(&b, e.Explanation)
	pageFacts(&b, "notes", e.Notes)
	if len(e.Violations) > 0 {
		b.WriteString("violations:\n")
		for _, v := range e.Violations {
			fmt.Fprintf(&b, "  %s: %s", v.Path, v.Rule)
			if v.Got != nil {
				fmt.Fprintf(&b, ", got %s", output.JSONText(v.Got))
			}
			b.WriteString("\n")
		}
		if e.MoreViolations > 0 {
			fmt.Fprintf(&b, "  and %d more\n", e.MoreViolations)
		}
	}
	pageParameters(&b, e.Parameters)
	if !e.Mismatches.IsZero() {
		b.WriteString("rules passed over:\n")
		for _, p := range e.Mismatches.List() {
			where := "  "
			if p.Rule > 0 {
				where = fmt.Sprintf("  %s rule %d: ", p.Scenario, p.Rule)
			}
			fmt.Fprintf(&b, "%s%s\n", where, p.Why)
		}
	}
	if line := callAgain(&e.Entry); e.Redacted && line != "" {
		fmt.Fprintf(&b, "again: %s\n", line)
	}
	_, err := io.WriteString(w, output.Printable(b.String()))
	return err
}

// pageParameters writes how the call compares with the documented parameters.
func pageParameters(b *strings.Builder, p *journal.Parameters) {
	if p == nil {
		return
	}
	for _, part := range []struct {
		name string
		list []string
	}{
		{"sent, and not documented", p.Unknown},
		{"documented, and not sent", p.NotSent},
		{"answered", p.Answered},
		{"documented, and not answered", p.NotAnswered},
	} {
		if len(part.list) > 0 {
			fmt.Fprintf(b, "%s: %s\n", part.name, output.OneLine(strings.Join(part.list, ", ")))
		}
	}
}

func pageWire(b *strings.Builder, w *journal.Wire) {
	if w == nil {
		return
	}
	var what []string
	if w.DelayMS > 0 {
		what = append(what, (time.Duration(w.DelayMS)*time.Millisecond).String()+" of delay")
	}
	if w.Bandwidth > 0 {
		what = append(what, strconv.Itoa(w.Bandwidth)+" bytes of the body in a second")
	}
	if w.Fault != "" {
		what = append(what, w.Fault)
	}
	if w.Phantom {
		what = append(what, "the outcome was answered and not carried out")
	}
	if w.Answered {
		what = append(what, "something in between answered")
	}
	if w.Undone {
		what = append(what, "the request never arrived, so nothing was carried out")
	}
	if len(what) > 0 {
		fmt.Fprintf(b, "network: %s\n", strings.Join(what, "; "))
	}
}

func pageExplanation(b *strings.Builder, x *journal.Explanation) {
	if x == nil {
		return
	}
	fmt.Fprintf(b, "cause: %s\n  %s\n", x.Cause, indent(x.Text))
	for _, part := range []struct{ name, text string }{
		{"expected", x.Expected}, {"got", x.Got}, {"first difference", x.FirstDifference},
	} {
		if part.text != "" {
			fmt.Fprintf(b, "%s:\n  %s\n", part.name, indent(part.text))
		}
	}
	pageFacts(b, "facts", x.Facts)
}

func pageFacts(b *strings.Builder, what string, facts contract.Facts) {
	if len(facts) == 0 {
		return
	}
	b.WriteString(what + ":\n")
	for _, f := range facts {
		text, ok := f.Value.(string)
		if !ok {
			text = output.JSONText(f.Value)
		}
		fmt.Fprintf(b, "  %s: %s\n", f.Name, indent(text))
	}
}

// indent moves the lines of a text under its heading.
func indent(text string) string {
	return strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}

// printExchange writes the exchange as examples are kept in testdata/*.http.
func printExchange(w io.Writer, e *journal.Entry) error {
	request, answer := requestOf(e), responseOf(e)
	request.Header = without(request.Header, "Content-Length")
	answer.Header = without(answer.Header, "Date", "Content-Length")
	_, err := fmt.Fprintf(w, "# %s of sandbox %s: %s/%s/%s\n# clock: %s\n%s----\n%s",
		e.ID, e.Sandbox, e.API, operationOf(e), e.Outcome, e.Time.UTC().Format(time.RFC3339Nano), request.Text(), answer.Text())
	return err
}

// without is a copy of headers that lacks some, and those of understudy.
func without(h http.Header, names ...string) http.Header {
	left := h.Clone()
	for name := range h {
		if strings.HasPrefix(name, "Understudy-") {
			left.Del(name)
		}
	}
	for _, name := range names {
		left.Del(name)
	}
	return left
}

// printCurl writes a line that sends the request again.
func printCurl(w io.Writer, e *journal.Entry, base string) error {
	address := e.Request.URL
	if !strings.Contains(address, "://") {
		scheme, _, _ := strings.Cut(base, "://")
		address = scheme + "://" + e.Request.Host + address
	}
	_, err := fmt.Fprintln(w, client.Curl(e.Request.Method, address, "", e.Request.Header, e.Request.Body))
	return err
}

// replay is a scenario file that brings about an outcome again.
type replay struct {
	Scenario    string       `yaml:"scenario"`
	API         string       `yaml:"api"`
	Description string       `yaml:"description"`
	Rules       []replayRule `yaml:"rules"`
}

type replayRule struct {
	Operation string            `yaml:"operation"`
	Where     map[string]string `yaml:"where,omitempty,flow"`
	Outcome   string            `yaml:"outcome"`
	Phantom   bool              `yaml:"phantom,omitempty"`
	Wire      *replayWire       `yaml:"wire,omitempty"`
}

type replayWire struct {
	Delay     string        `yaml:"delay,omitempty"`
	Bandwidth string        `yaml:"bandwidth,omitempty"`
	Fault     string        `yaml:"fault,omitempty"`
	When      string        `yaml:"when,omitempty"`
	Answer    *replayAnswer `yaml:"answer,omitempty"`
}

type replayAnswer struct {
	Status  int               `yaml:"status"`
	Headers map[string]string `yaml:"headers,omitempty"`
	Body    string            `yaml:"body,omitempty"`
}

// printScenario writes a scenario file that brings about the entry's outcome
// for calls whose first required parameter is the entry's.
func printScenario(w io.Writer, e *journal.Entry) error {
	rule := replayRule{Operation: e.Operation, Outcome: e.Outcome, Wire: wireAgain(e)}
	if rule.Operation == "" {
		rule.Operation = scenario.Any
	}
	rule.Phantom = e.Wire != nil && e.Wire.Phantom
	if name, value := firstRequired(e); name != "" {
		rule.Where = map[string]string{name: value}
	}
	var b strings.Builder
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	err := encoder.Encode(replay{
		Scenario: "replay-" + e.ID, API: e.API,
		Description: fmt.Sprintf("Ends %s as the call %s ended.", operationOf(e), e.ID),
		Rules:       []replayRule{rule},
	})
	if err != nil {
		return fmt.Errorf("writing the scenario: %w", err)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// wireAgain has the network do again what it did.
func wireAgain(e *journal.Entry) *replayWire {
	if e.Wire == nil {
		return nil
	}
	w := &replayWire{Fault: e.Wire.Fault}
	if e.Wire.DelayMS > 0 {
		w.Delay = (time.Duration(e.Wire.DelayMS) * time.Millisecond).String()
	}
	if e.Wire.Bandwidth > 0 {
		w.Bandwidth = strconv.Itoa(e.Wire.Bandwidth) + "B/s"
	}
	if (w.Fault != "" || e.Wire.Answered) && !e.Wire.Undone {
		w.When = string(scenario.After)
	}
	if e.Wire.Answered {
		w.Answer = &replayAnswer{Status: e.Response.Status, Body: string(e.Response.Body)}
		for name := range without(e.Response.Header, "Date", "Content-Length") {
			if w.Answer.Headers == nil {
				w.Answer.Headers = map[string]string{}
			}
			w.Answer.Headers[name] = e.Response.Header.Get(name)
		}
	}
	if *w == (replayWire{}) {
		return nil
	}
	return w
}

// firstRequired finds the first required parameter that the entry's request
// had with a plain value.
func firstRequired(e *journal.Entry) (name, value string) {
	api, err := findAPI(e.API)
	if err != nil {
		return "", ""
	}
	op := api.Operation(e.Operation)
	decoded, _ := e.Request.Decoded.(map[string]any)
	if op == nil {
		return "", ""
	}
	for i := range op.Params {
		if op.Params[i].Need == contract.Optional {
			continue
		}
		switch v := decoded[op.Params[i].Name].(type) {
		case string:
			if isMasked(v) {
				continue
			}
			return op.Params[i].Name, v
		case json.Number, bool:
			return op.Params[i].Name, fmt.Sprint(v)
		}
	}
	return "", ""
}
