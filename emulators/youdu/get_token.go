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
	Outcomes: contract.Outcomes(tokenIssued, wrongRequest),
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
	w, said, now := c.State.(*state), c.In.Text("timestamp"), c.Request.Arrived.Unix()
	n, err := strconv.ParseInt(said, 10, 64)
	if err != nil || strings.HasPrefix(said, "+") || n < now-most || n > now+most {
		return w.tell(staleTime, "got", shown(said), "now", now, "most", most)
	}
	return tokenIssued.Verdict()
}

// doToken issues a token to the application that asked.
func doToken(c *contract.Call) any {
	w, k := c.State.(*state), callerOf(c)
	word := mint(c)
	for w.Tokens[word] != nil {
		word = mint(c)
	}
	if k.key != nil {
		w.issue(c, &token{Token: word, Buin: k.key.Buin, AppID: k.key.AppID, Plain: k.plain && !c.Switches.Bool("plain")})
	}
	return &tokenReply{word, tokenLife}
}

func mint(c *contract.Call) string {
	var b [16]byte
	_, _ = c.Mint().Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// issue keeps a token. Where an application has too many, the one that ends
// first gives way.
func (w *state) issue(c *contract.Call, t *token) {
	t.Issued, t.Serial = instant(c), w.next()
	t.Ends = t.Issued.Add(c.Switches.Duration("token_life"))
	own := w.tokensOf(t.key())
	for own.Len() >= maxTokens {
		old := own.pop()
		delete(w.Tokens, old.Token)
		c.Forget(old.Token)
	}
	w.Tokens[t.Token] = t
	own.insert(t)
	c.Issue(t.Token)
}

// expireToken ends a token now.
func (w *state) expireToken(t *token, now time.Time) {
	t.Ends = now
	w.tokensOf(t.key()).fix(t)
}
