// Package toy is an API for tests: a small parcel locker that nobody
// documents. It uses what the contract offers, also what no emulator may need
// yet: names in paths, aliases, headers among what is returned, issued
// identifiers, identifiers taken back, answers that last, calls to the client's side, what follows
// from a state, an operation of its own beside the documented ones.
package toy

import (
	"errors"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// New returns the API. Each has a table of its own, so that a test may change it.
func New() *contract.API {
	drop, get, register := dropParcel(), getParcel(), register()
	return &contract.API{
		Name: "toy", Title: "Toy Parcel Locker", Docs: "https://toy.example/docs", Port: 6419,
		Hosts:       contract.HostNames("toy manual, where it is", "locker.toy.example"),
		Claims:      func(r *contract.Request) bool { return r.Header.Get("Toy-Token") != "" },
		Identifiers: func(r *contract.Request) []string { return []string{r.Header.Get("Toy-Token")} },
		Pick:        contract.ByMethod,
		Checks: []contract.Check{
			{Name: "path", Ends: []*contract.Outcome{noSuchPath, wrongMethod}, Do: contract.CheckPath(noSuchPath, wrongMethod)},
			{Name: "token", Ends: []*contract.Outcome{unknownToken}, Do: known},
			{Name: "body", Ends: []*contract.Outcome{unreadable}, Do: wire.ReadJSON(unreadable)},
			{Name: "rate", Ends: []*contract.Outcome{tooFast}, Do: contract.RateLimit(tooFast, limit)},
			{Name: "parameters", Ends: []*contract.Outcome{invalid}, Do: contract.ValidateParams(judge)},
		},
		Fill:       func(_ *contract.Call, place string) string { return "some " + place },
		Fail:       fail,
		Write:      wire.WriteJSON,
		Sign:       sign,
		Operations: []*contract.Operation{register, drop, get, page()},
		Common:     []*contract.Outcome{broken},
		Failure:    []contract.Param{{Name: "error", Need: contract.Required, Doc: "What went wrong."}, {Name: "id", Doc: "The answer's number."}},
		State:      newState,
		Fixture:    []contract.Param{{Name: "tokens", Type: contract.List, Of: contract.String, Doc: "Tokens known from the start."}},
		Switches: []contract.Param{
			{Name: "limits", Type: contract.Boolean, Default: false, Doc: "Whether calls are counted."},
			{Name: "notify", Default: "", Doc: "The URL that is notified of parcels; empty: none."},
		},
		Credentials: []contract.Credential{{Name: "token", Env: "TOY_TOKEN"}},
		Adopts: []contract.Adoptable{{
			What: "token", Routes: true, Take: takeToken, Rows: tokenRows, Example: "t-1", Doc: "A token as any other.",
		}},
		Mint:        func(d *contract.Dice) contract.Values { return contract.Values{"token": d.ID()} },
		Environment: []contract.Variable{{Name: "TOY_URL", Value: contract.BaseURL}},
		Secrets:     []string{"Toy-Token"},
		Triggers:    []*contract.Trigger{lose(), revoke()},
		Lifecycle:   &contract.Lifecycle{Given: []*contract.Trigger{dropped()}},
	}
}

// dropped is a parcel that was dropped before.
func dropped() *contract.Trigger {
	return &contract.Trigger{
		Name: "parcel", Doc: "A parcel was dropped.",
		Params: []contract.Param{
			{Name: "content", Need: contract.Required, Max: 20, Example: "books", Doc: "What is in it."},
			{Name: "age", Type: contract.Duration, Example: "1h", Doc: "How long ago it was dropped."},
		},
		Do: func(c *contract.Call) error {
			_, err := c.Earlier(c.Now.Add(-c.In.Duration("age")), c.API.Operation("DropParcel"), contract.Values{"content": c.In["content"]}).Succeed()
			return err
		},
	}
}

// lose is a parcel getting lost.
func lose() *contract.Trigger {
	return &contract.Trigger{
		Name: "parcel.lost", Doc: "A parcel gets lost.",
		Params: []contract.Param{{Name: "parcel", Need: contract.Required, Doc: "Which one."}},
		Do: func(c *contract.Call) error {
			s, id := c.State.(*state), c.In.Text("parcel")
			if _, ok := s.Parcels[id]; !ok {
				return errors.New("there is no parcel " + id)
			}
			delete(s.Parcels, id)
			notify(c, "lost", id)
			return nil
		},
	}
}

// revoke is a token counting no more.
func revoke() *contract.Trigger {
	return &contract.Trigger{
		Name: "token.revoked", Doc: "A token counts no more.",
		Params: []contract.Param{{Name: "token", Need: contract.Required, Doc: "Which one."}},
		Do: func(c *contract.Call) error {
			s, token := c.State.(*state), c.In.Text("token")
			if !s.known[token] {
				return errors.New("there is no token " + token)
			}
			s.Tokens = slices.DeleteFunc(s.Tokens, func(t string) bool { return t == token })
			delete(s.known, token)
			c.Forget(token)
			return nil
		},
	}
}

// notify tells the client's side what became of a parcel.
func notify(c *contract.Call, event, parcel string) {
	url := c.Switches.Text("notify")
	if url == "" {
		return
	}
	c.Notify(contract.Callback{
		Method: http.MethodPost, URL: url, Header: http.Header{"Content-Type": {"application/json"}},
		Body: wire.Encode(struct {
			Event  string `json:"event"`
			Parcel string `json:"parcel"`
		}{event, parcel}),
	})
}

type state struct {
	Tokens  []string          `json:"tokens" yaml:"tokens"`
	Parcels map[string]string `json:"parcels"`
	Made    time.Time         `json:"made"`

	known map[string]bool
	busy  int
}

func newState(s contract.Seed) (contract.State, error) {
	st := &state{Parcels: map[string]string{}, Made: s.Now}
	err := s.Decode(st)
	for _, credentials := range s.Credentials {
		st.Tokens = append(st.Tokens, credentials.Text("token"))
	}
	return st, err
}

// Enroll adds a token, unless it is known.
func (s *state) Enroll(credentials contract.Values, _ time.Time) error {
	if token := credentials.Text("token"); !s.known[token] {
		s.Tokens = append(s.Tokens, token)
	}
	return nil
}

// Reindex rebuilds the set of tokens. A token that stands twice contradicts.
func (s *state) Reindex() error {
	s.known = map[string]bool{}
	for _, t := range s.Tokens {
		if s.known[t] {
			return errors.New("token " + t + " stands twice")
		}
		s.known[t] = true
	}
	return nil
}

// Derive counts what lies in the locker.
func (s *state) Derive(time.Time, contract.Values) any {
	return struct {
		Parcels int `json:"parcels"`
	}{len(s.Parcels)}
}

// Identifiers are the tokens.
func (s *state) Identifiers() iter.Seq[string] { return slices.Values(s.Tokens) }

// Weight counts 150 bytes for a token or a parcel.
func (s *state) Weight() int64 { return 150 * int64(len(s.Tokens)+len(s.Parcels)) }

// Secrets are the tokens.
func (s *state) Secrets() iter.Seq[*string] {
	return func(yield func(*string) bool) {
		for i := range s.Tokens {
			if !yield(&s.Tokens[i]) {
				return
			}
		}
	}
}

// Credentials are the first token.
func (s *state) Credentials() contract.Values {
	if len(s.Tokens) == 0 {
		return nil
	}
	return contract.Values{"token": s.Tokens[0]}
}

func failure(name string, status int, message string) *contract.Outcome {
	return &contract.Outcome{Name: name, Fails: true, Status: status, Message: message, Doc: "The call failed: " + name + "."}
}

var (
	noSuchPath   = failure("noSuchPath", 404, "Nothing lives here.")
	wrongMethod  = failure("wrongMethod", 405, "Ask otherwise.")
	unknownToken = failure("unknownToken", 401, "The token {token} is not known.")
	unreadable   = failure("unreadable", 400, "The body cannot be read.")
	invalid      = failure("invalid", 422, "The parameter {Name} is not valid.")
	tooFast      = failure("tooFast", 429, "Call {n} of {limit}.")
	broken       = failure("broken", 500, "Something broke.")
	noParcel     = failure("noParcel", 404, "There is no parcel {parcel}.")
	busy         = failure("busy", 409, "The locker is busy.")
)

var strangeToken = &contract.Cause{Code: "strange_token", Text: "The token {token} was not handed out here. Register first."}

func known(c *contract.Call) (v contract.Verdict) {
	if c.Auth == contract.Off || c.Operation.Name == "Register" || c.Operation.Helper {
		return v
	}
	token := c.Request.Header.Get("Toy-Token")
	c.WithState(func() {
		if !c.State.(*state).known[token] && !c.Adopt("token", token) {
			v = unknownToken.Because(strangeToken, "token", token)
		}
	})
	return v
}

func takeToken(c *contract.Call, token string) bool {
	s := c.State.(*state)
	s.Tokens = append(s.Tokens, token)
	s.known[token] = true
	return true
}

func tokenRows(s contract.State, token string) contract.Values {
	if !s.(*state).known[token] {
		return nil
	}
	return contract.Values{"tokens": []any{token}}
}

func limit(c *contract.Call) contract.Limit {
	if !c.Switches.Bool("limits") {
		return contract.Limit{}
	}
	return contract.Limit{Key: c.Operation.Name, Calls: c.Operation.Rate, Window: time.Second}
}

func judge(_ *contract.Call, found []contract.Violation) contract.Verdict {
	return invalid.Because(nil, "Name", found[0].Path)
}

func fail(c *contract.Call, v contract.Verdict) any {
	return struct {
		Error string `json:"error"`
		ID    string `json:"id"`
	}{v.Message(c), c.Dice().ID()}
}

func sign(d contract.Draft) (*contract.Request, error) {
	r := wire.JSONRequest(d)
	r.Header.Set("Toy-Token", d.Credentials.Text("token"))
	return r, nil
}

func register() *contract.Operation {
	created := &contract.Outcome{
		Name: "success", Status: 201, Doc: "A token was handed out.", Keeps: true,
		Returns: []contract.Param{
			{Name: "Location", In: contract.Header, Need: contract.Required, Doc: "Where the client lives."},
			{Name: "token", Need: contract.Required, Doc: "The token."},
		},
		Do: func(c *contract.Call) any {
			s := c.State.(*state)
			token := c.Mint().ID()
			s.Tokens = append(s.Tokens, token)
			s.known[token] = true
			c.Issue(token)
			return struct {
				Location string
				Token    string `json:"token"`
			}{"/clients/" + token, token}
		},
	}
	return &contract.Operation{
		Name: "Register", Doc: "Hands out a token.", Cite: "toy 1", Method: "POST", Path: "/register",
		Outcomes: []*contract.Outcome{created},
		Decide:   func(*contract.Call) contract.Verdict { return created.Verdict() },
	}
}

func dropParcel() *contract.Operation {
	dropped := &contract.Outcome{
		Name: "success", Status: 200, Doc: "The parcel lies in the locker.", Keeps: true,
		Returns: []contract.Param{{Name: "parcel", Need: contract.Required, Doc: "Its number."}},
		Do: func(c *contract.Call) any {
			s := c.State.(*state)
			s.busy++
			id := c.Dice().ID()
			s.Parcels[id] = c.In.Text("content")
			notify(c, "dropped", id)
			return struct {
				Parcel string `json:"parcel"`
			}{id}
		},
		Sent: func(c *contract.Call) { c.State.(*state).busy-- },
	}
	return &contract.Operation{
		Name: "DropParcel", Doc: "Lays a parcel into the locker.", Cite: "toy 2", Method: "POST", Path: "/parcels", Rate: 3,
		Params: []contract.Param{
			{Name: "content", Need: contract.Required, Max: 20, Example: "books", Doc: "What is in it."},
			{Name: "weight", Type: contract.Integer, Min: 1, Max: 30, Doc: "In kilograms."},
			{Name: "size", OneOf: []string{"S", "M", "L"}, Doc: "Of the box."},
		},
		Outcomes: []*contract.Outcome{dropped, busy},
		Decide: func(c *contract.Call) contract.Verdict {
			if c.State.(*state).busy > 0 {
				return busy.Verdict()
			}
			return dropped.Verdict()
		},
	}
}

func getParcel() *contract.Operation {
	type parcel struct {
		Parcel  string `json:"parcel"`
		Content string `json:"content"`
	}
	got := &contract.Outcome{
		Name: "success", Status: 200, Doc: "The parcel is handed over.",
		Returns: []contract.Param{
			{Name: "parcel", Need: contract.Required, Doc: "Its number."},
			{Name: "content", Doc: "What is in it."},
		},
		Do: func(c *contract.Call) any {
			id := c.In.Text("parcel")
			return parcel{id, c.State.(*state).Parcels[id]}
		},
	}
	return &contract.Operation{
		Name: "GetParcel", Doc: "Hands a parcel over.", Cite: "toy 3", Method: "GET", Path: "/parcels/{parcel}",
		Aliases:  []string{"/old/{parcel}/get"},
		Params:   []contract.Param{{Name: "parcel", In: contract.Path, Need: contract.Required, Example: "p-1", Doc: "Its number."}},
		Outcomes: []*contract.Outcome{got, noParcel},
		Decide: func(c *contract.Call) contract.Verdict {
			if _, ok := c.State.(*state).Parcels[c.In.Text("parcel")]; !ok {
				return noParcel.Because(nil, "parcel", c.In.Text("parcel"))
			}
			return got.Verdict()
		},
	}
}

// page is an operation of the locker's own beside the documented ones.
func page() *contract.Operation {
	shown := &contract.Outcome{Name: "success", Status: 200, Doc: "The page is shown.", Do: func(*contract.Call) any { return nil }}
	return &contract.Operation{
		Name: "Page", Doc: "Shows a page to people.", Method: "GET", Path: "/page", Helper: true,
		Outcomes: []*contract.Outcome{shown},
		Decide:   func(*contract.Call) contract.Verdict { return shown.Verdict() },
		Write: func(c *contract.Call, v contract.Verdict, r contract.Reply) contract.Response {
			if v.Outcome.Fails {
				return wire.WriteJSON(c, v, r)
			}
			return contract.Response{Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte("<p>locker</p>")}
		},
	}
}
