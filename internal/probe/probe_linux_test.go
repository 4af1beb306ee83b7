package probe

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func serve(t testing.TB, h http.HandlerFunc) target {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	to, ok := parse(s.URL)
	if !ok {
		t.Fatalf("%s was not understood", s.URL)
	}
	return to
}

// Only an answer 200 to GET /readyz is ready.
func TestReady(t *testing.T) {
	t.Parallel()
	var asked *http.Request
	yes := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r
		_, _ = w.Write([]byte(`{"status":"ready"}`))
	})
	if !ready(yes) {
		t.Error("a server that answers 200 is not ready")
	} else if asked.Method != http.MethodGet || asked.RequestURI != "/readyz" || asked.Host != yes.host() {
		t.Errorf("asked %s %s of %s", asked.Method, asked.RequestURI, asked.Host)
	}
	for _, status := range []int{204, 301, 404, 503} {
		if ready(serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })) {
			t.Errorf("a server that answers %d is ready", status)
		}
	}
	if ready(serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })) {
		t.Error("a server that breaks off is ready")
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to, _ := parse("http://" + l.Addr().String())
	l.Close()
	if ready(to) {
		t.Error("where nobody listens is a server that is ready")
	}
}

// The question costs a few allocations: it has no HTTP client.
func TestReadyIsCheap(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		question := make([]byte, maxAnswer)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(question)
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			conn.Close()
		}
	}()
	to, _ := parse("http://" + l.Addr().String())
	if got := testing.AllocsPerRun(20, func() { ready(to) }); got > 25 { // the server's own are among them
		t.Errorf("a question takes %v allocations, at most 25 were expected", got)
	}
}
