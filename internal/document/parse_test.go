package document_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/document"
)

func TestParseReportsFaults(t *testing.T) {
	deep := strings.Repeat("[", 80) + strings.Repeat("]", 80)
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'h'; c++ {
		bomb += fmt.Sprintf("%c: &%[1]c [%s]\n", c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 10), ","))
	}
	long := "a: &a " + strings.Repeat("x", 300_000) + "\nb: [*a, *a, *a, *a]\n"
	tests := []struct{ name, text, want string }{
		{"too large", strings.Repeat("#", 1<<20+1), "f.yaml:1:1: the file has 1048577 bytes; at most 1048576 were expected; split it"},
		{"empty", "", "f.yaml:1:1: the file is empty; a mapping of keys to values was expected"},
		{"only remarks", "# nothing\n", "f.yaml:1:1: the file is empty; a mapping of keys to values was expected"},
		{"null", "---\n", "f.yaml:2:1: the file holds null; a mapping of keys to values was expected"},
		{"a list", "- a\n", "f.yaml:1:1: the file holds a list; a mapping of keys to values was expected"},
		{"a text", "hello\n", `f.yaml:1:1: the file holds the text "hello"; a mapping of keys to values was expected`},
		{"not UTF-8", "a: b\nc: \xff\n", "f.yaml:2:4: the byte 0xff is not UTF-8; save the file as UTF-8"},
		{"UTF-16", "\xff\xfea\x00", "f.yaml:1:1: the byte 0xff is not UTF-8; save the file as UTF-8"},
		{"control character", "a: é\x00\n", "f.yaml:1:5: the character U+0000 may not stand in YAML; write it as an escape in double quotes"},
		{"two documents", "a: b\n---\nc: d\n", "f.yaml:2:1: a second document begins here; one was expected; take the --- away or make two files of it"},
		{"broken second document", "a: b\n---\n[\n", "f.yaml:4:1: this is not YAML: did not find expected node content; look at the indentation, quotes and brackets from here on"},
		{"doubled key", "a: 1\nb:\n  c: 1\n  c: 2\n", `f.yaml:4:3: the key "c" stands twice, first in line 3; leave one`},
		{"doubled key, quoted", "5: 1\n\"5\": 2\n", `f.yaml:2:1: the key "5" stands twice, first in line 1; leave one`},
		{"doubled key in a list", "a: [{b: 1, b: 2}]\n", `f.yaml:1:12: the key "b" stands twice, first in line 1; leave one`},
		{"list as key", "[a]: b\n", "f.yaml:1:1: a key is a list; a plain word was expected"},
		{"merge", "a: &a {b: 1}\nc:\n  <<: *a\n", "f.yaml:3:3: the merge key << is not read here; write the keys out, or use an alias for the whole value"},
		{"tag", "a: !!binary aGk=\n", `f.yaml:1:4: the tag "!!binary" was found; a value without a tag was expected; quote what shall be text`},
		{"cycle", "a: &a\n  b: *a\n", "f.yaml:2:6: the alias *a stands for what it is a part of; write out what is meant"},
		{"unknown alias", "a: 1\nb: *nobody\n", "f.yaml:2:4: the alias *nobody stands for nothing; an anchor &nobody before it was expected"},
		{"bomb", bomb, "f.yaml:4:29: with the alias *c aliases stand for more than 10000 values or 1048576 bytes; use fewer"},
		{"bomb of text", long, "f.yaml:2:17: with the alias *a aliases stand for more than 10000 values or 1048576 bytes; use fewer"},
		{"deep", "a: " + deep, "f.yaml:1:67: values are nested deeper than 64 levels; nothing that is read here is"},
		{"tab", "a:\n\tb: 1\n", "f.yaml:2:1: this is not YAML: found character that cannot start any token; indent with spaces, not with tabs"},
		{"colon", "a: b\nc: d: e\n", "f.yaml:2:1: this is not YAML: mapping values are not allowed in this context; quote a value that holds a colon and a space, and look at the indentation"},
		{"at", "a: @b\n", "f.yaml:1:1: this is not YAML: found character that cannot start any token; quote a value that begins with @, ` or %"},
		{"dedent", "a:\n  b: 1\n c: 2\n", "f.yaml:3:1: this is not YAML: did not find expected key; look at the indentation, quotes and brackets from here on"},
		{"several", "a: 1\na: 2\nb: !x y\n", "f.yaml:2:1: the key \"a\" stands twice, first in line 1; leave one\nf.yaml:3:4: the tag \"!x\" was found; a value without a tag was expected; quote what shall be text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := document.Parse("f.yaml", []byte(tt.text))
			if n != nil || fmt.Sprint(err) != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestParseReads(t *testing.T) {
	tests := []struct{ name, text string }{
		{"byte order mark", "\ufeffa: 1\n"},
		{"tab after a value", "a: 1\t\n"},
		{"carriage returns", "a: 1\r\nb: 2\r\n"},
		{"marks around", "%YAML 1.1\n---\na: 1\n...\n"},
		{"alias", "a: &a {b: 1}\nc: *a\nd: [*a, *a]\n"},
		{"quoted merge key", "a: {\"<<\": 1}\n"},
		{"same key apart", "a: {b: 1}\nc: {b: 1}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := document.Parse("f.yaml", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := n.Content[0].Value; got != "a" {
				t.Errorf("got first key %q, want a", got)
			}
		})
	}
}

