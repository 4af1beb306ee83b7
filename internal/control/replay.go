package control

import (
	"net/http"
	"slices"

	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/replay"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/wire"
)

// noteHeader is what has to be said beside an answer that is a text.
const noteHeader = "Understudy-Note"

// textAnswer is a text for people and their tools.
type textAnswer struct{ text, note string }

func (t textAnswer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if t.note != "" {
		w.Header().Set(noteHeader, t.note)
	}
	send(w, http.StatusOK, "text/plain; charset=utf-8", []byte(t.text))
}

func (s *Server) replays(a *request) replay.Writer {
	return replay.Writer{APIs: s.config.APIs, Base: wire.Base(a.Request)}
}

// inForm answers with a call in the form that is asked for.
func (s *Server) inForm(a *request, e *journal.Entry, form string) (any, error) {
	if !slices.Contains(replay.Forms, form) {
		return nil, refuse(http.StatusBadRequest, "there is no format %s%s", quote(form), hint(form, append([]string{"json"}, replay.Forms...)))
	}
	text, note, err := s.replays(a).Write(e, form)
	if err != nil {
		return nil, refuse(http.StatusConflict, "%v", err)
	}
	return textAnswer{text, note}, nil
}

// getArchive answers with the calls that the query chooses, oldest first.
func (s *Server) getArchive(a *request, box *sandbox.Sandbox) (any, error) {
	f, err := s.filter(a, box)
	if err != nil {
		return nil, err
	}
	if a.query["limit"] == "" {
		f.Limit = 0
	}
	entries, _ := box.Journal.List(f)
	slices.Reverse(entries)
	for i := range entries {
		entries[i] = s.config.Redactor.Entry(entries[i])
	}
	return s.replays(a).HAR(s.config.Version, entries), nil
}
