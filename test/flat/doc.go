// Package flat has the tests of what a call costs beside much that is loaded, on, open or
// connected: as much as beside little. They state how much memory one more of each takes.
//
//	go test -v ./test/flat
//	go test -run xxx -bench . -benchmem -cpu 1,2 ./test/flat
package flat
