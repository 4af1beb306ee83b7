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
)

const (
	runWithoutClient = "RunWithoutClient"
	player           = "Player"
	viewer           = "Viewer"
)

// The page's examples stand in rows only where a call made of all of them
// succeeds: a sample with a Role and the HostUserId of another user would need
// a room that is not there. RunMode and Role also take "", which SDKs send for
// a field that was set to nothing.
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

// A sessionReply is what CreateSession returns.
type sessionReply struct {
	ServerSession []byte // base64 on the wire, as encoding/json has it
	RequestID     string `json:"RequestId"`
}

var created = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The session runs on the user's concurrency.", Cite: citeCreate,
	Returns: []contract.Param{
		{Name: "ServerSession", Need: contract.Required, Example: "eyJ4dHoiOjc4OX0=", Cite: citeCreate, Doc: "Server-side session information, which is returned to the SDK."},
		requestIDRow,
	},
	Do:   doCreate,
	Sent: sent,
}

var (
	noClient      = &contract.Cause{Code: "client_session_missing", Text: "ClientSession is empty, which only RunMode " + runWithoutClient + " allows; RunMode is {RunMode}."}
	badClient     = &contract.Cause{Code: "client_session_unfit", Text: "ClientSession is not base64 of a JSON object: {why}."}
	longClient    = &contract.Cause{Code: "client_session_too_long", Text: "ClientSession has {size} bytes; the switch client_session_max allows {most}."}
	roleAlone     = &contract.Cause{Code: "role_without_host", Text: "Role is {Role}, and HostUserId is empty. The owner of a room gives its own UserId there, a guest the owner's."}
	inProgress    = &contract.Cause{Code: "request_in_progress", Text: "Another ApplyConcurrent or CreateSession of user {UserId} is not answered yet. Wait for its answer."}
	noReservation = &contract.Cause{Code: "no_reservation", Text: "The user {UserId} has no reservation. Call ApplyConcurrent with this UserId first, or list it under reservations in the fixture."}
	lapsedIt      = &contract.Cause{Code: "reservation_lapsed", Text: "The reservation of user {UserId} lapsed at {lapsed}; the switch reservation says how long one lasts. Call ApplyConcurrent again."}
	noPath        = &contract.Cause{Code: "path_missing", Text: "The application {ApplicationId} has no program to start: the fixture says path_missing."}
	noHost        = &contract.Cause{Code: "host_without_session", Text: "The owner {HostUserId} of the room has no session. It must call CreateSession with HostUserId = UserId before guests join."}
	noRoom        = &contract.Cause{Code: "session_without_room", Text: "The session of {HostUserId} is for one person: it was created without HostUserId."}
	ownSession    = &contract.Cause{Code: "guest_has_session", Text: "The user {UserId} runs a session of its own. Call DestroySession for it before it joins another's room."}
	roomFull      = &contract.Cause{Code: "room_full", Text: "The room of {HostUserId} has {players} players and may have {most}, the owner among them. Join as Viewer, or change the switch players."}
)

func decideCreate(c *contract.Call) contract.Verdict {
	if v := unfit(c); !v.Pending() {
		return v
	}
	if v := unfitClient(c); !v.Pending() {
		return v
	}
	w, user, host := c.State.(*state), c.In.Text("UserId"), c.In.Text("HostUserId")
	if role := c.In.Text("Role"); role != "" && host == "" {
		return invalidParameterValue.Because(roleAlone, "Role", role)
	}
	if w.inside[user] > 0 {
		return slowDown.Because(inProgress, "UserId", user)
	}
	if host != "" && host != user {
		return w.decideJoin(c, user, host)
	}
	return w.decideOwn(c, user)
}

// unfitClient judges RunMode and ClientSession.
func unfitClient(c *contract.Call) contract.Verdict {
	blob := c.In.Text("ClientSession")
	if blob == "" {
		if mode := c.In.Text("RunMode"); mode != runWithoutClient {
			return invalidParameterValue.Because(noClient, "RunMode", `"`+mode+`"`)
		}
		return contract.Verdict{}
	}
	if most := c.Switches.Int("client_session_max"); most > 0 && int64(len(blob)) > most {
		return invalidParameterValue.Because(longClient, "size", len(blob), "most", most)
	}
	text, err := base64.StdEncoding.DecodeString(blob)
	if err != nil {
		text, err = base64.RawStdEncoding.DecodeString(blob)
	}
	switch {
	case err != nil:
		return jsonParseError.Because(badClient, "why", err.Error())
	case !json.Valid(text):
		return jsonParseError.Because(badClient, "why", "what it decodes to is no JSON")
	case !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")):
		return jsonParseError.Because(badClient, "why", "the JSON is no object")
	}
	return contract.Verdict{}
}

// decideOwn is for whoever has a concurrency of its own.
func (w *state) decideOwn(c *contract.Call, user string) contract.Verdict {
	now := instant(c)
	n := w.users[user]
	switch {
	case n.held(now):
		if a, _ := w.application(n.ApplicationID); a.PathMissing {
			return pathNotFound.Because(noPath, "ApplicationId", n.ApplicationID)
		}
		return created.Verdict()
	case n.phase(now) == cleaning && !n.lapsed():
		return w.tellStopping(n, c)
	}
	if id, standing := w.Standing[user]; standing {
		p, _ := w.project(id)
		if v := w.full(&p, c); !v.Pending() {
			return v
		}
		if a, _ := w.application(applicationOf(&p, "")); a.PathMissing {
			return pathNotFound.Because(noPath, "ApplicationId", a.ApplicationID)
		}
		return created.Verdict()
	}
	if n != nil && n.lapsed() {
		return lockTimeout.Because(lapsedIt, "UserId", user, "lapsed", n.Ends)
	}
	return lockTimeout.Because(noReservation, "UserId", user)
}

