package youdu_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"testing"

	"github.com/understudy-suite/understudy/emulators/youdu"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A play is a call and what a client sees of it: "ok" with or without data, an
// errcode, a status, or a connection that broke. Where wait is given, the client
// does not wait, and the journal has the delay.
type play struct {
	operation string
	with      contract.Values // beside the documented sample
	want      string
	wait      int64
}

// Each shipped scenario plays what its description says, and leaves what it is
// not about alone: GetSession is asked before and after, too.
func TestShippedScenarios(t *testing.T) {
	t.Parallel()
	const token, create, get, update, send = "GetToken", "CreateSession", "GetSession", "UpdateSession", "SendMessage"
	on := func(want string, operations ...string) (all []play) {
		for _, op := range operations {
			all = append(all, play{operation: op, want: want})
		}
		return all
	}
	join := func(lists ...[]play) (all []play) {
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	toFile := contract.Values{"msgType": "file", "file": contract.Values{"media_id": "5d41402abc4b2a76b9719d911017c592-5"}}
	plays := map[string][]play{
		"token-expired":               join(on("100002", create, get, update, send), on("data", token), on("data", create, get, update), on("ok", send)),
		"token-always-expired":        join(on("100002", create), on("data", token), on("100002", create, get, update, send)),
		"token-not-found":             join(on("100001", create, get, update, send), on("data", token, create, get, update), on("ok", send)),
		"token-short-lived":           on(`{"accessToken":…,"expireIn":1}`, token, token),
		"decryption-fails":            on("100006", token, create, get, update, send),
		"decryption-fails-at-first":   join(on("100006", token), on("data", token, create)),
		"app-disabled":                on("100005", token, create, get, update, send),
		"not-a-member":                join(on("3", update, send, update), on("data", create, get)),
		"no-such-user":                join(on("300225", create, update, create), on("data", get), on("ok", send)),
		"no-such-receiver":            join(on("200007", send, send), on("data", create)),
		"too-few-members":             join(on("5", create), on("data", create, create)),
		"session-gone":                join(on("4", get, update, send), on("data", create)),
		"owner-changed":               join([]play{{operation: get, want: "owner test2, version 2"}}, on("data", create)),
		"version-beyond-doubles":      on("version 9007199254740993", create, get, update),
		"file-gone":                   join(on("200010", "GetMedia", "SearchMedia"), on("ok", send), []play{{operation: send, with: toFile, want: "200010"}}),
		"upload-refused":              join(on("200008", "UploadMedia", "UploadMedia"), on("data", "UploadMedia")),
		"server-error":                on("-1", token, create, get, update, send, "UploadMedia", "GetMedia", "SearchMedia"),
		"server-error-then-created":   join(on("-1", create, create), on("data", create, create)),
		"slow-answer":                 {{operation: create, want: "no answer yet", wait: 10000}, {operation: get, want: "data"}},
		"slow-token":                  {{operation: token, want: "no answer yet", wait: 3000}, {operation: create, want: "data"}},
		"answer-lost":                 join(on("broken", create), on("data", create)),
		"connection-reset":            join(on("broken", update), on("data", update)),
		"answer-without-encrypt":      join(on("ok", create), on("data", get)),
		"broken-envelope":             join(on("data", create, create), on("data", get)),
		"envelope-of-another-key":     join(on("data", token), on("data", create)),
		"envelope-with-a-huge-length": join(on("data", token), on("data", create)),
		"envelope-padded-to-16":       join(on("data", token), on("data", create)),
		"envelope-of-another-app":     join(on("data", token), on("data", create)),
		"proxy-page":                  join(on("status 502", create, get, update, send), on("data", token)),
	}
	spoiled := map[string]string{
		"broken-envelope": "length", "envelope-of-another-key": "padding", "envelope-with-a-huge-length": "size",
		"envelope-padded-to-16": "length", "envelope-of-another-app": "tail",
	}
	made := map[string]int{"slow-answer": 1, "answer-lost": 2, "answer-without-encrypt": 1, "broken-envelope": 0, "server-error-then-created": 2}
	conformance.Shipped(t, youdu.API, plays, conformance.Demands{}, func(t *testing.T, w *conformance.World, calls []play) {
		name := path.Base(t.Name())
		server := httptest.NewServer(w.Door)
		defer server.Close()
		before := sessions(t, w)
		if got := see(t, w, server, play{operation: get}); got.short != "data" {
			t.Errorf("before: got %s", got.short)
		}
		w.Activate(t, name)
		for i, c := range calls {
			got := see(t, w, server, c)
			if !got.shows(c.want) {
				t.Errorf("call %d, %s: got %s %s, want %s", i+1, c.operation, got.short, got.told, c.want)
			}
			step := ""
			if c.operation == calls[0].operation {
				step = spoiled[name]
			}
			if got.short == "data" && youdu.Step(t, got.encrypt) != step {
				t.Errorf("call %d, %s: its envelope fails at %q, want %q", i+1, c.operation, youdu.Step(t, got.encrypt), step)
			}
		}
		if n, known := made[name]; known && sessions(t, w)-before != n {
			t.Errorf("got %d new sessions, want %d", sessions(t, w)-before, n)
		}
		w.Sandbox.Player.OffAll()
		if got := see(t, w, server, play{operation: get}); got.short != "data" {
			t.Errorf("after: got %s", got.short)
		}
	})
}

// sessions counts those of the world.
func sessions(t *testing.T, w *conformance.World) int {
	t.Helper()
	text, err := w.Room(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var world struct{ Sessions map[string]any }
	if err := json.Unmarshal(text, &world); err != nil {
		t.Fatal(err)
	}
	return len(world.Sessions)
}

// seen is what a client sees of an answer.
type seen struct {
	short   string // "data", "ok", an errcode, a status, "broken"
	encrypt string
	told    map[string]any // what was returned, before it was encrypted
}

func (s seen) shows(want string) bool {
	switch {
	case want == s.short:
		return true
	case want == fmt.Sprintf("owner %v, version %v", s.told["owner"], s.told["version"]), want == fmt.Sprintf("version %v", s.told["version"]):
		return true
	}
	return want == fmt.Sprintf(`{"accessToken":…,"expireIn":%v}`, s.told["expireIn"])
}

// see sends a call over a real connection.
func see(t *testing.T, w *conformance.World, server *httptest.Server, c play) seen {
	t.Helper()
	op := youdu.API.Operation(c.operation)
	in := contract.Sample(op.Params)
	maps.Copy(in, c.with)
	r := w.Request(t, op, in)
	if c.wait > 0 {
		ctx, gone := context.WithCancel(context.Background())
		gone()
		w.Send(r.WithContext(ctx))
		if e := w.Last(t); e.Wire == nil || e.Wire.DelayMS != c.wait || e.Wire.Undone {
			t.Errorf("%s: got %+v, want a delay of %d ms", c.operation, e.Wire, c.wait)
		}
		return seen{short: "no answer yet"}
	}
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Scheme, r.URL.Host, r.RequestURI = u.Scheme, u.Host, ""
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return seen{short: "broken"}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return seen{short: "broken"}
	}
	if answer.StatusCode != 200 {
		return seen{short: fmt.Sprint("status ", answer.StatusCode)}
	}
	return read(t, w, body)
}

func read(t *testing.T, w *conformance.World, body []byte) seen {
	t.Helper()
	var said struct {
		Errcode int
		Encrypt string
	}
	if err := json.Unmarshal(body, &said); err != nil {
		t.Fatalf("got %s: %v", body, err)
	}
	s := seen{short: fmt.Sprint(said.Errcode), encrypt: said.Encrypt}
	switch {
	case said.Encrypt != "":
		s.short = "data"
		if raw, ok := w.Last(t).Response.Decoded.(json.RawMessage); ok {
			decoder := json.NewDecoder(bytes.NewReader(raw))
			decoder.UseNumber()
			_ = decoder.Decode(&s.told)
		}
	case said.Errcode == 0:
		s.short = "ok"
	}
	return s
}
