package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

func scenariosCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scenarios",
		Short: "switch scenarios on and off, and list those that are on",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(scenariosOn(env), scenariosOff(env), scenariosStatus(env))
	return cmd
}

// activationOptions are the flags that narrow a scenario.
type activationOptions struct {
	times, skip int
	delay       time.Duration
	long        time.Duration
	where       []string
}

func scenariosOn(env *env) *cobra.Command {
	var n activationOptions
	cmd := &cobra.Command{
		Use:   "on NAME|FILE|-",
		Short: "switch a scenario on: by name, from a file, or from standard input",
		Example: "  understudy scenarios on tencentcar/no-idle --times 2\n" +
			"  understudy scenarios on tencentcar/CreateSession/ResourceNotFound.NoIdle --where UserId=u-1\n" +
			"  understudy scenarios on ./mine.yaml",
		Args: cobra.ExactArgs(1),
	}
	t, form := targetFlags(cmd), tellForm(cmd)
	cmd.Flags().IntVar(&n.times, "times", 0, "how many calls it decides, over all of its rules; 0: as the scenario says")
	cmd.Flags().IntVar(&n.skip, "skip", 0, "how many fitting calls it lets through before")
	cmd.Flags().DurationVar(&n.long, "for", 0, "how long it is on, by the sandbox's clock; 0: until it is switched off")
	cmd.Flags().DurationVar(&n.delay, "delay", 0, "how long answers are held back")
	cmd.Flags().StringArrayVar(&n.where, "where", nil, "for calls with this parameter only, name=value")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		narrow, err := n.body()
		if err != nil {
			return err
		}
		file, text, err := scenarioText(env, args[0])
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if text == nil {
			err = c.Send(cmd.Context(), http.MethodPut, c.InSandbox("scenarios", args[0]), narrow, &raw)
		} else {
			raw, err = defineScenario(c, cmd, file, text, len(narrow) > 0)
		}
		if err != nil {
			return err
		}
		var on activeScenario
		if err := json.Unmarshal(raw, &on); err != nil {
			return fmt.Errorf("reading the active scenario: %w", wire.InWords(err))
		}
		return env.tell(form, raw, "on in %s: %s\n", c.Sandbox, on.Name)
	}
	return cmd
}

// body returns the options as the control API takes them.
func (n *activationOptions) body() (map[string]any, error) {
	body := map[string]any{}
	switch {
	case n.times < 0:
		return nil, usage("--times is %d; a positive number was expected", n.times)
	case n.skip < 0:
		return nil, usage("--skip is %d; a positive number was expected", n.skip)
	case n.long < 0:
		return nil, usage("--for is %s; a length of time such as 30m was expected", n.long)
	case n.delay < 0:
		return nil, usage("--delay is %s; a length of time such as 6s was expected", n.delay)
	}
	if n.times > 0 {
		body["times"] = n.times
	}
	if n.skip > 0 {
		body["skip"] = n.skip
	}
	if n.long > 0 {
		body["for"] = n.long.String()
	}
	if n.delay > 0 {
		body["wire"] = map[string]string{"delay": n.delay.String()}
	}
	where := map[string]string{}
	for _, text := range n.where {
		condition, err := scenario.ParseCondition(text)
		if err != nil {
			return nil, usage("--where: %w", err)
		}
		where[condition.Param] = condition.Value
	}
	if len(where) > 0 {
		body["where"] = where
	}
	return body, nil
}

