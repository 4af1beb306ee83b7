package youdu_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/youdu"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

// A play is a call and the result that a client sees: "data", "ok" without data,
// an errcode, a status, or a broken connection. If wait is set, the client does
// not wait, and the journal has the delay.
type play struct {
	operation string
	with      contract.Values // added to the documented sample
	want      string
	wait      int64
	passes    time.Duration // how far the sandbox's clock moves before the call
	rewind    bool          // the scenario starts again before the call
}

// statusCodes are the errcodes of the page of status codes, in its order.
var statusCodes = strings.Fields(`
-1 2 3 4 5 100000 100001 100002 100003 100004 100005 100006 100008 100009 100010 100011 100012 100013 100014
200001 200007 200008 200009 200010 300001 300002 300101 300102 300103 300104 300105 300106 300107 300108
300109 300110 300111 300112 300113 300114 300115 300116 300117 300118 300119 300201 300202 300203 300204
300205 300206 300207 300208 300209 300210 300211 300212 300213 300214 300215 300216 300217 300218 300219
300220 300221 300222 300223 300224 300225 300226 300227 300301 300302 300303 300304 300306 300307 300308
300311 300311 300312 500001 500002 500003 500004 500005 500006 500007 500008`)

// Each shipped scenario does what its description says and nothing else: before
// and after it, a program gets a token, and creates, reads, changes and writes to
// a session.
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
	inTurn := func(operation, success string) []play {
		all := on(success, operation)
		for i := range statusCodes {
			all = append(on(statusCodes[len(statusCodes)-1-i], operation), all...)
		}
		all[0].rewind = true
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
		"account-name-too-long":       join(on("300218", create, create), on("data", get)),
		"server-error-twice":          join(on("-1", get, get), on("data", get), on("-1", update, update), on("data", update), on("-1", send, send), on("ok", send)),
		"flapping":                    join(on("-1", create), on("data", create), on("-1", create, send), on("ok", send), on("data", create)),
		"slow-start": join(on("status 503", token, create, send), []play{
			{operation: get, want: "status 503", passes: 3*time.Minute - time.Second}, {operation: get, want: "data", passes: time.Second},
		}, on("data", token, create), on("ok", send)),
		"message-sent-answer-lost":     join(on("broken", send), on("ok", send)),
		"message-never-sent":           on("ok", send, send),
		"token-expires-in-between":     join(on("data", get), on("100002", get, update, send), on("data", token, get, update), on("ok", send)),
		"person-leaves-in-between":     join([]play{{operation: get, want: "owner test1, version 2"}, {operation: get, want: "owner test2, version 3"}}, on("3", update, send)),
		"token-ends-within-the-margin": on(`{"accessToken":…,"expireIn":599}`, token, token),
		"token-ends-beyond-the-margin": on(`{"accessToken":…,"expireIn":601}`, token, token),
		"owner-leaves-over-a-bad-network": join([]play{{operation: update, want: "no answer yet", wait: 3000}}, on("broken", get, get),
			[]play{{operation: get, want: "owner test2, version 3"}}, on("3", update)),
		"every-status-code-in-turn": join(inTurn(create, "data"), inTurn(get, "data"), inTurn(update, "data"), inTurn(send, "ok")),
		"brown-out":                 on("brown-out", create, send),
		"proxy-page":                join(on("status 502", create, get, update, send), on("data", token)),
	}
	spoiled := map[string]string{
		"broken-envelope": "length", "envelope-of-another-key": "padding", "envelope-with-a-huge-length": "size",
		"envelope-padded-to-16": "length", "envelope-of-another-app": "tail",
	}
	newSessions := map[string]int{"slow-answer": 1, "answer-lost": 2, "answer-without-encrypt": 1, "broken-envelope": 0, "server-error-then-created": 2}
	left := map[string]bool{"person-leaves-in-between": true, "owner-leaves-over-a-bad-network": true}
	newMessages := map[string]int64{"message-sent-answer-lost": 2, "message-never-sent": 1, "flapping": 1}
	demands := conformance.Demands{Failures: []string{create, get, update, send}} // no page says how long a client waits
	conformance.Shipped(t, youdu.API, plays, demands, func(t *testing.T, w *conformance.World, calls []play) {
		name := path.Base(t.Name())
		p := &program{t: t, w: w, server: httptest.NewServer(w.Handler), token: w.Credentials(t).Text("accessToken")}
		defer p.server.Close()
		untouched := join(on("data", token, create, get, update), on("ok", send))
		for _, c := range untouched {
			if got := p.send(c); !got.is(c.want) {
				t.Errorf("before, %s: got %s %s", c.operation, got.short, got.returned)
			}
		}
		p.token = w.Credentials(t).Text("accessToken")
		before, messages := p.count()
		w.Activate(t, name)
		for i, c := range calls {
			if c.want == "brown-out" {
				p.brownOut(c)
				continue
			}
			got := p.send(c)
			if !got.is(c.want) {
				t.Errorf("call %d, %s: got %s %s, want %s", i+1, c.operation, got.short, got.returned, c.want)
			}
			step := ""
			if c.operation == calls[0].operation {
				step = spoiled[name]
			}
			if got.short == "data" && youdu.FailedStep(t, got.encrypt) != step {
				t.Errorf("call %d, %s: decryption fails at %q, want %q", i+1, c.operation, youdu.FailedStep(t, got.encrypt), step)
			}
		}
		after, sent := p.count()
		if n, known := newSessions[name]; known && after-before != n {
			t.Errorf("got %d new sessions, want %d", after-before, n)
		}
		if n, known := newMessages[name]; known && sent-messages != n {
			t.Errorf("%d messages were sent, want %d", sent-messages, n)
		}
		w.Sandbox.Player.OffAll()
		for _, c := range untouched {
			if left[name] && (c.operation == update || c.operation == send) {
				c.want = "3" // test1 is no member any more
			}
			if got := p.send(c); !got.is(c.want) {
				t.Errorf("after, %s: got %s %s, want %s", c.operation, got.short, got.returned, c.want)
			}
		}
	})
}

