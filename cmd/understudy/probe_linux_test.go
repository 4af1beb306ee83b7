package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A container asks for its health once a second. Where the server is ready the answer
// comes before the packages of the HTTP client, the tables and the commands are
// initialized, which is most of what the command costs.
func TestHealthEndsBeforeTheRestBegins(t *testing.T) {
	t.Parallel()
	s := start(t)
	initialized := func(args ...string) string {
		t.Helper()
		var out, log strings.Builder
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), asCommand+"=1", "GODEBUG=inittrace=1", "UNDERSTUDY_CONTROL="+s.ControlURL)
		cmd.Stdout, cmd.Stderr = &out, &log
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %v, %s", args, err, log.String())
		}
		if want := "ready control=" + s.ControlURL + "\n"; out.String() != want {
			t.Errorf("%v: got %q, want %q", args, out.String(), want)
		}
		return log.String()
	}
	for _, args := range [][]string{{"health"}, {"health", "--control", s.ControlURL}} {
		for _, name := range []string{"net", "net/http", "github.com/understudy-suite/understudy/emulators/adobepass"} {
			if strings.Contains(initialized(args...), "init "+name+" @") {
				t.Errorf("%v initializes package %s", args, name)
			}
		}
	}
	if !strings.Contains(initialized("health", "--wait", "10s"), "init net/http @") {
		t.Error("inittrace does not say what is initialized")
	}
}
