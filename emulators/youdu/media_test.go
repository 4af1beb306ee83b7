package youdu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// part is one part of a form.
type part struct{ name, content string }

// uploadForm makes the form of an upload.
func uploadForm(t testing.TB, parts ...part) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	f := multipart.NewWriter(&b)
	for _, p := range parts {
		add := f.CreateFormField
		if p.name == "file" {
			add = func(name string) (io.Writer, error) { return f.CreateFormFile(name, "图片.png") }
		}
		w, err := add(p.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(p.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.FormDataContentType(), b.String()
}

// upload makes the request of an upload.
func upload(t testing.TB, target string, parts ...part) *http.Request {
	t.Helper()
	contentType, body := uploadForm(t, parts...)
	return request("POST", target, body, "Content-Type", contentType)
}

const uploadPath = "/cgi/media/upload?accessToken=" + lastingToken

// TestMedia uploads a file, searches it and downloads it.
func TestMedia(t *testing.T) {
	t.Parallel()
	w, a := newWorld(t, "bare"), newApp(t, vectorApp)
	seal := func(message string) string { return string(a.seal(nil, [prefixSize]byte{}, []byte(message))) }
	content := "\x89PNG\x00\xff" + strings.Repeat("x", 5000)
	o, returned := w.call(upload(t, uploadPath, part{"buin", "14797363"}, part{"appId", vectorApp},
		part{"encrypt", seal(`{"type":"image","name":"图片.png","buin":14797363,"appId":"x"}`)}, part{"file", seal(content)}))
	id := mediaID([]byte(content))
	if o != "success" || returned != `{"mediaId":"`+id+`"}` || !strings.HasSuffix(id, "-5006") {
		t.Fatalf("got %s %s, want %s", o, returned, id)
	}
	if o, returned := w.post("/cgi/media/search", lastingToken, vectorApp, `{"mediaId":"`+id+`"}`); o != "success" || returned != `{"name":"图片.png","size":5006}` {
		t.Errorf("search: got %s %s", o, returned)
	}
	_, answer := w.serve(request("POST", "/cgi/media/get?accessToken="+lastingToken, sealed(t, vectorApp, `{"mediaId":"`+id+`"}`)))
	if _, exactly := answer.Header()["Encrypt"]; !exactly || answer.Header().Get("Content-Type") != "application/octet-stream" {
		t.Errorf("get: got the headers %v", answer.Header())
	}
	about, fault := a.open("the header", answer.Header().Get("Encrypt"), true)
	if fault != nil || string(about) != `{"name":"图片.png","size":5006}` {
		t.Errorf("get: got %s, %+v", about, fault)
	}
	if got, fault := a.open("the body", answer.Body.String(), true); fault != nil || string(got) != content {
		t.Errorf("get: got %d bytes, %+v", len(got), fault)
	}
	for _, path := range []string{"/cgi/media/get", "/cgi/media/search"} {
		for message, want := range map[string]string{`{"mediaId":"none"}`: "FILE_NOTEXIST", `{}`: "INVALID_REQUEST_5", `{"mediaId":5}`: "INVALID_FORMAT_JSON"} {
			e, answer := w.serve(request("POST", path+"?accessToken="+lastingToken, sealed(t, vectorApp, message)))
			if e.Outcome != want || answer.Header()["Encrypt"] != nil || !strings.HasPrefix(answer.Body.String(), `{"errcode":`) {
				t.Errorf("%s %s: got %s %v %s, want %s", path, message, e.Outcome, answer.Header(), answer.Body, want)
			}
		}
	}
}

// TestBadUploads sends uploads with one fault each.
func TestBadUploads(t *testing.T) {
	t.Parallel()
	a := newApp(t, vectorApp)
	seal := func(message string) string { return string(a.seal(nil, [prefixSize]byte{}, []byte(message))) }
	good := []part{{"buin", "14797363"}, {"appId", vectorApp}, {"encrypt", seal(`{"type":"file","name":"n"}`)}, {"file", seal("hello")}}
	with := func(name, content string) []part {
		var changed []part
		for _, p := range good {
			if p.name != name {
				changed = append(changed, p)
			}
		}
		if content != "-" {
			changed = append(changed, part{name, content})
		}
		return changed
	}
	many := good
	for i := range maxParts {
		many = append(many, part{fmt.Sprint("x", i), "y"})
	}
	contentType, form := uploadForm(t, good...)
	broken := request("POST", uploadPath, form[:len(form)/2], "Content-Type", contentType)
	other := request("POST", uploadPath, form, "Content-Type", "multipart/form-data; boundary=other")
	large := request("POST", uploadPath, form+strings.Repeat("x", 10<<20), "Content-Type", contentType)
	tests := []struct {
		name string
		r    *http.Request
		want string
	}{
		{"good", upload(t, uploadPath, good...), "success"},
		{"an empty file", upload(t, uploadPath, with("file", seal(""))...), "success"},
		{"a second encrypt", upload(t, uploadPath, append(good[:4:4], part{"encrypt", "x"})...), "success"},
		{"no token", upload(t, "/cgi/media/upload", good...), "MISS_ACCESSTOKEN"},
		{"no file", upload(t, uploadPath, with("file", "-")...), "INVALID_MULTIPART"},
		{"a file that is not encrypted", upload(t, uploadPath, with("file", "hello")...), "INVALID_ENCRYPT"},
		{"no buin", upload(t, uploadPath, with("buin", "-")...), "MISS_BUIN"},
		{"buin no number", upload(t, uploadPath, with("buin", "x")...), "INVALID_FORMAT_BUIN"},
		{"buin unknown", upload(t, uploadPath, with("buin", "1")...), "INVALID_BUIN"},
		{"no appId", upload(t, uploadPath, with("appId", "")...), "MISS_APPID"},
		{"no encrypt", upload(t, uploadPath, with("encrypt", "-")...), "MISS_ENCRYPT"},
		{"encrypt broken", upload(t, uploadPath, with("encrypt", "AAAA")...), "INVALID_ENCRYPT"},
		{"another type", upload(t, uploadPath, with("encrypt", seal(`{"type":"exe","name":"n"}`))...), "INVALID_FILETYPE"},
		{"no type", upload(t, uploadPath, with("encrypt", seal(`{"name":"n"}`))...), "INVALID_FILETYPE"},
		{"no name", upload(t, uploadPath, with("encrypt", seal(`{"type":"file"}`))...), "INVALID_REQUEST_5"},
		{"no JSON in it", upload(t, uploadPath, with("encrypt", seal(`x`))...), "INVALID_FORMAT_JSON"},
		{"JSON for the form", request("POST", uploadPath, sealed(t, vectorApp, `{"type":"file","name":"n"}`), "Content-Type", "application/json"), "INVALID_MULTIPART"},
		{"no type of content", request("POST", uploadPath, "x"), "INVALID_MULTIPART"},
		{"another form", request("POST", uploadPath, "a=b", "Content-Type", "application/x-www-form-urlencoded"), "INVALID_MULTIPART"},
		{"no boundary", request("POST", uploadPath, "x", "Content-Type", "multipart/form-data"), "INVALID_MULTIPART"},
		{"cut", broken, "INVALID_MULTIPART"},
		{"another boundary", other, "INVALID_MULTIPART"},
		{"too many parts", upload(t, uploadPath, many...), "INVALID_MULTIPART"},
		{"too large", large, "INVALID_MULTIPART"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "bare")
			before := w.snapshot()
			if o, _ := w.call(tt.r); o != tt.want {
				t.Errorf("got %s, want %s", o, tt.want)
			}
			if tt.want != "success" && w.snapshot() != before {
				t.Errorf("the state changed: %s", w.snapshot())
			}
		})
	}
}

