package adobepass

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// sign makes the request of a client. Without a device identifier it sends the
// one of the samples. It leaves out an empty one. Without a software statement it sends
// that of the credentials.
func sign(d contract.Draft) (*contract.Request, error) {
	op := d.Operation
	if op == nil {
		return nil, fmt.Errorf("signing a request to adobepass: no operation is named")
	}
	h := http.Header{"Accept": {jsonType}}
	path, query, fields, body := op.Path, url.Values{}, url.Values{}, contract.Values{}
	for i := range op.Params {
		p := &op.Params[i]
		x, given := d.In[p.Name]
		if statement := d.Credentials.Text("softwareStatement"); !given && p.Name == "software_statement" && statement != "" {
			x, given = statement, true
		}
		if !given {
			if p.Name == deviceHeader && p.Need == contract.Expected {
				h.Set(deviceHeader, sampleDevice)
			}
			if p.In == contract.Path {
				path = strings.ReplaceAll(path, "{"+p.Name+"}", "-") // an unknown value, because an empty segment would be another path
			}
			continue
		}
		switch p.In {
		case contract.Path:
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(textOf(x)))
		case contract.Query:
			query.Set(p.Name, textOf(x))
		case contract.Form:
			fields.Set(p.Name, textOf(x))
		case contract.Header:
			if s := textOf(x); s != "" {
				h.Set(p.Name, strings.Map(printable, s))
			}
		case contract.Body:
			body[p.Name] = x
		}
	}
	for name, x := range d.In { // encoding sorts them
		switch {
		case findParam(op, name) != nil:
		case bodyType(op) == formType:
			fields.Set(name, textOf(x))
		case bodyType(op) == jsonType:
			body[name] = x
		default:
			query.Set(name, textOf(x))
		}
	}
	if takesToken(op) {
		if token := d.Credentials.Text("accessToken"); token != "" {
			h.Set("Authorization", "Bearer "+token)
		}
	}
	r := &contract.Request{Method: op.Method, Host: d.Host, Header: h, Arrived: d.Now}
	switch kind := bodyType(op); kind {
	case formType:
		h.Set("Content-Type", formType)
		r.Body = []byte(fields.Encode())
	case jsonType:
		h.Set("Content-Type", jsonType)
		r.Body = wire.Encode(body)
	}
	target := path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("signing a request to adobepass: %w", err)
	}
	r.URL, r.Target = u, target
	return r, nil
}

// textOf returns a value as it is written in a path, query, form or header.
func textOf(x any) string {
	switch v := x.(type) {
	case string:
		return v
	case contract.Raw:
		return string(v)
	}
	return fmt.Sprint(x)
}

// printable drops control characters, which a header must not contain.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

// bodyType returns the documented media type of an operation's body, or "".
func bodyType(op *contract.Operation) string {
	kind := ""
	for i := range op.Params {
		switch op.Params[i].In {
		case contract.Form:
			kind = formType
		case contract.Body:
			kind = jsonType
		}
	}
	return kind
}
