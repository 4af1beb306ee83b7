package wire

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The manners of an API without manners of its own: a JSON object in the body,
// everything else where its row says. Others are code of their emulator.

// ReadJSON makes a check that reads what the request says into c.In: the JSON
// object in its body, and the values whose rows name the path, the query or a
// header. A body that cannot be read ends in unreadable, with the fact why.
func ReadJSON(unreadable *contract.Outcome) func(*contract.Call) contract.Verdict {
	return func(c *contract.Call) contract.Verdict {
		c.In = contract.Values{}
		if c.Operation == nil {
			return contract.Verdict{}
		}
		if c.Request.TooLarge {
			return unreadable.Because(unreadableBody, "why", "it is longer than the server takes")
		}
		if len(c.Request.Body) > 0 {
			in, err := Object(c.Request.Body)
			if err != nil {
				return unreadable.Because(unreadableBody, "why", err.Error())
			}
			c.In = in
		}
		var query url.Values
		if c.Request.URL.RawQuery != "" {
			query = c.Request.URL.Query()
		}
		for i := range c.Operation.Params {
			p := &c.Operation.Params[i]
			var values []string
			switch p.In {
			case contract.Path:
				values = []string{c.Request.Path[p.Name]}
			case contract.Query:
				values = query[p.Name]
			case contract.Header:
				values = c.Request.Header.Values(p.Name)
			}
			if len(values) > 0 {
				c.In[p.Name] = contract.Raw(values[0])
			}
		}
		return contract.Verdict{}
	}
}

var unreadableBody = &contract.Cause{Code: "body_unreadable", Text: "The body is no JSON object: {why}. Send one, such as {}."}

// WriteJSON is the Write of an API that puts the outcome's status and the reply
// on the wire as they are.
func WriteJSON(c *contract.Call, v contract.Verdict, r contract.Reply) contract.Response {
	h := r.Header
	if h == nil {
		h = http.Header{}
	}
	h.Set("Content-Type", "application/json")
	return contract.Response{Status: c.Operation.Status(v.Outcome), Header: h, Body: r.Body}
}

var pathName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\w+\}`) })

// JSONRequest is the request of a draft as ReadJSON reads it, without proof of
// the caller. A path parameter that the draft does not name has its row's Example,
// or "none", since a path without it would be another path.
func JSONRequest(d contract.Draft) *contract.Request {
	r := &contract.Request{
		Method: d.Operation.Method, URL: &url.URL{Path: d.Operation.Path}, Host: d.Host, Header: http.Header{}, Arrived: d.Now,
	}
	query, body := url.Values{}, contract.Values{}
	for name, value := range d.In {
		row := contract.FindParam(d.Operation.Params, name)
		text, isText := value.(string)
		if !isText {
			text = string(Encode(value))
		}
		switch {
		case row == nil, row.In == contract.Body:
			body[name] = value
		case row.In == contract.Path:
			r.URL.Path = strings.ReplaceAll(r.URL.Path, "{"+name+"}", text)
		case row.In == contract.Query:
			query.Set(name, text)
		case row.In == contract.Header:
			r.Header.Set(name, text)
		}
	}
	r.URL.Path = pathName().ReplaceAllStringFunc(r.URL.Path, func(name string) string {
		row := contract.FindParam(d.Operation.Params, name[1:len(name)-1])
		if row == nil || row.Example == "" {
			return "none"
		}
		return row.Example
	})
	r.URL.RawQuery = query.Encode()
	r.Target = r.URL.RequestURI()
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
		r.Body = EncodeRows(d.Operation.Params, body)
	}
	return r
}
