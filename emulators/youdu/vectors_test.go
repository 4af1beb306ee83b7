package youdu

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// TestEnvelopeVectors opens the 13 envelopes, sends them to two operations, and
// seals those again that have the layout of our own.
func TestEnvelopeVectors(t *testing.T) {
	t.Parallel()
	steps := map[string]*contract.Cause{
		"N1": wrongTail, "N2": badSize, "N3": badPadding, "N4": badLength, "N5": badPadding, "N6": notBase64,
	}
	a, all := newApp(t, vectorApp), loadVectors(t)
	if len(all.Envelope) != 13 {
		t.Fatalf("got %d vectors, want 13", len(all.Envelope))
	}
	for _, v := range all.Envelope {
		t.Run(v.Name, func(t *testing.T) {
			message, fault := a.open("encrypt", v.Encrypt, true)
			w := newWorld(t, "bare")
			body := `{"buin":14797363,"appId":"` + vectorApp + `","encrypt":"` + v.Encrypt + `"}`
			token, _ := w.call(request("POST", "/cgi/gettoken", body))
			create, _ := w.call(request("POST", "/cgi/session/create?accessToken="+lastingToken, body))
			if strings.HasPrefix(v.Expect, "reject") {
				if fault == nil || fault.cause != steps[v.Name[:2]] {
					t.Errorf("got %q, %+v, want the step %s", message, fault, steps[v.Name[:2]].Code)
				}
				if token != "INVALID_ENCRYPT" || create != "INVALID_ENCRYPT" {
					t.Errorf("got %s at gettoken and %s at session/create, want INVALID_ENCRYPT", token, create)
				}
				return
			}
			if fault != nil || string(message) != v.Msg {
				t.Errorf("got %q, %+v, want %q", message, fault, v.Msg)
			}
			if token != "success" || create == "INVALID_ENCRYPT" {
				t.Errorf("got %s at gettoken and %s at session/create", token, create)
			}
			if len(v.Opts) == 0 {
				if again := string(a.seal(nil, newPrefix(throwing(abcdef...)), []byte(v.Msg))); again != v.Encrypt || a.sealedSize([]byte(v.Msg)) != len(again) {
					t.Errorf("got %s of %d, want %s", again, a.sealedSize([]byte(v.Msg)), v.Encrypt)
				}
			}
		})
	}
}

// TestConformanceVectors sends the 24 cases. The answers are the expected ones
// byte for byte, once the bytes that the emulator throws are replaced by those of
// the vectors. From the fourth case on, the world begins with the token of the
// first and the session of the second; some cases need the token alone.
func TestConformanceVectors(t *testing.T) {
	t.Parallel()
	all := loadVectors(t)
	if len(all.Conformance) != 24 {
		t.Fatalf("got %d cases, want 24", len(all.Conformance))
	}
	for i, v := range all.Conformance {
		t.Run(v.ID+" "+v.Title, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "bare")
			for before := range 2 {
				alone := v.ID >= "17" && v.ID <= "21" || v.ID == "02" || v.ID == "03"
				if before > i || before == i || alone && before == 1 {
					break
				}
				first := all.Conformance[before]
				_, answer := w.serve(request(first.Method, first.Target, first.RequestBody))
				if got := w.asVector(answer.Body.Bytes()); got != first.ResponseBody {
					t.Fatalf("case %s before it: got %s", first.ID, got)
				}
			}
			if v.ID == "10" {
				w.later(7201 * time.Second)
			}
			_, answer := w.serve(request(v.Method, v.Target, v.RequestBody))
			got := w.asVector(answer.Body.Bytes())
			if got != v.ResponseBody || answer.Code != 200 {
				t.Errorf("got %d %s, want %s", answer.Code, got, v.ResponseBody)
			}
			if v.ResponsePlain != "" && opened(t, []byte(got)) != v.ResponsePlain {
				t.Errorf("got %s, want %s", opened(t, []byte(got)), v.ResponsePlain)
			}
		})
	}
}

// asVector replaces in an answer what the emulator throws by what the vectors
// have: the 16 bytes before the message, a new token and a new session id. The
// state gets the same token and id. The answer's envelope has to be what seal
// makes of its own prefix, byte for byte.
func (w *testWorld) asVector(answer []byte) string {
	t := w.t
	t.Helper()
	var envelope struct{ Encrypt string }
	if err := json.Unmarshal(answer, &envelope); err != nil {
		t.Fatalf("got %s: %v", answer, err)
	}
	if envelope.Encrypt == "" {
		return string(answer)
	}
	a := newApp(t, vectorApp)
	message, fault := a.open("encrypt", envelope.Encrypt, true)
	if fault != nil {
		t.Fatalf("got %s: %s", answer, fault.cause.Code)
	}
	prefix := prefixOf(t, a, envelope.Encrypt)
	if strings.Trim(string(prefix[:]), letters) != "" || string(a.seal(nil, prefix, message)) != envelope.Encrypt {
		t.Errorf("got the prefix %q in %s", prefix, answer)
	}
	var ids struct{ AccessToken, SessionID string }
	if err := json.Unmarshal(message, &ids); err != nil {
		t.Fatalf("got %s: %v", message, err)
	}
	if id := ids.AccessToken; id != "" && isToken(id) {
		w.rename(id, vectorToken)
		message = bytes.Replace(message, []byte(id), []byte(vectorToken), 1)
	}
	if id := ids.SessionID; id != vectorID && isGUID(id) {
		w.rename(id, vectorID)
		message = bytes.Replace(message, []byte(id), []byte(vectorID), 1)
	}
	return strings.Replace(string(answer), envelope.Encrypt, string(a.seal(nil, vectorPrefix, message)), 1)
}

