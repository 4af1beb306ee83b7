package adobepass

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

var triggers = []*contract.Trigger{
	{
		Name: "login", Do: triggerLogin, Keeps: true, Params: []contract.Param{
			codeParam,
			{Name: "user", Doc: "Who logs in: a user of the fixture. Without it the first one."},
		},
		Doc: "The user of a code logs in with the MVPD, as on the login page: the device and client that created the session get their profile.",
	},
	{
		Name: "login.denied", Do: triggerDenied, Params: []contract.Param{codeParam},
		Doc: "The MVPD does not let the user of a code in. No profile is made, and clients that poll get none.",
	},
	{
		Name: "profile.revoked", Do: triggerRevoked,
		Doc: "The MVPD or Adobe revokes the profiles with an MVPD: decisions then end in authenticated_profile_invalidated.",
		Params: []contract.Param{
			{Name: "mvpd", Need: contract.Required, Example: "Cablevision", Doc: "The MVPD."},
			{Name: "device", Doc: "Only of the device with this AP-Device-Identifier; without it of every device."},
		},
	},
	{
		Name: "degradation", Do: triggerDegradation,
		Doc: "A degradation rule is applied, or taken back.",
		Params: []contract.Param{
			{Name: "service_provider", Doc: "The service provider; without it any."},
			{Name: "mvpd", Doc: "The MVPD; without it any."},
			{Name: "rule", Need: contract.Required, OneOf: []string{authNAll, authZAll, authZNone, none}, Example: authNAll, Doc: "The rule; none takes back what was applied to just this integration."},
			{Name: "message", Doc: "The rule's own text, which decisions have as details."},
		},
	},
	{
		Name: "expire", Do: triggerExpire,
		Doc: "What counts for a time is over now, whatever clients were told when they got it.",
		Params: []contract.Param{
			{Name: "what", Need: contract.Required, OneOf: []string{aCode, aToken, aProfile, aTrial}, Doc: "What expires: an authentication code, every token that a client has been given so far, one profile or trial, or all with an MVPD."},
			{Name: "id", Need: contract.Required, Example: "8ER640M", Doc: "The code, the access token or its client_id, the profile's or trial's own id as the state has it, or the MVPD."},
		},
	},
}

var codeParam = contract.Param{Name: "code", Need: contract.Required, Example: "8ER640M", Doc: "The authentication code."}

// pendingSession returns the complete and valid session of a code.
func pendingSession(c *contract.Call) (*session, error) {
	st, code := c.State.(*state), c.In.Text("code")
	s := st.Sessions[code]
	if !s.valid(c.Now.UnixMilli()) {
		return nil, fmt.Errorf("no session that counts has the code %s", code)
	}
	if missing := s.missing(c.Switches); len(missing) > 0 {
		return nil, fmt.Errorf("the session of code %s still lacks %s", code, strings.Join(missing, ", "))
	}
	return s, nil
}

func triggerLogin(c *contract.Call) error {
	st := c.State.(*state)
	s, err := pendingSession(c)
	if err != nil {
		return err
	}
	name := c.In.Text("user")
	u := st.user(name)
	if u == nil && name != "" {
		return fmt.Errorf("the fixture has no user %s", name)
	}
	st.logIn(c, s, u)
	return nil
}

func triggerDenied(c *contract.Call) error {
	_, err := pendingSession(c)
	return err
}

func triggerRevoked(c *contract.Call) error {
	st, id, only := c.State.(*state), c.In.Text("mvpd"), ""
	if header := c.In.Text("device"); header != "" {
		var ok bool
		if only, ok = deviceID(header); !ok {
			return fmt.Errorf("the device is %q; fingerprint, a blank and base64 were expected", header)
		}
	}
	var revoked []*profile
	for _, p := range st.Profiles {
		if p.MVPD == id && (only == "" || p.Device == only) && p.valid(c.Now.UnixMilli()) {
			revoked = append(revoked, p)
		}
	}
	if len(revoked) == 0 {
		return fmt.Errorf("no valid profile with %s", id)
	}
	slices.SortFunc(revoked, func(a, b *profile) int { return cmp.Compare(a.Serial, b.Serial) })
	for _, p := range revoked { // in the order of creation, which is the order of eviction
		p.Revoked = true
		st.queues[profileKind].retire(&p.entry)
	}
	return nil
}

func triggerDegradation(c *contract.Call) error {
	st := c.State.(*state)
	d := degradation{ServiceProvider: c.In.Text("service_provider"), MVPD: c.In.Text("mvpd"), Rule: c.In.Text("rule"), Message: c.In.Text("message")}
	left := []degradation{}
	for _, old := range st.Degradations {
		if old.ServiceProvider != d.ServiceProvider || old.MVPD != d.MVPD {
			left = append(left, old)
		}
	}
	if d.Rule == none && len(left) == len(st.Degradations) {
		return fmt.Errorf("no rule is applied to just this integration")
	}
	if d.Rule != none {
		left = append([]degradation{d}, left...)
	}
	st.Degradations = left
	return nil
}

func triggerExpire(c *contract.Call) error {
	st, now, id := c.State.(*state), c.Now.UnixMilli(), c.In.Text("id")
	found := false
	switch c.In.Text("what") {
	case aCode:
		s := st.Sessions[id]
		found = s.valid(now) && s.expire(now)
	case aToken:
		if cl := st.Clients[st.clientOf(id)]; cl != nil {
			cl.Stale, cl.Until, found = max(cl.Stale+1, c.Now.Unix()), 0, true
		}
	case aProfile:
		for _, p := range st.Profiles {
			if (p.ID == id || p.MVPD == id) && p.valid(now) && p.expire(now) {
				found = true
			}
		}
	case aTrial:
		for _, t := range st.Trials {
			if (t.ID == id || t.MVPD == id) && t.expire(now) {
				found = true
			}
		}
	}
	if !found {
		what := c.In.Text("what")
		return fmt.Errorf("nothing of the kind %s counts under %.40s; %s", what, id, st.counting(what, now))
	}
	return nil
}

// clientOf returns the client of an access token; what is none is taken for a client_id.
func (st *state) clientOf(id string) string {
	if t, known := st.verified[hashToken(id)]; known {
		return t.client
	}
	return cmp.Or(unverifiedSubject(id), id)
}

// counting lists what counts of a kind, as the trigger expire takes it.
func (st *state) counting(what string, now int64) string {
	var ids []string
	switch what {
	case aCode:
		for code, s := range st.Sessions {
			if s.valid(now) {
				ids = append(ids, code)
			}
		}
	case aToken:
		ids = slices.Collect(maps.Keys(st.Clients))
	case aProfile:
		for _, p := range st.Profiles {
			if p.valid(now) {
				ids = append(ids, p.ID)
			}
		}
	case aTrial:
		for _, t := range st.Trials {
			if now < t.ends() {
				ids = append(ids, t.ID)
			}
		}
	}
	if len(ids) == 0 {
		return "none counts"
	}
	slices.Sort(ids)
	const most = 5
	text := "these count: " + strings.Join(ids[:min(most, len(ids))], ", ")
	if len(ids) > most {
		text += fmt.Sprintf(" and %d more", len(ids)-most)
	}
	return text
}
