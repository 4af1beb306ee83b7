//go:build !linux

// Command bench compares servers by what Linux tells of them in /proc.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: this is no Linux: processor time and memory are read from /proc, and sockets are polled with epoll")
	os.Exit(1)
}
