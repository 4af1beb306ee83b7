package adobepass

import (
	"crypto/subtle"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

var createToken = &contract.Operation{
	Name:   "CreateToken",
	Doc:    "Gives an access token to a registered client. The page has the parameters in the body, the OpenAPI document in the query: both are taken.",
	Cite:   citeToken,
	Method: "POST", Path: "/o/client/token",
	Params: []contract.Param{
		{Name: "client_id", In: contract.Form, Need: contract.Required, Example: "s6BhdRkqt3", Cite: citeToken, Doc: "The client's id."},
		{Name: "client_secret", In: contract.Form, Need: contract.Required, Example: "t7AkePiru4", Cite: citeToken, Doc: "Its secret."},
		{Name: "grant_type", In: contract.Form, Need: contract.Required, OneOf: []string{"client_credentials"}, Example: "client_credentials", Cite: citeToken, Doc: "client_credentials."},
		deviceInfoRow,
	},
	Outcomes: contract.Outcomes(tokenCreated, invalidRequest, invalidCredentials, unauthorizedClient, unsupportedGrant),
	Decide:   decideToken,
}

// An accessToken is the reply of CreateToken.
type accessToken struct {
	ID        string       `json:"id"`
	Token     *signedToken `json:"access_token"`
	CreatedAt int64        `json:"created_at"`
	ExpiresIn int64        `json:"expires_in"`
	TokenType string       `json:"token_type"`
}

var tokenCreated = &contract.Outcome{
	Name: "success", Status: 201, Cite: citeToken, Doc: "The token is a JWT, signed with RS256, and is valid for six hours. (Older pages have 24.) An earlier token stays valid until it expires.",
	Returns: []contract.Param{
		{Name: "id", Need: contract.Required, Example: "a932f8f0-210a-41a4-b2a8-377751f6b76f", Cite: citeToken, Doc: "An id by which the token can be tracked."},
		{Name: "access_token", Need: contract.Required, Cite: citeToken, Doc: "The token."},
		{Name: "created_at", Type: contract.Integer, Need: contract.Required, Example: "1752148106221", Cite: citeToken, Doc: "When, in milliseconds."},
		{Name: "expires_in", Type: contract.Integer, Need: contract.Required, Example: "21600", Cite: citeToken, Doc: "For how long, in seconds."},
		{Name: "token_type", Need: contract.Required, OneOf: []string{"bearer"}, Cite: citeToken, Doc: "bearer."},
	},
	Do: func(c *contract.Call) any {
		st, id := c.State.(*state), c.In.Text("client_id")
		issued, lives := c.Now.Unix(), int64(c.Switches.Duration("token_ttl").Seconds())
		one := st.Clients[id]
		if one == nil {
			one = st.registerUnknownClient(c, id)
		}
		if issued <= one.Stale {
			issued = one.Stale + 1 // a trigger expired all tokens of this second, and the new token must be valid
		}
		one.Until = max(one.Until, issued+lives)
		t := &signedToken{claims: claims{Subject: one.ID, NotBefore: issued, Issuer: issuer, Scopes: scope, Expires: issued + lives, Issued: issued}, key: st.key}
		if t.key == nil {
			t.fakeSignature = make([]byte, 256)
			_, _ = c.Dice().Read(t.fakeSignature)
		}
		return &accessToken{c.Dice().ID(), t, c.Now.UnixMilli(), lives, "bearer"}
	},
}

// registerUnknownClient registers a client for which a scenario forces a token.
func (st *state) registerUnknownClient(c *contract.Call, id string) *client {
	st.makeRoom(clientKind, c)
	if id == "" || len(id) > longestDevice {
		id = c.Mint().ID()
	}
	cl := &client{ID: id, Secret: truncate(c.In.Text("client_secret"), longestDevice), Issued: c.Now.Unix(), Serial: st.nextSerial()}
	if len(st.Software) > 0 {
		cl.Statement = st.Software[0].Statement
	}
	cl.entry = st.queues[clientKind].push(cl, cl.ID, cl.Secret)
	st.Clients[id] = cl
	c.Issue(id)
	return cl
}

var (
	unknownCredentials = &contract.Cause{Code: "unknown_credentials", Text: "No client {client_id} is registered here, or its secret is another. A reset forgets clients: register again."}
	twoMechanisms      = &contract.Cause{Code: "two_mechanisms", Text: "The request authenticates its client in the header Authorization as well; one way is allowed."}
	clientRevoked      = &contract.Cause{Code: "client_statement_revoked", Text: "The software statement of client {client_id} was revoked."}
)

func decideToken(c *contract.Call) contract.Verdict {
	st, id := c.State.(*state), c.In.Text("client_id")
	if a := c.Request.Header.Get("Authorization"); len(a) >= 6 && strings.EqualFold(a[:6], "Basic ") {
		return invalidRequest.Because(twoMechanisms)
	}
	if c.Auth != contract.Verify {
		return tokenCreated.Verdict()
	}
	cl := st.Clients[id]
	if cl == nil || subtle.ConstantTimeCompare([]byte(cl.Secret), []byte(c.In.Text("client_secret"))) != 1 {
		return invalidCredentials.Because(unknownCredentials, "client_id", id)
	}
	if s := st.statement(cl.Statement); s == nil || s.Revoked {
		return unauthorizedClient.Because(clientRevoked, "client_id", id)
	}
	return tokenCreated.Verdict()
}
