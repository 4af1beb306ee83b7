package probe

import (
	"os"
	"strings"
	"syscall"
)

// patience is how long one step of the question may take before the command asks in
// its own way.
var patience = syscall.Timeval{Sec: 1}

// maxAnswer is how much of the answer is read, in bytes.
const maxAnswer = 4 << 10

// The initialization of this variable is the probe. It ends the process where the
// server is ready.
var _ = func() bool {
	if len(os.Args) == 0 {
		return false
	}
	t, ok := find(os.Args[1:], syscall.Getenv)
	if !ok || !ready(t) {
		return false
	}
	_, _ = os.Stdout.WriteString("ready control=" + t.base() + "\n") // a reader who has gone needs no telling
	os.Exit(0)
	return true
}()

// ready asks a server whether it is ready. It reports false where that is not certain.
func ready(t target) bool {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer func() { _ = syscall.Close(fd) }()
	for _, option := range []int{syscall.SO_SNDTIMEO, syscall.SO_RCVTIMEO} { // the first bounds connecting too
		if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, option, &patience); err != nil {
			return false
		}
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: t.port, Addr: t.ip}); err != nil {
		return false
	}
	question := []byte("GET /readyz HTTP/1.1\r\nHost: " + t.host() + "\r\nConnection: close\r\n\r\n")
	if n, err := syscall.Write(fd, question); err != nil || n != len(question) {
		return false
	}
	answer := make([]byte, 0, maxAnswer)
	for len(answer) < maxAnswer {
		n, err := syscall.Read(fd, answer[len(answer):maxAnswer])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return false
		}
		if n <= 0 {
			break
		}
		answer = answer[:len(answer)+n]
	}
	return strings.HasPrefix(string(answer), "HTTP/1.1 200 ")
}
