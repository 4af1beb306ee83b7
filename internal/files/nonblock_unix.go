//go:build unix

package files

import "syscall"

// nonblock has the opening of a pipe not wait for a writer, and that of a terminal
// not make it this process's own.
const nonblock = syscall.O_NONBLOCK | syscall.O_NOCTTY
