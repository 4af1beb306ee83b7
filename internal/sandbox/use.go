package sandbox

import (
	"context"
	"slices"
	"sync"
)

// calls are the calls of a sandbox that are under way.
type calls struct {
	sync.Mutex
	latest  *Use   // that of calls that begin now
	earlier []*Use // of calls for which somebody waits
	dropped bool
}

// A Use is what calls under way have in common that began between two moments at
// which somebody began to wait for those before.
type Use struct {
	sandbox  *Sandbox
	underWay int
	ended    chan struct{} // closed when none of them is under way any more; nil: nobody waits
}

// Use says that a call of the sandbox begins, which Done ends. It returns nil if the
// sandbox was dropped; the caller then finds another.
func (s *Sandbox) Use() *Use {
	s.calls.Lock()
	defer s.calls.Unlock()
	if s.calls.dropped {
		return nil
	}
	if s.calls.latest == nil {
		s.calls.latest = &Use{sandbox: s}
	}
	s.calls.latest.underWay++
	return s.calls.latest
}

// Done says that a call ended.
func (u *Use) Done() {
	s := u.sandbox
	s.lastUsed.Store(s.registry.config.Wall().UnixNano())
	s.calls.Lock()
	defer s.calls.Unlock()
	u.underWay--
	if u.ended != nil && u.underWay == 0 {
		close(u.ended)
		s.calls.earlier = slices.DeleteFunc(s.calls.earlier, func(o *Use) bool { return o == u })
	}
}

// underWay counts the calls that are under way. The caller holds the lock.
func (c *calls) underWay() int {
	n := 0
	for _, u := range c.earlier {
		n += u.underWay
	}
	if c.latest != nil {
		n += c.latest.underWay
	}
	return n
}

// Settle waits until every call that is under way now has ended, until ctx is done,
// and returns how many calls are under way then. Calls that begin meanwhile do not
// prolong it.
func (s *Sandbox) Settle(ctx context.Context) (underWay int) {
	s.calls.Lock()
	if latest := s.calls.latest; latest != nil && latest.underWay > 0 {
		latest.ended = make(chan struct{})
		s.calls.earlier, s.calls.latest = append(s.calls.earlier, latest), nil
	}
	earlier := slices.Clone(s.calls.earlier)
	s.calls.Unlock()
	for _, u := range earlier {
		select {
		case <-u.ended:
		case <-ctx.Done():
			s.calls.Lock()
			defer s.calls.Unlock()
			return s.calls.underWay()
		}
	}
	return 0
}
