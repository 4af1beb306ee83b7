package tencentcar

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// sign makes the request that the Go SDK would send: a POST of compact JSON,
// signed with TC3-HMAC-SHA256 over content-type and host. Like an SDK without a
// configured language it omits X-TC-Language, so that answers are in English.
func sign(d contract.Draft) (*contract.Request, error) {
	id, secret := d.Credentials.Text("secretId"), d.Credentials.Text("secretKey")
	if id == "" || secret == "" {
		return nil, errors.New("signing a request to tencentcar: secretId and secretKey are needed")
	}
	if d.Operation == nil {
		return nil, errors.New("signing a request to tencentcar: no operation is named")
	}
	body := wire.EncodeRows(d.Operation.Params, d.In)
	s := &signing{
		variant: variant{host: d.Host, uri: "/"}, method: http.MethodPost,
		signed: "content-type;host", gap: "\n", payload: digest(body),
		timestamp: strconv.FormatInt(d.Now.Unix(), 10), date: d.Now.UTC().Format(time.DateOnly),
		service: service, prefix: "TC3", secret: secret,
		header: http.Header{"Content-Type": headers["Content-Type"]},
	}
	h := http.Header{
		"Content-Type":   {"application/json"},
		"X-Tc-Action":    {d.Operation.Name},
		"X-Tc-Timestamp": {s.timestamp},
		"X-Tc-Version":   {version},
		"Authorization": {algorithm + " Credential=" + id + "/" + s.date + "/" + service + scopeSuffix +
			", SignedHeaders=" + s.signed + ", Signature=" + s.signature()},
	}
	if token := d.Credentials.Text("token"); token != "" {
		h["X-Tc-Token"] = []string{token}
	}
	return &contract.Request{
		Method: http.MethodPost, Target: "/", URL: &url.URL{Path: "/"}, Host: d.Host,
		Header: h, Body: body, Arrived: d.Now,
	}, nil
}
