package adobepass

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A trial is a temporary access that began. It is stored after its end too,
// because it is given only once.
type trial struct {
	ID              string   `json:"id"`
	ServiceProvider string   `json:"service_provider"`
	MVPD            string   `json:"mvpd"`
	Devices         []string `json:"devices"`
	Identity        string   `json:"identity,omitempty"` // hashed; only of a promotional TempPass
	Used            []string `json:"used"`               // resources
	Serial          uint64   `json:"serial"`

	life
	entry queueEntry
}

// A trialKey finds a trial by a device or by an identity.
type trialKey struct{ serviceProvider, mvpd, value string }

// maxDevices is how many devices a trial stores.
const maxDevices = 64

// maxUsed limits the resources that a trial stores. A scenario can give more
// than the fixture allows.
const maxUsed = 64

// resourceKey is the stored form of a resource: the resource itself, or a digest
// where it is a long MRSS.
func resourceKey(resource string) string {
	if len(resource) > longestURL {
		return digest(resource)
	}
	return resource
}

// indexTrial adds a trial to its queue and to the indices.
func (st *state) indexTrial(t *trial) {
	t.entry = st.queues[trialKind].push(t, t.texts()...)
	for _, d := range t.Devices {
		st.trialsByDevice[trialKey{t.ServiceProvider, t.MVPD, d}] = t
	}
	if t.Identity != "" {
		st.trialsByIdentity[trialKey{t.ServiceProvider, t.MVPD, t.Identity}] = t
	}
}

// removeTrial deletes a trial.
func (st *state) removeTrial(t *trial) {
	t.entry.remove()
	delete(st.Trials, t.ID)
	for _, d := range t.Devices {
		delete(st.trialsByDevice, trialKey{t.ServiceProvider, t.MVPD, d})
	}
	delete(st.trialsByIdentity, trialKey{t.ServiceProvider, t.MVPD, t.Identity})
}

// trial returns the trial of an identity, else that of the device, else nil.
func (st *state) trial(m *mvpd, h holder, identity string) *trial {
	if identity != "" {
		if t := st.trialsByIdentity[trialKey{h.serviceProvider, m.ID, identity}]; t != nil {
			return t
		}
	}
	return st.trialsByDevice[trialKey{h.serviceProvider, m.ID, h.device}]
}

var (
	trialMisconfigured = &contract.Cause{Code: "temp_pass_misconfigured", Text: "The fixture says that the TempPass {mvpd} is misconfigured."}
	trialUnidentified  = &contract.Cause{Code: "temp_pass_identity", Text: "The promotional TempPass {mvpd} asks for AP-TempPass-Identity: base64 of a JSON object that has the fixture's temp_key."}
	trialEnded         = &contract.Cause{Code: "temp_pass_over", Text: "The trial of {mvpd} is over. It is given only once: reset the sandbox, or use another device and identity."}
	trialUsedUp        = &contract.Cause{Code: "temp_pass_used_up", Text: "The trial of {mvpd} has given all resources that temp_resources allows."}
)

// trialDenial returns the code with which a temporary access is denied, or nil.
// A resource that was used before does not count again.
func (st *state) trialDenial(c *contract.Call, m *mvpd, h holder, resource string) (*errorCode, *contract.Cause) {
	if m.TempPass == misconfigured {
		return errorCodes[trialBroken], trialMisconfigured
	}
	identity := ""
	if m.TempPass == promotional {
		var ok bool
		if identity, ok = trialIdentity(c, m); !ok {
			return errorCodes[identityInvalid], trialUnidentified
		}
	}
	t := st.trial(m, h, identity)
	switch {
	case t == nil:
		return nil, nil
	case c.Now.UnixMilli() >= t.ends():
		return errorCodes[trialOver], trialEnded
	case m.TempPass == promotional && len(t.Used) >= m.TempResources && resource != "" && !slices.Contains(t.Used, resourceKey(resource)):
		return errorCodes[resourcesOver], trialUsedUp
	}
	return nil, nil
}

// useTrial counts a resource. The first authorization starts the trial.
func (st *state) useTrial(c *contract.Call, m *mvpd, h holder, resource string) *trial {
	identity := ""
	if m.TempPass == promotional {
		identity, _ = trialIdentity(c, m)
	}
	t := st.trial(m, h, identity)
	if t == nil {
		st.makeRoom(trialKind, c)
		now := c.Now.UnixMilli()
		t = &trial{
			ID: c.Dice().ID(), ServiceProvider: h.serviceProvider, MVPD: m.ID, Devices: []string{h.device}, Identity: identity,
			life: life{NotBefore: now, NotAfter: now + st.trialTTL(c, m)}, Used: []string{}, Serial: st.nextSerial(),
		}
		st.Trials[t.ID] = t
		st.indexTrial(t)
	}
	if !slices.Contains(t.Devices, h.device) && len(t.Devices) < maxDevices {
		t.Devices = append(t.Devices, h.device)
		st.trialsByDevice[trialKey{h.serviceProvider, m.ID, h.device}] = t
	}
	if m.TempPass == promotional && !slices.Contains(t.Used, resourceKey(resource)) && len(t.Used) < maxUsed {
		t.Used = append(t.Used, resourceKey(resource))
	}
	t.entry.resize(t.texts()...)
	return t
}

// texts returns the texts that a trial stores for clients.
func (t *trial) texts() []string { return slices.Concat(t.Devices, t.Used) }

// trialTTL returns how long a trial lasts, in milliseconds.
func (st *state) trialTTL(c *contract.Call, m *mvpd) int64 {
	if m.TempTTL > 0 {
		return m.TempTTL.Milliseconds()
	}
	return c.Switches.Duration("temp_pass_ttl").Milliseconds()
}

// trialView returns the temporary profile. Before the first authorization it
// shows the trial as if it started now.
func (st *state) trialView(c *contract.Call, h holder) *profileView {
	m := st.mvpd(h.mvpd)
	if m == nil {
		m = &mvpd{ID: h.mvpd, TempPass: basic}
	}
	now := c.Now.UnixMilli()
	v := &profileView{NotBefore: now, NotAfter: now + st.trialTTL(c, m), Issuer: "Adobe", Type: temporary}
	identity := ""
	if m.TempPass == promotional {
		identity, _ = trialIdentity(c, m)
	}
	consumed := []string{}
	if t := st.trial(m, h, identity); t != nil {
		v.NotBefore, v.NotAfter, consumed = t.NotBefore, t.NotAfter, t.Used
	}
	if m.TempPass == promotional {
		v.More = append(v.More,
			member{"remaining_resources", &attributeView{max(0, m.TempResources-len(consumed)), "plain"}},
			member{"used_assets", &attributeView{consumed, "plain"}})
	}
	v.More = append(v.More,
		member{"expiration_date", &attributeView{v.NotAfter, "plain"}},
		member{"userID", &attributeView{"temppass_" + digest(h.device+identity+m.ID), "plain"}})
	return v
}

// trialRefusal returns the outcome for operations that refuse as a whole what a
// decision denies item by item.
func trialRefusal(e *errorCode) *contract.Outcome {
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
