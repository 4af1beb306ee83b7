package adobemedia

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The documentation prints the beginning and the end of the schema of
// sessionStart as it was in 2018, and its length: 2,716 bytes. Made from the
// tables of that year (fourteen events, four qualities, the 32 params and
// streamFormat, eight of them required), ours has just that length.
func TestSchemaOf2018(t *testing.T) {
	t.Parallel()
	newer := []string{
		"analytics.aid", "analytics.optOutServerSideForwarding", "analytics.optOutShare", "visitor.customerIDs", "media.streamType", downloadedKey,
		"media.libraryVersion", "media.publisher", "media.artist", "media.album", "media.label", "media.author", "media.station",
		"media.qoe.errorID", "media.qoe.errorSource",
	}
	rows := slices.Clone(events[sessionStart].rows)
	for i := range rows {
		rows[i].Fields = slices.DeleteFunc(slices.Clone(rows[i].Fields), func(p contract.Param) bool { return slices.Contains(newer, p.Name) })
	}
	got := string(schemaOf("http://alpha.hb-api.omtrdc.net/api/v1/schemas/sessionStart", typeNames(eventTypes[:14]), rows, false))
	if len(got) != 2716 {
		t.Errorf("got %d bytes, want 2716:\n%s", len(got), got)
	}
	for _, printed := range []string{
		`{"$schema":"http://json-schema.org/draft-04/schema#","id":"http://alpha.hb-api.omtrdc.net/api/v1/schemas/sessionStart","definitions":{`,
		`"playerTime":{"type":"object","properties":{"playhead":{"type":"number"},"ts":{"type":"integer"}},"required":["playhead","ts"],"additionalProperties":false}`,
		`"eventType":{"type":"string","enum":["sessionStart","play","ping","bufferStart","pauseStart","sessionComplete","bitrateChange","error","adBreakStart","adBreakComplete","adStart","adComplete","adSkip","sessionEnd"]}`,
		`"qoeData":{"type":"object","properties":{"media.qoe.bitrate":{"type":"integer"},"media.qoe.droppedFrames":{"type":"integer"},"media.qoe.framesPerSecond":{"type":"integer"},"media.qoe.timeToStart":{"type":"integer"}},"required":[],"additionalProperties":false}`,
		`"customMetadata":{"type":"object","patternProperties":{"^[a-zA-Z0-9_\\.]+$":{"type":"string"}},"additionalProperties":false}`,
		`"sessionStart":{"properties":{"eventType":{"type":"string","enum":["sessionStart"]},"playerTime":{"$ref":"#/definitions/playerTime"},"params":{"type":"object","properties":{`,
		`"customMetadata":{"$ref":"#/definitions/customMetadata"},"qoeData":{"$ref":"#/definitions/qoeData"}},"required":["eventType","playerTime","params"],"additionalProperties":false}},"type":"object","$ref":"#/definitions/sessionStart"}`,
	} {
		if !strings.Contains(got, printed) {
			t.Errorf("the page prints %s; ours is %s", printed, got)
		}
	}
}

// A validator implements the part of draft-04 that our schemas use.
type validator struct{ root contract.Values }

func (v validator) valid(schema contract.Values, x any) bool {
	if ref := schema.Text("$ref"); ref != "" {
		return v.valid(v.root.Object("definitions").Object(strings.TrimPrefix(ref, "#/definitions/")), x)
	}
	if kind := schema.Text("type"); kind != "" && !isOf(kind, x) {
		return false
	}
	if enum := schema.Texts("enum"); enum != nil {
		if s, _ := x.(string); !slices.Contains(enum, s) {
			return false
		}
	}
	if list, isList := x.([]any); isList {
		return !slices.ContainsFunc(list, func(e any) bool { return !v.valid(schema.Object("items"), e) })
	}
	object, isObject := x.(contract.Values)
	if !isObject {
		return true
	}
	for _, name := range schema.Texts("required") {
		if _, given := object[name]; !given {
			return false
		}
	}
	for name, member := range object {
		if !v.member(schema, name, member) {
			return false
		}
	}
	return true
}

func (v validator) member(schema contract.Values, name string, x any) bool {
	if p := schema.Object("properties").Object(name); p != nil {
		return v.valid(p, x)
	}
	for pattern, p := range schema.Object("patternProperties") {
		if regexp.MustCompile(pattern).MatchString(name) {
			return v.valid(p.(contract.Values), x)
		}
	}
	switch more := schema["additionalProperties"].(type) {
	case bool:
		return more
	case contract.Values:
		return v.valid(more, x)
	}
	return true
}

