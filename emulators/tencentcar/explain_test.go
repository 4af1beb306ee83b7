package tencentcar

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// An explanation finds each mistake that clients are known to make, and has no
// secret key.
func TestExplainTC3(t *testing.T) {
	t.Parallel()
	spaced := []byte(pythonBody)
	for name, v := range map[string]struct {
		mistake func(*signing)
		change  func(*contract.Request)
		cause   string
		differs string
	}{
		"another host":            {mistake: func(s *signing) { s.host = "localhost:6414" }, cause: "signed_other_host", differs: "line 6: expected \"host:car.tencentcloudapi.com\", got \"host:localhost:6414\""},
		"another content type":    {mistake: func(s *signing) { m := "application/json; charset=utf-8"; s.contentType = &m }, cause: "signed_other_content_type", differs: "line 5: "},
		"the local day":           {mistake: func(s *signing) { s.keyDate = "2023-11-15" }, cause: "signed_local_date"},
		"another service":         {mistake: func(s *signing) { s.keyService = "cvm" }, cause: "signed_other_service"},
		"another's key":           {mistake: func(s *signing) { s.secret = "temporarySecretKeyEXAMPLE" }, cause: "signed_with_other_key", differs: "the key is not"},
		"no TC3":                  {mistake: func(s *signing) { s.prefix = "" }, cause: "key_without_TC3"},
		"a line feed":             {mistake: func(s *signing) { s.secret += "\n" }, cause: "key_with_newline"},
		"no blank line":           {mistake: func(s *signing) { s.gap = "" }, cause: "missing_blank_line"},
		"method in lower case":    {mistake: func(s *signing) { s.method = "post" }, cause: "method_lower_case", differs: "line 2: expected \"POST\", got \"post\""},
		"hashed twice":            {mistake: func(s *signing) { s.payload = digest([]byte(s.payload)) }, cause: "payload_hashed_twice"},
		"body respaced":           {mistake: func(s *signing) { s.payload = digest(spaced) }, cause: "signed_body_respaced"},
		"empty body":              {mistake: func(s *signing) { s.payload = digest(nil) }, cause: "signed_other_body"},
		"query of a POST":         {mistake: func(s *signing) { s.query = "a=b" }, change: func(r *contract.Request) { r.URL = &url.URL{Path: "/", RawQuery: "a=b"} }, cause: "signed_other_query"},
		"query sorted":            {mistake: func(s *signing) { s.query = "UserId=u&UserIp=1" }, change: makeGet, cause: "signed_other_query"},
		"signature upper case":    {mistake: func(*signing) {}, change: func(r *contract.Request) { upperCaseSignature(r) }, cause: "signature_upper_case"},
		"something else":          {mistake: func(s *signing) { s.secret = "guess this" }, cause: "signature_mismatch"},
		"an unknown body":         {mistake: func(s *signing) { s.payload = digest([]byte("other")) }, cause: "signature_mismatch"},
		"another documented host": {mistake: func(s *signing) { s.host = "car.ap-tokyo.tencentcloudapi.com" }, cause: "signed_other_host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, conformance.Setting{Fixture: "one"})
			change := v.change
			if name == "signature upper case" {
				change = nil
			}
			r := misSigned(change, v.mistake)
			if name == "signature upper case" {
				v.change(r)
			}
			got, _ := w.serve(r)
			if got.Outcome != signatureFailure.Name {
				t.Fatalf("got %s", got.Outcome)
			}
			e := got.Explanation
			if e.Cause != v.cause || !strings.Contains(e.FirstDifference, v.differs) || e.FirstDifference == "" {
				t.Errorf("got %s (%s), %q, want %s, %q", e.Cause, e.Text, e.FirstDifference, v.cause, v.differs)
			}
			expectNoSecrets(t, *e)
		})
	}
}

// misSigned makes the request of a client that signs with a mistake. change is made
// before it signs.
func misSigned(change func(*contract.Request), mistake func(*signing)) *contract.Request {
	r := request("POST", "/", carHost, b1, "Content-Type", jsonMedia, "X-TC-Action", "CreateSession", "X-TC-Version", version, "X-TC-Timestamp", "1700000000")
	if change != nil {
		change(r)
	}
	cl := &caller{timestamp: "1700000000", account: &account{SecretKey: docKey}}
	cl.auth = authorization{date: "2023-11-14", service: service, signedHeaders: "content-type;host"}
	s := signingOf(&contract.Call{Request: r}, cl)
	s.variant = documentedVariant(r)
	listed := s.signed
	mistake(s)
	r.Header.Set("Authorization", authorizationHeader(docID, "2023-11-14/car", listed, s.signature()))
	return r
}

