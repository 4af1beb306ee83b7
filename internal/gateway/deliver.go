package gateway

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// deliver sends an answer as the scenario has the wire carry it, and closes it.
func (g *Gateway) deliver(v *visitor, a *engine.Answer, began time.Time) {
	d := journal.Faulted // where a fault ends the handler, this is what is left
	defer func() {
		a.Close(g.config.Registry.Wall().Sub(began), d)
		if g.config.Observe != nil {
			g.config.Observe(a.Entry)
		}
		g.config.Registry.Notify(a.Callbacks())
	}()
	if !g.wait(v.r.Context(), a.Delay) {
		d = journal.ClientGone
		return
	}
	if a.Wire != nil && a.Wire.Fault != scenario.NoFault {
		g.fail(v, a)
		return
	}
	d = g.send(v, a)
}

// wait lets d pass, or less where the house allows less. It reports false where
// the client left before.
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

func (g *Gateway) send(v *visitor, a *engine.Answer) journal.Delivered {
	g.head(v, a, len(a.Body))
	if len(a.Body) == 0 || bodiless(v.r, a.Status) {
		return journal.Sent
	}
	last := len(a.Body) - 1
	err := g.stream(v, a, a.Body[:last])
	a.Leave()
	if err == nil {
		_, err = v.w.Write(a.Body[last:])
	}
	if err != nil {
		return journal.ClientGone
	}
	return journal.Sent
}

// beat is how often a slow wire sends something.
const beat = 20 * time.Millisecond

// stream sends bytes of a body, as many in a second as the wire lets through.
// It takes no longer than the house lets an answer stall; what is left then
// follows at once.
func (g *Gateway) stream(v *visitor, a *engine.Answer, body []byte) error {
	rate := 0
	if a.Wire != nil {
		rate = a.Wire.Bandwidth
	}
	flush := http.NewResponseController(v.w).Flush
	for spent := time.Duration(0); rate > 0 && len(body) > 0 && spent < g.config.MaxStall; {
		pause, piece := beat, int(int64(rate)*int64(beat)/int64(time.Second))
		if piece == 0 {
			pause, piece = time.Second/time.Duration(rate), 1
		}
		piece = min(piece, len(body))
		if _, err := v.w.Write(body[:piece]); err != nil {
			return err
		}
		_ = flush() // where it cannot be flushed, it is sent in the end
		body = body[piece:]
		if !g.wait(v.r.Context(), pause) {
			return context.Cause(v.r.Context())
		}
		spent += pause
		if g.cut() {
			break
		}
	}
	_, err := v.w.Write(body)
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
func (g *Gateway) head(v *visitor, a *engine.Answer, length int) {
	h := v.w.Header()
	for name, values := range a.Header {
		h[name] = values
	}
	if a.Header["Content-Type"] == nil {
		h["Content-Type"] = nil // net/http would guess one
	}
	if a.Wire.Removes("Date") {
		h["Date"] = nil // net/http would add one
	}
	if a.Status != http.StatusNoContent && a.Status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	if !g.config.Plain {
		h.Set(OutcomeHeader, a.Outcome())
		h.Set(DecidedByHeader, a.DecidedBy())
		h.Set(CallHeader, a.Entry.ID)
	}
	v.open(h)
	v.w.WriteHeader(a.Status)
}

// fail breaks the wire as a scenario says. It does not return where the
// connection has to end here.
func (g *Gateway) fail(v *visitor, a *engine.Answer) {
	switch a.Wire.Fault {
	case scenario.Reset:
		reset(v.w)
	case scenario.Truncate, scenario.Garbage:
		g.spoil(v, a)
	case scenario.Stall:
		g.wait(v.r.Context(), g.config.MaxStall)
	}
	panic(http.ErrAbortHandler) // net/http closes the connection and says nothing of it
}

// garbage is what no API says: bytes that are neither text nor JSON.
const garbage = "\x00\xff\xfe\x15\x03\x01\x80{]\xc3\x28<\x9f\x92\xa9"

// spoil sends an answer that ends too early, after garbage where the wire says
// so. Where no body follows, it is the head that ends too early: the client
// would miss nothing else.
func (g *Gateway) spoil(v *visitor, a *engine.Answer) {
	truncated := a.Wire.Fault == scenario.Truncate
	switch {
	case bodiless(v.r, a.Status):
		conn, _, err := http.NewResponseController(v.w).Hijack()
		if err != nil {
			return // HTTP/2 resets the stream
		}
		rest := garbage
		if truncated {
			rest = "Date: "
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\n%s", a.Status, http.StatusText(a.Status), rest)
		_ = conn.Close()
	case truncated:
		g.head(v, a, max(len(a.Body), 1))
		g.begin(v, a, a.Body[:len(a.Body)/2])
	default:
		g.head(v, a, len(a.Body)+len(garbage))
		g.begin(v, a, []byte(garbage))
	}
}

// bodiless reports whether an answer has no body, whatever there is to be said.
func bodiless(r *http.Request, status int) bool {
	return r.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
}

// begin sends the beginning of a body whose rest never comes.
func (g *Gateway) begin(v *visitor, a *engine.Answer, body []byte) {
	_ = g.stream(v, a, body)
	_ = http.NewResponseController(v.w).Flush()
}

// reset ends the connection with a RST instead of a FIN.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	below := conn
	if secured, ok := conn.(interface{ NetConn() net.Conn }); ok {
		below = secured.NetConn() // TLS would say goodbye before it closes
	}
	if tcp, ok := below.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = below.Close()
}
