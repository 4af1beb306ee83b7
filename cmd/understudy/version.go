package main

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/output"
)

func versionCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "show version, commit and Go",
		Args:  cobra.NoArgs,
	}
	form := choose(cmd, "form of the answer", output.AnswerForms)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := env.settle(cmd, ""); err != nil {
			return err
		}
		version, commit := build()
		platform := runtime.GOOS + "/" + runtime.GOARCH
		if form.value == output.FormJSON {
			return output.JSON(env.out, struct {
				Version  string `json:"version"`
				Commit   string `json:"commit"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
			}{version, commit, runtime.Version(), platform})
		}
		env.say("understudy %s, commit %s, %s, %s\n", version, commit, runtime.Version(), platform)
		return nil
	}
	return cmd
}
