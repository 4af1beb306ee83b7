package adobemedia

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// sign makes the request of a player. Where the draft is silent, it adds what a
// player's library adds: the time, a playhead of 0, and for sessionStart the
// params of the documented sample with the caller's report suite and
// organisation.
func sign(d contract.Draft) (*contract.Request, error) {
	if d.Operation == nil {
		return nil, errors.New("making a request to adobemedia: no operation is named")
	}
	target, in := fillPath(d.Operation.Path, d.In)
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("making a request to adobemedia: %w", err)
	}
	r := &contract.Request{
		Method: d.Operation.Method, Target: target, URL: u, Host: d.Host, Header: http.Header{}, Arrived: d.Now,
	}
	if d.Operation == getSchema {
		return r, nil
	}
	r.Header["Content-Type"] = []string{"application/json"}
	switch d.Operation {
	case startSession:
		r.Body = wire.Encode(sessionStartEvent(d, in))
	case sendEvent:
		r.Body = wire.Encode(withTime(d, in))
	default:
		r.Body = wire.Encode(downloadedBatch(d, in))
	}
	return r, nil
}

// fillPath inserts values into the placeholders of a path and returns the other
// values. A missing value becomes a hyphen, which is no session and no type.
func fillPath(path string, in contract.Values) (string, contract.Values) {
	rest := maps.Clone(in)
	parts := strings.Split(path, "/")
	for i, part := range parts {
		name, isPlace := strings.CutPrefix(part, "{")
		if !isPlace {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		parts[i] = "-"
		if x, given := in[name]; given {
			parts[i] = url.PathEscape(fmt.Sprint(x))
		}
		delete(rest, name)
	}
	return strings.Join(parts, "/"), rest
}

// withTime adds the time to an event that has none.
func withTime(d contract.Draft, in contract.Values) contract.Values {
	event := contract.Values{playerTime.Name: contract.Values{"playhead": 0, "ts": d.Now.UnixMilli()}}
	maps.Copy(event, in)
	if given := in.Object(playerTime.Name); given != nil {
		when := contract.Values{"ts": d.Now.UnixMilli()}
		maps.Copy(when, given)
		event[playerTime.Name] = when
	}
	return event
}

// sessionStartEvent returns a sessionStart.
func sessionStartEvent(d contract.Draft, in contract.Values) contract.Values {
	params := contract.Sample(sessionParams)
	for key, name := range map[string]string{suiteKey: "reportSuite", orgKey: "orgId"} {
		if known := d.Credentials.Text(name); known != "" {
			params[key] = known
		}
	}
	event := contract.Values{"eventType": sessionStart, "params": params}
	maps.Copy(event, in)
	return withTime(d, event)
}

// downloadedBatch returns the given events, or else a short session that was
// played offline.
func downloadedBatch(d contract.Draft, in contract.Values) any {
	if events, given := in["events"]; given {
		return events
	}
	first := sessionStartEvent(d, nil)
	first.Object("params")[downloadedKey] = true
	return []any{
		first,
		withTime(d, contract.Values{"eventType": "play"}),
		withTime(d, contract.Values{"eventType": "sessionComplete"}),
	}
}
