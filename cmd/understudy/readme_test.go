package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/handbook"
	"github.com/understudy-suite/understudy/internal/server"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeCommands runs every command of ours that the README shows, in its
// order, but for serve.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, m := range regexp.MustCompile(`(?m)^go run \./cmd/understudy (.*)$`).FindAllStringSubmatch(readme(t), -1) {
		args := strings.Fields(m[1])
		if args[0] == "serve" {
			continue
		}
		if strings.HasPrefix(m[1], "journal show") { // which the example has made
			at(t, s, apply("somebody")...).want(t, exitDone)
		}
		at(t, s, args...).want(t, exitDone)
	}
}

// TestReadmeTable holds the README's table of APIs against the tables.
func TestReadmeTable(t *testing.T) {
	t.Parallel()
	if want := string(handbook.Table(emulators.All)); !strings.Contains(readme(t), "-->\n"+want+"<!-- end -->") {
		t.Errorf("the README's table of APIs is not what the tables say; put this between the remarks:\n%s", want)
	}
}

// TestContainerPorts holds the ports of the container's files against the tables.
func TestContainerPorts(t *testing.T) {
	t.Parallel()
	ports := server.APIPorts(emulators.All)
	_, last, _ := strings.Cut(ports, "-")
	for name, want := range map[string]string{
		"Dockerfile":         "EXPOSE 6400 6410-" + last + " 6420\n",
		"docker-compose.yml": `"127.0.0.1:` + ports + ":" + ports + `"`,
	} {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not open the APIs' ports; it needs %s", name, want)
		}
	}
}

// TestReadmeScenario checks the scenario that the README shows.
func TestReadmeScenario(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(readme(t), "```yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	command(t, nil, "", "validate", file(t, "tencentcar/no-idle-then-free.yaml", text)).want(t, exitDone)
}
