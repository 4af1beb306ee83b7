package youdu

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// What is encrypted here is no JSON, so there is no row for it, and no scenario
// can ask for it: a mistyped one could not be told from any other text. The
// journal, and calls made by hand, know it as timestamp.
var getToken = &contract.Operation{
	Name:   "GetToken",
	Doc:    "Issues an access token. What stands encrypted in the envelope is the current time in UNIX seconds as decimal text. Each call returns a token of its own; earlier ones count until they end.",
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
		{Name: "expireIn", Type: contract.Integer, Need: contract.Required, Min: 1, Max: tokenLife, Example: "7200", Cite: citeGlobal, Doc: "How many seconds it counts. The name is spelled so."},
	},
	Do: doToken,
}

// decideToken takes any time unless strict_time says otherwise: Youdu's own PHP
// sample encrypted an empty text here for two years, and it worked.
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

// doToken issues a token to the application that asked.
func doToken(c *contract.Call) any {
	st, cl := c.State.(*state), callerOf(c)
	text := newToken(c)
	for st.Tokens[text] != nil {
		text = newToken(c)
	}
	if cl.keyApp != nil {
		st.issue(c, &token{Token: text, Buin: cl.keyApp.Buin, AppID: cl.keyApp.AppID, Plain: cl.plain && !c.Switches.Bool("plain")})
	}
	return &tokenReply{text, tokenLife}
}

func newToken(c *contract.Call) string {
	var b [16]byte
	_, _ = c.Mint().Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// issue keeps a token. Where an application has too many, the one that ends
// first gives way.
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

// expireToken ends a token now.
func (st *state) expireToken(t *token, now time.Time) {
	t.Ends = now
	st.tokensOf(t.key()).fix(t)
}
