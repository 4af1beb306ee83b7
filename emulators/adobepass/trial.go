package adobepass

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A trial is a temporary access that somebody has begun. It is remembered when
// it is over, for it is not had twice.
type trial struct {
	ID              string   `json:"id"`
	ServiceProvider string   `json:"service_provider"`
	MVPD            string   `json:"mvpd"`
	Devices         []string `json:"devices"`
	Identity        string   `json:"identity,omitempty"` // hashed; of promotional access
	NotBefore       int64    `json:"not_before"`
	NotAfter        int64    `json:"not_after"`
	Used            []string `json:"used"` // resources
	Serial          uint64   `json:"serial"`

	at place
}

// A trialKey finds a trial by a device, or by an identity.
type trialKey struct{ serviceProvider, mvpd, word string }

// mostDevices is how many devices a trial is known to.
const mostDevices = 64

// mostUsed bounds the resources that a trial remembers which a scenario gives
// more than the fixture does.
const mostUsed = 64

// used is how a trial remembers a resource: as it is, or by a digest where it
// is a long MRSS.
func used(resource string) string {
	if len(resource) > longestURL {
		return digest(resource)
	}
	return resource
}

func (st *state) enterTrial(t *trial) {
	t.at = st.order[trials].push(t, t.texts()...)
	for _, d := range t.Devices {
		st.byDevice[trialKey{t.ServiceProvider, t.MVPD, d}] = t
	}
	if t.Identity != "" {
		st.byIdentity[trialKey{t.ServiceProvider, t.MVPD, t.Identity}] = t
	}
}

func (st *state) removeTrial(t *trial) {
	t.at.remove()
	delete(st.Trials, t.ID)
	for _, d := range t.Devices {
		delete(st.byDevice, trialKey{t.ServiceProvider, t.MVPD, d})
	}
	delete(st.byIdentity, trialKey{t.ServiceProvider, t.MVPD, t.Identity})
}

// trial finds the trial of an identity, or else of a device; nil where neither
// has begun one.
func (st *state) trial(m *mvpd, h holder, word string) *trial {
	if word != "" {
		if t := st.byIdentity[trialKey{h.serviceProvider, m.ID, word}]; t != nil {
			return t
		}
	}
	return st.byDevice[trialKey{h.serviceProvider, m.ID, h.device}]
}

var (
	trialMisconfigured = &contract.Cause{Code: "temp_pass_misconfigured", Text: "The fixture says that the TempPass {mvpd} is misconfigured."}
	trialUnidentified  = &contract.Cause{Code: "temp_pass_identity", Text: "The promotional TempPass {mvpd} asks for AP-TempPass-Identity: base64 of a JSON object that has the fixture's temp_key."}
	trialEnded         = &contract.Cause{Code: "temp_pass_over", Text: "The trial of {mvpd} is over. It is not had twice: reset the sandbox, or use another device and identity."}
	trialUsedUp        = &contract.Cause{Code: "temp_pass_used_up", Text: "The trial of {mvpd} has given all resources that temp_resources allows."}
)

// judgeTrial says with which code a temporary access is denied; nil where it
// is granted. A resource that was had before does not count again.
func (st *state) judgeTrial(c *contract.Call, m *mvpd, h holder, resource string) (*eec, *contract.Cause) {
	if m.TempPass == misconfigured {
		return codes[trialBroken], trialMisconfigured
	}
	word := ""
	if m.TempPass == promotional {
		var ok bool
		if word, ok = trialIdentity(c, m); !ok {
			return codes[identityInvalid], trialUnidentified
		}
	}
	t := st.trial(m, h, word)
	switch {
	case t == nil:
		return nil, nil
	case c.Now.UnixMilli() >= t.NotAfter:
		return codes[trialOver], trialEnded
	case m.TempPass == promotional && len(t.Used) >= m.TempResources && resource != "" && !slices.Contains(t.Used, used(resource)):
		return codes[resourcesOver], trialUsedUp
	}
	return nil, nil
}

// consume begins a trial with its first authorization, and counts the
// resource.
func (st *state) consume(c *contract.Call, m *mvpd, h holder, resource string) *trial {
	word := ""
	if m.TempPass == promotional {
		word, _ = trialIdentity(c, m)
	}
	t := st.trial(m, h, word)
	if t == nil {
		st.makeRoom(trials, c)
		now := c.Now.UnixMilli()
		t = &trial{
			ID: c.Dice().ID(), ServiceProvider: h.serviceProvider, MVPD: m.ID, Devices: []string{h.device}, Identity: word,
			NotBefore: now, NotAfter: now + st.trialTTL(c, m), Used: []string{}, Serial: st.next(),
		}
		st.Trials[t.ID] = t
		st.enterTrial(t)
	}
	if !slices.Contains(t.Devices, h.device) && len(t.Devices) < mostDevices {
		t.Devices = append(t.Devices, h.device)
		st.byDevice[trialKey{h.serviceProvider, m.ID, h.device}] = t
	}
	if m.TempPass == promotional && !slices.Contains(t.Used, used(resource)) && len(t.Used) < mostUsed {
		t.Used = append(t.Used, used(resource))
	}
	t.at.weigh(t.texts()...)
	return t
}

// texts are what a trial keeps of what clients sent.
func (t *trial) texts() []string { return slices.Concat(t.Devices, t.Used) }

func (st *state) trialTTL(c *contract.Call, m *mvpd) int64 {
	if m.TempTTL > 0 {
		return m.TempTTL.Milliseconds()
	}
	return c.Switches.Duration("temp_pass_ttl").Milliseconds()
}

// trialView is the temporary profile. Before the first authorization the trial
// does not run: it shows what it would be now.
func (st *state) trialView(c *contract.Call, h holder) view {
	m := st.mvpd(h.mvpd)
	if m == nil {
		m = &mvpd{ID: h.mvpd, TempPass: basic}
	}
	now := c.Now.UnixMilli()
	v := view{NotBefore: now, NotAfter: now + st.trialTTL(c, m), Issuer: "Adobe", Type: temporary}
	word := ""
	if m.TempPass == promotional {
		word, _ = trialIdentity(c, m)
	}
	had := []string{}
	if t := st.trial(m, h, word); t != nil {
		v.NotBefore, v.NotAfter, had = t.NotBefore, t.NotAfter, t.Used
	}
	if m.TempPass == promotional {
		v.Attributes = append(v.Attributes,
			member{"remaining_resources", shown{max(0, m.TempResources-len(had)), "plain"}},
			member{"used_assets", shown{had, "plain"}})
	}
	v.Attributes = append(v.Attributes,
		member{"expiration_date", shown{v.NotAfter, "plain"}},
		member{"userID", shown{"temppass_" + digest(h.device+word+m.ID), "plain"}})
	return v
}

// refusalOf is the outcome with which an operation refuses as a whole what a
// decision denies item by item.
func refusalOf(e *eec) *contract.Outcome {
	switch e.code {
	case trialOver:
		return temporaryOver
	case resourcesOver:
		return temporaryUsedUp
	case trialBroken:
		return temporaryBroken
	}
	return badIdentity
}
