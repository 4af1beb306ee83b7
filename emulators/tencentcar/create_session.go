package tencentcar

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

const (
	runWithoutClient = "RunWithoutClient"
	player           = "Player"
	viewer           = "Viewer"
)

// Rows have an example from the page only if a call with all examples succeeds: a
// sample with a Role and the HostUserId of another user would need a room that
// does not exist. RunMode and Role also accept "", because SDKs send it for a
// field that was set to the empty string.
var createSession = &contract.Operation{
	Name:   "CreateSession",
	Doc:    "Creates a session on the concurrency that ApplyConcurrent reserved, or joins the room of another user. It may be repeated: the concurrency stays the same and the earlier client is dropped. The timeout of the API is 5 seconds.",
	Cite:   citeCreate,
	Method: "POST", Path: "/",
	Rate: 100,
	Params: []contract.Param{
		userIDRow,
		userIPRow,
		{Name: "ClientSession", Example: "eyJhYmMiOjEyM30=", Cite: citeCreate, Doc: "Client-side session information, obtained from the SDK: base64 of a JSON object. If RunMode is RunWithoutClient, it can be empty."},
		{Name: "RunMode", OneOf: []string{"", runWithoutClient}, Cite: citeCreate, Doc: "On-cloud running mode. RunWithoutClient keeps the application running even when there are no client connections; empty (default) only while there are."},
		{Name: "ApplicationParameters", Example: "StartFor=1", Cite: citeCreate, Doc: "Application startup parameters, appended to those of the console. Effective for multi-application projects, and for single-application projects with prelaunch disabled."},
		{Name: "HostUserId", Cite: citeCreate, Doc: "[Multi-person Interaction] Homeowner's user ID, required in that mode. The homeowner gives its own UserId."},
		{Name: "Role", OneOf: []string{player, viewer, ""}, Cite: citeCreate, Doc: "[Multi-person Interaction] Role. Player can operate the application, Viewer can only watch."},
	},
	Outcomes: contract.Outcomes(
		created, failedOperation, lockTimeout, pathNotFound, processTimeout, slowDown, internalError, jsonParseError,
		invalidParameterValue, limitExceededRole, operationDenied, noIdle, sessionNotFound, initialization, stopping,
	),
	Decide: decideCreate,
}

// A sessionReply is what CreateSession returns. It writes itself, ServerSession in base64.
type sessionReply struct {
	serverSession serverSession
	documented    bool // the ServerSession is the one that the page prints
}

func (r *sessionReply) AppendJSON(b []byte) []byte {
	var room [1024]byte // for nearly all, so that it costs no memory of its own
	text := append(room[:0], documentedSession...)
	if !r.documented {
		text = r.serverSession.AppendJSON(room[:0])
	}
	b = base64.StdEncoding.AppendEncode(append(b, `{"ServerSession":"`...), text)
	b = wire.AppendString(append(b, `","RequestId":`...), r.serverSession.requestID)
	return append(b, '}')
}

var created = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The session runs on the user's concurrency.", Cite: citeCreate,
	Returns: []contract.Param{
		{Name: "ServerSession", Need: contract.Required, Example: "eyJ4dHoiOjc4OX0=", Cite: citeCreate, Doc: "Server-side session information, which is returned to the SDK."},
		requestIDRow,
	},
	Keeps: true,
	Do:    doCreate,
	Sent:  requestSent,
}

var (
	noClientSession    = &contract.Cause{Code: "client_session_missing", Text: "ClientSession is empty, which only RunMode " + runWithoutClient + " allows; RunMode is {RunMode}."}
	badClientSession   = &contract.Cause{Code: "client_session_unfit", Text: "ClientSession is not base64 of a JSON object: {why}."}
	longClientSession  = &contract.Cause{Code: "client_session_too_long", Text: "ClientSession has {size} bytes; the switch client_session_max allows {most}."}
	roleWithoutHost    = &contract.Cause{Code: "role_without_host", Text: "Role is {Role}, and HostUserId is empty. The owner of a room gives its own UserId there, a guest the owner's."}
	requestInProgress  = &contract.Cause{Code: "request_in_progress", Text: "Another ApplyConcurrent or CreateSession of user {UserId} is not answered yet. Wait for its answer."}
	noReservation      = &contract.Cause{Code: "no_reservation", Text: "The user {UserId} has no reservation. Call ApplyConcurrent with this UserId first, or list it under reservations in the fixture."}
	reservationLapsed  = &contract.Cause{Code: "reservation_lapsed", Text: "The reservation of user {UserId} lapsed at {lapsed}; the switch reservation says how long one lasts. Call ApplyConcurrent again."}
	pathMissing        = &contract.Cause{Code: "path_missing", Text: "The application {ApplicationId} has no program to start: the fixture says path_missing."}
	hostWithoutSession = &contract.Cause{Code: "host_without_session", Text: "The owner {HostUserId} of the room has no session. It must call CreateSession with HostUserId = UserId before guests join."}
	sessionWithoutRoom = &contract.Cause{Code: "session_without_room", Text: "The session of {HostUserId} is for one person: it was created without HostUserId."}
	guestHasSession    = &contract.Cause{Code: "guest_has_session", Text: "The user {UserId} runs a session of its own. Call DestroySession for it before it joins another's room."}
	roomFull           = &contract.Cause{Code: "room_full", Text: "The room of {HostUserId} has {players} players and may have {most}, the owner among them. Join as Viewer, or change the switch players."}
)

