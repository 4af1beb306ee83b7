//go:build race

package sdk_test

// buildFlags have the race detector look at the server too.
var buildFlags = []string{"-race"}
