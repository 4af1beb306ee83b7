package client

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// An Event is one of a stream of Server-Sent Events.
type Event struct{ ID, Name, Data string }

const (
	silence    = 45 * time.Second // without a sign of life, after which a stream has broken: three heartbeats
	maxEvent   = 8 << 20          // the longest line of a stream, in bytes
	maxProblem = 1 << 20          // and the longest refusal
)

// Stream reads the events of a path one by one, until the server ends the stream,
// which is no error, or each returns an error.
func (c *Client) Stream(ctx context.Context, path string, each func(Event) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	alive := time.AfterFunc(silence, cancel)
	defer alive.Stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+path, nil)
	if err != nil {
		return usage("%s%s cannot be asked: %w", c.Base, path, err)
	}
	c.authorize(r)
	got, err := DirectHTTP(0).Do(r)
	if err != nil {
		return c.unreachable(err)
	}
	defer func() { _ = got.Body.Close() }()
	if got.StatusCode >= 300 {
		raw, err := io.ReadAll(io.LimitReader(got.Body, maxProblem))
		if err != nil {
			return c.unreachable(err)
		}
		return c.refused(answer{got.StatusCode, got.Status, got.Header, raw, r.Method + " " + r.URL.Path})
	}
	if kind := got.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		return fmt.Errorf("%s%s answered with %q in place of a stream; is this the control API of an understudy of this version?", c.Base, path, kind)
	}
	lines := bufio.NewScanner(got.Body)
	lines.Buffer(nil, maxEvent)
	var e Event
	for lines.Scan() {
		alive.Reset(silence)
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			e.ID = value
		case "event":
			e.Name = value
		case "data":
			e.Data = value
		}
		if lines.Text() != "" {
			continue
		}
		if e.Data != "" {
			if err := each(e); err != nil {
				return err
			}
		}
		e = Event{}
	}
	if err := lines.Err(); err != nil {
		return c.unreachable(err)
	}
	return nil
}
