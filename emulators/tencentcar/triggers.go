package tencentcar

import (
	"fmt"

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
		Doc: "A reservation, a reconnect window (id: UserId) or the token of a temporary key (id: SecretId) expires now.",
		Params: []contract.Param{
			{Name: "what", Need: contract.Required, OneOf: []string{"reservation", "reconnect", "token"}, Doc: "What expires."},
			{Name: "id", Need: contract.Required, Example: "cg_user", Doc: "Whose: a UserId, or for token a SecretId."},
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
	co := st.users[user]
	switch co.phase(now) {
	case cleaning:
		co.Ready = now.Add(co.Ready.Sub(co.Cleaned))
		co.Cleaned = now
	case preload:
		co.Ready = now
	default:
		return fmt.Errorf("no concurrency of UserId %s is being cleaned", user)
	}
	st.pool(co.ProjectID).fix(co)
	return nil
}

// expire makes a reservation, a reconnect window or a token expire.
func expire(c *contract.Call) error {
	st, now, id := c.State.(*state), sandboxTime(c), c.In.Text("id")
	if c.In.Text("what") == "token" {
		i, known := st.accounts[id]
		if !known || st.Accounts[i].Token == "" {
			return fmt.Errorf("no temporary key has the SecretId %s", id)
		}
		st.Accounts[i].TokenExpires = now
		return nil
	}
	co, what := st.users[id], map[string]phase{"reservation": reserved, "reconnect": waiting}[c.In.Text("what")]
	if co.phase(now) != what {
		return fmt.Errorf("UserId %s has no %s that could expire", id, c.In.Text("what"))
	}
	st.setEnd(c, co, now)
	return nil
}
