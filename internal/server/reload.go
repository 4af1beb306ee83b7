package server

import (
	"errors"
	"os"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario/library"
	"github.com/understudy-suite/understudy/internal/watch"
)

// A reloader reads the folders of users anew when something in them changes.
// A file with a fault is logged, and its last version without one stays in force.
type reloader struct {
	config    Config
	apis      []*contract.API
	library   *library.Library
	registry  *sandbox.Registry
	watcher   *watch.Watcher    // nil: there is nothing to watch
	lastError map[string]string // by folder: what stood in the way of reading it
}

func (c *Config) reloader(l *loaded) (*reloader, error) {
	r := &reloader{config: *c, apis: l.apis, library: l.library, registry: l.registry, lastError: map[string]string{}}
	var folders []string
	folders = append(append(folders, c.Scenarios...), c.Fixtures...)
	if len(folders) == 0 {
		return r, nil
	}
	var err error
	r.watcher, err = watch.New(watch.Config{
		Folders: folders, Every: c.Poll, Changed: r.reload, Wall: c.Wall,
		Fault: func(err error) { c.Log.Warn("a change of a file may not be seen", "fault", err) },
	})
	return r, err
}

func (r *reloader) close() error {
	if r.watcher == nil {
		return nil
	}
	return r.watcher.Close()
}

// reload reads all folders anew. It is called when something has changed.
func (r *reloader) reload() {
	for _, dir := range r.config.Scenarios {
		r.folder("--scenarios", dir, func(root *os.Root) error { return r.scenarios(root, dir) })
	}
	for name, scenarios := range r.registry.UpdateScenarios(r.library.InForce) {
		r.config.Log.Info("scenarios that changed begin anew", "sandbox", name, "scenarios", scenarios)
	}
	if len(r.config.Fixtures) > 0 {
		r.report("fixtures", r.fixtures())
	}
}

// folder reads one folder, and logs each fault of the folder once.
func (r *reloader) folder(flag, dir string, read func(*os.Root) error) {
	root, err := os.OpenRoot(dir)
	if err == nil {
		err = errors.Join(read(root), root.Close())
	}
	r.report(flag+" "+dir, err)
}

// report logs a fault when it is new, and once more when it is over.
func (r *reloader) report(what string, err error) {
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
func (r *reloader) scenarios(root *os.Root, dir string) error {
	changes, err := r.library.Reload(root.FS(), dir)
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

// fixtures reads all fixtures anew. Sandboxes that are made or reset from now
// on begin with them. Where one has a fault, or no state can be made of one that
// is used, all stay as they were.
func (r *reloader) fixtures() error {
	fixtures := fixture.NewLibrary(r.config.APIs)
	if err := r.config.addFixtures(fixtures); err != nil {
		return err
	}
	used, err := r.config.fixtures(&loaded{fixtures: fixtures})
	if err != nil {
		return err
	}
	_, err = sandbox.New(sandbox.Config{APIs: r.apis, Fixtures: used, Wall: r.config.Wall})
	if err != nil {
		return err
	}
	r.registry.SetFixtures(used)
	return nil
}
