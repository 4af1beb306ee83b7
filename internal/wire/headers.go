package wire

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

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
	if name, value, is := onlyText(body); is && slices.Contains(names, name) {
		return http.Header{http.CanonicalHeaderKey(name): {value}}, nil, nil
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

// onlyText returns the member of a JSON object that has just one, a text that is written as
// it is: {"Location":"/api"}.
func onlyText(body []byte) (name, value string, is bool) {
	text, begins := strings.CutPrefix(string(body), `{"`)
	text, ends := strings.CutSuffix(text, `"}`)
	name, value, parted := strings.Cut(text, `":"`)
	return name, value, begins && ends && parted && !strings.ContainsAny(name, `"\\`) && !strings.ContainsAny(value, `"\\`)
}
