package adobepass

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The issuer and the scope of every access token.
const (
	issuer = "auth.adobe.com"
	scope  = "api:client:v2"
)

// claims are the claims of an access token, in the documented order. The library
// checks none of them, because times are compared with the sandbox's clock.
type claims struct {
	Subject   string `json:"sub"`
	NotBefore int64  `json:"nbf"`
	Issuer    string `json:"iss"`
	Scopes    string `json:"scopes"`
	Expires   int64  `json:"exp"`
	Issued    int64  `json:"iat"`
}

func (*claims) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (*claims) GetIssuedAt() (*jwt.NumericDate, error)       { return nil, nil }
func (*claims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (*claims) GetIssuer() (string, error)                   { return "", nil }
func (*claims) GetSubject() (string, error)                  { return "", nil }
func (*claims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

// A signedToken becomes an access token when it is encoded as JSON. This happens
// after the state's lock was released, because a signature takes a millisecond.
type signedToken struct {
	claims        claims
	key           *rsa.PrivateKey // nil: the state has no key, and a scenario forced a token
	fakeSignature []byte          // used where there is no key
}

// MarshalJSON signs the token. Its header is exactly {"alg":"RS256"}, as in the
// samples.
func (t *signedToken) MarshalJSON() ([]byte, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, &t.claims)
	delete(token.Header, "typ")
	if t.key == nil {
		text, err := token.SigningString()
		return wire.Encode(text + "." + base64.RawURLEncoding.EncodeToString(t.fakeSignature)), err
	}
	text, err := token.SignedString(t.key)
	return wire.Encode(text), err
}

// parser accepts RS256 only: a token must not choose how it is verified. It accepts
// one spelling of a signature only: unused bits of its last character have to be 0.
var parser = jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())

// bearerToken returns the access token of a request, or "".
func bearerToken(r *contract.Request) string {
	v := r.Header["Authorization"]
	if len(v) == 0 || len(v[0]) <= len("Bearer ") || !strings.EqualFold(v[0][:len("Bearer ")], "Bearer ") {
		return ""
	}
	return strings.TrimSpace(v[0][len("Bearer "):])
}

// A namedClient is a token and the client that it names.
type namedClient struct{ token, client string }

// namedClients are the tokens that were read last, each at a place that follows from its
// text. Each call brings its token, and reading one takes longer than all else that finds the
// call's sandbox.
var (
	namedClients [256]atomic.Pointer[namedClient]
	placeSeed    = maphash.MakeSeed()
)

// longestNamed is how long tokens are at most that are kept, so that all take less than half
// a MiB. Those that are issued here have 400 bytes and a bit.
const longestNamed = 1024

// unverifiedSubject returns the client of a token without verifying it, or "".
func unverifiedSubject(token string) string {
	if len(token) > longestNamed {
		return readSubject(token)
	}
	place := &namedClients[maphash.String(placeSeed, token)%uint64(len(namedClients))]
	if known := place.Load(); known != nil && known.token == token {
		return known.client
	}
	client := readSubject(token)
	place.Store(&namedClient{strings.Clone(token), client})
	return client
}

// readSubject decodes a token.
func readSubject(token string) string {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, ok := strings.Cut(rest, ".")
	if !ok {
		return ""
	}
	text, ok := decodeBase64(payload)
	if !ok {
		return ""
	}
	var c claims
	if json.Unmarshal(text, &c) != nil {
		return ""
	}
	return c.Subject
}

// A verifiedToken is a token whose signature was verified.
type verifiedToken struct {
	client  string
	issued  int64 // seconds
	expires int64 // seconds; 0: never
	scoped  bool
}

// maxVerified is how many verified tokens a state remembers. Beyond it, the
// state forgets all of them.
const maxVerified = 4096

var (
	noBearer          = &contract.Cause{Code: "no_bearer", Text: "The request carries no Authorization: Bearer TOKEN. Register a client at /o/client/register and ask /o/client/token for a token."}
	untrustedToken    = &contract.Cause{Code: "token_not_ours", Text: "The access token {why}. Tokens of another server, or from before a reset with another key, are not known here: ask /o/client/token for a new one."}
	expiredToken      = &contract.Cause{Code: "token_expired", Text: "The access token expired at {expired}, {ago} seconds ago; the sandbox's clock says {now}. Ask /o/client/token for a new one with the same client."}
	expiredByTrigger  = &contract.Cause{Code: "token_made_to_expire", Text: "A trigger has expired every token that client {client} was given so far. Ask /o/client/token for a new one with the same client."}
	lacksScope        = &contract.Cause{Code: "token_scope", Text: "The access token has not the scope api:client:v2."}
	unknownClient     = &contract.Cause{Code: "unknown_client", Text: "The token is good, and its client {client} is not registered here. A reset forgets clients: register again."}
	bearerRevoked     = &contract.Cause{Code: "statement_revoked", Text: "The software statement of client {client} was revoked."}
	providerNotLinked = &contract.Cause{Code: "service_provider_not_linked", Text: "The software statement of client {client} is good for {linked}, and the request is about {serviceProvider}."}
)

// A bearer is the access token of a call.
type bearer struct {
	hash     [sha256.Size]byte // of its text
	verified verifiedToken
	key      *rsa.PublicKey // the one that verifies it; nil: it was verified by an earlier call
}

