package wire

import (
	"encoding/json"
	"net/http"

	"github.com/understudy-suite/understudy/internal/contract"
)

// Headers takes the members out of body whose rows say that they belong into
// a header, and returns what is left. Where no row does, body stays untouched.
func Headers(rows []contract.Param, body []byte) (http.Header, []byte, error) {
	var names []string
	for i := range rows {
		if rows[i].In == contract.Header {
			names = append(names, rows[i].Name)
		}
	}
	if names == nil || body == nil {
		return nil, body, nil
	}
	rest, taken, err := Take(body, names...)
	if err != nil {
		return nil, nil, err
	}
	h := http.Header{}
	for _, name := range names {
		raw, ok := taken[name]
		if !ok {
			continue
		}
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		h.Set(name, s)
	}
	if string(rest) == "{}" && (len(taken) > 0 || len(names) == len(rows)) {
		rest = nil
	}
	return h, rest, nil
}
