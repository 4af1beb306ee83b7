package sandbox

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
)

// Claims are the requests that belong to a sandbox though they name none: those of
// clients that cannot be changed.
type Claims struct {
	Addresses []netip.Addr      // of clients
	Headers   map[string]string // by name, the value that a request has
}

// A ClaimError says that another sandbox has a claim.
type ClaimError struct {
	Claim, Owner string
}

func (e *ClaimError) Error() string {
	return fmt.Sprintf("the sandbox %s claims %s already; drop it, or claim something else", e.Owner, e.Claim)
}

// keys lists what is claimed, each as the registry knows it.
func (c Claims) keys() []string {
	var all []string
	for _, a := range c.Addresses {
		all = append(all, addressKey(a))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		all = append(all, headerKey(name, c.Headers[name]))
	}
	return all
}

func addressKey(a netip.Addr) string { return "the address " + a.WithZone("").Unmap().String() }

func headerKey(name, value string) string { return "the header " + name + ": " + value }

// checkClaims refuses what another sandbox claims. The caller holds the lock.
func (r *Registry) checkClaims(c Claims) error {
	for _, key := range c.keys() {
		if owner := r.claims[key]; owner != nil {
			return &ClaimError{key, owner.Name}
		}
	}
	return nil
}

// claim enters what a sandbox claims, and unclaim removes it. The caller holds the
// lock.
func (r *Registry) claim(s *Sandbox) {
	c := s.Origin().Claims
	for _, key := range c.keys() {
		r.claims[key] = s
	}
	for name := range c.Headers {
		r.claimedHeaders[name]++
	}
	r.claimed.Store(len(r.claims) > 0)
}

func (r *Registry) unclaim(s *Sandbox) {
	c := s.Origin().Claims
	for _, key := range c.keys() {
		delete(r.claims, key)
	}
	for name := range c.Headers {
		if r.claimedHeaders[name]--; r.claimedHeaders[name] == 0 {
			delete(r.claimedHeaders, name)
		}
	}
	r.claimed.Store(len(r.claims) > 0)
}

// ByClaim returns the sandbox that claims a request: its header, or else the address
// and port that it came from. nil: none does.
func (r *Registry) ByClaim(client string, header http.Header) *Sandbox {
	if !r.claimed.Load() {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(r.claimedHeaders)) {
		for _, value := range header.Values(name) {
			if s := r.claims[headerKey(name, value)]; s != nil {
				return s.used()
			}
		}
	}
	host, _, err := net.SplitHostPort(client)
	if err != nil {
		return nil
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	return r.claims[addressKey(address)].used()
}
