//go:build race

package emulators_test

// tolerance is by how much more a call may allocate: under the race detector pools drop
// objects at random.
const tolerance = 1.5
