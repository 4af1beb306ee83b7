package tencentcar

import (
	"fmt"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

var triggers = []*contract.Trigger{
	{
		Name: "client.attached", Params: userParam, Do: attach,
		Doc: "The user's client connects or comes back: the reconnect window closes.",
	},
	{
		Name: "client.lost", Params: userParam, Do: detach,
		Doc: "The user's client goes without DestroySession: its concurrency is held for the reconnect window, 90 seconds unless the project says otherwise. An application that runs without a client is held for ever.",
	},
	{
		Name: "concurrency.cleaned", Params: userParam, Do: clean,
		Doc: "The cleaning of the user's concurrency ends now. In a project with pre-launch, the pre-launch follows; if it is running already, it ends now.",
	},
	{
		Name: "expire", Do: expire,
		Doc: "What has a life ends now: a reservation, a reconnect window, a session or the push to a live stream (id: UserId), the cleaning or the pre-launch of a concurrency (id: its own), the token of a temporary key (id: SecretId).",
		Params: []contract.Param{
			{Name: "what", Need: contract.Required, OneOf: []string{aReservation, aReconnect, aSession, aStream, aCleaning, aPreload, aToken}, Doc: "What ends."},
			{Name: "id", Need: contract.Required, Example: "cg_user", Doc: "Whose: a UserId; for cleaning and preload a concurrency such as cap-abcdefgh/0, for token a SecretId."},
		},
	},
}

var userParam = []contract.Param{{Name: "UserId", Need: contract.Required, Example: "cg_user", Doc: "The user."}}

// attach connects the client of a user or a guest.
func attach(c *contract.Call) error {
	st, now, user := c.State.(*state), sandboxTime(c), c.In.Text("UserId")
	if co := st.roomOf(user, now); co != nil {
		co.Session.guest(user).Ends = never
		return nil
	}
	co := st.users[user]
	if !co.live(now) {
		return fmt.Errorf("no session of UserId %s", user)
	}
	co.Lost = never
	st.setEnd(c, co, never)
	return nil
}

// detach makes the client of a user or a guest be lost.
func detach(c *contract.Call) error {
	st, now, user := c.State.(*state), sandboxTime(c), c.In.Text("UserId")
	if co := st.roomOf(user, now); co != nil {
		co.Session.guest(user).Ends = now.Add(st.reconnectWindow(c, co))
		return nil
	}
	co := st.users[user]
	if !co.live(now) {
		return fmt.Errorf("no session of UserId %s", user)
	}
	st.startReconnectWindow(c, co, now)
	return nil
}

// clean ends the phase cleaning or preload.
func clean(c *contract.Call) error {
	st, now, user := c.State.(*state), sandboxTime(c), c.In.Text("UserId")
	if !st.endCleaning(st.users[user], now) && !st.endPreload(st.users[user], now) {
		return fmt.Errorf("no concurrency of UserId %s is being cleaned", user)
	}
	return nil
}

// endCleaning ends the cleaning of a concurrency, and reports whether there was
// one. A pre-launch begins then.
func (st *state) endCleaning(co *concurrency, now time.Time) bool {
	if co.phase(now) != cleaning {
		return false
	}
	co.Ready = now.Add(co.Ready.Sub(co.Cleaned))
	co.Cleaned = now
	st.pool(co.ProjectID).fix(co)
	return true
}

// endPreload ends the pre-launch of a concurrency, and reports whether there was
// one.
func (st *state) endPreload(co *concurrency, now time.Time) bool {
	if co.phase(now) != preload {
		return false
	}
	co.Ready = now
	st.pool(co.ProjectID).fix(co)
	return true
}

// expire ends something that has a life.
func expire(c *contract.Call) error {
	st, what, id := c.State.(*state), c.In.Text("what"), c.In.Text("id")
	if !st.expire(c, what, id, sandboxTime(c)) {
		return fmt.Errorf("%s has no %s that could end", id, what)
	}
	return nil
}

// expire ends the named thing, and reports whether there was one.
func (st *state) expire(c *contract.Call, what, id string, now time.Time) bool {
	switch what {
	case aReservation:
		return st.release(c, st.users[id], reserved, now)
	case aReconnect:
		if co := st.roomOf(id, now); co != nil && !co.Session.guest(id).Ends.IsZero() {
			co.Session.guest(id).Ends = now
			return true
		}
		return st.release(c, st.users[id], waiting, now)
	case aSession:
		if st.roomOf(id, now) != nil {
			st.leaveRoom(id)
			return true
		}
		co := st.users[id]
		if !co.live(now) {
			return false
		}
		st.destroy(c, co, now)
		return true
	case aStream:
		co := st.users[id]
		if !co.live(now) || !co.Session.Publishing {
			return false
		}
		st.stopPublishing(co)
		return true
	case aCleaning:
		return st.endCleaning(st.Concurrencies[id], now)
	case aPreload:
		return st.endPreload(st.Concurrencies[id], now)
	}
	return st.expireToken(id, now)
}

// expireToken ends the token of a temporary key. It replaces the accounts, because
// checks read them without the lock.
func (st *state) expireToken(id string, now time.Time) bool {
	a := st.account(id)
	if a == nil || a.Token == "" || !a.TokenExpires.IsZero() && !now.Before(a.TokenExpires) {
		return false
	}
	st.Accounts = slices.Clone(st.Accounts)
	st.account(id).TokenExpires = now
	return true
}

// release ends the time for which a concurrency is held, if it is in the phase that
// ends so.
func (st *state) release(c *contract.Call, co *concurrency, in phase, now time.Time) bool {
	if co.phase(now) != in {
		return false
	}
	st.setEnd(c, co, now)
	return true
}
