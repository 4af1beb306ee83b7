package gateway

import (
	"strconv"

	"github.com/understudy-suite/understudy/internal/wire"
)

// StatusProblem is the status of understudy's own failures, which no API uses.
const StatusProblem = 599

// problem is a failure of understudy's own, never dressed as the API's.
type problem struct {
	Code   string    `json:"code"`
	Title  string    `json:"title"`
	Status int       `json:"status"`
	Detail string    `json:"detail"`
	APIs   []doorway `json:"apis,omitempty"`
}

// doorway tells how an API is reached.
type doorway struct {
	API   string   `json:"api"`
	Title string   `json:"title"`
	Path  string   `json:"path"`
	Port  int      `json:"port"`
	Hosts []string `json:"hosts"`
}

func (p problem) write(v *visitor) {
	p.Status = StatusProblem
	body := wire.Encode(p)
	h := v.w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set(ProblemHeader, p.Code)
	v.openProblem(h)
	v.w.WriteHeader(StatusProblem)
	_, _ = v.w.Write(body) // a client that has gone needs no telling
}
