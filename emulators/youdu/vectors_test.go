package youdu

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// TestEnvelopeVectors opens the 13 envelopes, and makes anew those
// that were made as we make them. They are sent to two calls, too.
func TestEnvelopeVectors(t *testing.T) {
	t.Parallel()
	steps := map[string]*contract.Cause{
		"N1": wrongTail, "N2": badSize, "N3": badPadding, "N4": badLength, "N5": badPadding, "N6": notBase64,
	}
	a, all := newApp(t, vectorApp), loaded(t)
	if len(all.Envelope) != 13 {
		t.Fatalf("got %d vectors, want 13", len(all.Envelope))
	}
	for _, v := range all.Envelope {
		t.Run(v.Name, func(t *testing.T) {
			message, fault := a.open("encrypt", v.Encrypt, true)
			w := newTown(t, "bare")
			body := `{"buin":14797363,"appId":"` + vectorApp + `","encrypt":"` + v.Encrypt + `"}`
			token, _ := w.say(request("POST", "/cgi/gettoken", body))
			create, _ := w.say(request("POST", "/cgi/session/create?accessToken="+lastingToken, body))
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

// TestConformanceVectors answers the 24 cases byte for byte. From the
// fourth on they begin with the session of the second, but for those that need
// a token alone.
func TestConformanceVectors(t *testing.T) {
	t.Parallel()
	all := loaded(t)
	if len(all.Conformance) != 24 {
		t.Fatalf("got %d cases, want 24", len(all.Conformance))
	}
	for i, v := range all.Conformance {
		t.Run(v.ID+" "+v.Title, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, "bare")
			for before := range 2 {
				alone := v.ID >= "17" && v.ID <= "21" || v.ID == "02" || v.ID == "03"
				if before > i || before == i || alone && before == 1 {
					break
				}
				first := all.Conformance[before]
				if _, answer := w.serve(request(first.Method, first.Target, first.RequestBody)); string(answer.Body) != first.ResponseBody {
					t.Fatalf("case %s before it: got %s", first.ID, answer.Body)
				}
			}
			if v.ID == "10" {
				w.later(7201 * time.Second)
			}
			_, answer := w.serve(request(v.Method, v.Target, v.RequestBody))
			if string(answer.Body) != v.ResponseBody || answer.Status != 200 {
				t.Errorf("got %d %s, want %s", answer.Status, answer.Body, v.ResponseBody)
			}
			if v.ResponsePlain != "" && opened(t, answer) != v.ResponsePlain {
				t.Errorf("got %s, want %s", opened(t, answer), v.ResponsePlain)
			}
		})
	}
}

// TestCapturedRequests sends what six client libraries were seen to send, to the
// world of the default fixture. The official Go library was seen with a call
// that is not emulated, too.
func TestCapturedRequests(t *testing.T) {
	t.Parallel()
	all := loaded(t)
	if len(all.Captured) != 25 {
		t.Fatalf("got %d requests, want 25", len(all.Captured))
	}
	for _, v := range all.Captured {
		t.Run(v.SDK+" "+v.Method+" "+v.Target, func(t *testing.T) {
			t.Parallel()
			if v.Plain != nil {
				capturedEnvelope(t, v.AppID, v.Body, *v.Plain, v.Prefix, v.Pad, v.CipherLen)
			}
			w := newTown(t, "default")
			var headers []string
			for _, h := range v.Headers {
				name, value, _ := strings.Cut(h, ": ")
				headers = append(headers, name, value)
			}
			for _, target := range []string{v.Target, strings.Replace(v.Target, "/cgi/", "/v3/api/jgapp/", 1), strings.NewReplacer("%7B", "{", "%7D", "}").Replace(v.Target)} {
				verdict, answer := w.serve(request(v.Method, target, v.Body, headers...))
				want := "success"
				if strings.Contains(v.Target, "/msg/send") {
					want = "NOT_FOUND"
				}
				if verdict.Outcome.Name != want {
					t.Errorf("%s: got %s: %s, want %s", target, verdict.Outcome.Name, verdict.Explain(w.last).Text, want)
				}
				if want == "success" && len(w.last.Violations) > 0 {
					t.Errorf("%s: the journal calls it wrong: %+v", target, w.last.Violations)
				}
				if want == "success" && !strings.HasPrefix(string(answer.Body), `{"errcode":0,"errmsg":"ok"`) {
					t.Errorf("%s: got %s", target, answer.Body)
				}
			}
		})
	}
}

func capturedEnvelope(t *testing.T, appID, body, plain, first string, pad, size int) {
	t.Helper()
	var said struct{ Encrypt string }
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		t.Fatal(err)
	}
	message, fault := newApp(t, appID).open("encrypt", said.Encrypt, true)
	if fault != nil || string(message) != plain {
		t.Errorf("got %q, %+v, want %q", message, fault, plain)
	}
	raw, _ := base64.StdEncoding.DecodeString(said.Encrypt)
	if len(raw) != size || headSize+len(plain)+len(appID)+pad != size {
		t.Errorf("got %d bytes and %d of padding, want %d", len(raw), size-headSize-len(plain)-len(appID), size)
	}
	block := newApp(t, appID)
	plainText := make([]byte, prefixSize)
	block.block.Decrypt(plainText, raw[:prefixSize])
	for i := range plainText {
		plainText[i] ^= block.iv[i]
	}
	if got := hex.EncodeToString(plainText); got != first {
		t.Errorf("got the prefix %s, want %s", got, first)
	}
}

// TestCallbackVector makes the callback.
func TestCallbackVector(t *testing.T) {
	t.Parallel()
	v := loaded(t).Callback
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
