package tencentcar

import (
	"cmp"
	"fmt"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// givens are what can have happened before a test begins.
var givens = []*contract.Trigger{
	{
		Name: "session", Do: givenSession,
		Doc: "A user applied for a concurrency and created a session on it.",
		Params: []contract.Param{
			{Name: "user_id", Example: "u-given", Doc: "The UserId; a new one unless said otherwise."},
			givenProjectRow,
			{Name: "age", Type: contract.Duration, Example: "20m", Doc: "How long ago it was created."},
			{Name: "run_mode", OneOf: []string{"", runWithoutClient}, Doc: "The RunMode."},
			{Name: "lost_for", Type: contract.Duration, Example: "1m25s", Doc: "How long ago its client was lost; it is connected unless said otherwise. At the end of the reconnect window the session is over."},
		},
	},
	{
		Name: "reservation", Do: givenReservation,
		Doc: "A user applied for a concurrency and has not created a session yet.",
		Params: []contract.Param{
			{Name: "user_id", Example: "u-given", Doc: "The UserId; a new one unless said otherwise."},
			givenProjectRow,
			{Name: "ends_in", Type: contract.Duration, Example: "5s", Doc: "When it lapses; as if it had just been made unless said otherwise."},
		},
	},
	{
		Name: "concurrencies", Do: givenConcurrencies,
		Doc: "Other users run sessions on concurrencies of a project.",
		Params: []contract.Param{
			givenProjectRow,
			{Name: "used", Type: contract.Integer, Need: contract.Required, Min: 1, Max: 1000, Example: "3", Doc: "How many."},
			{Name: "age", Type: contract.Duration, Example: "5m", Doc: "How long ago their sessions were created."},
		},
	},
	{
		Name: "temporary_key", Do: givenKey,
		Doc: "The token of a temporary key of the fixture ends soon.",
		Params: []contract.Param{
			{Name: "secret_id", Example: "AKIDtemporaryEXAMPLE", Doc: "The SecretId; that of the first account with a token unless said otherwise."},
			{Name: "ends_in", Type: contract.Duration, Need: contract.Required, Example: "5s", Doc: "When it ends."},
		},
	},
}

var givenProjectRow = contract.Param{Name: "project_id", Example: "cap-abcdefgh", Doc: "The ProjectId; the first project unless said otherwise."}

// givenCall has an operation succeed at an earlier instant.
func givenCall(c *contract.Call, at time.Time, op *contract.Operation, in contract.Values) error {
	past := c.Earlier(at, op, in)
	past.Caller = &caller{}
	_, err := past.Succeed()
	return err
}

// applyGiven applies for a concurrency, and returns the user.
func applyGiven(c *contract.Call, user string, at time.Time) (string, error) {
	st, project := c.State.(*state), c.In.Text("project_id")
	if project == "" && len(st.Projects) > 0 {
		project = st.Projects[0].ProjectID
	}
	user = cmp.Or(user, "u-"+c.Dice().ID())
	return user, givenCall(c, at, applyConcurrent, contract.Values{"UserId": user, "UserIp": userIPRow.Example, "ProjectId": project})
}

func createGiven(c *contract.Call, user string, at time.Time) (string, error) {
	if c.State.(*state).users[user].live(c.Now) {
		return "", fmt.Errorf("the user %s has a session already; give another user_id", user)
	}
	user, err := applyGiven(c, user, at)
	if err != nil {
		return "", err
	}
	return user, givenCall(c, at, createSession, contract.Values{
		"UserId": user, "UserIp": userIPRow.Example, "RunMode": c.In.Text("run_mode"),
		"ClientSession": contract.FindParam(createSession.Params, "ClientSession").Example,
	})
}

func givenSession(c *contract.Call) error {
	age, lost := c.In.Duration("age"), c.In.Duration("lost_for")
	if lost > age {
		return fmt.Errorf("lost_for is %s and age is %s; a client is lost after the session was created, so at most %s was expected", lost, age, age)
	}
	user, err := createGiven(c, c.In.Text("user_id"), c.Now.Add(-age))
	if err != nil || !c.In.Has("lost_for") {
		return err
	}
	past := c.Earlier(c.Now.Add(-lost), nil, contract.Values{"UserId": user})
	return detach(past)
}

func givenReservation(c *contract.Call) error {
	lives, left := c.Switches.Duration("reservation"), c.In.Duration("ends_in")
	if !c.In.Has("ends_in") {
		left = lives
	}
	if left > lives {
		return fmt.Errorf("ends_in is %s; the switch reservation says that one lasts %s, which is the most", left, lives)
	}
	_, err := applyGiven(c, c.In.Text("user_id"), c.Now.Add(left-lives))
	return err
}

func givenConcurrencies(c *contract.Call) error {
	for range c.In.Int("used") {
		if _, err := createGiven(c, "", c.Now.Add(-c.In.Duration("age"))); err != nil {
			return err
		}
	}
	return nil
}

// givenKey has the token of a key end as the trigger expire does, at an instant to
// come.
func givenKey(c *contract.Call) error {
	st, id := c.State.(*state), c.In.Text("secret_id")
	for i := range st.Accounts {
		if id == "" && st.Accounts[i].Token != "" {
			id = st.Accounts[i].SecretID
		}
	}
	return expire(c.Earlier(c.Now.Add(c.In.Duration("ends_in")), nil, contract.Values{"what": "token", "id": id}))
}
