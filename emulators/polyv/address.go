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

// maxBlocked is how many blocked addresses are kept.
const maxBlocked = 4096

var blockedCause = &contract.Cause{Code: "address_blocked", Text: "The address {address} has made more than {limit} calls within {window}, and is blocked for another {left} by the wall clock. Slow down, or switch address_limit off in the fixture. A reset lifts the block."}

// checkAddress refuses a blocked address. Calls that are refused do not prolong
// the block. Both run on the wall clock, so that a client gets out of a block also
// while the sandbox's clock is frozen.
func checkAddress(c *contract.Call) contract.Verdict {
	if !c.Switches.Bool("address_limit") {
		return contract.Verdict{}
	}
	var v contract.Verdict
	from, now := address(c.Request), c.Wall()
	c.WithState(func() {
		st := c.State.(*state)
		until := st.blocked[from]
		if !now.Before(until) {
			if c.CountInWindow("address "+from, addressWindow) <= addressCalls {
				return
			}
			until = now.Add(blockLength)
			st.block(from, until, now)
		}
		v = ipBlocked.Because(blockedCause, "address", from, "limit", addressCalls, "window", addressWindow, "left", until.Sub(now).Round(time.Second))
	})
	return v
}

// address returns the client's address without the port.
func address(r *contract.Request) string {
	host, _, err := net.SplitHostPort(r.Client)
	if err != nil {
		return r.Client
	}
	return host
}

// block blocks an address. At the limit it deletes the blocks that are over, and if
// there are none, all.
func (st *state) block(from string, until, now time.Time) {
	if len(st.blocked) >= maxBlocked {
		maps.DeleteFunc(st.blocked, func(_ string, until time.Time) bool { return !now.Before(until) })
	}
	if len(st.blocked) >= maxBlocked {
		clear(st.blocked)
	}
	st.blocked[from] = until
}