func decideCreate(c *contract.Call) contract.Verdict {
	if v := checkUser(c); !v.Pending() {
		return v
	}
	if v := checkClientSession(c); !v.Pending() {
		return v
	}
	st, user, host := c.State.(*state), c.In.Text("UserId"), c.In.Text("HostUserId")
	if role := c.In.Text("Role"); role != "" && host == "" {
		return invalidParameterValue.Because(roleWithoutHost, "Role", role)
	}
	if st.inProgress[user] > 0 {
		return slowDown.Because(requestInProgress, "UserId", user)
	}
	if host != "" && host != user {
		return st.decideJoin(c, user, host)
	}
	return st.decideOwn(c, user)
}

// checkClientSession refuses a ClientSession that is missing or malformed.
func checkClientSession(c *contract.Call) contract.Verdict {
	blob := c.In.Text("ClientSession")
	if blob == "" {
		if mode := c.In.Text("RunMode"); mode != runWithoutClient {
			return invalidParameterValue.Because(noClientSession, "RunMode", `"`+mode+`"`)
		}
		return contract.Verdict{}
	}
	if most := c.Switches.Int("client_session_max"); most > 0 && int64(len(blob)) > most {
		return invalidParameterValue.Because(longClientSession, "size", len(blob), "most", most)
	}
	var room [1024]byte // for nearly all, so that it costs no memory of its own
	text := room[:]
	if n := base64.RawStdEncoding.DecodedLen(len(blob)); n > len(text) { // without padding it is never shorter
		text = make([]byte, n)
	}
	n, err := base64.StdEncoding.Decode(text, []byte(blob))
	if err != nil {
		n, err = base64.RawStdEncoding.Decode(text, []byte(blob))
	}
	text = text[:n]
	switch {
	case err != nil:
		return jsonParseError.Because(badClientSession, "why", err.Error())
	case !json.Valid(text):
		return jsonParseError.Because(badClientSession, "why", "what it decodes to is no JSON")
	case !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")):
		return jsonParseError.Because(badClientSession, "why", "the JSON is no object")
	}
	return contract.Verdict{}
}

// decideOwn decides for a user who needs a concurrency.
func (st *state) decideOwn(c *contract.Call, user string) contract.Verdict {
	now := sandboxTime(c)
	co := st.users[user]
	switch {
	case co.held(now):
		if a, _ := st.application(co.ApplicationID); a.PathMissing {
			return pathNotFound.Because(pathMissing, "ApplicationId", co.ApplicationID)
		}
		return created.Verdict()
	case co.phase(now) == cleaning && !co.lapsed():
		return st.stoppingVerdict(co, c)
	}
	if id, standing := st.Standing[user]; standing {
		p, _ := st.project(id)
		if v := st.checkCapacity(p, c); !v.Pending() {
			return v
		}
		if a, _ := st.application(applicationOf(p, "")); a.PathMissing {
			return pathNotFound.Because(pathMissing, "ApplicationId", a.ApplicationID)
		}
		return created.Verdict()
	}
	if co != nil && co.lapsed() {
		return lockTimeout.Because(reservationLapsed, "UserId", user, "lapsed", co.Ends)
	}
	return lockTimeout.Because(noReservation, "UserId", user)
}

// decideJoin decides for a guest in the room of another user, who needs no
// concurrency.
func (st *state) decideJoin(c *contract.Call, user, host string) contract.Verdict {
	now := sandboxTime(c)
	co := st.users[host]
	switch {
	case !co.live(now):
		return sessionNotFound.Because(hostWithoutSession, "HostUserId", host)
	case !co.Session.Room:
		return operationDenied.Because(sessionWithoutRoom, "HostUserId", host)
	case st.users[user].live(now):
		return operationDenied.Because(guestHasSession, "UserId", user)
	case c.In.Text("Role") == viewer:
		return created.Verdict()
	}
	players, most := co.Session.countPlayers(now), int(c.Switches.Int("players"))
	if g := co.Session.Players[user]; g != nil && !g.gone(now) {
		players-- // the user is one of them already
	}
	if players >= most {
		return limitExceededRole.Because(roomFull, "HostUserId", host, "players", players, "most", most)
	}
	return created.Verdict()
}

