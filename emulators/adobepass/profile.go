package adobepass

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The types of a profile.
const (
	regular         = "regular"
	degraded        = "degraded"
	temporary       = "temporary"
	appleSSO        = "appleSSO"
	platformSSO     = "platformSSO"
	serviceTokenSSO = "serviceTokenSSO"
)

// A profile is the result of a login, for an application, a device, a service
// provider and an MVPD. An expired profile is stored, because a missing profile
// and an expired one have different error codes.
type profile struct {
	ID              string      `json:"id"`
	Client          string      `json:"client,omitempty"`
	Device          string      `json:"device,omitempty"`
	ServiceProvider string      `json:"service_provider"`
	MVPD            string      `json:"mvpd"`
	Type            string      `json:"type"`
	User            string      `json:"user,omitempty"`
	Attributes      []attribute `json:"attributes"`
	Identities      []identity  `json:"identities,omitempty"`
	Revoked         bool        `json:"revoked,omitempty"`
	Fixed           bool        `json:"fixed,omitempty"` // from the fixture: no call began it
	Serial          uint64      `json:"serial"`

	life
	entry queueEntry
}

// An attribute is one piece of user metadata.
type attribute struct {
	Name  string          `json:"name" yaml:"name"`
	Value json.RawMessage `json:"value" yaml:"-"`
	State string          `json:"state,omitempty" yaml:"state"`
}

// A holder is the owner of a profile.
type holder struct{ client, device, serviceProvider, mvpd string }

// An sso is the key by which single sign-on finds profiles.
type sso struct {
	identity
	mvpd string
}

func (p *profile) holder() holder { return holder{p.Client, p.Device, p.ServiceProvider, p.MVPD} }

func (p *profile) valid(now int64) bool { return p != nil && !p.Revoked && now < p.ends() }

// indexProfile adds a profile to its queue and to the indices, where it replaces
// an earlier one of the same holder.
func (st *state) indexProfile(p *profile) {
	q := st.queues[profileKind]
	kept := []string{p.Client, p.Device}
	for _, i := range p.Identities {
		kept = append(kept, i.Value)
	}
	p.entry = q.push(p, kept...)
	if p.Revoked {
		q.retire(&p.entry)
	}
	st.profilesByHolder[p.holder()] = p
	for _, i := range p.Identities {
		key := sso{i, p.MVPD}
		st.profilesBySSO[key] = append(st.profilesBySSO[key], p)
	}
}

// removeProfile deletes a profile.
func (st *state) removeProfile(p *profile) {
	p.entry.remove()
	delete(st.Profiles, p.ID)
	if st.profilesByHolder[p.holder()] == p {
		delete(st.profilesByHolder, p.holder())
	}
	for _, i := range p.Identities {
		key := sso{i, p.MVPD}
		left := st.profilesBySSO[key]
		if at := slices.Index(left, p); at >= 0 {
			left = slices.Delete(left, at, at+1)
		}
		if len(left) == 0 {
			delete(st.profilesBySSO, key)
		} else {
			st.profilesBySSO[key] = left
		}
	}
}

// grantProfile creates a profile for its holder. It replaces an earlier one.
func (st *state) grantProfile(c *contract.Call, p *profile, u *user) *profile {
	if old := st.profilesByHolder[p.holder()]; old != nil {
		st.removeProfile(old)
	}
	q := st.queues[profileKind]
	for e := q.live.Front(); e != nil && !e.Value.(*profile).valid(c.Now.UnixMilli()); e = q.live.Front() {
		q.retire(&e.Value.(*profile).entry)
	}
	st.makeRoom(profileKind, c)
	p.ID = c.Dice().ID()
	p.NotBefore = c.Now.UnixMilli()
	if p.NotAfter == 0 {
		p.NotAfter = p.NotBefore + st.authnTTL(c, p.MVPD).Milliseconds()
	}
	if u != nil {
		p.User, p.Attributes = u.Username, u.Attributes
	}
	if len(p.Attributes) == 0 {
		p.Attributes = []attribute{plainAttribute("userID", c.Dice().ID())}
	}
	p.Serial = st.nextSerial()
	st.Profiles[p.ID] = p
	st.indexProfile(p)
	return p
}

