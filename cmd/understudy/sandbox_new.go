package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/wire"
)

func sandboxNewCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "new [NAME]",
		Short: "make a sandbox with credentials of its own, or find the one that the same command made",
		Long: "new makes a sandbox, with a clock, state, scenarios and journal of its own, and with credentials of its\n" +
			"own for every API: calls that carry them find it. The same command finds the same sandbox again.\n" +
			"understudy env prints them as a client's environment.",
		Example: "  understudy sandbox new job-17 --activate no-idle-then-free --ttl 30m",
		Args:    cobra.MaximumNArgs(1),
	}
	t := controlFlag(cmd)
	var m making
	m.flags(cmd)
	form := listForm(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		body, err := m.body(cmd, c)
		if err != nil {
			return err
		}
		method, path := http.MethodPost, client.Path("sandboxes")
		if len(args) > 0 {
			method, path = http.MethodPut, client.Path("sandboxes", args[0])
		}
		var raw json.RawMessage
		if err := c.Send(cmd.Context(), method, path, body, &raw); err != nil {
			return err
		}
		if form.value == output.FormJSON {
			return output.JSON(env.out, raw)
		}
		box := &madeSandbox{}
		if err := json.Unmarshal(raw, box); err != nil {
			return fmt.Errorf("%s did not answer with a sandbox: %w", c.Base, wire.InWords(err))
		}
		return printSandbox(env, form.value, box)
	}
	return cmd
}

// making is what the flags of `sandbox new` say.
type making struct {
	seed                                                   int64
	fixtures, set, activate, addresses, own, auth, unknown []string
	clock, ttl, given, door                                string
}

func (m *making) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Int64Var(&m.seed, "seed", 0, "seed of its dice; without it, it follows from the server's seed and the name")
	f.StringSliceVar(&m.fixtures, "fixture", nil, "fixture with which an API begins: api=name")
	f.StringSliceVar(&m.set, "set", nil, "switch of a fixture: api.switch=value")
	f.StringSliceVar(&m.activate, "activate", nil, "scenarios that are on from the start")
	f.StringVar(&m.clock, "clock", "", "follow, or an instant such as 2026-01-31T12:00:00Z at which its clock stands")
	f.StringSliceVar(&m.auth, "auth", nil, "how much of a caller's proof is checked: verify, presence or off, for all or as api=mode")
	f.StringSliceVar(&m.unknown, "unknown", nil, "what becomes of ids that no fixture knows: refuse or adopt, for all or as api=mode")
	f.StringVar(&m.given, "given", "", "what happened before it begins, as JSON: {\"youdu\": [{\"token\": {\"ends_in\": \"5s\"}}]}")
	f.StringVar(&m.door, "door", "", "URL of the shared door as its clients see it, such as http://understudy:6410")
	f.StringVar(&m.ttl, "ttl", "", "how long it lives unused, such as 10m")
	f.StringSliceVar(&m.addresses, "claim-address", nil, "IP address of clients whose calls belong to it though they name no sandbox")
	f.StringArrayVar(&m.own, "claim-header", nil, "header of calls that belong to it though they name no sandbox: \"Name: value\"")
}

// body is what the flags ask of the control API.
func (m *making) body(cmd *cobra.Command, c *client.Client) (map[string]any, error) {
	body := map[string]any{}
	if cmd.Flags().Changed("seed") {
		body["seed"] = m.seed
	}
	for _, p := range []struct {
		flag, member string
		pairs        []string
	}{{"fixture", "fixtures", m.fixtures}, {"set", "set", m.set}} {
		values, err := pairsOf(p.flag, "=", p.pairs)
		if err != nil {
			return nil, err
		}
		if values != nil {
			body[p.member] = values
		}
	}
	if m.activate != nil {
		body["scenarios"] = m.activate
	}
	switch m.clock {
	case "":
	case "follow":
		body["clock"] = map[string]any{"follow": true}
	default:
		body["clock"] = map[string]any{"freeze": m.clock}
	}
	for member, modes := range map[string][]string{"auth": m.auth, "unknown": m.unknown} {
		if len(modes) == 0 {
			continue
		}
		var err error
		if body[member], err = modesOf(cmd.Context(), c, modes); err != nil {
			return nil, err
		}
	}
	if m.door != "" {
		body["door"] = m.door
	}
	if m.ttl != "" {
		body["ttl"] = m.ttl
	}
	if m.given != "" {
		if !json.Valid([]byte(m.given)) {
			return nil, usage("--given is %q; a JSON object such as {\"youdu\": [{\"token\": {\"ends_in\": \"5s\"}}]} was expected", m.given)
		}
		body["given"] = json.RawMessage(m.given)
	}
	headers, err := pairsOf("claim-header", ":", m.own)
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	if headers != nil {
		claims["headers"] = headers
	}
	if m.addresses != nil {
		claims["addresses"] = m.addresses
	}
	if len(claims) > 0 {
		body["claims"] = claims
	}
	return body, nil
}

// modesOf reads modes, each for all APIs or as api=mode, as serve does: a later one counts.
func modesOf(ctx context.Context, c *client.Client, modes []string) (any, error) {
	byAPI := map[string]string{}
	for _, mode := range modes {
		if api, own, one := strings.Cut(mode, "="); one {
			byAPI[api] = own
			continue
		}
		if len(modes) == 1 {
			return mode, nil
		}
		var served struct {
			Items []struct{ Name string }
		}
		if err := c.Get(ctx, client.Path("apis"), &served); err != nil {
			return nil, err
		}
		for _, api := range served.Items {
			byAPI[api.Name] = mode
		}
	}
	return byAPI, nil
}

// pairsOf reads names with their values; nil where there are none.
func pairsOf(flag, between string, pairs []string) (map[string]string, error) {
	if pairs == nil {
		return nil, nil
	}
	values := map[string]string{}
	for _, pair := range pairs {
		name, value, found := strings.Cut(pair, between)
		if !found || name == "" {
			return nil, usage("--%s is %q; a name, %q and a value were expected", flag, pair, between)
		}
		values[name] = strings.TrimSpace(value)
	}
	return values, nil
}

// printSandbox prints how clients reach a sandbox.
func printSandbox(env *env, form string, box *madeSandbox) error {
	table := output.Table{Columns: []string{"api", "url", "credentials"}}
	for _, api := range slices.Sorted(maps.Keys(box.URLs)) {
		var all []string
		for _, name := range slices.Sorted(maps.Keys(box.Credentials[api])) {
			all = append(all, fmt.Sprintf("%s=%v", name, box.Credentials[api][name]))
		}
		table.Add(api, box.URLs[api], all)
	}
	env.note("sandbox %s; for its environment: understudy env --sandbox %s\n", box.Name, box.Name)
	return table.Print(env.out, env.err, form)
}
