package server

import (
	"bytes"
	"cmp"
	"fmt"
	"time"

	"github.com/understudy-suite/understudy/internal/journal"
)

// A LoggedCall is what the log tells of a call. It names no secret.
type LoggedCall struct {
	Time       time.Time // by the wall clock, when the call was closed
	ID         string    // in the journal
	Sandbox    string
	API        string
	Operation  string // "-": the request named none
	Outcome    string
	DecidedBy  string
	DurationMS float64
	Delivered  journal.Delivered
	Cause, Why string // "": the call has no explanation
}

// logCall logs a call. The line goes around the handler that looks for secrets in
// everything, since it has no values of requests: what others than the tables name is
// masked here.
func (s *Server) logCall(e *journal.Entry) {
	c := LoggedCall{
		Time: s.config.Wall(), ID: s.redactor.Text(e.ID), Sandbox: s.redactor.Text(e.Sandbox),
		API: e.API, Operation: cmp.Or(e.Operation, "-"), Outcome: e.Outcome,
		DecidedBy: s.redactor.Text(e.DecidedBy.String()), DurationMS: e.DurationMS, Delivered: e.Delivered,
	}
	if e.Explanation != nil {
		c.Cause, c.Why = e.Explanation.Cause, s.redactor.Line(s.redactor.Why(e))
	}
	s.config.LogCall(c)
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
