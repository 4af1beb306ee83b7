//go:build race

package flat_test

// race is whether the race detector is on, which makes everything slower and larger.
const race = true
