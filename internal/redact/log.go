package redact

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

// Line returns a text of the log without secrets: those of the environment, what
// stands behind a name that some table calls secret, and the userinfo of addresses.
func (r *Redactor) Line(s string) string {
	s = r.Text(s)
	if strings.Contains(s, "://") {
		s = userinfo().ReplaceAllString(s, "${1}"+contract.Redacted+"@")
	}
	if strings.ContainsAny(s, `="`) {
		f := &redaction{redactor: r, names: r.any.get()}
		s = f.redactMatches(f.names.json, f.text(s))
	}
	return scheme().ReplaceAllString(s, "${1}"+contract.Redacted)
}

// Why returns an entry's explanation as the log has it: without what the request
// proved its caller by. The log leaves the machine more often than the journal, so
// this holds whatever documents show.
func (r *Redactor) Why(e *journal.Entry) string {
	if e.Explanation == nil || e.Explanation.Text == "" {
		return ""
	}
	if len(e.Explanation.Facts) == 0 && len(e.Explanation.Signatures) == 0 {
		return e.Explanation.Text // a sentence of ours, without anything of the request
	}
	x := *e
	x.Mismatches = journal.Mismatches{}
	return r.mask(x, true).Explanation.Text
}

// A handler masks what is logged.
type handler struct {
	next slog.Handler
	r    *Redactor
}

// Handler returns a handler that hands records without secrets to next.
func (r *Redactor) Handler(next slog.Handler) slog.Handler {
	if r == nil {
		return next
	}
	return &handler{next, r}
}

func (h *handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h *handler) Handle(ctx context.Context, record slog.Record) error {
	masked := slog.NewRecord(record.Time, record.Level, h.r.Line(record.Message), record.PC)
	record.Attrs(func(a slog.Attr) bool {
		masked.AddAttrs(h.attr(a))
		return true
	})
	return h.next.Handle(ctx, masked)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	masked := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		masked[i] = h.attr(a)
	}
	return &handler{h.next.WithAttrs(masked), h.r}
}

func (h *handler) WithGroup(name string) slog.Handler { return &handler{h.next.WithGroup(name), h.r} }

// attr masks an attribute. Values that are neither text nor number are looked at
// as they would be printed.
func (h *handler) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, h.r.Line(v.String()))
	case slog.KindGroup:
		var members []any
		for _, m := range v.Group() {
			members = append(members, h.attr(m))
		}
		return slog.Group(a.Key, members...)
	case slog.KindAny:
		for _, text := range printed(v.Any()) {
			if h.r.Line(text) != text {
				return slog.String(a.Key, h.r.Line(fmt.Sprint(v.Any())))
			}
		}
	}
	return slog.Attr{Key: a.Key, Value: v}
}

// printed returns a value as the forms of the log print it.
func printed(x any) []string {
	texts := []string{fmt.Sprint(x)}
	if encoded, err := json.Marshal(x); err == nil {
		texts = append(texts, string(encoded))
	}
	return texts
}
