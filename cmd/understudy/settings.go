package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/logpipe"
)

// env is what surrounds a command: streams and variables.
type env struct {
	in       io.Reader
	out, err io.Writer
	vars     []string // NAME=value

	queues []*logpipe.Writer // what out and err are written through, where nobody may wait for their readers
}

// queue puts queues before out and err, so that nobody who reads them can end or slow
// this process, and returns that of err. notice says there how many lines were dropped.
func (e *env) queue(notice func(int64) []byte) *logpipe.Writer {
	out := logpipe.New(e.out, func(int64) []byte { return nil })
	err := logpipe.New(e.err, notice)
	e.out, e.err = out, err
	e.queues = append(e.queues, out, err)
	return err
}

// lastWords is how long what is queued may take to be written at the end.
const lastWords = time.Second

// flush writes what is queued, as far as somebody reads it.
func (e *env) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	for _, q := range e.queues {
		_ = q.Close(ctx) // there is nobody to tell
	}
}

func environment() *env {
	return &env{in: os.Stdin, out: os.Stdout, err: os.Stderr, vars: os.Environ()}
}

// lookup finds a variable; "" where there is none.
func (e *env) lookup(name string) string {
	for _, pair := range e.vars {
		if n, v, _ := strings.Cut(pair, "="); n == name {
			return v
		}
	}
	return ""
}

// input reads standard input, up to one byte more than most, so that it shows where there
// is more.
func (e *env) input(most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(e.in, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading standard input: %w", err)
	}
	return text, nil
}

const prefix = "UNDERSTUDY_"

func variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settle gives every flag that was not written on the command line the value
// of its environment variable, or else of its key in the file.
func (e *env) settle(cmd *cobra.Command, file string) error {
	found, err := e.file(cmd, file)
	if err != nil {
		return err
	}
	var fault error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "config" || f.Name == "help" || fault != nil {
			return
		}
		name := variable(f.Name)
		value, from := e.lookup(name), name
		if value == "" {
			value, from = found[f.Name], file
		}
		if value == "" {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			fault = usage("%s sets --%s to %q: %w", from, f.Name, value, err)
		}
	})
	return fault
}

// file reads a settings file: a mapping from flags to values. Lists may be
// written as lists or with commas.
func (e *env) file(cmd *cobra.Command, name string) (map[string]string, error) {
	if name == "" {
		return nil, nil
	}
	text, err := document.ReadPath(name)
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	root, err := document.Parse(name, text)
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	faults := &document.Faults{File: name}
	found := map[string]string{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if cmd.Flags().Lookup(key.Value) == nil {
			faults.Addf(key, "%s has no setting %q%s", cmd.Name(), key.Value, document.Hint(key.Value, flagNames(cmd)))
			continue
		}
		found[key.Value] = scalar(value)
	}
	if err := faults.Err(); err != nil {
		return nil, &exit{exitUsage, err}
	}
	return found, nil
}

func scalar(n *yaml.Node) string {
	if n.Kind != yaml.SequenceNode {
		return n.Value
	}
	var all []string
	for _, item := range n.Content {
		all = append(all, item.Value)
	}
	return strings.Join(all, ",")
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// unknownVariables returns a warning for every variable of ours that no command
// knows. Those that container links and Kubernetes inject for a service called
// understudy are not ours.
func (e *env) unknownVariables() []string {
	ours := slices.Clone(e.vars)
	for i := range ours {
		ours[i], _, _ = strings.Cut(ours[i], "=")
	}
	ours = slices.DeleteFunc(ours, func(name string) bool { return !strings.HasPrefix(name, prefix) || injected(name) })
	if len(ours) == 0 {
		return nil
	}
	known := []string{prefix + "CONTROL_TOKEN", prefix + "DOOR"} // the latter of `env`, for clients
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, name := range flagNames(cmd) {
			known = append(known, variable(name))
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(e))
	var warnings []string
	for _, name := range ours {
		if slices.Contains(known, name) {
			continue
		}
		warnings = append(warnings, fmt.Sprintf("the environment variable %s sets nothing%s", name, document.Hint(name, known)))
	}
	return warnings
}

// injected reports whether a name is of the kind that container runtimes set
// for a service called understudy.
func injected(name string) bool {
	rest := strings.TrimPrefix(name, prefix)
	for _, begin := range []string{"PORT", "NAME", "SERVICE_", "ENV_"} {
		if rest == begin || strings.HasPrefix(rest, begin+"_") || (strings.HasSuffix(begin, "_") && strings.HasPrefix(rest, begin)) {
			return true
		}
	}
	return false
}
