package youdu

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

const (
	secondApp = "ydSecond"
	secondKey = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
)

// step sends a request, in a world that knows a second application with a key of its
// own.
func step(r *http.Request) func(testing.TB, *conformance.World) {
	return func(t testing.TB, w *conformance.World) {
		w.Instance(t).WithState(func(s contract.State) {
			st := s.(*state)
			st.Apps = append(st.Apps, app{Buin: 7, AppID: secondApp, AESKey: secondKey})
			if err := st.Reindex(); err != nil {
				t.Fatal(err)
			}
		})
		w.Send(r)
	}
}

// posted sends a body to CreateSession.
func posted(body string) func(testing.TB, *conformance.World) {
	return step(request("POST", "/cgi/session/create?accessToken="+lastingToken, body))
}

// texted sends an encrypted text to CreateSession.
func texted(encrypt string) func(testing.TB, *conformance.World) { return posted(body(encrypt)) }

// messaged sends a message to CreateSession, encrypted as documented.
func messaged(t testing.TB, message string) func(testing.TB, *conformance.World) {
	return posted(sealed(t, vectorApp, message))
}

// enveloped sends an envelope with these members changed.
func enveloped(t testing.TB, changed contract.Values) func(testing.TB, *conformance.World) {
	envelope := map[string]any{"buin": vectorBuin, "appId": vectorApp, "encrypt": string(newApp(t, vectorApp).seal(nil, vectorPrefix, []byte(goodCall)))}
	for name, value := range changed {
		if envelope[name] = value; value == nil {
			delete(envelope, name)
		}
	}
	return posted(string(wire.Encode(envelope)))
}

// under encrypts a plain text with another key or mode.
func under(key []byte, ecb bool, plain []byte) string {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	out := bytes.Clone(plain)
	if !ecb {
		cipher.NewCBCEncrypter(block, key[:aes.BlockSize]).CryptBlocks(out, out)
		return base64.StdEncoding.EncodeToString(out)
	}
	for at := 0; at < len(out); at += aes.BlockSize {
		block.Encrypt(out[at:], out[at:])
	}
	return base64.StdEncoding.EncodeToString(out)
}

// filled pads a text to a multiple of block with n bytes of value n, or of another.
func filled(text []byte, block int, value func(n int) byte) []byte {
	n := block - len(text)%block
	return append(bytes.Clone(text), bytes.Repeat([]byte{value(n)}, n)...)
}

