package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/emulators/tencentcar"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// asCommand has the test's own binary be the command, for scripts that call it.
const asCommand = "TEST_AS_COMMAND"

// withFault has such a command's first API fail on every request.
const withFault = "TEST_WITH_FAULT"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		if os.Getenv(withFault) != "" {
			emulators.All[0].Pick = func(*contract.Request) (*contract.Operation, contract.Miss) { panic("the roof fell") }
		}
		main()
	}
	os.Exit(m.Run())
}

// A snippet is a fenced block of a page.
type snippet struct {
	kind, text string
	line       int
}

var fence = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

func snippets(t *testing.T, file string) []snippet {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []snippet
	for _, m := range fence.FindAllSubmatchIndex(page, -1) {
		all = append(all, snippet{string(page[m[2]:m[3]]), string(page[m[4]:m[5]]), 1 + strings.Count(string(page[:m[0]]), "\n")})
	}
	if len(all) == 0 {
		t.Fatalf("%s has no snippets", file)
	}
	return all
}

// runPage runs every snippet of a page in order, in a folder of its own, so that the
// page's paths are those of files: commands against a server, and all else as runs says by
// its kind. It returns how many there were of each kind.
func runPage(t *testing.T, file string, runs map[string]func(sn snippet, control string)) map[string]int {
	t.Helper()
	page, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	s := start(t)
	ran := map[string]int{}
	for _, sn := range snippets(t, page) {
		ran[sn.kind]++
		run := runs[sn.kind]
		switch {
		case sn.kind == "console":
			runConsole(t, sn, s.ControlURL)
		case run != nil:
			run(sn, s.ControlURL)
		default:
			t.Errorf("line %d: nobody runs a snippet of %s", sn.line, sn.kind)
		}
	}
	return ran
}

// Every snippet of the page is run: commands in their order against a server,
// scenarios in a world of their own, the hook in a repository.
func TestScenariosPage(t *testing.T) {
	ran := runPage(t, "../../docs/scenarios.md", map[string]func(snippet, string){
		"yaml": func(sn snippet, _ string) {
			if strings.HasPrefix(sn.text, "repos:") {
				checkHooks(t, sn)
			} else {
				playSnippet(t, sn)
			}
		},
		"sh": func(sn snippet, _ string) { runHook(t, sn) },
	})
	if ran["console"] < 5 || ran["yaml"] < 9 || ran["sh"] < 1 {
		t.Errorf("got %v", ran)
	}
}

// The page names every key of a scenario file.
func TestScenariosPageNamesEveryKey(t *testing.T) {
	page, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	_, keys, found := strings.Cut(string(page), "## All keys")
	if !found {
		t.Fatal("the page has no list of all keys")
	}
	for _, known := range [][]string{scenario.RuleKeys, scenario.WireKeys, scenario.Matchers, scenario.Faults} {
		for _, key := range known {
			if !regexp.MustCompile(`\b` + key + `\b`).MatchString(keys) {
				t.Errorf("%s is not in the list of all keys", key)
			}
		}
	}
	for _, key := range scenario.FileKeys {
		if !regexp.MustCompile(`(?m)^` + key + `:`).Match(page) {
			t.Errorf("no example has the key %s", key)
		}
	}
}

// runConsole runs the commands of a snippet. Each line below one is what it
// prints, in this order; "…" stands for whatever is there. A command is done, unless
// "$ echo $?" says below how it ends.
func runConsole(t *testing.T, sn snippet, control string) {
	t.Helper()
	for part := range strings.SplitSeq(sn.text, "$ understudy ") {
		line, want, _ := strings.Cut(part, "\n")
		if line == "" {
			continue
		}
		want, exit, _ := strings.Cut(want, "$ echo $?\n")
		code, _ := strconv.Atoi(strings.TrimSpace(exit)) // 0 where it is not said
		r := command(t, []string{"UNDERSTUDY_CONTROL=" + control}, "", strings.Fields(line)...)
		rest := r.out
		for want := range strings.SplitSeq(strings.TrimSpace(strings.ReplaceAll(want, "…", "\n")), "\n") {
			at := strings.Index(rest, strings.TrimSpace(want))
			if r.code != code || at < 0 {
				t.Errorf("line %d: understudy %s\nexit %d; %q is not there:\n%s%s", sn.line, line, r.code, want, r.out, r.err)
				break
			}
			rest = rest[at+len(strings.TrimSpace(want)):]
		}
	}
}

