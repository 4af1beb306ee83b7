package schema_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/schema"
	"github.com/understudy-suite/understudy/scenarios"
)

// compile compiles a schema, which is thereby held against that of schemas.
func compile(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// value is a YAML text as JSON knows it.
func value(t *testing.T, text []byte) any {
	t.Helper()
	var x any
	if err := yaml.Unmarshal(text, &x); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Every shipped file is one that its schema takes.
func TestShippedFilesFit(t *testing.T) {
	for _, kind := range []struct {
		schema []byte
		files  fs.FS
	}{{schema.Scenario(emulators.All), scenarios.Files}, {schema.Fixture(emulators.All), fixtures.Files}} {
		s := compile(t, kind.schema)
		files, err := fs.Glob(kind.files, "*/*.yaml")
		if err != nil || len(files) == 0 {
			t.Fatalf("got %v, %v", files, err)
		}
		for _, file := range files {
			text, err := fs.ReadFile(kind.files, file)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(value(t, text)); err != nil {
				t.Errorf("%s: %v", path.Join(file), err)
			}
		}
	}
}

// What the reader takes its schema takes, and of what the reader refuses the
// schema refuses what it can see.
func TestScenarioSchema(t *testing.T) {
	api := toy.New()
	apis := []*contract.API{api}
	s := compile(t, schema.Scenario(apis))
	const head = "scenario: x\napi: toy\nrules:\n  - "
	for _, tt := range []struct {
		text string
		fits bool
	}{
		{head + "{operation: DropParcel, outcome: busy}", true},
		{head + "{operation: DropParcel, where: {content: {in: [a, 5]}, weight: {gt: 1, lt: 2.5}, size: S, header.X-A: {absent: true}, query.a: {matches: x}}, outcome: busy}", true},
		{head + "{operation: DropParcel, outcomes: [busy, emulator, tooFast], repeat: all, message: no, with: {error: 1, id: null}}", true},
		{head + "{operation: DropParcel, phantom: true}", true},
		{head + "{operation: '*', wire: {delay: {min: 1s, max: 2s}, bandwidth: 2KB/s, fault: reset, when: after, headers: {A: null}}}", true},
		{head + "{operation: GetParcel, state: initial, then: x, from: 1m30s, until: 2h, chance: 0.5, times: 1, skip: 0, phantom: true, expect: {fired: 1}, trigger: {parcel.lost: {}}}", true},
		{"scenario: x\napi: all\nrules: [{operation: '*', where: {header.A: b}, wire: {answer: {status: 502, body: x}}}]", true},

		{head + "{operation: DropParcle, outcome: busy}", false},
		{head + "{operation: DropParcel, outcome: bussy}", false},
		{head + "{operation: GetParcel, outcome: busy}", false},
		{head + "{operation: '*', outcome: busy}", false},
		{head + "{operation: DropParcel, outcomes: [busy, nothing]}", false},
		{head + "{operation: DropParcel, where: {contents: a}, outcome: busy}", false},
		{head + "{operation: DropParcel, where: {content: {equals: a}}, outcome: busy}", false},
		{head + "{operation: DropParcel, with: {parcels: a}, outcome: success}", false},
		{head + "{operation: DropParcel, outcom: busy}", false},
		{head + "{operation: DropParcel}", false},
		{head + "{operation: DropParcel, outcome: busy, times: 0}", false},
		{head + "{operation: DropParcel, outcome: busy, outcomes: [busy]}", false},
		{head + "{operation: DropParcel, outcome: busy, repeat: all}", false},
		{head + "{operation: DropParcel, outcome: busy, from: soon}", false},
		{head + "{operation: DropParcel, trigger: {parcel.last: {}}}", false},
		{head + "{operation: DropParcel, trigger: {parcel.lost: {id: x}}}", false},
		{head + "{operation: DropParcel, wire: {fault: rest}}", false},
		{head + "{operation: DropParcel, wire: {}}", false},
		{head + "{operation: DropParcel, wire: {fault: reset, answer: {status: 502}}}", false},
		{"scenario: x\napi: tyo\nrules: [{operation: DropParcel, outcome: busy}]", false},
		{"scenario: x\napi: toy\nrules: []", false},
		{"api: toy\nrules: [{operation: DropParcel, outcome: busy}]", false},
		{"scenario: x\napi: all\nrules: [{operation: DropParcel, wire: {delay: 1s}}]", false},
		{"scenario: x\napi: all\nrules: [{operation: '*', outcome: broken}]", false},
	} {
		if got := s.Validate(value(t, []byte(tt.text))); (got == nil) != tt.fits {
			t.Errorf("%s\ngot %v, want fits %t", tt.text, got, tt.fits)
		}
		if _, err := scenario.Parse("x.yaml", []byte(tt.text), apis); (err == nil) != tt.fits {
			t.Errorf("%s\nthe reader says %v, want fits %t", tt.text, err, tt.fits)
		}
	}
}

// Paths into objects and lists are completed and taken.
func TestScenarioSchemaOfPaths(t *testing.T) {
	api := toy.New()
	drop := api.Operation("DropParcel")
	drop.Params = append(drop.Params,
		contract.Param{Name: "from", Type: contract.Object, Doc: "Who.", Fields: []contract.Param{{Name: "name"}, {Name: "more", Type: contract.Object}}},
		contract.Param{Name: "lines", Type: contract.List, Of: contract.Object, Fields: []contract.Param{{Name: "n"}, {Name: "in", Type: contract.Object, Fields: []contract.Param{{Name: "x"}}}}},
		contract.Param{Name: "tags", Type: contract.List, Of: contract.String},
	)
	apis := []*contract.API{api}
	s := compile(t, schema.Scenario(apis))
	for where, fits := range map[string]bool{
		"from.name": true, "from.more.any.thing": true, "lines.0.n": true, "lines.12.in.x": true, "tags.0": true, "lines.3": true,
		"from.nam": false, "lines.n": false, "lines.0.m": false, "tags.first": false, "lines.0.in.y": false, "tags.0.x": false,
	} {
		text := []byte("scenario: x\napi: toy\nrules: [{operation: DropParcel, where: {" + where + ": a}, outcome: busy}]")
		if got := s.Validate(value(t, text)); (got == nil) != fits {
			t.Errorf("%s: got %v, want fits %t", where, got, fits)
		}
		if _, err := scenario.Parse("x.yaml", text, apis); (err == nil) != fits {
			t.Errorf("%s: the reader says %v, want fits %t", where, err, fits)
		}
	}
}

func TestFixtureSchema(t *testing.T) {
	apis := emulators.All
	s := compile(t, schema.Fixture(apis))
	for text, fits := range map[string]bool{
		"fixture: x\napi: tencentcar":                                                               true,
		"fixture: x\napi: tencentcar\nrate_limits: off\ncleaning: 90s":                              true,
		"fixture: x\napi: tencentcar\nrate_limit: off":                                              false,
		"fixture: x\napi: tencentcar\ncleaning: soon":                                               false,
		"fixture: x\napi: tencentcra":                                                               false,
		"fixture: x\napi: tencentcar\ngiven: [{session: {age: 9m50s}}, {concurrencies: {used: 3}}]": true,
		"fixture: x\napi: tencentcar\ngiven: [{sessions: {age: 9m50s}}]":                            false,
		"fixture: x\napi: tencentcar\ngiven: [{session: {ages: 9m50s}}]":                            false,
		"fixture: x\napi: tencentcar\ngiven: [{session: {age: soon}}]":                              false,
		"fixture: x\napi: tencentcar\ngiven: [{concurrencies: {}}]":                                 false,
		"fixture: x\napi: tencentcar\ngiven: [{}]":                                                  false,
		"fixture: x\napi: tencentcar\ngiven: [{session: {}, reservation: {}}]":                      false,
		"fixture: x\napi: tencentcar\ngiven: {session: {}}":                                         false,
		"api: tencentcar": false,
		"fixture: x\napi: tencentcar\naccounts: [{secret_idd: a}]":          false,
		"fixture: x\napi: tencentcar\naccounts: {secret_id: a}":             false,
		"fixture: x\napi: tencentcar\ndescription: Little.\nprojects: []":   true,
		"fixture: x\napi: tencentcar\nserver_session: [documented, sealed]": false,
	} {
		if got := s.Validate(value(t, []byte(text))); (got == nil) != fits {
			t.Errorf("%s\ngot %v, want fits %t", text, got, fits)
		}
		if _, err := fixture.Parse("x.yaml", []byte(text), apis); (err == nil) != fits {
			t.Errorf("%s\nthe reader says %v, want fits %t", text, err, fits)
		}
	}
}

// The schema has a property for every key that the reader knows, and none
// besides.
func TestSchemaKnowsEveryKey(t *testing.T) {
	text := schema.Scenario([]*contract.API{toy.New()})
	type node struct {
		Properties map[string]json.RawMessage
		Enum       []string
	}
	var s struct {
		node
		Defs struct {
			Rule, Wire node
			Condition  struct{ AnyOf []node }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	var fault node
	if err := json.Unmarshal(s.Defs.Wire.Properties["fault"], &fault); err != nil {
		t.Fatal(err)
	}
	keys := func(n node) []string { return slices.Collect(maps.Keys(n.Properties)) }
	for _, tt := range []struct{ got, want []string }{
		{keys(s.node), scenario.FileKeys},
		{keys(s.Defs.Rule), scenario.RuleKeys},
		{keys(s.Defs.Wire), scenario.WireKeys},
		{keys(s.Defs.Condition.AnyOf[1]), scenario.Matchers},
		{fault.Enum, scenario.Faults},
	} {
		slices.Sort(tt.got)
		if want := slices.Sorted(slices.Values(tt.want)); !slices.Equal(tt.got, want) {
			t.Errorf("the schema has %q, and the reader %q", tt.got, want)
		}
	}
	if again := schema.Scenario([]*contract.API{toy.New()}); !bytes.Equal(again, text) {
		t.Error("the same tables give other bytes")
	}
}
