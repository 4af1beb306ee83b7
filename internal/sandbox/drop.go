package sandbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/coverage"
)

// idleEnough is how long a sandbox has to be idle before it gives way to another.
const idleEnough = time.Minute

// close lets no further call begin. If onlyIdle, it does so only if no call is under
// way, and reports whether it did.
func (s *Sandbox) close(onlyIdle bool) bool {
	s.calls.Lock()
	defer s.calls.Unlock()
	if s.calls.dropped || onlyIdle && s.calls.underWay() > 0 {
		return false
	}
	s.calls.dropped = true
	close(s.ended)
	s.gone.Store(true)
	return true
}

// Ended is closed once the sandbox is dropped.
func (s *Sandbox) Ended() <-chan struct{} { return s.ended }

// A DropError says why a sandbox cannot be dropped.
type DropError struct {
	Name    string
	Default bool // it is default, which has no end; otherwise there is none of this name
}

func (e *DropError) Error() string {
	if e.Default {
		return "the sandbox default cannot be dropped; reset it instead"
	}
	return fmt.Sprintf("there is no sandbox %s", e.Name)
}

// Drop ends a sandbox. It waits for the calls that are under way until ctx is done,
// and returns how many are left then. They end as they would have; nothing of them
// stays. Its error is a *DropError.
func (r *Registry) Drop(ctx context.Context, name string) (underWay int, err error) {
	if name == Default {
		return 0, &DropError{Name: name, Default: true}
	}
	r.mu.Lock()
	s := r.sandboxes[name]
	if s == nil {
		r.mu.Unlock()
		return 0, &DropError{Name: name}
	}
	s.close(false)
	r.end(s)
	r.mu.Unlock()
	return s.Settle(ctx), nil
}

// end removes a closed sandbox, but for what was planned in it and never played. The
// caller holds the lock.
func (r *Registry) end(s *Sandbox) {
	never := s.neverFired()
	keep := min(len(never), coverage.MaxListed-len(r.never))
	r.never, r.moreNever = append(r.never, never[:keep]...), r.moreNever+len(never)-keep
	r.forget(s)
}

// neverFired lists the rules of active scenarios that decided no call.
func (s *Sandbox) neverFired() (never []coverage.Rule) {
	for _, on := range s.Player.Active() {
		for _, rule := range on.Rules {
			if rule.Fired == 0 {
				never = append(never, coverage.Rule{Sandbox: s.Name, Scenario: on.Scenario, Rule: rule.Rule, Operation: rule.Operation, Outcomes: rule.Outcomes})
			}
		}
	}
	return never
}

// NeverFired lists the rules that decided no call: those of sandboxes that have ended,
// the first ones, and of those that live. more is how many are left out.
func (r *Registry) NeverFired() (never []coverage.Rule, more int) {
	live := r.List()
	r.mu.RLock()
	never, more = slices.Clone(r.never), r.moreNever
	r.mu.RUnlock()
	for _, s := range live {
		never = append(never, s.neverFired()...)
	}
	return never, more
}

// forget removes a closed sandbox. The caller holds the lock.
func (r *Registry) forget(s *Sandbox) {
	delete(r.sandboxes, s.Name)
	r.unclaim(s)
	r.states.leave(s)
	for _, i := range s.Existing() {
		i.unregister()
	}
	r.pasts.keep(s.Name, s.Journal.Leave())
	s.Coverage.Leave()
}

// Touch says that the sandbox is used now.
func (s *Sandbox) Touch() { s.lastUsed.Store(s.registry.config.Wall().UnixNano()) }

// alive returns the sandbox, or nil where it is nil itself or its time to live is over.
func (s *Sandbox) alive() *Sandbox {
	if s == nil || s.ttl > 0 && s.registry.config.Wall().UnixNano()-s.lastUsed.Load() > int64(s.ttl) && !s.busy() {
		return nil
	}
	return s
}

// Follow says that somebody follows the sandbox, which is use of it, until leave is
// called.
func (s *Sandbox) Follow() (leave func()) {
	s.followers.Add(1)
	return func() {
		s.Touch()
		s.followers.Add(-1)
	}
}

// used is alive, and says that the sandbox is used now.
func (s *Sandbox) used() *Sandbox {
	if s = s.alive(); s != nil {
		s.Touch()
	}
	return s
}

// busy reports whether the sandbox is followed, or a call is under way.
func (s *Sandbox) busy() bool {
	if s.followers.Load() > 0 {
		return true
	}
	s.calls.Lock()
	defer s.calls.Unlock()
	return s.calls.underWay() > 0
}

// dropExpired drops the sandboxes whose time to live is over. The caller holds the
// lock.
func (r *Registry) dropExpired() {
	for _, s := range r.sandboxes {
		if s.alive() == nil && s.close(true) {
			r.end(s)
		}
	}
}

// makeRoom has a sandbox give way where there is no room for another. Its error is a
// *FullError. The caller holds the lock.
func (r *Registry) makeRoom() error {
	if len(r.sandboxes) < r.config.Max || r.evictIdle() {
		return nil
	}
	return r.fullError()
}

// evictIdle drops the sandbox that was idle longest of those made by first use, if
// that was long enough, nobody follows it and none of its calls is under way. The caller holds the lock.
func (r *Registry) evictIdle() bool {
	var idle []*Sandbox
	before := r.config.Wall().Add(-idleEnough).UnixNano()
	for _, s := range r.sandboxes {
		if s != r.defaultBox && s.lastUsed.Load() <= before && s.request == "" && s.followers.Load() == 0 {
			idle = append(idle, s)
		}
	}
	slices.SortFunc(idle, func(a, b *Sandbox) int {
		if a.idleLongerThan(b) {
			return -1
		}
		return 1
	})
	for _, s := range idle {
		if s.close(true) {
			r.end(s)
			return true
		}
	}
	return false
}

func (s *Sandbox) idleLongerThan(than *Sandbox) bool {
	if a, b := s.lastUsed.Load(), than.lastUsed.Load(); a != b {
		return a < b
	}
	return s.Name < than.Name
}

// unregister removes the instance's identifiers from the directory, and its bytes from
// the budget.
func (i *Instance) unregister() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sandbox.registry.directory.replace(i, i.state, true)
	i.book()
}

// namesShown is how many sandboxes a refusal names.
const namesShown = 10

// fullError says that there is no room for another sandbox. The caller holds the
// lock.
func (r *Registry) fullError() *FullError {
	var names []string
	for name := range r.sandboxes {
		if name != Default {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return &FullError{fmt.Sprintf("%d sandboxes live already, and each was made on request, was used within the last %s or has a call under way: default, %s. Drop one with understudy sandbox drop NAME or DELETE /v1/sandboxes/NAME, or start the server with a larger --max-sandboxes",
		len(r.sandboxes), idleEnough, listed(names))}
}

// listed lists the first names.
func listed(names []string) string {
	list := strings.Join(names[:min(len(names), namesShown)], ", ")
	if more := len(names) - namesShown; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// A FullError says that there is no room for another sandbox.
type FullError struct{ text string }

func (e *FullError) Error() string { return e.text }
