package youdu

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// sign makes the request that a library would send, encrypted with the
// application's key. The 16 bytes before the message are derived from it, so that
// the same call gives the same bytes. Without a valid key nothing is encrypted;
// sandboxes with the switch plain or with auth off accept that.
func sign(d contract.Draft) (*contract.Request, error) {
	if d.Operation == nil {
		return nil, errors.New("making a request to youdu: no operation is named")
	}
	token := d.In.Text("accessToken")
	if token == "" {
		token = d.Credentials.Text("accessToken")
	}
	if token == "" && d.Operation != getToken {
		return nil, fmt.Errorf("making a request to youdu: %s needs an accessToken, and the sandbox's fixture lists none that lasts; call GetToken and give accessToken=…", d.Operation.Name)
	}
	r := &contract.Request{Method: d.Operation.Method, Host: d.Host, Header: http.Header{}, Arrived: d.Now}
	query := ""
	if d.Operation != getToken {
		query = "accessToken=" + url.QueryEscape(token)
	}
	in := maps.Clone(d.In)
	delete(in, "accessToken")
	if r.Method == http.MethodGet {
		for _, name := range slices.Sorted(maps.Keys(in)) {
			query += "&" + url.QueryEscape(name) + "=" + url.QueryEscape(fmt.Sprint(in[name]))
		}
	}
	r.URL = &url.URL{Path: d.Operation.Path, RawQuery: query}
	r.Target = r.URL.RequestURI()
	if r.Method == http.MethodPost {
		return r, encodeBody(r, d, in)
	}
	return r, nil
}

// encodeBody sets the body of a POST.
func encodeBody(r *contract.Request, d contract.Draft, in contract.Values) error {
	a := &app{AppID: d.Credentials.Text("appId")}
	var err error
	if a.block, a.iv, err = newCipher(d.Credentials.Text("aesKey")); err != nil {
		a.block = nil
	}
	content, hasFile := in["file"]
	var message []byte
	switch d.Operation {
	case getToken:
		message = strconv.AppendInt(nil, d.Now.Unix(), 10)
		if given := in.Text("timestamp"); given != "" {
			message = []byte(given)
		}
	case uploadMedia:
		delete(in, "file")
		fallthrough
	default:
		message = wire.EncodeRows(d.Operation.Params, in)
	}
	encrypted := a.sealIfKeyed(message)
	if d.Operation == uploadMedia {
		part := ""
		if hasFile {
			part = a.sealIfKeyed([]byte(fmt.Sprint(content)))
		}
		return encodeForm(r, draftBuin(d), a.AppID, encrypted, part, hasFile)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Body = wire.Encode(&struct {
		Buin    any    `json:"buin"`
		AppID   string `json:"appId"`
		Encrypt string `json:"encrypt"`
	}{draftBuin(d), a.AppID, encrypted})
	return nil
}

// sealIfKeyed encrypts a message, if there is a key.
func (a *app) sealIfKeyed(message []byte) string {
	if a.block == nil {
		return string(message)
	}
	sum := sha256.Sum256(message)
	prefix := [prefixSize]byte(sum[:prefixSize])
	toLetters(prefix[:])
	return string(a.seal(nil, prefix, message))
}

// draftBuin is the enterprise of the credentials: a number, or the text if it is
// none.
func draftBuin(d contract.Draft) any {
	text := strings.TrimSpace(fmt.Sprint(d.Credentials["buin"]))
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	return text
}

// encodeForm sets the body of an upload.
func encodeForm(r *contract.Request, buin any, appID, encrypted, part string, hasFile bool) error {
	var b bytes.Buffer
	f := multipart.NewWriter(&b)
	sum := sha256.Sum256([]byte(encrypted + part))
	if err := f.SetBoundary(fmt.Sprintf("%x", sum[:16])); err != nil {
		return fmt.Errorf("making the form: %w", err)
	}
	values := [...][2]string{{"buin", fmt.Sprint(buin)}, {"appId", appID}, {"encrypt", encrypted}}
	for _, v := range values {
		if err := f.WriteField(v[0], v[1]); err != nil {
			return fmt.Errorf("making the form: %w", err)
		}
	}
	if hasFile {
		w, err := f.CreateFormFile("file", "file")
		if err == nil {
			_, err = w.Write([]byte(part))
		}
		if err != nil {
			return fmt.Errorf("making the form: %w", err)
		}
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("making the form: %w", err)
	}
	r.Header.Set("Content-Type", f.FormDataContentType())
	r.Body = b.Bytes()
	return nil
}