// playSnippet reads a scenario, or the rules of one, lays it where the page says
// that it lies, and plays it until each of its rules has decided.
func playSnippet(t *testing.T, sn snippet) {
	t.Helper()
	text := sn.text
	if strings.HasPrefix(text, "- ") {
		text = "scenario: snippet\napi: tencentcar\nrules:\n" + text
	}
	s, err := scenario.Parse(fmt.Sprintf("scenarios.md from line %d", sn.line), []byte(text), emulators.All)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	folder := filepath.Join("mine", s.API)
	if err := errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, s.Name+".yaml"), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	w := conformance.New(t, tencentcar.API, conformance.Setting{Set: map[string]string{"rate_limits": "off"}})
	w.Sandbox.Player.On(s, scenario.Options{})
	for round := range 40 {
		for _, op := range tencentcar.API.Operations {
			in := contract.Sample(op.Params)
			for name, value := range map[string]string{"UserId": fmt.Sprint("u-", 1+round%2), "UserIp": "127.0.0.1"} {
				if in.Has(name) {
					in[name] = value
				}
			}
			sendImpatient(t, w, op, in)
		}
		if round%10 == 9 {
			if err := w.Sandbox.Clock.Advance(3 * 60e9); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, r := range w.Sandbox.Player.Active()[0].Rules {
		if r.Fired == 0 {
			t.Errorf("the scenario of line %d: rule %d never decided", sn.line, r.Rule)
		}
	}
}

// sendImpatient sends a call whose client waits for nothing, and does not mind
// that the connection breaks.
func sendImpatient(t *testing.T, w *conformance.World, op *contract.Operation, in contract.Values) {
	t.Helper()
	defer func() {
		if err, ok := recover().(error); ok && !errors.Is(err, http.ErrAbortHandler) {
			panic(err)
		}
	}()
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := w.Request(t, op, in).WithContext(ctx)
	r.Header.Set("User-Agent", "somebody")
	w.Send(r)
}

// checkHooks holds a configuration of pre-commit against what we have: its entry
// is a command of ours, and its pattern finds our files.
func checkHooks(t *testing.T, sn snippet) {
	t.Helper()
	var config struct {
		Repos []struct {
			Repo  string
			Hooks []struct{ ID, Name, Entry, Language, Files string }
		}
	}
	if err := yaml.Unmarshal([]byte(sn.text), &config); err != nil {
		t.Fatal(err)
	}
	hook := config.Repos[0].Hooks[0]
	files := regexp.MustCompile(hook.Files)
	for name, want := range map[string]bool{
		"scenarios/tencentcar/a.yaml": true, "test/fixtures/tencentcar/a.yml": true, "scenarios/README.md": false, "docker-compose.yaml": false,
	} {
		if got := files.MatchString(name); got != want {
			t.Errorf("%s: got %t, want %t", name, got, want)
		}
	}
	bad := file(t, "scenarios/tencentcar/bad.yaml", "scenario: bad\n")
	args := append(strings.Fields(strings.TrimPrefix(hook.Entry, "understudy ")), bad)
	command(t, nil, "", args...).want(t, exitFailed, "bad.yaml:1:1:")
}

// runHook has git run the hook in a repository: a good file is committed, a
// faulty one is not, and what is none of ours is left alone.
func runHook(t *testing.T, sn snippet) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	repository, bin := t.TempDir(), t.TempDir()
	put := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(text), mode)); err != nil {
			t.Fatal(err)
		}
	}
	put(filepath.Join(bin, "understudy"), "#!/bin/sh\n"+asCommand+"=1 exec '"+self+"' \"$@\"\n", 0o700)
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=qa", "-c", "user.email=qa@example.com", "-c", "core.hooksPath=.git/hooks"}, args...)...)
		cmd.Dir = repository
		cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := git("init", "-q"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	put(filepath.Join(repository, ".git/hooks/pre-commit"), sn.text, 0o700)
	for _, step := range []struct {
		file, text string
		taken      bool
	}{
		{"notes.yaml", "a: [\n", true},
		{"scenarios/tencentcar/mine.yaml", goodScenario, true},
		{"scenarios/tencentcar/my own.yaml", strings.Replace(goodScenario, "NoIdle", "NoIdel", 1), false},
	} {
		put(filepath.Join(repository, step.file), step.text, 0o600)
		if out, err := git("add", "."); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		out, err := git("commit", "-q", "-m", "one more")
		if (err == nil) != step.taken || !step.taken && !strings.Contains(out, `did you mean "ResourceNotFound.NoIdle"?`) {
			t.Errorf("line %d, %s: got %v, %s, want it taken: %t", sn.line, step.file, err, out, step.taken)
		}
	}
}
