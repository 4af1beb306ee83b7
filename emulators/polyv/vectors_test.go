package polyv_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/polyv"
	"github.com/understudy-suite/understudy/internal/conformance"
)

// pageDay is when the page of the session list was written.
var pageDay = time.UnixMilli(1652411923329)

// The vectors are 28 requests to the session list, signed with the published
// secret.
type vectors struct {
	Secret string
	AppID  string
	Now    int64
	Cases  []struct{ ID, Query, Sign string }
}

func parseRequest(t *testing.T) (v vectors) {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Cases) != 28 || v.Now != pageDay.UnixMilli() {
		t.Fatalf("got %d cases at %d", len(v.Cases), v.Now)
	}
	return v
}

const listPath = "/live/v3/channel/session/data/list"

func get(w *conformance.World, path, query string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path+"?"+query, nil)
	r.Host = "api.polyv.net"
	return w.Send(r)
}

// The sessions of the document by their letters: E is older than sixty days.
var letters = map[string]string{"A": "g9lv2ghv2x", "B": "g9b3pwv2b7", "C": "g8ms75epoj", "D": "g87lv4kjh2", "E": "g7ghyk1kiv"}

const seedAnswer = `{"code":200,"status":"success","message":"","data":{"pageSize":10,"pageNumber":1,"totalItems":4,"contents":[` +
	`{"sessionId":"g9lv2ghv2x","channelId":2272655,"userId":"1b448be323","startTime":1652062574000,"endTime":1652062643000,"customId":null},` +
	`{"sessionId":"g9b3pwv2b7","channelId":2272655,"userId":"1b448be323","startTime":1651219401000,"endTime":1651219592000,"customId":null},` +
	`{"sessionId":"g8ms75epoj","channelId":2272655,"userId":"1b448be323","startTime":1649313582000,"endTime":1649313757000,"customId":null},` +
	`{"sessionId":"g87lv4kjh2","channelId":2272655,"userId":"1b448be323","startTime":1648124333000,"endTime":1648124412000,"customId":null}],` +
	`"limit":4,"nextPageNumber":1,"startRow":1,"firstPage":true,"lastPage":true,"prePageNumber":1,"endRow":4,"totalPages":1,"offset":0}}`

// wanted is what each of the cases has to show: a status, the sessions, and
// what stands in the body.
var wanted = map[string]struct {
	status int
	shows  string // letters; "-" for none, "" for no list
	says   string
}{
	"C01": {200, "ABCD", seedAnswer},
	"C02": {200, "ABCD", `"pageSize":20,"pageNumber":1,"totalItems":4,`},
	"C03": {200, "AB", `"limit":2,"nextPageNumber":2,"startRow":1,"firstPage":true,"lastPage":false,"prePageNumber":1,"endRow":2,"totalPages":2,"offset":0`},
	"C04": {200, "CD", `"limit":2,"nextPageNumber":2,"startRow":3,"firstPage":false,"lastPage":true,"prePageNumber":1,"endRow":4,"totalPages":2,"offset":2`},
	"C05": {200, "-", `"contents":[],"limit":0,"nextPageNumber":3,"startRow":5,"firstPage":false,"lastPage":false,"prePageNumber":2,"endRow":4,"totalPages":2,"offset":4`},
	"C06": {200, "C", `"totalItems":1,`},
	"C07": {200, "BC", `"totalItems":2,`},
	"C08": {400, "", `{"code":400,"status":"error","message":"param validate error","data":""}`},
	"C09": {200, "BCD", `"totalItems":3,`},
	"C10": {200, "", `"contents":[{"sessionId":"g9qb4rjw8w","channelId":2272656,"userId":"1b448be323","startTime":1652411000000,"endTime":null,"customId":null}]`},
	"C11": {400, "", `{"code":400,"status":"error","message":"invalid signature.","data":""}`},
	"C12": {400, "", `{"code":400,"status":"error","message":"invalid signature.","data":""}`},
	"C13": {400, "", `{"code":400,"status":"error","message":"appId is required.","data":""}`},
	"C14": {400, "", `{"code":400,"status":"error","message":"application not found.","data":""}`},
	"C15": {400, "", `{"code":400,"status":"error","message":"invalid timestamp.","data":""}`},
	"C16": {200, "ABCD", ``},
	"C17": {400, "", `"message":"invalid timestamp.","data":""}`},
	"C18": {400, "", `"message":"param should not be empty: channelId","data":""}`},
	"C19": {400, "", `"message":"param should not be empty: channelId","data":""}`},
	"C20": {400, "", `"message":"param is not digit: channelId","data":""}`},
	"C21": {400, "", `"message":"illegal channel id","data":""}`},
	"C22": {200, "ABCD", ``},
	"C23": {200, "ABCD", ``},
	"C24": {400, "", `"message":"invalid date time format","data":""}`},
	"C25": {400, "", `"message":"number range error","data":""}`},
	"C26": {400, "", `"message":"number range error","data":""}`},
	"C27": {400, "", `"message":"param is not digit: pageSize","data":""}`},
	"C28": {200, "ABCD", `"pageSize":20,`},
}

