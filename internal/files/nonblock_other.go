//go:build !unix

package files

// nonblock is nothing where no folder holds pipes.
const nonblock = 0
