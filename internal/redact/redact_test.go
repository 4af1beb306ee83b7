package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

const secret = "s3cr3t/with+signs&ü=\"<"

var api = &contract.API{
	Name: "toy", Secrets: []string{"sig"},
	Credentials: []contract.Credential{{Name: "id", Env: "TOY_ID", Identifier: true}, {Name: "secretKey", Env: "TOY_KEY"}, {Name: "token"}},
}

func ofEnvironment() *Redactor {
	return New(Config{APIs: []*contract.API{api}, Env: func(name string) string {
		return map[string]string{"TOY_KEY": secret, "TOY_ID": "an-identifier"}[name]
	}})
}

// keyring is a state that holds secrets.
type keyring struct{ Keys []string }

func (*keyring) Reindex() error                { return nil }
func (*keyring) Identifiers() iter.Seq[string] { return slices.Values([]string(nil)) }
func (*keyring) Credentials() contract.Values  { return nil }
func (k *keyring) Secrets() iter.Seq[*string] {
	return func(yield func(*string) bool) {
		for i := range k.Keys {
			if !yield(&k.Keys[i]) {
				return
			}
		}
	}
}

func TestText(t *testing.T) {
	r := ofEnvironment()
	for text, want := range map[string]string{
		"":                          "",
		"nothing":                   "nothing",
		"an-identifier":             "an-identifier",
		"x" + secret + "y" + secret: "xenv:TOY_KEYyenv:TOY_KEY",
		"x=s3cr3t%2Fwith%2Bsigns%26%C3%BC%3D%22%3C&y=1":                               "x=env:TOY_KEY&y=1",
		"x=s3cr3t%2fwith%2bsigns%26%c3%bc%3d%22%3c":                                   "x=env:TOY_KEY",
		`{"a":"s3cr3t/with+signs\u0026ü=\"\u003c"}`:                                   `{"a":"env:TOY_KEY"}`,
		"cut: s3cr3t/with+signs&…":                                                    "cut: env:TOY_KEY…",
		"s3cr3t/":                                                                     "s3cr3t/", // too little of it to be sure
		base64.StdEncoding.EncodeToString([]byte(secret)):                             "env:TOY_KEY",
		"Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+secret+secret[:2])): "Basic bWU6env:TOY_KEYxzMw==",
	} {
		if got := r.Text(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	var none *Redactor
	if none.Active() || none.Text(secret) != secret || none.Secret("toy", secret) != secret || none.Error(nil) != nil {
		t.Error("no redactor masks")
	}
}

// Of one secret that begins as another does the longer is named.
func TestLongestIsNamed(t *testing.T) {
	m := newMatcher(map[string]string{"abcd": "1", "abcdefgh": "2", "abcdefghijklmnopqrstuvwxyz": "3"})
	for text, want := range map[string]string{"abcd": "1", "abcde": "1e", "abcdefgh.": "2.", "abcdefghijklmnopqr…": "3…", "xabcdefghijklmnopqrstuvwxyz": "x3", "abc": "abc"} {
		if got := m.replace(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestSecretsOfStates(t *testing.T) {
	r := New(Config{APIs: []*contract.API{api}, All: true})
	r.Learn(api, &keyring{Keys: []string{"first-key", "abc", ""}})
	r.Learn(api, &keyring{Keys: []string{"second-key"}})
	if got := r.Text("first-key, second-key, abc"); got != "[redacted], [redacted], abc" {
		t.Errorf("got %s", got)
	}
	many := &keyring{}
	for i := range mostLearned {
		many.Keys = append(many.Keys, fmt.Sprintf("key-%d-%d", i*i, i))
	}
	r.Learn(api, many)
	if len(r.learned) != mostLearned || len(r.known) != mostLearned || r.Text("first-key") != "first-key" {
		t.Errorf("%d secrets are kept, and %d known", len(r.learned), len(r.known))
	}
	env := ofEnvironment()
	env.Learn(api, &keyring{Keys: []string{"first-key"}})
	if got := env.Text("first-key"); got != "first-key" {
		t.Errorf("without All got %s", got)
	}
	shown := env.Credentials(api, contract.Values{"id": "an-identifier", "secretKey": secret, "token": "documented", "n": 1})
	if got, _ := json.Marshal(shown); string(got) != `{"id":"an-identifier","n":1,"secretKey":"env:TOY_KEY","token":"documented"}` {
		t.Errorf("got %s", got)
	}
}

// JSON stays JSON, whatever is masked in it.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{`{"a":"12345678"}`, `{"a":12345678,"12345678":[{"b":"x\u0031\u0032345678"}]}`, `[12345678.5]`, `"12345678`, `{"a":"12345678","b":"12345678"}`} {
		f.Add(s, "12345678")
	}
	f.Add(`{"a":"b","c":"d"}`, `","`)
	f.Add(`{"a":"b","c":"d"}`, `b","c":"d`)
	f.Fuzz(func(t *testing.T, document, value string) {
		r := New(Config{Values: []string{value}, All: true})
		got := r.Document("application/json", []byte(document))
		if json.Valid([]byte(document)) && !json.Valid(got) {
			t.Errorf("%s became %s", document, got)
		}
		if text := r.Line(document); len(strings.TrimSpace(value)) >= Shortest && !strings.Contains(contract.Redacted, value) && strings.Contains(document, value) && text == document {
			t.Errorf("%s stayed", document)
		}
		r.Entry(journal.Entry{Request: journal.Message{URL: document, Body: journal.Text(document), Header: http.Header{"A": {document}}, Decoded: json.RawMessage(`{}`)}})
	})
}

func TestDocument(t *testing.T) {
	r := New(Config{Values: []string{"12345678"}, All: true})
	for document, want := range map[string]string{
		`{"a":12345678, "b":"12345678"}`: `{"a":"[redacted]", "b":"[redacted]"}`,
		`{"a": "x12345678"}`:             `{"a": "x[redacted]"}`,
		`{"a":1}`:                        `{"a":1}`,
		`a 12345678`:                     `a [redacted]`,
	} {
		if got := string(r.Document("application/problem+json", []byte(document))); got != want {
			t.Errorf("%s: got %s, want %s", document, got, want)
		}
	}
}

// What a request costs does not grow with its depth, nor with how many secrets it
// seems to hold.
func TestCostIsBounded(t *testing.T) {
	r := New(Config{APIs: []*contract.API{api}, All: true})
	head := strings.Repeat("a", 130)
	var many strings.Builder
	for i := range 400 {
		many.WriteString(`"token":"` + head + strings.Repeat("b", i%13) + `",`)
	}
	for name, body := range map[string]string{
		"deep":       strings.Repeat(`{"a":[`, 4900) + strings.Repeat(`]}`, 4900),
		"deep token": `{"token":` + strings.Repeat(`[`, 9900) + strings.Repeat(`]`, 9900) + `}`,
		"many":       `{` + many.String() + `"x":"` + strings.Repeat("a", 129) + `"}`,
		"repeated":   `{"token":"` + strings.Repeat("a", 30000) + `.x","y":"` + strings.Repeat("a", 30000) + `"}`,
	} {
		if !json.Valid([]byte(body)) {
			t.Fatal(name)
		}
		began := time.Now()
		r.Entry(journal.Entry{API: "toy", Request: journal.Message{Body: journal.Text(body), URL: "/" + strings.Repeat("a", 60000)}})
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

// Whether an entry hides its proofs follows from the key under which it is signed.
func TestWhatHides(t *testing.T) {
	env, all, plain := ofEnvironment(), New(Config{APIs: []*contract.API{api}, All: true}), New(Config{APIs: []*contract.API{api}})
	why := func(keys ...string) *journal.Explanation { return &journal.Explanation{Keys: keys} }
	for name, tt := range map[string]struct {
		r    *Redactor
		e    journal.Entry
		want bool
	}{
		"redact":                        {all, journal.Entry{API: "toy", Key: "documented"}, true},
		"nothing is secret":             {plain, journal.Entry{API: "toy"}, false},
		"the environment's":             {env, journal.Entry{API: "toy", Key: secret}, true},
		"documented":                    {env, journal.Entry{API: "toy", Key: "documented", Explanation: why("documented")}, false},
		"nobody's":                      {env, journal.Entry{API: "toy"}, true},
		"another API":                   {env, journal.Entry{API: "other"}, false},
		"signed with the environment's": {env, journal.Entry{API: "toy", Key: "documented", Explanation: why("documented", secret+"\n")}, true},
	} {
		if got := tt.r.hides(&tt.e); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// The texts that were signed are shown, and where they differ; signatures are not.
func TestExplanationsWithoutSignatures(t *testing.T) {
	r := New(Config{APIs: []*contract.API{api}, All: true})
	e := journal.Entry{API: "toy", Explanation: &journal.Explanation{
		Text: "kept", Expected: "text\n\nSign: ABCDEF", Got: "Sign: abc123", FirstDifference: "at character 1: BCDEF",
		Signatures: []string{"ABCDEF", "abc123"}, SignaturesDiffer: true, Keys: []string{secret},
	}}
	got := r.Entry(e).Explanation
	if got.Expected != "text\n\nSign: [redacted]" || got.Got != "Sign: [redacted]" || strings.Contains(got.FirstDifference, "BCDEF") || got.Keys != nil || got.Text != "kept" {
		t.Errorf("got %+v", got)
	}
	if e.Explanation.Expected != "text\n\nSign: ABCDEF" {
		t.Error("the journal itself was changed")
	}
	e.Explanation.SignaturesDiffer, e.Explanation.FirstDifference = false, "line 1"
	if got := r.Entry(e).Explanation; got.FirstDifference != "line 1" {
		t.Errorf("got %+v", got)
	}
}

// What stands at the name of a secret is masked, however the name is written.
func TestNames(t *testing.T) {
	r := ofEnvironment()
	e := journal.Entry{API: "toy", Request: journal.Message{
		URL: "http://me:pass@host/?secret_key=abc&id=" + strings.ReplaceAll(secret, "/", "%2F"), Header: http.Header{"Secret-Key": {"abc"}, "Other": {secret}},
		Body: journal.Text(`{"SecretKey":"` + "abc" + `","kept":1,"id":"s3cr3t\/with\u002bsigns&ü=\"<"}`), Decoded: contract.Values{secret: []any{secret}, "n": int64(1), "odd": []string{secret}},
	}, Client: journal.Client{UserAgent: secret}, Violations: []contract.Violation{{Path: secret, Got: errors.New("x")}}}
	shown, err := json.Marshal(r.Entry(e))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(shown); strings.Contains(text, "abc") || strings.Contains(text, "s3cr3t") || strings.Contains(text, "pass") || !strings.Contains(text, "env:TOY_KEY") || !strings.Contains(text, "kept") {
		t.Errorf("got %s", text)
	}
}

func TestLog(t *testing.T) {
	r := ofEnvironment()
	var b bytes.Buffer
	log := slog.New(r.Handler(slog.NewJSONHandler(&b, nil))).With("with", secret).WithGroup("g")
	log.Info("said "+secret, "text", secret, "err", errors.New(secret), "list", []string{secret}, "n", 1,
		"url", "https://me:pa55@host/x?sig=abcdef&b=1", slog.Group("in", "a", secret), "auth", "Bearer abcdefghijklmnopqrs", "json", `{"secretKey":"hidden"}`)
	got := b.String()
	for _, never := range []string{"s3cr3t", "pa55", "abcdef", "hidden"} {
		if strings.Contains(got, never) {
			t.Errorf("%s stands in %s", never, got)
		}
	}
	for _, want := range []string{`"n":1`, `"text":"env:TOY_KEY"`, `"url":"https://[redacted]@host/x?sig=[redacted]&b=1"`, `"in":{"a":"env:TOY_KEY"}`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
	if log.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("the level is another one")
	}
	var none *Redactor
	if h := slog.NewTextHandler(&b, nil); none.Handler(h) != slog.Handler(h) {
		t.Error("no redactor stands between")
	}
}

func TestErrors(t *testing.T) {
	r := ofEnvironment()
	cause := errors.New("the key " + secret + " is bad")
	if err := r.Error(cause); err.Error() != "the key env:TOY_KEY is bad" || !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	if other := errors.New("other"); !errors.Is(r.Error(other), other) || r.Error(other).Error() != "other" {
		t.Error("another error was changed")
	}
}
