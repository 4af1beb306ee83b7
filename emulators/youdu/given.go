package youdu

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// givens are what can have happened before a test begins.
var givens = []*contract.Trigger{
	{
		Name: "session", Do: givenSession,
		Doc: "A session was created, and its creator sent messages to it, the last of them now.",
		Params: []contract.Param{
			{Name: "sessionId", Max: 38, Example: "{0C5A77D1-52F3-4B7E-9E1B-6D1B3C9E4F20}", Doc: "Its id: a GUID in capitals and braces; a new one unless said otherwise."},
			{Name: "title", Need: contract.Required, Max: maxTitle, Example: "before", Doc: "The title."},
			{Name: "creator", Need: contract.Required, Max: maxAccount, Example: "test1", Doc: "The account that created it."},
			{Name: "member", Type: contract.List, Of: contract.String, Need: contract.Required, Example: `["test2","test3"]`, Doc: "The members."},
			{Name: "age", Type: contract.Duration, Example: "3h", Doc: "How long ago it was created."},
			{Name: "messages", Type: contract.Integer, Min: 0, Max: 10_000, Example: "5", Doc: "How many messages were sent, evenly spread since then."},
		},
	},
	{
		Name: "files", Do: givenFiles,
		Doc: "Files were uploaded. Their ids follow from what they hold.",
		Params: []contract.Param{
			{Name: "count", Type: contract.Integer, Min: 1, Max: 100, Example: "2", Doc: "How many; one unless said otherwise."},
			{Name: "type", OneOf: fileTypes, Example: "file", Doc: "The type; file unless said otherwise."},
			{Name: "name", Max: 255, Example: "notes.txt", Doc: "The name of each; file unless said otherwise."},
			{Name: "content", Max: 1 << 16, Doc: "What a single file holds, as text; made up from the sandbox's seed unless said otherwise."},
		},
	},
	{
		Name: "token", Do: givenToken,
		Doc: "An application was given an access token.",
		Params: []contract.Param{
			{Name: "token", Max: 32, Example: "00112233445566778899aabbccddeeff", Doc: "The accessToken: 32 hexadecimal digits in lower case; a new one unless said otherwise."},
			{Name: "appId", Doc: "The application; that of the sandbox's own credentials, or else the first one, unless said otherwise."},
			{Name: "buin", Type: contract.Integer, Doc: "The enterprise of the application; any unless said otherwise."},
			{Name: "ends_in", Type: contract.Duration, Example: "5s", Doc: "When it ends; as if it had just been given unless said otherwise."},
		},
	},
}

var (
	guidForm  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}$`) })
	tokenForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{32}$`) })
)

// givenCall has an operation succeed at an earlier instant, called by an
// application.
func givenCall(c *contract.Call, at time.Time, op *contract.Operation, in contract.Values, by *caller) error {
	past := c.Earlier(at, op, in)
	past.Caller = by
	_, err := past.Succeed()
	return err
}

func givenSession(c *contract.Call) error {
	st, id, age := c.State.(*state), c.In.Text("sessionId"), c.In.Duration("age")
	switch {
	case id == "":
		id = st.newID(c)
	case !guidForm().MatchString(id):
		return fmt.Errorf("sessionId is %s; a GUID in capitals and braces was expected, such as %s", describe(id), exampleSession)
	case st.Sessions[id] != nil:
		return fmt.Errorf("the session %s is there already; give another sessionId", id)
	}
	creator := c.In.Text("creator")
	if err := givenCall(c, c.Now.Add(-age), createSession, contract.Values{
		"title": c.In.Text("title"), "creator": creator, "type": multi, "member": c.In["member"],
	}, &caller{wanted: id}); err != nil {
		return err
	}
	for n, all := int64(1), c.In.Int("messages"); n <= all; n++ {
		at := c.Now.Add(-age + age/time.Duration(all)*time.Duration(n))
		if err := givenCall(c, at, sendMessage, contract.Values{
			"sessionId": id, "sender": creator, "msgType": "text", "text": contract.Values{"content": "message " + strconv.FormatInt(n, 10)},
		}, &caller{}); err != nil {
			return err
		}
	}
	return nil
}

func givenFiles(c *contract.Call) error {
	count, content := max(1, c.In.Int("count")), c.In.Text("content")
	if count > 1 && content != "" {
		return fmt.Errorf("count is %d and content is given; files of one content are one file", count)
	}
	for n := range count {
		by := &caller{content: []byte(content)}
		if content == "" {
			by.content = []byte(c.Dice().Fake().HackerPhrase() + " " + strconv.FormatInt(n+1, 10))
		}
		if err := givenCall(c, c.Now, uploadMedia, contract.Values{
			"type": cmp.Or(c.In.Text("type"), "file"), "name": cmp.Or(c.In.Text("name"), "file"),
		}, by); err != nil {
			return err
		}
	}
	return nil
}

func givenToken(c *contract.Call) error {
	st, text := c.State.(*state), c.In.Text("token")
	lives, left := c.Switches.Duration("token_life"), c.In.Duration("ends_in")
	if !c.In.Has("ends_in") {
		left = lives
	}
	by := appOfGiven(c)
	switch {
	case by == nil && c.In.Has("buin"):
		return fmt.Errorf("enterprise %d has no application%s that could have a token; give the buin and appId of one of the fixture's apps", c.In.Int("buin"), named(c.In.Text("appId")))
	case by == nil:
		return fmt.Errorf("there is no application%s that could have a token", named(c.In.Text("appId")))
	case text != "" && !tokenForm().MatchString(text):
		return fmt.Errorf("token is %s; 32 hexadecimal digits in lower case were expected", describe(text))
	case st.Tokens[text] != nil:
		return fmt.Errorf("the token is there already; give another one")
	case left > lives:
		return fmt.Errorf("ends_in is %s; the switch token_life says that a token is valid for %s, which is the most", left, lives)
	}
	at := c.Now.Add(left - lives)
	return givenCall(c, at, getToken, contract.Values{"timestamp": strconv.FormatInt(at.Unix(), 10)}, &caller{keyApp: by, wanted: text})
}

// appOfGiven finds the application that appId and buin name, or returns nil. Without
// appId the sandbox's own comes first.
func appOfGiven(c *contract.Call) *app {
	st, appID := c.State.(*state), c.In.Text("appId")
	fits := func(a *app) bool {
		return (appID == "" || a.AppID == appID) && (!c.In.Has("buin") || a.Buin == c.In.Int("buin"))
	}
	if own := st.ownApp(); appID == "" && own != nil && fits(own) {
		return own
	}
	for i := range st.Apps {
		if a := &st.Apps[i]; fits(a) {
			return a
		}
	}
	return nil
}

// named is an application's name in a sentence, where it has one.
func named(appID string) string {
	if appID == "" {
		return ""
	}
	return " " + describe(appID)
}
