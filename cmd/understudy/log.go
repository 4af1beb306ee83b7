package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/understudy-suite/understudy/internal/files"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/server"
	"github.com/understudy-suite/understudy/internal/wire"
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
		return slog.New(slog.NewTextHandler(w, options)), nil
	case logJSON:
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, usage("--log is %q; text or json was expected", form)
}

// callLogger returns what logs calls to w; nil: they are not logged.
func callLogger(w io.Writer, form string, quiet bool) func(server.LoggedCall) {
	if quiet {
		return nil
	}
	appendCall := appendCallText
	if form == logJSON {
		appendCall = appendCallJSON
	}
	var mu sync.Mutex
	var line []byte // used again for each call
	return func(c server.LoggedCall) {
		mu.Lock()
		defer mu.Unlock()
		line = appendCall(line[:0], c)
		_, _ = w.Write(line) // a log that cannot be written has nobody to tell
		if cap(line) > mostLine {
			line = nil
		}
	}
}

// mostLine is how long a line may be to be kept for the next one, in bytes.
const mostLine = 4 << 10

// appendCallText writes a call as one line. Below a refusal by the emulator or one of its
// checks stands why; what a scenario or a header decided, the line says already.
func appendCallText(b []byte, c server.LoggedCall) []byte {
	b = c.Time.AppendFormat(b, time.TimeOnly)
	for _, word := range [...]string{c.Sandbox, c.API, c.Operation, "→", c.Outcome} {
		b = append(append(b, ' '), word...)
	}
	kind, name, _ := strings.Cut(c.DecidedBy, " ")
	b = append(append(b, " · "...), kind...)
	if name != "" {
		if of, rest, is := strings.Cut(name, "/"); is && of == c.API {
			name = rest
		}
		b = append(append(b, ' '), name...)
	}
	b = append(b, " · "...)
	if ms := c.DurationMS; ms < 1000 {
		b = append(strconv.AppendFloat(b, ms, 'f', 1, 64), "ms"...)
	} else {
		b = append(strconv.AppendFloat(b, ms/1000, 'f', 1, 64), 's')
	}
	if c.Delivered != journal.Sent {
		b = append(append(b, " · "...), c.Delivered...)
	}
	b = append(b, '\n')
	if c.Cause != "" && kind != string(journal.Scenario) && kind != string(journal.Header) {
		b = append(append(b, "         "...), c.ID...)
		b = append(append(b, ' '), c.Cause...)
		b = append(append(b, ": "...), output.OneLine(c.Why)...)
		b = append(b, '\n')
	}
	return b
}

// appendCallJSON writes a call as slog writes records in JSON.
func appendCallJSON(b []byte, c server.LoggedCall) []byte {
	b = c.Time.AppendFormat(append(b, `{"time":"`...), time.RFC3339Nano)
	b = append(b, `","level":"INFO","msg":"call"`...)
	for _, m := range [...]struct{ name, value string }{
		{`,"call":`, c.ID},
		{`,"sandbox":`, c.Sandbox},
		{`,"api":`, c.API},
		{`,"operation":`, c.Operation},
		{`,"outcome":`, c.Outcome},
		{`,"decided_by":`, c.DecidedBy},
	} {
		b = wire.AppendString(append(b, m.name...), m.value)
	}
	b = wire.AppendMilliseconds(append(b, `,"duration_ms":`...), c.DurationMS)
	b = wire.AppendString(append(b, `,"delivered":`...), string(c.Delivered))
	if c.Cause != "" {
		b = wire.AppendString(append(b, `,"cause":`...), c.Cause)
		b = wire.AppendString(append(b, `,"why":`...), c.Why)
	}
	return append(b, "}\n"...)
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
