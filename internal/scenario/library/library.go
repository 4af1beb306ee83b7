// Package library holds the scenarios that can be named: those of files, those
// that the control API puts, and the documented outcomes.
package library

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// A Library holds the scenarios that can be named. It serves a whole server, and
// many may use it at the same time.
//
// It consists of layers: one for each Add, and on top of them what came through
// Put. Of several scenarios of one full name the uppermost is in force.
type Library struct {
	apis []*contract.API

	mu     sync.RWMutex
	layers []*layer // the lowest first
	put    *layer
	index  *index // of what is in force; nil: something changed since it was made
}

// A layer is what one folder holds.
type layer struct {
	label   string
	entries []entry // sorted by name
	pending fs.FS   // what is still to be read at the first use; nil: nothing
}

// An entry is one file: as it was read last without a fault, and the faults it
// has now.
type entry struct {
	name  string   // the full name that its place gives it
	file  string   // as faults call it
	good  *version // nil: it never was without a fault
	fault string
}

// entry finds the entry of a name, or nil.
func (y *layer) entry(name string) *entry {
	if i, found := y.search(name); found {
		return &y.entries[i]
	}
	return nil
}

func (y *layer) search(name string) (i int, found bool) {
	return slices.BinarySearchFunc(y.entries, name, func(e entry, name string) int { return strings.Compare(e.name, name) })
}

// putLabel is the source of what came through Put.
const putLabel = "put"

// maxPut is how many scenarios Put takes, so that a client cannot fill the
// memory.
const maxPut = 1000

// New returns a library for scenarios of these APIs. It is empty but
// for the implicit ones.
func New(apis []*contract.API) *Library {
	return &Library{apis: apis, put: &layer{label: putLabel}}
}

// An UnknownError says that nothing has a name.
type UnknownError struct {
	Name string

	// hint returns `; did you mean "…"?`, or what else helps. It is made when somebody
	// reads the error: calls try names that may not exist, and looking for similar ones
	// takes time.
	hint func() string
}

func (e *UnknownError) Error() string {
	return "there is no scenario " + document.Quote(e.Name) + e.hint()
}

// Add lays the scenarios of <api>/*.yaml over those that are there. Adding a
// label again takes the place of what it brought before: files that are gone
// go, a file that has a fault now keeps its last good version in force, and
// one that says what it said before stays the same scenario.
//
// The error joins the faults of all faulty files; the good ones are in force
// all the same. Where the folder itself cannot be read nothing changes.
func (l *Library) Add(fsys fs.FS, label string) error {
	_, err := l.Reload(fsys, label)
	return err
}

// An UnreadError says that a folder could not be read at all.
type UnreadError struct {
	Label string
	Err   error
}

func (e *UnreadError) Error() string {
	return fmt.Sprintf("reading the scenarios of %s: %v", e.Label, e.Err)
}

// Unwrap returns what stood in the way.
func (e *UnreadError) Unwrap() error { return e.Err }

// A Change is what a reload made of one file.
type Change struct {
	Name  string // the full name
	File  string
	Kind  ChangeKind
	Fault string // with Broken: what is wrong with the file
}

// ChangeKind is a kind of change.
type ChangeKind string

// The kinds of changes.
const (
	Added   ChangeKind = "added"
	Changed ChangeKind = "changed"
	Removed ChangeKind = "removed"
	Broken  ChangeKind = "broken" // it has a fault now that it did not have
)

// Reload is Add, and returns what has changed.
func (l *Library) Reload(fsys fs.FS, label string) ([]Change, error) {
	before := l.layer(label)
	fresh, err := l.readLayer(fsys, label, before)
	if fresh == nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.replaceLayer(fresh)
	return fresh.changesSince(before), err
}

// AddLater is Add, put off until a scenario is first used. It is for files
// that ship: they are known to be right, and reading them would be most of a
// start. List reports what is wrong with one all the same.
func (l *Library) AddLater(fsys fs.FS, label string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.replaceLayer(&layer{label: label, pending: fsys})
}

