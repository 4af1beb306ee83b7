package conformance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// HTTP is a signed request as it stands on the wire.
func HTTP(r *contract.Request) *http.Request {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.URL.RequestURI(), r.Host)
	_ = r.Header.Write(&b)
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(r.Body))
	b.Write(r.Body)
	return read(b.Bytes())
}

// read reads a request as a server would.
func read(raw []byte) *http.Request {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		panic(fmt.Sprintf("conformance: no request: %v\n%s", err, raw))
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r
}

// An exchange is a request with its answer, as a documentation page prints
// them.
type exchange struct {
	remarks []string // lines that begin with #
	request string
	answer  string
}

// The lines between the parts of a file.
const (
	betweenHalves    = "\n----\n"
	betweenExchanges = "\n====\n"
)

// exchanges reads the exchanges of a file.
func exchanges(text string) ([]exchange, error) {
	var all []exchange
	for _, part := range strings.Split(text, betweenExchanges) {
		var x exchange
		for strings.HasPrefix(part, "#") {
			line, rest, _ := strings.Cut(part, "\n")
			x.remarks, part = append(x.remarks, line), rest
		}
		if strings.HasSuffix(part, strings.TrimSuffix(betweenHalves, "\n")) {
			part += "\n" // no answer is written down yet
		}
		var ok bool
		if x.request, x.answer, ok = strings.Cut(part, betweenHalves); !ok {
			return nil, fmt.Errorf("an exchange has no line ---- between request and answer: %.40q", part)
		}
		all = append(all, x)
	}
	return all, nil
}

func (x exchange) String() string {
	var b strings.Builder
	for _, r := range x.remarks {
		b.WriteString(r + "\n")
	}
	return b.String() + x.request + betweenHalves + strings.TrimRight(x.answer, "\n") + "\n"
}

// remark finds "# name: value".
func (x exchange) remark(name string) (value string, ok bool) {
	for _, r := range x.remarks {
		if v, found := strings.CutPrefix(r, "# "+name+":"); found {
			return strings.TrimSpace(v), true
		}
	}
	return "", false
}

// send makes the request: its lines end as HTTP's do, and the body's length is
// counted.
func (x exchange) send() *http.Request {
	head, body, _ := strings.Cut(x.request, "\n\n")
	body = strings.TrimSuffix(body, "\n")
	raw := strings.ReplaceAll(strings.TrimRight(head, "\n"), "\n", "\r\n")
	if !strings.Contains(strings.ToLower(head), "\ncontent-length:") {
		raw += fmt.Sprintf("\r\nContent-Length: %d", len(body))
	}
	return read([]byte(raw + "\r\n\r\n" + body))
}

// notCompared reports whether a header is the server's own or ours.
func notCompared(name string) bool {
	return name == "Date" || name == "Content-Length" || strings.HasPrefix(name, "Understudy-")
}

// received writes an answer down as a file has it.
func received(r *http.Response) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\n", r.StatusCode, http.StatusText(r.StatusCode))
	h := http.Header{}
	for name, values := range r.Header {
		if !notCompared(name) {
			h[name] = values
		}
	}
	var lines bytes.Buffer
	_ = h.Write(&lines)
	b.WriteString(strings.ReplaceAll(lines.String(), "\r\n", "\n"))
	body, _ := io.ReadAll(r.Body)
	b.WriteString("\n" + string(body) + "\n")
	return b.String()
}
