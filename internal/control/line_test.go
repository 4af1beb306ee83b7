package control

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/wire"
)

var hostileTexts = []string{
	"", "", "plain", `"quoted"`, `a\b`, "<script>&amp;</script>", "a\nb\r\n\ndata: {}", "\x00\x1f\x7f", "\b\f\t", "\u2028\u2029", "ümlaut 课 \U0001f3a9",
	"\xff", "half \xc3", "\xed\xa0\x80", "\ufeff", "\ufffd", strings.Repeat("long<>", 500), "base64:", "null", "}",
}

var hostileValues = []any{
	nil, true, 0, -7, int64(1) << 62, 2.5e-9, 1e21, json.Number("1.50"), json.RawMessage(`{"a": "<"}`),
	[]any{"<", nil},
	contract.Values{"b": 1, "a": "\u2028"},
	map[string]any{"\xff": "&"},
	contract.Raw("<raw>"), time.Second, time.Unix(0, 1), journal.Text("<\xff>"), journal.Text("<&>"), (*journal.Wire)(nil), []string(nil), json.Marshaler(journal.Text(nil)),
}

// filled fills x with hostile values, whatever members it has.
func filled(r *rand.Rand, x reflect.Value) {
	empty := r.IntN(3) == 0
	switch at := x.Addr().Interface().(type) {
	case *time.Time:
		zone := time.FixedZone("", (r.IntN(47)-23)*1800)
		*at = time.Unix(r.Int64N(200_000_000_000), r.Int64N(1_000_000_000)*int64(r.IntN(2))).In(zone)
		if empty {
			*at = time.Time{}
		}
		return
	case *float64:
		*at = []float64{0, 0.001, 0.1, 12.345, 1e15, 1e21, 9223372036854775.807, -1, 1e-7, float64(r.Int64()) / 1000}[r.IntN(10)]
		return
	case *any:
		*at = hostileValues[r.IntN(len(hostileValues))]
		return
	}
	switch x.Kind() {
	case reflect.Struct:
		for i := range x.NumField() {
			if f := x.Type().Field(i); f.IsExported() && f.Name != "Param" { // of a violation, which is not written
				filled(r, x.Field(i))
			}
		}
	case reflect.String:
		x.SetString(hostileTexts[r.IntN(len(hostileTexts))])
	case reflect.Bool:
		x.SetBool(!empty)
	case reflect.Int, reflect.Int64:
		x.SetInt([]int64{0, 1, -1, 200, 1 << 62, -1 << 63}[r.IntN(6)])
	case reflect.Uint8:
		x.SetUint(uint64(r.IntN(256)))
	case reflect.Pointer:
		if !empty {
			x.Set(reflect.New(x.Type().Elem()))
			filled(r, x.Elem())
		}
	case reflect.Slice:
		if !empty {
			x.Set(reflect.MakeSlice(x.Type(), r.IntN(4), 4))
			for i := range x.Len() {
				filled(r, x.Index(i))
			}
		}
	case reflect.Map:
		if !empty {
			x.Set(reflect.MakeMap(x.Type()))
			for range r.IntN(6) {
				value := reflect.New(x.Type().Elem()).Elem()
				filled(r, value)
				x.SetMapIndex(reflect.ValueOf(hostileTexts[r.IntN(len(hostileTexts))]), value)
			}
		}
	default:
		panic("a member of a kind that this test cannot fill: " + x.Type().String())
	}
}

// A line of the stream is, byte for byte, an entry of the list.
func TestLinesAreThoseOfTheList(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var lines lineWriter
	for n := range 4000 {
		var e journal.Entry
		if n > 0 {
			filled(r, reflect.ValueOf(&e).Elem())
			e.Mismatches = journal.KnownMismatches([]journal.Mismatch{{Scenario: "toy/full", Rule: 1, Why: "<"}})
		}
		got, want := string(lines.append([]byte("data: "), &e)), "data: "+string(wire.Encode(withoutBodies(e)))
		if got != want {
			t.Fatalf("entry %d:\ngot  %q\nwant %q", n, got, want)
		}
	}
}

// A line of an entry as most are costs no memory beside its own buffer.
func TestALineCostsNoMemory(t *testing.T) {
	e := &journal.Entry{
		ID: "box-1", Number: 1, Time: time.Unix(1, 2), API: "toy", Operation: "SellHat", Outcome: "success", DurationMS: 0.25,
		Request:  journal.Message{Method: "POST", URL: "/hats/1?a=b&c=<d>", Header: map[string][]string{"Sec-Ch-Ua": {`"Chromium";v="1"`}, "Accept": {"*/*"}}},
		Response: journal.Message{Status: 200, Header: map[string][]string{"Content-Type": {"text/plain"}}},
		Notes:    contract.Facts{{Name: "hat", Value: "fez"}},
	}
	var lines lineWriter
	b := lines.append(nil, e)
	if n := testing.AllocsPerRun(100, func() { b = lines.append(b[:0], e) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
