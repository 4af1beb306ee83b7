package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/output"
)

// variableForms are how `env` writes one variable, by what it is for.
var variableForms = map[string]struct {
	before string
	line   func(name, value string) (string, error)
}{
	"sh":   {line: plainLine("export %s=%s", shellQuote)},
	"node": {line: plainLine("process.env.%s = %s;", strconv.Quote)},
	"go":   {line: plainLine("t.Setenv(%q, %s)", strconv.Quote)},
	"compose": {"environment:", plainLine("  %s: %s", func(value string) string {
		return strconv.Quote(strings.ReplaceAll(value, "$", "$$"))
	})},
	"dotenv": {line: dotenvLine},
}

// plainLine writes a name, and a value that can always be quoted.
func plainLine(form string, quote func(string) string) func(name, value string) (string, error) {
	return func(name, value string) (string, error) { return fmt.Sprintf(form, name, quote(value)), nil }
}

// shellQuote writes a value so that no shell reads anything in it.
func shellQuote(value string) string { return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'" }

// dotenvLine writes a variable as the readers of .env files take it. All of them read
// single quotes; docker compose and python-dotenv know escapes in double quotes that Node
// does not know, so these stand only where there is nothing to escape. What is left stands
// in backticks, which Node reads as they are, and others do not.
func dotenvLine(name, value string) (string, error) {
	quote := "`"
	switch {
	case !strings.Contains(value, "'"):
		quote = "'"
	case !strings.ContainsAny(value, "\"\\$"):
		quote = `"`
	case strings.Contains(value, quote):
		return "", fmt.Errorf("%s has quotes of every kind, and no .env file can have its value; take another form with --for", name)
	}
	return name + "=" + quote + value + quote, nil
}

func envCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "env",
		Short: "print the environment that points an unchanged client to a sandbox",
		Long: "env prints the addresses and credentials that point an unchanged client to a sandbox. With\n" +
			"--sandbox NAME it is that sandbox, made where there is none; with --sandbox auto a new one.\n" +
			"eval \"$(understudy env --sandbox auto)\" takes them into a shell.",
		Example: "  understudy env --for dotenv > .env\n  understudy env --sandbox auto -o json",
		Args:    cobra.NoArgs,
	}
	t := targetFlags(cmd)
	var over bool
	cmd.Flags().BoolVar(&over, "tls", false, "also what leads clients to documented hosts over https: the CA's file, and the door as their proxy")
	caFile := cmd.Flags().String("ca-file", "", "where the CA's file is for the clients, if not where the server has it")
	reader := &choice{value: "sh", known: []string{"sh", "node", "go", "compose", "dotenv"}}
	cmd.Flags().Var(reader, "for", "who reads the lines")
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(reader.known, cobra.ShellCompDirectiveNoFileComp))
	form := choose(cmd, "form of the answer; table: lines as --for says", output.AnswerForms)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		query := ""
		if over {
			query = "?tls=true"
			if *caFile != "" {
				query += "&ca=" + url.QueryEscape(*caFile)
			}
		}
		box, err := findOrMake(cmd, c, query)
		if err != nil {
			return err
		}
		if over && box.Env["NODE_EXTRA_CA_CERTS"] == "" {
			env.note("the server has its CA in memory alone, so that no variable can name its file; save it with: understudy ca print --control %s >ca.pem, and give --ca-file ca.pem\n", c.Base)
		}
		if !box.Made && box.Name != "default" {
			env.note("%s was made by its first use and has no credentials of its own: calls find it by header, path or host name alone\n", box.Name)
		}
		if masked := maskedNames(box.Env); len(masked) > 0 {
			env.note("%s: left out or only named by this server, which keeps secrets (--redact, --credentials env), so no client can use it; "+
				"a new sandbox has credentials of its own: understudy env --sandbox auto\n", strings.Join(masked, ", "))
		}
		if form.value == output.FormJSON {
			return output.JSON(env.out, box.Env)
		}
		chosen := variableForms[reader.value]
		if chosen.before != "" {
			env.say("%s\n", chosen.before)
		}
		for _, name := range slices.Sorted(maps.Keys(box.Env)) {
			line, err := chosen.line(name, box.Env[name])
			if err != nil {
				return err
			}
			env.say("%s\n", line)
		}
		return nil
	}
	return cmd
}

// maskedNames lists the variables whose values stand for secrets.
func maskedNames(all map[string]string) []string {
	var masked []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if value := all[name]; strings.Contains(value, contract.Redacted) || strings.HasPrefix(value, contract.EnvPrefix) {
			masked = append(masked, name)
		}
	}
	return masked
}

// auto is the name of a sandbox that is yet to be made.
const auto = "auto"

// findOrMake finds the sandbox that a command is about, or makes it.
func findOrMake(cmd *cobra.Command, c *client.Client, query string) (*madeSandbox, error) {
	box := &madeSandbox{}
	if c.Sandbox == auto {
		return box, c.Send(cmd.Context(), http.MethodPost, client.Path("sandboxes")+query, nil, box)
	}
	names, err := c.SandboxNames(cmd.Context())
	if err != nil {
		return nil, err
	}
	if slices.Contains(names, c.Sandbox) {
		return box, c.Get(cmd.Context(), c.InSandbox()+query, box)
	}
	return box, c.Send(cmd.Context(), http.MethodPut, c.InSandbox()+query, nil, box)
}

// madeSandbox is a sandbox as the control API tells of it.
type madeSandbox struct {
	Name        string                    `json:"name"`
	Made        bool                      `json:"made"`
	URLs        map[string]string         `json:"urls"`
	Credentials map[string]map[string]any `json:"credentials"`
	Env         map[string]string         `json:"env"`
}
