// Package scenarios is the library of scenarios that ship with the binary.
package scenarios

import "embed"

// Files holds the scenarios, a folder for each API.
//
//go:embed */*.yaml
var Files embed.FS
