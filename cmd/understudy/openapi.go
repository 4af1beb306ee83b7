package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/openapi"
)

func openapiCommand(env *env) *cobra.Command {
	var server string
	cmd := &cobra.Command{
		Use:   "openapi API",
		Short: "write an API as an OpenAPI 3.1 document, from its table",
		Long:  "openapi writes an API as an OpenAPI 3.1 document, from its table. It needs no server.",
		Args:  cobra.ExactArgs(1),
		ValidArgsFunction: complete(func(before []string) []string {
			if len(before) == 0 {
				return apiNames()
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&server, "server", "", "URL by which the API is reached (default: its own port on this machine)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := env.settle(cmd, ""); err != nil {
			return err
		}
		api, err := findAPI(args[0])
		if err != nil {
			return err
		}
		if server == "" {
			server = fmt.Sprintf("http://127.0.0.1:%d", api.Port)
		}
		version, _ := build()
		if _, err := env.out.Write(openapi.Document(api, openapi.About{Version: version, Server: server})); err != nil {
			return fmt.Errorf("writing the document: %w", err)
		}
		return nil
	}
	return cmd
}
