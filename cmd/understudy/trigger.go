package main

import (
	"encoding/json"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/contract"
)

func triggerCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "trigger API NAME [name=value…]",
		Short:             "have something happen outside the API's calls: a user logs in, a client disconnects",
		Example:           "  understudy list triggers\n  understudy trigger tencentcar client.lost UserId=u-1001",
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: complete(afterAPI(triggerNames)),
	}
	t, form := targetFlags(cmd), tellForm(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		// The server checks the names; the tables here only give the types.
		var rows []contract.Param
		if api, err := findAPI(args[0]); err == nil {
			if trigger := api.Trigger(args[1]); trigger != nil {
				rows = trigger.Params
			}
		}
		in, _, err := client.Input(rows, args[2:])
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := c.Send(cmd.Context(), http.MethodPost, c.InSandbox("triggers", args[0], args[1]), in, &raw); err != nil {
			return err
		}
		return env.tell(form, raw, "%s %s happened in %s\n", args[0], args[1], c.Sandbox)
	}
	return cmd
}
