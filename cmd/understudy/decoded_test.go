package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What an encrypted call and its answer say is printed beside the bytes that
// went over the wire; what can be read there is not printed twice.
func TestCallShowsWhatIsEncrypted(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, "call", "youdu", "CreateSession", "title=<trio>", "creator=test1", "member=test1,test2,test3").want(t, exitDone,
		`POST /cgi/session/create?accessToken=`, `{"buin":14797363,"appId":"ydA1B2C3D4E5F60718293A4B5C6D7E8F90","encrypt":"`,
		`{"errcode":0,"errmsg":"ok","encrypt":"`,
		"\nrequest, as it was read:\n{\n", "  \"member\": [\n    \"test1\",\n",
		"\nanswer, before it was put on the wire:\n{\n  \"sessionId\": \"{", "  \"version\": 1,\n")
	at(t, s, "call", "youdu", "CreateSession", "--sandbox", "two", "title=t", "creator=test1", "member=test1").want(t, exitDone,
		`{"errcode":5,"errmsg":"`, "\nrequest, as it was read:\n{\n")
	at(t, s, "call", "youdu", "UploadMedia", "type=file", "name=a.txt", "file=hello you").want(t, exitDone,
		"Content-Type: multipart/form-data; boundary=", `"name": "a.txt"`, `"mediaId": "`)
	at(t, s, "call", "youdu", "GetMedia", "mediaId=5d41402abc4b2a76b9719d911017c592-5").want(t, exitDone,
		"\nEncrypt: ", `"mediaId": "5d41402abc4b2a76b9719d911017c592-5"`, `"name": "notes.txt"`)
	at(t, s, "call", "youdu", "GetToken").want(t, exitDone, `"timestamp": "`, `"accessToken": "`)
	got := at(t, s, apply("u-1")...)
	if strings.Contains(got.out, "as it was read") || strings.Contains(got.out, "put on the wire") {
		t.Errorf("said twice: %s", got.out)
	}
}

func TestShows(t *testing.T) {
	t.Parallel()
	header := http.Header{"Etag": {"seven"}}
	tests := []struct {
		name, decoded, body, query string
		want                       bool
	}{
		{"nothing", ``, `{"x":1}`, "", true},
		{"the body", `{"a":"b","n":1}`, `{"n":1,"a":"b","more":true}`, "", true},
		{"within the body", `{"a":"b"}`, `[{"Response":{"a":"b"}}]`, "", true},
		{"a list", `{"a":["b","c"]}`, `{"a":["b","c"]}`, "", true},
		{"another list", `{"a":["b","c"]}`, `{"a":["b"]}`, "", false},
		{"the query", `{"a":"b","n":1}`, ``, "n=1&a=b", true},
		{"a form", `{"a":"b c"}`, `a=b+c`, "", true},
		{"a header", `{"ETag":"seven"}`, ``, "", true},
		{"encrypted", `{"a":"b"}`, `{"encrypt":"AAAA"}`, "token=1", false},
		{"the path", `{"a":"b","serviceProvider":"REF30"}`, ``, "a=b", true},
		{"the query has only some", `{"a":"b","token":"1"}`, `{"encrypt":"AAAA"}`, "token=1", false},
		{"no object, there", `["a"]`, `{"x":["a"]}`, "", true},
		{"no object, not there", `["a"]`, `{"x":["b"]}`, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at := &url.URL{Path: "/api/v2/REF30/sessions", RawQuery: tt.query}
			if got := Shows(json.RawMessage(tt.decoded), []byte(tt.body), header, at); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}
