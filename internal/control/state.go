package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/understudy-suite/understudy/internal/sandbox"
)

// stateVersion is the version of the document of a sandbox's world.
const stateVersion = 2

// stateAnswer is a sandbox as it stands at one moment. Derived follows from the
// state; it is ignored where a document is restored.
type stateAnswer struct {
	Version int `json:"version"`
	sandbox.World
	Derived map[string]any `json:"derived,omitempty"`
}

func (s *Server) getState(_ *request, box *sandbox.Sandbox) (any, error) {
	var mask func(api, secret string) string
	if s.config.Redactor.Active() {
		mask = s.config.Redactor.Secret
	}
	world, derived, err := box.World(mask)
	if err != nil {
		return nil, fmt.Errorf("sandbox %s: %w", box.Name, err)
	}
	return stateAnswer{stateVersion, *world, derived}, nil
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
	world, err := readWorld(body)
	if err != nil {
		return nil, err
	}
	err = box.Restore(world, s.config.Library.Find)
	if errors.As(err, new(*sandbox.NoRoomError)) {
		return nil, refuse(http.StatusRequestEntityTooLarge, "nothing was put back: %v", err)
	}
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "nothing was put back: %v", err)
	}
	done := restoreAnswer{box.Name, []string{}}
	for _, api := range s.config.APIs {
		if _, given := world.State[api.Name]; given {
			done.Restored = append(done.Restored, api.Name)
		}
	}
	return done, nil
}

// readWorld reads a document that GET answered. The version is read first: another
// one may have other members.
func readWorld(body []byte) (*sandbox.World, error) {
	var m struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, refuse(http.StatusBadRequest, "the body is no snapshot: %v; send what GET of the same path returned", err)
	}
	switch {
	case m.Version == nil:
		return nil, refuse(http.StatusUnprocessableEntity, "the body has no version, so it is no snapshot; send what GET of the same path returned, which has the version %d", stateVersion)
	case *m.Version != stateVersion:
		return nil, refuse(http.StatusUnprocessableEntity, "the snapshot has the version %d; %d was expected; take it anew with GET of the same path on a server of this version", *m.Version, stateVersion)
	}
	var document stateAnswer
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	err := dec.Decode(&document)
	if err == nil && !errors.Is(dec.Decode(new(any)), io.EOF) {
		err = errors.New("more follows after its end")
	}
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "the snapshot is damaged: %v; nothing was put back; send what GET of the same path returned", err)
	}
	return &document.World, nil
}