// In a plain sandbox files are not encrypted. A name that no header can carry is
// escaped.
func TestPlainMedia(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "plain")
	_, answer := w.serve(upload(t, uploadPath, part{"buin", "14797363"}, part{"appId", vectorApp}, part{"encrypt", `{"type":"image","name":"图😀\u007f.png"}`}, part{"file", "hello you"}))
	var envelope struct{ Encrypt uploadReply }
	if err := json.Unmarshal(answer.Body.Bytes(), &envelope); err != nil || envelope.Encrypt.MediaID != mediaID([]byte("hello you")) {
		t.Fatalf("got %s: %v", answer.Body, err)
	}
	_, answer = w.serve(request("POST", "/cgi/media/get?accessToken="+lastingToken, `{"mediaId":"`+envelope.Encrypt.MediaID+`"}`))
	if got := answer.Header().Get("Encrypt"); got != `{"name":"\u56fe\ud83d\ude00\u007f.png","size":9}` || answer.Body.String() != "hello you" {
		t.Errorf("got %s, %s", got, answer.Body)
	}
}

// Files are limited in number and in bytes, and the oldest is dropped first. The
// same content again is one file.
func TestFilesGiveWay(t *testing.T) {
	t.Parallel()
	newWorld(t, "bare").withState(func(st *state) {
		put := func(content string) string {
			f := &file{Type: "file", Name: "n", Content: []byte(content), Serial: st.nextSerial()}
			f.ID = mediaID(f.Content)
			st.addFile(f)
			return f.ID
		}
		first := put("0")
		for i := range maxFiles - 1 {
			put(fmt.Sprint("x", i))
		}
		put("0")
		if len(st.Media) != maxFiles || st.Media[first] == nil {
			t.Fatalf("got %d files", len(st.Media))
		}
		put("one more")
		if len(st.Media) != maxFiles || st.Media[first] == nil || st.Media[mediaID([]byte("x0"))] != nil {
			t.Errorf("got %d files", len(st.Media))
		}
		half := strings.Repeat("h", maxFileBytes/2)
		put(half + "1")
		put(half + "2")
		last := put(half + half + half)
		if len(st.Media) != 1 || st.Media[last] == nil || st.media.bytes != len(half)*3+1 {
			t.Errorf("got %d files of %d bytes", len(st.Media), st.media.bytes)
		}
		put("x")
		if len(st.Media) != 1 || st.media.bytes != 2 {
			t.Errorf("got %d files of %d bytes", len(st.Media), st.media.bytes)
		}
		if err := st.Reindex(); err != nil || st.media.bytes != 2 {
			t.Errorf("got %v, %d bytes", err, st.media.bytes)
		}
	})
}

