package tencentcar

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
)

// FuzzRestore restores any text: it is refused, or calls can be made in the state and
// it can be restored again.
func FuzzRestore(f *testing.F) {
	w := newWorld(f, conformance.Setting{Fixture: "one"})
	f.Add([]byte(w.snapshot()))
	w.call("CreateSession", contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="})
	f.Add([]byte(w.snapshot()))
	w.call("DestroySession", contract.Values{"UserId": "cg_user"})
	f.Add([]byte(w.snapshot()))
	for _, document := range []string{
		`{}`, `null`, `{"accounts":null,"concurrencies":{"x":null}}`,
		`{"projects":[{"project_id":"p","amount":-1}],"concurrencies":{"x":{"id":"x","project_id":"p","index":-9223372036854775808}}}`,
		`{"projects":[{"project_id":"p","amount":9223372036854775807}],"standing":{"u":"p"}}`,
	} {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		w := newWorld(t, conformance.Setting{Auth: contract.Off})
		if w.Instance(t).Restore(document) != nil {
			return
		}
		w.checkRestore(1)
		for _, op := range operations {
			r := request("POST", "/", carHost, `{"UserId":"cg_user","UserIp":"125.127.178.228","ProjectId":"p"}`, "Content-Type", jsonMedia, "X-TC-Action", op.Name, "Authorization", "x")
			w.serve(r)
		}
		w.checkRestore(2)
	})
}

// wireOf is a request as a client writes it.
func wireOf(r *contract.Request) []byte {
	var b bytes.Buffer
	b.WriteString(r.Method + " " + r.URL.RequestURI() + " HTTP/1.1\r\nHost: " + r.Host + "\r\n")
	_ = r.Header.Write(&b)
	if r.Method == http.MethodPost {
		b.WriteString("Content-Length: " + strconv.Itoa(len(r.Body)) + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	return b.Bytes()
}

// accepted sends the bytes of a request, and reports whether its signature was found
// to be right. It reports nothing for what is no request or no request to the API.
func accepted(t *testing.T, w *world, raw []byte) (r *http.Request, body []byte, ok bool) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, nil, false
	}
	if body, err = io.ReadAll(r.Body); err != nil {
		return nil, nil, false
	}
	r.Body, r.ContentLength, r.TransferEncoding, r.RemoteAddr = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil, "127.0.0.1:50000"
	for name := range r.Header {
		if strings.HasPrefix(name, "Understudy-") {
			return nil, nil, false
		}
	}
	if w.Send(r).Header().Get(gateway.ProblemHeader) != "" {
		return nil, nil, false
	}
	_, ok = w.Last(t).Notes.Get("signature")
	return r, body, ok
}

