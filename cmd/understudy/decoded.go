package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/output"
)

// exchange is a call as it went over the wire.
type exchange struct {
	url                           *url.URL
	requestHeader, responseHeader http.Header
	request, response             []byte
}

// printDecoded prints what a call and its answer say where their bodies do not
// show it: they were encrypted, say. It is taken from the journal's entry that
// the answer names.
func printDecoded(ctx context.Context, c *client.Client, env *env, x *exchange) error {
	id := x.responseHeader.Get(gateway.CallHeader)
	at := strings.LastIndexByte(id, '-')
	if at <= 0 {
		return nil // the server keeps quiet about itself
	}
	var entry struct {
		Request, Response struct{ Decoded json.RawMessage }
	}
	if err := c.Get(ctx, client.Path("sandboxes", id[:at], "journal", id), &entry); err != nil {
		env.note("understudy: the bodies cannot be shown decrypted: %v\n", err)
		return nil
	}
	for _, half := range []struct {
		title   string
		decoded json.RawMessage
		shown   bool
	}{
		{"request, as it was read:", entry.Request.Decoded, Shows(entry.Request.Decoded, x.request, x.requestHeader, x.url)},
		{"answer, before it was put on the wire:", entry.Response.Decoded, Shows(entry.Response.Decoded, x.response, x.responseHeader, &url.URL{})},
	} {
		if half.shown {
			continue
		}
		if _, err := io.WriteString(env.out, "\n"+half.title+"\n"); err != nil {
			return err
		}
		if err := output.Indent(env.out, half.decoded); err != nil {
			return err
		}
	}
	return nil
}

// Shows reports whether all that was decoded can be read in the message itself:
// in an object of its JSON, in a form, in the query, in a segment of the path,
// or in a header.
func Shows(decoded json.RawMessage, body []byte, header http.Header, at *url.URL) bool {
	members, ok := parsed(decoded).(map[string]any)
	if !ok {
		return len(decoded) == 0 || string(decoded) == "null" || bytes.Contains(body, decoded)
	}
	message, form := parsed(body), url.Values{}
	for _, text := range []string{at.RawQuery, string(body)} {
		if pairs, err := url.ParseQuery(text); err == nil {
			for name, values := range pairs {
				form[name] = append(form[name], values...)
			}
		}
	}
	segments := strings.Split(at.Path, "/")
	for name, value := range members {
		text, _ := value.(string)
		if number, is := value.(json.Number); is {
			text = number.String()
		}
		if !holds(message, name, value) && (text == "" || form.Get(name) != text && header.Get(name) != text && !slices.Contains(segments, text)) {
			return false
		}
	}
	return true
}

// holds reports whether an object in x has this member.
func holds(x any, name string, value any) bool {
	switch x := x.(type) {
	case map[string]any:
		if there, ok := x[name]; ok && reflect.DeepEqual(there, value) {
			return true
		}
		for _, inner := range x {
			if holds(inner, name, value) {
				return true
			}
		}
	case []any:
		for _, inner := range x {
			if holds(inner, name, value) {
				return true
			}
		}
	}
	return false
}

// parsed reads JSON; nil where it is none.
func parsed(text []byte) (x any) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&x) != nil {
		return nil
	}
	return x
}
