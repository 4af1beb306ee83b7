package polyv

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
)

// Each mistake that clients are known to make is proven by making it, and no
// explanation shows a secret.
func TestExplain(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		extra   []pair // sent beside the channel
		mistake func(*attempt)
		cause   string
		differs string
		empties string
	}{
		"empty values": {
			extra: []pair{{"startDate", ""}}, mistake: func(a *attempt) { a.empties = true },
			cause: "empty_values_signed", differs: `expected "timestamp16`, empties: "they would have matched",
		},
		"lower case":          {mistake: func(a *attempt) { a.lower = true }, cause: "sign_lower_case"},
		"SHA-256 unasked":     {mistake: func(a *attempt) { a.hash = sha256Hash }, cause: "signed_with_sha256"},
		"SHA-256 not sent":    {mistake: func(a *attempt) { a.hash, a.pairs = sha256Hash, withPair(a.pairs, pair{"signatureMethod", "SHA256"}) }, cause: "signed_with_sha256"},
		"MD5 for SHA-256":     {extra: []pair{{"signatureMethod", "SHA256"}}, mistake: func(a *attempt) { a.hash = md5Hash }, cause: "signed_with_md5"},
		"the method unsigned": {extra: []pair{{"signatureMethod", "SHA256"}}, mistake: func(a *attempt) { a.hash, a.pairs = sha256Hash, leaveOut(a.pairs, "signatureMethod") }, cause: "signature_method_not_signed", differs: `expected "signatureMethodSHA256tim…`},
		"no secret behind":    {mistake: func(a *attempt) { a.tail = "" }, cause: "secret_missing_at_end", differs: `got the end`},
		"no secret before":    {mistake: func(a *attempt) { a.head = "" }, cause: "secret_missing_at_start", differs: `at character 1: expected "{appSecret}`},
		"no secret":           {mistake: func(a *attempt) { a.head, a.tail = "", "" }, cause: "secret_missing"},
		"the appId for it":    {mistake: func(a *attempt) { a.head, a.tail = "frlr1zazn3", "frlr1zazn3" }, cause: "signed_with_app_id"},
		"the userId for it":   {mistake: func(a *attempt) { a.head, a.tail = "1b448be323", "1b448be323" }, cause: "signed_with_user_id"},
		"a line feed":         {mistake: func(a *attempt) { a.head, a.tail = docSecret+"\n", docSecret+"\n" }, cause: "secret_with_space"},
		"another's secret":    {mistake: func(a *attempt) { a.head, a.tail = "othersecretEXAMPLE", "othersecretEXAMPLE" }, cause: "signed_with_other_secret"},
		"an HMAC":             {mistake: func(a *attempt) { a.keyed = true }, cause: "signed_with_hmac"},
		"unsorted":            {extra: []pair{{"a", "1"}}, mistake: func(a *attempt) { a.pairs = sentOrder(pair{"a", "1"}) }, cause: "parameters_not_sorted"},
		"sorted without case": {extra: []pair{{"Zeta", "1"}}, mistake: func(a *attempt) {
			slices.Reverse(a.pairs[:1])
			a.pairs = append(leaveOut(a.pairs, "Zeta"), pair{"Zeta", "1"})
		}, cause: "parameters_not_sorted"},
		"encoded": {extra: []pair{{"endDate", "2022-05-13 10:00:00"}}, mistake: func(a *attempt) { a.write = func(p pair) string { return p.name + url.QueryEscape(p.value) } }, cause: "signed_encoded_values", differs: `expected " 10:00:00page`},
		"encoded with %20": {extra: []pair{{"endDate", "2022-05-13 10:00:00"}}, mistake: func(a *attempt) {
			a.write = func(p pair) string { return p.name + strings.ReplaceAll(url.QueryEscape(p.value), "+", "%20") }
		}, cause: "signed_encoded_values"},
		"a plus sign": {extra: []pair{{"keyword", "a b"}}, mistake: func(a *attempt) {
			a.write = func(p pair) string { return p.name + strings.ReplaceAll(p.value, " ", "+") }
		}, cause: "plus_not_encoded"},
		"equals signs": {mistake: func(a *attempt) { a.write = func(p pair) string { return p.name + "=" + p.value } }, cause: "signed_with_separators", differs: `at character 17: expected "frlr1zazn3`},
		"name=value&":  {mistake: func(a *attempt) { a.write, a.join = func(p pair) string { return p.name + "=" + p.value }, "&" }, cause: "signed_with_separators"},
		"ampersands":   {mistake: func(a *attempt) { a.join = "&" }, cause: "signed_with_separators"},
		"values alone": {mistake: func(a *attempt) { a.write = func(p pair) string { return p.value } }, cause: "values_signed_alone"},
		"the last of two": {extra: []pair{{"page", "2"}}, mistake: func(a *attempt) {
			a.pairs[slices.IndexFunc(a.pairs, func(p pair) bool { return p.name == "page" })].value = "2"
		}, cause: "repeated_parameter", differs: `expected "1timestamp`},
		"a userId unsent": {mistake: func(a *attempt) { a.pairs = withPair(a.pairs, pair{"userId", "1b448be323"}) }, cause: "parameter_not_sent"},
		"the protocol alone": {mistake: func(a *attempt) {
			a.pairs = slices.DeleteFunc(a.pairs, func(p pair) bool { return p.name == "channelId" || p.name == "page" })
		}, cause: "protocol_alone_signed"},
		"one not signed":       {extra: []pair{{"requestId", "66e7ad29"}}, mistake: func(a *attempt) { a.pairs = leaveOut(a.pairs, "requestId") }, cause: "parameter_not_signed", differs: `expected "requestId66e7ad29tim`},
		"something else":       {mistake: func(a *attempt) { a.head = "guess this" }, cause: "signature_mismatch", differs: "at character 1: ", empties: "there are none"},
		"else, without values": {extra: []pair{{"startDate", ""}}, mistake: func(a *attempt) { a.head = "guess this" }, cause: "signature_mismatch", empties: "they would not have matched either"},
		"a secret sent":        {extra: []pair{{"appSecret", docSecret}}, mistake: func(a *attempt) { a.head = "guess this" }, cause: "signature_mismatch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := conformance.New(t, API, conformance.Setting{Clock: pageDay, Set: map[string]string{"empty_values": "documented"}})
			wrongSign(v.extra, v.mistake)(t, w)
			got := w.Last(t)
			if got.Outcome != invalidSignature.Name || got.Explanation == nil {
				t.Fatalf("got %s", got.Outcome)
			}
			e := got.Explanation
			if e.Cause != v.cause || !strings.Contains(e.FirstDifference, v.differs) || e.FirstDifference == "" {
				t.Errorf("got %s (%s), %q, want %s, %q", e.Cause, e.Text, e.FirstDifference, v.cause, v.differs)
			}
			if got, _ := e.Facts.Get("with empty values"); v.empties != "" && got != v.empties {
				t.Errorf("of empty values: got %v, want %s", got, v.empties)
			}
			if !strings.Contains(e.Expected, "channelId = 2272655") || !strings.Contains(e.Expected, "Text: {appSecret}") {
				t.Errorf("expected is reported as %s", e.Expected)
			}
			for _, secret := range []string{docSecret, "othersecretEXAMPLE"} {
				if text := e.Text + e.Expected + e.Got + e.FirstDifference; strings.Contains(text, secret) {
					t.Errorf("a secret is shown: %s", text)
				}
			}
		})
	}
}

