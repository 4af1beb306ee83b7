package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// A Library holds the scenarios that can be named. It serves a whole server
// and may be used by many at the same time.
//
// It is a pile of layers: one per Add, and on top of them what Put put in. Of
// several scenarios of one full name the uppermost is in force.
type Library struct {
	apis []*contract.API

	mu     sync.RWMutex
	layers []*layer // the lowest first
	put    *layer
}

// A layer is what one folder holds, by full name.
type layer struct {
	label   string
	entries map[string]*entry
}

// An entry is one file: as it was read last without a fault, and the faults it
// has now.
type entry struct {
	scenario *Scenario // nil: it never was without a fault
	file     string
	fault    string
}

// putLabel is the source of what came through Put.
const putLabel = "put"

// mostPut is how many scenarios Put takes, so that a client cannot fill the
// memory.
const mostPut = 1000

// NewLibrary returns a library for scenarios of these APIs. It is empty but
// for the implicit ones.
func NewLibrary(apis []*contract.API) *Library {
	return &Library{apis: apis, put: &layer{label: putLabel, entries: map[string]*entry{}}}
}

// An UnknownError says that nothing has a name.
type UnknownError struct {
	Name string
	Hint string // `; did you mean "…"?`, or what else helps; may be ""
}

func (e *UnknownError) Error() string {
	return "there is no scenario " + document.Quote(e.Name) + e.Hint
}