// Each mistake is recognised where it is made, and not where it is not.
func TestMistakes(t *testing.T) {
	t.Parallel()
	good := string(newApp(t, vectorApp).seal(nil, vectorPrefix, []byte(goodCall)))
	key, _ := strictBase64.DecodeString(vectorKey)
	length := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	n, own := len(goodCall), func(n int) byte { return byte(n) }
	text := func(length []byte, message, tail string) []byte { return withoutPadding(layout(length, message, tail)) }
	usual := text(length(n), goodCall, vectorApp)
	odd := text(length(n+4), goodCall+"    ", vectorApp) // padded to 16, its length is no multiple of 32
	for len(filled(odd, 16, own))%padBlock == 0 {
		odd = text(length(n+12), goodCall+strings.Repeat(" ", 12), vectorApp)
	}
	aligned := usual
	for extra := 0; len(aligned)%padBlock != 0; extra++ {
		aligned = text(length(n+extra), goodCall+strings.Repeat(" ", extra), vectorApp)
	}
	special := good // with + and /
	for i := 0; !strings.Contains(special, "+") || !strings.Contains(special, "/") || !strings.HasSuffix(special, "="); i++ {
		special = string(newApp(t, vectorApp).seal(nil, [prefixSize]byte{byte(i)}, []byte(goodCall)))
	}
	second := app{Buin: 7, AppID: secondApp, AESKey: secondKey}
	second.block, second.iv, _ = newCipher(secondKey)
	wide := `{"title":"测试","creator":"test1"}`
	path := "/cgi/session/create"
	with := func(target string, headers ...string) func(testing.TB, *conformance.World) {
		return step(request("POST", target, sealed(t, vectorApp, goodCall), headers...))
	}
	timed := func(at string) func(testing.TB, *conformance.World) {
		return step(request("POST", "/cgi/gettoken", sealed(t, vectorApp, at)))
	}
	strict := conformance.Setting{Fixture: "strict"}
	answer := url.QueryEscape(string(newApp(t, vectorApp).seal(nil, vectorPrefix, []byte(`{"accessToken":"x","expireIn":7200}`))))
	upload := func(kind, text string) func(testing.TB, *conformance.World) {
		return step(request("POST", uploadPath, text, "Content-Type", kind))
	}
	tests := []conformance.MistakeTest{
		{Code: "envelope_not_encrypted", Made: texted(goodCall), Near: texted("[" + goodCall + "]"), Told: "envelope_base64"},
		{Code: "envelope_not_encrypted", Made: enveloped(t, contract.Values{"encrypt": contract.Values{"title": "x"}}), Near: enveloped(t, contract.Values{"encrypt": []any{}}), Told: "envelope_mistyped"},
		{Code: "envelope_base64_url", Made: texted(strings.NewReplacer("+", "-", "/", "_").Replace(special)), Near: texted(strings.NewReplacer("+", "-", "/", "_").Replace(special[4:])), Told: "envelope_base64"},
		{Code: "envelope_base64_unpadded", Made: texted(strings.TrimRight(special, "=")), Near: texted(strings.TrimRight(special, "=")[8:]), Told: "envelope_base64"},
		{Code: "envelope_base64_lines", Made: texted(good[:76] + "\r\n" + good[76:]), Near: texted(good[:76] + "\r\n" + good[80:]), Told: "envelope_base64"},
		{Code: "envelope_plus_lost", Made: texted(strings.ReplaceAll(special, "+", " ")), Near: texted(strings.ReplaceAll(special, "+", ".")), Told: "envelope_base64"},
		{Code: "envelope_percent_encoded", Made: texted(url.QueryEscape(special)), Near: texted(url.QueryEscape(url.QueryEscape(special))), Told: "envelope_base64"},
		{Code: "envelope_hex", Made: texted(hex.EncodeToString(decodedText(good))), Near: texted(hex.EncodeToString(decodedText(good)[1:]) + "00"), Told: "envelope_padding"},
		{Code: "envelope_encoded_twice", Made: texted(base64.StdEncoding.EncodeToString([]byte(good))), Near: texted(base64.StdEncoding.EncodeToString([]byte(good[4:]))), Told: "envelope_length"},

		{Code: "sealed_with_other_key", Made: texted(string(second.seal(nil, vectorPrefix, []byte(goodCall)))), Near: texted(under(bytes.Repeat([]byte{9}, keySize), false, filled(usual, padBlock, own))), Told: "envelope_padding"},
		{Code: "sealed_with_undecoded_key", Made: texted(under([]byte(vectorKey[:keySize]), false, filled(usual, padBlock, own))), Near: texted(under([]byte(vectorKey[1:keySize+1]), false, filled(usual, padBlock, own))), Told: "envelope_padding"},
		{Code: "sealed_with_short_key", Made: texted(under(key[:16], false, filled(usual, padBlock, own))), Near: texted(under(key[8:24], false, filled(usual, padBlock, own))), Told: "envelope_padding"},
		{Code: "sealed_in_ecb", Made: texted(under(key, true, filled(usual, padBlock, own))), Near: texted(under(key[:24], true, filled(usual, padBlock, own))), Told: "envelope_padding"},

		{Code: "padded_to_16", Made: texted(raw(t, filled(odd, 16, own))), Near: texted(raw(t, filled(bytes.ReplaceAll(odd, []byte(vectorApp), []byte(sampleApp)), 16, own))), Told: "tail_of_other_app"},
		{Code: "padded_with_zeros", Made: texted(raw(t, filled(usual, padBlock, func(int) byte { return 0 }))), Near: texted(raw(t, filled(usual, padBlock, func(int) byte { return 'x' }))), Told: "envelope_padding"},
		{Code: "padding_missing", Made: texted(raw(t, aligned)), Near: texted(raw(t, append(bytes.Clone(aligned[:len(aligned)-1]), 'x'))), Told: "envelope_padding"},
		{Code: "prefix_missing", Made: texted(raw(t, filled(usual[prefixSize:], padBlock, own))), Near: texted(raw(t, filled(usual[prefixSize/2:], padBlock, own))), Told: "envelope_size"},
		{Code: "length_missing", Made: texted(raw(t, filled(append(bytes.Clone(usual[:prefixSize]), usual[headSize:]...), padBlock, own))), Near: texted(raw(t, filled(append(bytes.Clone(usual[:prefixSize]), usual[headSize+1:]...), padBlock, own))), Told: "envelope_size"},
		{Code: "length_little_endian", Made: texted(raw(t, layout(binary.LittleEndian.AppendUint32(nil, uint32(n)), goodCall, vectorApp))), Near: texted(raw(t, layout(binary.LittleEndian.AppendUint32(nil, uint32(n+1)), goodCall, vectorApp))), Told: "envelope_size"},
		{Code: "length_counts_app_id", Made: texted(raw(t, layout(length(n+len(vectorApp)), goodCall, vectorApp))), Near: texted(raw(t, layout(length(n+len(vectorApp)-1), goodCall, vectorApp))), Told: "envelope_tail"},
		{Code: "length_in_characters", Made: texted(raw(t, layout(length(len([]rune(wide))), wide, vectorApp))), Near: texted(raw(t, layout(length(len([]rune(wide))-1), wide, vectorApp))), Told: "envelope_tail"},
		{Code: "tail_missing", Made: texted(raw(t, layout(length(n), goodCall, ""))), Near: texted(raw(t, layout(length(n), goodCall, "x"))), Told: "envelope_tail"},
		{Code: "tail_is_buin", Made: texted(raw(t, layout(length(n), goodCall, "14797363"))), Near: texted(raw(t, layout(length(n), goodCall, "14797364"))), Told: "envelope_tail"},
		{Code: "tail_of_other_app", Made: texted(raw(t, layout(length(n), goodCall, sampleApp))), Near: texted(raw(t, layout(length(n), goodCall, sampleApp+"x"))), Told: "envelope_tail"},
		{Code: "message_sealed_alone", Made: texted(raw(t, filled([]byte(goodCall), padBlock, own))), Near: texted(raw(t, filled([]byte("hello"), padBlock, own))), Told: "envelope_head"},

		{Code: "token_named_otherwise", Made: with(path + "?access_token=" + lastingToken), Near: with(path + "?key=" + lastingToken), Told: "token_missing"},
		{Code: "token_in_header", Made: with(path, "Authorization", "Bearer "+lastingToken), Near: with(path, "X-Key", lastingToken), Told: "token_missing"},
		{Code: "token_in_body", Made: step(request("POST", path, `{"accessToken":"`+lastingToken+`"}`)), Near: step(request("POST", path, `{"accessToken":""}`)), Told: "token_missing"},
		{Code: "token_not_decrypted", Made: with(path + "?accessToken=" + answer), Near: with(path + "?accessToken=" + url.QueryEscape(good)), Told: "token_unknown"},
		{Code: "token_not_trimmed", Made: with(path + "?accessToken=%22" + lastingToken + "%22"), Near: with(path + "?accessToken=x" + lastingToken), Told: "token_unknown"},
		{Code: "token_case", Made: with(path + "?accessToken=" + strings.ToUpper(lastingToken)), Near: with(path + "?accessToken=" + strings.ToUpper(lastingToken[1:])), Told: "token_unknown"},

		{Code: "form_for_json", Made: posted("buin=14797363&appId=" + vectorApp), Near: posted("hello=world"), Told: "body_no_json"},
		{Code: "json_for_form", Made: upload("application/json", body(good)), Near: upload("text/plain", "hello"), Told: "body_no_form"},
		{Code: "json_encoded_twice", Made: posted(string(wire.Encode(body(good)))), Near: posted(`"hello"`), Told: "body_no_json"},
		{Code: "json_encoded_twice", Made: messaged(t, string(wire.Encode(goodCall))), Near: messaged(t, `"hello"`), Told: "message_no_json"},
		{Code: "message_not_utf8", Made: messaged(t, "{\"title\":\"\xb2\xe2\xca\xd4\"}"), Near: messaged(t, "\xb2\xe2\xca\xd4"), Told: "message_no_json"},
		{Code: "envelope_other_names", Made: enveloped(t, contract.Values{"appId": nil, "app_id": vectorApp}), Near: enveloped(t, contract.Values{"appId": nil, "application": vectorApp}), Told: "envelope_lacks"},
		{Code: "buin_as_text", Made: enveloped(t, contract.Values{"buin": "14797363"}), Near: enveloped(t, contract.Values{"buin": "fourteen"}), Told: "envelope_mistyped"},
		{Code: "buin_of_other_app", Made: enveloped(t, contract.Values{"appId": secondApp}), Near: enveloped(t, contract.Values{"appId": "ydThird"}), Told: "app_unknown"},
		{Code: "buin_of_other_app", Made: enveloped(t, contract.Values{"buin": 9}), Near: enveloped(t, contract.Values{"buin": 9, "appId": "ydThird"}), Told: "buin_unknown"},
		{Code: "app_id_spelling", Made: enveloped(t, contract.Values{"appId": strings.ToLower(vectorApp)}), Near: enveloped(t, contract.Values{"appId": vectorApp[1:]}), Told: "app_unknown"},
		{Code: "app_id_and_key_swapped", Made: enveloped(t, contract.Values{"appId": secondKey}), Near: enveloped(t, contract.Values{"appId": secondKey[1:]}), Told: "app_unknown"},

		{Code: "time_in_milliseconds", Setting: strict, Made: timed("1700000000000"), Near: timed("1800000000000"), Told: "stale_time"},
		{Code: "time_zone", Setting: strict, Made: timed("1700028800"), Near: timed("1700001000"), Told: "stale_time"},
		{
			Code: "number_as_text",
			Made: step(request("POST", "/cgi/session/send?accessToken="+lastingToken, sealed(t, vectorApp, `{"sessionId":"x","sender":"test1","msgType":"file","file":{"media_id":"x","size":"7"}}`))),
			Near: step(request("POST", "/cgi/session/send?accessToken="+lastingToken, sealed(t, vectorApp, `{"sessionId":"x","sender":"test1","msgType":"file","file":{"media_id":"x","size":"seven"}}`))), Told: "parameter_mistyped",
		},
		{Code: "text_as_number", Made: messaged(t, `{"title":7}`), Near: messaged(t, `{"title":{}}`), Told: "parameter_mistyped"},
		{Code: "list_as_text", Made: messaged(t, `{"member":"test1"}`), Near: messaged(t, `{"member":{}}`), Told: "parameter_mistyped"},
	}
	for i := range tests {
		if tests[i].Setting.Fixture == "" {
			tests[i].Setting.Fixture = "bare"
		}
		tests[i].Setting.Wall = func() time.Time { return conformance.Noon }
	}
	conformance.Mistakes(t, API, tests)
}

// decodedText is the ciphertext of a text.
func decodedText(text string) []byte {
	raw, _ := strictBase64.DecodeString(text)
	return raw
}
