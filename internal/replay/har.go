package replay

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/journal"
)

// An Archive holds calls as HAR 1.2 does: http://www.softwareishard.com/blog/har-12-spec/.
type Archive struct {
	Log struct {
		Version string     `json:"version"`
		Creator creator    `json:"creator"`
		Entries []harEntry `json:"entries"`
	} `json:"log"`
}

type creator struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type harEntry struct {
	Started  time.Time   `json:"startedDateTime"` // by the wall clock
	Time     float64     `json:"time"`            // in milliseconds
	Request  harRequest  `json:"request"`
	Response harResponse `json:"response"`
	Cache    struct{}    `json:"cache"`
	Timings  harTimings  `json:"timings"`
	Comment  string      `json:"comment"`
}

type harMessage struct {
	HTTPVersion string `json:"httpVersion"`
	Cookies     []pair `json:"cookies"`
	Headers     []pair `json:"headers"`
	HeadersSize int    `json:"headersSize"`
	BodySize    int    `json:"bodySize"`
}

type harRequest struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	harMessage
	Query    []pair   `json:"queryString"`
	PostData *harBody `json:"postData,omitempty"`
}

type harResponse struct {
	Status     int    `json:"status"`
	StatusText string `json:"statusText"`
	harMessage
	Content     harBody `json:"content"`
	RedirectURL string  `json:"redirectURL"`
}

// harBody is a body. HAR knows size and encoding for answers only: of a request,
// _encoding says the same.
type harBody struct {
	Size      *int   `json:"size,omitempty"`
	MimeType  string `json:"mimeType"`
	Params    []pair `json:"params,omitzero"`
	Text      string `json:"text"`
	Encoding  string `json:"encoding,omitempty"`
	Encoding2 string `json:"_encoding,omitempty"`
	Comment   string `json:"comment,omitempty"`
}

type harTimings struct {
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// HAR writes calls, as the control API shows them, as an archive.
func (w Writer) HAR(version string, entries []journal.Entry) *Archive {
	a := &Archive{}
	a.Log.Version = "1.2"
	a.Log.Creator = creator{"understudy", version}
	a.Log.Entries = make([]harEntry, len(entries))
	for i := range entries {
		a.Log.Entries[i] = w.harEntry(&entries[i])
	}
	return a
}

func (w Writer) harEntry(e *journal.Entry) harEntry {
	q, r := &e.Request, &e.Response
	h := harEntry{
		Started: e.Arrived.UTC(), Time: e.DurationMS, Timings: harTimings{Wait: e.DurationMS},
		Request:  harRequest{Method: q.Method, URL: w.address(e), harMessage: harMessageOf(q, "Cookie"), Query: queryOf(q.URL)},
		Response: harResponse{Status: r.Status, StatusText: http.StatusText(r.Status), harMessage: harMessageOf(r, "Set-Cookie"), RedirectURL: r.Header.Get("Location")},
		Comment:  e.ID + ": " + e.API + "/" + e.Operation + "/" + e.Outcome + ", decided by " + e.DecidedBy.String() + "; " + string(e.Delivered),
	}
	h.Response.Content = harBodyOf(r)
	h.Response.Content.Size = &r.Bytes
	if len(q.Body) > 0 {
		b := harBodyOf(q)
		b.Params, b.Encoding, b.Encoding2 = []pair{}, "", b.Encoding
		h.Request.PostData = &b
	}
	return h
}

// harMessageOf describes a message but for its body. Cookies stand among its headers.
func harMessageOf(m *journal.Message, cookies string) harMessage {
	h := harMessage{HTTPVersion: "HTTP/1.1", Cookies: []pair{}, Headers: []pair{}, HeadersSize: -1, BodySize: m.Bytes}
	if m.Host != "" {
		h.Headers = append(h.Headers, pair{"Host", m.Host})
	}
	for _, name := range headerNames(m.Header) {
		for _, value := range m.Header[name] {
			h.Headers = append(h.Headers, pair{name, value})
		}
	}
	for _, line := range m.Header[cookies] {
		if cookies == "Set-Cookie" {
			line, _, _ = strings.Cut(line, ";")
		}
		for piece := range strings.SplitSeq(line, ";") {
			if piece = strings.TrimSpace(piece); piece != "" {
				name, value, _ := strings.Cut(piece, "=")
				h.Cookies = append(h.Cookies, pair{name, value})
			}
		}
	}
	return h
}

func queryOf(address string) []pair {
	all := []pair{}
	_, query, _ := strings.Cut(address, "?")
	for piece := range strings.SplitSeq(query, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		all = append(all, pair{unescaped(name), unescaped(value)})
	}
	return all
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func harBodyOf(m *journal.Message) harBody {
	b := harBody{MimeType: m.Header.Get("Content-Type"), Text: string(m.Body)}
	if !utf8.Valid(m.Body) {
		b.Text, b.Encoding = base64.StdEncoding.EncodeToString(m.Body), "base64"
	}
	if m.Truncated {
		b.Comment = "the journal kept the beginning only"
	}
	return b
}
