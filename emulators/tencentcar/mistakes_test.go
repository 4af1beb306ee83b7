package tencentcar

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// send makes a step of a mistake's test of a request.
func send(r *contract.Request) func(testing.TB, *conformance.World) {
	return func(_ testing.TB, w *conformance.World) { w.Send(httpRequest(r)) }
}

// wrongTC3 sends what a client sends that signs with a mistake.
func wrongTC3(mistake func(*signing)) func(testing.TB, *conformance.World) {
	return send(misSigned(nil, mistake))
}

// wrongGet is wrongTC3 for a GET with this query.
func wrongGet(query string, mistake func(*signing)) func(testing.TB, *conformance.World) {
	return send(misSigned(func(r *contract.Request) {
		makeGet(r)
		r.URL.RawQuery = query
	}, mistake))
}

// wrongBody is wrongTC3 for the hash of another body than the one that is sent.
func wrongBody(sent, signed string) func(testing.TB, *conformance.World) {
	return send(misSigned(func(r *contract.Request) { r.Body = []byte(sent) }, func(s *signing) { s.payload = digest([]byte(signed)) }))
}

// withHeader sends a well-signed request with another Authorization header, made
// from the right one.
func withHeader(change func(string) string) func(testing.TB, *conformance.World) {
	r := misSigned(nil, nothing)
	r.Header.Set("Authorization", change(r.Header.Get("Authorization")))
	return send(r)
}

func replacing(old, with string) func(testing.TB, *conformance.World) {
	return withHeader(func(s string) string { return strings.Replace(s, old, with, 1) })
}

// signatureAs sends the right signature written in another way.
func signatureAs(write func([]byte) string) func(testing.TB, *conformance.World) {
	return withHeader(func(s string) string {
		before, text, _ := strings.Cut(s, "Signature=")
		raw, _ := hex.DecodeString(text)
		return before + "Signature=" + write(raw)
	})
}

// pairsV1 are the parameters of a call with signature v1.
func pairsV1(more ...pair) []pair {
	return append([]pair{
		{"UserId", "cg_user"},
		{"ClientSession", "a="},
		{"Action", "CreateSession"},
		{"Nonce", "7"},
		{"SecretId", docID},
		{"Timestamp", "1700000000"},
		{"Version", version},
	}, more...)
}

// wrongV1 sends what a client sends that signs with a mistake under signature v1.
func wrongV1(pairs []pair, mistake func(*signingV1), write func(*signingV1) string) func(testing.TB, *conformance.World) {
	s := &signingV1{method: "POST", host: carHost, uri: "/", pairs: sorted(pairs), secret: docKey}
	mistake(s)
	if write == nil {
		write = func(s *signingV1) string { return url.QueryEscape(s.signature()) }
	}
	body := ""
	for _, p := range pairs {
		body += p.name + "=" + url.QueryEscape(p.value) + "&"
	}
	return send(request("POST", "/", carHost, body+"Signature="+write(s), "Content-Type", formMedia))
}

// unsent makes the signing of another request.
func unsent(s *signing) { s.secret = "guess this" }

func unsentV1(s *signingV1) { s.secret = "guess this" }

// stamped sends a request with this timestamp and the day of it.
func stamped(stamp, day string) func(testing.TB, *conformance.World) {
	r := misSigned(nil, nothing)
	r.Header.Set("X-TC-Timestamp", stamp)
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "2023-11-14", day, 1))
	return send(r)
}

// called sends a well-signed call with these credentials and parameters.
func called(id, key, operation, body string, headers ...string) func(testing.TB, *conformance.World) {
	r := request("POST", "/", carHost, body, append([]string{"Content-Type", jsonMedia, "X-TC-Action", operation, "X-TC-Version", version, "X-TC-Timestamp", "1700000000"}, headers...)...)
	cl := &caller{timestamp: "1700000000", account: &account{SecretKey: key}, auth: authorization{date: "2023-11-14", service: service, signedHeaders: "content-type;host"}}
	s := signingOf(&contract.Call{Request: r}, cl)
	s.variant = documentedVariant(r)
	r.Header.Set("Authorization", authorizationHeader(id, "2023-11-14/car", cl.auth.signedHeaders, s.signature()))
	return send(r)
}

