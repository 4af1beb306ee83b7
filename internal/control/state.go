package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/understudy-suite/understudy/internal/sandbox"
)

// stateVersion is the version of the document of a sandbox's state.
const stateVersion = 1

// stateAnswer is the state of a sandbox, and the progress from which its dice
// follow, so that a restored sandbox meets the same faults. Derived follows from
// the state; it is ignored where a document is restored.
type stateAnswer struct {
	Version  int               `json:"version"`
	State    sandbox.Snapshot  `json:"state"` // by API
	Progress *sandbox.Progress `json:"progress,omitempty"`
	Derived  map[string]any    `json:"derived,omitempty"`
}

func (s *Server) getState(_ *request, box *sandbox.Sandbox) (any, error) {
	take := box.Snapshot
	if s.config.Redactor.Active() {
		take = func() (sandbox.Snapshot, error) { return box.MaskedSnapshot(s.config.Redactor.Secret) }
	}
	state, err := take()
	if err != nil {
		return nil, fmt.Errorf("sandbox %s: %w", box.Name, err)
	}
	derived, err := box.Derived()
	if err != nil {
		return nil, fmt.Errorf("sandbox %s: %w", box.Name, err)
	}
	progress := box.Progress()
	return stateAnswer{stateVersion, state, &progress, derived}, nil
}

// restoreAnswer lists the states that were restored.
type restoreAnswer struct {
	Sandbox  string   `json:"sandbox"`
	Restored []string `json:"restored"`
}

func (s *Server) putState(a *request, box *sandbox.Sandbox) (any, error) {
	a.limit = s.config.State
	body, err := a.body()
	if err != nil {
		return nil, err
	}
	var m stateAnswer
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, refuse(http.StatusBadRequest, "the body is no state: %v; send what GET of the same path returned", err)
	}
	if m.Version != stateVersion {
		return nil, refuse(http.StatusUnprocessableEntity, "the state has the version %d; %d was expected", m.Version, stateVersion)
	}
	err = m.Progress.Check()
	if err == nil {
		err = box.Restore(m.State)
	}
	if err == nil && m.Progress != nil {
		err = box.Resume(*m.Progress)
	}
	if full := (*sandbox.NoRoomError)(nil); errors.As(err, &full) {
		return nil, refuse(http.StatusRequestEntityTooLarge, "nothing was put back: %v", err)
	}
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "nothing was put back: %v", err)
	}
	done := restoreAnswer{box.Name, []string{}}
	for _, api := range s.config.APIs {
		if _, given := m.State[api.Name]; given {
			done.Restored = append(done.Restored, api.Name)
		}
	}
	return done, nil
}
