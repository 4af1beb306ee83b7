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
)

const goodCall = `{"title":"t","creator":"test1","member":["test1","test2","test3"]}`

// body is an envelope around a text, whatever it holds.
func body(encrypt string) string {
	return fmt.Sprintf(`{"buin":%d,"appId":"%s","encrypt":%q}`, vectorBuin, vectorApp, encrypt)
}

// raw encrypts a plain text as it is, without building the layout.
func raw(t testing.TB, plain []byte) string {
	t.Helper()
	a, b := newApp(t, vectorApp), bytes.Clone(plain)
	cipher.NewCBCEncrypter(a.block, a.iv).CryptBlocks(b, b)
	return base64.StdEncoding.EncodeToString(b)
}

// laid is the layout of a message, with a length of one's own and a tail.
func laid(length []byte, message, tail string) []byte {
	b := append(bytes.Repeat([]byte("p"), prefixSize), length...)
	b = append(append(b, message...), tail...)
	pad := padBlock - len(b)%padBlock
	return append(b, bytes.Repeat([]byte{byte(pad)}, pad)...)
}

// rejected sends a body to CreateSession and wants an outcome and a state that
// is as it was.
func rejected(t *testing.T, w *town, what, body, want string) *contract.Cause {
	t.Helper()
	before := w.snapshot()
	v, answer := w.serve(request("POST", "/cgi/session/create?accessToken="+lastingToken, body))
	if v.Outcome.Name != want || answer.Status != 200 {
		t.Errorf("%s: got %s with %d, want %s", what, v.Outcome.Name, answer.Status, want)
	}
	if w.snapshot() != before {
		t.Errorf("%s: the state changed", what)
	}
	return v.Cause
}

// TestCiphertextOfEveryLength sends 0 to 96 bytes under the right key.
func TestCiphertextOfEveryLength(t *testing.T) {
	t.Parallel()
	w := newTown(t, "bare")
	for n := range 97 {
		text := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xa5}, n))
		want, cause := "INVALID_ENCRYPT", badLength
		switch {
		case n == 0:
			want, cause = "MISS_ENCRYPT", fieldMissing
		case n%padBlock == 0:
			cause = badPadding
		}
		if got := rejected(t, w, fmt.Sprint(n, " bytes"), body(text), want); got != cause {
			t.Errorf("%d bytes: got %+v, want %s", n, got, cause.Code)
		}
	}
}

// TestFlippedBits flips each bit of a good envelope in turn. What is flipped in
// the first block spoils the prefix, which means nothing; elsewhere it is seen, or
// it changes the message as a client might have: a title, or a letter's case in
// a name. In the last two blocks, which hold the appId and the padding, it is seen.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	w := newTown(t, "bare")
	a := newApp(t, vectorApp)
	good, err := base64.StdEncoding.DecodeString(string(a.seal(nil, newPrefix(throwing(abcdef...)), []byte(goodCall))))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(good) {
		spoiled := bytes.Clone(good)
		spoiled[bit/8] ^= 1 << (bit % 8)
		before := w.snapshot()
		v, _ := w.serve(request("POST", "/cgi/session/create?accessToken="+lastingToken, body(base64.StdEncoding.EncodeToString(spoiled))))
		if o := v.Outcome; o.Fails && o != invalidEncrypt && o != invalidJSON && o != invalidRequest && o != userNotExist {
			t.Errorf("bit %d: got %s", bit, o.Name)
		}
		if bit/8 >= len(good)-2*16 && v.Outcome != invalidEncrypt {
			t.Errorf("bit %d of the last blocks: got %s", bit, v.Outcome.Name)
		}
		if v.Outcome.Fails && w.snapshot() != before {
			t.Fatalf("bit %d: the state changed", bit)
		}
	}
}

// TestForgedLayouts are plain texts that nobody would lay out so, well
// encrypted.
func TestForgedLayouts(t *testing.T) {
	t.Parallel()
	length := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	all := uint32(len(goodCall))
	tests := []struct {
		name  string
		plain []byte
		want  *contract.Cause
	}{
		{"a length of all and the tail", laid(length(all+uint32(len(vectorApp))), goodCall, vectorApp), wrongTail},
		{"a length beyond the text", laid(length(all+uint32(len(vectorApp))+1), goodCall, vectorApp), badSize},
		{"the greatest length", laid(length(0xffffffff), goodCall, vectorApp), badSize},
		{"a length that would be negative", laid(length(0x80000000), goodCall, vectorApp), badSize},
		{"a length in little-endian", laid(binary.LittleEndian.AppendUint32(nil, all), goodCall, vectorApp), badSize},
		{"a length of 64 bits", laid(binary.BigEndian.AppendUint64(nil, uint64(all)), goodCall, vectorApp), wrongTail},
		{"a length of 0", laid(length(0), goodCall, vectorApp), wrongTail},
		{"the tail of another application", laid(length(all), goodCall, sampleApp), wrongTail},
		{"a tail that is longer", laid(length(all), goodCall, vectorApp+"x"), wrongTail},
		{"a tail in lower case", laid(length(all), goodCall, strings.ToLower(vectorApp)), wrongTail},
		{"no tail", laid(length(all), goodCall, ""), wrongTail},
		{"nothing but padding", bytes.Repeat([]byte{32}, 32), tooShort},
		{"19 bytes and padding", append(bytes.Repeat([]byte("x"), 19), bytes.Repeat([]byte{13}, 13)...), tooShort},
		{"a pad byte of 0", append(laid(length(all), goodCall, vectorApp)[:32], make([]byte, 32)...), badPadding},
		{"a pad byte of 33", bytes.Repeat([]byte{33}, 64), badPadding},
		{"a pad byte of 255", bytes.Repeat([]byte{255}, 64), badPadding},
		{"padding that differs", append(bytes.Repeat([]byte("x"), 28), 1, 2, 3, 4), badPadding},
		{"padding that differs at its beginning", append(bytes.Repeat([]byte("x"), 28), 3, 4, 4, 4), badPadding},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, "bare")
			if got := rejected(t, w, tt.name, body(raw(t, tt.plain)), "INVALID_ENCRYPT"); got != tt.want {
				t.Errorf("got %+v, want %s", got, tt.want.Code)
			}
			if at, told := w.last.Notes.Get("decryption failed at"); !told || at != tt.want.Code {
				t.Errorf("the journal says %v", w.last.Notes)
			}
		})
	}
}

