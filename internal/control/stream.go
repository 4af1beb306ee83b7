package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// How a stream goes.
const (
	streamWaiting = 1024                   // calls that wait for one reader; more are lost
	heartbeat     = 15 * time.Second       // between two comments, where nothing else is to be told
	writePatience = 10 * time.Second       // that a reader may take for what is written
	parting       = 500 * time.Millisecond // the same, when the server stops
	streamPause   = 20 * time.Millisecond  // between two looks at what waits, so that calls need not wake the reader one by one
	streamBatch   = 32 << 10               // bytes that are written together, if so many wait
)

// A stream tells a reader of calls as Server-Sent Events.
type stream struct {
	server *Server
	reader *journal.Reader
	box    *sandbox.Sandbox // nil: calls of all sandboxes
	before *journal.Backlog // what is told first; nil: nothing
	lost   int64            // calls that the reader was not told of yet

	line lineWriter
	text []byte // that is not written yet
	w    http.ResponseWriter
	out  *http.ResponseController
}

// followJournal tells of a sandbox's calls as they close.
func (s *Server) followJournal(a *request, box *sandbox.Sandbox) (any, error) {
	if id := a.Header.Get("Last-Event-ID"); id != "" && a.query["after"] == "" {
		a.query["after"] = id
	}
	f, err := s.filter(a, box)
	if err != nil {
		return nil, err
	}
	if a.query["limit"] == "" {
		f.Limit = 0
	}
	reader, err := s.read(func(e *journal.Entry) bool { return e.Sandbox == box.Name && f.Fits(e) })
	if err != nil {
		return nil, err
	}
	t := &stream{server: s, reader: reader, box: box}
	if f.Limit > 0 || f.After != "" || !f.Since.IsZero() { // after the reader is there, so that no call is missed in between
		t.before = box.Journal.Backlog(f)
		t.lost = int64(t.before.Lost)
	}
	return t, nil
}

// followAll tells of the calls of all sandboxes as they close. It cannot begin with
// those before, so its events have no id.
func (s *Server) followAll(a *request) (any, error) {
	f, err := s.filter(a, nil)
	if err != nil {
		return nil, err
	}
	reader, err := s.read(f.Fits)
	if err != nil {
		return nil, err
	}
	return &stream{server: s, reader: reader}, nil
}

func (s *Server) read(wants func(*journal.Entry) bool) (*journal.Reader, error) {
	reader, err := s.config.Registry.Feed.Read(streamWaiting, wants)
	if err != nil {
		return nil, refuse(http.StatusServiceUnavailable, "%v", err).with("Retry-After", "1")
	}
	return reader, nil
}

// Cut ends the streams. Those who come later end at once.
func (s *Server) Cut() { s.cut() }

// ServeHTTP tells until the reader has gone or takes nothing, the sandbox is dropped,
// or the server stops.
func (t *stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer t.reader.Close()
	h := w.Header()
	h.Set("Content-Type", eventStream)
	h.Set("Connection", "close")             // it has deadlines of its own
	if masked, is := w.(*maskedWriter); is { // it would keep all that is told; each event is masked by itself
		w = masked.ResponseWriter
	}
	t.w, t.out = w, http.NewResponseController(w)
	if r.Method == http.MethodHead {
		return
	}
	if t.box != nil {
		defer t.box.Follow()()
	}
	_ = t.out.SetReadDeadline(time.Time{}) // that of the request would end the stream
	stopped := context.AfterFunc(t.server.streams, func() { t.within(parting) })
	defer stopped()
	t.text = append(t.text, "retry: 1000\n\n"...)
	if t.begin() == nil {
		t.follow(r.Context())
	}
}

// begin tells of the calls before.
func (t *stream) begin() error {
	if t.before != nil {
		for _, c := range t.before.Calls {
			if err := t.tell(c); err != nil {
				return err
			}
		}
		t.before.Calls = nil
	}
	return t.flush()
}

var errEnded = errors.New("the stream has ended")

// follow tells of calls as they come.
func (t *stream) follow(reader context.Context) {
	var dropped <-chan struct{}
	if t.box != nil {
		dropped = t.box.Ended()
	}
	beat := time.NewTicker(t.server.config.Heartbeat)
	defer beat.Stop()
	pause := time.NewTimer(streamPause)
	defer pause.Stop()
	calls := t.reader.Calls
	for {
		var err error
		select {
		case <-reader.Done():
			err = errEnded
		case <-t.server.streams.Done():
			err = errEnded
		case <-dropped:
			_ = t.takeAll()
			err = errEnded
		case c := <-calls:
			calls = nil
			pause.Reset(streamPause)
			if err = t.tell(c); err == nil {
				err = t.takeAll()
			}
		case <-pause.C:
			calls = t.reader.Calls
		case <-beat.C:
			err = t.beat()
		}
		if err != nil {
			return
		}
	}
}

// takeAll tells of all calls that wait.
func (t *stream) takeAll() error {
	for {
		select {
		case c := <-t.reader.Calls:
			if err := t.tell(c); err != nil {
				return err
			}
		default:
			return t.flush()
		}
	}
}

// beat shows the reader that the stream lives.
func (t *stream) beat() error {
	t.text = append(t.text, ":\n\n"...)
	return t.flush()
}

// tell adds one call as an event.
func (t *stream) tell(c journal.Call) error {
	if t.before != nil && t.before.Calls == nil && t.before.Has(c) {
		return nil
	}
	e, known := c.Entry()
	if !known {
		t.lost++
		return nil
	}
	t.tellLost()
	if t.box != nil {
		t.text = append(append(append(t.text, "id: "...), e.ID...), '\n')
	}
	t.text = append(t.text, "data: "...)
	start := len(t.text)
	if redactor := t.server.config.Redactor; redactor.Active() {
		shown := redactor.Entry(e)
		t.text = t.line.append(t.text, &shown)
		t.text = append(t.text[:start], redactor.Document(jsonText, t.text[start:])...)
	} else {
		t.text = t.line.append(t.text, &e)
	}
	t.text = append(t.text, "\n\n"...)
	if len(t.text) < streamBatch {
		return nil
	}
	return t.write()
}

// tellLost says how many calls are missing at this place.
func (t *stream) tellLost() {
	if t.lost += t.reader.Lost(); t.lost == 0 {
		return
	}
	t.text = fmt.Appendf(t.text, "event: lost\ndata: {\"lost\":%d}\n\n", t.lost)
	t.lost = 0
}

// write writes what was added.
func (t *stream) write() error {
	t.within(writePatience)
	if t.server.streams.Err() != nil {
		return errEnded
	}
	_, err := t.w.Write(t.text)
	if t.text = t.text[:0]; cap(t.text) > 2*streamBatch { // it held an uncommonly long event
		t.text = nil
	}
	return err
}

func (t *stream) flush() error {
	t.tellLost()
	if err := t.write(); err != nil {
		return err
	}
	return t.out.Flush()
}

// within bounds the time in which the reader takes what is written.
func (t *stream) within(d time.Duration) { _ = t.out.SetWriteDeadline(now().Add(d)) }

// now is the machine's own time, by which connections have deadlines.
var now = time.Now //nolint:forbidigo // no sandbox's clock moves a connection
