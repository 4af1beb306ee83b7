package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/output"
)

// inNamespace has the test's own binary run a test inside of a network of its own.
const inNamespace = "TEST_IN_NAMESPACE"

// On a machine without a network understudy starts, and every operation of every API is
// answered. The kernel counts what a network namespace sent where it has no route to, and
// what it asked of resolvers: nothing.
func TestRunsWithoutANetwork(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		repeatInNamespace(t)
		return
	}
	if err := loopbackUp(); err != nil {
		t.Skipf("the loopback interface of a namespace cannot be set up here: %v", err)
	}
	p := beginWithPipe(t)
	for _, api := range emulators.All {
		for _, op := range api.Operations {
			args := append([]string{"call", api.Name, op.Name}, sampleArguments(op)...)
			command(t, []string{"UNDERSTUDY_CONTROL=" + p.control}, "", args...).want(t, exitDone, "HTTP/1.1 ", "Understudy-Outcome: ")
		}
	}
	p.end(t, syscall.SIGTERM, exitDone)
	for _, name := range []string{"Ip OutNoRoutes", "Udp OutDatagrams", "Ip6OutNoRoutes", "Udp6OutDatagrams"} {
		if got := networkCounts(t)[name]; got != 0 {
			t.Errorf("%s is %d, want 0: something was sent", name, got)
		}
	}
	// The counts do count.
	if _, err := net.Dial("tcp4", "192.0.2.1:9"); !errors.Is(err, syscall.ENETUNREACH) {
		t.Errorf("got %v, want %v", err, syscall.ENETUNREACH)
	}
	if got := networkCounts(t)["Ip OutNoRoutes"]; got != 1 {
		t.Errorf("Ip OutNoRoutes is %d after one attempt, want 1", got)
	}
}

// repeatInNamespace runs the test once more in a network namespace that has no route.
func repeatInNamespace(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	said, err := cmd.CombinedOutput()
	switch ended := (*exec.ExitError)(nil); {
	case err != nil && !errors.As(err, &ended):
		t.Skipf("no network namespace can be made here: %v", err)
	case strings.Contains(string(said), "--- SKIP: "+t.Name()):
		t.Skipf("in a network namespace:\n%s", said)
	case err != nil || !strings.Contains(string(said), "--- PASS: "+t.Name()):
		t.Errorf("in a network namespace: %v\n%s", err, said)
	}
}

// loopbackUp switches on the interface lo, which a new namespace has and leaves off.
func loopbackUp() error {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(socket) }()
	request := struct { // ifreq, as netdevice(7) has it
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{name: [syscall.IFNAMSIZ]byte{'l', 'o'}, flags: syscall.IFF_UP}
	if _, _, fault := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); fault != 0 {
		return fault
	}
	return nil
}

// sampleArguments are the documented examples of an operation's parameters, as call takes
// them.
func sampleArguments(op *contract.Operation) (args []string) {
	for name, value := range contract.Sample(op.Params) {
		if text, ok := value.(string); ok {
			args = append(args, name+"="+text)
			continue
		}
		args = append(args, name+"="+output.JSONText(value))
	}
	slices.Sort(args)
	return args
}

// networkCounts are the kernel's counts of a network namespace: "Ip OutNoRoutes" of IPv4,
// "Ip6OutNoRoutes" of IPv6.
func networkCounts(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	read := func(name string) []string {
		text, err := os.ReadFile("/proc/self/net/" + name)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // a machine without IPv6 has no snmp6
			t.Fatal(err)
		}
		return strings.Split(string(text), "\n")
	}
	four := read("snmp") // of each protocol a line of names and a line of numbers
	for i := 0; i+1 < len(four); i += 2 {
		names, numbers := strings.Fields(four[i]), strings.Fields(four[i+1])
		for j := 1; j < len(names); j++ {
			counts[strings.TrimSuffix(names[0], ":")+" "+names[j]], _ = strconv.Atoi(numbers[j])
		}
	}
	for _, line := range read("snmp6") {
		if fields := strings.Fields(line); len(fields) == 2 {
			counts[fields[0]], _ = strconv.Atoi(fields[1])
		}
	}
	return counts
}
