package adobepass

import (
	"slices"
	"strconv"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The sources of a decision.
const (
	byMVPD        = "mvpd"
	byDegradation = "degradation"
	byTempPass    = "temppass"
)

// longestResource and mostResources bound what a request may ask about, far
// above any integration's limit.
const (
	longestResource = 8192
	mostResources   = 256
)

var resourcesRow = contract.Param{
	Name: "resources", Type: contract.List, Of: contract.String, Need: contract.Required, Example: `["REF30"]`,
	Doc: "The resources: simple ids, or strings of MRSS.",
}

// A decisionsReply is what the operations on decisions return.
type decisionsReply struct {
	Decisions []decision `json:"decisions"`
}

// A decision is about one resource. It is 200 also where it denies.
type decision struct {
	Resource        string      `json:"resource"`
	ServiceProvider string      `json:"serviceProvider"`
	MVPD            string      `json:"mvpd"`
	Source          string      `json:"source"`
	Authorized      bool        `json:"authorized"`
	Token           *mediaToken `json:"token,omitempty"`
	Error           *apiError   `json:"error,omitempty"`
	NotBefore       int64       `json:"notBefore,omitempty"`
	NotAfter        int64       `json:"notAfter,omitempty"`
}

func decisionRows(cite string) []contract.Param {
	fields := []contract.Param{
		{Name: "resource", Need: contract.Required, Cite: cite, Doc: "What was asked about."},
		{Name: "serviceProvider", Need: contract.Required, Cite: cite, Doc: "The service provider."},
		{Name: "mvpd", Need: contract.Required, Cite: cite, Doc: "The MVPD."},
		{Name: "source", Need: contract.Required, OneOf: []string{byMVPD, byDegradation, byTempPass, "dummy"}, Cite: cite, Doc: "Who decided."},
		{Name: "authorized", Type: contract.Boolean, Need: contract.Required, Cite: cite, Doc: "Whether the user may watch it."},
		{Name: "error", Type: contract.Object, Fields: errorRows, Cite: cite, Doc: "Why not."},
	}
	if cite == citeAuthorize {
		fields = append(fields,
			contract.Param{Name: "token", Type: contract.Object, Cite: cite, Doc: "The media token, where it is permitted.", Fields: []contract.Param{
				{Name: "notBefore", Type: contract.Integer, Cite: cite, Doc: "From when it counts, in milliseconds."},
				{Name: "notAfter", Type: contract.Integer, Cite: cite, Doc: "Until when it counts, in milliseconds."},
				{Name: "serializedToken", Cite: cite, Doc: "The token: base64, and closed to clients."},
			}},
			contract.Param{Name: "notBefore", Type: contract.Integer, Cite: cite, Doc: "From when the decision counts, in milliseconds."},
			contract.Param{Name: "notAfter", Type: contract.Integer, Cite: cite, Doc: "Until when the decision counts, in milliseconds."},
		)
	}
	return []contract.Param{{Name: "decisions", Type: contract.List, Of: contract.Object, Need: contract.Required, Cite: cite, Doc: "One for each resource, in the order of the request.", Fields: fields}}
}

// decisionOutcomes are the endings of both operations: what permits, what
// denies item by item, and what is refused as a whole. The plain success comes
// first.
func decisionOutcomes(cite string) []*contract.Outcome {
	rows := decisionRows(cite)
	permits := func(name, source, doc string) *contract.Outcome {
		return &contract.Outcome{
			Name: name, Status: 200, Cite: cite, Returns: rows, Doc: doc,
			Do: func(c *contract.Call) any {
				var all []decision
				for _, r := range wanted(c) {
					all = append(all, c.State.(*world).permit(c, r, source))
				}
				return &decisionsReply{all}
			},
		}
	}
	all := outcomes(
		permits("success", byMVPD, "The MVPD permits every resource."),
		permits(degraded, byDegradation, "A degradation rule AuthNAll or AuthZAll permits every resource, with or without a profile."),
		permits(temporary, byTempPass, "The TempPass permits every resource."),
		&contract.Outcome{
			Name: "mixed", Status: 200, Returns: rows,
			Doc: "Some resources are permitted and some are not. Called for where nothing denies, the last one is denied.",
			Do: func(c *contract.Call) any {
				return &decisionsReply{c.State.(*world).mixed(c)}
			},
		},
	)
	denied := []string{deniedByMVPD}
	if cite == citePreauthorize {
		denied[0] = preDeniedByMVPD
	}
	denied = append(denied, "authorization_denied_by_parental_controls", denyingRule, "authorization_denied_by_hba_policies",
		"authorization_denied_by_session_invalidated", "identity_not_recognized_by_mvpd",
		"network_received_error", "network_connection_timeout", "maximum_execution_time_exceeded",
		trialOver, resourcesOver, trialBroken, identityInvalid)
	for _, code := range denied {
		all = append(all, denies(codes[code], rows))
	}
	return append(all,
		noProfile, profileExpired, profileInvalidated, tooManyResources,
		badServiceProvider, badMVPD, badIntegration, badResources, badDevice, badDeviceInfo)
}

// denies makes the outcome in which every resource is denied with a code. The
// answer is 200, and the error stands in each decision.
func denies(e *eec, rows []contract.Param) *contract.Outcome {
	return &contract.Outcome{
		Name: e.code, Status: 200, Cite: e.cite, Returns: rows, Message: e.message,
		Doc: "Every resource is denied with this code, whose own status " + strconv.Itoa(e.status) + " stands inside the decision: " + e.message,
		Do:  func(c *contract.Call) any { return denyAll(c, e, "") },
	}
}

// denyAll denies every resource of a call.
func denyAll(c *contract.Call, e *eec, details string) *decisionsReply {
	reply := &decisionsReply{}
	for _, r := range wanted(c) {
		if w, ok := c.State.(*world); ok {
			reply.Decisions = append(reply.Decisions, w.deny(c, r, e, details))
		} else {
			reply.Decisions = append(reply.Decisions, (&world{}).deny(c, r, e, details))
		}
	}
	return reply
}

// itemLevel reports whether a switch has decisions tell the lack of a profile
// in each item of a 200. The pages list neither status.
func itemLevel(c *contract.Call, v contract.Verdict) bool {
	if c.Operation == nil || !c.Switches.Bool("profile_error_item_level") || (c.Operation.Name != "Authorize" && c.Operation.Name != "Preauthorize") {
		return false
	}
	return v.Outcome == noProfile || v.Outcome == profileExpired || v.Outcome == profileInvalidated
}

// wanted are the resources that a call asks about.
func wanted(c *contract.Call) []string { return c.In.Texts("resources") }

var strangeResources = &contract.Cause{Code: "resources", Text: "resources {why}."}

// checkResources looks at the list of resources, whatever a world allows.
func checkResources(c *contract.Call) contract.Verdict {
	list := wanted(c)
	switch {
	case len(list) == 0:
		return badResources.Because(strangeResources, "why", "is empty")
	case len(list) > mostResources:
		return badResources.Because(strangeResources, "why", "has more than 256 elements")
	case slices.ContainsFunc(list, func(s string) bool { return s == "" || len(s) > longestResource }):
		return badResources.Because(strangeResources, "why", "has an element that is empty or longer than 8192 bytes")
	}
	return contract.Verdict{}
}

var (
	overLimit   = &contract.Cause{Code: "too_many_resources", Text: "{n} resources were asked for and the integration allows {limit}."}
	noneToUse   = &contract.Cause{Code: "profile_missing", Text: "The device has no profile with {mvpd} under client {client} and {serviceProvider}: log in first."}
	expiredOne  = &contract.Cause{Code: "profile_expired", Text: "The profile with {mvpd} expired at {until}: log in again."}
	revokedOne  = &contract.Cause{Code: "profile_revoked", Text: "The profile with {mvpd} was revoked: log in again."}
	ruleApplied = &contract.Cause{Code: "degradation_rule", Text: "The rule {rule} is applied to {serviceProvider} and {mvpd}."}
	eachDecided = &contract.Cause{Code: "decided_each", Text: "The fixture's denials and users decide about each resource."}
)

// decideOn decides both operations. Degradation comes first: it is there for
// when profiles and MVPDs cannot be asked.
func decideOn(c *contract.Call, w *world) contract.Verdict {
	m, v := w.checkMVPD(c, c.In.Text("mvpd"))
	if !v.Pending() {
		return v
	}
	h, now := holderOf(c, m.ID), c.Now.UnixMilli()
	if d := w.degradation(h.serviceProvider, m.ID, now); d != nil {
		o := ending(c, degraded)
		if d.Rule == authZNone {
			o = ending(c, denyingRule)
		}
		return o.Because(ruleApplied, "rule", d.Rule, "serviceProvider", h.serviceProvider, "mvpd", m.ID)
	}
	if v := w.overLimit(c, m); !v.Pending() {
		return v
	}
	if m.TempPass == "" {
		if v := w.lacksProfile(c, h, now); !v.Pending() {
			return v
		}
	}
	return w.sum(c, m, h)
}

// ending finds an ending of the call's own operation.
func ending(c *contract.Call, name string) *contract.Outcome {
	for _, o := range c.Operation.Outcomes {
		if o.Name == name {
			return o
		}
	}
	return mixedOf(c)
}

func mixedOf(c *contract.Call) *contract.Outcome { return c.Operation.Outcomes[3] }

func (w *world) overLimit(c *contract.Call, m *mvpd) contract.Verdict {
	limit, own := c.Switches.Int("authorize_limit"), m.AuthorizeLimit
	if c.Operation.Name == "Preauthorize" {
		limit, own = c.Switches.Int("preauthorize_limit"), m.PreauthorizeLimit
	}
	if own > 0 {
		limit = int64(own)
	}
	if n := len(wanted(c)); int64(n) > limit {
		return tooManyResources.Because(overLimit, "n", n, "limit", limit)
	}
	return contract.Verdict{}
}

func (w *world) lacksProfile(c *contract.Call, h holder, now int64) contract.Verdict {
	if p, _ := w.find(h, who(c).known, now); p != nil {
		return contract.Verdict{}
	}
	switch p := w.profiles[h]; {
	case p == nil:
		return noProfile.Because(noneToUse, "mvpd", h.mvpd, "client", h.client, "serviceProvider", h.serviceProvider)
	case p.Revoked:
		return profileInvalidated.Because(revokedOne, "mvpd", h.mvpd)
	default:
		return profileExpired.Because(expiredOne, "mvpd", h.mvpd, "until", millis(p.NotAfter))
	}
}

// sum names the ending that says what is decided about all resources: permitted,
// denied with one code, or mixed.
func (w *world) sum(c *contract.Call, m *mvpd, h holder) contract.Verdict {
	denied, first := 0, (*eec)(nil)
	same := true
	list := wanted(c)
	var used []string // by a promotional access, this call's resources among them
	if t := w.trialOf(c, m, h); t != nil {
		used = slices.Clone(t.Used)
	}
	for _, r := range list {
		e, _ := w.judge(c, m, h, r)
		if e == nil && m.TempPass == promotional && c.Operation.Name == "Authorize" && !slices.Contains(used, r) {
			if len(used) >= m.TempResources {
				e = codes[resourcesOver]
			}
			used = append(used, r)
		}
		if e == nil {
			continue
		}
		if denied++; first == nil {
			first = e
		}
		same = same && e == first
	}
	switch {
	case denied == 0 && m.TempPass != "":
		return ending(c, temporary).Verdict()
	case denied == 0:
		return ending(c, "success").Verdict()
	case denied == len(list) && same:
		return ending(c, first.code).Because(eachDecided)
	}
	return mixedOf(c).Because(eachDecided)
}

func (w *world) trialOf(c *contract.Call, m *mvpd, h holder) *trial {
	word := ""
	if m.TempPass == promotional {
		word, _ = trialIdentity(c, m)
	}
	return w.trial(m, h, word)
}

// judge says with which code a resource is denied, and what the MVPD says to
// that; nil where it is permitted.
func (w *world) judge(c *contract.Call, m *mvpd, h holder, resource string) (e *eec, details string) {
	if m.TempPass != "" {
		e, _ = w.judgeTrial(c, m, h, resource)
		return e, ""
	}
	if p, _ := w.find(h, who(c).known, c.Now.UnixMilli()); p != nil {
		if u := w.user(p.User); p.User != "" && u != nil && u.Denied != "" {
			return codes[u.Denied], ""
		}
	}
	for i := range w.Denials {
		if d := &w.Denials[i]; d.Resource == resource && (d.MVPD == "" || d.MVPD == m.ID) {
			return w.denialCode(c, d), d.Details
		}
	}
	return nil, ""
}

func (w *world) denialCode(c *contract.Call, d *denial) *eec {
	code := d.Code
	if code == "" || code == deniedByMVPD || code == preDeniedByMVPD {
		code = deniedByMVPD
		if c.Operation.Name == "Preauthorize" {
			code = preDeniedByMVPD
		}
	}
	return codes[code]
}

// permit is the decision that permits a resource.
func (w *world) permit(c *contract.Call, resource, source string) decision {
	h := holderOf(c, c.In.Text("mvpd"))
	d := decision{Resource: resource, ServiceProvider: h.serviceProvider, MVPD: h.mvpd, Source: source, Authorized: true}
	if c.Operation.Name != "Authorize" {
		return d
	}
	now := c.Now.UnixMilli()
	d.Token = w.mediaToken(c, h, resource)
	if source == byTempPass {
		m := w.mvpd(h.mvpd)
		if m == nil {
			m = &mvpd{ID: h.mvpd, TempPass: basic}
		}
		w.consume(c, m, h, resource)
	}
	// Under AuthZAll the samples print no times of the decision, under AuthNAll they do.
	if source != byDegradation || !w.degradation(h.serviceProvider, h.mvpd, now).is(authZAll) {
		d.NotBefore, d.NotAfter = now, now+w.authzTTL(c, h.mvpd)
	}
	return d
}

func (w *world) authzTTL(c *contract.Call, id string) int64 {
	if m := w.mvpd(id); m != nil && m.AuthzTTL > 0 {
		return m.AuthzTTL.Milliseconds()
	}
	return c.Switches.Duration("authz_ttl").Milliseconds()
}

// ruleText is how the samples tell AuthZNone; the catalogue's text is another.
const ruleText = "The integration has an AuthZNone rule applied for the requested resources"

// deny is the decision that denies a resource with a code.
func (w *world) deny(c *contract.Call, resource string, e *eec, details string) decision {
	h, now := holderOf(c, c.In.Text("mvpd")), c.Now.UnixMilli()
	d := decision{Resource: resource, ServiceProvider: h.serviceProvider, MVPD: h.mvpd, Source: byMVPD}
	message := e.message
	switch {
	case e.code == denyingRule:
		d.Source, message, details = byDegradation, ruleText, w.degradation(h.serviceProvider, h.mvpd, now).text()
	case e.code == trialOver, e.code == resourcesOver, e.code == trialBroken, e.code == identityInvalid:
		d.Source = byTempPass
	case e.code == deniedByMVPD:
		// Only a denial of the MVPD's own was seen with the times of a decision.
		d.NotBefore, d.NotAfter = now, now+w.authzTTL(c, h.mvpd)
	}
	if details == "" {
		details = w.details(h.mvpd, resource)
	}
	d.Error = e.tell(c, message)
	d.Error.Details = details
	return d
}

func (w *world) details(mvpd, resource string) string {
	for i := range w.Denials {
		if d := &w.Denials[i]; d.Resource == resource && (d.MVPD == "" || d.MVPD == mvpd) {
			return d.Details
		}
	}
	return ""
}

// mixed decides about each resource as the world says; where it denies
// nothing, the last one is denied.
func (w *world) mixed(c *contract.Call) []decision {
	m := w.mvpd(c.In.Text("mvpd"))
	if m == nil {
		m = &mvpd{ID: c.In.Text("mvpd")}
	}
	h, source := holderOf(c, m.ID), byMVPD
	if m.TempPass != "" {
		source = byTempPass
	}
	var all []decision
	denied := false
	for _, r := range wanted(c) {
		e, details := w.judge(c, m, h, r)
		if e == nil {
			all = append(all, w.permit(c, r, source))
			continue
		}
		denied = true
		all = append(all, w.deny(c, r, e, details))
	}
	if n := len(all); n > 0 && !denied {
		all[n-1] = w.deny(c, all[n-1].Resource, w.denialCode(c, &denial{}), "")
	}
	return all
}
