package wire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// texts are odd ones: what is refused is refused for another reason each.
var texts = []string{
	`{"UserId":"cg_user","UserIp":"125.127.178.228","ClientSession":"eyJhYmMiOjEyM30="}`,
	"\t{\r\n \"a\" : [ 1 , -0.5e+10 , 1E-2, true , false , null , {} , [] , \"\" ] } ",
	`{"a":"\"\\\/\b\f\n\r\t\u0041\ud83d\ude00","\u0062":"é"}`, `"\u00`, `"\x"`, `"\`, `"\ud83d"`, `"\udc00\ud83d"`,
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `[{"a":{"b":1,"b":2}}]`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{"a" 1}`, `{1:2}`, `[1,]`, `[,1]`, `[1 2]`, `{]`, `[}`,
	``, ` `, `{`, `[`, `"`, `-`, `01`, `1.`, `.1`, `1e`, `1e+`, `+1`, `-01`, `0x1`, `1 2`, `{}{}`, `tru`, `truex`, `nul`, `NaN`, `True`,
	"\xef\xbb\xbf{}", "{\"a\":\"\xff\"}", "{\"\xed\xa0\x80\":1}", "\"\x00\"", "\"\x7f\"", "\x00", "1\x00", "{}\v", "\"\u2028\"", "\"\ufffd\"",
	strings.Repeat("[", Depth) + strings.Repeat("]", Depth), strings.Repeat("[", Depth+1) + strings.Repeat("]", Depth+1),
	strings.Repeat(`{"a":`, Depth-1) + `{}` + strings.Repeat("}", Depth-1), strings.Repeat(`{"a":`, Depth) + `{}` + strings.Repeat("}", Depth),
	`{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":9,"10":10}`, `{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":9,"1":10}`,
}

// FuzzQuickly holds the way of short texts against that of all others: both take the same
// texts, and read the same in them.
func FuzzQuickly(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > maxQuick {
			return
		}
		sent := bytes.Clone(body)
		x, ok := quickly(body)
		y, err := thoroughly(body)
		if ok != (err == nil) || ok && !reflect.DeepEqual(x, y) {
			t.Errorf("%q: read quickly %#v, %t; thoroughly %#v, %v", body, x, ok, y, err)
		}
		if !bytes.Equal(body, sent) {
			t.Errorf("%q became %q", sent, body)
		}
	})
}

func BenchmarkObject(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Object([]byte(texts[0])); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkThoroughly(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := thoroughly([]byte(texts[0])); err != nil {
			b.Fatal(err)
		}
	}
}
