package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/server"
	"github.com/understudy-suite/understudy/internal/wire"
)

// sendAgain sends a call's request again, byte for byte, and returns its entry.
func sendAgain(t *testing.T, s *server.Server, e journal.Entry) journal.Entry {
	t.Helper()
	r, err := http.NewRequest(e.Request.Method, "http://"+e.Request.Host+e.Request.URL, bytes.NewReader(e.Request.Body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = e.Request.Header.Clone()
	r.Header.Del("Understudy-Outcome")
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	again, found := s.Registry.Find("default").Journal.Find(answer.Header.Get("Understudy-Call"))
	if !found {
		t.Fatal("the call is not in the journal")
	}
	return again
}

// The scenario of a call has the same request end so again, with the same status and
// the same body: of every operation of every API a success, where a sample meets one,
// and a refusal.
func TestReplayOfEveryAPI(t *testing.T) {
	t.Parallel()
	for _, api := range emulators.All {
		t.Run(api.Name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			ends := map[bool]int{}
			for _, op := range api.Operations {
				args := []string{"call", api.Name, op.Name}
				for name, x := range contract.Sample(op.Params) {
					text, is := x.(string)
					if !is {
						text = string(wire.Encode(x))
					}
					args = append(args, name+"="+text)
				}
				for _, further := range [][]string{nil, {"--outcome", refusalOf(api, op)}} {
					if at(t, s, "reset").want(t, exitDone); further != nil && further[1] == "" {
						continue
					}
					at(t, s, append(args, further...)...).want(t, exitDone)
					e, _ := s.Registry.Find("default").Journal.Find("default-1")
					outcome := api.Outcome(op, e.Outcome)
					if outcome == nil {
						continue // the sample was refused by what names no operation
					}
					yaml := at(t, s, "journal", "show", "default-1", "-o", "scenario")
					at(t, s, "validate", file(t, api.Name+"/replay-default-1.yaml", yaml.out)).want(t, exitDone, "1 file, 0 faults")
					command(t, []string{"UNDERSTUDY_CONTROL=" + s.ControlURL}, yaml.out, "scenarios", "on", "-").want(t, exitDone)
					again := sendAgain(t, s, e)
					if e.DecidedBy.Kind == journal.Check && again.DecidedBy.Kind == journal.Check {
						continue // the request itself is wrong, and no scenario hides that
					}
					ends[outcome.Fails]++
					if again.DecidedBy.Kind != journal.Scenario || again.Status != e.Status || !sameBody(&e, &again) {
						t.Errorf("%s, %s by %s:\ngot  %d %s by %s\nwant %d %s\n%s", op.Name, e.Outcome, e.DecidedBy, again.Status, again.Response.Body, again.DecidedBy, e.Status, e.Response.Body, yaml.out)
					}
				}
			}
			if ends[true] == 0 || ends[false] == 0 {
				t.Errorf("%d refusals and %d successes were played again", ends[true], ends[false])
			}
		})
	}
}

// refusalOf is the first outcome of an operation's own that fails.
func refusalOf(api *contract.API, op *contract.Operation) string {
	for _, o := range op.Outcomes {
		if o.Fails && !api.DeclaredByCheck(o) {
			return o.Name
		}
	}
	return ""
}

// sameBody compares what two answers say. A ciphertext is never the same twice.
func sameBody(a, b *journal.Entry) bool {
	if bytes.Contains(a.Response.Body, []byte(`"encrypt"`)) || !json.Valid(a.Response.Body) && a.API == "youdu" {
		return len(a.Response.Body) == len(b.Response.Body) && bytes.Equal(wire.Encode(a.Response.Decoded), wire.Encode(b.Response.Decoded))
	}
	return bytes.Equal(a.Response.Body, b.Response.Body)
}

// Every form of a request sends the same bytes again, whatever they are, and prints
// nothing that steers a terminal.
func TestFormsSendTheSameAgain(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, body := range map[string]string{
		"none":   "",
		"text":   "{\"a\": \"it's \\\"$(id)` %s `\\n</script>\u2028é\"}",
		"binary": "\x00\xff'\"\\\r\n\x1b[2J",
	} {
		r, err := http.NewRequest(http.MethodPost, s.DoorURL+"/tencentcar/?a='$(id)'&b=%22%5C&c=`", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"X-Odd": {"it's \\ \"$(id)\" `\xe9\u0085`", "two"}, "User-Agent": {"a%s"}, "Content-Type": {"text/plain"}}
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		box := s.Registry.Find("default").Journal
		id := answer.Header.Get("Understudy-Call")
		first, _ := box.Find(id)
		for file, run := range map[string][]string{"main.go": {"go", "run"}, "main.js": {"node"}, "main.cjs": {"node"}, "main.mjs": {"node"}, "main.sh": {"sh"}} {
			t.Run(name+" by "+file, func(t *testing.T) {
				form := cmp.Or(map[string]string{"main.go": "go", "main.sh": "curl"}[file], "node")
				if _, err := exec.LookPath(form); err != nil {
					t.Skipf("there is no %s here", form)
				}
				text := at(t, s, "journal", "show", id, "-o", form)
				if text.want(t, exitDone); text.out != output.Printable(text.out) {
					t.Errorf("prints %q", text.out)
				}
				if _, served := askControl(t, s, "GET", "/v1/sandboxes/default/journal/"+id+"?format="+form, "", ""); !strings.HasSuffix(served, text.out) {
					t.Errorf("the control API has %q, the command %q", served, text.out)
				}
				program := filepath.Join(t.TempDir(), file)
				if err := os.WriteFile(program, []byte(text.out), 0o600); err != nil {
					t.Fatal(err)
				}
				if form == "go" {
					if out, err := exec.CommandContext(t.Context(), "go", "vet", program).CombinedOutput(); err != nil {
						t.Fatalf("%v\n%s\n%s", err, out, text.out)
					}
				}
				before := box.Counts().Entries
				if out, err := exec.CommandContext(t.Context(), run[0], append(run[1:], program)...).CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s\n%s", err, out, text.out)
				}
				if after := box.Counts().Entries; after != before+1 {
					t.Fatalf("%d calls were made", after-before)
				}
				latest, _ := box.List(journal.Filter{Limit: 1})
				again := latest[0].Request
				if again.URL != first.Request.URL || again.Host != first.Request.Host || !bytes.Equal(again.Body, first.Request.Body) {
					t.Errorf("got  %q %q %q\nwant %q %q %q", again.URL, again.Host, again.Body, first.Request.URL, first.Request.Host, first.Request.Body)
				}
				for name, want := range first.Request.Header {
					if name != "Accept-Encoding" && name != "Content-Length" && strings.Join(again.Header[name], "|") != strings.Join(want, "|") {
						t.Errorf("got %s %q, want %q", name, again.Header[name], want)
					}
				}
			})
		}
	}
}

// The archive of the journal has the calls that a filter chooses, oldest first.
func TestJournalAsArchive(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, apply("u-1")...).want(t, exitDone)
	at(t, s, "call", "polyv", "ListChannels").want(t, exitDone)
	at(t, s, "journal", "-o", "har", "-f").want(t, exitUsage, "!an archive has an end")
	r := at(t, s, "journal", "-o", "har", "--api", "tencentcar")
	var a struct {
		Log struct {
			Entries []struct{ Comment string }
		}
	}
	if err := json.Unmarshal([]byte(r.out), &a); err != nil || len(a.Log.Entries) != 1 || a.Log.Entries[0].Comment != "default-1: tencentcar/ApplyConcurrent/success, decided by emulator; sent" {
		t.Errorf("got %v %+v", err, a)
	}
}
