package youdu

import (
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The journal explains an envelope that cannot be opened: the step, what was
// expected, and the mistake where one is known. It shows no key.
func TestExplainEnvelope(t *testing.T) {
	t.Parallel()
	const otherKey = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
	w := newWorldOf(t, contract.Verify, "fixture: f\napi: youdu\napps:\n"+
		"  - {buin: 14797363, appId: "+vectorApp+", aesKey: "+vectorKey+"}\n  - {buin: 14797363, appId: second, aesKey: "+otherKey+"}\n")
	v := loadVectors(t)
	tests := []struct{ vector, cause, text, difference string }{
		{"N1", "envelope_tail", `Step 6, appId: the text ends in "ydFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" behind the message; ` + vectorApp, `the appId at the end, behind the message "1700000000"`},
		{"N2", "envelope_size", "Step 5, message: its length field says 4096 bytes and 44 follow.", "Step 5, message"},
		{"N3", "sealed_with_other_key", "The envelope was encrypted with the key of second and names " + vectorApp, "the key: the EncodingAESKey of second opens the envelope"},
		{"N4", "padded_to_16", "The text was padded to a multiple of 16, ", "Step 2, length"},
		{"N5", "padded_with_zeros", "The text was padded with zero bytes.", "Step 3, padding"},
		{"N6", "envelope_base64", "Step 1, base64: encrypt is not strict standard base64: illegal base64 data at input byte 0.", "Step 1, base64"},
	}
	for _, tt := range tests {
		t.Run(tt.vector, func(t *testing.T) {
			entry, _ := w.serve(request("POST", "/cgi/gettoken", body(v.vector(t, tt.vector))))
			e := entry.Explanation
			if e == nil {
				t.Fatalf("%s without an explanation", entry.Outcome)
			}
			if e.Cause != tt.cause || !strings.HasPrefix(e.Text, tt.text) || e.FirstDifference != tt.difference {
				t.Errorf("got %+v", e)
			}
			if !strings.Contains(e.Expected, "AES-256-CBC under the EncodingAESKey {aesKey} of "+vectorApp) || !strings.Contains(e.Got, v.vector(t, tt.vector)[:12]) {
				t.Errorf("got the expected %s, the got %s", e.Expected, e.Got)
			}
			all := e.Text + e.Expected + e.Got + e.FirstDifference
			if strings.Contains(all, vectorKey) || strings.Contains(all, otherKey) {
				t.Errorf("a key is shown: %s", all)
			}
		})
	}
}

// A world without applications can open no envelope, and the journal says so.
func TestExplainWithoutKey(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, contract.Off, "fixture: f\napi: youdu\n")
	entry, _ := w.serve(request("POST", "/cgi/gettoken", body("AAAA")))
	if e := entry.Explanation; e == nil || entry.Outcome != invalidEncrypt.Name || e.Cause != "envelope_key" || e.Expected != "" {
		t.Errorf("got %s, %+v", entry.Outcome, e)
	}
}

// The explanation names the part of a form that cannot be opened.
func TestExplainPart(t *testing.T) {
	t.Parallel()
	w, a := newWorld(t, "bare"), newApp(t, vectorApp)
	about := string(a.seal(nil, [prefixSize]byte{}, []byte(`{"type":"file","name":"n"}`)))
	entry, _ := w.serve(upload(t, uploadPath, part{"buin", "14797363"}, part{"appId", vectorApp}, part{"encrypt", about}, part{"file", "hello"}))
	if e := entry.Explanation; e == nil || e.Cause != "envelope_base64" || !strings.Contains(e.Text, "the part file is not strict standard base64") || !strings.Contains(e.Got, "hello") || e.FirstDifference != "Step 1, base64" {
		t.Errorf("got %+v", e)
	}
}
