package main

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/output"
)

// target says which server and which of its sandboxes a command is about.
type target struct {
	control, sandbox string
}

// targetFlags adds the flags that name a server and a sandbox.
func targetFlags(cmd *cobra.Command) *target {
	t := controlFlag(cmd)
	cmd.Flags().StringVar(&t.sandbox, "sandbox", "default", "the sandbox that is meant (UNDERSTUDY_SANDBOX)")
	return t
}

// controlFlag adds the flag that names a server.
func controlFlag(cmd *cobra.Command) *target {
	t := &target{}
	cmd.Flags().StringVar(&t.control, "control", "http://127.0.0.1:6400", "address of the control API (UNDERSTUDY_CONTROL)")
	return t
}

// client settles the flags of cmd and returns a client of the server that they
// name. Where they name none, the port that serve would take is taken, so that
// a health check inside a container needs no flag.
func (t *target) client(cmd *cobra.Command, env *env) (*client.Client, error) {
	if err := env.settle(cmd, ""); err != nil {
		return nil, err
	}
	address := t.control
	if port, err := strconv.Atoi(env.lookup(variable("control-port"))); err == nil && port > 0 && !cmd.Flags().Changed("control") {
		address = "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	return client.New(address, t.sandbox, env.lookup(prefix+"CONTROL_TOKEN"))
}

// choice is a flag that takes one of a few values.
type choice struct {
	value string
	known []string
	also  map[string]string // other words for some of them
}

func (c *choice) String() string { return c.value }

// Type is how the help shows the flag's value.
func (c *choice) Type() string { return strings.Join(c.known, "|") }

// Set takes one of the known values.
func (c *choice) Set(value string) error {
	if word, other := c.also[value]; other {
		value = word
	}
	if !slices.Contains(c.known, value) {
		return fmt.Errorf("%s was expected%s", strings.Join(c.known, " or "), suggestion(value, c.known))
	}
	c.value = value
	return nil
}

// suggestion is document.Hint where it has one name to suggest: the message lists
// the others already.
func suggestion(got string, known []string) string {
	if hint := document.Hint(got, known); strings.Contains(hint, "did you mean") {
		return hint
	}
	return ""
}

// choose adds a flag -o that takes one of some forms, by default the first.
func choose(cmd *cobra.Command, does string, known []string) *choice {
	c := &choice{value: known[0], known: known, also: output.OtherWords}
	cmd.Flags().VarP(c, "output", "o", does)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(known, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func listForm(cmd *cobra.Command) *choice { return choose(cmd, "form of the answer", output.ListForms) }

// tellForm adds -o to a command that says in a line what it did.
func tellForm(cmd *cobra.Command) *choice {
	return choose(cmd, "form of the answer; json: what the control API answered", output.AnswerForms)
}

// tell says in a line what was done, or prints what the control API answered to that.
func (e *env) tell(form *choice, answer json.RawMessage, format string, args ...any) error {
	if form.value == output.FormJSON {
		return output.Indent(e.out, answer)
	}
	e.say(format, args...)
	return nil
}

// printChecks prints what was checked: as CI servers read it, or as a table.
func printChecks(env *env, form string, table *output.Table, list *output.Checklist) error {
	var text []byte
	switch form {
	case output.FormTAP:
		text = list.TAP()
	case output.FormJUnit:
		text = list.JUnit()
	default:
		return table.Print(env.out, env.err, form)
	}
	if _, err := env.out.Write(text); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// say writes to standard output. A reader who has gone needs no telling.
func (e *env) say(format string, args ...any) { _, _ = fmt.Fprintf(e.out, format, args...) }

// note writes beside the answer.
func (e *env) note(format string, args ...any) { _, _ = fmt.Fprintf(e.err, format, args...) }
