package control

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// callFilters are the query parameters that choose calls, and filters those by which
// the journal of a sandbox is listed.
var (
	callFilters = []string{"api", "operation", "outcome", "decided_by", "status"}
	filters     = append(slices.Clone(callFilters), "since", "limit", "after")
)

// deciders are the kinds of what decides calls.
var deciders = []string{string(journal.Emulator), string(journal.Scenario), string(journal.Header), string(journal.Check)}

// journalValues are the values of filters that have few.
var journalValues = map[string][]string{"decided_by": deciders}

// How many entries a list has.
const (
	fewEntries  = 100 // the default
	mostEntries = 1000
)

func (s *Server) listJournal(a *request, box *sandbox.Sandbox) (any, error) {
	f, err := s.filter(a, box)
	if err != nil {
		return nil, err
	}
	entries, more := box.Journal.List(f)
	all := list[journal.Entry]{Items: make([]journal.Entry, len(entries))}
	for i := range entries {
		all.Items[i] = withoutBodies(s.config.Redactor.Entry(entries[i]))
	}
	if more {
		all.Next = entries[len(entries)-1].ID
	}
	return all, nil
}

// withoutBodies leaves out of an entry what may be long. Of the explanation the cause
// stays.
func withoutBodies(e journal.Entry) journal.Entry {
	if e.Explanation != nil {
		e.Explanation = &journal.Explanation{Cause: e.Explanation.Cause}
	}
	e.Request.Body, e.Request.Decoded = nil, nil
	e.Response.Body, e.Response.Decoded = nil, nil
	e.Mismatches = journal.Mismatches{}
	e.Violations = slices.Clone(e.Violations)
	for i := range e.Violations {
		e.Violations[i].Got = nil
	}
	return e
}

func (s *Server) getEntry(a *request, box *sandbox.Sandbox) (any, error) {
	id := a.path["id"]
	e, found := box.Journal.Find(id)
	if !found {
		counts := box.Journal.Counts()
		return nil, refuse(http.StatusNotFound, "the journal of sandbox %s has no entry %s; it holds %d, and %d gave way to later ones", box.Name, quote(id), counts.Entries, counts.Dropped)
	}
	shown := s.config.Redactor.Entry(e)
	if form := a.query["format"]; form != "" && form != "json" {
		return s.inForm(a, &shown, form)
	}
	api, err := s.api(shown.API)
	if err != nil {
		return shown, nil // of an API that is not served any more
	}
	return journal.Show(api, shown), nil
}

func (s *Server) clearJournal(_ *request, box *sandbox.Sandbox) (any, error) {
	box.Journal.Clear(false)
	return nil, nil
}

// filter reads the query of a list.
func (s *Server) filter(a *request, box *sandbox.Sandbox) (journal.Filter, error) {
	q := a.query
	f := journal.Filter{API: q["api"], Operation: q["operation"], Outcome: q["outcome"], Limit: fewEntries}
	if err := s.checkNames(f.API, f.Operation, f.Outcome); err != nil {
		return f, err
	}
	for name, read := range map[string]func(*journal.Filter, string, *sandbox.Sandbox) error{
		"decided_by": decidedBy, "status": statusOf, "since": since, "limit": limitOf, "after": after,
	} {
		if value := q[name]; value != "" {
			if err := read(&f, value, box); err != nil {
				return f, err
			}
		}
	}
	return f, nil
}

func decidedBy(f *journal.Filter, value string, _ *sandbox.Sandbox) error {
	if !slices.Contains(deciders, value) {
		return refuse(http.StatusBadRequest, "nothing is decided by %s%s", quote(value), hint(value, deciders))
	}
	f.DecidedBy = journal.Kind(value)
	return nil
}

func statusOf(f *journal.Filter, value string, _ *sandbox.Sandbox) (err error) {
	f.Status, err = wholeNumber("status", value, 100, 999)
	return err
}

func limitOf(f *journal.Filter, value string, _ *sandbox.Sandbox) (err error) {
	f.Limit, err = wholeNumber("limit", value, 1, mostEntries)
	return err
}

func wholeNumber(name, value string, least, most int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		return 0, refuse(http.StatusBadRequest, "%s is %s; a whole number from %d to %d was expected", name, quote(value), least, most)
	}
	return n, nil
}

// since takes an instant, or how long ago it was by the sandbox's clock, by
// which entries are dated.
func since(f *journal.Filter, value string, box *sandbox.Sandbox) error {
	if t, err := time.Parse(time.RFC3339, value); err == nil {
		f.Since = t
		return nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return refuse(http.StatusBadRequest, "since is %s; an instant such as 2026-03-01T12:00:00Z or a duration such as 5m was expected", quote(value))
	}
	f.Since = box.Clock.Now().Add(-d)
	return nil
}

func after(f *journal.Filter, value string, box *sandbox.Sandbox) error {
	n, ours := strings.CutPrefix(value, box.Name+"-")
	if _, err := strconv.ParseUint(n, 10, 63); !ours || err != nil {
		return refuse(http.StatusBadRequest, "after is %s; the next of a list before, or an entry's id such as %s-12 was expected", quote(value), box.Name)
	}
	f.After = value
	return nil
}