// plainAttribute makes an attribute that is not encrypted.
func plainAttribute(name, value string) attribute {
	return attribute{name, wire.Encode(value), "plain"}
}

// authnTTL returns how long a profile is valid.
func (st *state) authnTTL(c *contract.Call, mvpd string) time.Duration {
	if m := st.mvpd(mvpd); m != nil && m.AuthnTTL > 0 {
		return m.AuthnTTL
	}
	return c.Switches.Duration("authn_ttl")
}

// holderOf returns the caller as the holder of a profile with an MVPD.
func holderOf(c *contract.Call, mvpd string) holder {
	ca := callerOf(c)
	return holder{ca.client, ca.device, c.In.Text("serviceProvider"), mvpd}
}

// findProfile returns the valid profile of a holder: its own, or one that single
// sign-on finds. shownAs is the type under which it is shown.
func (st *state) findProfile(h holder, identities []identity, now int64) (p *profile, shownAs string) {
	if p = st.profilesByHolder[h]; p.valid(now) {
		return p, p.Type
	}
	for _, i := range identities {
		candidates := st.profilesBySSO[sso{i, h.mvpd}]
		for n := len(candidates) - 1; n >= 0; n-- {
			if candidates[n].valid(now) {
				return candidates[n], i.Kind
			}
		}
	}
	return nil, ""
}

// A profileView is a profile as replies show it.
type profileView struct {
	NotBefore  int64
	NotAfter   int64
	Issuer     string
	Type       string
	Attributes []attribute // the profile's own, which never change
	More       members     // further attributes
}

// An attributeView is an attribute as replies show it.
type attributeView struct {
	Value any    `json:"value"`
	State string `json:"state"`
}

// view returns the profile as replies show it. A profile that single sign-on
// finds shows its MVPD as well.
func (p *profile) view(shownAs string) *profileView {
	v := &profileView{NotBefore: p.NotBefore, NotAfter: p.NotAfter, Issuer: p.MVPD, Type: shownAs, Attributes: p.Attributes}
	switch shownAs {
	case appleSSO:
		v.Issuer = "Apple"
	case platformSSO, serviceTokenSSO:
		v.More = members{{"mvpd", &attributeView{p.MVPD, "plain"}}}
	}
	return v
}

// A profilesReply is the reply of the profile operations.
type profilesReply struct {
	Profiles members `json:"profiles"`
}

func oneProfile(mvpd string, v *profileView) *profilesReply {
	return &profilesReply{members{{mvpd, v}}}
}

// profileRows returns the rows of a profilesReply.
func profileRows(cite string) []contract.Param {
	return []contract.Param{{
		Name: "profiles", Type: contract.Object, Need: contract.Required, Cite: cite,
		Doc: "Profiles by MVPD; none is {}. Each has notBefore, notAfter (milliseconds), issuer, type (regular, degraded, temporary, appleSSO, platformSSO, serviceTokenSSO) and attributes, of which each has value and state (plain or enc).",
	}}
}

// grantRegularProfile creates the regular profile that a scenario needs where
// there is none.
func (st *state) grantRegularProfile(c *contract.Call, h holder) *profile {
	if h.mvpd == "" {
		h.mvpd = st.defaultMVPD(h.serviceProvider)
	}
	return st.grantProfile(c, &profile{Client: h.client, Device: h.device, ServiceProvider: h.serviceProvider, MVPD: h.mvpd, Type: regular, Identities: callerOf(c).identities}, st.user(""))
}

// defaultMVPD returns an MVPD with a login, for a scenario that needs one where
// the request names none.
func (st *state) defaultMVPD(sp string) string {
	if p := st.provider(sp); p != nil {
		for _, id := range p.MVPDs {
			if m := st.mvpd(id); m != nil && m.TempPass == "" {
				return id
			}
		}
	}
	return "Cablevision"
}
