package youdu

import (
	"bytes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

const goodCall = `{"title":"t","creator":"test1","member":["test1","test2","test3"]}`

// body is an envelope whose field encrypt is the text.
func body(encrypt string) string {
	return fmt.Sprintf(`{"buin":%d,"appId":"%s","encrypt":%q}`, vectorBuin, vectorApp, encrypt)
}

// raw encrypts a plain text without building the layout.
func raw(t testing.TB, plain []byte) string {
	t.Helper()
	a, b := newApp(t, vectorApp), bytes.Clone(plain)
	cipher.NewCBCEncrypter(a.block, a.iv).CryptBlocks(b, b)
	return base64.StdEncoding.EncodeToString(b)
}

// layout is the layout of a message, with a given length field and tail.
func layout(length []byte, message, tail string) []byte {
	b := append(bytes.Repeat([]byte("p"), prefixSize), length...)
	b = append(append(b, message...), tail...)
	pad := padBlock - len(b)%padBlock
	return append(b, bytes.Repeat([]byte{byte(pad)}, pad)...)
}

// expectRefusal sends a body to CreateSession. It expects the outcome, and that
// the state stays as it is.
func expectRefusal(t *testing.T, w *testWorld, what, body, want string) journal.Entry {
	t.Helper()
	before := w.snapshot()
	e, answer := w.serve(request("POST", "/cgi/session/create?accessToken="+lastingToken, body))
	if e.Outcome != want || answer.Code != 200 {
		t.Errorf("%s: got %s with %d, want %s", what, e.Outcome, answer.Code, want)
	}
	if w.snapshot() != before {
		t.Errorf("%s: the state changed", what)
	}
	return e
}

// causeOf is the cause of a refusal, whatever mistake led to it; nil: there is none.
func causeOf(e journal.Entry) *contract.Cause {
	if step, noted := e.Notes.Get("decryption failed at"); noted {
		return causes[step.(string)]
	}
	if e.Explanation == nil {
		return nil
	}
	return causes[e.Explanation.Cause]
}

// TestCiphertextOfEveryLength sends 0 to 96 bytes under the right key.
func TestCiphertextOfEveryLength(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "bare")
	for n := range 97 {
		text := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xa5}, n))
		want, cause := "INVALID_ENCRYPT", badLength
		switch {
		case n == 0:
			want, cause = "MISS_ENCRYPT", fieldMissing
		case n%padBlock == 0:
			cause = badPadding
		}
		if got := causeOf(expectRefusal(t, w, fmt.Sprint(n, " bytes"), body(text), want)); got != cause {
			t.Errorf("%d bytes: got %+v, want %s", n, got, cause.Code)
		}
	}
}

// TestFlippedBits flips each bit of a good envelope in turn. A bit in the first
// block changes the prefix, which means nothing. A bit elsewhere makes the call
// fail, or changes the message to one that a client might send: another title,
// or another case of a letter in a name. A bit in the last two blocks, which hold
// the appId and the padding, always makes it fail.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "bare")
	a := newApp(t, vectorApp)
	good, err := base64.StdEncoding.DecodeString(string(a.seal(nil, vectorPrefix, []byte(goodCall))))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(good) {
		spoiled := bytes.Clone(good)
		spoiled[bit/8] ^= 1 << (bit % 8)
		before := w.snapshot()
		e, _ := w.serve(request("POST", "/cgi/session/create?accessToken="+lastingToken, body(base64.StdEncoding.EncodeToString(spoiled))))
		switch e.Outcome {
		case "success", invalidEncrypt.Name, invalidJSON.Name, invalidRequest.Name, userNotExist.Name:
		default:
			t.Errorf("bit %d: got %s", bit, e.Outcome)
		}
		if bit/8 >= len(good)-2*16 && e.Outcome != invalidEncrypt.Name {
			t.Errorf("bit %d of the last blocks: got %s", bit, e.Outcome)
		}
		if e.Outcome != "success" && w.snapshot() != before {
			t.Fatalf("bit %d: the state changed", bit)
		}
	}
}

