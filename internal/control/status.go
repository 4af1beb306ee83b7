package control

import (
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/wire"
)

// state is the answer to a probe.
type state struct {
	Status string `json:"status"`
}

func (s *Server) healthz(*request) (any, error) { return state{"ok"}, nil }

func (s *Server) readyz(*request) (any, error) {
	if !s.ready.Load() {
		return nil, refuse(http.StatusServiceUnavailable, "the APIs are not served yet; wait for the ready line, or ask again")
	}
	return state{"ready"}, nil
}

// status describes the server.
type status struct {
	Version       string            `json:"version"`
	Commit        string            `json:"commit"`
	Go            string            `json:"go"`
	Seed          int64             `json:"seed"`
	Started       time.Time         `json:"started"`
	UptimeSeconds float64           `json:"uptime_seconds"`
	Ready         bool              `json:"ready"`
	Doors         map[string]string `json:"doors"` // by API, and the shared one as "door", over TLS as "tls"
	Sandboxes     int               `json:"sandboxes"`
	Calls         int64             `json:"calls"`
	Failures      int64             `json:"failures"` // requests that ended in a fault of understudy's own
	State         stateLoad         `json:"state"`
	SlowReads     []SlowRead        `json:"slow_reads"`
	TLS           *tlsStatus        `json:"tls,omitempty"` // none: TLS is off
}

// stateLoad is how much memory the states of all sandboxes hold.
type stateLoad struct {
	Bytes    int64 `json:"bytes"`     // about
	MaxBytes int64 `json:"max_bytes"` // 0: no limit
	Refused  int64 `json:"refused"`   // calls, triggers and states that found no room
}

// A SlowRead is a reading of files that takes long and has not ended: they may be on a
// mount that has stopped answering.
type SlowRead struct {
	Files string    `json:"files"` // a folder, as its flag names it, or "fixtures"
	Since time.Time `json:"since"`
}

func (s *Server) status(a *request) (any, error) {
	load := s.config.Registry.StateLoad()
	doors := s.urls(a)
	return status{
		Version: s.config.Version, Commit: s.config.Commit, Go: runtime.Version(), Seed: s.config.Seed,
		Started: s.began.UTC(), UptimeSeconds: s.config.Registry.Wall().Sub(s.began).Seconds(),
		Ready: s.ready.Load(), Doors: doors, Sandboxes: len(s.config.Registry.List()),
		Calls: int64(s.config.Registry.Coverage.Totals().Calls), Failures: s.Panics(), State: stateLoad{load.Held, load.Most, load.Refused}, SlowReads: s.config.SlowReads(),
		TLS: s.tlsStatus(doors),
	}, nil
}

// The names under which the shared door stands among those of the APIs.
const (
	doorKey = "door"
	tlsKey  = "tls"
)

// urls are the URLs of the APIs and of the shared door as the asker sees them.
func (s *Server) urls(a *request) map[string]string {
	if s.config.URLs == nil {
		return map[string]string{}
	}
	return s.config.URLs(wire.Base(a.Request))
}

// urlsIn is urls as the clients of a sandbox see them.
func (s *Server) urlsIn(a *request, box *sandbox.Sandbox) map[string]string {
	if box.Door == "" {
		return s.urls(a)
	}
	urls := map[string]string{doorKey: box.Door}
	for _, api := range s.config.APIs {
		urls[api.Name] = box.Door + "/" + api.Name
	}
	return urls
}

// apiURLs are the URLs at which the APIs are in the named sandbox: those of
// urls, led by the sandbox's name where there is one.
func apiURLs(apis []*contract.API, doors map[string]string, name string) map[string]string {
	all := map[string]string{}
	for _, api := range apis {
		if url, open := doors[api.Name]; open {
			all[api.Name] = sandboxURL(strings.TrimSuffix(url, "/"), strings.TrimSuffix(doors[doorKey], "/"), name)
		}
	}
	return all
}

// sandboxURL leads a URL into a sandbox. Where the API is a part of the shared
// door, the sandbox is named before the API.
func sandboxURL(url, door, sandbox string) string {
	if sandbox == "" {
		return url
	}
	rest, below := strings.CutPrefix(url, door)
	if door == "" || !below || rest != "" && rest[0] != '/' {
		return url + "/@" + sandbox
	}
	return door + "/@" + sandbox + rest
}