// TestBadBase64 sends texts that other decoders take.
func TestBadBase64(t *testing.T) {
	t.Parallel()
	good := string(newApp(t, vectorApp).seal(nil, newPrefix(throwing(abcdef...)), []byte(goodCall)))
	w := newTown(t, "bare")
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
		if got := rejected(t, w, name, body(text), "INVALID_ENCRYPT"); got != notBase64 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// TestBadMessages are well encrypted and hold what no call says.
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
			rejected(t, newTown(t, "bare"), tt.name, sealed(t, vectorApp, tt.message), tt.want)
		})
	}
	paired := strings.Replace(goodCall, `"t"`, `"\ud83d\ude00"`, 1)
	if o, told := newTown(t, "bare").create(paired); o != "success" || !strings.Contains(told, `"title":"😀"`) {
		t.Errorf("a pair of surrogates: got %s %s", o, told)
	}
}

// TestBadEnvelopes holds the order of checks: each body has one fault more in
// front of the one before.
func TestBadEnvelopes(t *testing.T) {
	t.Parallel()
	good := string(newApp(t, vectorApp).seal(nil, newPrefix(throwing(abcdef...)), []byte(goodCall)))
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
			rejected(t, newTown(t, "bare"), tt.name, tt.body, tt.want)
		})
	}
	w := newTown(t, "bare")
	for what, b := range map[string]string{
		"names in another case": fmt.Sprintf(`{"BUIN":14797363,"appid":"%s","Encrypt":"%s"}`, vectorApp, good),
		"more than is known":    fmt.Sprintf(`{"x":{"y":[1]},"buin":14797363,"appId":"%s","encrypt":"%s","z":null}`, vectorApp, good),
		"escapes":               strings.ReplaceAll(body(good), "/", `\/`),
	} {
		if o, _ := w.say(request("POST", "/cgi/session/create?accessToken="+lastingToken, b)); o != "success" {
			t.Errorf("%s: got %s", what, o)
		}
	}
	large := request("POST", "/cgi/session/create?accessToken="+lastingToken, body(good))
	large.TooLarge = true
	if o, _ := w.say(large); o != "INVALID_FORMAT_JSON" {
		t.Errorf("a body that is too large: got %s", o)
	}
}

func FuzzEnvelope(f *testing.F) {
	for _, v := range loaded(f).Envelope {
		f.Add(v.Encrypt, "encrypt")
	}
	f.Add(raw(f, laid([]byte{0xff, 0xff, 0xff, 0xff}, goodCall, vectorApp)), "encrypt")
	f.Add(raw(f, laid([]byte{0, 0, 0, 0, 0, 0, 0, 66}, goodCall, vectorApp)), "encrypt")
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
		// The same text as a plain one: whatever it is, what is sealed is opened.
		if again, fault := a.open(what, string(a.seal(nil, [prefixSize]byte{}, []byte(text))), true); fault != nil || string(again) != text {
			t.Errorf("got %q, %+v, want %q", again, fault, text)
		}
	})
}

func FuzzMessage(f *testing.F) {
	for _, v := range loaded(f).Captured {
		if v.Plain != nil {
			f.Add(uint8(len(*v.Plain)), *v.Plain)
		}
	}
	f.Add(uint8(1), strings.Replace(goodCall, `"t"`, `"\ud83d"`, 1))
	f.Add(uint8(3), strings.Repeat(`{"a":`, 10000))
	f.Add(uint8(4), `{"sessionId":"`+vectorID+`","receiver":"test1","sender":"test1","msgType":"file","file":{"media_id":"x","size":1e400}}`)
	f.Fuzz(func(t *testing.T, which uint8, message string) {
		w := newTown(t, "default")
		var posts []*contract.Operation
		for _, op := range API.Operations {
			if op.Method == "POST" && op != uploadMedia {
				posts = append(posts, op)
			}
		}
		op, before := posts[int(which)%len(posts)], w.snapshot()
		v, answer := w.serve(request("POST", op.Path+"?accessToken="+lastingToken, sealed(t, vectorApp, message)))
		if v.Outcome.Fails && w.snapshot() != before {
			t.Errorf("%s changed the state", v.Outcome.Name)
		}
		if v.Outcome == invalidEncrypt || answer.Status != 200 {
			t.Errorf("got %s with %d", v.Outcome.Name, answer.Status)
		}
		survives(t, w)
	})
}

// survives wants the state to survive being written down.
func survives(t *testing.T, w *town) {
	t.Helper()
	v := *w
	v.world = copyOf(t, w.world)
	if v.snapshot() != w.snapshot() {
		t.Errorf("got %s, want %s", v.snapshot(), w.snapshot())
	}
}
