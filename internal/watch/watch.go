// Package watch tells when files below folders have changed: by what the
// operating system says of them, or by looking every now and then where it says
// nothing, as for volumes that are mounted into a container.
package watch

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Pause is the least time between two calls of Changed. What changes meanwhile
// is told by the next one.
const Pause = 100 * time.Millisecond

// Config says what is watched.
type Config struct {
	Folders []string         // each with the folders that are in it
	Every   time.Duration    // how often is looked; 0: the operating system tells
	Changed func()           // called in one goroutine, never twice at a time
	Fault   func(error)      // what stands in the way of watching; the rest is watched all the same
	Wall    func() time.Time // what ages of files are told by
}

// A Watcher watches until it is closed.
type Watcher struct {
	config Config
	notify *fsnotify.Watcher // nil: it looks by itself
	stop   chan struct{}
	done   chan struct{}
	told   map[string]bool // faults
}

// New begins to watch. The folders need not be there yet.
func New(config Config) (*Watcher, error) {
	w := &Watcher{config: config, stop: make(chan struct{}), done: make(chan struct{}), told: map[string]bool{}}
	w.config.Folders = nil
	for _, dir := range config.Folders {
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("watching %s: %w", dir, err)
		}
		w.config.Folders = append(w.config.Folders, absolute)
	}
	if config.Every > 0 {
		go w.look(w.print())
		return w, nil
	}
	var err error
	if w.notify, err = fsnotify.NewWatcher(); err != nil {
		return nil, fmt.Errorf("watching folders: %w; look for changes instead with --poll 1s", err)
	}
	w.add()
	go w.listen()
	return w, nil
}

// Close ends the watching. When it returns, Changed is not called any more.
func (w *Watcher) Close() error {
	close(w.stop)
	<-w.done
	if w.notify == nil {
		return nil
	}
	return w.notify.Close()
}

// listen waits for what the operating system tells.
func (w *Watcher) listen() {
	defer close(w.done)
	var due <-chan time.Time // nil: nothing has changed
	for {
		select {
		case <-w.stop:
			return
		case event, open := <-w.notify.Events:
			if open && due == nil && w.inside(event.Name) {
				due = time.After(Pause)
			}
		case err := <-w.notify.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				w.fault(err)
			}
			if due == nil { // more was to be told than could be kept
				due = time.After(Pause)
			}
		case <-due:
			due = nil
			w.add() // before anybody reads: what is written after that is told
			w.config.Changed()
		}
	}
}

// inside reports whether a name is that of a watched folder or of something
// below one. Their parents are watched as well, and hold other things.
func (w *Watcher) inside(name string) bool {
	return slices.ContainsFunc(w.config.Folders, func(dir string) bool {
		return name == dir || strings.HasPrefix(name, dir+string(filepath.Separator))
	})
}

// add watches the folders, those in them, and their parents: a folder that goes
// and comes again is another one, of which only the parent can tell.
func (w *Watcher) add() {
	for _, dir := range w.config.Folders {
		w.watch(filepath.Dir(dir))
		w.watch(dir)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // it is gone; its parent tells when it is back
		}
		for _, e := range entries {
			if name := filepath.Join(dir, e.Name()); isFolder(name, e) {
				w.watch(name)
			}
		}
	}
}

// isFolder follows a link: what Kubernetes mounts is made of them.
func isFolder(name string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func (w *Watcher) watch(dir string) {
	if err := w.notify.Add(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.fault(fmt.Errorf("watching %s: %w; look for changes instead with --poll 1s", dir, err))
	}
}

// fault tells a fault once.
func (w *Watcher) fault(err error) {
	if text := err.Error(); !w.told[text] {
		w.told[text] = true
		w.config.Fault(err)
	}
}

// look looks whether something has changed, every now and then.
func (w *Watcher) look(before fingerprint) {
	defer close(w.done)
	ticker := time.NewTicker(w.config.Every)
	defer ticker.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-ticker.C:
			now := w.print()
			if now.sum != before.sum || before.young {
				w.config.Changed()
			}
			before = now
		}
	}
}

// A fingerprint is what folders look like from outside.
type fingerprint struct {
	sum   uint64
	young bool // a file is so new that a second change of it might look the same
}

// youth is how long a file is young: the coarsest time of a file system.
const youth = 2 * time.Second

// print looks at names, sizes and times. Nothing is opened.
func (w *Watcher) print() fingerprint {
	var p fingerprint
	h := fnv.New64a()
	now := w.config.Wall()
	for _, dir := range w.config.Folders {
		root, err := os.OpenRoot(dir)
		if err != nil {
			_, _ = fmt.Fprintln(h, dir, "is not there")
			continue
		}
		for _, name := range names(root.FS()) {
			info, err := root.Stat(name)
			if err != nil {
				_, _ = fmt.Fprintln(h, name, "cannot be looked at")
				continue
			}
			_, _ = fmt.Fprintln(h, name, info.Size(), info.ModTime().UnixNano(), info.Mode())
			p.young = p.young || !info.IsDir() && now.Sub(info.ModTime()) < youth
		}
		_ = root.Close()
	}
	p.sum = h.Sum64()
	return p
}

// names lists what is in a folder and in the folders in it, sorted.
func names(fsys fs.FS) []string {
	var all []string
	top, _ := fs.ReadDir(fsys, ".") // what cannot be read holds nothing
	for _, e := range top {
		all = append(all, e.Name())
		inner, err := fs.ReadDir(fsys, e.Name())
		if err != nil {
			continue // a file
		}
		for _, f := range inner {
			all = append(all, e.Name()+"/"+f.Name())
		}
	}
	return all
}
