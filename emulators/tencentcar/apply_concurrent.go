package tencentcar

import (
	"net/netip"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
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

// An emptyReply is the reply of the operations that return a RequestId alone.
type emptyReply struct {
	RequestID string `json:"RequestId"`
}

func (r *emptyReply) AppendJSON(b []byte) []byte {
	return append(wire.AppendString(append(b, `{"RequestId":`...), r.RequestID), '}')
}

// successWithoutResult makes the success of an operation that returns a RequestId
// alone.
func successWithoutResult(doc, cite string, do, sent func(*contract.Call)) *contract.Outcome {
	o := &contract.Outcome{
		Name: "success", Status: 200, Doc: doc, Cite: cite,
		Returns: []contract.Param{requestIDRow},
		Do: func(c *contract.Call) any {
			do(c)
			return &emptyReply{requestID(c)}
		},
	}
	o.Sent = sent
	return o
}

// keeping says that an outcome adds something to the state.
func keeping(o *contract.Outcome) *contract.Outcome {
	o.Keeps = true
	return o
}

var applied = keeping(successWithoutResult("A concurrency is reserved for the user. Where the user has one already, it is the same.", citeSDK, doApply, requestSent))

var (
	badUserID          = &contract.Cause{Code: "user_id_unfit", Text: "The UserId is {why}."}
	badUserIP          = &contract.Cause{Code: "user_ip_unfit", Text: "The UserIp {got} is no IP address."}
	unknownProject     = &contract.Cause{Code: "unknown_project", Text: "The project {ProjectId} is not among the projects of the fixture. Add it there."}
	unknownApplication = &contract.Cause{Code: "unknown_application", Text: "The SHARED project {ProjectId} does not list the application {ApplicationId}."}
	unknownVersion     = &contract.Cause{Code: "unknown_application_version", Text: "The application {ApplicationId} has no version {ApplicationVersionId} in the fixture."}
	beingCleaned       = &contract.Cause{Code: "being_cleaned", Text: "The concurrency {concurrency} of user {UserId} is being cleaned until {cleaned}, {left} from now. Wait, advance the clock, or have it cleaned with the trigger concurrency.cleaned."}
	noneIdle           = &contract.Cause{Code: "no_idle_concurrency", Text: "All {amount} concurrencies of {ProjectId} are taken: {running} reserved, running, waiting for their client or being cleaned. DestroySession of another user frees one; the fixture's amount says how many there are."}
	preLaunching       = &contract.Cause{Code: "being_pre_launched", Text: "No concurrency of {ProjectId} is idle, but one is being pre-launched and will be ready at {ready}."}
)

func decideApply(c *contract.Call) contract.Verdict {
	if v := checkUser(c); !v.Pending() {
		return v
	}
	st, now := c.State.(*state), sandboxTime(c)
	user, id := c.In.Text("UserId"), c.In.Text("ProjectId")
	p, known := st.project(id)
	if !known {
		return invalidParameterValue.Because(unknownProject, "ProjectId", id)
	}
	if v := st.checkApplication(c, p); !v.Pending() {
		return v
	}
	co := st.users[user]
	if co.phase(now) == cleaning {
		return st.stoppingVerdict(co, c)
	}
	if co.held(now) && co.ProjectID == id {
		return applied.Verdict()
	}
	if v := st.checkCapacity(p, c); !v.Pending() {
		return v
	}
	return applied.Verdict()
}

// checkUser refuses a UserId or UserIp that is not acceptable, if the call has it.
func checkUser(c *contract.Call) contract.Verdict {
	user := c.In.Text("UserId")
	if most := c.Switches.Int("user_id_max"); most > 0 && int64(len(user)) > most && int64(utf8.RuneCountInString(user)) > most {
		return invalidParameterValue.Because(badUserID, "why", "longer than the switch user_id_max allows")
	}
	for _, r := range user {
		if !unicode.IsPrint(r) {
			return invalidParameterValue.Because(badUserID, "why", "not of printable characters alone")
		}
	}
	if ip, given := c.In["UserIp"]; given {
		if _, err := netip.ParseAddr(c.In.Text("UserIp")); err != nil {
			return invalidParameterValue.Because(badUserIP, "got", ip)
		}
	}
	return contract.Verdict{}
}

// checkApplication refuses an application or a version that the project does not
// have.
func (st *state) checkApplication(c *contract.Call, p *project) contract.Verdict {
	id := c.In.Text("ApplicationId")
	if p.shared() && id != "" && !slices.Contains(p.ApplicationIDs, id) {
		return invalidParameterValue.Because(unknownApplication, "ProjectId", p.ProjectID, "ApplicationId", id)
	}
	id = applicationOf(p, id)
	if v := c.In.Text("ApplicationVersionId"); v != "" {
		if a, _ := st.application(id); !slices.Contains(a.Versions, v) {
			return invalidParameterValue.Because(unknownVersion, "ApplicationId", id, "ApplicationVersionId", v)
		}
	}
	return contract.Verdict{}
}

// applicationOf is the application that runs in a project: the first one, or in a
// SHARED project the requested one.
func applicationOf(p *project, requested string) string {
	switch {
	case p.shared() && requested != "":
		return requested
	case len(p.ApplicationIDs) > 0:
		return p.ApplicationIDs[0]
	}
	return ""
}

// stoppingVerdict refuses a call whose user's concurrency is being cleaned.
func (st *state) stoppingVerdict(co *concurrency, c *contract.Call) contract.Verdict {
	return stopping.Because(beingCleaned, "UserId", co.UserID, "concurrency", co.ID,
		"cleaned", co.Cleaned, "left", co.Cleaned.Sub(c.Now))
}

// checkCapacity refuses a call if the project has no idle concurrency.
func (st *state) checkCapacity(p *project, c *contract.Call) contract.Verdict {
	now := sandboxTime(c)
	switch st.vacancy(p, now) {
	case idle:
		return contract.Verdict{}
	case preload:
		return initialization.Because(preLaunching, "ProjectId", p.ProjectID, "ready", st.pools[p.ProjectID].busy[0].Ready)
	}
	taken := 0
	if pool := st.pools[p.ProjectID]; pool != nil {
		taken = pool.busy.countInUse(now)
	}
	return noIdle.Because(noneIdle, "ProjectId", p.ProjectID, "amount", p.Amount, "running", taken)
}

// doApply reserves a concurrency. A second call restarts the time of the
// reservation. A concurrency that waits for its client is held at least as long as
// a reservation. A concurrency in another project is destroyed.
func doApply(c *contract.Call) {
	st, now := c.State.(*state), sandboxTime(c)
	user := c.In.Text("UserId")
	st.beginRequest(user)
	if user == "" {
		user = c.Dice().ID()
	}
	id := c.In.Text("ProjectId")
	p, _ := st.project(id)
	st.forgetIdle(id, now)
	co := st.users[user]
	if co.held(now) && co.ProjectID != id {
		st.destroy(c, co, now)
	}
	if !co.held(now) {
		co = st.reserve(user, id, now)
	}
	co.Applied = now
	lapses := now.Add(c.Switches.Duration("reservation"))
	switch co.phase(now) {
	case reserved:
		co.ApplicationID = applicationOf(p, c.In.Text("ApplicationId"))
		co.ApplicationVersionID = c.In.Text("ApplicationVersionId")
		st.setEnd(c, co, lapses)
	case waiting:
		if lapses.After(co.Ends) {
			st.setEnd(c, co, lapses)
		}
	}
	st.weigh(co)
	c.Note("concurrency", co.ID)
}
