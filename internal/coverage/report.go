package coverage

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"

	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/files"
	"github.com/understudy-suite/understudy/internal/wire"
)

// Version is that of a report's form.
const Version = 1

// A Report says which documented outcomes were met. It holds all of them, so that it can
// be read and summed without the tables.
type Report struct {
	Version    int    `json:"version"`
	Understudy string `json:"understudy"`        // the version of the program that counted
	Sandbox    string `json:"sandbox,omitempty"` // "": several
	Uncalled   bool   `json:"uncalled"`          // APIs that nobody called are in the total too
	Calls      uint64 `json:"calls"`
	Total      Share  `json:"total"`
	APIs       []*API `json:"apis"`
	Of         []Of   `json:"of"` // whose calls they are, so that none is summed twice
}

// Of tells counts apart.
type Of struct {
	Server string `json:"server"` // one run of a server
	Count  int    `json:"count"`  // of its counts, which begin with sandboxes and resets; 0: of all calls
}

// A Share says how many of the documented outcomes were met. Waived ones are neither in
// Documented nor in Met.
type Share struct {
	Documented int      `json:"documented"`
	Met        int      `json:"met"`
	Waived     int      `json:"waived"`
	Percent    *float64 `json:"percent"` // rounded down to a tenth; nil: of nothing
}

// An API is what was met of an API.
type API struct {
	API    string `json:"api"`
	Tables string `json:"tables"` // a fingerprint of what is documented
	Calls  uint64 `json:"calls"`
	Share
	Operations []*Operation `json:"operations"`
	Common     []*Outcome   `json:"common"`    // outcomes that all operations have, which count once
	Uncounted  []*Outcome   `json:"uncounted"` // what calls ended in that no page documents
}

// An Operation is what was met of an operation.
type Operation struct {
	Operation string `json:"operation"`
	Calls     uint64 `json:"calls"`
	Share
	Outcomes []*Outcome `json:"outcomes"`
}

// An Outcome is one outcome and how often calls ended in it. It is met where an answer
// reached the client.
type Outcome struct {
	Operation string  `json:"operation,omitempty"` // of an uncounted one
	Outcome   string  `json:"outcome"`
	Fails     bool    `json:"fails"`
	Met       bool    `json:"met"`
	Waived    *Waived `json:"waived,omitempty"`
	Counts
}

// Waived says why an outcome need not be met.
type Waived struct {
	Reason string `json:"reason"`
	Until  string `json:"until"` // the last day on which that holds
}

// report is what was counted, by the rows of the catalogue.
func (c *Catalogue) report(all counts) *Report {
	r := &Report{Version: Version, APIs: []*API{}}
	outcome := func(row *row) *Outcome {
		o := &Outcome{Outcome: row.outcome, Fails: row.fails}
		if all != nil && all[row.index] != nil {
			o.Counts = *all[row.index]
		}
		return o
	}
	for _, t := range c.apis {
		api := &API{API: t.api, Tables: t.sum, Operations: []*Operation{}, Common: []*Outcome{}, Uncounted: []*Outcome{}}
		for _, own := range t.operations {
			op := &Operation{Operation: own.name, Outcomes: []*Outcome{}}
			for _, row := range own.rows {
				op.Outcomes = append(op.Outcomes, outcome(row))
			}
			api.Operations = append(api.Operations, op)
		}
		for _, row := range t.common {
			api.Common = append(api.Common, outcome(row))
		}
		for _, row := range t.uncounted {
			if o := outcome(row); o.Calls > 0 {
				o.Operation = row.operation
				api.Uncounted = append(api.Uncounted, o)
			}
		}
		r.APIs = append(r.APIs, api)
	}
	r.Settle(false)
	return r
}

// Settle computes what follows from the counts and waivers. uncalled takes APIs that
// nobody called into the total.
func (r *Report) Settle(uncalled bool) {
	r.Uncalled, r.Calls, r.Total = uncalled, 0, Share{}
	for _, api := range r.APIs {
		api.settle()
		r.Calls += api.Calls
		if uncalled || api.Calls > 0 {
			r.Total.include(api.Share)
		}
	}
	r.Total.settle()
}

func (a *API) settle() {
	a.Calls, a.Share = 0, Share{}
	byOperation := map[string]uint64{}
	a.each(func(op *Operation, o *Outcome) {
		o.settle()
		a.Calls += o.Calls
		if op != nil {
			byOperation[op.Operation] += o.Calls
		} else if o.Operation != "" {
			byOperation[o.Operation] += o.Calls
		}
		for name, n := range o.Operations {
			byOperation[name] += n
		}
	})
	for _, op := range a.Operations {
		op.Calls, op.Share = byOperation[op.Operation], shareOf(op.Outcomes)
		a.include(op.Share)
	}
	a.include(shareOf(a.Common))
	a.Share.settle()
}

