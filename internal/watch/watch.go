// Package watch reports when files below folders change: by the events of the
// operating system, or by polling where there are none, as for volumes that are
// mounted into a container.
package watch

import (
	"context"
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

	"github.com/understudy-suite/understudy/internal/files"
)

// Pause is the least time between two calls of Changed. The next call covers what
// changes meanwhile.
const Pause = 100 * time.Millisecond

// Config says what is watched.
type Config struct {
	Folders []string         // each with the folders that are in it
	Every   time.Duration    // interval of polling; 0: events of the operating system
	Changed func()           // called in one goroutine, never twice at a time
	Fault   func(error)      // called with each folder's fault, once; the others are watched all the same
	Wall    func() time.Time // by which the age of files is judged

	// Slow is called when a look at the folders, with the call of Changed that may follow,
	// takes longer than Patience, and with over when it has ended after all.
	Slow     func(over bool)
	Patience time.Duration
}

// A Watcher watches until it is closed.
type Watcher struct {
	config   Config
	notify   *fsnotify.Watcher // nil: polling
	stop     chan struct{}
	done     chan struct{}
	reported map[string]bool // faults
}

// New begins to watch. The folders need not be there yet. It waits for the first look at
// them, though no longer than Patience.
func New(config Config) (*Watcher, error) {
	w := &Watcher{config: config, stop: make(chan struct{}), done: make(chan struct{}), reported: map[string]bool{}}
	w.config.Folders = nil
	for _, dir := range config.Folders {
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("watching %s: %w", dir, err)
		}
		w.config.Folders = append(w.config.Folders, absolute)
	}
	looked := make(chan struct{})
	if config.Every > 0 {
		go w.poll(looked)
	} else {
		var err error
		if w.notify, err = fsnotify.NewWatcher(); err != nil {
			return nil, fmt.Errorf("watching folders: %w; look for changes instead with --poll 1s", err)
		}
		go w.handleEvents(looked)
	}
	timer := time.NewTimer(config.Patience)
	defer timer.Stop()
	select {
	case <-looked:
	case <-timer.C:
	}
	return w, nil
}

// ErrBusy says that a look at folders had not ended when the watching did.
var ErrBusy = errors.New("a look at folders has not ended")

// Close ends the watching. When it returns, Changed is not called any more; but where a
// look at the folders is under way when ctx is done, that is left to end by itself, and the
// error is ErrBusy.
func (w *Watcher) Close(ctx context.Context) error {
	close(w.stop)
	select {
	case <-w.done:
		return w.forget()
	case <-ctx.Done():
	}
	select {
	case <-w.done:
		return w.forget()
	default:
	}
	go func() {
		<-w.done
		_ = w.forget()
	}()
	return fmt.Errorf("watching %s: %w", strings.Join(w.config.Folders, ", "), ErrBusy)
}

// forget ends the events. Before the last look has ended it might wait for it.
func (w *Watcher) forget() error {
	if w.notify == nil {
		return nil
	}
	return w.notify.Close()
}

// look calls do, and reports where it takes long.
func (w *Watcher) look(do func()) {
	reported := make(chan struct{})
	timer := time.AfterFunc(w.config.Patience, func() {
		defer close(reported)
		w.config.Slow(false)
	})
	do()
	if !timer.Stop() {
		<-reported
		w.config.Slow(true)
	}
}

// handleEvents waits for events of the operating system.
func (w *Watcher) handleEvents(looked chan<- struct{}) {
	defer close(w.done)
	w.look(w.add)
	close(looked)
	var due <-chan time.Time // nil: nothing has changed
	for {
		select {
		case <-w.stop:
			return
		case event, open := <-w.notify.Events:
			if open && due == nil && w.isWatched(event.Name) {
				due = time.After(Pause)
			}
		case err := <-w.notify.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				w.reportFault(err)
			}
			if due == nil { // events were lost
				due = time.After(Pause)
			}
		case <-due:
			due = nil
			w.look(func() {
				w.add() // before the files are read, so that later changes give events
				w.config.Changed()
			})
		}
	}
}

// isWatched reports whether a name is that of a watched folder or of something
// below one. Their parents are watched as well, and hold other things.
func (w *Watcher) isWatched(name string) bool {
	return slices.ContainsFunc(w.config.Folders, func(dir string) bool {
		return name == dir || strings.HasPrefix(name, dir+string(filepath.Separator))
	})
}

// add watches the folders, those in them, and their parents: a folder that is
// deleted and made again is another one, for which only the parent has an event.
func (w *Watcher) add() {
	for _, dir := range w.config.Folders {
		w.watch(filepath.Dir(dir))
		w.watch(dir)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // it is gone; its parent has an event when it is back
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
		w.reportFault(fmt.Errorf("watching %s: %w; look for changes instead with --poll 1s", dir, err))
	}
}

// reportFault reports each fault once.
func (w *Watcher) reportFault(err error) {
	if text := err.Error(); !w.reported[text] {
		w.reported[text] = true
		w.config.Fault(err)
	}
}

// poll compares fingerprints of the folders at every interval.
func (w *Watcher) poll(looked chan<- struct{}) {
	defer close(w.done)
	var before fingerprint
	w.look(func() { before = w.fingerprint() })
	close(looked)
	ticker := time.NewTicker(w.config.Every)
	defer ticker.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-ticker.C:
			w.look(func() {
				now := w.fingerprint()
				if now.sum != before.sum || before.young {
					w.config.Changed()
				}
				before = now
			})
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

// fingerprint looks at names, sizes and times. No file is opened.
func (w *Watcher) fingerprint() fingerprint {
	var p fingerprint
	h := fnv.New64a()
	now := w.config.Wall()
	for _, dir := range w.config.Folders {
		folder, err := files.Open(dir)
		if err != nil {
			_, _ = fmt.Fprintln(h, dir, "is not there")
			continue
		}
		for _, name := range names(folder) {
			info, err := folder.Stat(name)
			if err != nil {
				_, _ = fmt.Fprintln(h, name, "cannot be looked at")
				continue
			}
			_, _ = fmt.Fprintln(h, name, info.Size(), info.ModTime().UnixNano(), info.Mode())
			p.young = p.young || !info.IsDir() && now.Sub(info.ModTime()) < youth
		}
		_ = folder.Close()
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
		if folder, err := files.IsFolder(fsys, e); err != nil || !folder {
			continue
		}
		inner, _ := fs.ReadDir(fsys, e.Name())
		for _, f := range inner {
			all = append(all, e.Name()+"/"+f.Name())
		}
	}
	return all
}
