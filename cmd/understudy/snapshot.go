package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/files"
	"github.com/understudy-suite/understudy/internal/wire"
)

// mostSnapshot is the longest snapshot that is read from a file, in bytes. A server
// may take less.
const mostSnapshot = 512 << 20

func snapshotCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "snapshot",
		Short: "save a sandbox as it stands to a file, and put it back",
		Long: "snapshot saves all that decides how the calls of a sandbox end: what every API remembers, the clock,\n" +
			"the dice, the switches, and the scenarios that are on with how far they have come. Put back, the\n" +
			"same calls get the same answers. The file has the secrets that the APIs remember, unless the server\n" +
			"runs with --redact. The journal is no part of it.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return usage("save FILE or load FILE was expected") },
	}
	cmd.AddCommand(saveSnapshot(env), loadSnapshot(env))
	return cmd
}

func saveSnapshot(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "save FILE|-",
		Short: "save a sandbox to a file, or to standard output",
		Args:  cobra.ExactArgs(1),
	}
	t := targetFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		var taken json.RawMessage
		if err := c.Get(cmd.Context(), c.InSandbox("state"), &taken); err != nil {
			return err
		}
		if args[0] == "-" {
			if _, err := env.out.Write(taken); err != nil {
				return fmt.Errorf("writing the snapshot: %w", err)
			}
			return nil
		}
		if err := os.WriteFile(args[0], taken, 0o600); err != nil {
			return fmt.Errorf("writing the snapshot: %w", err)
		}
		env.say("saved %s to %s\n", c.Sandbox, args[0])
		return nil
	}
	return cmd
}

func loadSnapshot(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "load FILE|-",
		Short: "have a sandbox stand as a file says, or standard input",
		Args:  cobra.ExactArgs(1),
	}
	t, form := targetFlags(cmd), tellForm(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		text, err := snapshotText(env, args[0])
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := c.Do(cmd.Context(), http.MethodPut, c.InSandbox("state"), "application/json", text, &raw); err != nil {
			return err
		}
		var done struct {
			Restored []string `json:"restored"`
			Notes    []string `json:"notes"`
		}
		if err := json.Unmarshal(raw, &done); err != nil {
			return fmt.Errorf("reading what was loaded: %w", wire.InWords(err))
		}
		lines := []string{fmt.Sprintf("loaded %s: %s", c.Sandbox, strings.Join(done.Restored, ", "))}
		for _, note := range done.Notes {
			lines = append(lines, "note: "+note)
		}
		return env.tell(form, raw, "%s\n", strings.Join(lines, "\n"))
	}
	return cmd
}

// snapshotText reads a snapshot from a file or from standard input.
func snapshotText(env *env, arg string) ([]byte, error) {
	if arg != "-" {
		text, err := files.ReadPath(arg, mostSnapshot)
		if err != nil {
			return nil, fmt.Errorf("reading the snapshot: %w", err)
		}
		return text, nil
	}
	text, err := env.input(mostSnapshot)
	if err != nil {
		return nil, err
	}
	if len(text) > mostSnapshot {
		return nil, fmt.Errorf("standard input has more than %d bytes, which is the most that is read", mostSnapshot)
	}
	return text, nil
}
