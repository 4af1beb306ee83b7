package server

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario/library"
	"github.com/understudy-suite/understudy/internal/watch"
)

// A reloader reads the folders of users anew when something in them changes.
// A file with a fault is logged, and its last version without one stays in force.
//
// Each folder of scenarios has a watcher of its own, and all those of fixtures, which lie
// over one another, have one. So a folder on a mount that has stopped answering keeps
// only its own watcher waiting.
type reloader struct {
	config   Config
	apis     []*contract.API
	library  *library.Library
	registry *sandbox.Registry
	watchers []*watch.Watcher
	fixtures atomic.Pointer[fixture.Library] // as they were read last

	mu        sync.Mutex           // never held while files are read
	lastError map[string]string    // by what is read: what stood in the way of it
	slow      map[string]time.Time // by what is read, where that takes long: since when
}

// patience is how long a reading may take before it is reported.
const patience = 5 * time.Second

func (c *Config) reloader(l *loaded) (*reloader, error) {
	r := &reloader{
		config: *c, apis: l.apis, library: l.library, registry: l.registry,
		lastError: map[string]string{}, slow: map[string]time.Time{},
	}
	r.fixtures.Store(l.fixtures)
	for _, dir := range c.Scenarios {
		what := "--scenarios " + dir
		if err := r.watch(what, []string{dir}, func() { r.reloadScenarios(what, dir) }); err != nil {
			return r, err
		}
	}
	if len(c.Fixtures) > 0 {
		return r, r.watch("fixtures", c.Fixtures, func() { r.report("fixtures", r.readFixtures()) })
	}
	return r, nil
}

// watch has folders read anew when something in them changes.
func (r *reloader) watch(what string, folders []string, read func()) error {
	w, err := watch.New(watch.Config{
		Folders: folders, Every: r.config.Poll, Changed: read, Wall: r.config.Wall,
		Fault:    func(err error) { r.config.Log.Warn("a change of a file may not be seen", "fault", err) },
		Patience: cmp.Or(r.config.Patience, patience), Slow: func(over bool) { r.reportSlow(what, over) },
	})
	if err == nil {
		r.watchers = append(r.watchers, w)
	}
	return err
}

// close ends the watching. What is still being read when ctx is done is left behind.
func (r *reloader) close(ctx context.Context) error {
	errs := make([]error, len(r.watchers))
	var all sync.WaitGroup
	for i, w := range r.watchers {
		all.Go(func() { errs[i] = w.Close(ctx) })
	}
	all.Wait()
	for i, err := range errs {
		if errors.Is(err, watch.ErrBusy) {
			r.config.Log.Warn("a folder was still being read at the end; it may be on a mount that has stopped answering", "fault", err)
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}

// reportSlow logs that a reading takes long, and when it has ended at last.
func (r *reloader) reportSlow(what string, over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !over {
		r.slow[what] = r.config.Wall().Add(-cmp.Or(r.config.Patience, patience))
		r.config.Log.Warn("files are being read for long; what was read before stays in force until that has ended, and stopping does not wait for it",
			"where", what, "since", r.slow[what])
		return
	}
	r.config.Log.Info("files that were being read for long were read", "where", what, "seconds", r.config.Wall().Sub(r.slow[what]).Seconds())
	delete(r.slow, what)
}

// slowReads lists what is being read for long.
func (r *reloader) slowReads() []control.SlowRead {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := []control.SlowRead{}
	for _, what := range slices.Sorted(maps.Keys(r.slow)) {
		all = append(all, control.SlowRead{Files: what, Since: r.slow[what].UTC()})
	}
	return all
}

// reloadScenarios reads a folder of scenarios anew, and brings what changed into the
// sandboxes.
func (r *reloader) reloadScenarios(what, dir string) {
	folder, err := r.config.openFolder(dir)
	if err == nil {
		err = errors.Join(r.scenarios(folder, dir), folder.Close())
	}
	r.report(what, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, scenarios := range r.registry.UpdateScenarios(r.library.InForce) {
		r.config.Log.Info("scenarios that changed begin anew", "sandbox", name, "scenarios", scenarios)
	}
}

// report logs a fault when it is new, and once more when it is over.
func (r *reloader) report(what string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch before := r.lastError[what]; {
	case text == before:
	case text == "":
		r.config.Log.Info("files can be read again", "where", what)
	default:
		r.config.Log.Warn("files cannot be taken; what was read before stays in force", "where", what, "fault", text)
	}
	r.lastError[what] = text
}

// scenarios reads the scenarios of a folder, and logs what changed.
func (r *reloader) scenarios(folder fs.FS, dir string) error {
	changes, err := r.library.Reload(folder, dir)
	if unread := (*library.UnreadError)(nil); errors.As(err, &unread) {
		return err
	}
	for _, c := range changes {
		switch c.Kind {
		case library.Broken:
			what := "a scenario has a fault, and cannot be switched on before it is mended"
			if r.library.InForce(c.Name) != nil {
				what = "a scenario has a fault; its last good version stays in force"
			}
			r.config.Log.Warn(what, "scenario", c.Name, "fault", c.Fault)
		case library.Removed:
			r.config.Log.Info("a scenario's file is gone; where it is on it stays on", "scenario", c.Name, "file", c.File)
		default:
			r.config.Log.Info("a scenario was read", "scenario", c.Name, "file", c.File, "change", string(c.Kind))
		}
	}
	return nil // faults of single files are logged
}

// readFixtures reads all fixtures anew. Sandboxes that are made or reset from now
// on begin with them. Where one has a fault, or no state can be made of one that
// is used, all stay as they were.
func (r *reloader) readFixtures() error {
	fixtures := fixture.NewLibrary(r.config.APIs)
	if err := r.config.addFixtures(fixtures); err != nil {
		return err
	}
	newest := map[*fixture.Fixture]*fixture.Fixture{}
	for _, f := range r.registry.Fixtures() {
		api, err := find(r.apis, f.API)
		if err != nil {
			continue // an API that is not served
		}
		fresh, err := fixtures.Find(api, f.Name)
		if err != nil {
			return err
		}
		fresh = f.Renewed(fresh)
		begin := sandbox.Config{APIs: []*contract.API{api}, Fixtures: map[string]*fixture.Fixture{api.Name: fresh}, Wall: r.config.Wall}
		if _, err := sandbox.New(begin); err != nil {
			return err
		}
		newest[f] = fresh
	}
	r.fixtures.Store(fixtures)
	r.registry.UpdateFixtures(func(f *fixture.Fixture) *fixture.Fixture { return newest[f] })
	return nil
}

// fixture finds a fixture by its name.
func (r *reloader) fixture(api *contract.API, name string) (*fixture.Fixture, error) {
	return r.fixtures.Load().Find(api, name)
}
