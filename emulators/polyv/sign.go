package polyv

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// sign makes the request that the documentation's sample code would send:
// a GET with everything in its query, or a POST of a form, signed with MD5.
func sign(d contract.Draft) (*contract.Request, error) {
	id, secret := d.Credentials.Text("appId"), d.Credentials.Text("appSecret")
	if id == "" || secret == "" {
		return nil, errors.New("signing a request to polyv: appId and appSecret are needed")
	}
	if d.Operation == nil {
		return nil, errors.New("signing a request to polyv: no operation is named")
	}
	path, in := d.Operation.Path, maps.Clone(d.In)
	var pairs []pair
	add := func(name string) {
		if x, given := in[name]; given {
			pairs = append(pairs, pair{name, fmt.Sprint(x)})
			delete(in, name)
		}
	}
	for i := range d.Operation.Params {
		p := &d.Operation.Params[i]
		if p.In == contract.Path {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(formatValue(in[p.Name])))
			delete(in, p.Name)
			continue
		}
		add(p.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		add(name)
	}
	pairs = append(pairs, pair{"appId", id}, pair{"timestamp", strconv.FormatInt(d.Now.UnixMilli(), 10)})
	s := &signing{pairs: slices.Clone(pairs), head: secret, tail: secret}
	slices.SortStableFunc(s.pairs, byName)
	pairs = append(pairs, pair{"sign", s.signature()})
	r := &contract.Request{
		Method: d.Operation.Method, URL: &url.URL{Path: path}, Host: d.Host,
		Header: http.Header{"Accept": {"application/json"}}, Arrived: d.Now,
	}
	if u, err := url.Parse(path); err == nil {
		r.URL = u // the path may hold escapes
	}
	if r.Method == http.MethodPost {
		r.Header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
		r.Body = []byte(encode(pairs))
	} else {
		r.URL.RawQuery = encode(pairs)
	}
	r.Target = r.URL.RequestURI()
	return r, nil
}

func formatValue(x any) string {
	if x == nil {
		return ""
	}
	return fmt.Sprint(x)
}

func encode(pairs []pair) string {
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p.name) + "=" + url.QueryEscape(p.value))
	}
	return b.String()
}