// formOf sends a body as a form.
func formOf(body string) func(testing.TB, *conformance.World) {
	return send(misSigned(func(r *contract.Request) {
		r.Body = []byte(body)
		r.Header.Set("Content-Type", formMedia)
	}, nothing))
}

const (
	general   = "signature_mismatch"
	tempID    = "AKIDtemporaryEXAMPLE"
	tempKey   = "temporarySecretKeyEXAMPLE"
	tempToken = "sts-token-example"
)

// Each mistake is recognised where it is made, and not where it is not.
func TestMistakes(t *testing.T) {
	t.Parallel()
	one, strict := conformance.Setting{Fixture: "one"}, conformance.Setting{Fixture: "one", Set: map[string]string{"verifier": "strict"}}
	upper := func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
	tilde := pair{"UserIp", "~??>"}
	region := pair{"Region", ""}
	spaced := pair{"RunMode", " a b "}
	tests := []conformance.MistakeTest{
		{Code: "signature_upper_case", Made: signatureAs(upper), Near: withHeader(func(string) string {
			r := misSigned(nil, unsent)
			upperCaseSignature(r)
			return r.Header.Get("Authorization")
		}), Told: general},
		{
			Code: "verifier_strict", Setting: strict,
			Made: send(misSigned(func(r *contract.Request) { r.Host = "127.0.0.1:8080" }, func(s *signing) { s.host = "127.0.0.1" })),
			Near: send(misSigned(func(r *contract.Request) { r.Host = "127.0.0.1:8080" }, func(s *signing) { s.host = "127.0.0.1:1" })), Told: general,
		},
		{
			Code: "verifier_strict", Setting: strict,
			Made: send(misSigned(func(r *contract.Request) { r.Header.Set("Content-Type", "application/json; charset=UTF-8") }, func(s *signing) { s.raw = true })),
		},
		{
			Code: "signature_not_encoded", Made: wrongV1(withPlusSignature(), nothingV1, (*signingV1).signature),
			Near: wrongV1(withPlusSignature(), unsentV1, (*signingV1).signature), Told: general,
		},
		{
			Code: "signature_encoded_twice", Made: wrongV1(pairsV1(), nothingV1, func(s *signingV1) string { return url.QueryEscape(url.QueryEscape(s.signature())) }),
			Near: wrongV1(pairsV1(), unsentV1, func(s *signingV1) string { return url.QueryEscape(url.QueryEscape(s.signature())) }), Told: general,
		},
		{
			Code: "signature_hex", Made: wrongV1(pairsV1(), nothingV1, func(s *signingV1) string { return hex.EncodeToString(s.mac()) }),
			Near: wrongV1(pairsV1(), unsentV1, func(s *signingV1) string { return hex.EncodeToString(s.mac()) }), Told: general,
		},
		{
			Code: "signature_base64_url", Made: wrongV1(pairsV1(), nothingV1, func(s *signingV1) string { return base64.RawURLEncoding.EncodeToString(s.mac()) }),
			Near: wrongV1(pairsV1(), unsentV1, func(s *signingV1) string { return base64.URLEncoding.EncodeToString(s.mac()) }), Told: general,
		},

		{Code: "key_without_TC3", Made: wrongTC3(func(s *signing) { s.prefix = "" }), Near: wrongTC3(func(s *signing) { s.prefix = "tc3" }), Told: general},
		{Code: "key_with_newline", Made: wrongTC3(func(s *signing) { s.secret += "\n" }), Near: wrongTC3(func(s *signing) { s.secret += "\t" }), Told: general},
		{Code: "key_with_newline", Made: wrongV1(pairsV1(), func(s *signingV1) { s.secret += "\r\n" }, nil)},
		{Code: "key_with_space", Made: wrongTC3(func(s *signing) { s.secret = `"` + s.secret + `"` }), Near: wrongTC3(func(s *signing) { s.secret += "\t" }), Told: general},
		{Code: "signed_with_secret_id", Made: wrongTC3(func(s *signing) { s.secret = docID }), Near: wrongTC3(func(s *signing) { s.secret = strings.ToLower(docID) }), Told: general},
		{Code: "signed_with_secret_id", Made: wrongV1(pairsV1(), func(s *signingV1) { s.secret = docID }, nil)},
		{Code: "signed_with_empty_key", Made: wrongTC3(func(s *signing) { s.secret = "" }), Near: wrongTC3(func(s *signing) { s.secret = "null" }), Told: general},
		{Code: "signed_with_other_key", Made: wrongTC3(func(s *signing) { s.secret = tempKey }), Near: wrongTC3(func(s *signing) { s.secret = "keyOfAnotherSandbox" }), Told: general},
		{Code: "signed_with_other_key", Made: wrongV1(pairsV1(), func(s *signingV1) { s.secret = tempKey }, nil)},

		{Code: "signed_host_port", Made: wrongTC3(func(s *signing) { s.host += ":443" }), Near: wrongTC3(func(s *signing) { s.host += ":9999" }), Told: general},
		{Code: "signed_host_port", Made: wrongV1(pairsV1(), func(s *signingV1) { s.host += ":6414" }, nil)},
		{Code: "signed_host_port", Made: send(misSigned(func(r *contract.Request) { r.Host = "localhost:8080" }, func(s *signing) { s.host = "localhost:6414" }))},
		{Code: "signed_other_host", Made: wrongTC3(func(s *signing) { s.host = "localhost" }), Near: wrongTC3(func(s *signing) { s.host = "proxy.example" }), Told: general},
		{Code: "signed_other_host", Made: wrongV1(pairsV1(), func(s *signingV1) { s.host = "cvm.tencentcloudapi.com" }, nil)},
		{Code: "signed_other_method", Made: wrongTC3(func(s *signing) { s.method = http.MethodGet }), Near: wrongTC3(func(s *signing) { s.method = http.MethodPut }), Told: general},
		{Code: "signed_other_method", Made: wrongTC3(func(s *signing) { s.method, s.payload = http.MethodGet, digest(nil) })},
		{Code: "signed_other_method", Made: wrongV1(pairsV1(), func(s *signingV1) { s.method = http.MethodGet }, nil)},
		{Code: "method_lower_case", Made: wrongTC3(func(s *signing) { s.method = "post" }), Near: wrongTC3(func(s *signing) { s.method = "Post" }), Told: general},
		{Code: "method_lower_case", Made: wrongV1(pairsV1(), func(s *signingV1) { s.method = "post" }, nil)},
		{Code: "empty_path", Made: wrongTC3(func(s *signing) { s.uri = "" }), Near: wrongTC3(func(s *signing) { s.uri = "/v2" }), Told: general},
		{Code: "signed_other_content_type", Made: wrongTC3(func(s *signing) { m := formMedia; s.contentType = &m }), Near: wrongTC3(func(s *signing) { m := "text/html"; s.contentType = &m }), Told: general},
		{Code: "signed_headers_unordered", Made: wrongTC3(func(s *signing) { s.lines = "host;content-type" }), Near: wrongTC3(func(s *signing) { s.lines = "host" }), Told: general},
		{Code: "signed_headers_unordered", Made: wrongTC3(func(s *signing) { s.signed = "host;content-type" })},
		{Code: "missing_blank_line", Made: wrongTC3(func(s *signing) { s.gap = "" }), Near: wrongTC3(func(s *signing) { s.gap = "\n\n" }), Told: general},

		{Code: "signed_local_date", Made: wrongTC3(func(s *signing) { s.date = "2023-11-15" }), Near: wrongTC3(func(s *signing) { s.date = "2023-11-16" }), Told: general},
		{Code: "signed_other_timestamp", Made: wrongTC3(func(s *signing) { s.timestamp = "1700000001" }), Near: wrongTC3(func(s *signing) { s.timestamp = "1700000009" }), Told: general},
		{Code: "signed_other_timestamp", Made: wrongTC3(func(s *signing) { s.timestamp = "1700000000000" })},
		{Code: "signed_other_timestamp", Made: wrongV1(pairsV1(), func(s *signingV1) { s.pairs[4].value = "1699999999" }, nil)},
		{Code: "signed_other_service", Made: wrongTC3(func(s *signing) { s.service = "cvm" }), Near: wrongTC3(func(s *signing) { s.service = "cos" }), Told: general},
		{
			Code: "signed_with_region", Made: send(misSigned(func(r *contract.Request) { r.Header.Set("X-TC-Region", "ap-guangzhou") }, func(s *signing) { s.keyRegion = "ap-guangzhou" })),
			Near: wrongTC3(func(s *signing) { s.keyRegion = "ap-guangzhou" }), Told: general,
		},
		{Code: "signed_other_scope_end", Made: wrongTC3(func(s *signing) { s.keyEnd = "aws4_request" }), Near: wrongTC3(func(s *signing) { s.keyEnd = "request" }), Told: general},
		{Code: "signed_other_scope_end", Made: wrongTC3(func(s *signing) { s.shortKey = true })},
		{Code: "signed_other_algorithm", Made: wrongTC3(func(s *signing) { s.algorithm = "TC3-HMAC-SHA1" }), Near: wrongTC3(func(s *signing) { s.algorithm = "SHA256" }), Told: general},

		{Code: "signed_other_query", Made: wrongGet("UserIp=1&UserId=u", func(s *signing) { s.query = "UserId=u&UserIp=1" }), Near: wrongGet("UserIp=1&UserId=u", func(s *signing) { s.query = "UserId=u" }), Told: general},
		{Code: "signed_other_query", Made: wrongGet("UserId=a%2520b", func(s *signing) { s.query = "UserId=a b" })},
		{Code: "signed_other_query", Made: wrongGet("UserId=a%20b", func(s *signing) { s.query = "UserId=a%2520b" })},
		{Code: "signed_other_query", Made: wrongGet("UserId=a+b", func(s *signing) { s.query = "UserId=a%20b" })},
		{Code: "payload_hashed_twice", Made: wrongTC3(func(s *signing) { s.payload = digest([]byte(s.payload)) }), Near: wrongTC3(func(s *signing) { s.payload = digest([]byte(digest([]byte(s.payload)))) }), Told: general},
		{Code: "payload_hash_upper_case", Made: wrongTC3(func(s *signing) { s.payload = strings.ToUpper(s.payload) }), Near: wrongTC3(func(s *signing) { s.payload = "0x" + s.payload }), Told: general},
		{Code: "signed_unsigned_payload", Made: wrongTC3(func(s *signing) { s.payload = digest([]byte(unsignedPayload)) }), Near: wrongTC3(func(s *signing) { s.payload = unsignedPayload }), Told: general},
		{Code: "signed_body_respaced", Made: wrongBody(b1, pythonBody), Near: wrongBody(b1, strings.Replace(pythonBody, ": ", " : ", 1)), Told: general},
		{Code: "signed_body_respaced", Made: wrongBody(`{"UserId":"å"}`, `{"UserId":"\u00e5"}`)},
		{Code: "signed_body_reordered", Made: wrongBody(`{"UserIp":"1","UserId":"u"}`, `{"UserId":"u","UserIp":"1"}`), Near: wrongBody(`{"A":"2","C":"1","B":"u"}`, `{"C":"1","B":"u","A":"2"}`), Told: general},
		{Code: "signed_other_body", Made: wrongBody(b1, ""), Near: wrongBody(b1, "[]"), Told: general},

		{Code: "signed_other_hash", Made: wrongV1(pairsV1(), func(s *signingV1) { s.sha256 = true }, nil), Near: wrongV1(pairsV1(), unsentV1, nil), Told: general},
		{Code: "signed_encoded_values", Made: wrongV1(pairsV1(), func(s *signingV1) { s.pairs = percentEncoded(s.pairs) }, nil), Near: wrongV1(pairsV1(), func(s *signingV1) { s.pairs = percentEncoded(percentEncoded(s.pairs)) }, nil), Told: general},
		{Code: "signed_encoded_values", Made: wrongV1(pairsV1(spaced), func(s *signingV1) {
			s.pairs = percentEncoded(s.pairs)
			for i := range s.pairs {
				s.pairs[i].value = strings.ReplaceAll(s.pairs[i].value, "+", "%20")
			}
		}, nil)},
		{
			Code: "signed_decoded_values", Made: wrongV1(pairsV1(pair{"RunMode", "a%20b"}), func(s *signingV1) { s.pairs = decodedOnceMore(s.pairs) }, nil),
			Near: wrongV1(pairsV1(pair{"RunMode", "a%252520b"}), func(s *signingV1) { s.pairs = decodedOnceMore(decodedOnceMore(s.pairs)) }, nil), Told: general,
		},
		{
			Code: "signed_plus_for_space", Made: wrongV1(pairsV1(spaced), func(s *signingV1) { s.pairs = withPlus(s.pairs) }, nil),
			Near: wrongV1(pairsV1(spaced), func(s *signingV1) { s.pairs[3].value = "_a_b_" }, nil), Told: general,
		},
		{
			Code: "signed_unsorted", Made: wrongV1(pairsV1(), func(s *signingV1) { s.pairs = pairsV1() }, nil),
			Near: wrongV1(pairsV1(), func(s *signingV1) { s.pairs[0], s.pairs[1] = s.pairs[1], s.pairs[0] }, nil), Told: general,
		},
		{Code: "signed_unsorted", Made: wrongV1(pairsV1(pair{"appId", "1"}, tilde), func(s *signingV1) {
			last := s.pairs[len(s.pairs)-1] // Action appId ClientSession …
			s.pairs = append([]pair{s.pairs[0], last}, s.pairs[1:len(s.pairs)-1]...)
		}, nil)},
		{
			Code: "signed_trimmed_values", Made: wrongV1(pairsV1(spaced), func(s *signingV1) { s.pairs = trimmed(s.pairs) }, nil),
			Near: wrongV1(pairsV1(spaced), func(s *signingV1) { s.pairs[3].value = "ab" }, nil), Told: general,
		},
		{
			Code: "signed_without_empty_values", Made: wrongV1(pairsV1(region), func(s *signingV1) { s.pairs = withoutEmpty(s.pairs) }, nil),
			Near: wrongV1(pairsV1(region), func(s *signingV1) { s.pairs = s.pairs[1:] }, nil), Told: general,
		},

		{Code: "authorization_other_algorithm", Made: replacing(algorithm, "AWS4-HMAC-SHA256"), Near: replacing(algorithm, "Bearer"), Told: "authorization_malformed"},
		{Code: "authorization_other_algorithm", Made: replacing(algorithm, "tc3-hmac-sha256")},
		{Code: "scope_date_format", Made: replacing("2023-11-14", "20231114"), Near: replacing("2023-11-14", "today"), Told: "authorization_malformed"},
		{Code: "scope_other_end", Made: replacing("tc3_request", "aws4_request"), Near: replacing("/car/", "//"), Told: "authorization_malformed"},
		{Code: "scope_other_end", Made: replacing("/tc3_request", "")},
		{Code: "signed_headers_case", Made: replacing("content-type;host", "Content-Type;Host"), Near: replacing("content-type;host", "Content-Type"), Told: "signed_headers_lack"},
		{Code: "signed_headers_lack", Made: replacing("content-type;host", "host"), Near: replacing("content-type;host", "host;"+strings.Repeat("a", maxSigned)), Told: "authorization_malformed"},
		{Code: "signature_base64", Made: signatureAs(base64.StdEncoding.EncodeToString), Near: signatureAs(func(b []byte) string { return base64.StdEncoding.EncodeToString(b[:31]) }), Told: "authorization_malformed"},
		{Code: "scope_local_date", Made: replacing("2023-11-14", "2023-11-15"), Near: replacing("2023-11-14", "2023-11-16"), Told: "scope_date"},

		{Code: "timestamp_other_unit", Made: stamped("1700000000000", "2023-11-14"), Near: stamped("1800000000000", "2023-11-14"), Told: "scope_date"},
		{Code: "timestamp_other_unit", Made: wrongV1(append(pairsV1()[:5], pair{"Timestamp", "1700000000000"}, pair{"Version", version}), nothingV1, nil)},
		{Code: "timestamp_time_zone", Made: stamped("1700028800", "2023-11-15"), Near: stamped("1700001000", "2023-11-14"), Told: "clock_skew"},
		{Code: "timestamp_time_zone", Made: stamped("1699980210", "2023-11-14")},
		{Code: "timestamp_not_whole", Made: stamped("1700000000.5", "2023-11-14"), Near: stamped("now", "2023-11-14"), Told: "common_parameter_no_number"},
		{Code: "timestamp_not_whole", Made: stamped("2023-11-14T22:13:20Z", "2023-11-14")},

		{Code: "secret_id_and_key_swapped", Made: called(docKey, docID, "CreateSession", b1), Near: called("anotherKey", docID, "CreateSession", b1), Told: "unknown_secret_id"},
		{Code: "secret_id_not_trimmed", Made: called(`"`+docID+`"`, docKey, "CreateSession", b1), Near: called(`x`+docID, docKey, "CreateSession", b1), Told: "unknown_secret_id"},
		{Code: "token_not_sent", Made: called(tempID, tempKey, "CreateSession", b1), Near: called(tempID, tempKey, "CreateSession", b1, "X-TC-Token", "x"), Told: "token_mismatch"},
		{
			Code: "token_of_other_key", Made: func(t testing.TB, w *conformance.World) {
				w.Instance(t).WithState(func(s contract.State) {
					st := s.(*state)
					st.Accounts = append(st.Accounts, account{SecretID: "AKIDother", SecretKey: "otherKeyEXAMPLE", Token: "otherToken"})
					if err := st.Reindex(); err != nil {
						t.Fatal(err)
					}
				})
				called("AKIDother", "otherKeyEXAMPLE", "CreateSession", b1, "X-TC-Token", tempToken)(t, w)
			},
			Near: called(tempID, tempKey, "CreateSession", b1, "X-TC-Token", tempToken+" and more"), Told: "token_mismatch",
		},

		{Code: "action_case", Made: called(docID, docKey, "createSession", b1), Near: called(docID, docKey, "CreateSessions", b1), Told: "unknown_action"},
		{Code: "json_sent_as_form", Made: formOf(`{"UserId":"u"}`), Near: formOf("UserId"), Told: "bad_form"},
		{Code: "form_sent_as_json", Made: called(docID, docKey, "CreateSession", "UserId=u&UserIp=1"), Near: called(docID, docKey, "CreateSession", "Hello=World"), Told: "body_not_json"},
		{Code: "parameter_name_case", Made: called(docID, docKey, "CreateSession", `{"userId":"u"}`), Near: called(docID, docKey, "CreateSession", `{"userIdentity":"u"}`), Told: "parameter_unknown"},
		{Code: "text_as_number", Made: called(docID, docKey, "CreateSession", `{"UserId":7}`), Near: called(docID, docKey, "CreateSession", `{"UserId":[7]}`), Told: "parameter_mistyped"},
	}
	for i := range tests {
		if tests[i].Setting.Fixture == "" {
			tests[i].Setting = one
		}
	}
	conformance.Mistakes(t, API, tests)
}

// withPlusSignature returns parameters whose signature has a +.
func withPlusSignature() []pair {
	pairs := pairsV1()
	for {
		s := &signingV1{method: "POST", host: carHost, uri: "/", pairs: sorted(pairs), secret: docKey}
		if strings.Contains(s.signature(), "+") {
			return pairs
		}
		pairs[3].value += "7"
	}
}