// A program is a client with a token.
type program struct {
	t      *testing.T
	w      *conformance.World
	server *httptest.Server
	token  string // the latest
}

// count returns the number of sessions, and the id of the latest message of the
// documented one, which grows by one with each message.
func (p *program) count() (sessions int, messages int64) {
	p.t.Helper()
	text, err := p.w.Instance(p.t).Snapshot()
	if err != nil {
		p.t.Fatal(err)
	}
	var state struct {
		Sessions map[string]struct {
			LastMsgID int64 `json:"last_msg_id"`
		}
	}
	if err := json.Unmarshal(text, &state); err != nil {
		p.t.Fatal(err)
	}
	return len(state.Sessions), state.Sessions["{8AD595F3-73B3-4B56-90AF-F336F9222FC5}"].LastMsgID
}

// request makes the request of a call.
func (p *program) request(c play) *http.Request {
	p.t.Helper()
	op := youdu.API.Operation(c.operation)
	in := contract.Sample(op.Params)
	if p.token != "" && c.operation != "GetToken" {
		in["accessToken"] = p.token
	}
	maps.Copy(in, c.with)
	return p.w.Request(p.t, op, in)
}

// brownOut makes many calls without waiting for the answers.
func (p *program) brownOut(c play) {
	p.t.Helper()
	conformance.BrownOut(p.t, func() *journal.Entry {
		e := p.w.Glance(p.t, p.request(c))
		return &e
	})
}

// A result is what a client sees of an answer.
type result struct {
	short    string // "data", "ok", an errcode, a status, "broken"
	encrypt  string
	returned map[string]any // what the call returns, decrypted
}

// is reports whether the result is the wanted one.
func (r result) is(want string) bool {
	switch {
	case want == r.short:
		return true
	case want == fmt.Sprintf("owner %v, version %v", r.returned["owner"], r.returned["version"]), want == fmt.Sprintf("version %v", r.returned["version"]):
		return true
	}
	return want == fmt.Sprintf(`{"accessToken":…,"expireIn":%v}`, r.returned["expireIn"])
}

// freshConnections makes each call on a connection of its own: on a used one that
// breaks, Go sends a GET again by itself.
var freshConnections = &http.Transport{DisableKeepAlives: true}

// send sends a call over a real connection.
func (p *program) send(c play) result {
	t := p.t
	t.Helper()
	if c.rewind {
		p.w.Sandbox.Player.Rewind()
	}
	if c.passes > 0 {
		if err := p.w.Sandbox.Clock.Advance(c.passes); err != nil {
			t.Fatal(err)
		}
	}
	r := p.request(c)
	if c.wait > 0 {
		if e := p.w.Glance(t, r); e.Wire == nil || e.Wire.DelayMS != c.wait || e.Wire.Undone {
			t.Errorf("%s: got %+v, want a delay of %d ms", c.operation, e.Wire, c.wait)
		}
		return result{short: "no answer yet"}
	}
	u, err := url.Parse(p.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Scheme, r.URL.Host, r.RequestURI = u.Scheme, u.Host, ""
	answer, err := freshConnections.RoundTrip(r)
	if err != nil {
		return result{short: "broken"}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return result{short: "broken"}
	}
	if answer.StatusCode != 200 {
		return result{short: fmt.Sprint("status ", answer.StatusCode)}
	}
	s := readAnswer(t, p.w, body)
	if token, issued := s.returned["accessToken"].(string); issued && c.operation == "GetToken" {
		p.token = token
	}
	return s
}

// readAnswer reads the result from an answer with status 200.
func readAnswer(t *testing.T, w *conformance.World, body []byte) result {
	t.Helper()
	var answer struct {
		Errcode int
		Encrypt string
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("got %s: %v", body, err)
	}
	s := result{short: fmt.Sprint(answer.Errcode), encrypt: answer.Encrypt}
	switch {
	case answer.Encrypt != "":
		s.short = "data"
		if raw, ok := w.Last(t).Response.Decoded.(json.RawMessage); ok {
			decoder := json.NewDecoder(bytes.NewReader(raw))
			decoder.UseNumber()
			_ = decoder.Decode(&s.returned)
		}
	case answer.Errcode == 0:
		s.short = "ok"
	}
	return s
}
