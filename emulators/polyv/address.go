package polyv

import (
	"maps"
	"net"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The documented limit of one address over the whole domain, and for how long
// an address is blocked that passes it.
const (
	addressCalls  = 1500
	addressWindow = 10 * time.Second
	blockLength   = 5 * time.Minute
)

// mostBlocked is how many addresses are remembered as blocked.
const mostBlocked = 4096

var blockedCause = &contract.Cause{Code: "address_blocked", Text: "The address {address} has made more than {limit} calls within {window}, and is blocked for another {left} by the wall clock. Slow down, or switch address_limit off in the fixture. A reset lifts the block."}

// checkAddress refuses a blocked address. Calls that are refused do not prolong
// the block. Both run on the wall clock: where the sandbox's stands, a client
// must get out of it, too.
func checkAddress(c *contract.Call) (v contract.Verdict) {
	if !c.Switches.Bool("address_limit") {
		return v
	}
	from, now := address(c.Request), c.Wall()
	c.WithState(func() {
		w := c.State.(*state)
		until := w.blocked[from]
		if !now.Before(until) {
			if c.CountInWindow("address "+from, addressWindow) <= addressCalls {
				return
			}
			until = now.Add(blockLength)
			w.block(from, until, now)
		}
		v = ipBlocked.Because(blockedCause, "address", from, "limit", addressCalls, "window", addressWindow, "left", until.Sub(now).Round(time.Second))
	})
	return v
}

// address is where a request comes from, without the port.
func address(r *contract.Request) string {
	host, _, err := net.SplitHostPort(r.Client)
	if err != nil {
		return r.Client
	}
	return host
}

// block remembers an address until its block is over. Where too many are
// blocked, those go that are free again, and then all.
func (w *state) block(from string, until, now time.Time) {
	if len(w.blocked) >= mostBlocked {
		maps.DeleteFunc(w.blocked, func(_ string, until time.Time) bool { return !now.Before(until) })
	}
	if len(w.blocked) >= mostBlocked {
		clear(w.blocked)
	}
	w.blocked[from] = until
}