// TestForgedLayouts sends plain texts with a wrong layout, encrypted correctly.
func TestForgedLayouts(t *testing.T) {
	t.Parallel()
	length := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	all := uint32(len(goodCall))
	tests := []struct {
		name  string
		plain []byte
		want  *contract.Cause
	}{
		{"a length of all and the tail", layout(length(all+uint32(len(vectorApp))), goodCall, vectorApp), wrongTail},
		{"a length beyond the text", layout(length(all+uint32(len(vectorApp))+1), goodCall, vectorApp), badSize},
		{"the greatest length", layout(length(0xffffffff), goodCall, vectorApp), badSize},
		{"a length that would be negative", layout(length(0x80000000), goodCall, vectorApp), badSize},
		{"a length in little-endian", layout(binary.LittleEndian.AppendUint32(nil, all), goodCall, vectorApp), badSize},
		{"a length of 64 bits", layout(binary.BigEndian.AppendUint64(nil, uint64(all)), goodCall, vectorApp), wrongTail},
		{"a length of 0", layout(length(0), goodCall, vectorApp), wrongTail},
		{"the tail of another application", layout(length(all), goodCall, sampleApp), wrongTail},
		{"a tail that is longer", layout(length(all), goodCall, vectorApp+"x"), wrongTail},
		{"a tail in lower case", layout(length(all), goodCall, strings.ToLower(vectorApp)), wrongTail},
		{"no tail", layout(length(all), goodCall, ""), wrongTail},
		{"nothing but padding", bytes.Repeat([]byte{32}, 32), tooShort},
		{"19 bytes and padding", append(bytes.Repeat([]byte("x"), 19), bytes.Repeat([]byte{13}, 13)...), tooShort},
		{"a pad byte of 0", append(layout(length(all), goodCall, vectorApp)[:32], make([]byte, 32)...), badPadding},
		{"a pad byte of 33", bytes.Repeat([]byte{33}, 64), badPadding},
		{"a pad byte of 255", bytes.Repeat([]byte{255}, 64), badPadding},
		{"padding that differs", append(bytes.Repeat([]byte("x"), 28), 1, 2, 3, 4), badPadding},
		{"padding that differs at its beginning", append(bytes.Repeat([]byte("x"), 28), 3, 4, 4, 4), badPadding},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "bare")
			e := expectRefusal(t, w, tt.name, body(raw(t, tt.plain)), "INVALID_ENCRYPT")
			if got := causeOf(e); got != tt.want || e.Explanation == nil {
				t.Errorf("got %+v, want %s", got, tt.want.Code)
			}
		})
	}
}

// TestBadBase64 sends texts that other decoders accept.
func TestBadBase64(t *testing.T) {
	t.Parallel()
	good := string(newApp(t, vectorApp).seal(nil, vectorPrefix, []byte(goodCall)))
	w := newWorld(t, "bare")
	for name, text := range map[string]string{
		"nonsense":       "!!!not-base64!!!",
		"line breaks":    good[:76] + "\n" + good[76:],
		"CR LF":          good[:76] + "\r\n" + good[76:],
		"a space":        " " + good,
		"no padding":     strings.TrimRight(good, "="),
		"URL-safe":       strings.NewReplacer("+", "-", "/", "_").Replace(good) + "-_",
		"cut":            good[:len(good)-3],
		"something more": good + "AAAA",
		"stray bits":     "AB==",
	} {
		if got := causeOf(expectRefusal(t, w, name, body(text), "INVALID_ENCRYPT")); got != notBase64 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// TestBadMessages sends messages that no call accepts, encrypted correctly.
func TestBadMessages(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000)
	many := make([]string, 10000)
	for i := range many {
		many[i] = fmt.Sprint("ghost", i)
	}
	list, _ := json.Marshal(many)
	same, _ := json.Marshal(slices.Repeat([]string{"test1", "test2"}, 5000))
	tests := []struct{ name, message, want string }{
		{"nothing", ``, "INVALID_FORMAT_JSON"},
		{"a blank", ` `, "INVALID_FORMAT_JSON"},
		{"null", `null`, "INVALID_FORMAT_JSON"},
		{"a list", `[` + goodCall + `]`, "INVALID_FORMAT_JSON"},
		{"a text", `"` + vectorApp + `"`, "INVALID_FORMAT_JSON"},
		{"the time", `1700000000`, "INVALID_FORMAT_JSON"},
		{"cut", goodCall[:20], "INVALID_FORMAT_JSON"},
		{"something behind it", goodCall + `x`, "INVALID_FORMAT_JSON"},
		{"twice", goodCall + goodCall, "INVALID_FORMAT_JSON"},
		{"a name twice", `{"title":"a","title":"b","creator":"test1","member":["test2","test3"]}`, "INVALID_FORMAT_JSON"},
		{"10,000 levels", `{"title":"t","creator":"test1","member":["test2","test3"],"x":` + deep + `}`, "INVALID_FORMAT_JSON"},
		{"10,000 brackets", strings.Repeat("[", 10000), "INVALID_FORMAT_JSON"},
		{"a lone high surrogate", strings.Replace(goodCall, `"t"`, `"\ud83d"`, 1), "INVALID_FORMAT_JSON"},
		{"a lone low surrogate", strings.Replace(goodCall, `"t"`, `"\ude00x"`, 1), "INVALID_FORMAT_JSON"},
		{"surrogates the wrong way round", strings.Replace(goodCall, `"t"`, `"\ude00\ud83d"`, 1), "INVALID_FORMAT_JSON"},
		{"no UTF-8", strings.Replace(goodCall, `"t"`, "\"\xff\"", 1), "INVALID_FORMAT_JSON"},
		{"a surrogate in UTF-8", strings.Replace(goodCall, `"t"`, "\"\xed\xa0\xbd\"", 1), "INVALID_FORMAT_JSON"},
		{"a byte 0", goodCall + "\x00", "INVALID_FORMAT_JSON"},
		{"a byte order mark", "\ufeff" + goodCall, "INVALID_FORMAT_JSON"},
		{"a title of 65", strings.Replace(goodCall, `"t"`, `"`+strings.Repeat("度", 65)+`"`, 1), "INVALID_REQUEST_5"},
		{"a title of a megabyte", strings.Replace(goodCall, `"t"`, `"`+strings.Repeat("度", 1<<18)+`"`, 1), "INVALID_REQUEST_5"},
		{"10,000 unknown members", `{"title":"t","creator":"test1","member":` + string(list) + `}`, "USER_NOTEXIST"},
		{"10,000 times two people", `{"title":"t","creator":"test1","member":` + string(same) + `}`, "INVALID_REQUEST_5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, newWorld(t, "bare"), tt.name, sealed(t, vectorApp, tt.message), tt.want)
		})
	}
	paired := strings.Replace(goodCall, `"t"`, `"\ud83d\ude00"`, 1)
	if o, returned := newWorld(t, "bare").create(paired); o != "success" || !strings.Contains(returned, `"title":"😀"`) {
		t.Errorf("a pair of surrogates: got %s %s", o, returned)
	}
}

