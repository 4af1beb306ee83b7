package adobepass

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

var (
	overLimit      = &contract.Cause{Code: "too_many_resources", Text: "{n} resources were requested and the integration allows {limit}."}
	missingProfile = &contract.Cause{Code: "profile_missing", Text: "The device has no profile with {mvpd} under client {client} and {serviceProvider}: log in first."}
	expiredProfile = &contract.Cause{Code: "profile_expired", Text: "The profile with {mvpd} expired at {until}: log in again."}
	revokedProfile = &contract.Cause{Code: "profile_revoked", Text: "The profile with {mvpd} was revoked: log in again."}
	ruleApplied    = &contract.Cause{Code: "degradation_rule", Text: "The rule {rule} is applied to {serviceProvider} and {mvpd}."}
	eachDecided    = &contract.Cause{Code: "decided_each", Text: "The fixture's denials and users decide about each resource."}
)

// decideResources decides Preauthorize and Authorize. Degradation comes first,
// because it replaces profiles and MVPDs that cannot be reached.
func decideResources(c *contract.Call, st *state) contract.Verdict {
	m, v := st.checkMVPD(c, c.In.Text("mvpd"))
	if !v.Pending() {
		return v
	}
	h, now := holderOf(c, m.ID), c.Now.UnixMilli()
	if d := st.degradation(h.serviceProvider, m.ID, now); d != nil {
		o := outcomeNamed(c, degraded)
		if d.Rule == authZNone {
			o = outcomeNamed(c, denyingRule)
		}
		return o.Because(ruleApplied, "rule", d.Rule, "serviceProvider", h.serviceProvider, "mvpd", m.ID)
	}
	if v := st.checkLimit(c, m); !v.Pending() {
		return v
	}
	if m.TempPass == "" {
		if v := st.checkProfile(c, h, now); !v.Pending() {
			return v
		}
	}
	return st.outcomeOfAll(c, m, h)
}

// outcomeNamed returns an outcome of the call's operation by its name, or mixed
// where the operation has none of that name.
func outcomeNamed(c *contract.Call, name string) *contract.Outcome {
	for _, o := range c.Operation.Outcomes {
		if o.Name == name {
			return o
		}
	}
	return mixedOf(c)
}

// mixedOf returns the outcome mixed of the call's operation.
func mixedOf(c *contract.Call) *contract.Outcome { return c.Operation.Outcomes[3] }

// checkLimit refuses more resources than the integration allows.
func (st *state) checkLimit(c *contract.Call, m *mvpd) contract.Verdict {
	limit, own := c.Switches.Int("authorize_limit"), m.AuthorizeLimit
	if c.Operation.Name == "Preauthorize" {
		limit, own = c.Switches.Int("preauthorize_limit"), m.PreauthorizeLimit
	}
	if own > 0 {
		limit = int64(own)
	}
	if n := len(resourcesOf(c)); int64(n) > limit {
		return tooManyResources.Because(overLimit, "n", n, "limit", limit)
	}
	return contract.Verdict{}
}

// checkProfile refuses a holder without a valid profile.
func (st *state) checkProfile(c *contract.Call, h holder, now int64) contract.Verdict {
	if p, _ := st.findProfile(h, callerOf(c).identities, now); p != nil {
		return contract.Verdict{}
	}
	switch p := st.profilesByHolder[h]; {
	case p == nil:
		return noProfile.Because(missingProfile, "mvpd", h.mvpd, "client", h.client, "serviceProvider", h.serviceProvider)
	case p.Revoked:
		return profileInvalidated.Because(revokedProfile, "mvpd", h.mvpd)
	default:
		return profileExpired.Because(expiredProfile, "mvpd", h.mvpd, "until", timeOfMillis(p.ends()))
	}
}

// outcomeOfAll summarises the decisions about all resources: permitted, denied
// with one code, or mixed.
func (st *state) outcomeOfAll(c *contract.Call, m *mvpd, h holder) contract.Verdict {
	denied, first := 0, (*errorCode)(nil)
	same := true
	list := resourcesOf(c)
	var used []string // resources of a promotional trial, those of this call included
	if t := st.trialOf(c, m, h); t != nil {
		used = slices.Clone(t.Used)
	}
	for _, r := range list {
		e, _ := st.denialOf(c, m, h, r)
		if e == nil && m.TempPass == promotional && c.Operation.Name == "Authorize" && !slices.Contains(used, resourceKey(r)) {
			if len(used) >= m.TempResources {
				e = errorCodes[resourcesOver]
			}
			used = append(used, resourceKey(r))
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
		return outcomeNamed(c, temporary).Verdict()
	case denied == 0:
		return outcomeNamed(c, "success").Verdict()
	case denied == len(list) && same:
		return outcomeNamed(c, first.code).Because(eachDecided)
	}
	return mixedOf(c).Because(eachDecided)
}

// trialOf returns the call's trial of a TempPass, or nil.
func (st *state) trialOf(c *contract.Call, m *mvpd, h holder) *trial {
	identity := ""
	if m.TempPass == promotional {
		identity, _ = trialIdentity(c, m)
	}
	return st.trial(m, h, identity)
}

// denialOf returns the code with which a resource is denied and the MVPD's own
// text. The code is nil where the resource is permitted.
func (st *state) denialOf(c *contract.Call, m *mvpd, h holder, resource string) (e *errorCode, details string) {
	if m.TempPass != "" {
		e, _ = st.trialDenial(c, m, h, resource)
		return e, ""
	}
	if p, _ := st.findProfile(h, callerOf(c).identities, c.Now.UnixMilli()); p != nil {
		if u := st.user(p.User); p.User != "" && u != nil && u.Denied != "" {
			return errorCodes[u.Denied], ""
		}
	}
	for i := range st.Denials {
		if d := &st.Denials[i]; d.Resource == resource && (d.MVPD == "" || d.MVPD == m.ID) {
			return st.denialCode(c, d), d.Details
		}
	}
	return nil, ""
}

// denialCode returns the code of a denial. A denial by the MVPD has a code of
// its own in Preauthorize.
func (st *state) denialCode(c *contract.Call, d *denial) *errorCode {
	code := d.Code
	if code == "" || code == deniedByMVPD || code == preDeniedByMVPD {
		code = deniedByMVPD
		if c.Operation.Name == "Preauthorize" {
			code = preDeniedByMVPD
		}
	}
	return errorCodes[code]
}
