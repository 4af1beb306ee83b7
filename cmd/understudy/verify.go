package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/verify"
)

// expectations is what is checked where no file says anything else.
const expectations = "expectations: true"

func verifyCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [FILE|-]",
		Short: "hold checks against what happened: which calls, how many, in which order",
		Long: "verify holds the checks of a file, or of standard input, against the journal of a sandbox. Without a file\n" +
			"it checks that the rules of active scenarios fired as often as their expect says. A file is one check\n" +
			"or a list of checks, as YAML or JSON:\n\n" +
			"  - {operation: CreateSession, where: {UserId: u-1}, count: {exactly: 1}}\n" +
			"  - {order: [ApplyConcurrent, CreateSession, DestroySession], by: UserId, within: 5s}\n" +
			"  - expectations: true\n\n" +
			"It ends with 0 when all checks hold; 1 when one fails, with the calls that came closest; 2 when the file\n" +
			"cannot be read; 3 when the evidence does not suffice: nothing happened, entries of the journal gave way,\n" +
			"a rule with expect fired less often, or a check names what nobody knows; 4 when there is no server.",
		Example: "  understudy verify checks.yaml\n" +
			"  understudy verify checks.yaml -o junit > report.xml\n" +
			"  echo '{operation: CreateSession, count: {exactly: 1}}' | understudy verify -",
		Args: cobra.MaximumNArgs(1),
	}
	t := targetFlags(cmd)
	form := choose(cmd, "form of the report", output.CheckForms)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		file, checks := "the command", []byte(expectations)
		if len(args) == 1 {
			if file, checks, err = checksText(env, args[0]); err != nil {
				return err
			}
		}
		verdict, report, err := c.Verify(cmd.Context(), checks, form.value)
		if err != nil {
			return placeFaults(file, err)
		}
		if form.value == output.FormJSON {
			err = output.Indent(env.out, report)
		} else {
			_, err = env.out.Write(report)
		}
		if err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
		return verdictError(verify.Verdict(verdict), c.Sandbox)
	}
	return cmd
}

// checksText reads checks from a file or from standard input.
func checksText(env *env, arg string) (file string, text []byte, err error) {
	if arg != "-" {
		if text, err = document.ReadPath(arg); err != nil {
			return "", nil, &exit{exitUsage, err}
		}
		return arg, text, nil
	}
	if text, err = env.input(document.MaxSize); err != nil {
		return "", nil, &exit{exitUsage, err}
	}
	return "stdin", text, nil
}

// placeFaults has the faults of checks name the file as the user named it.
func placeFaults(file string, err error) error {
	var refusal *client.Error
	if errors.As(err, &refusal) {
		refusal.Err = errors.New(strings.ReplaceAll(refusal.Err.Error(), "\nchecks:", "\n"+file+":"))
	}
	return err
}

// verdictError says with which code a verdict ends the command.
func verdictError(v verify.Verdict, sandbox string) error {
	switch v {
	case verify.Holds:
		return nil
	case verify.Insufficient:
		return &exit{exitInsufficient, fmt.Errorf("what happened in %s does not suffice to verify it", sandbox)}
	}
	return fmt.Errorf("not all checks hold in %s", sandbox)
}
