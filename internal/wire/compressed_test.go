package wire_test

import (
	"net/http"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A client library sends Content-Encoding: UTF-8, which compresses nothing.
func TestCoding(t *testing.T) {
	for _, tt := range []struct {
		values []string
		body   string
		want   string
	}{
		{nil, "x", ""},
		{[]string{"UTF-8"}, "x", ""},
		{[]string{"identity"}, "x", ""},
		{[]string{""}, "x", ""},
		{[]string{"gzip"}, "", ""},
		{[]string{"gzip"}, "x", "gzip"},
		{[]string{" GZip "}, "x", "gzip"},
		{[]string{"identity, br"}, "x", "br"},
		{[]string{"UTF-8", "deflate"}, "x", "deflate"},
	} {
		r := &contract.Request{Header: http.Header{"Content-Encoding": tt.values}, Body: []byte(tt.body)}
		if got := wire.Coding(r); got != tt.want {
			t.Errorf("%q with %q: got %q, want %q", tt.values, tt.body, got, tt.want)
		}
	}
}

// The cause of a refusal becomes the compression, and its message stays.
func TestOrCompressed(t *testing.T) {
	refused := &contract.Outcome{Name: "refused", Fails: true, Message: "{Name} is missing"}
	v := refused.Because(&contract.Cause{Code: "missing", Text: "no {Name}"}, "Name", "a")
	c := &contract.Call{API: &contract.API{}, Request: &contract.Request{Header: http.Header{}, Body: []byte("x")}}
	if got := wire.OrCompressed(c, v).Explain(c); got.Cause != "missing" {
		t.Errorf("got %+v", got)
	}
	c.Request.Header.Set("Content-Encoding", "gzip")
	if got := wire.OrCompressed(c, contract.Verdict{}); !got.Pending() {
		t.Errorf("got %+v", got)
	}
	got := wire.OrCompressed(c, v)
	if e := got.Explain(c); got.Message(c) != "a is missing" || e.Cause != "body_compressed" || e.Text[:43] != "A body with Content-Encoding gzip was found" {
		t.Errorf("got %q, %+v", got.Message(c), e)
	}
	if len(v.Facts) != 1 {
		t.Errorf("the verdict itself has changed: %+v", v.Facts)
	}
}
