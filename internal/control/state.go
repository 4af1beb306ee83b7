package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/wire"
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
	Sandbox   string   `json:"sandbox"`
	Restored  []string `json:"restored"`
	Elsewhere int      `json:"identifiers_elsewhere,omitempty"` // that lead to the sandboxes that knew them before
	Notes     []string `json:"notes,omitempty"`                 // for people: what is not as where it was saved
}

// note says what is not as where the world was saved.
func (a *restoreAnswer) note(w *sandbox.World, put sandbox.Restored) {
	a.Elsewhere = put.Others
	if put.Others > 0 {
		a.Notes = append(a.Notes, fmt.Sprintf("%d identifiers of what was loaded, such as credentials and ids of sessions, lead to other sandboxes, which know them too. To reach %s with them, send the header Understudy-Sandbox: %s or begin the path with /@%s; the sandbox's own credentials lead to it alone (understudy env --sandbox %s), where it was made on request",
			put.Others, a.Sandbox, a.Sandbox, a.Sandbox, a.Sandbox))
	}
	if !put.Dice {
		a.Notes = append(a.Notes, fmt.Sprintf("the dice of %s fall otherwise than those of %s, where this was saved: what a chance decides and what an API makes up differ from now on. Make both with the same seed, such as {\"seed\": 7}, for the same answers", a.Sandbox, quote(w.Origin.Sandbox)))
	}
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
	put, err := box.Restore(world, s.config.Library.Find)
	if errors.As(err, new(*sandbox.NoRoomError)) {
		return nil, refuse(http.StatusRequestEntityTooLarge, "nothing was put back: %v", err)
	}
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "nothing was put back: %v", err)
	}
	done := restoreAnswer{Sandbox: box.Name, Restored: []string{}}
	done.note(world, put)
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
		return nil, refuse(http.StatusBadRequest, "the body is no snapshot: %v; send what GET of the same path returned", wire.InWords(err))
	}
	switch {
	case m.Version == nil:
		return nil, refuse(http.StatusUnprocessableEntity, "the body has no version, so it is no snapshot; send what GET of the same path returned, which has the version %d", stateVersion)
	case *m.Version != stateVersion:
		return nil, refuse(http.StatusUnprocessableEntity, "the snapshot has the version %d; %d was expected; take it anew with GET of the same path on a server of this version", *m.Version, stateVersion)
	}
	var document struct {
		Version int `json:"version"`
		sandbox.World
		Derived json.RawMessage `json:"derived,omitempty"` // it follows from the state
	}
	if err := wire.ReadSaved(body, &document); err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "the snapshot is damaged: %v; nothing was put back; send what GET of the same path returned", err)
	}
	return &document.World, nil
}
