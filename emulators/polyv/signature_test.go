package polyv

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

const docSecret = "fsq2k5weced1h8vui657xtdva66whf0g"

// TestSignatureVectors are the vectors of the page on signatures, of Polyv's own
// clients, and such as were computed by the same rule.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	v1 := []string{"channelIds", "2477096,2272655", "startDay", "2022-05-20", "endDay", "2022-06-18", "page", "", "size", ""}
	channel := []string{"channelId", "2272655"}
	plus := func(more ...string) []string { return append(slices.Clone(channel), more...) }
	for _, tt := range []struct {
		id      string
		params  []string
		hash    hash
		empties bool
		text    string // between the secrets; "" where no source prints it
		want    string
	}{
		{"V1", v1, md5Hash, false, "appIdg4rqgmmjuochannelIds2477096,2272655endDay2022-06-18startDay2022-05-20timestamp1660270926732", "0D2BDA2FD04D93A2B8832B91FD973C4D"},
		{"V2", v1, sha256Hash, false, "appIdg4rqgmmjuochannelIds2477096,2272655endDay2022-06-18startDay2022-05-20timestamp1660270926732", "42703C82180F933545C0E6E3372B5F6303C3A54F77629AA34C4CE3443F7B3B27"},
		{"V3", append(slices.Clone(v1), "signatureMethod", "SHA256"), sha256Hash, false, "", "C19D35BD44B2BD0A538D420D93F80C17EAD9604042098EA38621A2B5663ECEDF"},
		{"V4", channel, md5Hash, false, "appIdg4rqgmmjuochannelId2272655timestamp1660270926732", "B470C8957D383FC45DD617480CF48A6E"},
		{"V5", plus("startDate", "2022-04-01", "endDate", "2022-05-13 10:00:00", "page", "1", "pageSize", "10"), md5Hash, false, "appIdg4rqgmmjuochannelId2272655endDate2022-05-13 10:00:00page1pageSize10startDate2022-04-01timestamp1660270926732", "695AB932A125AF669D7C2DD1D024224E"},
		{"V6", plus("startDate", "2022-04-01", "endDate", "2022-05-13", "page", "1", "pageSize", "10", "requestId", "66e7ad29fd04425a84c2b2b562d2025b"), md5Hash, false, "", "546786A0A3385B6F0E32B6D21B743DD3"},
		{"V7", plus("startDate", "", "page", "2"), md5Hash, false, "", "37B0A356D482D189A1A05107E291FB4E"},
		{"V7b", plus("startDate", "", "page", "2"), md5Hash, true, "", "B96CC7DE6812A9DE981E7E1E6D86CF81"},
		{"V8", plus("keyword", "测试 a+b"), md5Hash, false, "", "2A7568676E5D032C80C26F0A61B71D00"},
		{"V9", plus("signatureMethod", "SHA256"), sha256Hash, false, "", "B8BAC24B54827B573623F1AA174CDBEBBEDB4299A66432A6F7C0CA74157030F2"},
		{"V9b", channel, sha256Hash, false, "", "A8D329A9930A4E084F5F95BCB48A2425F5C487A4F618B387B6C3A54EA76B96FD"},
		{"V10", plus("page", "2", "pageSize", "2"), md5Hash, false, "", "01BF052B863AA9E0128D65F99C166652"},
		{"V11", nil, md5Hash, false, "appIdg4rqgmmjuotimestamp1660270926732", "0545CB7811874FB16247E9A0635B121F"},
		{"V12", plus("signatureNonce", "5d41402abc4b2a76b9719d911017c592"), md5Hash, false, "", "2A37B5B44724B957D800B6B561F52C41"},
		{"V13", []string{"a", "1", "B", "2", "a1", "3", "aB", "4", "_x", "5"}, md5Hash, false, "B2_x5a1a13aB4appIdg4rqgmmjuotimestamp1660270926732", "77116192BE5CD3365F5B06C6E01A5103"},
	} {
		pairs := []pair{{"appId", "g4rqgmmjuo"}, {"timestamp", "1660270926732"}, {"sign", "anything"}}
		for i := 0; i < len(tt.params); i += 2 {
			pairs = append(pairs, pair{tt.params[i], tt.params[i+1]})
		}
		s := &signing{pairs: firstOfEach(pairs), head: docSecret, tail: docSecret, hash: tt.hash, empties: tt.empties}
		if got := s.signature(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.id, got, tt.want)
		}
		if got := string(s.append(nil)); tt.text != "" && got != docSecret+tt.text+docSecret {
			t.Errorf("%s: got the text %s, want %s between the secrets", tt.id, got, tt.text)
		}
	}
}

