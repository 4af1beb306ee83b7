package youdu

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The encrypted message of GetToken is no JSON, so it has no row, and no scenario
// can match it. The journal, and calls made by hand, name it timestamp.
var getToken = &contract.Operation{
	Name:   "GetToken",
	Doc:    "Issues an access token. The encrypted message is the current time in UNIX seconds as decimal text. Each call returns a token of its own; earlier ones are valid until they expire.",
	Cite:   citeGlobal,
	Method: "POST", Path: "/cgi/gettoken", Aliases: alias("/cgi/gettoken"),
	Outcomes: contract.Outcomes(tokenIssued, badRequest),
	Decide:   decideToken,
}

// A tokenReply is what GetToken returns.
type tokenReply struct {
	AccessToken string `json:"accessToken"`
	ExpireIn    int64  `json:"expireIn"` // sic; seconds
}

var tokenIssued = &contract.Outcome{
	Name: "success", Status: 200, Doc: "A new token is issued.", Cite: citeGlobal,
	Returns: []contract.Param{
		{Name: "accessToken", Need: contract.Required, Example: "0123456789abcdef0123456789abcdef", Cite: citeGlobal, Doc: "The token: 32 hexadecimal digits in lower case."},
		{Name: "expireIn", Type: contract.Integer, Need: contract.Required, Min: 1, Max: tokenLife, Example: "7200", Cite: citeGlobal, Doc: "How many seconds it is valid. The name is spelled so."},
	},
	Keeps: true, Do: doToken,
}

// decideToken accepts any text unless the switch strict_time is set: Youdu's own
// PHP sample encrypted an empty text here for two years, and the service accepted
// it.
func decideToken(c *contract.Call) contract.Verdict {
	most := c.Switches.Int("strict_time")
	if most <= 0 {
		return tokenIssued.Verdict()
	}
	st, text, now := c.State.(*state), c.In.Text("timestamp"), c.Request.Arrived.Unix()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strings.HasPrefix(text, "+") || n < now-most || n > now+most {
		return st.refuse(timeTooFarOff, "got", describe(text), "now", now, "most", most)
	}
	return tokenIssued.Verdict()
}

// doToken issues a token to the calling application.
func doToken(c *contract.Call) any {
	st, cl := c.State.(*state), callerOf(c)
	text := cl.wanted
	for text == "" || st.Tokens[text] != nil {
		text = newToken(c)
	}
	if cl.keyApp != nil {
		st.issue(c, &token{Token: text, Buin: cl.keyApp.Buin, AppID: cl.keyApp.AppID, Plain: cl.plain && !c.Switches.Bool("plain")})
	}
	return &tokenReply{text, tokenLife}
}

// newToken makes the text of a token.
func newToken(c *contract.Call) string {
	var b [16]byte
	_, _ = c.Mint().Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// issue adds a token. If an application has too many, the one that expires first
// is dropped.
func (st *state) issue(c *contract.Call, t *token) {
	t.Issued, t.Serial = nowUTC(c), st.nextSerial()
	t.Ends = t.Issued.Add(c.Switches.Duration("token_life"))
	own := st.tokensOf(t.key())
	for own.Len() >= maxTokens {
		old := own.pop()
		delete(st.Tokens, old.Token)
		c.Forget(old.Token)
	}
	st.Tokens[t.Token] = t
	own.insert(t)
	c.Issue(t.Token)
}

// expireToken makes a token expire now.
func (st *state) expireToken(t *token, now time.Time) {
	t.Ends = now
	st.tokensOf(t.key()).fix(t)
}
