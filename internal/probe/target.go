package probe

import (
	"strconv"
	"strings"
)

// target is the server that a command line asks about.
type target struct {
	ip   [4]byte
	port int
}

// base is the server's address as the command prints it.
func (t target) base() string { return "http://" + t.host() }

func (t target) host() string {
	var b []byte
	for i, part := range t.ip {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(part), 10)
	}
	b = append(b, ':')
	return string(strconv.AppendInt(b, int64(t.port), 10))
}

// find returns the server that a command line (without the program's name) and the
// environment name. It reports false for any other command, and for whatever only the
// command itself can judge.
func find(args []string, lookup func(string) (string, bool)) (target, bool) {
	variable := func(name string) string {
		value, _ := lookup("UNDERSTUDY_" + name)
		return value
	}
	if len(args) == 0 || args[0] != "health" || variable("WAIT") != "" || variable("OUTPUT") != "" {
		return target{}, false
	}
	address, named := strings.CutPrefix(strings.Join(args[1:], "="), "--control=")
	switch {
	case named:
	case len(args) > 1:
		return target{}, false
	case variable("CONTROL") != "":
		address = variable("CONTROL")
	default:
		address = "http://127.0.0.1:6400"
		if port, err := strconv.Atoi(variable("CONTROL_PORT")); err == nil && port > 0 {
			address = "http://127.0.0.1:" + strconv.Itoa(port)
		}
	}
	return parse(address)
}

// parse reads an address such as http://127.0.0.1:6400, in exactly this form.
func parse(address string) (target, bool) {
	var t target
	rest, _ := strings.CutPrefix(address, "http://")
	host, port, _ := strings.Cut(rest, ":")
	for i := range t.ip {
		part, after, _ := strings.Cut(host, ".")
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil {
			return target{}, false
		}
		t.ip[i], host = byte(n), after
	}
	n, err := strconv.ParseUint(port, 10, 16)
	t.port = int(n)
	return t, err == nil && n > 0 && t.base() == address
}