// Add lays the scenarios of <api>/*.yaml over those that are there. Adding a
// label again takes the place of what it brought before: files that are gone
// go, and a file that has a fault now keeps its last good version in force.
//
// The error joins the faults of all faulty files; the good ones are in force
// all the same. Where the folder itself cannot be read nothing changes.
func (l *Library) Add(fsys fs.FS, label string) error {
	files, err := list(fsys)
	if err != nil {
		return fmt.Errorf("reading the scenarios of %s: %w", label, err)
	}
	fresh := &layer{label: label, entries: map[string]*entry{}}
	var errs []error
	for _, file := range files {
		e := &entry{file: path.Join(label, file)}
		if e.scenario, err = l.read(fsys, file, e.file); err != nil {
			e.fault = err.Error()
			errs = append(errs, err)
		}
		fresh.entries[strings.TrimSuffix(file, extension)] = e
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lay(fresh)
	return errors.Join(errs...)
}

// lay puts a layer in the place of the one of the same label, or on top.
func (l *Library) lay(fresh *layer) {
	i := slices.IndexFunc(l.layers, func(old *layer) bool { return old.label == fresh.label })
	if i < 0 {
		l.layers = append(l.layers, fresh)
		return
	}
	for key, e := range fresh.entries {
		if old := l.layers[i].entries[key]; e.scenario == nil && old != nil {
			e.scenario = old.scenario
		}
	}
	l.layers[i] = fresh
}

const extension = ".yaml"

// list finds the YAML files of a folder and of the folders in it. Hidden ones
// are left alone: editors and Kubernetes keep theirs there.
func list(fsys fs.FS) ([]string, error) {
	top, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range top {
		name := entry.Name()
		if hidden(name) {
			continue
		}
		if !folder(fsys, name, entry) {
			if isYAML(name) {
				files = append(files, name)
			}
			continue
		}
		inner, err := fs.ReadDir(fsys, name)
		if err != nil {
			continue // lost+found, and what else a mounted folder keeps to itself
		}
		for _, entry := range inner {
			if !hidden(entry.Name()) && isYAML(entry.Name()) {
				files = append(files, path.Join(name, entry.Name()))
			}
		}
	}
	return files, nil
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// isYAML also knows the ending .yml, so that such a file can be told about
// instead of being passed over in silence.
func isYAML(name string) bool {
	return strings.HasSuffix(name, extension) || strings.HasSuffix(name, ".yml")
}

// folder follows a link to where it leads; the file system decides whether it
// may. A link that leads nowhere is no folder.
func folder(fsys fs.FS, name string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.IsDir()
	}
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

// read reads one file, which is called shown in its faults.
func (l *Library) read(fsys fs.FS, file, shown string) (*Scenario, error) {
	faults := document.NewFaults(shown)
	api, base := path.Split(file)
	if api == "" {
		faults.Say(nil, "the file stands in no folder of an API; <api>/<name>.yaml was expected; move it")
		return nil, faults.Err()
	}
	if !strings.HasSuffix(base, extension) {
		faults.Say(nil, "the file's name ends in .yml; .yaml was expected; rename it")
		return nil, faults.Err()
	}
	text, err := document.Read(fsys, file)
	if fault := (*document.Fault)(nil); errors.As(err, &fault) {
		fault.File = shown
		return nil, fault
	}
	if err != nil {
		faults.Say(nil, "the file cannot be read: %v", err)
		return nil, faults.Err()
	}
	return parse(shown, text, l.apis, place{strings.TrimSuffix(api, "/"), strings.TrimSuffix(base, extension)})
}

// Put takes a scenario in for the whole server, over all files. The name is
// its full name, its short name, or either with .yaml, and must fit what the
// text says of itself; "" takes whatever it says.
func (l *Library) Put(name string, text []byte) (*Scenario, error) {
	file := cmp.Or(name, "scenario")
	at := place{name: strings.TrimSuffix(name, extension)}
	if api, short, ok := strings.Cut(at.name, "/"); ok {
		at = place{api, short}
	}
	s, err := parse(file, text, l.apis, at)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.put.entries[s.FullName()] == nil && len(l.put.entries) >= mostPut {
		return nil, fmt.Errorf("putting scenario %s: %d are there already; delete some", s.FullName(), mostPut)
	}
	l.put.entries[s.FullName()] = &entry{scenario: s, file: file}
	return s, nil
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
	if l.put.entries[full] != nil {
		delete(l.put.entries, full)
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
func (l *Library) Find(name string) (*Scenario, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.find(name)
}

func (l *Library) find(name string) (*Scenario, error) {
	if s := l.inForce(name); s != nil {
		return s, nil
	}
	if parts := strings.SplitN(name, "/", 3); len(parts) == 3 {
		return l.implicit(name, parts[0], parts[1], parts[2])
	}
	names := l.names()
	if strings.Contains(name, "/") {
		return nil, &UnknownError{name, document.Hint(name, names)}
	}
	var found []string
	short := make([]string, 0, len(names))
	for _, full := range names {
		_, s, _ := strings.Cut(full, "/")
		short = append(short, s)
		if s == name {
			found = append(found, full)
		}
	}
	switch len(found) {
	case 0:
		return nil, &UnknownError{name, document.Hint(name, slices.Compact(slices.Sorted(slices.Values(short))))}
	case 1:
		return l.inForce(found[0]), nil
	}
	return nil, &UnknownError{name, " alone; several APIs have one: say which of " + strings.Join(found, ", ")}
}

// inForce finds the uppermost scenario of a full name, or nil.
func (l *Library) inForce(full string) *Scenario {
	if e := l.put.entries[full]; e != nil {
		return e.scenario
	}
	for _, layer := range slices.Backward(l.layers) {
		if e := layer.entries[full]; e != nil && e.scenario != nil {
			return e.scenario
		}
	}
	return nil
}

// names lists the full names of what is in force, sorted.
func (l *Library) names() []string {
	set := map[string]bool{}
	for _, layer := range append(l.layers[:len(l.layers):len(l.layers)], l.put) {
		for key, e := range layer.entries {
			if e.scenario != nil {
				set[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// implicit finds the scenario that a documented outcome is.
func (l *Library) implicit(full, apiName, opName, outcome string) (*Scenario, error) {
	i := slices.IndexFunc(l.apis, func(a *contract.API) bool { return a.Name == apiName })
	if i < 0 {
		var names []string
		for _, a := range l.apis {
			names = append(names, a.Name)
		}
		return nil, &UnknownError{full, "; there is no API " + document.Quote(apiName) + document.Hint(apiName, names)}
	}
	api := l.apis[i]
	op := api.Operation(opName)
	if op == nil && opName != Any {
		return nil, &UnknownError{full, "; " + api.Name + " has no operation " + document.Quote(opName) + document.Hint(opName, operationNames(api))}
	}
	o := api.Outcome(op, outcome)
	if o == nil {
		return nil, &UnknownError{full, "; " + opName + " has no outcome " + document.Quote(outcome) + document.Hint(outcome, outcomeNames(api.Ends(op)))}
	}
	return Implicit(api, op, o), nil
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
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := []Listed{}
	for _, layer := range append(l.layers[:len(l.layers):len(l.layers)], l.put) {
		for key, e := range layer.entries {
			if e.fault != "" || e.scenario == l.inForce(key) {
				all = append(all, e.listed(key, layer.label))
			}
		}
	}
	slices.SortFunc(all, func(a, b Listed) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.File, b.File), strings.Compare(a.Source, b.Source))
	})
	return all
}

func (e *entry) listed(key, source string) Listed {
	api, _, _ := strings.Cut(key, "/")
	line := Listed{Name: key, API: api, File: e.file, Source: source, Error: e.fault}
	if s := e.scenario; s != nil {
		line.API, line.Description, line.Tags, line.Rules = s.API, s.Description, s.Tags, len(s.Rules)
		line.Operations = s.operations()
	}
	return line
}