// makeGet turns a request into a GET with an unsorted query.
func makeGet(r *contract.Request) {
	r.Method, r.Body = http.MethodGet, nil
	r.URL = &url.URL{Path: "/", RawQuery: "UserIp=1&UserId=u"}
}

func upperCaseSignature(r *contract.Request) {
	before, after, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	r.Header.Set("Authorization", before+"Signature="+strings.ToUpper(after))
}

// expectNoSecrets checks that an explanation has no secret key.
func expectNoSecrets(t *testing.T, e contract.Explanation) {
	t.Helper()
	text := e.Text + e.Expected + e.Got + e.FirstDifference
	for _, f := range e.Facts {
		if s, ok := f.Value.(string); ok {
			text += s
		}
	}
	for _, key := range []string{docKey, "temporarySecretKeyEXAMPLE"} {
		if strings.Contains(text, key) {
			t.Errorf("%q has a secret key", text)
		}
	}
}

func TestExplainV1(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		mistake func(*signingV1)
		plain   bool // the signature is sent without percent-encoding
		cause   string
	}{
		"another host":  {mistake: func(s *signingV1) { s.host = "localhost:6414" }, cause: "signed_other_host"},
		"another verb":  {mistake: func(s *signingV1) { s.method = "GET" }, cause: "signed_other_method"},
		"another hash":  {mistake: func(s *signingV1) { s.sha256 = true }, cause: "signed_other_hash"},
		"encoded":       {mistake: func(s *signingV1) { s.pairs = percentEncoded(s.pairs) }, cause: "signed_encoded_values"},
		"another's key": {mistake: func(s *signingV1) { s.secret = "temporarySecretKeyEXAMPLE" }, cause: "signed_with_other_key"},
		"lost plus":     {mistake: func(*signingV1) {}, plain: true, cause: "signature_not_encoded"},
		"anything":      {mistake: func(s *signingV1) { s.secret = "guess this" }, cause: "signature_mismatch"},
	} {
		w := newWorld(t, conformance.Setting{Fixture: "one"})
		pairs := []pair{
			{"UserId", "cg_user"},
			{"ClientSession", "a="},
			{"Action", "CreateSession"},
			{"Nonce", "7"},
			{"SecretId", docID},
			{"Timestamp", "1700000000"},
			{"Version", version},
		}
		s := &signingV1{method: "POST", host: carHost, uri: "/", pairs: sorted(pairs), secret: docKey}
		v.mistake(s)
		for v.plain && !strings.Contains(s.signature(), "+") { // until the signature has a +
			pairs[3].value += "7"
			s.pairs = sorted(pairs)
		}
		values := url.Values{}
		for _, p := range pairs {
			values.Set(p.name, p.value)
		}
		body := values.Encode() + "&Signature=" + url.QueryEscape(s.signature())
		if v.plain {
			body = values.Encode() + "&Signature=" + s.signature()
		}
		got, _ := w.serve(request("POST", "/", carHost, body, "Content-Type", "application/x-www-form-urlencoded"))
		e := got.Explanation
		if got.Outcome != signatureFailure.Name || e.Cause != v.cause || e.FirstDifference == "" {
			t.Errorf("%s: got %s, %s (%s), want %s", name, got.Outcome, e.Cause, e.Text, v.cause)
		}
		expectNoSecrets(t, *e)
	}
}