func isOf(kind string, x any) bool {
	switch y := x.(type) {
	case string:
		return kind == "string"
	case bool:
		return kind == "boolean"
	case json.Number:
		return kind == "number" || kind == "integer" && !strings.ContainsAny(string(y), ".eE")
	case []any:
		return kind == "array"
	case contract.Values:
		return kind == "object"
	}
	return false
}

// The schema and the check agree on every message: on the sample of each type,
// and on variants without a member, with a member of another kind, and with
// unknown members, in every mode.
func TestSchemaAndCheckAgree(t *testing.T) {
	t.Parallel()
	for _, set := range []map[string]string{nil, {"unknown_keys": "lenient"}, {"error_requires_id": "on"}} {
		for _, e := range eventTypes {
			t.Run(fmt.Sprint(e.name, set), func(t *testing.T) {
				t.Parallel()
				s := newClient(t, conformance.Setting{Set: set})
				root, err := wire.Object(s.request("GET", "/api/v1/schemas/"+e.name, "").Body.Bytes())
				if err != nil {
					t.Fatal(err)
				}
				valid, refused := 0, 0
				for _, message := range messageVariants(e) {
					in, err := wire.Object([]byte(message))
					if err != nil {
						t.Fatal(err)
					}
					want := validator{root}.valid(root, in)
					found := checkerOf(s.Instance(t).Switches()).check(e, in)
					if got := len(found) == 0; got != want {
						t.Errorf("%s: the schema says %v, and the check finds %v", message, want, found)
					}
					if want {
						valid++
					} else {
						refused++
					}
				}
				if valid < 20 || refused < 10 {
					t.Errorf("%d messages are valid and %d are not", valid, refused)
				}
			})
		}
	}
}

// messageVariants returns valid and invalid messages of a type.
func messageVariants(e *eventType) []string {
	sample := contract.Values{
		"eventType": e.name, "playerTime": contract.Values{"playhead": 1.5, "ts": 1},
		"params":         ownParams(e),
		"qoeData":        contract.Values{"media.qoe.errorID": "a", "media.qoe.errorSource": "player", "media.qoe.bitrate": 1},
		"customMetadata": contract.Values{"a.b": "c"},
	}
	all := []string{string(wire.Encode(sample))}
	others := []string{
		`"x"`, `""`, `1`, `1.5`, `-1`, `true`, `null`, `[]`, `{}`, `["x"]`, `[{"media.state.name":"a"}]`, `[{"media.state.name":""}]`, `[{"media.state.name":"a","more":1}]`,
		`{"a":"b"}`, `{"a":{"id":"b"}}`, `{"a":{"id":"","authState":2}}`, `{"a":{"id":"b","more":1}}`, `{"a":{"id":null}}`, `{"a":{"authState":1.5}}`, `{"a-b":"c"}`,
	}
	vary := func(object contract.Values, name string) {
		was, given := object[name]
		delete(object, name)
		all = append(all, string(wire.Encode(sample)))
		for _, other := range others {
			object[name] = json.RawMessage(other)
			all = append(all, string(wire.Encode(sample)))
		}
		if delete(object, name); given {
			object[name] = was
		}
	}
	for _, name := range []string{"playerTime", "params", "qoeData", "customMetadata", "unknown"} {
		vary(sample, name)
	}
	for _, section := range []string{"playerTime", "qoeData", "customMetadata"} {
		for _, name := range append(keysOf(sample.Object(section)), "unknown", "media.qoe.timeToStart") {
			vary(sample.Object(section), name)
		}
	}
	for _, name := range append(keysOf(sample.Object("params")), "unknown", "media.ad.podIndex", "media.name", "statesEnd", "visitor.customerIDs", "media.qoe.bitrate") {
		vary(sample.Object("params"), name)
	}
	return all
}

// ownParams returns a value for each param of a type's own.
func ownParams(e *eventType) contract.Values {
	rows := slices.Clone(e.params)
	for i := range rows {
		rows[i].Need = contract.Required
	}
	in := contract.Sample(rows)
	if in.Object("visitor.customerIDs") != nil {
		in["visitor.customerIDs"] = contract.Values{"a": contract.Values{"id": "b", "authState": 1}}
	}
	return in
}

func keysOf(v contract.Values) []string {
	var keys []string
	for name := range v {
		keys = append(keys, name)
	}
	slices.Sort(keys)
	return keys
}
