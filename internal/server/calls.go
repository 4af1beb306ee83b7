package server

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"

	"github.com/understudy-suite/understudy/internal/journal"
)

// CallMessage is the message of the log's records about calls.
const CallMessage = "call"

// The members of such a record, in their order. The last two are those of calls that
// have an explanation.
const (
	LogCall      = "call" // the ID in the journal
	LogSandbox   = "sandbox"
	LogAPI       = "api"
	LogOperation = "operation" // "-": the request named none
	LogOutcome   = "outcome"
	LogDecidedBy = "decided_by"
	LogDuration  = "duration_ms"
	LogDelivered = "delivered"
	LogCause     = "cause"
	LogWhy       = "why"
)

// logCall logs a call. The record goes around the handler that looks for secrets in
// everything, since it has no values of requests: what others than the tables name is
// masked here.
func (s *Server) logCall(e *journal.Entry) {
	ctx := context.Background()
	if !s.calls.Enabled(ctx, slog.LevelInfo) {
		return
	}
	operation := e.Operation
	if operation == "" {
		operation = "-"
	}
	record := slog.NewRecord(s.config.Wall(), slog.LevelInfo, CallMessage, 0)
	record.AddAttrs(
		slog.String(LogCall, s.redactor.Text(e.ID)), slog.String(LogSandbox, s.redactor.Text(e.Sandbox)),
		slog.String(LogAPI, e.API), slog.String(LogOperation, operation), slog.String(LogOutcome, e.Outcome),
		slog.String(LogDecidedBy, s.redactor.Text(e.DecidedBy.String())),
		slog.Float64(LogDuration, e.DurationMS), slog.String(LogDelivered, string(e.Delivered)),
	)
	if e.Explanation != nil {
		record.AddAttrs(slog.String(LogCause, e.Explanation.Cause), slog.String(LogWhy, s.redactor.Line(s.redactor.Why(e))))
	}
	_ = s.calls.Handle(ctx, record) // a log that cannot be written has nobody to tell
}

// Closing returns, in a form that coverage.Closing has, what the calls of all sandboxes came
// to, and what was planned and never played.
func (s *Server) Closing(form string) (string, error) {
	never, more := s.Registry.NeverFired()
	report := s.Registry.Coverage.Report()
	report.Understudy = s.config.Version
	var b bytes.Buffer
	if err := report.Close(never, more, uint64(s.Registry.JournalLost())).Print(&b, form); err != nil {
		return "", fmt.Errorf("closing table: %w", err)
	}
	return s.redactor.Text(b.String()), nil
}
