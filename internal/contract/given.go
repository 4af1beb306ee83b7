package contract

import (
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Givens lists what can have happened before a test begins, or nothing.
func (a *API) Givens() []*Trigger {
	if a.Lifecycle == nil {
		return nil
	}
	return a.Lifecycle.Given
}

// Earlier returns a call of op that was made at another instant than c, for
// Lifecycle.Given. It has passed the checks: its maker sets Caller, and of Request
// what the API reads later.
func (c *Call) Earlier(at time.Time, op *Operation, in Values) *Call {
	past := *c
	past.Operation, past.In, past.Now, past.Caller = op, in, at, nil
	past.Request = &Request{URL: &url.URL{}, Header: http.Header{}, Arrived: at}
	past.Notes, past.Callbacks = nil, nil
	return &past
}

// Succeed carries the call out as its operation decides, and returns what it
// returned. Its error says that the call would have failed, and why.
func (c *Call) Succeed() (any, error) {
	v := c.Operation.Decide(c)
	if v.Outcome.Fails {
		why := v.Explain(c).Text
		if why == "" {
			why = v.Message(c)
		}
		return nil, fmt.Errorf("%s at %s would have ended in %s: %s", c.Operation.Name, c.Now.UTC().Format(time.RFC3339), v.Outcome.Name, why)
	}
	var result any
	if v.Outcome.Do != nil {
		result = v.Outcome.Do(c)
	}
	if v.Outcome.Sent != nil {
		v.Outcome.Sent(c)
	}
	return result, nil
}
