package adobepass

import (
	"container/list"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A session is an authentication that began. Its code identifies it.
type session struct {
	Code            string     `json:"code"`
	ID              string     `json:"session_id"`
	ServiceProvider string     `json:"service_provider"`
	MVPD            string     `json:"mvpd,omitempty"`
	Domain          string     `json:"domain_name,omitempty"`
	RedirectURL     string     `json:"redirect_url,omitempty"`
	Client          string     `json:"client,omitempty"` // the creator, who gets the profile
	Device          string     `json:"device,omitempty"`
	DeviceInfo      string     `json:"device_info,omitempty"` // the header, unchanged
	UserAgent       string     `json:"user_agent,omitempty"`
	Address         string     `json:"address,omitempty"`
	Port            string     `json:"port,omitempty"`
	Identities      []identity `json:"identities,omitempty"`
	Done            bool       `json:"done,omitempty"`       // a user logged in
	Superseded      bool       `json:"superseded,omitempty"` // by a newer code of the same creator
	Fixed           bool       `json:"fixed,omitempty"`      // from the fixture: no call began it
	Serial          uint64     `json:"serial"`

	life
	entry queueEntry
}

// A creator has at most one unfinished session.
type creator struct{ client, device, serviceProvider string }

func (s *session) creator() creator { return creator{s.Client, s.Device, s.ServiceProvider} }

func (s *session) valid(now int64) bool { return s != nil && !s.Superseded && now < s.ends() }

// missing lists the missing parameters in the documented order. The request's
// domainName is called domain here, as in all samples, unless a switch changes
// it.
func (s *session) missing(sw contract.Values) []string {
	var names []string
	lacks := func(name, value string) {
		if value == "" {
			names = append(names, name)
		}
	}
	lacks("mvpd", s.MVPD)
	lacks(sw.Text("missing_domain_name"), s.Domain)
	lacks("redirectUrl", s.RedirectURL)
	return names
}

// indexSession adds a session to its queue and to the indices.
func (st *state) indexSession(s *session) {
	q := st.queues[sessionKind]
	s.entry = q.push(s, s.texts()...)
	switch {
	case s.Superseded:
		q.retire(&s.entry)
	case !s.Done:
		st.unfinished[s.creator()] = s
	}
}

// texts returns the texts that a session stores for clients.
func (s *session) texts() []string {
	all := []string{s.MVPD, s.Domain, s.RedirectURL, s.Client, s.Device, s.DeviceInfo, s.UserAgent}
	for _, i := range s.Identities {
		all = append(all, i.Value)
	}
	return all
}

// removeSession deletes a session.
func (st *state) removeSession(c *contract.Call, s *session) {
	s.entry.remove()
	delete(st.Sessions, s.Code)
	if st.unfinished[s.creator()] == s {
		delete(st.unfinished, s.creator())
	}
	c.Forget(s.Code)
}

// beginSession begins a session for the caller. A new code voids the creator's
// earlier unfinished one. Expired sessions are deleted at the same time.
func (st *state) beginSession(c *contract.Call, s *session) {
	ca, now := callerOf(c), c.Now.UnixMilli()
	q := st.queues[sessionKind]
	for _, l := range [...]*list.List{&q.retired, &q.live} {
		for e := l.Front(); e != nil && e.Value.(*session).ends() <= now; e = l.Front() {
			st.removeSession(c, e.Value.(*session))
		}
	}
	st.makeRoom(sessionKind, c)
	s.ServiceProvider = c.In.Text("serviceProvider")
	s.Client, s.Device, s.Identities = ca.client, ca.device, ca.identities
	s.DeviceInfo = c.In.Text(deviceInfoHeader)
	s.UserAgent = truncate(c.Request.Header.Get("User-Agent"), longestAgent)
	s.Address, s.Port = deviceAddress(c.Request)
	s.NotBefore, s.NotAfter = now, now+c.Switches.Duration("code_ttl").Milliseconds()
	if old := st.unfinished[s.creator()]; old != nil && c.Switches.Bool("new_code_voids_old") {
		old.Superseded = true
		q.retire(&old.entry)
		c.Note("superseded code", old.Code)
	}
	if s.Code = ca.wantedCode; s.Code == "" {
		s.Code = st.newCode(c)
	}
	s.Serial = st.nextSerial()
	st.Sessions[s.Code] = s
	st.indexSession(s)
	c.Issue(s.Code)
}

const longestAgent = 512

// truncate cuts a stored text. The copy does not keep the whole text in memory.
func truncate(s string, limit int) string {
	if len(s) > limit {
		return strings.Clone(s[:limit])
	}
	return s
}

// newCode returns a random code that no session has: seven capital letters and
// digits, similar ones such as O and 0 included, as in the samples.
func (st *state) newCode(c *contract.Call) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for {
		var raw [16]byte
		_, _ = c.Mint().Read(raw[:])
		var code [7]byte
		n := 0
		for _, b := range raw {
			if b < 252 && n < len(code) { // 252 is seven times 36, so all characters are equally likely
				code[n] = alphabet[b%36]
				n++
			}
		}
		if n == len(code) && st.Sessions[string(code[:])] == nil {
			return string(code[:])
		}
	}
}

