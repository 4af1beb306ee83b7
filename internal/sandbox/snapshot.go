package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A Snapshot is what every API remembers in one sandbox, each as a JSON object.
type Snapshot map[string]json.RawMessage

// Snapshot writes down the state of every API.
func (s *Sandbox) Snapshot() (Snapshot, error) {
	all := Snapshot{}
	for _, api := range s.registry.config.APIs {
		room, err := s.Instance(api)
		if err != nil {
			return nil, err
		}
		if all[api.Name], err = room.Snapshot(); err != nil {
			return nil, fmt.Errorf("state of %s: %w", api.Name, err)
		}
	}
	return all, nil
}

// Restore puts back what a snapshot says; APIs of which it says nothing stay as
// they are. Where one of its documents is no state, or contradicts itself,
// nothing changes at all.
func (s *Sandbox) Restore(all Snapshot) error {
	var names []string
	for _, api := range s.registry.config.APIs {
		names = append(names, api.Name)
	}
	for name := range all {
		if !slices.Contains(names, name) {
			return fmt.Errorf("there is no API %q here; served are %s", name, strings.Join(names, ", "))
		}
	}
	var errs []error
	var put []func()
	for _, api := range s.registry.config.APIs {
		document, said := all[api.Name]
		if !said {
			continue
		}
		room, err := s.Instance(api)
		if err != nil {
			return err
		}
		state, err := room.decode(document)
		errs = append(errs, err)
		put = append(put, func() { room.replace(state) })
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, f := range put {
		f()
	}
	return nil
}

// Derived tells what follows at this moment from the states of the APIs that
// tell more than they remember.
func (s *Sandbox) Derived() (map[string]any, error) {
	all := map[string]any{}
	now := s.Clock.Now()
	for _, api := range s.registry.config.APIs {
		room, err := s.Instance(api)
		if err != nil {
			return nil, err
		}
		room.WithState(func(state contract.State) {
			if d, ok := state.(contract.Deriver); ok {
				all[api.Name] = d.Derive(now, room.Switches())
			}
		})
	}
	return all, nil
}
