package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// snapshotVersion is that of the document. One of another version is refused.
const snapshotVersion = 1

// snapshot is a sandbox as a document: the worlds of its APIs, and all by which
// its dice are thrown, so that the same calls end the same afterwards.
type snapshot struct {
	Version   int                          `json:"version"`
	State     map[string]json.RawMessage   `json:"state"` // by API
	Calls     map[string]map[string]uint64 `json:"calls"` // by API and operation: how many there were; "" for none
	Scenarios []scenario.Progress          `json:"scenarios"`
}

// Snapshot writes the sandbox down. Calls that are under way may be in it or
// not, each API's world is whole.
func (s *Sandbox) Snapshot() ([]byte, error) {
	doc := snapshot{Version: snapshotVersion, State: map[string]json.RawMessage{}, Calls: map[string]map[string]uint64{}}
	for _, r := range s.all() {
		world, err := r.Snapshot()
		if err != nil {
			return nil, fmt.Errorf("state of %s: %w", r.API.Name, err)
		}
		doc.State[r.API.Name], doc.Calls[r.API.Name] = world, r.counted()
	}
	doc.Scenarios = s.Player.Progress()
	return json.Marshal(doc)
}

// Restore puts the sandbox back to where Snapshot wrote it down: worlds, dice,
// and how far the active scenarios had come. Which are active stays as it is,
// and so do clock, journal and fixtures. Where the document is none, or
// contradicts itself, nothing changes.
func (s *Sandbox) Restore(text []byte) error {
	var doc snapshot
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return fmt.Errorf("reading the snapshot: %w", err)
	}
	if doc.Version != snapshotVersion {
		return fmt.Errorf("the snapshot is of version %d; version %d was expected", doc.Version, snapshotVersion)
	}
	for i := range doc.Scenarios {
		if err := doc.Scenarios[i].Check(); err != nil {
			return err
		}
	}
	worlds, err := s.worlds(doc.State)
	if err != nil {
		return err
	}
	for r, world := range worlds {
		r.replace(world)
		r.recount()
		r.count(doc.Calls[r.API.Name])
	}
	s.Player.Resume(doc.Scenarios)
	return nil
}

// worlds makes the worlds that a snapshot tells, by the rooms they are for.
func (s *Sandbox) worlds(state map[string]json.RawMessage) (map[*Room]contract.State, error) {
	worlds := map[*Room]contract.State{}
	var names []string
	for _, api := range s.house.config.APIs {
		names = append(names, api.Name)
		world, told := state[api.Name]
		if !told {
			continue
		}
		r, err := s.Room(api)
		if err != nil {
			return nil, err
		}
		if worlds[r], err = r.read(world); err != nil {
			return nil, fmt.Errorf("state of %s: %w", api.Name, err)
		}
	}
	for name := range state {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("the snapshot tells of an API %q, which is not served here%s", name, document.Hint(name, names))
		}
	}
	return worlds, nil
}

// counted tells how many calls of each operation there were.
func (r *Room) counted() map[string]uint64 {
	all := map[string]uint64{}
	r.numbers.Range(func(op, n any) bool {
		all[name(op.(*contract.Operation))] = n.(*atomic.Uint64).Load()
		return true
	})
	return all
}

// count sets how many calls of each operation there were.
func (r *Room) count(calls map[string]uint64) {
	for called, n := range calls {
		counter := new(atomic.Uint64)
		counter.Store(n)
		if op := r.API.Operation(called); op != nil || called == "" {
			r.numbers.Store(op, counter)
		}
	}
}
