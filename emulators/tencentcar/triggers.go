package tencentcar

import (
	"fmt"

	"github.com/understudy-suite/understudy/internal/contract"
)

var triggers = []*contract.Trigger{
	{
		Name: "client.attached", Params: whose, Do: attach,
		Doc: "The user's client connects or comes back: the reconnect window closes.",
	},
	{
		Name: "client.lost", Params: whose, Do: detach,
		Doc: "The user's client goes without DestroySession: its concurrency is held for the reconnect window, 90 seconds unless the project says otherwise. An application that runs without a client is held for ever.",
	},
	{
		Name: "concurrency.cleaned", Params: whose, Do: clean,
		Doc: "The cleaning of the user's concurrency is over now; a pre-launch that is on follows, and one that is under way is over too.",
	},
	{
		Name: "expire", Do: expire,
		Doc: "What was granted for a time is over now: a reservation or a reconnect window (id: UserId), a temporary key's token (id: SecretId).",
		Params: []contract.Param{
			{Name: "what", Need: contract.Required, OneOf: []string{"reservation", "reconnect", "token"}, Doc: "What expires."},
			{Name: "id", Need: contract.Required, Example: "cg_user", Doc: "Whose: a UserId, or for token a SecretId."},
		},
	},
}

var whose = []contract.Param{{Name: "UserId", Need: contract.Required, Example: "cg_user", Doc: "The user."}}

func attach(c *contract.Call) error {
	w, now, user := c.State.(*state), instant(c), c.In.Text("UserId")
	if n := w.room(user, now); n != nil {
		n.Session.guest(user).Ends = never
		return nil
	}
	n := w.users[user]
	if !n.live(now) {
		return fmt.Errorf("no session of UserId %s", user)
	}
	n.Lost = never
	w.until(c, n, never)
	return nil
}

func detach(c *contract.Call) error {
	w, now, user := c.State.(*state), instant(c), c.In.Text("UserId")
	if n := w.room(user, now); n != nil {
		n.Session.guest(user).Ends = now.Add(w.window(c, n))
		return nil
	}
	n := w.users[user]
	if !n.live(now) {
		return fmt.Errorf("no session of UserId %s", user)
	}
	w.lose(c, n, now)
	return nil
}

func clean(c *contract.Call) error {
	w, now, user := c.State.(*state), instant(c), c.In.Text("UserId")
	n := w.users[user]
	switch n.phase(now) {
	case cleaning:
		n.Ready = now.Add(n.Ready.Sub(n.Cleaned))
		n.Cleaned = now
	case preload:
		n.Ready = now
	default:
		return fmt.Errorf("no concurrency of UserId %s is being cleaned", user)
	}
	w.pool(n.ProjectID).fix(n)
	return nil
}

func expire(c *contract.Call) error {
	w, now, id := c.State.(*state), instant(c), c.In.Text("id")
	if c.In.Text("what") == "token" {
		i, known := w.accounts[id]
		if !known || w.Accounts[i].Token == "" {
			return fmt.Errorf("no temporary key has the SecretId %s", id)
		}
		w.Accounts[i].TokenExpires = now
		return nil
	}
	n, what := w.users[id], map[string]phase{"reservation": reserved, "reconnect": waiting}[c.In.Text("what")]
	if n.phase(now) != what {
		return fmt.Errorf("UserId %s has no %s that could expire", id, c.In.Text("what"))
	}
	w.until(c, n, now)
	return nil
}