// checkAccessToken finds out which client calls. It verifies signatures without
// holding the state's lock, and only of tokens that it sees for the first time.
func checkAccessToken(c *contract.Call) contract.Verdict {
	if !takesToken(c.Operation) {
		return contract.Verdict{}
	}
	token := bearerToken(c.Request)
	if c.Auth != contract.Verify {
		return identifyUnverified(c, token)
	}
	if token == "" {
		return invalidClient.Because(noBearer)
	}
	ca := callerOf(c)
	b := &ca.bearer
	b.hash = hashToken(token)
	c.WithState(func() { ca.refusal = c.State.(*state).findToken(c, b) })
	if b.key == nil {
		return ca.refusal
	}
	var why string
	if b.verified, why = verifyToken(token, b.key); why != "" {
		return invalidClient.Because(untrustedToken, "why", why)
	}
	c.WithState(func() { ca.refusal = c.State.(*state).rememberToken(c, b) })
	return ca.refusal
}

// identifyUnverified takes the caller for the client that the token names.
func identifyUnverified(c *contract.Call, token string) contract.Verdict {
	subject := unverifiedSubject(token)
	c.WithState(func() { c.State.(*state).identify(c, subject) })
	switch {
	case c.Auth == contract.Off:
		return contract.Verdict{}
	case token == "":
		return invalidClient.Because(noBearer)
	case subject == "":
		return invalidClient.Because(untrustedToken, "why", "is no JWT that names a client")
	}
	return contract.Verdict{}
}

// findToken judges a token that an earlier call verified. Of another one it sets the key
// that verifies it.
func (st *state) findToken(c *contract.Call, b *bearer) contract.Verdict {
	var known bool
	if b.verified, known = st.verified[b.hash]; known {
		return st.checkToken(c, b.verified)
	}
	if b.key = st.publicKey(); b.key == nil {
		return invalidClient.Because(untrustedToken, "why", "cannot be verified: the fixture has no signing_key")
	}
	return contract.Verdict{}
}

// rememberToken remembers a token that was just verified, and judges it.
func (st *state) rememberToken(c *contract.Call, b *bearer) contract.Verdict {
	if st.publicKey() == b.key {
		st.rememberVerified(b.hash, b.verified)
	}
	return st.checkToken(c, b.verified)
}

// hashToken returns the key by which a token is remembered. A token of usual
// length fits into the buffer, so nothing is allocated for it.
func hashToken(token string) [sha256.Size]byte {
	var buffer [1 << 10]byte
	return sha256.Sum256(append(buffer[:0], token...))
}

// takesToken reports whether an operation needs an access token: all do but
// those of the user agent, of registration and the helpers.
func takesToken(op *contract.Operation) bool {
	switch op {
	case authenticate, registerClient, createToken:
		return false
	}
	return !op.Helper
}

// verifyToken verifies a token's signature. why is empty or the fault.
func verifyToken(token string, key *rsa.PublicKey) (t verifiedToken, why string) {
	var c claims
	if _, err := parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return key, nil }); errors.Is(err, jwt.ErrTokenSignatureInvalid) {
		return t, "has a signature that was not made with the key of this sandbox"
	} else if err != nil {
		return t, "is not to be trusted: " + err.Error()
	}
	t = verifiedToken{client: c.Subject, issued: c.Issued, expires: c.Expires}
	for _, s := range strings.Fields(c.Scopes) {
		t.scoped = t.scoped || s == scope
	}
	return t, ""
}

// checkToken checks what can change while a token exists: its expiry, its client and that
// client's software statement.
func (st *state) checkToken(c *contract.Call, t verifiedToken) contract.Verdict {
	now := c.Now.Unix()
	st.identify(c, t.client)
	registered := st.Clients[t.client]
	if registered != nil {
		c.Key = registered.Statement
	}
	switch {
	case !t.scoped:
		return invalidClient.Because(lacksScope)
	case registered == nil:
		return invalidClient.Because(unknownClient, "client", t.client)
	case registered.Stale > 0 && t.issued <= registered.Stale:
		return invalidClient.Because(expiredByTrigger, "client", t.client)
	case t.expires > 0 && now >= t.expires:
		return invalidClient.Because(expiredToken, "expired", time.Unix(t.expires, 0).UTC(), "ago", now-t.expires, "now", c.Now.UTC())
	}
	if s := callerOf(c).software; s == nil || s.Revoked {
		return invalidClient.Because(bearerRevoked, "client", t.client)
	}
	return contract.Verdict{}
}

// rememberVerified stores a token as verified. The fixture's tokens are stored
// from the beginning.
func (st *state) rememberVerified(hash [sha256.Size]byte, t verifiedToken) {
	if _, known := st.verified[hash]; known {
		return
	}
	if len(st.verified) >= maxVerified {
		st.resetVerified()
	}
	st.verified[hash] = t
}

// checkLinkedProvider checks that the client's software statement is linked to
// the service provider.
func checkLinkedProvider(c *contract.Call) contract.Verdict {
	s := callerOf(c).software
	if c.Auth != contract.Verify || s == nil || len(s.Providers) == 0 {
		return contract.Verdict{}
	}
	id := c.In.Text("serviceProvider")
	for _, linked := range s.Providers {
		if linked == id {
			return contract.Verdict{}
		}
	}
	return invalidProvider.Because(providerNotLinked, "client", callerOf(c).client, "linked", strings.Join(s.Providers, ", "), "serviceProvider", id)
}
