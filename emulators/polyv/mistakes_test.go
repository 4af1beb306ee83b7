package polyv

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
)

// sent sends a request with this query and body.
func sent(method, path, query, body string) func(testing.TB, *conformance.World) {
	return func(_ testing.TB, w *conformance.World) {
		r := newRequest(method, path, query, body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(body, "{") {
			r.Header.Set("Content-Type", "application/json")
		}
		w.Send(r)
	}
}

// listed asks for the sessions of a channel with these parameters in place of the
// usual ones, well signed where the secret is the right one.
func listed(changed ...pair) func(testing.TB, *conformance.World) {
	pairs := sentOrder()
	for _, p := range changed {
		pairs = slices.DeleteFunc(pairs, func(q pair) bool { return strings.EqualFold(q.name, p.name) })
		pairs = append(pairs, p)
	}
	a := &attempt{signing: signing{pairs: firstOfEach(slices.Clone(pairs)), head: docSecret, tail: docSecret}}
	return sent("GET", listSessionData.Path, encode(append(pairs, pair{"sign", a.sum()})), "")
}

// secretAs signs with another text in place of the secret.
func secretAs(secret string) func(*attempt) {
	return func(a *attempt) { a.head, a.tail = secret, secret }
}

// valuesAs signs values that are changed.
func valuesAs(change func(string) string) func(*attempt) {
	return func(a *attempt) { a.pairs = withValues(a.pairs, change) }
}

// valueAs signs another value of one parameter.
func valueAs(name, value string) func(*attempt) {
	return func(a *attempt) { a.pairs = withPair(leaveOut(a.pairs, name), pair{name, value}) }
}

// omitting signs without the parameters of these names.
func omitting(names ...string) func(*attempt) {
	return func(a *attempt) {
		for _, name := range names {
			a.pairs = leaveOut(a.pairs, name)
		}
	}
}

// Each mistake is recognised where it is made, and not where it is not.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const general = "signature_mismatch"
	empty, spaced := []pair{{"startDate", ""}}, []pair{{"keyword", " a b "}}
	sha := []pair{{"signatureMethod", "SHA256"}}
	hashed := func(mistake func(*attempt)) func(*attempt) {
		return func(a *attempt) {
			a.hash = sha256Hash
			mistake(a)
		}
	}
	ordered := func(names ...string) func(*attempt) {
		return func(a *attempt) {
			slices.SortStableFunc(a.pairs, func(p, q pair) int { return slices.Index(names, p.name) - slices.Index(names, q.name) })
		}
	}
	written := func(write func(pair) string, join string) func(*attempt) {
		return func(a *attempt) { a.write, a.join = write, join }
	}
	query, form := []pair{{"channelId", "2272655"}}, []pair{{"appId", "frlr1zazn3"}, {"timestamp", "1652411923329"}, {"externalSessionId", "x"}}
	// posted sends query and form, and signs these pairs with this text behind them.
	posted := func(signed []pair, behind, body string, query []pair) func(testing.TB, *conformance.World) {
		a := &attempt{signing: signing{pairs: firstOfEach(slices.Clone(signed)), head: docSecret, tail: behind + docSecret}}
		return sent("POST", bindExternalSession.Path, encode(append(slices.Clone(query), pair{"sign", a.sum()})), body)
	}
	both := append(slices.Clone(query), form...)
	tests := []conformance.MistakeTest{
		{Code: "empty_values_signed", Made: wrongSign(empty, func(a *attempt) { a.empties = true }), Near: wrongSign(empty, func(a *attempt) { a.pairs = withPair(a.pairs, pair{"endDate", "null"}) }), Told: general},
		{Code: "sign_lower_case", Made: wrongSign(nil, func(a *attempt) { a.lower = true }), Near: wrongSign(nil, func(a *attempt) { a.lower, a.head = true, "guess" }), Told: general},
		{Code: "sign_lower_case", Made: wrongSign(empty, func(a *attempt) { a.lower, a.empties = true, true })},
		{Code: "sign_base64", Made: wrongSign(nil, func(a *attempt) { a.base64 = true }), Near: wrongSign(nil, func(a *attempt) { a.base64, a.head = true, "guess" }), Told: general},
		{Code: "signature_method_not_signed", Made: wrongSign(sha, hashed(omitting("signatureMethod"))), Near: wrongSign(sha, hashed(omitting("signatureMethod", "timestamp"))), Told: general},
		{Code: "signed_with_sha256", Made: wrongSign(nil, hashed(func(*attempt) {})), Near: wrongSign(nil, hashed(omitting("page"))), Told: general},
		{Code: "signed_with_md5", Made: wrongSign(sha, func(*attempt) {}), Near: wrongSign(sha, omitting("page")), Told: general},

		{Code: "secret_missing_at_end", Made: wrongSign(nil, func(a *attempt) { a.tail = "" }), Near: wrongSign(nil, func(a *attempt) { a.tail = docSecret[1:] }), Told: general},
		{Code: "secret_missing_at_start", Made: wrongSign(nil, func(a *attempt) { a.head = "" }), Near: wrongSign(nil, func(a *attempt) { a.head = docSecret[1:] }), Told: general},
		{Code: "secret_missing", Made: wrongSign(nil, secretAs("")), Near: wrongSign(nil, secretAs("undefined")), Told: general},
		{Code: "signed_with_app_id", Made: wrongSign(nil, secretAs("frlr1zazn3")), Near: wrongSign(nil, secretAs("FRLR1ZAZN3")), Told: general},
		{Code: "signed_with_user_id", Made: wrongSign(nil, secretAs("1b448be323")), Near: wrongSign(nil, secretAs("1B448BE323")), Told: general},
		{Code: "signed_with_hmac", Made: wrongSign(nil, func(a *attempt) { a.keyed = true }), Near: wrongSign(nil, func(a *attempt) { a.keyed, a.head = true, "guess" }), Told: general},
		{Code: "secret_with_space", Made: wrongSign(nil, secretAs(docSecret+"\n")), Near: wrongSign(nil, secretAs(docSecret+"\t")), Told: general},
		{Code: "secret_with_space", Made: wrongSign(nil, secretAs(`"`+docSecret+`"`))},
		{Code: "signed_with_other_secret", Made: wrongSign(nil, secretAs("othersecretEXAMPLE")), Near: wrongSign(nil, secretAs("secretOfAnotherSandbox")), Told: general},

		{Code: "parameters_not_sorted", Made: wrongSign(nil, ordered("timestamp", "page", "channelId", "appId")), Near: wrongSign(nil, ordered("page", "timestamp", "appId", "channelId")), Told: general},
		{Code: "parameters_not_sorted", Made: wrongSign(nil, func(a *attempt) { slices.Reverse(a.pairs) })},
		{Code: "plus_not_encoded", Made: wrongSign(spaced, valuesAs(plusForSpace)), Near: wrongSign(spaced, valuesAs(func(s string) string { return strings.ReplaceAll(s, " ", "_") })), Told: general},
		{Code: "signed_encoded_values", Made: wrongSign(spaced, valuesAs(spaceAsHex)), Near: wrongSign(spaced, valuesAs(func(s string) string { return url.QueryEscape(spaceAsHex(s)) })), Told: general},
		{Code: "sent_encoded_twice", Made: wrongSign([]pair{{"keyword", "a%20b"}}, valuesAs(decodedOnceMore)), Near: wrongSign([]pair{{"keyword", "a%252520b"}}, valuesAs(func(s string) string { return decodedOnceMore(decodedOnceMore(s)) })), Told: general},
		{Code: "signed_trimmed_values", Made: wrongSign(spaced, valuesAs(strings.TrimSpace)), Near: wrongSign(spaced, valuesAs(func(s string) string { return strings.ReplaceAll(s, " ", "") })), Told: general},
		{Code: "signed_with_separators", Made: wrongSign(nil, written(nil, "&")), Near: wrongSign(nil, written(nil, ",")), Told: general},
		{Code: "signed_with_separators", Made: wrongSign(nil, written(func(p pair) string { return p.name + "=" + p.value }, ""))},
		{Code: "values_signed_alone", Made: wrongSign(nil, written(func(p pair) string { return p.value }, "")), Near: wrongSign(nil, written(func(p pair) string { return p.name }, "")), Told: general},
		{Code: "repeated_parameter", Made: wrongSign([]pair{{"page", "2"}}, valueAs("page", "2")), Near: wrongSign([]pair{{"page", "2"}}, valueAs("page", "3")), Told: general},

		{Code: "form_not_signed", Made: posted(query, "", encode(form), query), Near: posted(append(slices.Clone(query), form[0]), "", encode(form), query), Told: general},
		{Code: "query_not_signed", Made: posted(form, "", encode(form), query), Near: posted(form[1:], "", encode(form), query), Told: general},
		{Code: "parameter_not_sent", Made: wrongSign(nil, func(a *attempt) { a.pairs = withPair(a.pairs, pair{"userId", "1b448be323"}) }), Near: wrongSign(nil, func(a *attempt) { a.pairs = withPair(a.pairs, pair{"userId", "x"}) }), Told: general},
		{Code: "protocol_alone_signed", Made: wrongSign(nil, omitting("channelId", "page")), Near: wrongSign(nil, omitting("channelId", "page", "appId")), Told: general},
		{Code: "body_signed", Made: posted(both, "{}", "{}", both), Near: posted(both, "{ }", "{}", both), Told: general},
		{Code: "signed_other_timestamp", Made: wrongSign(nil, valueAs("timestamp", "1652411923331")), Near: wrongSign(nil, valueAs("timestamp", "1652411900000")), Told: general},
		{Code: "signed_other_timestamp", Made: wrongSign(nil, valueAs("timestamp", "1652411923"))},
		{Code: "parameter_not_signed", Made: wrongSign([]pair{{"requestId", "7"}}, omitting("requestId")), Near: wrongSign([]pair{{"requestId", "7"}}, omitting("requestId", "page")), Told: general},

		{Code: "sign_named_otherwise", Made: sent("GET", listSessionData.Path, encode(sentOrder(pair{"Sign", "A"})), ""), Near: sent("GET", listSessionData.Path, encode(sentOrder(pair{"hash", "A"})), ""), Told: "sign_missing"},
		{Code: "signature_method_spelling", Made: listed(pair{"signatureMethod", "SHA-256"}), Near: listed(pair{"signatureMethod", "SHA-512"}), Told: "signature_method_unknown"},
		{Code: "app_id_named_otherwise", Made: listed(pair{"appID", "frlr1zazn3"}), Near: listed(pair{"appId", ""}), Told: "app_id_missing"},
		{
			Code: "parameters_in_json", Made: sent("POST", bindExternalSession.Path, "channelId=1", `{"appId":"frlr1zazn3"}`),
			Near: sent("POST", bindExternalSession.Path, "channelId=1", `{"app":"frlr1zazn3"}`), Told: "app_id_missing",
		},
		{Code: "user_id_as_app_id", Made: listed(pair{"appId", "1b448be323"}), Near: listed(pair{"appId", "9f2e4c7a10"}), Told: "unknown_app_id"},
		{Code: "app_id_and_secret_swapped", Made: listed(pair{"appId", docSecret}), Near: listed(pair{"appId", docSecret[1:]}), Told: "unknown_app_id"},
		{Code: "app_id_not_trimmed", Made: listed(pair{"appId", "frlr1zazn3\n"}), Near: listed(pair{"appId", "frlr1zazn3."}), Told: "unknown_app_id"},

		{Code: "timestamp_other_unit", Made: listed(pair{"timestamp", "1652411923329000"}), Near: listed(pair{"timestamp", "1752411923329000"}), Told: "timestamp_malformed"},
		{Code: "timestamp_as_date", Made: listed(pair{"timestamp", "2022-05-13T03:18:43Z"}), Near: listed(pair{"timestamp", "2022-05-13 at three"}), Told: "timestamp_malformed"},
		{Code: "timestamp_with_fraction", Made: listed(pair{"timestamp", "1652411923.329"}), Near: listed(pair{"timestamp", "1652411923,329"}), Told: "timestamp_malformed"},
		{Code: "timestamp_time_zone", Made: listed(pair{"timestamp", "1652440723329"}), Near: listed(pair{"timestamp", "1652412923329"}), Told: "clock_skew"},

		{Code: "path_spelling", Made: sent("GET", strings.ToUpper(listSessionData.Path), "", ""), Near: sent("GET", "/live/v3/channel/session/none", "", ""), Told: "unknown_path"},
		{Code: "path_spelling", Made: sent("GET", "/"+listSessionData.Path, "", "")},
		{Code: "parameter_name_case", Made: listed(pair{"ChannelID", "2272655"}), Near: listed(pair{"channelId", ""}), Told: "parameter_missing"},
		{Code: "number_not_trimmed", Made: listed(pair{"channelId", "2272655 "}), Near: listed(pair{"channelId", "2272655a"}), Told: "parameter_no_number"},
		{Code: "date_form", Made: listed(pair{"startDate", "2022/05/13"}), Near: listed(pair{"startDate", "yesterday"}), Told: "date_malformed"},
	}
	for i := range tests {
		tests[i].Setting = conformance.Setting{Clock: pageDay, Set: map[string]string{"empty_values": "documented"}}
	}
	conformance.Mistakes(t, API, tests)
}
