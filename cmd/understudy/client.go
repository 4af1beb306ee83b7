package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/wire"
)

// patience is how long the control API may take for an answer.
const patience = 30 * time.Second

// largest is the longest answer of the control API that is read, in bytes.
const largest = 512 << 20

// target says which server and which of its sandboxes a command is about.
type target struct {
	control, sandbox string
}

// targetFlags adds the flags that name a server and a sandbox.
func targetFlags(cmd *cobra.Command) *target {
	t := controlFlag(cmd)
	cmd.Flags().StringVar(&t.sandbox, "sandbox", "default", "the sandbox that is meant")
	return t
}

// controlFlag adds the flag that names a server.
func controlFlag(cmd *cobra.Command) *target {
	t := &target{}
	cmd.Flags().StringVar(&t.control, "control", "http://127.0.0.1:6400", "address of the control API")
	return t
}

// client settles the flags of cmd and returns a client of the server that they
// name. Where they name none, the port that serve would take is taken, so that
// a health check inside a container needs no flag.
func (t *target) client(cmd *cobra.Command, env *env) (*client, error) {
	if err := env.settle(cmd, ""); err != nil {
		return nil, err
	}
	address := t.control
	if port, err := strconv.Atoi(env.lookup(variable("control-port"))); err == nil && port > 0 && !cmd.Flags().Changed("control") {
		address = "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, usage("--control is %q; an address such as http://127.0.0.1:6400 was expected", t.control)
	}
	return &client{base: u.String(), sandbox: t.sandbox, token: env.lookup(prefix + "CONTROL_TOKEN"), http: direct(patience)}, nil
}

// direct is an HTTP client that goes to where it is sent and nowhere else: by
// no proxy and after no redirect. Bodies stay as they come.
func direct(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			DisableCompression:  true,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// client asks a control API.
type client struct {
	base    string // without a slash at its end
	sandbox string
	token   string
	http    *http.Client
}

// inside is the path of something in the client's sandbox.
func (c *client) inside(parts ...string) string {
	return path(append([]string{"sandboxes", c.sandbox}, parts...)...)
}

// path is a path of the control API. A part may hold slashes, which stay.
func path(parts ...string) string {
	var b strings.Builder
	b.WriteString("/v1")
	for _, part := range parts {
		for piece := range strings.SplitSeq(part, "/") {
			b.WriteString("/" + url.PathEscape(piece))
		}
	}
	return b.String()
}

// get reads what a path answers into into.
func (c *client) get(ctx context.Context, path string, into any) error {
	return c.ask(ctx, http.MethodGet, path, "", nil, into)
}

// send sends a value as JSON and reads the answer into into. A nil value sends
// no body; a nil into leaves the answer unread.
func (c *client) send(ctx context.Context, method, path string, value, into any) error {
	if value == nil {
		return c.ask(ctx, method, path, "", nil, into)
	}
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return c.ask(ctx, method, path, "application/json", body, into)
}

// ask sends a request. Its error says with which code a command ends.
func (c *client) ask(ctx context.Context, method, path, contentType string, body []byte, into any) error {
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
		return fmt.Errorf("%s %s%s did not answer with what was expected; is this the control API of an understudy of this version? %w", method, c.base, path, err)
	}
	return nil
}

func (c *client) exchange(ctx context.Context, method, path, contentType string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, usage("%s%s cannot be asked: %w", c.base, path, err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, largest))
	if err != nil {
		return nil, c.unreachable(err)
	}
	if answer.StatusCode >= 300 {
		return nil, c.refused(answer, raw)
	}
	return raw, nil
}

// unreachable says why there was no answer.
func (c *client) unreachable(err error) error {
	var timeout net.Error
	var dial *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &dial) && dial.Op == "dial":
		return &exit{exitNoServer, fmt.Errorf(
			"no server answers at %s (%w); start one with: understudy serve; or name another with --control or %s", c.base, dial.Err, variable("control"))}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &exit{exitTimeout, fmt.Errorf("the server at %s did not answer in time: %w", c.base, err)}
	}
	return &exit{exitNoServer, fmt.Errorf("the server at %s broke off: %w", c.base, err)}
}

// problem is how the control API tells that it could not do what it was asked.
type problem struct {
	Title      string               `json:"title"`
	Detail     string               `json:"detail"`
	Faults     []string             `json:"faults"`
	Violations []contract.Violation `json:"violations"`
}

// text is the problem in words, one line for each fault.
func (p problem) text() string {
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
			text += ", got " + jsonText(v.Got)
		}
	}
	return text
}

// refused turns an answer that tells a failure into an error.
func (c *client) refused(answer *http.Response, raw []byte) error {
	code := exitFailed
	if answer.StatusCode == http.StatusNotFound {
		code = exitInsufficient
	}
	var p problem
	if err := json.Unmarshal(raw, &p); err != nil || p.Title+p.Detail == "" {
		return &exit{exitFailed, fmt.Errorf("%s answered %s to %s %s; is this the control API of an understudy of this version?",
			c.base, answer.Status, answer.Request.Method, answer.Request.URL.Path)}
	}
	return &exit{code, errors.New(p.text())}
}

// sandboxNames lists the server's sandboxes.
func (c *client) sandboxNames(ctx context.Context) ([]string, error) {
	var list struct {
		Items []struct {
			Name string `json:"name"`
		} `json:"items"`
	}
	if err := c.get(ctx, path("sandboxes"), &list); err != nil {
		return nil, err
	}
	var names []string
	for _, s := range list.Items {
		names = append(names, s.Name)
	}
	return names, nil
}

// pairs reads arguments of the form name=value in their order.
func pairs(args []string) ([]pair, error) {
	var all []pair
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, usage("%s was found; name=value was expected", document.Quote(arg))
		}
		all = append(all, pair{name, value})
	}
	return all, nil
}

type pair struct{ name, value string }

// jsonText writes a value as compact JSON.
func jsonText(value any) string { return string(wire.Encode(value)) }
