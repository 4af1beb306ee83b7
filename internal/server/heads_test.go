package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The head of a request has at most 64 KiB, to which net/http adds 4 KiB for its own
// reading. More is answered 431, at every port, and the connection ends.
func TestHeadsAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t, config())
	for _, url := range []string{s.ControlURL, s.DoorURL, s.URL("toy")} {
		for length, refused := range map[int]bool{63 << 10: false, 69 << 10: true} {
			client := dial(t, url)
			go func() { // the server may have enough before the end
				_, _ = fmt.Fprintf(client, "GET /page HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", length))
			}()
			answer, err := http.ReadResponse(bufio.NewReader(client), nil)
			if err != nil {
				t.Fatalf("%d bytes at %s: %v", length, url, err)
			}
			_ = answer.Body.Close()
			if got := answer.StatusCode == http.StatusRequestHeaderFieldsTooLarge; got != refused || answer.Close != refused {
				t.Errorf("%d bytes at %s: got %s, the connection ends: %v; want refused: %v", length, url, answer.Status, answer.Close, refused)
			}
		}
	}
}

// A head that does not come to its end, and a connection that brings no further request,
// are given up, each after a time of its own and at every port.
func TestConnectionsThatBringNothingEnd(t *testing.T) {
	t.Parallel()
	const whole = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"
	const soon, never = 50 * time.Millisecond, time.Hour
	for _, c := range []struct {
		name       string
		head, idle time.Duration
		sent       string
		answers    int
	}{
		{"nothing", never, soon, "", 0},
		{"half a head", soon, never, "GET /page HTTP/1.1\r\nHost: ", 0},
		{"half a second head", soon, never, whole + "GET /page HTTP/1.1\r\nHost: ", 1},
		{"no second request", never, soon, whole, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			settings := config()
			settings.HeadTimeout, settings.IdleTimeout = c.head, c.idle
			s := start(t, settings)
			for _, url := range []string{s.ControlURL, s.DoorURL, s.URL("toy")} {
				begun := time.Now()
				client := dial(t, url)
				if _, err := io.WriteString(client, c.sent); err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(client)
				if err != nil || strings.Count(string(got), "HTTP/1.1 ") != c.answers {
					t.Errorf("at %s: got %q, %v; want %d answers and the end", url, got, err, c.answers)
				}
				if took := time.Since(begun); took < soon {
					t.Errorf("at %s: the end came after %s, want at least %s", url, took, soon)
				}
			}
		})
	}
}

// dial connects to the server of a URL, for a while.
func dial(t *testing.T, url string) net.Conn {
	t.Helper()
	client, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if err := client.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return client
}
