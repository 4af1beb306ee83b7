package replay_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/replay"
	"github.com/understudy-suite/understudy/internal/wire"
)

var writer = replay.Writer{Base: "http://127.0.0.1:6400"}

func entry(body string) journal.Entry {
	return journal.Entry{
		ID: "s-1", API: "toy", Operation: "SellHat", Outcome: "success", Delivered: journal.Sent, DurationMS: 1.5,
		Arrived: time.Date(2026, 3, 1, 12, 0, 0, 5, time.FixedZone("", 3600)), DecidedBy: journal.Decider{Kind: journal.Check, Name: "signature"},
		Request: journal.Message{
			Method: "POST", URL: "/hats?a=1&b=%22&c&%zz=x", Host: "h:1", Body: journal.Text(body), Bytes: len(body),
			Header: http.Header{"Content-Type": {"text/plain"}, "Cookie": {"a=b; c=d; e; ; =f;"}},
		},
		Response: journal.Message{
			Status: 302, Body: journal.Text(body), Bytes: len(body), Truncated: true,
			Header: http.Header{"Location": {"/there"}, "Set-Cookie": {"s=1; Path=/; HttpOnly"}},
		},
	}
}

// harSchema is the schema of archives.
func harSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/har-1.2.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	x, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("har", x); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("har")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestArchiveIsValid(t *testing.T) {
	schema := harSchema(t)
	text := wire.Encode(writer.HAR("1.2.3", []journal.Entry{entry(""), entry("text \u2028"), entry("\x00\xff")}))
	check := func(text []byte) error {
		x, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(x)
	}
	if err := check(text); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	if err := check(wire.Encode(writer.HAR("1.2.3", nil))); err != nil {
		t.Errorf("an empty archive: %v", err)
	}
	for _, part := range []string{
		`"startedDateTime":"2026-03-01T11:00:00.000000005Z","time":1.5`, `"url":"http://h:1/hats?a=1&b=%22&c&%zz=x"`,
		`{"name":"b","value":"\""}`, `{"name":"%zz","value":"x"}`, `{"name":"Host","value":"h:1"}`, `"cookies":[{"name":"a","value":"b"},{"name":"c","value":"d"},{"name":"e","value":""},{"name":"","value":"f"}]`,
		`"cookies":[{"name":"s","value":"1"}]`, `"redirectURL":"/there"`, `"timings":{"send":0,"wait":1.5,"receive":0}`,
		`"comment":"s-1: toy/SellHat/success, decided by check signature; sent"`, `"text":"AP8=","encoding":"base64"`, `"text":"AP8=","_encoding":"base64"`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("got %s, want in it %s", text, part)
		}
	}
	for _, broken := range [][2]string{
		{`"version":"1.2",`, `"version":"1.1",`}, {`"method":"POST",`, ``}, {`"wait":1.5`, `"wait":-1`}, {`"encoding":"base64"`, `"encoding":"hex"`}, {`2026-03-01T11`, `2026-03-01 11`},
	} {
		if !strings.Contains(string(text), broken[0]) || check([]byte(strings.Replace(string(text), broken[0], broken[1], 1))) == nil {
			t.Errorf("%s in place of %s was taken", broken[1], broken[0])
		}
	}
}

var javascript = regexp.MustCompile(`(?m)^    method: (".*"),\n    path: (".*"),\n    setHost: false,\n    headers: \[\n      "Host", .*\n      "X-Odd", (".*"),\n`)

// Whatever stands in a request, it stays inside of its literals, and means the same.
func FuzzLiterals(f *testing.F) {
	for _, seed := range []string{"", `"); process.exit(1); ("`, "`\\\n\r\u2028\x00\xff", "</script>${x}%s%d", "é😀\u0085", `\u0022`} {
		f.Add(seed, seed, seed)
	}
	f.Fuzz(func(t *testing.T, path, value, body string) {
		e := journal.Entry{Request: journal.Message{Method: "POST", URL: "/" + path, Host: "h", Body: journal.Text(body), Header: http.Header{"X-Odd": {value}}}}
		text, _, err := writer.Write(&e, replay.Go)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), "main.go", text, 0)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		var found []string
		ast.Inspect(file, func(n ast.Node) bool {
			if l, is := n.(*ast.BasicLit); is && l.Kind == token.STRING {
				s, err := strconv.Unquote(l.Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, s)
			}
			return true
		})
		for _, want := range []string{writer.Base[:7] + "h/" + path, value, body} {
			if strings.Contains(path, "://") || want == "" {
				continue
			}
			if !slices.Contains(found, want) {
				t.Errorf("%q is not in %q", want, found)
			}
		}
		text, _, _ = writer.Write(&e, replay.Node)
		m := javascript.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("the program has another shape:\n%s", text)
		}
		for i, want := range []string{"POST", "/" + path, value} {
			var got string
			if err := json.Unmarshal([]byte(m[i+1]), &got); err != nil || latin1(got) != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		}
	})
}

// latin1 is a string of one byte for each character.
func latin1(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}