// TestBadEnvelopes sends malformed envelopes. Where a body has several faults,
// the one that is checked first decides.
func TestBadEnvelopes(t *testing.T) {
	t.Parallel()
	good := string(newApp(t, vectorApp).seal(nil, vectorPrefix, []byte(goodCall)))
	tests := []struct{ name, body, want string }{
		{"no JSON", `buin=14797363`, "INVALID_FORMAT_JSON"},
		{"empty", ``, "INVALID_FORMAT_JSON"},
		{"a list", `[]`, "INVALID_FORMAT_JSON"},
		{"null", `null`, "INVALID_FORMAT_JSON"},
		{"deep", strings.Repeat(`{"a":`, 10000), "INVALID_FORMAT_JSON"},
		{"nothing in it", `{}`, "MISS_BUIN"},
		{"buin null", `{"buin":null,"appId":5}`, "MISS_BUIN"},
		{"buin a text", `{"buin":"14797363"}`, "INVALID_FORMAT_BUIN"},
		{"buin an empty text", `{"buin":""}`, "INVALID_FORMAT_BUIN"},
		{"buin no integer", `{"buin":14797363.0}`, "INVALID_FORMAT_BUIN"},
		{"buin an exponent", `{"buin":1e3}`, "INVALID_FORMAT_BUIN"},
		{"buin beyond 64 bits", `{"buin":99999999999999999999}`, "INVALID_FORMAT_BUIN"},
		{"buin unknown", `{"buin":1}`, "INVALID_BUIN"},
		{"buin negative", `{"buin":-14797363}`, "INVALID_BUIN"},
		{"no appId", `{"buin":14797363}`, "MISS_APPID"},
		{"appId empty", `{"buin":14797363,"appId":""}`, "MISS_APPID"},
		{"appId a number", `{"buin":14797363,"appId":5}`, "INVALID_FORMAT_APPID"},
		{"appId unknown", `{"buin":14797363,"appId":"x"}`, "INVALID_APPID"},
		{"appId of another's token", `{"buin":14797363,"appId":"` + sampleApp + `"}`, "INVALID_APPID"},
		{"no encrypt", `{"buin":14797363,"appId":"` + vectorApp + `"}`, "MISS_ENCRYPT"},
		{"encrypt empty", body(""), "MISS_ENCRYPT"},
		{"encrypt null", `{"buin":14797363,"appId":"` + vectorApp + `","encrypt":null}`, "MISS_ENCRYPT"},
		{"encrypt a number", `{"buin":14797363,"appId":"` + vectorApp + `","encrypt":5}`, "INVALID_FORMAT_ENCRYPT"},
		{"encrypt an object", `{"buin":14797363,"appId":"` + vectorApp + `","encrypt":{}}`, "INVALID_FORMAT_ENCRYPT"},
		{"plain", goodCall, "MISS_BUIN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, newWorld(t, "bare"), tt.name, tt.body, tt.want)
		})
	}
	w := newWorld(t, "bare")
	for what, b := range map[string]string{
		"names in another case": fmt.Sprintf(`{"BUIN":14797363,"appid":"%s","Encrypt":"%s"}`, vectorApp, good),
		"more than is known":    fmt.Sprintf(`{"x":{"y":[1]},"buin":14797363,"appId":"%s","encrypt":"%s","z":null}`, vectorApp, good),
		"escapes":               strings.ReplaceAll(body(good), "/", `\/`),
	} {
		if o, _ := w.call(request("POST", "/cgi/session/create?accessToken="+lastingToken, b)); o != "success" {
			t.Errorf("%s: got %s", what, o)
		}
	}
	large := request("POST", "/cgi/session/create?accessToken="+lastingToken, body(good)+strings.Repeat(" ", 10<<20))
	if o, _ := w.call(large); o != "INVALID_FORMAT_JSON" {
		t.Errorf("a body that is too large: got %s", o)
	}
}