// The rule of callbacks is another one.
func TestCallbackSign(t *testing.T) {
	t.Parallel()
	if got, want := callbackSign(docSecret, "1557976774000"), "84bd31e99cbd6805dbf899facd43ef3b"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"invalid signature.": "invalidSignature", "param should not be empty: {param}": "paramShouldNotBeEmpty",
		"appId is required.": "appIdIsRequired", "param is not boolean (Y / N)": "paramIsNotBoolean",
		"qps exceeds number of calls": "qpsExceedsNumberOfCalls", "redirect": "redirect",
	} {
		if got := outcomeName(message); got != want {
			t.Errorf("%s: got %s, want %s", message, got, want)
		}
	}
}

// A caller is known by the appId, wherever it stands.
func TestCallers(t *testing.T) {
	t.Parallel()
	get := func(query string) *contract.Request {
		return &contract.Request{Method: http.MethodGet, URL: &url.URL{RawQuery: query}, Header: http.Header{}}
	}
	body := []byte("channelId=1&appId=frlr1zazn3")
	form := &contract.Request{Method: http.MethodPost, URL: &url.URL{RawQuery: "x=1"}, Header: http.Header{}, Body: body}
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	text := &contract.Request{Method: http.MethodPost, URL: &url.URL{RawQuery: "x=1"}, Header: http.Header{}, Body: body}
	for name, tt := range map[string]struct {
		r    *contract.Request
		want string
	}{
		"query":     {get("a=1&appId=frlr1zazn3&sign=x"), "frlr1zazn3"},
		"encoded":   {get("%61ppId=frlr%31zazn3"), "frlr1zazn3"},
		"form":      {form, "frlr1zazn3"},
		"no form":   {text, ""},
		"empty":     {get("appId=&sign=x"), ""},
		"not there": {get(""), ""},
	} {
		if got := strings.Join(identifiers(tt.r), " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// FuzzCanonical reads any query and makes its text: nothing panics, the order
// in which parameters came is of no matter, and the sign is never a part.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{"a=1&B=2&a1=3", "a=%zz&b=%E6%B5%8B+x", "=&&==&a&sign=x&sign=y", "a=1&a=2&%61=3", strings.Repeat("a=1&", 50)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		pairs := firstOfEach(split(query))
		for i, p := range pairs {
			if i > 0 && pairs[i-1].name >= p.name {
				t.Fatalf("%q: %q stands before %q", query, pairs[i-1].name, p.name)
			}
		}
		s := &signing{pairs: pairs, head: docSecret, tail: docSecret}
		text := s.append(nil)
		if want := "{" + (&attempt{signing: *s}).separator() + "}"; string(text) != docSecret+want[1:len(want)-1]+docSecret {
			t.Fatalf("%q: got the text %q, and %q is shown", query, text, want)
		}
		sum := s.signature()
		if raw, err := hex.DecodeString(sum); err != nil || len(raw) != 16 || sum != strings.ToUpper(sum) {
			t.Fatalf("%q: got the sign %q", query, sum)
		}
		reversed := slices.Clone(pairs)
		slices.Reverse(reversed)
		again := &signing{pairs: firstOfEach(reversed), head: docSecret, tail: docSecret}
		if again.signature() != sum {
			t.Fatalf("%q: another order gives another sign", query)
		}
	})
}

// FuzzDate holds what is read as a date against how it was written.
func FuzzDate(f *testing.F) {
	for _, seed := range []string{"2022-04-29", "2022-04-29 23:59:59", "2022-02-30", "2022-04-01T10:00:00", "2022-04-01 1:00:000", "2022-04-01 10:00:00.5", "0000-01-01", "99999-01-01"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseDate(s)
		if !ok {
			return
		}
		layout := dateTime
		if len(s) == 10 {
			layout = "2006-01-02"
		}
		if got.Format(layout) != s {
			t.Fatalf("%q was read as %s", s, got)
		}
	})
}

// FuzzQuery sends any query down to the decision: it ends in an outcome of the
// operation, and nothing panics.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"channelId=2272655&page=0&pageSize=ten", "channelId=2272655&startDate=2022-02-30&endDate=x", "channelId=&channelId=1",
		"channelId=2272655&page=2147483647&pageSize=1000", "sessionIds=a,,b&channelId=1947328&startTime=99999999999999999999&endTime=1", "channelIds=1,2,,3",
	} {
		f.Add(seed, uint8(0))
	}
	api, latest := recordOutcomes()
	f.Fuzz(func(t *testing.T, query string, n uint8) {
		op := API.Operations[int(n)%len(API.Operations)]
		w := conformance.New(t, api, conformance.Setting{Clock: pageDay, Auth: contract.Off})
		answer := w.Send(newRequest(op.Method, strings.ReplaceAll(op.Path, "{channelId}", "2272655"), query, ""))
		e := w.Last(t)
		if e.Operation != op.Name || e.Outcome != latest().Name || API.Outcome(op, e.Outcome) != latest() {
			t.Fatalf("%s?%q ended in %s of %s, which it does not declare", op.Name, query, e.Outcome, e.Operation)
		}
		if e.Status == 0 || answer.Code != e.Status || answer.Body.Len() == 0 {
			t.Fatalf("%s?%q was answered %d %q", op.Name, query, answer.Code, answer.Body)
		}
	})
}
