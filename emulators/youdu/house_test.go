package youdu

import (
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The names of the test vectors.
const (
	vectorBuin  = 14797363
	vectorApp   = "ydA1B2C3D4E5F60718293A4B5C6D7E8F90"
	sampleApp   = "yd901B3FD68E2048D8822238A3D5888878"
	vectorKey   = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	vectorToken = "0123456789abcdef0123456789abcdef"
)

var fixed = time.Unix(1700000000, 0).UTC()

// vectors are the test vectors: made with an independent implementation of the
// envelope and held against the code of client libraries, and requests that these
// libraries were seen to send.
type vectors struct {
	Envelope []struct {
		Name, Msg, Encrypt, Expect string
		CipherLen                  int            `json:"cipher_len"`
		Opts                       map[string]any `json:"opts"`
	}
	Conformance []struct {
		ID, Title, Method, Target string
		RequestPlain              *string `json:"request_plain"`
		RequestBody               string  `json:"request_body"`
		ResponsePlain             string  `json:"response_plain"`
		ResponseBody              string  `json:"response_body"`
	}
	Captured []struct {
		SDK, Method, Target string
		Headers             []string // Name: value
		Body                string
		Plain               *string
		AppID               string `json:"appId"`
		Prefix              string `json:"prefix_hex_under_key_iv"`
		Pad                 int
		CipherLen           int `json:"cipher_len"`
	} `json:"captured_sdk_requests"`
	Callback struct {
		Token, Timestamp, Nonce, Plain, Target, Body string
		Signature                                    string `json:"msg_signature"`
	}
}

func loaded(t testing.TB) *vectors {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	v := &vectors{}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// vector finds the text of an envelope by the beginning of its name.
func (v *vectors) vector(t testing.TB, name string) string {
	t.Helper()
	for _, e := range v.Envelope {
		if strings.HasPrefix(e.Name, name+" ") {
			return e.Encrypt
		}
	}
	t.Fatalf("there is no vector %s", name)
	return ""
}

// newApp is an application with the key of the vectors.
func newApp(t testing.TB, appID string) *app {
	t.Helper()
	a := &app{Buin: vectorBuin, AppID: appID, AESKey: vectorKey}
	var err error
	if a.block, a.iv, err = newCipher(a.AESKey); err != nil {
		t.Fatal(err)
	}
	return a
}

// script is a source of chance that throws given bytes, again and again.
type script struct {
	bytes []byte
	at    int
}

func (s *script) Uint64() uint64 {
	var eight [8]byte
	for i := range eight {
		eight[i] = s.bytes[s.at%len(s.bytes)]
		s.at++
	}
	return binary.LittleEndian.Uint64(eight[:])
}

func (s *script) Int63() int64 { return int64(s.Uint64() >> 1) }

func (s *script) Seed(int64) {}

// throwing returns dice that throw bytes.
func throwing(b ...byte) *contract.Dice { return contract.NewDice(&script{bytes: b}) }

// abcdef has prefix spell ABCDEFGHIJKLMNOP, as in the vectors.
var abcdef = []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// town is the least house: one sandbox with a clock that stands, whose dice
// throw what the vectors were made with.
type town struct {
	t         testing.TB
	world     *state
	sw        contract.Values
	auth      contract.Auth
	now       time.Time
	guid      []byte
	token     []byte
	callbacks []contract.Callback
	issued    []string
	forgotten []string
	last      *contract.Call
}

func newTown(t testing.TB, name string) *town {
	t.Helper()
	text, err := os.ReadFile("../../fixtures/youdu/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return townOf(t, string(text))
}

func townOf(t testing.TB, text string) *town {
	t.Helper()
	f, err := fixture.Parse("fixture.yaml", []byte(text), []*contract.API{API})
	if err != nil {
		t.Fatal(err)
	}
	made, err := API.State(contract.Seed{Now: fixed, Switches: f.Switches, Decode: f.Decode})
	if err != nil {
		t.Fatal(err)
	}
	return &town{
		t: t, world: made.(*state), sw: f.Switches, auth: contract.Verify, now: fixed,
		guid:  []byte{0x8a, 0xd5, 0x95, 0xf3, 0x73, 0xb3, 0x4b, 0x56, 0x90, 0xaf, 0xf3, 0x36, 0xf9, 0x22, 0x2f, 0xc5},
		token: []byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef},
	}
}

type booth struct {
	call *contract.Call
	town *town
	dice *contract.Dice
	mint *contract.Dice
}

func (b *booth) WithState(f func()) {
	b.call.State = b.town.world
	f()
	b.call.State = nil
}
func (b *booth) CountInWindow(string, time.Duration) int { return 1 }
func (*booth) Wall() time.Time                           { return time.Time{} }

func (b *booth) Dice() *contract.Dice {
	if b.dice == nil {
		throws := abcdef
		if b.call.Operation == createSession {
			throws = slices.Concat(b.town.guid, abcdef, []byte{byte(len(b.town.world.Sessions))}) // an odd number, so that a second round throws others
		}
		b.dice = throwing(throws...)
	}
	return b.dice
}

func (b *booth) Mint() *contract.Dice {
	if b.mint == nil {
		b.mint = throwing(append(slices.Clone(b.town.token), byte(len(b.town.issued)))...)
	}
	return b.mint
}
func (b *booth) Issue(word string)  { b.town.issued = append(b.town.issued, word) }
func (b *booth) Forget(word string) { b.town.forgotten = append(b.town.forgotten, word) }

// at finds the operations whose path it is.
func at(path string) (found []*contract.Operation) {
	for _, op := range API.Operations {
		if op.Path == path || slices.Contains(op.Aliases, path) {
			found = append(found, op)
		}
	}
	return found
}

// request makes a request as it comes off the wire. Headers alternate with
// their values.
func request(method, target, body string, headers ...string) *contract.Request {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		panic(err)
	}
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return &contract.Request{
		Method: method, Target: target, URL: u, Host: "127.0.0.1:7080", Header: h, Body: []byte(body),
		Client: "127.0.0.1:50000", At: at(u.Path),
	}
}

// serve takes a request down the corridor.
func (w *town) serve(r *contract.Request) (contract.Verdict, contract.Response) {
	w.t.Helper()
	if r.Arrived.IsZero() {
		r.Arrived = w.now
	}
	c := &contract.Call{API: API, Request: r, Now: w.now, Auth: w.auth, Switches: w.sw}
	c.Runtime = &booth{call: c, town: w}
	c.Operation, c.Miss = API.Pick(r)
	w.last = c
	var v contract.Verdict
	for i := range API.Checks {
		if v = API.Checks[i].Do(c); !v.Pending() {
			if !slices.Contains(API.Checks[i].Ends, v.Outcome) {
				w.t.Errorf("the step %s ends in the undeclared %s", API.Checks[i].Name, v.Outcome.Name)
			}
			break
		}
	}
	c.State = w.world
	if v.Pending() {
		v = c.Operation.Decide(c)
		if !slices.Contains(API.Ends(c.Operation), v.Outcome) {
			w.t.Errorf("%s ends in the undeclared %s", c.Operation.Name, v.Outcome.Name)
		}
	}
	var value any
	if v.Outcome.Do != nil {
		value = v.Outcome.Do(c)
	}
	c.State = nil
	if v.Outcome.Fails {
		value = API.Fail(c, v)
	}
	w.callbacks = append(w.callbacks, c.Callbacks...)
	put := API.Write
	if c.Operation != nil && c.Operation.Write != nil {
		put = c.Operation.Write
	}
	var reply contract.Reply
	if value != nil {
		reply.Body = wire.Encode(value)
	}
	return v, put(c, v, reply)
}

// post sends a message in the envelope of an application.
func (w *town) post(path, token, appID, message string) (string, string) {
	w.t.Helper()
	return w.say(request("POST", path+"?accessToken="+token, sealed(w.t, appID, message)))
}

// say serves a request, and tells its outcome and what was returned, decrypted.
func (w *town) say(r *contract.Request) (outcome, told string) {
	w.t.Helper()
	v, answer := w.serve(r)
	if v.Cause != nil {
		for _, place := range place.FindAllStringSubmatch(v.Cause.Text, -1) {
			if _, told := v.Facts.Get(place[1]); !told {
				w.t.Errorf("%s: nobody tells {%s} of %q", v.Outcome.Name, place[1], v.Cause.Text)
			}
		}
	}
	return v.Outcome.Name, opened(w.t, answer)
}

// place is one in the text of a cause; JSON in it has quotes.
var place = regexp.MustCompile(`\{(\w+)\}`)

// sealed is the body of a POST.
func sealed(t testing.TB, appID, message string) string {
	t.Helper()
	return string(wire.Encode(map[string]any{
		"buin": vectorBuin, "appId": appID,
		"encrypt": string(newApp(t, appID).seal(nil, newPrefix(throwing(abcdef...)), []byte(message))),
	}))
}

// opened is what an answer returned, decrypted; "" where it has no data.
func opened(t testing.TB, answer contract.Response) string {
	t.Helper()
	var said struct{ Encrypt string }
	if err := json.Unmarshal(answer.Body, &said); err != nil {
		t.Fatalf("got %s: %v", answer.Body, err)
	}
	if said.Encrypt == "" {
		return ""
	}
	message, fault := newApp(t, "").open("encrypt", said.Encrypt, false)
	if fault != nil {
		t.Fatalf("got %s: %s", answer.Body, fault.cause.Code)
	}
	return string(message)
}

// snapshot is the state as it is written down.
func (w *town) snapshot() string {
	w.t.Helper()
	text, err := json.Marshal(w.world)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func (w *town) later(d time.Duration) { w.now = w.now.Add(d) }

func (w *town) trigger(name string, in contract.Values) error {
	c := &contract.Call{API: API, In: in, Now: w.now, Switches: w.sw, State: w.world, Request: &contract.Request{}}
	c.Runtime = &booth{call: c, town: w}
	err := API.Trigger(name).Do(c)
	w.callbacks = append(w.callbacks, c.Callbacks...)
	return err
}
