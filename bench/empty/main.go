// Command empty is a cobra program that does nothing but tell a version: what `understudy version` is measured by.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{Use: "empty"}
	root.AddCommand(&cobra.Command{Use: "version", Run: func(*cobra.Command, []string) { fmt.Println("empty dev") }})
	if root.Execute() != nil {
		os.Exit(1)
	}
}
