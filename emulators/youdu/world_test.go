package youdu

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/journal"
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

// vectorPrefix are the 16 bytes before the message in the vectors.
var vectorPrefix = [prefixSize]byte([]byte("ABCDEFGHIJKLMNOP"))

// vectors are the test vectors. An independent implementation of the envelope
// made them, and they were compared with the code of client libraries. The
// captured requests are what these libraries send.
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

// loadVectors reads the test vectors.
func loadVectors(t testing.TB) *vectors {
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

// vector returns the field encrypt of the vector whose name begins with name.
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

// newApp returns an application with the key of the vectors.
func newApp(t testing.TB, appID string) *app {
	t.Helper()
	a := &app{Buin: vectorBuin, AppID: appID, AESKey: vectorKey}
	var err error
	if a.block, a.iv, err = newCipher(a.AESKey); err != nil {
		t.Fatal(err)
	}
	return a
}

// A testWorld sends requests through the gateway to an engine of its own. How a
// call ended is read from the journal.
type testWorld struct {
	*conformance.World
	t       testing.TB
	setting conformance.Setting
	read    int // how many callbacks events has returned
}

// newWorld begins a world with a shipped fixture.
func newWorld(t testing.TB, name string) *testWorld {
	t.Helper()
	return newWorldWith(t, conformance.Setting{Fixture: name})
}

func newWorldWith(t testing.TB, s conformance.Setting) *testWorld {
	t.Helper()
	return &testWorld{World: conformance.New(t, API, s), t: t, setting: s}
}

// newWorldOf begins a world with the lists of a fixture file. Its switches are
// those of the fixture default.
func newWorldOf(t testing.TB, auth contract.Auth, text string) *testWorld {
	t.Helper()
	f, err := fixture.Parse("fixture.yaml", []byte(text), []*contract.API{API})
	if err != nil {
		t.Fatal(err)
	}
	st, err := API.State(contract.Seed{Now: conformance.Noon, Switches: f.Switches, Decode: f.Decode})
	if err != nil {
		t.Fatal(err)
	}
	document, err := wire.Saved(st)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldWith(t, conformance.Setting{Auth: auth})
	w.restore(string(document))
	return w
}

// copy returns a world with the same state, time and switches.
func (w *testWorld) copy() *testWorld {
	w.t.Helper()
	s := w.setting
	s.Clock = w.Sandbox.Clock.Now()
	other := newWorldWith(w.t, s)
	other.restore(w.snapshot())
	return other
}

// set changes a switch. The world keeps its state and its time, and loses its
// journal and its callbacks.
func (w *testWorld) set(name, value string) {
	w.t.Helper()
	all := map[string]string{name: value}
	for other, v := range w.setting.Set {
		if other != name {
			all[other] = v
		}
	}
	w.setting.Set = all
	*w = *w.copy()
}

// withState runs f while the state does not change.
func (w *testWorld) withState(f func(*state)) {
	w.t.Helper()
	w.Instance(w.t).WithState(func(s contract.State) { f(s.(*state)) })
}

// session copies a session; nil: there is none.
func (w *testWorld) session(id string) (found *session) {
	w.t.Helper()
	w.withState(func(st *state) {
		if s := st.Sessions[id]; s != nil {
			copied := *s
			found = &copied
		}
	})
	return found
}

// snapshot is the state as JSON.
func (w *testWorld) snapshot() string {
	w.t.Helper()
	text, err := w.Instance(w.t).Snapshot()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func (w *testWorld) restore(document string) {
	w.t.Helper()
	if err := w.Instance(w.t).Restore([]byte(document)); err != nil {
		w.t.Fatal(err)
	}
}

// rename gives a session or a token of the state another identifier.
func (w *testWorld) rename(old, identifier string) {
	w.t.Helper()
	w.restore(strings.ReplaceAll(w.snapshot(), old, identifier))
}

// isGUID and isToken match the identifiers that the emulator makes.
var (
	isGUID  = regexp.MustCompile(`^\{[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}\}$`).MatchString
	isToken = regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString
)

// sessionIDOf is the session id in an answer. It has to be a GUID.
func sessionIDOf(t testing.TB, answer string) string {
	t.Helper()
	_, id, _ := strings.Cut(answer, `"sessionId":"`)
	id, _, _ = strings.Cut(id, `"`)
	if !isGUID(id) {
		t.Fatalf("got %s, want a session id", answer)
	}
	return id
}

// removeSession takes a session out of the state.
func (w *testWorld) removeSession(id string) {
	w.t.Helper()
	w.withState(func(st *state) { st.removeSession(st.Sessions[id]) })
}

// asVectorID gives the session that an answer names the id of the vectors, in
// the state and in the answer.
func (w *testWorld) asVectorID(answer string) string {
	w.t.Helper()
	id := sessionIDOf(w.t, answer)
	w.rename(id, vectorID)
	return strings.Replace(answer, id, vectorID, 1)
}

// later moves the clock. It may go back.
func (w *testWorld) later(d time.Duration) {
	w.Sandbox.Clock.Freeze(w.Sandbox.Clock.Now().Add(d))
}

// request makes a request. Headers alternate with their values.
func request(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host, r.RemoteAddr = "127.0.0.1:7080", "127.0.0.1:50000"
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// serve sends a request, and returns the journal's entry of the call and the
// answer. It holds the outcome against the declared ones, and the facts against
// the text of the cause.
func (w *testWorld) serve(r *http.Request) (journal.Entry, *httptest.ResponseRecorder) {
	w.t.Helper()
	answer := w.Send(r)
	if problem := answer.Header().Get(gateway.ProblemHeader); problem != "" {
		w.t.Fatalf("%s %s: got the problem %s: %s", r.Method, r.RequestURI, problem, answer.Body)
	}
	e := w.Last(w.t)
	if e.Explanation != nil {
		w.checkFacts(e.Explanation)
	}
	return e, answer
}

// checkFacts holds the facts of an explanation against the text of its cause.
func (w *testWorld) checkFacts(e *journal.Explanation) {
	w.t.Helper()
	if slices.ContainsFunc(API.Mistakes, func(m contract.Mistake) bool { return m.Code == e.Cause }) {
		return // TestMistakes holds their facts against their texts
	}
	cause := causes[e.Cause]
	if cause == nil {
		w.t.Errorf("the cause %s is not in the list of the tests", e.Cause)
		return
	}
	for _, place := range place.FindAllStringSubmatch(cause.Text, -1) {
		if _, given := e.Facts.Get(place[1]); !given {
			w.t.Errorf("%s: no fact fills {%s} of %q", e.Cause, place[1], cause.Text)
		}
	}
}

// place matches a place in the text of a cause. JSON in the text has quotes.
var place = regexp.MustCompile(`\{(\w+)\}`)

// causes holds every cause by its code.
var causes = func() map[string]*contract.Cause {
	all := []*contract.Cause{
		unknownPath, wrongMethod, tokenMissing, unknownToken, expiredToken, bodyNotJSON, bodyNotForm, fieldMissing,
		fieldMistyped, unknownBuin, unknownApp, disabledApp, tokenOfOtherApp, appWithoutRight, messageNotJSON, fileMissing, wire.Compressed,
		paramMistyped, noKey, notBase64, badLength, badPadding, tooShort, badSize, wrongTail,
	}
	for _, s := range situations {
		all = append(all, s.cause)
	}
	byCode := map[string]*contract.Cause{}
	for _, c := range all {
		if byCode[c.Code] != nil {
			panic("two causes have the code " + c.Code)
		}
		byCode[c.Code] = c
	}
	return byCode
}()

// call sends a request, and returns its outcome and what the answer returns,
// decrypted.
func (w *testWorld) call(r *http.Request) (outcome, returned string) {
	w.t.Helper()
	e, answer := w.serve(r)
	return e.Outcome, opened(w.t, answer.Body.Bytes())
}

// post sends a message in the envelope of an application.
func (w *testWorld) post(path, token, appID, message string) (outcome, returned string) {
	w.t.Helper()
	return w.call(request("POST", path+"?accessToken="+token, sealed(w.t, appID, message)))
}

// sealed is the body of a POST.
func sealed(t testing.TB, appID, message string) string {
	t.Helper()
	return string(wire.Encode(map[string]any{
		"buin": vectorBuin, "appId": appID,
		"encrypt": string(newApp(t, appID).seal(nil, vectorPrefix, []byte(message))),
	}))
}

// opened is what an answer returns, decrypted; "" where it has no data.
func opened(t testing.TB, answer []byte) string {
	t.Helper()
	var envelope struct{ Encrypt string }
	if err := json.Unmarshal(answer, &envelope); err != nil {
		t.Fatalf("got %s: %v", answer, err)
	}
	if envelope.Encrypt == "" {
		return ""
	}
	message, fault := newApp(t, "").open("encrypt", envelope.Encrypt, false)
	if fault != nil {
		t.Fatalf("got %s: %s", answer, fault.cause.Code)
	}
	return string(message)
}
