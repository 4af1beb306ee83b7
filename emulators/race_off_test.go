//go:build !race

package emulators_test

const tolerance = 1