// decideJoin is for the guest of another's room, who needs no concurrency.
func (w *state) decideJoin(c *contract.Call, user, host string) contract.Verdict {
	now := instant(c)
	n := w.users[host]
	switch {
	case !n.live(now):
		return sessionNotFound.Because(noHost, "HostUserId", host)
	case !n.Session.Room:
		return operationDenied.Because(noRoom, "HostUserId", host)
	case w.users[user].live(now):
		return operationDenied.Because(ownSession, "UserId", user)
	case c.In.Text("Role") == viewer:
		return created.Verdict()
	}
	players, most := n.Session.players(now), int(c.Switches.Int("players"))
	if g := n.Session.Players[user]; g != nil && !g.gone(now) {
		players-- // it comes again
	}
	if players >= most {
		return limitExceededRole.Because(roomFull, "HostUserId", host, "players", players, "most", most)
	}
	return created.Verdict()
}

// doCreate starts the session, or lets the guest in. Where a scenario has it
// succeed, what is missing for that is made.
func doCreate(c *contract.Call) any {
	w, user, host := c.State.(*state), c.In.Text("UserId"), c.In.Text("HostUserId")
	w.begin(user)
	if user == "" {
		user = c.Dice().ID()
	}
	id := requestID(c)
	var n *concurrency
	if host != "" && host != user {
		n = w.join(c, user, host)
	} else {
		n = w.start(c, user)
	}
	if c.Switches.Text("server_session") == "documented" {
		return &sessionReply{[]byte(documentedSession), id}
	}
	p := w.projectOf(n)
	return &sessionReply{serverSession(c, &p, n, user), id}
}

// start puts a user's session on its concurrency. A client that was there
// before is dropped; a push to a live stream goes on, for it belongs to the
// machine.
func (w *state) start(c *contract.Call, user string) *concurrency {
	now := instant(c)
	w.depart(user)
	n := w.hold(user, now)
	s := n.Session
	if s == nil {
		s = &session{Created: now}
		n.Session = s
	} else {
		s.ClientsBefore++
		c.Note("dropped client", s.RequestID)
	}
	p := w.projectOf(n)
	s.RequestID, s.UserIP, s.RunMode, s.Role = requestID(c), c.In.Text("UserIp"), c.In.Text("RunMode"), c.In.Text("Role")
	s.Launch = launch(&p, c.In.Text("ApplicationParameters"))
	if s.Room = c.In.Text("HostUserId") != ""; !s.Room {
		w.dissolve(n)
	}
	if n.ApplicationID == "" {
		n.ApplicationID = applicationOf(&p, "")
	}
	n.Lost = never
	w.until(c, n, never)
	if c.Switches.Text("clients") == "told" {
		w.lose(c, n, now)
	}
	c.Note("concurrency", n.ID)
	if s.Launch != "" {
		c.Note("launched with", s.Launch)
	}
	return n
}

// hold returns the user's concurrency, and takes one where there is none: of
// its standing reservation, or of the first project.
func (w *state) hold(user string, now time.Time) *concurrency {
	if n := w.users[user]; n.held(now) {
		return n
	}
	id, standing := w.Standing[user]
	if !standing && len(w.Projects) > 0 {
		id = w.Projects[0].ProjectID
	}
	return w.reserve(user, id, now)
}

// lose begins the reconnect window. An application that runs without a client
// is held for ever.
func (w *state) lose(c *contract.Call, n *concurrency, now time.Time) {
	if n.Session == nil || n.Session.RunMode == runWithoutClient {
		return
	}
	n.Lost = now
	w.until(c, n, now.Add(w.window(c, n)))
}

// window is how long a lost client may take to come back.
func (w *state) window(c *contract.Call, n *concurrency) time.Duration {
	if p := w.projectOf(n); p.ReconnectTimeout > 0 {
		return p.ReconnectTimeout
	}
	return c.Switches.Duration("reconnect")
}

// launch is what the application is started with: the console's arguments, and
// after them the call's, where these are effective. (The English page says
// "bar=0 and foo=1"; the Chinese one shows a space between them.)
func launch(p *project, given string) string {
	if p.IsPreload && !p.shared() {
		return p.ApplicationParams
	}
	return strings.TrimSpace(p.ApplicationParams + " " + given)
}

// join lets a guest into the host's room, in its old place where it has one.
func (w *state) join(c *contract.Call, user, host string) *concurrency {
	now := instant(c)
	w.depart(user)
	n := w.users[host]
	if !n.live(now) {
		n = w.hold(host, now)
		n.Session = &session{Created: now, RequestID: requestID(c)}
		w.until(c, n, never)
	}
	s := n.Session
	s.Room = true
	for _, name := range slices.Sorted(maps.Keys(s.Players)) {
		if s.Players[name].gone(now) {
			w.depart(name)
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
		g.Ends = now.Add(w.window(c, n))
	}
	(*members)[user] = g
	w.guests[user] = n
	c.Note("room", n.ID)
	return n
}