// A sessionReply is the reply of operations that create or resume a session.
// Times are strings here, and integers everywhere else.
type sessionReply struct {
	ActionName            string        `json:"actionName"`
	ActionType            string        `json:"actionType"`
	ReasonType            string        `json:"reasonType"`
	URL                   string        `json:"url,omitempty"`
	MissingParameters     []string      `json:"missingParameters,omitempty"`
	Code                  string        `json:"code,omitempty"`
	SessionID             string        `json:"sessionId"`
	MVPD                  string        `json:"mvpd,omitempty"`
	ServiceProvider       string        `json:"serviceProvider"`
	NotBefore             string        `json:"notBefore,omitempty"`
	NotAfter              string        `json:"notAfter,omitempty"`
	AuthenticationRequest *authnRequest `json:"authenticationRequest,omitempty"`
}

// The action types of session replies.
const (
	interactive = "interactive"
	direct      = "direct"
)

// reply returns the reply that names the next step of a session.
func (s *session) reply(action, kind, reason, url string) *sessionReply {
	return &sessionReply{
		ActionName: action, ActionType: kind, ReasonType: reason, URL: url,
		Code: s.Code, SessionID: s.ID, MVPD: s.MVPD, ServiceProvider: s.ServiceProvider,
		NotBefore: strconv.FormatInt(s.NotBefore, 10), NotAfter: strconv.FormatInt(s.NotAfter, 10),
	}
}

// resumePath returns the path where a session is resumed.
func (s *session) resumePath() string { return apiPath + s.ServiceProvider + "/sessions/" + s.Code }

// authenticatePath returns the path where a user agent logs in.
func (s *session) authenticatePath() string {
	return apiPath + "authenticate/" + s.ServiceProvider + "/" + s.Code
}

// authorizeReply returns the reply that sends a client on to decisions. It has
// no code.
func authorizeReply(sp, mvpd, reason, sessionID string) *sessionReply {
	return &sessionReply{
		ActionName: "authorize", ActionType: direct, ReasonType: reason,
		URL:       apiPath + sp + "/decisions/authorize/" + mvpd,
		SessionID: sessionID, MVPD: mvpd, ServiceProvider: sp,
	}
}