// wrongSign sends what a client sends that signs with a mistake. extra is sent beside
// the channel.
func wrongSign(extra []pair, mistake func(*attempt)) func(testing.TB, *conformance.World) {
	return func(t testing.TB, w *conformance.World) {
		withState(t, w, func(s *state) {
			s.Applications = append(s.Applications, application{AppID: "other", AppSecret: "othersecretEXAMPLE", UserID: "x"})
			if err := s.Reindex(); err != nil {
				t.Fatal(err)
			}
		})
		sent := sentOrder(extra...)
		a := &attempt{signing: signing{pairs: firstOfEach(slices.Clone(sent)), head: docSecret, tail: docSecret}}
		mistake(a)
		w.Send(newRequest("GET", listSessionData.Path, encode(append(sent, pair{"sign", a.sum()})), ""))
	}
}

func sentOrder(more ...pair) []pair {
	return append([]pair{{"timestamp", "1652411923329"}, {"page", "1"}, {"channelId", "2272655"}, {"appId", "frlr1zazn3"}}, more...)
}

// Where the form alone or the query alone was signed, the explanation says so.
func TestExplainForm(t *testing.T) {
	t.Parallel()
	query, form := []pair{{"channelId", "2272655"}}, []pair{{"appId", "frlr1zazn3"}, {"timestamp", "1652411923329"}, {"externalSessionId", "x"}}
	for _, v := range []struct {
		signed []pair
		body   bool
		cause  string
	}{
		{form, false, "query_not_signed"},
		{query, false, "form_not_signed"},
		{append(slices.Clone(query), form...), true, "body_signed"},
	} {
		w := conformance.New(t, API, conformance.Setting{Clock: pageDay})
		a := &attempt{signing: signing{pairs: firstOfEach(slices.Clone(v.signed)), head: docSecret, tail: docSecret}}
		sentQuery, sentBody, contentType := encode(query), encode(form), "application/x-www-form-urlencoded"
		if v.body {
			sentQuery, sentBody, contentType = encode(v.signed), "{}", "application/json"
			a.tail = sentBody + docSecret
		}
		if v.cause == "query_not_signed" {
			sentBody += "&sign=" + a.sum()
		} else {
			sentQuery += "&sign=" + a.sum()
		}
		r := newRequest("POST", bindExternalSession.Path, sentQuery, sentBody)
		r.Header.Set("Content-Type", contentType)
		w.Send(r)
		got := w.Last(t)
		if got.Outcome != invalidSignature.Name || got.Explanation == nil {
			t.Fatalf("%s: got %s", v.cause, got.Outcome)
		}
		if e := got.Explanation; e.Cause != v.cause {
			t.Errorf("got %s (%s), want %s", e.Cause, e.Text, v.cause)
		}
	}
}

// The explanation of a huge request is bounded, and tries no mistakes.
func TestExplainHuge(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{Clock: pageDay})
	w.Send(newRequest("GET", listSessionData.Path, encode(sentOrder(pair{"x", strings.Repeat("课", 40_000)}))+"&sign=x", ""))
	e := w.Last(t).Explanation
	if e == nil {
		t.Fatalf("the journal explains nothing of %s", w.Last(t).Outcome)
	}
	if e.Cause != "signature_mismatch" || len(e.Expected) > maxGuessed+3 {
		t.Errorf("got %s and %d bytes", e.Cause, len(e.Expected))
	}
}