func FuzzEnvelope(f *testing.F) {
	for _, v := range loadVectors(f).Envelope {
		f.Add(v.Encrypt, "encrypt")
	}
	f.Add(raw(f, layout([]byte{0xff, 0xff, 0xff, 0xff}, goodCall, vectorApp)), "encrypt")
	f.Add(raw(f, layout([]byte{0, 0, 0, 0, 0, 0, 0, 66}, goodCall, vectorApp)), "encrypt")
	a := newApp(f, vectorApp)
	f.Fuzz(func(t *testing.T, text, what string) {
		message, fault := a.open(what, text, true)
		if (message == nil) == (fault == nil) && len(message) > 0 {
			t.Fatalf("got %q and %+v", message, fault)
		}
		if fault == nil {
			if again, fault := a.open(what, string(a.seal(nil, [prefixSize]byte{}, message)), true); fault != nil || !bytes.Equal(again, message) {
				t.Errorf("got %q, %+v, want %q", again, fault, message)
			}
		}
		// The same text as a plain one: seal and open are inverse for any text.
		if again, fault := a.open(what, string(a.seal(nil, [prefixSize]byte{}, []byte(text))), true); fault != nil || string(again) != text {
			t.Errorf("got %q, %+v, want %q", again, fault, text)
		}
	})
}

func FuzzMessage(f *testing.F) {
	for _, v := range loadVectors(f).Captured {
		if v.Plain != nil {
			f.Add(uint8(len(*v.Plain)), *v.Plain)
		}
	}
	f.Add(uint8(1), strings.Replace(goodCall, `"t"`, `"\ud83d"`, 1))
	f.Add(uint8(3), strings.Repeat(`{"a":`, 10000))
	f.Add(uint8(4), `{"sessionId":"`+vectorID+`","receiver":"test1","sender":"test1","msgType":"file","file":{"media_id":"x","size":1e400}}`)
	f.Fuzz(func(t *testing.T, which uint8, message string) {
		w := newWorld(t, "default")
		var posts []*contract.Operation
		for _, op := range API.Operations {
			if op.Method == "POST" && op != uploadMedia {
				posts = append(posts, op)
			}
		}
		op, before := posts[int(which)%len(posts)], w.snapshot()
		e, answer := w.serve(request("POST", op.Path+"?accessToken="+lastingToken, sealed(t, vectorApp, message)))
		if e.Outcome != "success" && w.snapshot() != before {
			t.Errorf("%s changed the state", e.Outcome)
		}
		if e.Outcome == invalidEncrypt.Name || answer.Code != 200 {
			t.Errorf("got %s with %d", e.Outcome, answer.Code)
		}
		survives(t, w)
	})
}

// survives expects that a restored snapshot gives the same snapshot.
func survives(t *testing.T, w *testWorld) {
	t.Helper()
	before := w.snapshot()
	w.restore(before)
	if got := w.snapshot(); got != before {
		t.Errorf("got %s, want %s", got, before)
	}
}
