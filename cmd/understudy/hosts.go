package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/hostfile"
)

func hostsCommand(env *env) *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "hosts [API…]",
		Short: "write the documented hosts as a file that leads clients to understudy",
		Long: "hosts writes the documented hosts of all APIs, or of some, as a file that leads clients with a built-in host\n" +
			"to understudy: lines for a file of hosts or for dnsmasq, the aliases of a compose service, the hostAliases of\n" +
			"a pod. It needs no server; a server has the same at /v1/hosts.",
		Example: "  understudy hosts | sudo tee -a /etc/hosts\n  understudy hosts --for dnsmasq --address 192.168.1.5",
		ValidArgsFunction: complete(func(before []string) []string {
			return slices.DeleteFunc(apiNames(), func(name string) bool { return slices.Contains(before, name) })
		}),
	}
	form := &choice{value: hostfile.Forms[0], known: hostfile.Forms}
	cmd.Flags().Var(form, "for", "what reads it")
	cmd.Flags().StringVar(&address, "address", "", "address at which clients reach understudy (default "+hostfile.Loopback+")")
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(form.known, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("address", cobra.NoFileCompletions)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := env.settle(cmd, ""); err != nil {
			return err
		}
		apis := emulators.All
		if len(args) > 0 {
			apis = nil
		}
		for _, name := range args {
			api, err := findAPI(name)
			if err != nil {
				return err
			}
			if !slices.Contains(apis, api) {
				apis = append(apis, api)
			}
		}
		text, err := hostfile.Text(apis, form.value, address)
		if err != nil {
			return usage("%w", err)
		}
		env.say("%s", text)
		return nil
	}
	return cmd
}