// prefixOf decrypts the 16 bytes before the message.
func prefixOf(t testing.TB, a *app, encrypt string) (prefix [prefixSize]byte) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(encrypt)
	if err != nil || len(raw) < prefixSize {
		t.Fatalf("got %q: %v", encrypt, err)
	}
	a.block.Decrypt(prefix[:], raw[:prefixSize])
	for i := range prefix {
		prefix[i] ^= a.iv[i]
	}
	return prefix
}

// TestThrownBytes makes of the bytes of the vectors what the vectors have.
func TestThrownBytes(t *testing.T) {
	t.Parallel()
	if got := newPrefix(throwing(abcdef...)); got != vectorPrefix {
		t.Errorf("got the prefix %q, want %q", got, vectorPrefix)
	}
	id := guid([16]byte{0x8a, 0xd5, 0x95, 0xf3, 0x73, 0xb3, 0x4b, 0x56, 0x90, 0xaf, 0xf3, 0x36, 0xf9, 0x22, 0x2f, 0xc5})
	if id != vectorID {
		t.Errorf("got the session id %s, want %s", id, vectorID)
	}
}

// TestCapturedRequests sends what six client libraries send, with the default
// fixture. One request of the official Go library is for an operation that is not
// emulated.
func TestCapturedRequests(t *testing.T) {
	t.Parallel()
	all := loadVectors(t)
	if len(all.Captured) != 25 {
		t.Fatalf("got %d requests, want 25", len(all.Captured))
	}
	for _, v := range all.Captured {
		t.Run(v.SDK+" "+v.Method+" "+v.Target, func(t *testing.T) {
			t.Parallel()
			if v.Plain != nil {
				capturedEnvelope(t, v.AppID, v.Body, *v.Plain, v.Prefix, v.Pad, v.CipherLen)
			}
			w := newWorld(t, "default")
			var headers []string
			for _, h := range v.Headers {
				name, value, _ := strings.Cut(h, ": ")
				headers = append(headers, name, value)
			}
			for _, target := range []string{v.Target, strings.Replace(v.Target, "/cgi/", "/v3/api/jgapp/", 1), strings.NewReplacer("%7B", "{", "%7D", "}").Replace(v.Target)} {
				e, answer := w.serve(request(v.Method, target, v.Body, headers...))
				want := "success"
				if strings.Contains(v.Target, "/msg/send") {
					want = "NOT_FOUND"
				}
				if e.Outcome != want {
					t.Errorf("%s: got %s: %+v, want %s", target, e.Outcome, e.Explanation, want)
				}
				if want == "success" && len(e.Violations) > 0 {
					t.Errorf("%s: the journal lists violations: %+v", target, e.Violations)
				}
				if want == "success" && !strings.HasPrefix(answer.Body.String(), `{"errcode":0,"errmsg":"ok"`) {
					t.Errorf("%s: got %s", target, answer.Body)
				}
			}
		})
	}
}

// capturedEnvelope checks an envelope that a library sent: its message, prefix,
// padding and size.
func capturedEnvelope(t *testing.T, appID, body, plain, first string, pad, size int) {
	t.Helper()
	var envelope struct{ Encrypt string }
	if err := json.Unmarshal([]byte(body), &envelope); err != nil {
		t.Fatal(err)
	}
	message, fault := newApp(t, appID).open("encrypt", envelope.Encrypt, true)
	if fault != nil || string(message) != plain {
		t.Errorf("got %q, %+v, want %q", message, fault, plain)
	}
	raw, _ := base64.StdEncoding.DecodeString(envelope.Encrypt)
	if len(raw) != size || headSize+len(plain)+len(appID)+pad != size {
		t.Errorf("got %d bytes and %d of padding, want %d", len(raw), size-headSize-len(plain)-len(appID), size)
	}
	prefix := prefixOf(t, newApp(t, appID), envelope.Encrypt)
	if got := hex.EncodeToString(prefix[:]); got != first {
		t.Errorf("got the prefix %s, want %s", got, first)
	}
}

// TestCallbackVector makes the callback of the vectors.
func TestCallbackVector(t *testing.T) {
	t.Parallel()
	v := loadVectors(t).Callback
	a := newApp(t, vectorApp)
	a.CallbackToken = v.Token
	got := a.callback("http://127.0.0.1:8080/receive", v.Timestamp, v.Nonce, newPrefix(throwing(abcdef...)), []byte(v.Plain))
	if got.Method != "POST" || got.URL != "http://127.0.0.1:8080"+v.Target || string(got.Body) != v.Body || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s %s %s, want %s %s", got.Method, got.URL, got.Body, v.Target, v.Body)
	}
	if !strings.Contains(got.URL, v.Signature) {
		t.Errorf("the signature %s is not in %s", v.Signature, got.URL)
	}
	if with := a.callback("http://h/x?a=b", "1", "n", [prefixSize]byte{}, nil); !strings.HasPrefix(with.URL, "http://h/x?a=b&msg_signature=") {
		t.Errorf("got %s", with.URL)
	}
}

// script is a source of chance that repeats given bytes.
type script struct {
	bytes []byte
	at    int
}

func (s *script) Uint64() uint64 {
	var eight [8]byte
	for i := range eight {
		eight[i] = s.bytes[s.at%len(s.bytes)]
		s.at++
	}
	return binary.LittleEndian.Uint64(eight[:])
}

func (s *script) Int63() int64 { return int64(s.Uint64() >> 1) }

func (s *script) Seed(int64) {}

// throwing returns dice that throw the bytes of b, again and again.
func throwing(b ...byte) *contract.Dice { return contract.NewDice(&script{bytes: b}) }

// abcdef are the bytes of which newPrefix makes vectorPrefix.
var abcdef = []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