// hostName is the host as both verifiers may take it: without its port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// FuzzTC3 changes requests that are signed with TC3 in any place. What is accepted has
// all that is signed as it was.
func FuzzTC3(f *testing.F) {
	w := newWorld(f, conformance.Setting{Fixture: "one", Set: map[string]string{"rate_limits": "false"}})
	in := contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}
	post := w.signed("CreateSession", in)
	byAction := w.signed("DestroySession", contract.Values{"UserId": "cg_user"})
	sign := func(r *contract.Request, signed, query, payload string) {
		s := &signing{
			variant: documentedVariant(r), method: r.Method, query: query, header: r.Header, signed: signed, gap: "\n", payload: digest([]byte(payload)),
			timestamp: "1700000000", date: "2023-11-14", service: service, prefix: "TC3", secret: docKey,
		}
		r.Header.Set("Authorization", authorizationHeader(docID, s.date+"/"+service, signed, s.signature()))
	}
	sign(byAction, "content-type;host;x-tc-action", "", string(byAction.Body))
	get := request("GET", "/?Limit=1&UserId=cg_user", carHost, "", "Content-Type", formMedia, "X-TC-Action", "DestroySession", "X-TC-Version", version, "X-TC-Timestamp", "1700000000")
	sign(get, "content-type;host", get.URL.RawQuery, "")
	unsigned := request("POST", "/", carHost, b1, "Content-Type", jsonMedia, "X-TC-Action", "CreateSession", "X-TC-Version", version, "X-TC-Timestamp", "1700000000", "X-TC-Content-SHA256", unsignedPayload)
	sign(unsigned, "content-type;host", "", unsignedPayload)

	lower := func(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
	// signedParts lists what the signature of a request is of.
	signedParts := func(method, query, host string, h http.Header, body []byte) []string {
		a := parseAuthorization(header(h, "Authorization"))
		parts := []string{method, lower(hostName(host)), header(h, "X-Tc-Timestamp"), a.secretID, a.date, a.service, a.signedHeaders, a.signature}
		for name := range strings.SplitSeq(a.signedHeaders, ";") {
			if name != "host" {
				parts = append(parts, lower(header(h, http.CanonicalHeaderKey(name))))
			}
		}
		switch {
		case method == http.MethodGet:
			return append(parts, query)
		case header(h, "X-Tc-Content-Sha256") == unsignedPayload:
			return append(parts, unsignedPayload)
		}
		return append(parts, string(body))
	}
	var known [][]string
	for _, r := range []*contract.Request{post, byAction, get, unsigned} {
		f.Add(wireOf(r))
		known = append(known, signedParts(r.Method, r.URL.RawQuery, r.Host, r.Header, r.Body))
		w.serve(r)
		if e := w.Last(f); e.Outcome == signatureFailure.Name {
			f.Fatalf("%s is refused: %+v", wireOf(r), e.Explanation)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, body, ok := accepted(t, w, raw)
		if !ok {
			return
		}
		parts := signedParts(r.Method, r.URL.RawQuery, r.Host, r.Header, body)
		if !slices.ContainsFunc(known, func(k []string) bool { return slices.Equal(k, parts) }) {
			t.Errorf("accepted, though what is signed is changed: %q", parts)
		}
	})
}

// FuzzV1 does the same with signature v1, which is of the verb, the host and all parameters.
func FuzzV1(f *testing.F) {
	w := newWorld(f, conformance.Setting{Fixture: "one", Set: map[string]string{"rate_limits": "false"}})
	var known []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, sha256 := range []string{"", "HmacSHA256"} {
			pairs := []pair{
				{"Action", "CreateSession"},
				{"Nonce", "11886"},
				{"SecretId", docID},
				{"Timestamp", "1700000000"},
				{"Version", version},
				{"UserId", "cg_user"},
				{"UserIp", "125.127.178.228"},
				{"ClientSession", "eyJhYmMiOjEyM30="},
			}
			if sha256 != "" {
				pairs = append(pairs, pair{"SignatureMethod", sha256})
			}
			s := &signingV1{method: method, host: carHost, uri: "/", pairs: sorted(pairs), sha256: sha256 != "", secret: docKey}
			query := url.Values{"Signature": {s.signature()}}
			for _, p := range pairs {
				query.Set(p.name, p.value)
			}
			r := request(method, "/", carHost, query.Encode(), "Content-Type", formMedia)
			if method == http.MethodGet {
				r = request(method, "/?"+query.Encode(), carHost, "")
			}
			f.Add(wireOf(r))
			known = append(known, s.stringToSign()+" "+s.signature())
			if w.serve(r); w.Last(f).Outcome == signatureFailure.Name {
				f.Fatalf("%s is refused: %+v", wireOf(r), w.Last(f).Explanation)
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, body, ok := accepted(t, w, raw)
		if !ok {
			return
		}
		text := r.URL.RawQuery
		if r.Method != http.MethodGet {
			text = string(body)
		}
		// Values are signed without any encoding, so an & in a value is signed as
		// one between two parameters is: that is the documented signature.
		var pairs []string
		signature := ""
		for piece := range strings.SplitSeq(text, "&") {
			name, value, _ := strings.Cut(piece, "=")
			name, _ = url.QueryUnescape(name)
			value, _ = url.QueryUnescape(value)
			if name == "Signature" {
				signature = value
			} else if piece != "" {
				pairs = append(pairs, name+"="+value)
			}
		}
		slices.SortStableFunc(pairs, func(a, b string) int {
			x, _, _ := strings.Cut(a, "=")
			y, _, _ := strings.Cut(b, "=")
			return strings.Compare(x, y)
		})
		if got := r.Method + hostName(r.Host) + "/?" + strings.Join(pairs, "&") + " " + signature; !slices.Contains(known, got) {
			t.Errorf("accepted, though what is signed is changed: %q", got)
		}
	})
}