// TestParseTakesItsTime holds that no file within the bounds keeps its reader
// waiting.
func TestParseTakesItsTime(t *testing.T) {
	fill := func(s string) string { return strings.Repeat(s, document.MaxSize/len(s)) }
	tests := []struct{ name, text string }{
		{"open lists", fill("[")},
		{"open mappings", fill("{a: ")},
		{"dashes", fill("- ")},
		{"remarks", fill("#\n")},
		{"remarks between keys", fill("a: 1\n#\n")},
		{"question marks", fill("? ")},
		{"anchors", fill("&a ")},
		{"aliases", "a: &a 1\nb: [" + fill("*a,")[:document.MaxSize-20] + "]"},
		{"long key", fill("a")},
		{"colons", fill(": ")},
		{"many keys", fill("a: 1\n")},
		{"quotes", `a: "` + fill(`\u00e9`)[:document.MaxSize-8] + `"`},
		{"spaces", fill(" ")},
		{"lines", fill("a\n")},
		{"flow remarks", "a: [" + fill("1, #\n")[:document.MaxSize-8]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			_, _ = document.Parse("f.yaml", []byte(tt.text))
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("got %v, want less than a minute", took)
			} else {
				t.Log(took)
			}
		})
	}
}

func TestFaultsAreBounded(t *testing.T) {
	_, err := document.Parse("f.yaml", []byte(strings.Repeat("a: 1\n", 1000)))
	lines := strings.Split(fmt.Sprint(err), "\n")
	if len(lines) != document.Most+1 {
		t.Errorf("got %d lines, want %d", len(lines), document.Most+1)
	}
	var fault *document.Fault
	if !errors.As(err, &fault) || fault.Line != 2 {
		t.Errorf("got %v, want a fault in line 2", fault)
	}
	if document.NewFaults("f.yaml").Err() != nil {
		t.Error("got an error, want nil where nothing was said")
	}
}

func TestReadPath(t *testing.T) {
	t.Chdir(t.TempDir())
	for file, text := range map[string][]byte{"a.yaml": []byte("a: 1"), "big.yaml": make([]byte, document.MaxSize+1)} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("d", 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ file, want, fault string }{
		{"a.yaml", "a: 1", "<nil>"},
		{"big.yaml", "", "big.yaml:1:1: the file has 1048577 bytes; at most 1048576 were expected; split it"},
		{"d", "", "d:1:1: this is no regular file; a YAML file was expected"},
		{"no.yaml", "", "looking at no.yaml: "},
	}
	for _, tt := range tests {
		if text, err := document.ReadPath(tt.file); string(text) != tt.want || !strings.HasPrefix(fmt.Sprint(err), tt.fault) {
			t.Errorf("got  %q, %v\nwant %q, %s", text, err, tt.want, tt.fault)
		}
	}
}

func TestHint(t *testing.T) {
	many := []string{"a", "b", "c", "d", "e", "f", "g", "h", "CreateSession"}
	tests := []struct {
		got   string
		known []string
		want  string
	}{
		{"createsession", many, `; did you mean "CreateSession"?`},
		{"CreateSesion", many, `; did you mean "CreateSession"?`},
		{"rulse", []string{"scenario", "rules"}, `; did you mean "rules"?`},
		{"itmes", []string{"times"}, `; did you mean "times"?`},
		{"outcomes", []string{"operation", "outcome"}, `; did you mean "outcome"?`},
		{"NoIdle", []string{"ResourceNotFound.NoIdle", "Other"}, `; did you mean "ResourceNotFound.NoIdle"?`},
		{"NoIdle", []string{"ResourceNotFound.NoIdle", "LimitExceeded.NoIdle"}, "; known: ResourceNotFound.NoIdle, LimitExceeded.NoIdle"},
		{"missing_parameters", []string{"missingParameters"}, `; did you mean "missingParameters"?`},
		{"p1", []string{"default", "w1"}, "; known: default, w1"},
		{"weather", []string{"delay", "fault"}, "; known: delay, fault"},
		{"weather", many, ""},
		{"weather", nil, ""},
		{"", []string{"a"}, "; known: a"},
		{strings.Repeat("a", 1<<20), many, ""},
	}
	for _, tt := range tests {
		if got := document.Hint(tt.got, tt.known); got != tt.want {
			t.Errorf("%.20q: got %q, want %q", tt.got, got, tt.want)
		}
	}
}

var located = regexp.MustCompile(`^f\.yaml:[1-9][0-9]*:[1-9][0-9]*: .`)

// FuzzParse holds that every refusal names its place, and that what is read
// can be walked.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, s := range []string{"a: 1", "a: &a [*a]", "? [a]\n: b", "a: |\n  b\n", "---\n---\n", "a: !!x y", "{a: {b: [1, \"\\u0041\"]}}", "\ufeff#\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := document.Parse("f.yaml", text)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !located.MatchString(line) {
					t.Errorf("got %q, want file:line:col: text", line)
				}
			}
			return
		}
		if count := size(n); count > 2*document.MaxSize+document.MaxExpanded {
			t.Errorf("got %d nodes", count)
		}
		faults := document.NewFaults("f.yaml")
		document.Check(faults, n, rows, "a file")
		_ = faults.Err()
	})
}

func size(n *yaml.Node) int {
	n = document.Resolve(n)
	sum := 1
	for _, child := range n.Content {
		sum += size(child)
	}
	return sum
}
