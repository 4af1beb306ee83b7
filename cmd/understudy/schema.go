package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/schema"
)

// schemas are the kinds of files that have one.
var schemas = []struct {
	name   string
	derive func([]*contract.API) []byte
}{{"scenario", schema.Scenario}, {"fixture", schema.Fixture}}

func schemaCommand(env *env) *cobra.Command {
	var names []string
	for _, s := range schemas {
		names = append(names, s.name)
	}
	return &cobra.Command{
		Use:   "schema scenario|fixture",
		Short: "write the JSON Schema of scenario or fixture files, for editors",
		Long: "schema writes a JSON Schema (draft 2020-12) that is derived from the tables: editors complete the names of\n" +
			"operations, outcomes, parameters and keys by it. A server has the same at /v1/schemas/scenario.json.",
		Example: "  understudy schema scenario > scenario.schema.json",
		Args:    cobra.ExactArgs(1),
		ValidArgsFunction: complete(func(before []string) []string {
			if len(before) == 0 {
				return names
			}
			return nil
		}),
		RunE: func(_ *cobra.Command, args []string) error {
			i := slices.Index(names, args[0])
			if i < 0 {
				return usage("there is no schema of %s%s", document.Quote(args[0]), document.Hint(args[0], names))
			}
			if _, err := env.out.Write(schemas[i].derive(emulators.All)); err != nil {
				return fmt.Errorf("writing the schema: %w", err)
			}
			return nil
		},
	}
}
