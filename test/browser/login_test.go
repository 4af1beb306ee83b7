package browser_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// chromium is the browser of this machine; "" where it has none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// binary is understudy, built for these tests.
var binary string

func TestMain(m *testing.M) {
	if chromium() == "" {
		fmt.Fprintln(os.Stderr, "test/browser: no Chromium on this machine, so no page was driven in one")
		if os.Getenv("CI") == "true" {
			os.Exit(1) // .ci/run has to install it
		}
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "understudy-browser")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "understudy")
	build := exec.Command("go", "build", "-o", binary, "./cmd/understudy")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

var readyLine = regexp.MustCompile(`^ready control=(\S+) door=(\S+?)(?: tls=\S+)? in \d+ms$`)

// A server is a started understudy, by the addresses of its control API and its door.
type server struct{ control, door string }

// serve starts understudy on free ports.
func serve(t *testing.T, flags ...string) *server {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"serve", "--quiet", "--strict", "--control-port", "0", "--door-port", "0", "--api-ports", "off"}, flags...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("understudy ended with %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	m := readyLine.FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		t.Fatalf("no ready line: %q, %v", line, err)
	}
	return &server{m[1], m[2]}
}

// directory is a new one for a browser to write to. Some of a browser's processes outlive the
// one that is waited for by a moment, and write into what is just being removed.
func directory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			err := os.RemoveAll(dir)
			if err == nil {
				return
			}
			if time.Now().After(end) {
				t.Error(err)
				return
			}
		}
	})
	return dir
}

// window opens a browser that ends with the test.
func window(t *testing.T, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium()), chromedp.NoSandbox, chromedp.UserDataDir(directory(t)))
	allocated, free := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	t.Cleanup(free)
	ctx, done := chromedp.NewContext(allocated)
	t.Cleanup(done)
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(stop)
	return ctx
}

// application is a web application on an origin of its own: it creates a
// session, shows the login in a frame, and polls until there is a profile.
const application = `<!DOCTYPE html><title>application</title><p id="state">begun</p><iframe id="login" width="600" height="400"></iframe>
<script>
const base = %q, headers = {
  "Authorization": "Bearer " + %q,
  "AP-Device-Identifier": "fingerprint YnJvd3Nlcg==",
  "Content-Type": "application/x-www-form-urlencoded",
};
let loads = 0;
const state = text => document.getElementById("state").textContent = text;
(async () => {
  const body = new URLSearchParams({mvpd: "Cablevision", domainName: "adobe.com", redirectUrl: location.origin + "/back"});
  const session = await (await fetch(base + "/api/v2/REF30/sessions", {method: "POST", headers, body})).json();
  document.getElementById("login").onload = () => { document.title = "loaded " + ++loads; };
  document.getElementById("login").src = base + session.url;
  state("waiting");
  for (;;) {
    const reply = await (await fetch(base + "/api/v2/REF30/profiles/code/" + session.code, {headers})).json();
    if (reply.profiles.Cablevision) return state("in: " + reply.profiles.Cablevision.attributes.userID.value);
    await new Promise(done => setTimeout(done, 50));
  }
})().catch(e => state("failed: " + e));
</script>`

var token = regexp.MustCompile(`token: (\S+)`)

// bearer is the access token of the documented samples.
func bearer(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "fixtures", "adobepass", "default.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return token.FindStringSubmatch(string(text))[1]
}

// TestLoginInAFrame: the page may be framed by an application of another
// origin, whose calls pass the browser's own checks; denied first, then let in.
func TestLoginInAFrame(t *testing.T) {
	door := serve(t).door + "/adobepass"
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/back" {
			fmt.Fprint(w, `<p id="back">back</p>`)
			return
		}
		fmt.Fprintf(w, application, door, bearer(t))
	}))
	defer app.Close()
	ctx := window(t)
	var alert, state string
	// frame does something in the login's frame once that has loaded n times.
	frame := func(n int, do func(inside chromedp.QueryOption) chromedp.Action) chromedp.Action {
		return chromedp.ActionFunc(func(ctx context.Context) error {
			var frames []*cdp.Node
			return chromedp.Run(ctx,
				chromedp.Poll(fmt.Sprintf(`document.title === "loaded %d"`, n), nil),
				chromedp.Nodes(`#login`, &frames, chromedp.ByQuery),
				chromedp.ActionFunc(func(ctx context.Context) error {
					return do(chromedp.FromNode(frames[0])).Do(ctx)
				}),
			)
		})
	}
	click := func(button string) func(chromedp.QueryOption) chromedp.Action {
		return func(inside chromedp.QueryOption) chromedp.Action {
			return chromedp.Click(button, chromedp.ByQuery, inside)
		}
	}
	if err := chromedp.Run(ctx,
		chromedp.Navigate(app.URL),
		frame(1, click(`button[value=deny]`)),
		frame(2, func(inside chromedp.QueryOption) chromedp.Action {
			return chromedp.Text(`.said`, &alert, chromedp.ByQuery, inside)
		}),
		frame(2, click(`button[value=allow]`)),
		frame(3, func(inside chromedp.QueryOption) chromedp.Action {
			return chromedp.WaitVisible(`#back`, chromedp.ByQuery, inside)
		}),
		chromedp.Poll(`document.getElementById("state").textContent !== "waiting"`, nil),
		chromedp.Text(`#state`, &state),
	); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(alert, "did not accept") {
		t.Errorf("got %q", alert)
	}
	if state != "in: BASE64_value_userId" {
		t.Errorf("got %q", state)
	}
}

// TestLoginWithoutScript: the page works in a browser that runs none.
func TestLoginWithoutScript(t *testing.T) {
	door := serve(t).door + "/adobepass"
	var at string
	var cookies int
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookies += len(r.Cookies())
		fmt.Fprintf(w, "<title>application</title><p id=back>%s</p>", r.URL.RawQuery)
	}))
	defer app.Close()
	r, err := http.NewRequest(http.MethodPost, door+"/api/v2/REF30/sessions", strings.NewReader("mvpd=Cablevision&domainName=adobe.com&redirectUrl="+app.URL+"/%3Fdone=1"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer(t))
	r.Header.Set("AP-Device-Identifier", "fingerprint YnJvd3Nlcg==")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	line, _ := bufio.NewReader(answer.Body).ReadString('}')
	m := regexp.MustCompile(`"url":"([^"]+)"`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("got %s", line)
	}
	ctx := window(t)
	if err := chromedp.Run(ctx,
		emulation.SetScriptExecutionDisabled(true),
		chromedp.Navigate(door+m[1]),
		chromedp.SetAttributeValue(`option[value=child]`, "selected", "selected", chromedp.ByQuery),
		chromedp.Click(`button[value=allow]`, chromedp.ByQuery),
		chromedp.WaitVisible(`#back`, chromedp.ByID),
		chromedp.Text(`#back`, &at, chromedp.ByID),
	); err != nil {
		t.Fatal(err)
	}
	if at != "done=1" || cookies > 0 {
		t.Errorf("got %q and %d cookies", at, cookies)
	}
}
