package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/files"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/server"
)

// The forms of the log.
const (
	logText = "text"
	logJSON = "json"
)

func logger(w io.Writer, form string, quiet bool) (*slog.Logger, error) {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if quiet {
		options.Level = slog.LevelWarn
	}
	switch form {
	case logText:
		return slog.New(&callLog{slog.NewTextHandler(w, options), w}), nil
	case logJSON:
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, usage("--log is %q; text or json was expected", form)
}

// A callLog writes records about calls as lines for people, and all others as slog
// does.
type callLog struct {
	slog.Handler
	w io.Writer
}

// Handle writes a record at once, so that the lines of several do not mix.
func (h *callLog) Handle(ctx context.Context, r slog.Record) error {
	if r.Message != server.CallMessage {
		return h.Handler.Handle(ctx, r)
	}
	var c loggedCall
	r.Attrs(c.take)
	_, err := h.w.Write(c.appendTo(make([]byte, 0, 256), r.Time))
	return err
}

// A loggedCall is a record about a call.
type loggedCall struct {
	id, sandbox, api, operation, outcome, decidedBy, delivered, cause, why string

	ms float64
}

func (c *loggedCall) take(a slog.Attr) bool {
	switch a.Key {
	case server.LogCall:
		c.id = a.Value.String()
	case server.LogSandbox:
		c.sandbox = a.Value.String()
	case server.LogAPI:
		c.api = a.Value.String()
	case server.LogOperation:
		c.operation = a.Value.String()
	case server.LogOutcome:
		c.outcome = a.Value.String()
	case server.LogDecidedBy:
		c.decidedBy = a.Value.String()
	case server.LogDuration:
		c.ms = a.Value.Float64()
	case server.LogDelivered:
		c.delivered = a.Value.String()
	case server.LogCause:
		c.cause = a.Value.String()
	case server.LogWhy:
		c.why = a.Value.String()
	}
	return true
}

// appendTo writes the call as one line. Below a refusal by the emulator or one of its
// checks stands why; what a scenario or a header decided, the line says already.
func (c *loggedCall) appendTo(b []byte, at time.Time) []byte {
	b = at.AppendFormat(b, time.TimeOnly)
	for _, word := range []string{c.sandbox, c.api, c.operation, "→", c.outcome} {
		b = append(append(b, ' '), word...)
	}
	kind, name, _ := strings.Cut(c.decidedBy, " ")
	b = append(append(b, " · "...), kind...)
	if name != "" {
		b = append(append(b, ' '), strings.TrimPrefix(name, c.api+"/")...)
	}
	b = append(b, " · "...)
	if c.ms < 1000 {
		b = append(strconv.AppendFloat(b, c.ms, 'f', 1, 64), "ms"...)
	} else {
		b = append(strconv.AppendFloat(b, c.ms/1000, 'f', 1, 64), 's')
	}
	if c.delivered != string(journal.Sent) {
		b = append(append(b, " · "...), c.delivered...)
	}
	b = append(b, '\n')
	if c.cause != "" && kind != string(journal.Scenario) && kind != string(journal.Header) {
		b = append(append(b, "         "...), c.id...)
		b = append(append(b, ' '), c.cause...)
		b = append(append(b, ": "...), output.OneLine(c.why)...)
		b = append(b, '\n')
	}
	return b
}

// summaryVariable names the file in which CI servers show what a step says of itself.
const summaryVariable = "GITHUB_STEP_SUMMARY"

// maxSummary is how large that file may be, in bytes: a larger one is not shown.
const maxSummary = 1 << 20

// tellClosing tells what the calls came to: in the log, unless it is to be quiet, and in
// the summary of a CI server.
func tellClosing(env *env, log *slog.Logger, s *server.Server, form string, quiet bool) {
	fail := func(err error) { log.Warn("the closing table could not be written", "fault", err) }
	if !quiet {
		if err := logClosing(env, log, s, form); err != nil {
			fail(err)
		}
	}
	path := env.lookup(summaryVariable)
	if path == "" {
		return
	}
	text, err := s.Closing(output.FormMarkdown)
	if err == nil {
		err = files.Within(lastWords, "the file "+path, func() error { return files.Append(path, []byte(text+"\n"), maxSummary) })
	}
	if err != nil {
		fail(err)
	}
}

func logClosing(env *env, log *slog.Logger, s *server.Server, form string) error {
	if form == logJSON {
		text, err := s.Closing(output.FormJSON)
		if err != nil {
			return err
		}
		log.Info("closing", "closing", json.RawMessage(bytes.TrimSpace([]byte(text))))
		return nil
	}
	text, err := s.Closing(output.FormTable)
	if err != nil {
		return err
	}
	_, err = io.WriteString(env.err, text)
	return err
}