// readLayer reads a folder's files. There is no layer where the folder itself
// cannot be read.
func (l *Library) readLayer(fsys fs.FS, label string, before *layer) (*layer, error) {
	files, err := document.List(fsys, append(names(l.apis), scenario.Everywhere))
	if err != nil {
		return nil, &UnreadError{label, err}
	}
	fresh := &layer{label: label, entries: make([]entry, 0, len(files))}
	var errs []error
	for _, file := range files {
		e, err := l.read(fsys, file, label, before)
		if err != nil {
			errs = append(errs, err)
		}
		fresh.entries = append(fresh.entries, e)
	}
	slices.SortFunc(fresh.entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return fresh, errors.Join(errs...)
}

func names(apis []*contract.API) []string {
	var all []string
	for _, api := range apis {
		all = append(all, api.Name)
	}
	return all
}

// layer is the layer of a label, or an empty one.
func (l *Library) layer(label string) *layer {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, old := range l.layers {
		if old.label == label {
			return old
		}
	}
	return &layer{}
}

// changesSince returns what changed, sorted by name.
func (y *layer) changesSince(before *layer) []Change {
	var changes []Change
	for i := range y.entries {
		e := &y.entries[i]
		old := before.entry(e.name)
		c := Change{Name: e.name, File: e.file}
		switch {
		case e.fault != "" && (old == nil || old.fault != e.fault):
			c.Kind, c.Fault = Broken, e.fault
		case e.fault != "" || old != nil && old.fault == "" && old.good == e.good:
			continue
		case old == nil || old.good == nil:
			c.Kind = Added
		default:
			c.Kind = Changed
		}
		changes = append(changes, c)
	}
	for i := range before.entries {
		if old := &before.entries[i]; y.entry(old.name) == nil {
			changes = append(changes, Change{Name: old.name, File: old.file, Kind: Removed})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return changes
}

// replaceLayer puts a layer in the place of the one of the same label, or on top.
func (l *Library) replaceLayer(fresh *layer) {
	l.index = nil
	i := slices.IndexFunc(l.layers, func(old *layer) bool { return old.label == fresh.label })
	if i < 0 {
		l.layers = append(l.layers, fresh)
		return
	}
	l.layers[i] = fresh
}

// Put takes a scenario in for the whole server, over all files. The name is
// its full name, its short name, or either with .yaml, and must fit what the
// text says of itself; "" takes whatever it says.
func (l *Library) Put(name string, text []byte) (*scenario.Scenario, error) {
	file := cmp.Or(name, "scenario")
	at := scenario.Place{Name: strings.TrimSuffix(name, document.Extension)}
	if api, short, ok := strings.Cut(at.Name, "/"); ok {
		at = scenario.Place{API: api, Name: short}
	}
	s, err := scenario.ParseAt(file, text, l.apis, at)
	if err != nil {
		return nil, err
	}
	s.FromLibrary = true
	full, good := s.FullName(), newVersion(s)
	good.parsed = s
	l.mu.Lock()
	defer l.mu.Unlock()
	i, found := l.put.search(full)
	switch {
	case !found && len(l.put.entries) >= maxPut:
		return nil, fmt.Errorf("putting scenario %s: %d are there already; delete some", full, maxPut)
	case !found:
		l.put.entries = slices.Insert(l.put.entries, i, entry{name: full, file: file, good: good})
	case l.put.entries[i].good.text != s.Text:
		l.put.entries[i] = entry{name: full, file: file, good: good}
	}
	l.index = nil
	return l.put.entries[i].good.scenario(l.apis), nil
}

// Delete takes away what Put put in; a file of the same name is then in force
// again. What comes from a file stays as long as the file.
func (l *Library) Delete(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.find(name)
	if err != nil {
		return err
	}
	full := s.FullName()
	if i, found := l.put.search(full); found {
		l.put.entries = slices.Delete(l.put.entries, i, i+1)
		l.index = nil
		return nil
	}
	if s.File == "" {
		return fmt.Errorf("deleting scenario %s: it is a documented outcome and always there", full)
	}
	return fmt.Errorf("deleting scenario %s: it comes from the file %s; take the file away", full, s.File)
}

// Find finds a scenario by its full name, by its short name where only one API
// has it, or by the name that every documented outcome is:
// parcels/CreateParcel/NotFound. Its error is an
// *UnknownError.
func (l *Library) Find(name string) (*scenario.Scenario, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.find(name)
}

// InForce returns the scenario of a full name that comes from a file or
// through Put, or nil.
func (l *Library) InForce(full string) *scenario.Scenario {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v := l.currentIndex().find(full); v != nil {
		return v.scenario(l.apis)
	}
	return nil
}

// currentIndex makes the index where it is not made yet.
func (l *Library) currentIndex() *index {
	if l.index == nil {
		l.readPending()
		l.index = newIndex(append(l.layers[:len(l.layers):len(l.layers)], l.put))
	}
	return l.index
}

// readPending reads what was put off.
func (l *Library) readPending() {
	for i, layer := range l.layers {
		if layer.pending == nil {
			continue
		}
		fresh, err := l.readLayer(layer.pending, layer.label, layer)
		if fresh == nil {
			panic("scenario: " + err.Error()) // what ships can be read
		}
		l.layers[i] = fresh
	}
}

func (l *Library) find(name string) (*scenario.Scenario, error) {
	x := l.currentIndex()
	if v := x.find(name); v != nil {
		return v.scenario(l.apis), nil
	}
	if parts := strings.SplitN(name, "/", 3); len(parts) == 3 {
		return l.implicit(name, parts[0], parts[1], parts[2])
	}
	if strings.Contains(name, "/") {
		return nil, &UnknownError{name, func() string { return document.Hint(name, x.names()) }}
	}
	switch found := x.findShort(name); len(found) {
	case 0:
		return nil, &UnknownError{name, func() string { return document.Hint(name, x.shortNames()) }}
	case 1:
		return found[0].version.scenario(l.apis), nil
	default:
		return nil, &UnknownError{name, func() string {
			var all []string
			for _, n := range found {
				all = append(all, n.full)
			}
			return " alone; several APIs have one: say which of " + strings.Join(all, ", ")
		}}
	}
}

// implicit finds the scenario that a documented outcome is.
func (l *Library) implicit(full, apiName, opName, outcome string) (*scenario.Scenario, error) {
	i := slices.IndexFunc(l.apis, func(a *contract.API) bool { return a.Name == apiName })
	if i < 0 {
		return nil, &UnknownError{full, func() string {
			return "; there is no API " + document.Quote(apiName) + document.Hint(apiName, names(l.apis))
		}}
	}
	api := l.apis[i]
	op := api.Operation(opName)
	if op == nil && opName != scenario.Any {
		return nil, &UnknownError{full, func() string {
			return "; " + api.Name + " has no operation " + document.Quote(opName) + document.Hint(opName, api.OperationNames())
		}}
	}
	o := api.Outcome(op, outcome)
	if o == nil {
		return nil, &UnknownError{full, func() string {
			return "; " + opName + " has no outcome " + document.Quote(outcome) + document.Hint(outcome, contract.OutcomeNames(api.Ends(op)))
		}}
	}
	return scenario.Implicit(api, op, o), nil
}

// Listed is one line of a list of scenarios: one that is in force, or a file
// with its faults, or both.
type Listed struct {
	Name        string // the full name; of a file that never was good, the one its place gives it
	API         string
	Description string
	Tags        []string
	Rules       int
	File        string
	Source      string // the label of Add, or "put"
	Error       string // the faults that the file has now, one a line; "": none
	Operations  []string
}

// List lists what is in force and every faulty file, sorted by full name. The
// implicit scenarios are not in it.
func (l *Library) List() []Listed {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.currentIndex()
	all := []Listed{}
	for _, y := range append(l.layers[:len(l.layers):len(l.layers)], l.put) {
		for i := range y.entries {
			if e := &y.entries[i]; e.fault != "" || e.good == x.find(e.name) {
				all = append(all, e.listed(y.label))
			}
		}
	}
	slices.SortFunc(all, func(a, b Listed) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.File, b.File), strings.Compare(a.Source, b.Source))
	})
	return all
}

func (e *entry) listed(source string) (line Listed) {
	if e.good != nil {
		line = e.good.line()
	} else {
		line.API, _, _ = strings.Cut(e.name, "/")
	}
	line.Name, line.File, line.Source, line.Error = e.name, e.file, source, e.fault
	return line
}
