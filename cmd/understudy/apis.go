package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// unknown is the error for an unknown name.
func unknown(format string, args ...any) error {
	return &exit{exitInsufficient, fmt.Errorf(format, args...)}
}

func apiNames() []string {
	var names []string
	for _, a := range emulators.All {
		names = append(names, a.Name)
	}
	return names
}

func findAPI(name string) (*contract.API, error) {
	for _, a := range emulators.All {
		if a.Name == name {
			return a, nil
		}
	}
	return nil, unknown("there is no API %q%s", name, document.Hint(name, apiNames()))
}

func operationNames(api *contract.API) []string {
	var names []string
	for _, op := range api.Operations {
		names = append(names, op.Name)
	}
	return names
}

func findOperation(api *contract.API, name string) (*contract.Operation, error) {
	if op := api.Operation(name); op != nil {
		return op, nil
	}
	return nil, unknown("%s has no operation %q%s; for all, see: understudy list operations %[1]s",
		api.Name, name, document.Hint(name, operationNames(api)))
}

// completion lists for a shell what an argument may be.
type completion = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// complete offers what values returns for the arguments before.
func complete(values func(before []string) []string) completion {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return values(args), cobra.ShellCompDirectiveNoFileComp
	}
}

// afterAPI offers APIs, and after an API what names returns for it.
func afterAPI(names func(*contract.API) []string) func(before []string) []string {
	return func(before []string) []string {
		switch len(before) {
		case 0:
			return apiNames()
		case 1:
			if api, err := findAPI(before[0]); err == nil {
				return names(api)
			}
		}
		return nil
	}
}

func triggerNames(api *contract.API) []string {
	var names []string
	for _, t := range api.Triggers {
		names = append(names, t.Name)
	}
	return names
}
