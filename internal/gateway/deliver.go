package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

// deliver sends an answer as the scenario has the network carry it, and closes
// the exchange.
func (g *Gateway) deliver(w http.ResponseWriter, r *http.Request, x *engine.Exchange, began time.Time) {
	d := journal.Faulted // what holds where a fault ends the handler
	defer func() {
		x.Close(g.config.Registry.Wall().Sub(began), d)
		g.config.Registry.Notify(x.Callbacks())
	}()
	if !g.wait(r.Context(), x.Delay) {
		d = journal.ClientGone
		return
	}
	if x.Wire != nil && x.Wire.Fault != scenario.NoFault {
		g.fail(w, r, x)
		return
	}
	d = g.send(w, r, x)
}

// wait waits for d, at most MaxStall. It reports false where the client left
// before.
func (g *Gateway) wait(client context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(min(d, g.config.MaxStall))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-g.stop:
		return true
	case <-client.Done():
		return false
	}
}

func (g *Gateway) send(w http.ResponseWriter, r *http.Request, x *engine.Exchange) journal.Delivered {
	g.head(w, r, x, len(x.Response.Body))
	if len(x.Response.Body) == 0 || bodiless(r, x.Response.Status) {
		return journal.Sent
	}
	last := len(x.Response.Body) - 1
	err := g.stream(w, r, x, x.Response.Body[:last])
	x.EndCall()
	if err == nil {
		_, err = w.Write(x.Response.Body[last:])
	}
	if err != nil {
		return journal.ClientGone
	}
	return journal.Sent
}

// beat is how often a slow network sends something.
const beat = 20 * time.Millisecond

// stream sends bytes of a body, as many in a second as the scenario's bandwidth
// says. After MaxStall it sends the rest at once.
func (g *Gateway) stream(w http.ResponseWriter, r *http.Request, x *engine.Exchange, body []byte) error {
	rate := 0
	if x.Wire != nil {
		rate = x.Wire.Bandwidth
	}
	flush := http.NewResponseController(w).Flush
	for spent := time.Duration(0); rate > 0 && len(body) > 0 && spent < g.config.MaxStall; {
		pause, piece := beat, int(int64(rate)*int64(beat)/int64(time.Second))
		if piece == 0 {
			pause, piece = time.Second/time.Duration(rate), 1
		}
		piece = min(piece, len(body))
		if _, err := w.Write(body[:piece]); err != nil {
			return err
		}
		_ = flush() // where it cannot be flushed, it is sent in the end
		body = body[piece:]
		if !g.wait(r.Context(), pause) {
			return context.Cause(r.Context())
		}
		spent += pause
		if g.cut() {
			break
		}
	}
	_, err := w.Write(body)
	return err
}

// cut reports whether all waiting is over.
func (g *Gateway) cut() bool {
	select {
	case <-g.stop:
		return true
	default:
		return false
	}
}

// head sends status and headers, announcing a body of so many bytes.
func (g *Gateway) head(w http.ResponseWriter, r *http.Request, x *engine.Exchange, length int) {
	h := w.Header()
	for name, values := range x.Response.Header {
		h[name] = values
	}
	if x.Response.Header["Content-Type"] == nil {
		h["Content-Type"] = nil // net/http would guess one
	}
	if x.Wire.Removes("Date") {
		h["Date"] = nil // net/http would add one
	}
	own := make([]string, 4) // one piece of memory for all values
	set := func(i int, name, value string) {
		own[i] = value
		h[name] = own[i : i+1 : i+1]
	}
	if x.Response.Status != http.StatusNoContent && x.Response.Status != http.StatusNotModified {
		set(0, "Content-Length", strconv.Itoa(length))
	}
	if !g.config.Plain {
		set(1, OutcomeHeader, x.OutcomeName())
		set(2, DecidedByHeader, x.Entry.DecidedBy.String())
		set(3, CallHeader, x.Entry.ID)
	}
	if g.letsIn(r, x.Instance.API) {
		exposeAll(h)
	} else {
		exposeHeaders(h, r)
	}
	w.WriteHeader(x.Response.Status)
}

// fail breaks the connection as a scenario says. It panics with ErrAbortHandler
// where the connection ends here.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, x *engine.Exchange) {
	if r.ProtoMajor > 1 && bare(r, x) {
		noBareConnection(x.Wire.Fault).write(w, r)
		return
	}
	switch x.Wire.Fault {
	case scenario.Reset:
		reset(w)
	case scenario.Truncate, scenario.Garbage:
		g.spoil(w, r, x)
	case scenario.Stall:
		g.wait(r.Context(), g.config.MaxStall)
	}
	panic(http.ErrAbortHandler) // net/http closes the connection and says nothing of it
}

// bare reports whether a fault is one of the connection itself.
func bare(r *http.Request, x *engine.Exchange) bool {
	switch x.Wire.Fault {
	case scenario.Reset, scenario.Empty, scenario.Truncate:
		return true
	case scenario.Garbage:
		return bodiless(r, x.Response.Status)
	}
	return false
}

// garbage is no API's answer: bytes that are neither text nor JSON.
const garbage = "\x00\xff\xfe\x15\x03\x01\x80{]\xc3\x28<\x9f\x92\xa9"

// spoil sends an answer that ends too early, or garbage that does. Of an answer
// without a body it is the head that ends too early: the client would miss
// nothing else.
func (g *Gateway) spoil(w http.ResponseWriter, r *http.Request, x *engine.Exchange) {
	truncated := x.Wire.Fault == scenario.Truncate
	switch {
	case bodiless(r, x.Response.Status):
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		rest := garbage
		if truncated {
			rest = "Date: "
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\n%s", x.Response.Status, http.StatusText(x.Response.Status), rest)
		_ = conn.Close()
	case truncated:
		g.head(w, r, x, max(len(x.Response.Body), 1))
		g.begin(w, r, x, x.Response.Body[:len(x.Response.Body)/2])
	default:
		g.head(w, r, x, max(len(x.Response.Body), 1)+len(garbage))
		g.begin(w, r, x, []byte(garbage))
	}
}

// bodiless reports whether HTTP allows no body in an answer.
func bodiless(r *http.Request, status int) bool {
	return r.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
}

// begin sends the beginning of a body whose rest never comes.
func (g *Gateway) begin(w http.ResponseWriter, r *http.Request, x *engine.Exchange, body []byte) {
	_ = g.stream(w, r, x, body)
	_ = http.NewResponseController(w).Flush()
}

// reset ends the connection with a RST.
func reset(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		wire.Reset(conn)
	}
}