// sessionRows returns the rows of a session reply.
func sessionRows(cite string, actions, reasons []string) []contract.Param {
	return []contract.Param{
		{Name: "actionName", Need: contract.Required, OneOf: actions, Cite: cite, Doc: "What is to be done next."},
		{Name: "actionType", Need: contract.Required, OneOf: []string{interactive, direct, "partner_interactive"}, Cite: cite, Doc: "How: by a user agent, or by the client itself."},
		{Name: "reasonType", Need: contract.Required, OneOf: reasons, Cite: cite, Doc: "Why."},
		{Name: "url", Cite: cite, Doc: "Where: a path below /api/v2/."},
		{Name: "missingParameters", Type: contract.List, Of: contract.String, Cite: cite, Doc: "What is missing before a user can log in, in the order mvpd, domain, redirectUrl."},
		{Name: "code", Cite: cite, Doc: "The authentication code, for a second screen; absent with authorize."},
		{Name: "sessionId", Need: contract.Required, Example: "1b614390-6610-4d14-9421-6565f6e75958", Cite: cite, Doc: "An id by which the user's activity can be tracked."},
		{Name: "mvpd", Cite: cite, Doc: "The MVPD, where it is known."},
		{Name: "serviceProvider", Need: contract.Required, Cite: cite, Doc: "The service provider of the path."},
		{Name: "notBefore", Cite: cite, Doc: "From when the code counts: milliseconds, as a string."},
		{Name: "notAfter", Cite: cite, Doc: "Until when the code counts: milliseconds, as a string."},
	}
}

var (
	unknownCode         = &contract.Cause{Code: "unknown_code", Text: "No session has the code {code}. Codes are forgotten some time after they expired, and by a reset."}
	codeOfOtherProvider = &contract.Cause{Code: "code_of_another", Text: "The code {code} belongs to the service provider {owner}, and the request is about {serviceProvider}."}
	supersededCode      = &contract.Cause{Code: "code_superseded", Text: "The code {code} was replaced when the same client and device created a session anew; the switch new_code_voids_old keeps both."}
	expiredCode         = &contract.Cause{Code: "code_expired", Text: "The code {code} expired at {expired}; the switch code_ttl sets how long a code is valid."}
)

// checkCode returns the valid session of the call's code, or the refusal.
func (st *state) checkCode(c *contract.Call) (*session, contract.Verdict) {
	code, sp := c.In.Text("code"), c.In.Text("serviceProvider")
	s := st.Sessions[code]
	switch {
	case s == nil:
		return nil, noSession.Because(unknownCode, "code", code)
	case s.ServiceProvider != sp:
		return nil, noSession.Because(codeOfOtherProvider, "code", code, "owner", s.ServiceProvider, "serviceProvider", sp)
	case s.Superseded:
		return nil, noSession.Because(supersededCode, "code", code)
	case !s.valid(c.Now.UnixMilli()):
		return nil, noSession.Because(expiredCode, "code", code, "expired", timeOfMillis(s.ends()))
	}
	return s, contract.Verdict{}
}

// forKnownProvider refuses an unknown service provider before it calls decide.
func forKnownProvider(decide func(c *contract.Call, st *state) contract.Verdict) func(*contract.Call) contract.Verdict {
	return func(c *contract.Call) contract.Verdict {
		st := c.State.(*state)
		if v := st.checkProvider(c); !v.Pending() {
			return v
		}
		return decide(c, st)
	}
}

var (
	unknownMVPD   = &contract.Cause{Code: "unknown_mvpd", Text: "The MVPD {mvpd} is not in the fixture. Identifiers are case-sensitive."}
	noIntegration = &contract.Cause{Code: "no_integration", Text: "The MVPD {mvpd} is not among the mvpds of the service provider {serviceProvider}."}
)

// checkMVPD returns an MVPD with an active integration with the call's service
// provider, or the refusal.
func (st *state) checkMVPD(c *contract.Call, id string) (*mvpd, contract.Verdict) {
	m, sp := st.mvpd(id), c.In.Text("serviceProvider")
	switch {
	case m == nil:
		return nil, badMVPD.Because(unknownMVPD, "mvpd", id)
	case !st.provider(sp).integrates(id):
		return nil, badIntegration.Because(noIntegration, "mvpd", id, "serviceProvider", sp)
	}
	return m, contract.Verdict{}
}
