package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/files"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
	"github.com/understudy-suite/understudy/scenarios"
)

// kind is a kind of things that can be listed.
type kind struct {
	name  string
	of    string // of what each is one: "API" or "operation"
	table func(*chosen) (*output.Table, error)
}

// kinds are in the order in which one asks for them.
var kinds = []kind{
	{"apis", "API", listAPIs},
	{"operations", "operation", listOperations},
	{"outcomes", "operation", listOutcomes},
	{"scenarios", "operation", listScenarios},
	{"fixtures", "API", listFixtures},
	{"switches", "API", listSwitches},
	{"triggers", "API", listTriggers},
	{"givens", "API", listGivens},
	{"adoptable", "API", listAdoptable},
	{"adopted", "API", listAdopted},
}

// chosen is what a list is to be about.
type chosen struct {
	apis      []*contract.API
	operation string // "": all
	env       *env
	cmd       *cobra.Command
	target    *target  // the server, for what no binary knows
	scenarios []string // folders
	fixtures  []string // folders
}

func listCommand(env *env) *cobra.Command {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	ask := &chosen{env: env}
	cmd := &cobra.Command{
		Use:   "list " + strings.Join(names, "|") + " [API [OPERATION]]",
		Short: "list what there is, each with the exact name to use",
		Long: "list shows what this binary knows, each with the exact name to use. It needs no server, but for\n" +
			"adopted: those ids that a sandbox took in at first sight.",
		Args: cobra.RangeArgs(1, 3),
		ValidArgsFunction: complete(func(before []string) []string {
			if len(before) == 0 {
				return names
			}
			return afterAPI(operationNames)(before[1:])
		}),
	}
	form := listForm(cmd)
	ask.cmd, ask.target = cmd, targetFlags(cmd)
	cmd.Flags().StringSliceVar(&ask.scenarios, "scenarios", nil, "folders with scenario files, beside those that ship with the binary")
	cmd.Flags().StringSliceVar(&ask.fixtures, "fixtures", nil, "folders with fixture files, beside those that ship with the binary")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := env.settle(cmd, ""); err != nil {
			return err
		}
		i := slices.Index(names, args[0])
		if i < 0 {
			return usage("there is no list of %s%s", document.Quote(args[0]), document.Hint(args[0], names))
		}
		if err := ask.choose(kinds[i], args[1:]); err != nil {
			return err
		}
		t, err := kinds[i].table(ask)
		if err != nil {
			return err
		}
		return t.Print(env.out, env.err, form.value)
	}
	return cmd
}

// choose finds what the arguments name.
func (c *chosen) choose(k kind, args []string) error {
	c.apis, c.operation = emulators.All, ""
	if len(args) == 0 {
		return nil
	}
	api, err := findAPI(args[0])
	if err != nil {
		return err
	}
	c.apis = []*contract.API{api}
	if len(args) == 1 {
		return nil
	}
	if k.of != "operation" {
		return usage("%s belong to an API and not to an operation; understudy list %s %s was expected", k.name, k.name, api.Name)
	}
	op, err := findOperation(api, args[1])
	if err != nil {
		return err
	}
	c.operation = op.Name
	return nil
}

// operations walks the chosen operations.
func (c *chosen) operations(do func(*contract.API, *contract.Operation)) {
	for _, api := range c.apis {
		for _, op := range api.Operations {
			if c.operation == "" || c.operation == op.Name {
				do(api, op)
			}
		}
	}
}

func (c *chosen) has(api string) bool {
	return slices.ContainsFunc(c.apis, func(a *contract.API) bool { return a.Name == api })
}

func listAPIs(c *chosen) (*output.Table, error) {
	t := &output.Table{Columns: []string{"name", "title", "port", "operations", "host", "docs"}}
	for _, api := range c.apis {
		host := ""
		if names := api.HostNames(); len(names) > 0 {
			host = names[0]
		}
		t.Add(api.Name, api.Title, api.Port, len(api.Operations), host, api.Docs)
	}
	return t, nil
}

func listOperations(c *chosen) (*output.Table, error) {
	t := &output.Table{Columns: []string{"api", "name", "method", "path", "does"}, Empty: "no operations"}
	c.operations(func(api *contract.API, op *contract.Operation) {
		t.Add(api.Name, op.Name, op.Method, op.Path, sentence(op.Doc))
	})
	return t, nil
}

func listOutcomes(c *chosen) (*output.Table, error) {
	t := &output.Table{Columns: []string{"name", "kind", "status", "means"}, Empty: "no outcomes"}
	c.operations(func(api *contract.API, op *contract.Operation) {
		for _, o := range api.Ends(op) {
			t.Add(api.Name+"/"+op.Name+"/"+o.Name, outcomeKind(o), o.Status, sentence(o.Doc))
		}
	})
	return t, nil
}

