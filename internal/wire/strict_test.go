package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/wire"
)

type saved struct {
	Name   string            `json:"name"`
	List   []string          `json:"list"`
	Map    map[string]*saved `json:"map"`
	N      int64             `json:"n,omitempty"`
	At     time.Time         `json:"at"`
	Any    map[string]any    `json:"any,omitempty"`
	Raw    json.RawMessage   `json:"raw,omitempty"`
	hidden int
}

func TestSaved(t *testing.T) {
	t.Parallel()
	whole := `{"name":"a\ud83d\ude00<","list":[],"map":{"x":{"name":"","list":["y"],"map":{},"n":9007199254740993,"at":"2026-03-01T12:00:00.5Z"}},"at":"0001-01-01T00:00:00Z","any":{"n":9007199254740993,"f":1.50,"t":null},"raw":{"b":1,"a":[2]}}`
	for _, text := range []string{
		whole, strings.ReplaceAll(whole, ",", " ,\n"),
		`{"at":"0001-01-01T00:00:00Z","map":{},"list":[],"name":""}`,
	} {
		var one saved
		if err := wire.ReadSaved([]byte(text), &one); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		again, err := wire.Saved(one)
		if err != nil {
			t.Fatal(err)
		}
		if err := wire.ReadSaved(again, &saved{}); err != nil || one.hidden != 0 {
			t.Errorf("%s, saved as %s: %v", text, again, err)
		}
	}
	if empty, err := wire.Saved(saved{}); err != nil || string(empty) != `{"name":"","list":[],"map":{},"at":"0001-01-01T00:00:00Z"}` {
		t.Errorf("got %s, %v", empty, err)
	}
}

func TestReadSavedRefuses(t *testing.T) {
	t.Parallel()
	const rest = `"list":[],"map":{},"at":"2026-03-01T12:00:00Z"}`
	for text, want := range map[string]string{
		``:                               "the JSON text ends too early",
		`{"name":"a",`:                   "the JSON text ends too early",
		`[]`:                             "an object was expected, an array was found",
		`null`:                           "an object was expected, null was found",
		`{"name":"a",` + rest + `{}`:     "invalid character",
		`{"name":"a","name":"a",` + rest: "name: the member stands twice",
		`{"Name":"a",` + rest:            "Name: the member is unknown",
		`{` + rest:                       "name: the member is missing",
		`{"name":null,` + rest:           "name: a string was expected, null was found",
		`{"name":1,` + rest:              "name: a string was expected, a number was found",
		`{"name":"a","n":"1",` + rest:    "n: a whole number was expected, a string was found",
		`{"name":"a","n":1e99,` + rest:   "n: a whole number was expected, a number was found",
		`{"name":"a","n":0,` + rest:      "n: the member says nothing; leave it out",
		`{"name":"a","n":1.5,` + rest:    "n: a whole number was expected",
		`{"name":"a","list":null,"map":{},"at":"2026-03-01T12:00:00Z"}`:                                                            "list: an array was expected, null was found",
		`{"name":"a","list":[],"map":null,"at":"2026-03-01T12:00:00Z"}`:                                                            "map: an object was expected, null was found",
		`{"name":"a","list":[null],"map":{},"at":"2026-03-01T12:00:00Z"}`:                                                          "list.0: a string was expected, null was found",
		`{"name":"a","list":[],"map":{"x":{}},"at":"2026-03-01T12:00:00Z"}`:                                                        "map.x.at: the member is missing",
		`{"name":"a","list":[],"map":{"x":{},"x":{}},"at":"2026-03-01T12:00:00Z"}`:                                                 "map.x: the member stands twice",
		`{"name":"a","list":[],"map":{},"at":"noon"}`:                                                                              "at: an instant such as 2026-03-01T12:00:00Z was expected, a string was found",
		`{"name":"a","list":[],"map":{},"at":"2026-03-01T12:00:00.000Z"}`:                                                          "at: 2026-03-01T12:00:00.000Z was found, which would be written as 2026-03-01T12:00:00Z",
		`{"name":"a","raw":{"a":1,"a":2},` + rest:                                                                                  "raw.a: the member stands twice",
		"{\"name\":\"\xff\"," + rest:                                                                                               "invalid UTF-8",
		`{"name":"a","list":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `,"map":{},"at":"2026-03-01T12:00:00Z"}`: "list",
	} {
		if err := wire.ReadSaved([]byte(text), &saved{}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Go ") {
			t.Errorf("%.120q: got %v, want %s", text, err, want)
		}
	}
}

// Who sees an error of encoding/json reads nothing of Go in it.
func TestInWords(t *testing.T) {
	type form struct {
		Items []struct {
			Name  string `json:"name"`
			Count uint8  `json:"count"`
			On    bool   `json:"on"`
		} `json:"items"`
		By map[string]any `json:"by"`
	}
	for text, want := range map[string]string{
		`[]`:                        "an object was expected, an array was found",
		`"x"`:                       "an object was expected, a string was found",
		`7`:                         "an object was expected, a number was found",
		`true`:                      "an object was expected, a truth value was found",
		`{"items":{}}`:              "items: an array was expected, an object was found",
		`{"items":[{"name":1}]}`:    "items.name: a string was expected, a number was found",
		`{"items":[{"count":300}]}`: "items.count: a whole number from 0 on was expected, the number 300 was found",
		`{"items":[{"on":"yes"}]}`:  "items.on: a truth value was expected, a string was found",
		`{"by":[]}`:                 "by: an object was expected, an array was found",
		`{`:                         "unexpected end of JSON input",
	} {
		if got := wire.InWords(json.Unmarshal([]byte(text), &form{})); got == nil || got.Error() != want {
			t.Errorf("%s: got %v, want %s", text, got, want)
		}
	}
	if got := wire.InWords(nil); got != nil {
		t.Errorf("got %v of no error", got)
	}
}
