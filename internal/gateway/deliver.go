package gateway

import (
	"context"
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
		a.Close(g.config.House.Wall().Sub(began), d)
		if g.config.Observe != nil {
			g.config.Observe(a.Entry)
		}
		g.config.House.Notify(a.Callbacks())
	}()
	if a.Wire != nil && !g.wait(v.r.Context(), a.Wire.Delay) {
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
	if v.r.Method == http.MethodHead || len(a.Body) == 0 {
		return journal.Sent
	}
	last := len(a.Body) - 1
	_, err := v.w.Write(a.Body[:last])
	a.Leave()
	if err == nil {
		_, err = v.w.Write(a.Body[last:])
	}
	if err != nil {
		return journal.ClientGone
	}
	return journal.Sent
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
	if a.Status != http.StatusNoContent && a.Status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	if !g.config.Plain {
		h.Set(OutcomeHeader, a.Outcome())
		h.Set(DecidedByHeader, a.DecidedBy())
		h.Set(CallHeader, a.Entry.ID)
	}
	v.w.WriteHeader(a.Status)
}

// fail breaks the wire as a scenario says. It does not return where the
// connection has to end here.
func (g *Gateway) fail(v *visitor, a *engine.Answer) {
	switch a.Wire.Fault {
	case scenario.Reset:
		reset(v.w)
	case scenario.Truncate:
		g.head(v, a, max(len(a.Body), 1))
		begin(v.w, a.Body[:len(a.Body)/2])
	case scenario.Garbage:
		g.head(v, a, len(a.Body)+len(garbage))
		begin(v.w, []byte(garbage))
	case scenario.Stall:
		g.wait(v.r.Context(), g.config.MaxStall)
	}
	panic(http.ErrAbortHandler) // net/http closes the connection and says nothing of it
}

// garbage is what no API says: bytes that are neither text nor JSON.
const garbage = "\x00\xff\xfe\x15\x03\x01\x80{]\xc3\x28<\x9f\x92\xa9"

// begin sends the beginning of a body whose rest never comes.
func begin(w http.ResponseWriter, body []byte) {
	_, _ = w.Write(body)
	_ = http.NewResponseController(w).Flush()
}

// reset ends the connection with a RST instead of a FIN.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