// scenarioText reads a scenario from a file that is there, or from standard
// input. No text: the argument is a name.
func scenarioText(env *env, arg string) (file string, text []byte, err error) {
	if arg == "-" {
		text, err = env.input(document.MaxSize)
		return "stdin", text, err
	}
	info, err := os.Stat(arg)
	switch {
	case errors.Is(err, fs.ErrNotExist) && (strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml")):
		return "", nil, fmt.Errorf("there is no file %s; a file that is there, or a scenario's name was expected", document.Quote(arg))
	case errors.Is(err, fs.ErrNotExist), err == nil && info.IsDir():
		return "", nil, nil
	case err != nil:
		return "", nil, fmt.Errorf("looking for a file: %w", err)
	}
	f, err := os.Open(arg) // a pipe too, as a shell makes it of <(…)
	if err == nil {
		defer func() { _ = f.Close() }() // nothing was written
		text, err = io.ReadAll(io.LimitReader(f, document.MaxSize+1))
	}
	if err != nil {
		return "", nil, fmt.Errorf("reading the scenario: %w", err)
	}
	return arg, append([]byte{}, text...), nil
}

// defineScenario switches on a scenario that a text defines. It is read here first, so
// that its faults name the file as the user did.
func defineScenario(c *client.Client, cmd *cobra.Command, file string, text []byte, narrowed bool) (on json.RawMessage, err error) {
	if narrowed {
		return on, usage("--times, --skip, --for, --delay and --where narrow a scenario that the server has; write them into the rules of %s instead", file)
	}
	s, err := scenario.Parse(file, text, emulators.All)
	if err != nil {
		return on, err
	}
	err = c.Do(cmd.Context(), http.MethodPut, c.InSandbox("scenarios", s.FullName()), "application/yaml", text, &on)
	return on, err
}

// activeScenario is an active scenario, as the control API shows it.
type activeScenario struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Rules []struct {
		Rule      int      `json:"rule"`
		Operation string   `json:"operation"`
		Outcome   string   `json:"outcome"`
		Outcomes  []string `json:"outcomes"`
		Fired     int      `json:"fired"`
		Left      *int     `json:"left"`
		Expect    *struct {
			Fired int `json:"fired"`
		} `json:"expect"`
	} `json:"rules"`
}

func scenariosOff(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "off [NAME]",
		Short: "switch a scenario off, or all of them",
		Args:  cobra.MaximumNArgs(1),
	}
	t := targetFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		what := "all scenarios"
		if len(args) == 1 {
			what = args[0]
		}
		if err := c.Send(cmd.Context(), http.MethodDelete, c.InSandbox(append([]string{"scenarios"}, args...)...), nil, nil); err != nil {
			return err
		}
		env.say("off in %s: %s\n", c.Sandbox, what)
		return nil
	}
	return cmd
}

func scenariosStatus(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "list the scenarios that are on, and how often their rules fired",
		Args:  cobra.NoArgs,
	}
	t, form := targetFlags(cmd), listForm(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := c.Get(cmd.Context(), c.InSandbox("scenarios"), &raw); err != nil {
			return err
		}
		if form.value == output.FormJSON {
			return output.Indent(env.out, raw)
		}
		var list struct {
			Items []activeScenario `json:"items"`
		}
		if err := json.Unmarshal(raw, &list); err != nil {
			return fmt.Errorf("reading the active scenarios: %w", wire.InWords(err))
		}
		return activeTable(list.Items, c.Sandbox).Print(env.out, env.err, form.value)
	}
	return cmd
}

func activeTable(active []activeScenario, sandbox string) *output.Table {
	t := &output.Table{
		Columns: []string{"scenario", "state", "rule", "operation", "outcome", "fired", "expected", "left"},
		Empty:   "no scenario is on in " + sandbox + "; the emulators decide everything",
	}
	for _, s := range active {
		for _, r := range s.Rules {
			outcome, left, expected := r.Outcome, "without end", ""
			if r.Outcomes != nil {
				outcome = strings.Join(r.Outcomes, ", ")
			}
			if outcome == "" {
				outcome = "(the emulator's)"
			}
			if r.Left != nil {
				left = strconv.Itoa(*r.Left)
			}
			if r.Expect != nil {
				expected = strconv.Itoa(r.Expect.Fired)
			}
			t.Add(s.Name, s.State, r.Rule, r.Operation, outcome, r.Fired, expected, left)
		}
	}
	return t
}
