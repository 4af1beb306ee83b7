package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A Snapshot is the state of every API in one sandbox, each as a JSON object.
type Snapshot map[string]json.RawMessage

// Snapshot returns the state of every API.
func (s *Sandbox) Snapshot() (Snapshot, error) {
	return s.snapshot(func(i *Instance) ([]byte, error) { return i.Snapshot() })
}

// MaskedSnapshot returns the state of every API, in which each secret is what mask
// makes of it.
func (s *Sandbox) MaskedSnapshot(mask func(api, secret string) string) (Snapshot, error) {
	return s.snapshot(func(i *Instance) ([]byte, error) {
		return i.MaskedSnapshot(func(secret string) string { return mask(i.API.Name, secret) })
	})
}

func (s *Sandbox) snapshot(of func(*Instance) ([]byte, error)) (Snapshot, error) {
	all := Snapshot{}
	for _, api := range s.registry.config.APIs {
		instance, err := s.Instance(api)
		if err != nil {
			return nil, err
		}
		if all[api.Name], err = of(instance); err != nil {
			return nil, fmt.Errorf("state of %s: %w", api.Name, err)
		}
	}
	return all, nil
}

// Restore replaces the states that a snapshot has; those of other APIs stay. Where
// one of its documents is no state, contradicts itself, or finds no room, nothing changes
// at all.
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
	var put []replacement
	for _, api := range s.registry.config.APIs {
		document, found := all[api.Name]
		if !found {
			continue
		}
		instance, err := s.Instance(api)
		if err != nil {
			return err
		}
		state, err := instance.restored(document)
		errs = append(errs, err)
		put = append(put, replacement{instance, state})
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.moment.RLock()
	defer s.moment.RUnlock()
	return s.registry.replace(put)
}

// Derived returns, by API, what contract.Deriver derives from the states at this
// moment.
func (s *Sandbox) Derived() (map[string]any, error) {
	all := map[string]any{}
	now := s.Clock.Now()
	for _, api := range s.registry.config.APIs {
		instance, err := s.Instance(api)
		if err != nil {
			return nil, err
		}
		instance.WithState(func(state contract.State) {
			if d, ok := state.(contract.Deriver); ok {
				all[api.Name] = d.Derive(now, instance.Switches())
			}
		})
	}
	return all, nil
}
