package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/handbook"
	"github.com/understudy-suite/understudy/internal/scenario/library"
	"github.com/understudy-suite/understudy/scenarios"
)

func handbookCommand(env *env) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "handbook API | -o DIR [API]",
		Short: "write the handbook pages of the APIs, from their tables",
		Args:  cobra.MaximumNArgs(1),
		ValidArgsFunction: complete(func(before []string) []string {
			if len(before) == 0 {
				return apiNames()
			}
			return nil
		}),
	}
	cmd.Flags().StringVarP(&dir, "dir", "o", "", "folder to write <api>.md files into")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := env.settle(cmd, ""); err != nil {
			return err
		}
		apis := emulators.All
		if len(args) == 1 {
			api, err := findAPI(args[0])
			if err != nil {
				return err
			}
			apis = []*contract.API{api}
		}
		if dir == "" && len(args) == 0 {
			return usage("an API or a folder was expected: understudy handbook %s, or understudy handbook -o DIR", apis[0].Name)
		}
		return writeHandbook(env, dir, apis)
	}
	return cmd
}

// writeHandbook writes pages into a folder, or to standard output where none is named.
func writeHandbook(env *env, dir string, apis []*contract.API) error {
	library, shelf := library.New(emulators.All), fixture.NewLibrary(emulators.All)
	if err := library.Add(scenarios.Files, "shipped"); err != nil {
		return err
	}
	if err := shelf.Add(fixtures.Files); err != nil {
		return err
	}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making the folder: %w", err)
		}
	}
	for _, api := range apis {
		text := handbook.Page(api, library.List(), shelf.List())
		if dir == "" {
			if _, err := env.out.Write(text); err != nil {
				return fmt.Errorf("writing the page: %w", err)
			}
			continue
		}
		file := filepath.Join(dir, api.Name+".md")
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return fmt.Errorf("writing the page: %w", err)
		}
		env.say("%s\n", file)
	}
	return nil
}