// each goes through the outcomes. op is nil for those that no operation of the tables
// has alone.
func (a *API) each(f func(op *Operation, o *Outcome)) {
	for _, op := range a.Operations {
		for _, o := range op.Outcomes {
			f(op, o)
		}
	}
	for _, o := range a.Common {
		f(nil, o)
	}
	for _, o := range a.Uncounted {
		f(nil, o)
	}
}

func (o *Outcome) settle() {
	o.Met = o.Delivered > 0
	if o.Reacted != nil {
		o.Reacted.settle()
	}
}

func shareOf(outcomes []*Outcome) (s Share) {
	for _, o := range outcomes {
		switch {
		case o.Waived != nil:
			s.Waived++
		case o.Met:
			s.Met++
			s.Documented++
		default:
			s.Documented++
		}
	}
	s.settle()
	return s
}

func (s *Share) include(other Share) {
	s.Documented += other.Documented
	s.Met += other.Met
	s.Waived += other.Waived
}

func (s *Share) settle() {
	s.Percent = nil
	if s.Documented > 0 {
		tenths := math.Floor(1000 * float64(s.Met) / float64(s.Documented))
		s.Percent = new(tenths / 10)
	}
}

// Reaches reports whether at least so many percent were met.
func (s Share) Reaches(percent float64) bool {
	return 100*float64(s.Met) >= percent*float64(s.Documented)
}

// ErrNoCalls says that a report knows nothing.
var ErrNoCalls = errors.New("there was no call, so nothing is covered and nothing is known")

// Judge returns why a report does not suffice where at least so many percent are asked
// for, or nil.
func (r *Report) Judge(least float64) error {
	if r.Calls == 0 {
		return ErrNoCalls
	}
	if r.Total.Reaches(least) {
		return nil
	}
	return fmt.Errorf("%s of the documented outcomes were met, and %g %% were asked for", percent(r.Total.Percent), least)
}

// CheckShare refuses what is no share that a report can be asked for.
func CheckShare(percent float64) error {
	if percent >= 0 && percent <= 100 { // NaN is neither
		return nil
	}
	return fmt.Errorf("%g is no share; 0 to 100 percent was expected", percent)
}

// maxReport is the longest report that is read, in bytes.
const maxReport = 32 << 20

// ReadPath reads a report from a file.
func ReadPath(path string) (*Report, error) {
	text, err := files.ReadPath(path, maxReport)
	if err == nil {
		var r *Report
		if r, err = Read(text); err == nil {
			return r, nil
		}
	}
	return nil, fmt.Errorf("%s cannot be used as a report: %w", path, err)
}

// Read reads a report. One that is damaged, or of another version, is refused.
func Read(text []byte) (*Report, error) {
	var form struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(text, &form); err != nil {
		return nil, fmt.Errorf("it is no JSON report: %w; what understudy coverage -o json prints was expected", wire.InWords(err))
	}
	if form.Version == nil {
		return nil, errors.New("it has no version; what understudy coverage -o json prints was expected")
	}
	if *form.Version != Version {
		return nil, fmt.Errorf("it is of version %d; version %d was expected, which this understudy prints", *form.Version, Version)
	}
	r := &Report{}
	if err := wire.ReadSaved(text, r); err != nil {
		return nil, fmt.Errorf("it is damaged: %w; what understudy coverage -o json prints was expected", err)
	}
	return r, r.check()
}

// most is the largest count that a report may have, so that no sum overflows.
const most = 1 << 40

// check returns how a report contradicts itself.
func (r *Report) check() error {
	seen := map[string]bool{}
	for _, api := range r.APIs {
		if api == nil || seen[api.API] {
			return errors.New("it is damaged: an API stands in it twice, or is null")
		}
		seen[api.API] = true
		if err := api.check(); err != nil {
			return err
		}
	}
	again := r.clone()
	again.Settle(r.Uncalled)
	if !reflect.DeepEqual(r, again) {
		return errors.New("it is damaged: its sums are not those of its counts")
	}
	return nil
}

func (a *API) check() error {
	for _, op := range a.Operations {
		if op == nil {
			return fmt.Errorf("it is damaged: an operation of %s is null", document.Quote(a.API))
		}
	}
	var names [][2]string
	for _, op := range a.Operations {
		names = append(names, [2]string{op.Operation, ""})
		for _, o := range op.Outcomes {
			if o != nil {
				names = append(names, [2]string{op.Operation, o.Outcome})
			}
		}
	}
	for _, o := range a.Common {
		if o != nil {
			names = append(names, [2]string{"", o.Outcome})
		}
	}
	if fingerprint(a.API, names) != a.Tables {
		return fmt.Errorf("it is damaged: the outcomes of %s are not those that its tables say", document.Quote(a.API))
	}
	var err error
	a.each(func(_ *Operation, o *Outcome) {
		if err == nil && (o == nil || !o.Counts.consistent()) {
			err = fmt.Errorf("it is damaged: the counts of %s contradict each other", document.Quote(a.API))
		}
	})
	return err
}

