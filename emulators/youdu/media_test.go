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

	"github.com/understudy-suite/understudy/internal/contract"
)

// part is one of a form.
type part struct{ name, content string }

// upload makes the form of an upload.
func upload(t testing.TB, target string, parts ...part) *contract.Request {
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
	return request("POST", target, b.String(), "Content-Type", f.FormDataContentType())
}

const uploadPath = "/cgi/media/upload?accessToken=" + lastingToken

// TestMedia uploads a file, finds it, gets it back and sends it.
func TestMedia(t *testing.T) {
	t.Parallel()
	w, a := newTown(t, "bare"), newApp(t, vectorApp)
	seal := func(message string) string { return string(a.seal(nil, [prefixSize]byte{}, []byte(message))) }
	content := "\x89PNG\x00\xff" + strings.Repeat("x", 5000)
	o, told := w.say(upload(t, uploadPath, part{"buin", "14797363"}, part{"appId", vectorApp},
		part{"encrypt", seal(`{"type":"image","name":"图片.png","buin":14797363,"appId":"x"}`)}, part{"file", seal(content)}))
	id := mediaID([]byte(content))
	if o != "success" || told != `{"mediaId":"`+id+`"}` || !strings.HasSuffix(id, "-5006") {
		t.Fatalf("got %s %s, want %s", o, told, id)
	}
	if o, told := w.post("/cgi/media/search", lastingToken, vectorApp, `{"mediaId":"`+id+`"}`); o != "success" || told != `{"name":"图片.png","size":5006}` {
		t.Errorf("search: got %s %s", o, told)
	}
	_, answer := w.serve(request("POST", "/cgi/media/get?accessToken="+lastingToken, sealed(t, vectorApp, `{"mediaId":"`+id+`"}`)))
	if _, exactly := answer.Header["Encrypt"]; !exactly || answer.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("get: got the headers %v", answer.Header)
	}
	about, fault := a.open("the header", answer.Header.Get("Encrypt"), true)
	if fault != nil || string(about) != `{"name":"图片.png","size":5006}` {
		t.Errorf("get: got %s, %+v", about, fault)
	}
	if got, fault := a.open("the body", string(answer.Body), true); fault != nil || string(got) != content {
		t.Errorf("get: got %d bytes, %+v", len(got), fault)
	}
	for _, path := range []string{"/cgi/media/get", "/cgi/media/search"} {
		for message, want := range map[string]string{`{"mediaId":"none"}`: "FILE_NOTEXIST", `{}`: "INVALID_REQUEST_5", `{"mediaId":5}`: "INVALID_FORMAT_JSON"} {
			v, answer := w.serve(request("POST", path+"?accessToken="+lastingToken, sealed(t, vectorApp, message)))
			if v.Outcome.Name != want || answer.Header["Encrypt"] != nil || !strings.HasPrefix(string(answer.Body), `{"errcode":`) {
				t.Errorf("%s %s: got %s %v %s, want %s", path, message, v.Outcome.Name, answer.Header, answer.Body, want)
			}
		}
	}
}

// TestBadUploads is what else an upload may be.
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
	broken := upload(t, uploadPath, good...)
	broken.Body = broken.Body[:len(broken.Body)/2]
	other := upload(t, uploadPath, good...)
	other.Header.Set("Content-Type", "multipart/form-data; boundary=other")
	large := upload(t, uploadPath, good...)
	large.TooLarge = true
	tests := []struct {
		name string
		r    *contract.Request
		want string
	}{
		{"good", upload(t, uploadPath, good...), "success"},
		{"an empty file", upload(t, uploadPath, with("file", seal(""))...), "success"},
		{"a second encrypt", upload(t, uploadPath, append(good[:4:4], part{"encrypt", "x"})...), "success"},
		{"no token", upload(t, "/cgi/media/upload", good...), "MISS_ACCESSTOKEN"},
		{"no file", upload(t, uploadPath, with("file", "-")...), "INVALID_MULTIPART"},
		{"a file as it is", upload(t, uploadPath, with("file", "hello")...), "INVALID_ENCRYPT"},
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
			w := newTown(t, "bare")
			before := w.snapshot()
			if o, _ := w.say(tt.r); o != tt.want {
				t.Errorf("got %s, want %s", o, tt.want)
			}
			if tt.want != "success" && w.snapshot() != before {
				t.Errorf("the state changed: %s", w.snapshot())
			}
		})
	}
}

