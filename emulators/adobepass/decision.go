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

// longestResource and maxResources limit the resources of a request. They are
// far above any integration's limit.
const (
	longestResource = 8192
	maxResources    = 256
)

var resourcesRow = contract.Param{
	Name: "resources", Type: contract.List, Of: contract.String, Need: contract.Required, Example: `["REF30"]`,
	Doc: "The resources: simple ids, or strings of MRSS.",
}

// A decisionsReply is the reply of Preauthorize and Authorize.
type decisionsReply struct {
	Decisions []decision `json:"decisions"`
}

// A decision is the result for one resource. A denial has HTTP status 200 too.
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

// decisionRows returns the rows of a decisionsReply.
func decisionRows(cite string) []contract.Param {
	fields := []contract.Param{
		{Name: "resource", Need: contract.Required, Cite: cite, Doc: "The requested resource."},
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

// decisionOutcomes returns the outcomes of both operations: those that permit,
// those that deny item by item, and those that refuse as a whole. The plain
// success is first.
func decisionOutcomes(cite string) []*contract.Outcome {
	rows := decisionRows(cite)
	permits := func(name, source, doc string) *contract.Outcome {
		return &contract.Outcome{
			Name: name, Status: 200, Cite: cite, Returns: rows, Doc: doc, Keeps: source == byTempPass,
			Do: func(c *contract.Call) any {
				var all []decision
				for _, r := range resourcesOf(c) {
					all = append(all, c.State.(*state).permit(c, r, source))
				}
				return &decisionsReply{all}
			},
		}
	}
	all := contract.Outcomes(
		permits("success", byMVPD, "The MVPD permits every resource."),
		permits(degraded, byDegradation, "A degradation rule AuthNAll or AuthZAll permits every resource, with or without a profile."),
		permits(temporary, byTempPass, "The TempPass permits every resource."),
		&contract.Outcome{
			Name: "mixed", Status: 200, Returns: rows,
			Keeps: true, // where they are of a TempPass
			Doc:   "Some resources are permitted and some are not. Forced where nothing is denied, it denies the last one.",
			Do: func(c *contract.Call) any {
				return &decisionsReply{c.State.(*state).mixed(c)}
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
		all = append(all, denialOutcome(errorCodes[code], rows))
	}
	return append(all,
		noProfile, profileExpired, profileInvalidated, tooManyResources,
		badServiceProvider, badMVPD, badIntegration, badResources, badDevice, badDeviceInfo)
}

// denialOutcome makes the outcome in which every resource is denied with one
// code. The status is 200, and each decision contains the error.
func denialOutcome(e *errorCode, rows []contract.Param) *contract.Outcome {
	return &contract.Outcome{
		Name: e.code, Status: 200, Cite: e.cite, Returns: rows, Message: e.message,
		Doc: "Every resource is denied with this code, whose own status " + strconv.Itoa(e.status) + " is inside the decision: " + e.message,
		Do:  func(c *contract.Call) any { return denyAll(c, e, "") },
	}
}

// denyAll denies every resource of a call.
func denyAll(c *contract.Call, e *errorCode, details string) *decisionsReply {
	reply := &decisionsReply{}
	for _, r := range resourcesOf(c) {
		if st, ok := c.State.(*state); ok {
			reply.Decisions = append(reply.Decisions, st.deny(c, r, e, details))
		} else {
			reply.Decisions = append(reply.Decisions, (&state{}).deny(c, r, e, details))
		}
	}
	return reply
}

// itemLevel reports whether a switch moves the error of a missing profile into
// each decision of a 200. The pages list neither status.
func itemLevel(c *contract.Call, v contract.Verdict) bool {
	if c.Operation == nil || !c.Switches.Bool("profile_error_item_level") || (c.Operation.Name != "Authorize" && c.Operation.Name != "Preauthorize") {
		return false
	}
	return v.Outcome == noProfile || v.Outcome == profileExpired || v.Outcome == profileInvalidated
}

// resourcesOf returns the resources of a call.
func resourcesOf(c *contract.Call) []string { return c.In.Texts("resources") }

var unusableResources = &contract.Cause{Code: "resources", Text: "resources {why}."}

// checkResources checks the list of resources against limits that are
// independent of the state.
func checkResources(c *contract.Call) contract.Verdict {
	list := resourcesOf(c)
	switch {
	case len(list) == 0:
		return badResources.Because(unusableResources, "why", "is empty")
	case len(list) > maxResources:
		return badResources.Because(unusableResources, "why", "has more than 256 elements")
	case slices.ContainsFunc(list, func(s string) bool { return s == "" || len(s) > longestResource }):
		return badResources.Because(unusableResources, "why", "has an element that is empty or longer than 8192 bytes")
	}
	return contract.Verdict{}
}

// permit returns the decision that permits a resource.
func (st *state) permit(c *contract.Call, resource, source string) decision {
	h := holderOf(c, c.In.Text("mvpd"))
	d := decision{Resource: resource, ServiceProvider: h.serviceProvider, MVPD: h.mvpd, Source: source, Authorized: true}
	if c.Operation.Name != "Authorize" {
		return d
	}
	now := c.Now.UnixMilli()
	d.Token = st.mediaToken(c, h, resource)
	if source == byTempPass {
		m := st.mvpd(h.mvpd)
		if m == nil {
			m = &mvpd{ID: h.mvpd, TempPass: basic}
		}
		st.useTrial(c, m, h, resource)
	}
	// The samples print the times of the decision under AuthNAll, but not under AuthZAll.
	if source != byDegradation || !st.degradation(h.serviceProvider, h.mvpd, now).is(authZAll) {
		d.NotBefore, d.NotAfter = now, now+st.authzTTL(c, h.mvpd)
	}
	return d
}

// authzTTL returns how long a decision is valid, in milliseconds.
func (st *state) authzTTL(c *contract.Call, id string) int64 {
	if m := st.mvpd(id); m != nil && m.AuthzTTL > 0 {
		return m.AuthzTTL.Milliseconds()
	}
	return c.Switches.Duration("authz_ttl").Milliseconds()
}

// authZNoneMessage is the message of AuthZNone in the samples. The catalogue has
// another text.
const authZNoneMessage = "The integration has an AuthZNone rule applied for the requested resources"

// deny returns the decision that denies a resource with a code.
func (st *state) deny(c *contract.Call, resource string, e *errorCode, details string) decision {
	h, now := holderOf(c, c.In.Text("mvpd")), c.Now.UnixMilli()
	d := decision{Resource: resource, ServiceProvider: h.serviceProvider, MVPD: h.mvpd, Source: byMVPD}
	message := e.message
	switch {
	case e.code == denyingRule:
		d.Source, message, details = byDegradation, authZNoneMessage, st.degradation(h.serviceProvider, h.mvpd, now).message()
	case e.code == trialOver, e.code == resourcesOver, e.code == trialBroken, e.code == identityInvalid:
		d.Source = byTempPass
	case e.code == deniedByMVPD:
		// In the samples only a denial by the MVPD has the times of a decision.
		d.NotBefore, d.NotAfter = now, now+st.authzTTL(c, h.mvpd)
	}
	if details == "" {
		details = st.denialDetails(h.mvpd, resource)
	}
	d.Error = e.body(c, message)
	d.Error.Details = details
	return d
}

// denialDetails returns the MVPD's own text about a resource, or "".
func (st *state) denialDetails(mvpd, resource string) string {
	for i := range st.Denials {
		if d := &st.Denials[i]; d.Resource == resource && (d.MVPD == "" || d.MVPD == mvpd) {
			return d.Details
		}
	}
	return ""
}

// mixed decides about each resource as the state says. Where nothing is denied,
// it denies the last resource.
func (st *state) mixed(c *contract.Call) []decision {
	m := st.mvpd(c.In.Text("mvpd"))
	if m == nil {
		m = &mvpd{ID: c.In.Text("mvpd")}
	}
	h, source := holderOf(c, m.ID), byMVPD
	if m.TempPass != "" {
		source = byTempPass
	}
	var all []decision
	denied := false
	for _, r := range resourcesOf(c) {
		e, details := st.denialOf(c, m, h, r)
		if e == nil {
			all = append(all, st.permit(c, r, source))
			continue
		}
		denied = true
		all = append(all, st.deny(c, r, e, details))
	}
	if n := len(all); n > 0 && !denied {
		all[n-1] = st.deny(c, all[n-1].Resource, st.denialCode(c, &denial{}), "")
	}
	return all
}
