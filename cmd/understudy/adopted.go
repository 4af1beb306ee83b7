package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/output"
)

// anAdopted is an identifier that a server took in at first sight.
type anAdopted struct {
	API  string `json:"api"`
	What string `json:"what"`
	ID   string `json:"id"`
	Time string `json:"time"`
	Call string `json:"call"`
}

// adopted asks a server what it took in; of one API, unless that is "".
func adopted(ctx context.Context, c *client.Client, api string) ([]anAdopted, error) {
	path := c.InSandbox("adopted")
	if api != "" {
		path += "?api=" + url.QueryEscape(api)
	}
	var list struct {
		Items []anAdopted `json:"items"`
	}
	err := c.Get(ctx, path, &list)
	return list.Items, err
}

// listAdopted lists what a server took in.
func listAdopted(c *chosen) (*output.Table, error) {
	server, err := c.target.client(c.cmd, c.env)
	if err != nil {
		return nil, err
	}
	all, err := adopted(c.cmd.Context(), server, c.onlyAPI())
	if err != nil {
		return nil, err
	}
	t := &output.Table{Columns: []string{"api", "what", "id", "time", "call"}, Empty: "nothing was adopted yet; with --unknown adopt that is what understudy list adoptable has"}
	for _, one := range all {
		t.Add(one.API, one.What, one.ID, one.Time, one.Call)
	}
	return t, nil
}

// listAdoptable lists the kinds of ids that can be adopted.
func listAdoptable(c *chosen) (*output.Table, error) {
	t := &output.Table{Columns: []string{"api", "what", "such as", "becomes"}, Empty: "no ids are adopted"}
	for _, api := range c.apis {
		for i := range api.Adopts {
			row := &api.Adopts[i]
			t.Add(api.Name, row.What, api.Such(row), sentence(row.Doc))
		}
	}
	return t, nil
}

// onlyAPI is the one API that a list is about; "": it is about all.
func (c *chosen) onlyAPI() string {
	if len(c.apis) == 1 {
		return c.apis[0].Name
	}
	return ""
}

func fixtureCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fixture",
		Short: "save the fixture of an API with the ids that it adopted",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return usage("save FILE was expected") },
	}
	cmd.AddCommand(saveFixture(env))
	return cmd
}

func saveFixture(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "save FILE|- [API]",
		Short: "save the fixture of an API with the ids that it adopted to a file, or to standard output",
		Long: "save writes a fixture file: what an API of a sandbox began with, and all that it adopted since. serve finds\n" +
			"it again where the file is DIR/API/NAME.yaml: with --fixtures DIR --fixture API=NAME the same ids are known, and\n" +
			"none need be adopted. Without API it is that of the file's folder, or the only one that adopted something.\n" +
			"The accounts that --credentials env brought are left out: it brings them again. Where an adopted id has a secret\n" +
			"of theirs, the name of its variable stands there. Folders of FILE that are missing are made.",
		Args:    cobra.RangeArgs(1, 2),
		Example: "  understudy fixture save fixtures/tencentcar/shop.yaml",
	}
	t := targetFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		api, err := apiToSave(cmd.Context(), c, args)
		if err != nil {
			return err
		}
		path := c.InSandbox("fixtures", api)
		if args[0] != "-" {
			path += "?name=" + url.QueryEscape(strings.TrimSuffix(filepath.Base(args[0]), document.Extension))
		}
		text, _, err := c.Text(cmd.Context(), path)
		if err != nil {
			return err
		}
		if args[0] == "-" {
			_, err = env.out.Write(text)
		} else {
			err = writeFixture(args[0], text)
		}
		if err != nil {
			return fmt.Errorf("writing the fixture: %w", err)
		}
		if args[0] != "-" {
			env.say("saved the fixture of %s to %s\n", api, args[0])
		}
		return nil
	}
	return cmd
}

// writeFixture writes a file, and makes the folders that it needs.
func writeFixture(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // as the folders of a repository are
		return err
	}
	return os.WriteFile(name, text, 0o600)
}

// apiToSave finds the API whose fixture is meant.
func apiToSave(ctx context.Context, c *client.Client, args []string) (string, error) {
	named := filepath.Base(filepath.Dir(args[0]))
	if len(args) == 2 {
		named = args[1]
	}
	api, unknown := findAPI(named)
	if unknown == nil {
		return api.Name, nil
	}
	if len(args) == 2 {
		return "", unknown
	}
	all, err := adopted(ctx, c, "")
	if err != nil {
		return "", err
	}
	var names []string
	for _, one := range all {
		if !slices.Contains(names, one.API) {
			names = append(names, one.API)
		}
	}
	if len(names) != 1 {
		return "", usage("which API is meant is not clear: %s adopted something; name one behind the file", cmp.Or(strings.Join(names, ", "), "none"))
	}
	return names[0], nil
}