func ids(t *testing.T, body []byte) string {
	t.Helper()
	var reply struct {
		Data struct {
			Contents []struct{ SessionID string }
		}
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	shown := ""
	for _, row := range reply.Data.Contents {
		for letter, id := range letters {
			if id == row.SessionID {
				shown += letter
			}
		}
	}
	if shown == "" {
		return "-"
	}
	return shown
}

// TestVectors sends the 28 signed requests, and each again in another order and
// with %20 for + (C29): the answer is the same.
func TestVectors(t *testing.T) {
	for _, v := range parseRequest(t).Cases {
		t.Run(v.ID, func(t *testing.T) {
			want, known := wanted[v.ID]
			if !known {
				t.Fatal("nothing is expected of this case")
			}
			pieces := strings.Split(v.Query, "&")
			slices.Reverse(pieces)
			reordered := strings.Join(pieces, "&")
			var first string
			for _, query := range []string{v.Query, reordered, strings.ReplaceAll(v.Query, "+", "%20")} {
				w := conformance.New(t, polyv.API, conformance.Setting{Fixture: "documented", Clock: pageDay})
				got := get(w, listPath, query)
				if got.Code != want.status || !strings.Contains(got.Body.String(), want.says) {
					t.Errorf("%s: got %d %s, want %d %s", query, got.Code, got.Body, want.status, want.says)
				}
				if want.shows != "" && ids(t, got.Body.Bytes()) != want.shows {
					t.Errorf("%s: got the sessions %s, want %s", query, ids(t, got.Body.Bytes()), want.shows)
				}
				if first == "" {
					first = got.Body.String()
				}
				if got.Body.String() != first {
					t.Errorf("%s: got %s, want %s as before", query, got.Body, first)
				}
				if kind := got.Header().Get("Content-Type"); kind != "application/json;charset=UTF-8" {
					t.Errorf("got Content-Type %q", kind)
				}
			}
		})
	}
}

// The first case is the page's success object, byte for byte; C02, C22, C23 and
// C28 differ in nothing; with the switch, C13 is answered as on the page.
func TestVectorsAgree(t *testing.T) {
	byID := map[string]string{}
	for _, v := range parseRequest(t).Cases {
		w := conformance.New(t, polyv.API, conformance.Setting{Fixture: "documented", Clock: pageDay})
		byID[v.ID] = get(w, listPath, v.Query).Body.String()
	}
	if byID["C01"] != seedAnswer {
		t.Errorf("C01: got %s", byID["C01"])
	}
	for _, id := range []string{"C16", "C22", "C23", "C28"} {
		if byID[id] != byID["C02"] {
			t.Errorf("%s: got %s, want as C02 %s", id, byID[id], byID["C02"])
		}
	}
}

// Every switch changes what it says it does.
func TestSwitches(t *testing.T) {
	cases := map[string]string{}
	for _, v := range parseRequest(t).Cases {
		cases[v.ID] = v.Query
	}
	lower := strings.ToLower("86C148F08E6B3384AE0177DDAA265531")
	for _, tt := range []struct {
		set, query string
		status     int
		says       string
	}{
		{"signature_code=page", cases["C11"], 400, `{"code":400,"status":"error","message":"invalid signature.","data":""}`},
		{"signature_code=400", cases["C11"], 400, `{"code":400,"status":"error","message":"invalid signature.","data":""}`},
		{"signature_code=403", cases["C11"], 403, `{"code":403,"status":"error","message":"invalid signature.","data":""}`},
		{"signature_code=401", cases["C11"], 401, `{"code":401,"status":"error"`},
		{"http_status=ok", cases["C11"], 200, `{"code":400,"status":"error","message":"invalid signature.","data":""}`},
		{"unknown_channel=empty", cases["C21"], 200, `{"code":200,"status":"success","message":"","data":{"pageSize":20,"pageNumber":1,"totalItems":0,"contents":[],"limit":0,"nextPageNumber":1,"startRow":1,"firstPage":true,"lastPage":false,"prePageNumber":1,"endRow":0,"totalPages":0,"offset":0}}`},
		{"span_message=startDate can not great endDater", cases["C08"], 400, `"message":"startDate can not great endDater"`},
		{"digit_message=value", cases["C20"], 400, `"message":"param is not digit: abc"`},
		{"timestamp_window=1m", cases["C16"], 400, `invalid timestamp.`},
		{"timestamp_window=4m", cases["C15"], 200, `"totalItems":4`},
		{"sign_case=upper", strings.Replace(cases["C01"], "86C148F08E6B3384AE0177DDAA265531", lower, 1), 400, `invalid signature.`},
		{"sign_case=any", strings.Replace(cases["C01"], "86C148F08E6B3384AE0177DDAA265531", lower, 1), 200, `"totalItems":4`},
	} {
		t.Run(tt.set, func(t *testing.T) {
			name, value, _ := strings.Cut(tt.set, "=")
			w := conformance.New(t, polyv.API, conformance.Setting{Fixture: "documented", Clock: pageDay, Set: map[string]string{name: value}})
			if got := get(w, listPath, tt.query); got.Code != tt.status || !strings.Contains(got.Body.String(), tt.says) {
				t.Errorf("got %d %s, want %d %s", got.Code, got.Body, tt.status, tt.says)
			}
		})
	}
}

// Clients differ in what they do with a parameter that has no value. The
// vectors V7 (left out) and V7b (signed), for the session list of the document.
func TestEmptyValues(t *testing.T) {
	at := time.UnixMilli(1660270926732)
	query := func(sign string) string {
		return "channelId=2272655&startDate=&page=2&appId=g4rqgmmjuo&timestamp=1660270926732&sign=" + sign
	}
	for _, tt := range []struct {
		sign, values string
		status       int
		noted        bool
	}{
		{"37B0A356D482D189A1A05107E291FB4E", "tolerant", 200, false},
		{"B96CC7DE6812A9DE981E7E1E6D86CF81", "tolerant", 200, true},
		{"37B0A356D482D189A1A05107E291FB4E", "documented", 200, false},
		{"B96CC7DE6812A9DE981E7E1E6D86CF81", "documented", 400, false},
	} {
		w := conformance.New(t, polyv.API, conformance.Setting{Clock: at, Set: map[string]string{"empty_values": tt.values}})
		got := get(w, listPath, query(tt.sign))
		if got.Code != tt.status {
			t.Errorf("%s, %s: got %d %s, want %d", tt.sign, tt.values, got.Code, got.Body, tt.status)
		}
		if _, noted := w.Last(t).Notes.Get("signature"); noted != tt.noted {
			t.Errorf("%s, %s: the journal notes %v", tt.sign, tt.values, w.Last(t).Notes)
		}
	}
}

// An official client sends this one, with a space, a plus sign and Chinese
// (V8): the values are signed decoded.
func TestEncodedValues(t *testing.T) {
	w := conformance.New(t, polyv.API, conformance.Setting{Clock: time.UnixMilli(1660270926732)})
	query := "channelId=2272655&keyword=%E6%B5%8B%E8%AF%95+a%2Bb&appId=g4rqgmmjuo&timestamp=1660270926732&sign=2A7568676E5D032C80C26F0A61B71D00"
	if got := get(w, listPath, query); got.Code != 200 {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	if note, _ := w.Last(t).Notes.Get("ignored parameters"); note != "keyword" {
		t.Errorf("noted %v", note)
	}
	if _, err := url.ParseQuery(query); err != nil {
		t.Fatal(err)
	}
}
