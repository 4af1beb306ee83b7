//go:build !race

package flat_test

const race = false