// Sessions are limited in number and in bytes.
func TestSessionsGiveWay(t *testing.T) {
	t.Parallel()
	newWorld(t, "bare").withState(func(st *state) {
		put := func(title string) *session {
			s := &session{ID: fmt.Sprint("s", st.Serial), Title: title, Owner: "test1", Members: []string{"test1"}, Serial: st.nextSerial()}
			st.addSession(s)
			return s
		}
		first, second, third := put("t"), put("t"), put("t")
		for len(st.Sessions) < maxSessions {
			put("t")
		}
		st.removeSession(second)
		put("t")
		if st.Sessions[first.ID] == nil || len(st.Sessions) != maxSessions || st.sessions.len() != maxSessions {
			t.Fatalf("got %d sessions, %d queued", len(st.Sessions), st.sessions.len())
		}
		put("t")
		if st.Sessions[first.ID] != nil || st.Sessions[third.ID] == nil || len(st.Sessions) != maxSessions {
			t.Errorf("got %d sessions", len(st.Sessions))
		}
		put("t")
		if st.Sessions[third.ID] != nil || len(st.Sessions) != maxSessions {
			t.Errorf("got %d sessions, want the third gone", len(st.Sessions))
		}
		huge := put(strings.Repeat("t", maxSessionBytes))
		if len(st.Sessions) != 1 || st.Sessions[huge.ID] == nil || st.sessions.bytes != huge.size() {
			t.Errorf("got %d sessions of %d bytes", len(st.Sessions), st.sessions.bytes)
		}
		st.changeSession(huge, func() { huge.Title = "t" })
		if st.sessions.bytes != huge.size() {
			t.Errorf("got %d bytes, want %d", st.sessions.bytes, huge.size())
		}
	})
}

func FuzzUpload(f *testing.F) {
	contentType, form := uploadForm(f, part{"buin", "14797363"}, part{"appId", vectorApp}, part{"encrypt", "AAAA"}, part{"file", "x"})
	f.Add(contentType, []byte(form))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n--b--"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\n\r\n--b\r\n"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		w := newWorld(t, "default")
		before := w.snapshot()
		r := request("POST", uploadPath, string(body))
		r.Header = http.Header{"Content-Type": {kind}}
		if e, _ := w.serve(r); e.Outcome != "success" && w.snapshot() != before {
			t.Errorf("%s changed the state", e.Outcome)
		}
	})
}
