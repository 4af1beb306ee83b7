package adobepass

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

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
func decideOn(c *contract.Call, st *state) contract.Verdict {
	m, v := st.checkMVPD(c, c.In.Text("mvpd"))
	if !v.Pending() {
		return v
	}
	h, now := holderOf(c, m.ID), c.Now.UnixMilli()
	if d := st.degradation(h.serviceProvider, m.ID, now); d != nil {
		o := ending(c, degraded)
		if d.Rule == authZNone {
			o = ending(c, denyingRule)
		}
		return o.Because(ruleApplied, "rule", d.Rule, "serviceProvider", h.serviceProvider, "mvpd", m.ID)
	}
	if v := st.overLimit(c, m); !v.Pending() {
		return v
	}
	if m.TempPass == "" {
		if v := st.lacksProfile(c, h, now); !v.Pending() {
			return v
		}
	}
	return st.sum(c, m, h)
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

func (st *state) overLimit(c *contract.Call, m *mvpd) contract.Verdict {
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

func (st *state) lacksProfile(c *contract.Call, h holder, now int64) contract.Verdict {
	if p, _ := st.find(h, callerOf(c).known, now); p != nil {
		return contract.Verdict{}
	}
	switch p := st.profiles[h]; {
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
func (st *state) sum(c *contract.Call, m *mvpd, h holder) contract.Verdict {
	denied, first := 0, (*eec)(nil)
	same := true
	list := wanted(c)
	var had []string // by a promotional access, this call's resources among them
	if t := st.trialOf(c, m, h); t != nil {
		had = slices.Clone(t.Used)
	}
	for _, r := range list {
		e, _ := st.judge(c, m, h, r)
		if e == nil && m.TempPass == promotional && c.Operation.Name == "Authorize" && !slices.Contains(had, used(r)) {
			if len(had) >= m.TempResources {
				e = codes[resourcesOver]
			}
			had = append(had, used(r))
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

func (st *state) trialOf(c *contract.Call, m *mvpd, h holder) *trial {
	word := ""
	if m.TempPass == promotional {
		word, _ = trialIdentity(c, m)
	}
	return st.trial(m, h, word)
}

// judge says with which code a resource is denied, and what the MVPD says to
// that; nil where it is permitted.
func (st *state) judge(c *contract.Call, m *mvpd, h holder, resource string) (e *eec, details string) {
	if m.TempPass != "" {
		e, _ = st.judgeTrial(c, m, h, resource)
		return e, ""
	}
	if p, _ := st.find(h, callerOf(c).known, c.Now.UnixMilli()); p != nil {
		if u := st.user(p.User); p.User != "" && u != nil && u.Denied != "" {
			return codes[u.Denied], ""
		}
	}
	for i := range st.Denials {
		if d := &st.Denials[i]; d.Resource == resource && (d.MVPD == "" || d.MVPD == m.ID) {
			return st.denialCode(c, d), d.Details
		}
	}
	return nil, ""
}

func (st *state) denialCode(c *contract.Call, d *denial) *eec {
	code := d.Code
	if code == "" || code == deniedByMVPD || code == preDeniedByMVPD {
		code = deniedByMVPD
		if c.Operation.Name == "Preauthorize" {
			code = preDeniedByMVPD
		}
	}
	return codes[code]
}