func outcomeKind(o *contract.Outcome) string {
	if o.Fails {
		return "error"
	}
	return "success"
}

func listScenarios(c *chosen) (*output.Table, error) {
	library := library.New(emulators.All)
	faults := library.Add(scenarios.Files, "shipped")
	for _, dir := range c.scenarios {
		folder, err := files.Open(dir)
		if err != nil {
			return nil, fmt.Errorf("--scenarios: %w", err)
		}
		faults = errors.Join(faults, library.Add(folder, dir), folder.Close())
	}
	c.warn(faults)
	t := &output.Table{
		Columns: []string{"name", "operations", "tags", "from", "description"},
		Empty:   "no scenario files; every documented outcome is a scenario too: understudy list outcomes",
	}
	for _, s := range library.List() {
		if s.Rules == 0 || !c.has(s.API) && s.API != scenario.Everywhere {
			continue
		}
		if c.operation == "" || slices.Contains(s.Operations, c.operation) || slices.Contains(s.Operations, scenario.Any) {
			t.Add(s.Name, s.Operations, s.Tags, s.Source, sentence(s.Description))
		}
	}
	return t, nil
}

func listFixtures(c *chosen) (*output.Table, error) {
	shelf := fixture.NewLibrary(emulators.All)
	faults := shelf.Add(fixtures.Files)
	from := map[string]string{} // by name: where it comes from
	for _, f := range shelf.List() {
		from[f.API+"="+f.Name] = "shipped"
	}
	for _, dir := range c.fixtures {
		folder, err := files.Open(dir)
		if err != nil {
			return nil, fmt.Errorf("--fixtures: %w", err)
		}
		alone := fixture.NewLibrary(emulators.All)
		_ = alone.Add(folder) // the library reports the same faults
		faults = errors.Join(faults, shelf.Add(folder), folder.Close())
		for _, f := range alone.List() {
			from[f.API+"="+f.Name] = dir
		}
	}
	c.warn(faults)
	t := &output.Table{Columns: []string{"name", "from", "description"}}
	for _, api := range c.apis {
		for _, f := range shelf.List() {
			if f.API == api.Name {
				t.Add(f.API+"="+f.Name, from[f.API+"="+f.Name], sentence(f.Description))
			}
		}
		if from[api.Name+"=empty"] == "" {
			t.Add(api.Name+"=empty", "always there", "An empty state.")
		}
	}
	return t, nil
}

// warn reports faults of files that are left out of a list.
func (c *chosen) warn(faults error) {
	if faults != nil {
		c.env.note("%s\n", faults)
	}
}

func listSwitches(c *chosen) (*output.Table, error) {
	t := &output.Table{Columns: []string{"name", "values", "default", "does"}, Empty: "no switches"}
	for _, api := range c.apis {
		for i := range api.Switches {
			s := &api.Switches[i]
			t.Add(api.Name+"."+s.Name, takes(s), written(s.Default), sentence(s.Doc))
		}
	}
	return t, nil
}

func listTriggers(c *chosen) (*output.Table, error) {
	return happenings(c, "no triggers", func(api *contract.API) []*contract.Trigger { return api.Triggers }), nil
}

func listGivens(c *chosen) (*output.Table, error) {
	return happenings(c, "no givens", (*contract.API).Givens), nil
}

// happenings lists what can happen outside the APIs' calls.
func happenings(c *chosen, empty string, of func(*contract.API) []*contract.Trigger) *output.Table {
	t := &output.Table{Columns: []string{"api", "name", "parameters", "does"}, Empty: empty}
	for _, api := range c.apis {
		for _, trigger := range of(api) {
			var params []string
			for i := range trigger.Params {
				params = append(params, trigger.Params[i].Name+"="+takes(&trigger.Params[i]))
			}
			t.Add(api.Name, trigger.Name, params, sentence(trigger.Doc))
		}
	}
	return t
}

// takes describes the values that a row takes.
func takes(p *contract.Param) string {
	switch {
	case len(p.OneOf) > 0:
		return strings.Join(p.OneOf, "|")
	case p.Type == contract.Boolean:
		return "true|false"
	case p.Type == contract.Integer && (p.Min != 0 || p.Max != 0):
		return strconv.Itoa(p.Min) + "-" + strconv.Itoa(p.Max)
	}
	return p.Type.String()
}

// written is a default as a flag takes it.
func written(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case time.Duration:
		return v.String()
	}
	return fmt.Sprint(value)
}

// sentence is the first sentence of a text.
func sentence(doc string) string {
	if first, _, more := strings.Cut(doc, ". "); more {
		return first + "."
	}
	return doc
}
