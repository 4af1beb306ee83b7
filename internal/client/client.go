// Package client calls the control API of a running understudy, and reads and
// writes what users type and see: arguments, requests, answers.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/wire"
)

// ControlVariable is the environment variable that names the server.
const ControlVariable = "UNDERSTUDY_CONTROL"

// patience is how long the control API may take for an answer.
const patience = 30 * time.Second

// maxAnswer is the longest answer of the control API that is read, in bytes.
const maxAnswer = 512 << 20

// DirectHTTP is an HTTP client that goes to where it is sent and nowhere else: by
// no proxy and after no redirect. Bodies stay as they come.
func DirectHTTP(timeout time.Duration) *http.Client { return TrustingHTTP(timeout, nil) }

// TrustingHTTP is DirectHTTP that trusts the CAs of roots alone; nil: those of the system.
func TrustingHTTP(timeout time.Duration, roots *x509.CertPool) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			DisableCompression:  true,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     time.Minute,
			TLSClientConfig:     &tls.Config{RootCAs: roots},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Kind says why there is no answer.
type Kind int

// The kinds of an Error.
const (
	Failed   Kind = iota // the server could not carry out the request
	Usage                // the arguments are wrong
	Unknown              // the server has nothing of that name
	NoServer             // no server answers there
	Timeout              // the server did not answer in time
)

// An Error says why there is no answer, in one line or one for each fault.
type Error struct {
	Kind Kind
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns what stood in the way.
func (e *Error) Unwrap() error { return e.Err }

func usage(format string, args ...any) error { return &Error{Usage, fmt.Errorf(format, args...)} }

// A Client asks a control API about one sandbox.
type Client struct {
	Base    string // the server's address, without a slash at its end
	Sandbox string
	token   string
	http    *http.Client
}

// New returns a client of the server at an address such as
// http://127.0.0.1:6400, for one of its sandboxes. token may be "".
func New(address, sandbox, token string) (*Client, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, usage("--control is %q; an address such as http://127.0.0.1:6400 was expected", address)
	}
	return &Client{Base: u.String(), Sandbox: sandbox, token: token, http: DirectHTTP(patience)}, nil
}

// Through has the client's requests go through a transport.
func (c *Client) Through(t http.RoundTripper) { c.http.Transport = t }

// In returns a client of the same server, for another of its sandboxes.
func (c *Client) In(sandbox string) *Client {
	of := *c
	of.Sandbox = sandbox
	return &of
}

// InSandbox is the path of something in the client's sandbox.
func (c *Client) InSandbox(parts ...string) string {
	return Path(append([]string{"sandboxes", c.Sandbox}, parts...)...)
}

// Path is a path of the control API. A part may hold slashes, which stay.
func Path(parts ...string) string {
	var b strings.Builder
	b.WriteString("/v1")
	for _, part := range parts {
		for piece := range strings.SplitSeq(part, "/") {
			b.WriteString("/" + url.PathEscape(piece))
		}
	}
	return b.String()
}

// Get reads what a path answers into into.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	return c.Do(ctx, http.MethodGet, path, "", nil, into)
}

// Send sends a value as JSON and reads the answer into into. A nil value sends
// no body; a nil into leaves the answer unread.
func (c *Client) Send(ctx context.Context, method, path string, value, into any) error {
	if value == nil {
		return c.Do(ctx, method, path, "", nil, into)
	}
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return c.Do(ctx, method, path, "application/json", body, into)
}

// Do sends a request. Its error says with which code a command ends.
func (c *Client) Do(ctx context.Context, method, path, contentType string, body []byte, into any) error {
	answer, err := c.exchange(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	if into == nil || len(answer) == 0 {
		return nil
	}
	if raw, ok := into.(*json.RawMessage); ok {
		*raw = answer
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s %s%s did not answer with what was expected; is this the control API of an understudy of this version? %w", method, c.Base, path, wire.InWords(err))
	}
	return nil
}

// Text returns what a path answers as it is, and what has to be said beside it.
func (c *Client) Text(ctx context.Context, path string) (text []byte, note string, err error) {
	a, err := c.send(ctx, http.MethodGet, path, "", nil)
	if err == nil && a.code >= 300 {
		err = c.refused(a)
	}
	if err != nil {
		return nil, "", err
	}
	return a.body, a.header.Get("Understudy-Note"), nil
}

func (c *Client) exchange(ctx context.Context, method, path, contentType string, body []byte) ([]byte, error) {
	a, err := c.send(ctx, method, path, contentType, body)
	if err == nil && a.code >= 300 {
		return nil, c.refused(a)
	}
	return a.body, err
}

// An answer is what the server answered, whatever it is.
type answer struct {
	code    int
	status  string // the code and its name
	header  http.Header
	body    []byte
	request string // its method and path
}

// send sends a request, and reads the whole answer.
func (c *Client) send(ctx context.Context, method, path, contentType string, body []byte) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, usage("%s%s cannot be asked: %w", c.Base, path, err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	c.authorize(r)
	got, err := c.http.Do(r)
	if err != nil {
		return answer{}, c.unreachable(err)
	}
	defer func() { _ = got.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	if err != nil {
		return answer{}, c.unreachable(err)
	}
	return answer{got.StatusCode, got.Status, got.Header, raw, method + " " + r.URL.Path}, nil
}

// authorize adds the token, where there is one.
func (c *Client) authorize(r *http.Request) {
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
}

// unreachable says why there was no answer.
func (c *Client) unreachable(err error) error {
	var timeout net.Error
	var dial *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &dial) && dial.Op == "dial":
		return &Error{NoServer, fmt.Errorf(
			"no server answers at %s (%w); start one with: understudy serve; or name another with --control or %s", c.Base, dial.Err, ControlVariable)}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Timeout, fmt.Errorf("the server at %s did not answer in time: %w", c.Base, err)}
	}
	return &Error{NoServer, fmt.Errorf("the server at %s broke off: %w", c.Base, err)}
}

// A Problem is how the control API says that it could not do what it was asked.
type Problem struct {
	Title      string               `json:"title"`
	Detail     string               `json:"detail"`
	Faults     []string             `json:"faults"`
	Violations []contract.Violation `json:"violations"`
}

// Text is the problem as text, one line for each fault.
func (p Problem) Text() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	for _, fault := range p.Faults {
		text += "\n" + fault
	}
	for _, v := range p.Violations {
		text += "\n" + v.Path + ": " + string(v.Rule)
		if v.Got != nil {
			text += ", got " + output.JSONText(v.Got)
		}
	}
	return text
}

// refused returns the error that a failed answer describes.
func (c *Client) refused(a answer) error {
	kind := Failed
	if a.code == http.StatusNotFound {
		kind = Unknown
	}
	var p Problem
	if err := json.Unmarshal(a.body, &p); err != nil || p.Title+p.Detail == "" {
		return &Error{Failed, fmt.Errorf("%s answered %s to %s; is this the control API of an understudy of this version?",
			c.Base, a.status, a.request)}
	}
	return &Error{kind, errors.New(p.Text())}
}

// SandboxNames lists the server's sandboxes.
func (c *Client) SandboxNames(ctx context.Context) ([]string, error) {
	var list struct {
		Items []struct {
			Name string `json:"name"`
		} `json:"items"`
	}
	if err := c.Get(ctx, Path("sandboxes"), &list); err != nil {
		return nil, err
	}
	var names []string
	for _, s := range list.Items {
		names = append(names, s.Name)
	}
	return names, nil
}