// In a plain sandbox the file comes and goes as it is, and a name that no header
// can carry is escaped.
func TestPlainMedia(t *testing.T) {
	t.Parallel()
	w := newTown(t, "plain")
	_, answer := w.serve(upload(t, uploadPath, part{"buin", "14797363"}, part{"appId", vectorApp}, part{"encrypt", `{"type":"image","name":"图😀\u007f.png"}`}, part{"file", "hello you"}))
	var told struct{ Encrypt uploadReply }
	if err := json.Unmarshal(answer.Body, &told); err != nil || told.Encrypt.MediaID != mediaID([]byte("hello you")) {
		t.Fatalf("got %s: %v", answer.Body, err)
	}
	_, answer = w.serve(request("POST", "/cgi/media/get?accessToken="+lastingToken, `{"mediaId":"`+told.Encrypt.MediaID+`"}`))
	if got := answer.Header.Get("Encrypt"); got != `{"name":"\u56fe\ud83d\ude00\u007f.png","size":9}` || string(answer.Body) != "hello you" {
		t.Errorf("got %s, %s", got, answer.Body)
	}
}

// Files are bounded by number and by bytes, and the oldest gives way. The same
// content again is one file.
func TestFilesGiveWay(t *testing.T) {
	t.Parallel()
	w := newTown(t, "bare").world
	put := func(content string) string {
		f := &file{Type: "file", Name: "n", Content: []byte(content), Serial: w.nextSerial()}
		f.ID = mediaID(f.Content)
		w.addFile(f)
		return f.ID
	}
	first := put("0")
	for i := range maxFiles - 1 {
		put(fmt.Sprint("x", i))
	}
	put("0")
	if len(w.Media) != maxFiles || w.Media[first] == nil {
		t.Fatalf("got %d files", len(w.Media))
	}
	put("one more")
	if len(w.Media) != maxFiles || w.Media[first] == nil || w.Media[mediaID([]byte("x0"))] != nil {
		t.Errorf("got %d files", len(w.Media))
	}
	half := strings.Repeat("h", maxFileBytes/2)
	put(half + "1")
	put(half + "2")
	last := put(half + half + half)
	if len(w.Media) != 1 || w.Media[last] == nil || w.media.bytes != len(half)*3+1 {
		t.Errorf("got %d files of %d bytes", len(w.Media), w.media.bytes)
	}
	put("x")
	if len(w.Media) != 1 || w.media.bytes != 2 {
		t.Errorf("got %d files of %d bytes", len(w.Media), w.media.bytes)
	}
	if err := w.Reindex(); err != nil || w.media.bytes != 2 {
		t.Errorf("got %v, %d bytes", err, w.media.bytes)
	}
}

// Sessions are bounded, too: by number, and by what they hold.
func TestSessionsGiveWay(t *testing.T) {
	t.Parallel()
	w := newTown(t, "bare").world
	put := func(title string) *session {
		s := &session{ID: fmt.Sprint("s", w.Serial), Title: title, Owner: "test1", Members: []string{"test1"}, Serial: w.nextSerial()}
		w.addSession(s)
		return s
	}
	first, second, third := put("t"), put("t"), put("t")
	for len(w.Sessions) < maxSessions {
		put("t")
	}
	w.removeSession(second)
	put("t")
	if w.Sessions[first.ID] == nil || len(w.Sessions) != maxSessions || w.sessions.len() != maxSessions {
		t.Fatalf("got %d sessions, %d queued", len(w.Sessions), w.sessions.len())
	}
	put("t")
	if w.Sessions[first.ID] != nil || w.Sessions[third.ID] == nil || len(w.Sessions) != maxSessions {
		t.Errorf("got %d sessions", len(w.Sessions))
	}
	put("t")
	if w.Sessions[third.ID] != nil || len(w.Sessions) != maxSessions {
		t.Errorf("got %d sessions, want the third gone", len(w.Sessions))
	}
	huge := put(strings.Repeat("t", maxSessionBytes))
	if len(w.Sessions) != 1 || w.Sessions[huge.ID] == nil || w.sessions.bytes != huge.size() {
		t.Errorf("got %d sessions of %d bytes", len(w.Sessions), w.sessions.bytes)
	}
	w.changeSession(huge, func() { huge.Title = "t" })
	if w.sessions.bytes != huge.size() {
		t.Errorf("got %d bytes, want %d", w.sessions.bytes, huge.size())
	}
}

func FuzzUpload(f *testing.F) {
	good := upload(f, uploadPath, part{"buin", "14797363"}, part{"appId", vectorApp}, part{"encrypt", "AAAA"}, part{"file", "x"})
	f.Add(good.Header.Get("Content-Type"), good.Body)
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n--b--"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\n\r\n--b\r\n"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		w := newTown(t, "default")
		before := w.snapshot()
		r := request("POST", uploadPath, string(body))
		r.Header = http.Header{"Content-Type": {kind}}
		API.Identifiers(r)
		if v, _ := w.serve(r); v.Outcome.Fails && w.snapshot() != before {
			t.Errorf("%s changed the state", v.Outcome.Name)
		}
	})
}
