package main

import (
	"encoding/json"
	"maps"
	"os/exec"
	"testing"
)

// dotenvValues are values that quotes and escapes could break, and how they are written.
var dotenvValues = map[string]struct{ value, written string }{
	"PLAIN":      {"AKIDplain", `'AKIDplain'`},
	"EMPTY":      {"", `''`},
	"APOSTROPHE": {"it's", `"it's"`},
	"FIRST":      {"'first", `"'first"`},
	"QUOTES":     {`"both" kinds`, `'"both" kinds'`},
	"BOTH":       {`it's "both" # = $HOME ${HOME} \n`, "`it's \"both\" # = $HOME ${HOME} \\n`"},
	"BACKSLASH":  {`C:\new's`, "`C:\\new's`"},
	"DOLLAR":     {`$HOME's`, "`$HOME's`"},
	"COMMENT":    {`a # b=c  `, `'a # b=c  '`},
	"BACKTICK":   {"it's a `", "\"it's a `\""},
	"LETTERS":    {"d'été 学", `"d'été 学"`},
	"LINES":      {"a\nb's", "\"a\nb's\""},
}

// Node reads the values of `env --for dotenv` as they are.
func TestDotenv(t *testing.T) {
	t.Parallel()
	text, want := "", map[string]string{}
	for name, tt := range dotenvValues {
		line, err := variableForms["dotenv"].line(name, tt.value)
		if err != nil || line != name+"="+tt.written {
			t.Errorf("%s: got %s, %v, want %s", name, line, err, tt.written)
		}
		text, want[name] = text+line+"\n", tt.value
	}
	if line, err := variableForms["dotenv"].line("ALL", "'\"`"); err == nil {
		t.Errorf("got %s, want an error: no reader takes it", line)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node on PATH that could read the file")
	}
	const script = "delete process.env.HOME; console.log(JSON.stringify(process.env))"
	cmd := exec.CommandContext(t.Context(), node, "--env-file="+file(t, "a.env", text), "-e", script)
	cmd.Env = []string{"HOME=/home"} // what is set already, Node does not read from the file
	printed, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(printed, &got); err != nil || !maps.Equal(got, want) {
		t.Errorf("node read %q, %v\nwant %q\n%s", got, err, want, text)
	}
}
