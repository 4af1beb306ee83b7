// Package newapi emulates Notes, a service that does not exist: the smallest API
// that keeps all promises. It has two operations, a token in a header and one
// piece of state. CONTRIBUTING.md explains it.
package newapi

import (
	"iter"
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

const (
	page        = "https://notes.example/docs"
	tokenHeader = "Notes-Token"
)

// API is the table of Notes.
var API = &contract.API{
	Name: "notes", Title: "Notes", Docs: page, Port: 6416,

	Hosts:       contract.HostNames("", "notes.example"),
	Identifiers: func(r *contract.Request) []string { return []string{r.Header.Get(tokenHeader)} },

	Pick: contract.ByMethod,
	Checks: []contract.Check{
		{Name: "path", Do: contract.CheckPath(notFound, wrongMethod), Ends: contract.Outcomes(notFound, wrongMethod)},
		{Name: "token", Do: checkToken, Ends: contract.Outcomes(unknownToken)},
		{Name: "read", Do: wire.ReadJSON(badRequest), Ends: contract.Outcomes(badRequest)},
		{Name: "parameters", Do: contract.ValidateParams(judge), Ends: contract.Outcomes(badRequest)},
	},
	Fail:  fail,
	Write: wire.WriteJSON,
	Sign:  sign,

	Operations: []*contract.Operation{createNote, getNote},
	Failure: []contract.Param{
		{Name: "error", Need: contract.Required, Doc: "The error's name.", Cite: page},
		{Name: "message", Need: contract.Required, Doc: "What happened.", Cite: page},
	},

	State:       newState,
	Fixture:     []contract.Param{{Name: "token", Doc: "The token that is known.", Cite: page}},
	Credentials: []contract.Credential{{Name: "token", Env: "NOTES_TOKEN"}},
	Secrets:     []string{tokenHeader},
}

var (
	notFound     = failure("notFound", 404, "There is nothing here.", "The path is unknown.")
	wrongMethod  = failure("wrongMethod", 405, "Use another method.", "The path has no such method.")
	unknownToken = failure("unknownToken", 401, "The token is unknown.", "The token is absent or not that of the fixture.")
	badRequest   = failure("badRequest", 400, "The request is not well-formed.", "The body or a parameter is not as documented.")
	noSuchNote   = failure("noSuchNote", 404, "There is no note {id}.", "The id is unknown.")
)

func failure(name string, status int, message, doc string) *contract.Outcome {
	return &contract.Outcome{Name: name, Fails: true, Status: status, Message: message, Doc: doc, Cite: page}
}

// fail is what every error returns.
func fail(c *contract.Call, v contract.Verdict) any {
	return struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}{v.Outcome.Name, v.Message(c)}
}

var strangeToken = &contract.Cause{Code: "token", Text: "The header " + tokenHeader + " is {got}; the fixture's token was expected."}

func checkToken(c *contract.Call) (v contract.Verdict) {
	got := c.Request.Header.Get(tokenHeader)
	c.WithState(func() {
		if c.Auth != contract.Off && got == "" || c.Auth == contract.Verify && got != c.State.(*state).Token {
			v = unknownToken.Because(strangeToken, "got", got)
		}
	})
	return v
}

var violated = &contract.Cause{Code: "parameter", Text: "{param} is {rule}."}

// judge answers for the first violation of an operation's rows.
func judge(_ *contract.Call, found []contract.Violation) contract.Verdict {
	return badRequest.Because(violated, "param", found[0].Path, "rule", found[0].Rule)
}

// sign makes the request that a client library would send.
func sign(d contract.Draft) (*contract.Request, error) {
	r := wire.JSONRequest(d)
	r.Header.Set(tokenHeader, d.Credentials.Text("token"))
	return r, nil
}

// A state is what Notes remembers in one sandbox.
type state struct {
	Token string            `json:"token" yaml:"token"`
	Notes map[string]string `json:"notes"` // texts by id
}

func newState(s contract.Seed) (contract.State, error) {
	st := &state{Token: "example-token", Notes: map[string]string{}}
	err := s.Decode(st)
	for _, credentials := range s.Credentials {
		st.Token = credentials.Text("token")
	}
	return st, err
}

// Reindex has no index to rebuild.
func (s *state) Reindex() error { return nil }

// Weight is about what the notes take: 100 bytes each, and their text, of 200 characters
// at most.
func (s *state) Weight() int64 { return 300 * int64(len(s.Notes)) }

// Identifiers are what tells a sandbox's callers: the token.
func (s *state) Identifiers() iter.Seq[string] { return slices.Values([]string{s.Token}) }

// Secrets are the token.
func (s *state) Secrets() iter.Seq[*string] { return slices.Values([]*string{&s.Token}) }

// Credentials are those of the one account.
func (s *state) Credentials() contract.Values { return contract.Values{"token": s.Token} }