// doCreate starts the session, or adds the guest to the room. If a scenario makes
// the call succeed, doCreate also makes what is missing for that.
func doCreate(c *contract.Call) any {
	st, user, host := c.State.(*state), c.In.Text("UserId"), c.In.Text("HostUserId")
	st.beginRequest(user)
	if user == "" {
		user = c.Dice().ID()
	}
	var co *concurrency
	if host != "" && host != user {
		co = st.joinRoom(c, user, host)
	} else {
		co = st.startSession(c, user)
	}
	return &sessionReply{
		serverSession: serverSessionOf(c, st.projectOf(co), co, user),
		documented:    c.Switches.Text("server_session") == "documented",
	}
}

// startSession starts a session on the user's concurrency. An earlier client is
// dropped. A push to a live stream continues, because it belongs to the machine.
func (st *state) startSession(c *contract.Call, user string) *concurrency {
	now := sandboxTime(c)
	st.leaveRoom(user)
	co := st.concurrencyOrReserve(user, now)
	s := co.Session
	if s == nil {
		s = &session{Created: now}
		co.Session = s
	} else {
		s.ClientsBefore++
		c.Note("dropped client", s.RequestID)
	}
	p := st.projectOf(co)
	s.RequestID, s.UserIP, s.RunMode, s.Role = requestID(c), c.In.Text("UserIp"), c.In.Text("RunMode"), c.In.Text("Role")
	s.Launch = launchParameters(p, c.In.Text("ApplicationParameters"))
	if s.Room = c.In.Text("HostUserId") != ""; !s.Room {
		st.dissolveRoom(co)
	}
	if co.ApplicationID == "" {
		co.ApplicationID = applicationOf(p, "")
	}
	co.Lost = never
	st.setEnd(c, co, never)
	if c.Switches.Text("clients") == "told" {
		st.startReconnectWindow(c, co, now)
	}
	st.weigh(co)
	c.Note("concurrency", co.ID)
	if s.Launch != "" {
		c.Note("launched with", s.Launch)
	}
	return co
}

// concurrencyOrReserve returns the user's concurrency. If there is none, it
// reserves one in the project of the user's standing reservation, or in the first
// project.
func (st *state) concurrencyOrReserve(user string, now time.Time) *concurrency {
	if co := st.users[user]; co.held(now) {
		return co
	}
	id, standing := st.Standing[user]
	if !standing && len(st.Projects) > 0 {
		id = st.Projects[0].ProjectID
	}
	return st.reserve(user, id, now)
}

// startReconnectWindow marks the client as lost. An application that runs without
// a client has no window and is held for ever.
func (st *state) startReconnectWindow(c *contract.Call, co *concurrency, now time.Time) {
	if co.Session == nil || co.Session.RunMode == runWithoutClient {
		return
	}
	co.Lost = now
	st.setEnd(c, co, now.Add(st.reconnectWindow(c, co)))
}

// reconnectWindow is how long a lost client may take to reconnect.
func (st *state) reconnectWindow(c *contract.Call, co *concurrency) time.Duration {
	if p := st.projectOf(co); p.ReconnectTimeout > 0 {
		return p.ReconnectTimeout
	}
	return c.Switches.Duration("reconnect")
}

// launchParameters are the parameters with which the application is started:
// those of the console and then, if they are effective, those of the call. (The
// English page says "bar=0 and foo=1"; the Chinese one shows a space between
// them.)
func launchParameters(p *project, given string) string {
	if p.IsPreload && !p.shared() {
		return p.ApplicationParams
	}
	return strings.TrimSpace(p.ApplicationParams + " " + given)
}

// joinRoom adds a guest to the host's room, or replaces the guest's earlier place
// in it.
func (st *state) joinRoom(c *contract.Call, user, host string) *concurrency {
	now := sandboxTime(c)
	st.leaveRoom(user)
	co := st.users[host]
	if !co.live(now) {
		co = st.concurrencyOrReserve(host, now)
		co.Session = &session{Created: now, RequestID: requestID(c)}
		st.weigh(co)
		st.setEnd(c, co, never)
	}
	s := co.Session
	s.Room = true
	for _, name := range slices.Sorted(maps.Keys(s.Players)) {
		if s.Players[name].gone(now) {
			st.leaveRoom(name)
		}
	}
	members := &s.Players
	if c.In.Text("Role") == viewer {
		members = &s.Viewers
	}
	if *members == nil {
		*members = map[string]*guest{}
	}
	g := &guest{Joined: now, RequestID: requestID(c)}
	if c.Switches.Text("clients") == "told" {
		g.Ends = now.Add(st.reconnectWindow(c, co))
	}
	(*members)[user] = g
	st.guests[user] = co
	c.Note("room", co.ID)
	return co
}
