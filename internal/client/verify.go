package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// verdictHeader has the verdict of a report.
const verdictHeader = "Understudy-Verdict"

// Verify holds checks against what happened in the client's sandbox, and returns the
// report in one of its forms with the verdict.
func (c *Client) Verify(ctx context.Context, checks []byte, form string) (verdict string, report []byte, err error) {
	path := c.InSandbox("verify") + "?format=" + url.QueryEscape(form)
	a, err := c.send(ctx, http.MethodPost, path, "application/yaml", checks)
	if err != nil {
		return "", nil, err
	}
	if verdict = a.header.Get(verdictHeader); verdict != "" {
		return verdict, a.body, nil
	}
	err = c.refused(a)
	var refusal *Error
	if errors.As(err, &refusal) {
		switch a.code {
		case http.StatusBadRequest:
			refusal.Kind = Usage
		case http.StatusUnprocessableEntity:
			refusal.Kind = Unknown
		}
	}
	return "", nil, err
}
