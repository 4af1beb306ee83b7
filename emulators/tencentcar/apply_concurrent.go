package tencentcar

import (
	"net/netip"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
)

var applyConcurrent = &contract.Operation{
	Name:   "ApplyConcurrent",
	Doc:    "Applies for a concurrency: reserves one for the user, on which CreateSession then starts the session. There is no queue; a caller who gets ResourceNotFound.NoIdle asks again. The timeout of the API is 20 seconds.",
	Cite:   citeSDK,
	Method: "POST", Path: "/",
	Rate: 100,
	Params: []contract.Param{
		userIDRow,
		userIPRow,
		{Name: "ProjectId", Need: contract.Required, Example: "cap-abcdefgh", Cite: citeSDK, Doc: "Project ID."},
		{Name: "ApplicationVersionId", Example: "ver-1a2b3c4d", Cite: citeSDK, Doc: "Application version ID: a version other than the current one."},
		{Name: "ApplicationId", Example: "app-a1b2c3d4", Cite: citeIntl, Doc: "Application ID. It is read for multi-application (SHARED) projects alone, and ignored for EXCLUSIVE ones."},
	},
	Outcomes: contract.Outcomes(
		applied, failedOperation, processTimeout, internalError, jsonParseError,
		invalidParameterValue, noIdle, initialization, stopping,
	),
	Decide: decideApply,
}

// Rows that several operations share.
var (
	userIDRow = contract.Param{
		Name: "UserId", Need: contract.Required, Example: "cg_user", Cite: citeCreate,
		Doc: "Unique user ID, customized by the caller and not parsed by CAR. It must be the same when a user reconnects.",
	}
	userIPRow = contract.Param{
		Name: "UserIp", Need: contract.Required, Example: "125.127.178.228", Cite: citeCreate,
		Doc: "Public IP address of the user's client, for nearby scheduling.",
	}
)

// A plainReply is that of the operations which return nothing of their own.
type plainReply struct {
	RequestID string `json:"RequestId"`
}

// plain makes the success of an operation that returns nothing of its own.
func plain(doc, cite string, do, end func(*contract.Call)) *contract.Outcome {
	o := &contract.Outcome{
		Name: "success", Status: 200, Doc: doc, Cite: cite,
		Returns: []contract.Param{requestIDRow},
		Do: func(c *contract.Call) any {
			do(c)
			return &plainReply{requestID(c)}
		},
	}
	o.Sent = end
	return o
}

var applied = plain("A concurrency is reserved for the user. Where the user has one already, it is the same.", citeSDK, doApply, sent)

var (
	noUserID       = &contract.Cause{Code: "user_id_unfit", Text: "The UserId is {why}."}
	noAddress      = &contract.Cause{Code: "user_ip_unfit", Text: "The UserIp {got} is no IP address."}
	unknownProject = &contract.Cause{Code: "unknown_project", Text: "The project {ProjectId} is in no list of the fixture. Add it there."}
	unknownApp     = &contract.Cause{Code: "unknown_application", Text: "The SHARED project {ProjectId} does not list the application {ApplicationId}."}
	unknownVersion = &contract.Cause{Code: "unknown_application_version", Text: "The application {ApplicationId} has no version {ApplicationVersionId} in the fixture."}
	beingCleaned   = &contract.Cause{Code: "being_cleaned", Text: "The concurrency {concurrency} of user {UserId} is being cleaned until {cleaned}, {left} from now. Wait, advance the clock, or have it cleaned with the trigger concurrency.cleaned."}
	allTaken       = &contract.Cause{Code: "no_idle_concurrency", Text: "All {amount} concurrencies of {ProjectId} are taken: {running} reserved, running, waiting for their client or being cleaned. DestroySession of another user frees one; the fixture's amount says how many there are."}
	launching      = &contract.Cause{Code: "being_pre_launched", Text: "No concurrency of {ProjectId} is idle, but one is being pre-launched and will be ready at {ready}."}
)

