package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

func resetCommand(env *env) *cobra.Command {
	var only []string
	var all bool
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "have a sandbox begin anew, as it was when it was made",
		Args:  cobra.NoArgs,
	}
	t, form := targetFlags(cmd), tellForm(cmd)
	cmd.Flags().StringSliceVar(&only, "only", nil, "reset these parts only: "+strings.Join(parts(), ", "))
	cmd.Flags().BoolVar(&all, "all", false, "reset every sandbox")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		query, err := onlyQuery(only)
		if err != nil {
			return err
		}
		names := []string{c.Sandbox}
		if all {
			if names, err = c.SandboxNames(cmd.Context()); err != nil {
				return err
			}
		}
		for _, name := range names {
			var raw json.RawMessage
			if err := c.Send(cmd.Context(), http.MethodPost, client.Path("sandboxes", name, "reset")+query, nil, &raw); err != nil {
				return err
			}
			if err := env.tell(form, raw, "reset %s\n", name); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// onlyQuery is the query that names the parts to reset.
func onlyQuery(only []string) (string, error) {
	if len(only) == 0 {
		return "", nil
	}
	known := map[string]bool{}
	for _, p := range parts() {
		known[p] = true
	}
	for _, p := range only {
		if !known[p] {
			return "", usage("--only: a sandbox has no part %q%s", p, document.Hint(p, parts()))
		}
	}
	return "?only=" + url.QueryEscape(strings.Join(only, ",")), nil
}

func parts() []string {
	var names []string
	for _, p := range sandbox.Parts {
		names = append(names, string(p))
	}
	return names
}
