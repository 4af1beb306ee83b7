package main

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/wire"
)

func sandboxCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "make, list or drop sandboxes",
	}
	cmd.AddCommand(sandboxNewCommand(env), sandboxListCommand(env), sandboxDropCommand(env))
	return cmd
}

func sandboxListCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the sandboxes that live",
		Args:  cobra.NoArgs,
	}
	t := controlFlag(cmd)
	form := listForm(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := c.Get(cmd.Context(), client.Path("sandboxes"), &raw); err != nil {
			return err
		}
		if form.value == output.FormJSON {
			return output.Indent(env.out, raw)
		}
		var list struct {
			Items []struct {
				Name      string   `json:"name"`
				Scenarios []string `json:"scenarios"`
				Clock     struct {
					Now string `json:"now"`
				} `json:"clock"`
				Journal struct {
					Entries int `json:"entries"`
				} `json:"journal"`
			} `json:"items"`
		}
		if err := json.Unmarshal(raw, &list); err != nil {
			return fmt.Errorf("reading the sandboxes: %w", wire.InWords(err))
		}
		table := &output.Table{Columns: []string{"name", "clock", "entries", "scenarios"}}
		for _, s := range list.Items {
			table.Add(s.Name, s.Clock.Now, s.Journal.Entries, s.Scenarios)
		}
		return table.Print(env.out, env.err, form.value)
	}
	return cmd
}

func sandboxDropCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drop NAME…",
		Short: "end sandboxes, once the calls that are under way have ended",
		Args:  cobra.MinimumNArgs(1),
	}
	t, form := controlFlag(cmd), tellForm(cmd)
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		for _, name := range names {
			var raw json.RawMessage
			if err := c.Send(cmd.Context(), http.MethodDelete, client.Path("sandboxes", name), nil, &raw); err != nil {
				return err
			}
			var dropped struct {
				UnderWay int `json:"calls_under_way"`
			}
			if err := json.Unmarshal(raw, &dropped); err != nil {
				return fmt.Errorf("reading what was dropped: %w", wire.InWords(err))
			}
			if err := env.tell(form, raw, "dropped %s\n", name); err != nil {
				return err
			}
			if dropped.UnderWay > 0 {
				env.note("%d calls of %s had not ended yet; they end by themselves\n", dropped.UnderWay, name)
			}
		}
		return nil
	}
	return cmd
}