// The lenient verifier accepts what SDKs sign for a local endpoint, and the journal
// has the variant that matched. The strict verifier accepts the documented form
// alone.
func TestVariants(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		name         string
		host, signed string
		service, uri string
		target       string
		raw          bool
		want, strict string
		noted        string
	}{
		{"documented", carHost, carHost, "car", "/", "/", false, success, success, "host car.tencentcloudapi.com, path /, values in lower case"},
		{"Node", "127.0.0.1:8080", "127.0.0.1", "127", "/", "/", false, success, "AuthFailure.InvalidAuthorization", "service 127, host 127.0.0.1, path /"},
		{"Go", "127.0.0.1:8080", "127.0.0.1:8080", "car", "/", "/emu/car", false, success, success, "host 127.0.0.1:8080, path /,"},
		{"the path", carHost, carHost, "car", "/emu/car", "/emu/car", false, success, "AuthFailure.SignatureFailure", "path /emu/car"},
		{"raw values", carHost, carHost, "car", "/", "/", true, success, "AuthFailure.SignatureFailure", "values as sent"},
		{"another host", carHost, "cvm.tencentcloudapi.com", "car", "/", "/", false, "AuthFailure.SignatureFailure", "AuthFailure.SignatureFailure", ""},
		{"IPv6", "[::1]:6414", "[::1]", "car", "/", "/", false, success, "AuthFailure.SignatureFailure", "host [::1]"},
	} {
		for _, verifier := range []string{"lenient", "strict"} {
			w := newWorld(t, conformance.Setting{Fixture: "one", Set: map[string]string{"verifier": verifier}})
			r := request("POST", v.target, v.host, `{"UserId":"u1"}`, "Content-Type", "application/json; charset=UTF-8", "X-TC-Action", "DestroySession", "X-TC-Version", version, "X-TC-Timestamp", "1700000000")
			cl := &caller{timestamp: "1700000000", account: &account{SecretKey: docKey}}
			cl.auth = authorization{date: "2023-11-14", service: v.service, signedHeaders: "content-type;host;x-tc-action"}
			s := signingOf(&contract.Call{Request: r}, cl)
			s.variant = variant{v.signed, v.uri, v.raw}
			r.Header.Set("Authorization", authorizationHeader(docID, "2023-11-14/"+v.service, cl.auth.signedHeaders, s.signature()))
			want := v.want
			if verifier == "strict" {
				want = v.strict
			}
			got, _ := w.serve(r)
			if got.Outcome != want {
				t.Errorf("%s, %s: got %s, want %s", v.name, verifier, got.Outcome, want)
			}
			if note, ok := got.Notes.Get("signature"); want == success && (!ok || !strings.Contains(note.(matchedVariant).String(), v.noted)) {
				t.Errorf("%s, %s: noted %v, want %q", v.name, verifier, note, v.noted)
			}
		}
	}
}

// The note of a variant is the same text where it is told alone, and as a part of an entry.
func TestMatchedVariantAsJSON(t *testing.T) {
	t.Parallel()
	m := matchedVariant{variant{`<a>"&`, "/\xff\u2028", true}, "car"}
	got, want := `{"name":"signature","value":`+string(wire.Encode(m))+"}", string(wire.Encode(contract.Fact{Name: "signature", Value: m}))
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSkipSignature(t *testing.T) {
	t.Parallel()
	for skipped, want := range map[string]string{"true": success, "false": "AuthFailure.InvalidAuthorization"} {
		w := newWorld(t, conformance.Setting{Fixture: "one", Set: map[string]string{"skip_signature": skipped}})
		r := request("POST", "/", carHost, `{"UserId":"u1"}`, "Content-Type", jsonMedia, "X-TC-Action", "DestroySession", "X-TC-Version", version, "X-TC-Timestamp", "1700000000", "Authorization", "SKIP")
		if got, _ := w.serve(r); got.Outcome != want {
			t.Errorf("skip_signature %s: got %s, want %s", skipped, got.Outcome, want)
		}
	}
}

func TestIdentifiersAndClaims(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		r       *contract.Request
		want    string
		claimed bool
	}{
		{request("POST", "/", carHost, b1, "Authorization", authorizationHeader(docID, "2023-11-14/car", "content-type;host", "0")), docID, true},
		{request("POST", "/", carHost, goDForm, "Content-Type", "application/x-www-form-urlencoded"), docID, true},
		{request("GET", "/x?Action=CreateSession&SecretId=a%2Bb", carHost, ""), "a+b", true},
		{request("GET", "/", carHost, "", "X-TC-Action", "Nonsense"), "", true},
		{request("GET", "/", carHost, ""), "", false},
		{request("POST", "/", carHost, b1, "Authorization", "Bearer x"), "", false},
	} {
		got := strings.Join(API.Identifiers(v.r), " ")
		if claimed := API.Claims(v.r); got != v.want || claimed != v.claimed {
			t.Errorf("%s %s %v: got %q, %v, want %q, %v", v.r.Method, v.r.Target, v.r.Header, got, claimed, v.want, v.claimed)
		}
	}
}