func decideApply(c *contract.Call) contract.Verdict {
	if v := unfit(c); !v.Pending() {
		return v
	}
	w, now := c.State.(*state), instant(c)
	user, id := c.In.Text("UserId"), c.In.Text("ProjectId")
	p, known := w.project(id)
	if !known {
		return invalidParameterValue.Because(unknownProject, "ProjectId", id)
	}
	if v := w.unfitApplication(c, &p); !v.Pending() {
		return v
	}
	n := w.users[user]
	if n.phase(now) == cleaning {
		return w.tellStopping(n, c)
	}
	if n.held(now) && n.ProjectID == id {
		return applied.Verdict()
	}
	if v := w.full(&p, c); !v.Pending() {
		return v
	}
	return applied.Verdict()
}

// unfit judges UserId and UserIp, where the call has them.
func unfit(c *contract.Call) contract.Verdict {
	user := c.In.Text("UserId")
	if most := c.Switches.Int("user_id_max"); most > 0 && int64(len(user)) > most && int64(utf8.RuneCountInString(user)) > most {
		return invalidParameterValue.Because(noUserID, "why", "longer than the switch user_id_max allows")
	}
	for _, r := range user {
		if !unicode.IsPrint(r) {
			return invalidParameterValue.Because(noUserID, "why", "not of printable characters alone")
		}
	}
	if ip, given := c.In["UserIp"]; given {
		if _, err := netip.ParseAddr(c.In.Text("UserIp")); err != nil {
			return invalidParameterValue.Because(noAddress, "got", ip)
		}
	}
	return contract.Verdict{}
}

func (w *state) unfitApplication(c *contract.Call, p *project) contract.Verdict {
	id := c.In.Text("ApplicationId")
	if p.shared() && id != "" && !slices.Contains(p.ApplicationIDs, id) {
		return invalidParameterValue.Because(unknownApp, "ProjectId", p.ProjectID, "ApplicationId", id)
	}
	id = applicationOf(p, id)
	if v := c.In.Text("ApplicationVersionId"); v != "" {
		if a, _ := w.application(id); !slices.Contains(a.Versions, v) {
			return invalidParameterValue.Because(unknownVersion, "ApplicationId", id, "ApplicationVersionId", v)
		}
	}
	return contract.Verdict{}
}

// applicationOf is what runs in a project: in a SHARED one what was asked for.
func applicationOf(p *project, asked string) string {
	switch {
	case p.shared() && asked != "":
		return asked
	case len(p.ApplicationIDs) > 0:
		return p.ApplicationIDs[0]
	}
	return ""
}

func (w *state) tellStopping(n *concurrency, c *contract.Call) contract.Verdict {
	return stopping.Because(beingCleaned, "UserId", n.UserID, "concurrency", n.ID,
		"cleaned", n.Cleaned, "left", n.Cleaned.Sub(c.Now))
}

// full says why a project has no concurrency to give, if it has none.
func (w *state) full(p *project, c *contract.Call) contract.Verdict {
	now := instant(c)
	switch w.vacancy(p, now) {
	case idle:
		return contract.Verdict{}
	case preload:
		return initialization.Because(launching, "ProjectId", p.ProjectID, "ready", w.pools[p.ProjectID].busy[0].Ready)
	}
	taken := 0
	if pool := w.pools[p.ProjectID]; pool != nil {
		taken = pool.busy.count(now)
	}
	return noIdle.Because(allTaken, "ProjectId", p.ProjectID, "amount", p.Amount, "running", taken)
}

// doApply reserves. A reservation that is applied for again runs anew; a
// concurrency that waits for its client is held at least as long as a
// reservation; one of another project is left.
func doApply(c *contract.Call) {
	w, now := c.State.(*state), instant(c)
	user := c.In.Text("UserId")
	w.begin(user)
	if user == "" {
		user = c.Dice().ID()
	}
	id := c.In.Text("ProjectId")
	p, _ := w.project(id)
	w.settle(id, now)
	n := w.users[user]
	if n.held(now) && n.ProjectID != id {
		w.destroy(c, n, now)
	}
	if !n.held(now) {
		n = w.reserve(user, id, now)
	}
	n.Applied = now
	lapses := now.Add(c.Switches.Duration("reservation"))
	switch n.phase(now) {
	case reserved:
		n.ApplicationID = applicationOf(&p, c.In.Text("ApplicationId"))
		n.ApplicationVersionID = c.In.Text("ApplicationVersionId")
		w.until(c, n, lapses)
	case waiting:
		if lapses.After(n.Ends) {
			w.until(c, n, lapses)
		}
	}
	c.Note("concurrency", n.ID)
}