// consistent reports whether counts can be those of calls.
func (c *Counts) consistent() bool {
	by := []uint64{c.By.Emulator, c.By.Check, c.By.Scenario, c.By.Header}
	if !sumsUpTo(c.Calls, by...) || !atMost(c.Calls, c.Delivered, c.ClientGone) {
		return false
	}
	if c.Operations != nil && !sumsUpTo(c.Calls, slices.Collect(maps.Values(c.Operations))...) {
		return false
	}
	if r := c.Reacted; r != nil {
		next := slices.AppendSeq([]uint64{r.Again, r.Nothing, r.Unknown}, maps.Values(r.Other))
		return sumsUpTo(c.Calls, next...) && len(r.WaitsMS) <= maxWaits && (r.Again > 0) == (len(r.WaitsMS) > 0)
	}
	return true
}

func sumsUpTo(sum uint64, parts ...uint64) bool {
	if !atMost(sum, parts...) {
		return false
	}
	for _, n := range parts {
		sum -= n
	}
	return sum == 0
}

func atMost(sum uint64, parts ...uint64) bool {
	if sum > most {
		return false
	}
	for _, n := range parts {
		if n > sum {
			return false
		}
		sum -= n
	}
	return true
}

func (r *Report) clone() *Report {
	text, err := json.Marshal(r)
	again := &Report{}
	if err = errors.Join(err, json.Unmarshal(text, again)); err != nil {
		panic("coverage: a report cannot be written: " + err.Error())
	}
	return again
}

// Merge sums reports of several servers. Their tables have to be the same, API by API.
// Waivers are not taken over.
func Merge(reports ...*Report) (*Report, error) {
	sum := &Report{Version: Version, APIs: []*API{}}
	uncalled := false
	if err := checkDistinct(reports); err != nil {
		return nil, err
	}
	for _, r := range reports {
		r = r.clone()
		sum.Of = append(sum.Of, r.Of...)
		if sum.Understudy == "" {
			sum.Understudy = r.Understudy
		}
		uncalled = uncalled || r.Uncalled
		for _, api := range r.APIs {
			if err := sum.take(api); err != nil {
				return nil, err
			}
		}
	}
	for _, api := range sum.APIs {
		api.each(func(_ *Operation, o *Outcome) { o.Waived = nil })
	}
	sum.Settle(uncalled)
	return sum, nil
}

// checkDistinct refuses reports that have the same calls.
func checkDistinct(reports []*Report) error {
	seen := map[Of]int{} // the first report that has it
	servers := map[string]int{}
	for i, r := range reports {
		for _, of := range r.Of {
			before, twice := seen[of]
			if !twice {
				before, twice = seen[Of{of.Server, 0}]
			}
			if !twice && of.Count == 0 {
				before, twice = servers[of.Server]
			}
			if twice && before != i {
				return fmt.Errorf("the reports %d and %d are of the same calls, which would count twice; merge one of them", before+1, i+1)
			}
			if !twice {
				seen[of] = i
			}
			if _, known := servers[of.Server]; !known {
				servers[of.Server] = i
			}
		}
	}
	return nil
}

// take adds what was met of an API.
func (r *Report) take(api *API) error {
	for _, own := range r.APIs {
		if own.API != api.API {
			continue
		}
		if own.Tables != api.Tables {
			return fmt.Errorf("the reports are of different versions: what is documented of %s is not the same in all; merge reports of one version of understudy", api.API)
		}
		own.take(api)
		return nil
	}
	r.APIs = append(r.APIs, api)
	return nil
}

// take adds what another report counted of the same tables.
func (a *API) take(other *API) {
	for i, op := range a.Operations {
		for j, o := range op.Outcomes {
			o.Counts.add(&other.Operations[i].Outcomes[j].Counts)
		}
	}
	for i, o := range a.Common {
		o.Counts.add(&other.Common[i].Counts)
	}
	for _, theirs := range other.Uncounted {
		a.takeUncounted(theirs)
	}
}

func (a *API) takeUncounted(theirs *Outcome) {
	for _, o := range a.Uncounted {
		if o.Operation == theirs.Operation && o.Outcome == theirs.Outcome {
			o.Counts.add(&theirs.Counts)
			return
		}
	}
	a.Uncounted = append(a.Uncounted, theirs)
}
