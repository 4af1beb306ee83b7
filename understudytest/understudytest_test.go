package understudytest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/understudytest"
)

// ways are how a server is reached.
var ways = map[string][]understudytest.Option{"ports": nil, "memory": {understudytest.InMemory()}}

// inEachWay runs f against a server of each kind.
func inEachWay(t *testing.T, f func(t *testing.T, s *understudytest.Server)) {
	t.Helper()
	for name, options := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, understudytest.Start(t, options...))
		})
	}
}

// register asks adobepass for a client, which needs no signature. Without the right
// software statement it is refused.
func register(t *testing.T, c *http.Client, base, statement string) (status int, outcome string) {
	t.Helper()
	answer, err := c.Post(base+"/o/client/register", "application/json", strings.NewReader(`{"software_statement":"`+statement+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, answer.Header.Get("Understudy-Outcome")
}

func TestCallsAndScenarios(t *testing.T) {
	t.Parallel()
	inEachWay(t, func(t *testing.T, s *understudytest.Server) {
		box := s.Sandbox(t)
		statement := box.Credentials("adobepass")["softwareStatement"]
		if statement == "" {
			t.Fatalf("no software statement in %v", box.Credentials("adobepass"))
		}
		rule := box.On("adobepass", "RegisterClient").Outcome("invalid_software_statement").Times(2).With("details", "by a test")
		for i, want := range []string{"invalid_software_statement", "invalid_software_statement", "success"} {
			_, outcome := register(t, box.Client(), box.URL("adobepass"), statement)
			if want = "adobepass/RegisterClient/" + want; outcome != want {
				t.Errorf("call %d: got %s, want %s", i+1, outcome, want)
			}
		}
		if rule.Fired() != 2 {
			t.Errorf("got %d, want 2", rule.Fired())
		}
		box.Verify(t,
			understudytest.Call{API: "adobepass", Operation: "RegisterClient", Count: understudytest.Exactly(3)},
			understudytest.Call{Outcome: "invalid_software_statement", DecidedBy: "scenario", Count: understudytest.AtMost(2)},
			understudytest.Call{Operation: "RegisterClient", Where: map[string]any{"software_statement": understudytest.Present()}, Count: understudytest.AtLeast(3)},
			understudytest.Order{API: "adobepass", Calls: []understudytest.Call{{Operation: "RegisterClient", Outcome: "invalid_software_statement"}, {Operation: "RegisterClient", Outcome: "success"}}, Within: time.Minute},
		)
		journal := box.Journal()
		if len(journal) != 3 || journal[0].Outcome != "invalid_software_statement" || journal[2].Outcome != "success" || journal[0].DecidedBy.String() != "scenario adobepass/on-1 rule 1" {
			t.Errorf("got %+v", journal)
		}
		if body := box.Entry(journal[0].ID).Response.Body; !strings.Contains(body, "by a test") {
			t.Errorf("got %q", body)
		}
		// Documented hosts lead here too, over what the client takes for TLS.
		if _, outcome := register(t, box.Client(), "https://api.auth.adobe.com", statement); outcome != "adobepass/RegisterClient/success" {
			t.Errorf("by the documented host: got %q", outcome)
		}
	})
}

// The network fails as over sockets.
func TestFaults(t *testing.T) {
	t.Parallel()
	inEachWay(t, func(t *testing.T, s *understudytest.Server) {
		tests := map[string]func(error, string) bool{
			"reset":    func(err error, _ string) bool { return errors.Is(err, syscall.ECONNRESET) },
			"empty":    func(err error, _ string) bool { return errors.Is(err, io.EOF) },
			"truncate": func(err error, body string) bool { return errors.Is(err, io.ErrUnexpectedEOF) && body != "" },
			"garbage":  func(err error, body string) bool { return errors.Is(err, io.ErrUnexpectedEOF) && body != "" },
			"stall":    func(err error, _ string) bool { return errors.Is(err, context.DeadlineExceeded) },
		}
		for fault, holds := range tests {
			t.Run(fault, func(t *testing.T) {
				t.Parallel()
				box := s.Sandbox(t)
				box.On("polyv", "*").Fault(fault)
				c := box.Client()
				c.Timeout = 10 * time.Second
				if fault == "stall" {
					c.Timeout = 100 * time.Millisecond
				}
				answer, err := c.Post(box.URL("polyv")+"/live/v3/channel/session/list", "text/plain", nil)
				var body []byte
				if err == nil {
					body, err = io.ReadAll(answer.Body)
					answer.Body.Close()
				}
				if !holds(err, string(body)) {
					t.Errorf("got %v and the body %q", err, body)
				}
			})
		}
		t.Run("slow", func(t *testing.T) {
			t.Parallel()
			box := s.Sandbox(t)
			box.On("polyv", "*").Delay(20 * time.Millisecond).Bandwidth(1000)
			began := time.Now()
			answer, err := box.Client().Get(box.URL("polyv") + "/live/v3/channel/session/list")
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if spent := time.Since(began); err != nil || spent < 20*time.Millisecond {
				t.Errorf("got %q, %v after %s", body, err, spent)
			}
		})
	})
}

// What is wrong ends a test with what would be right.
func TestFailuresAreKind(t *testing.T) {
	t.Parallel()
	s := understudytest.Start(t, understudytest.InMemory())
	tests := []struct {
		name string
		do   func(*recorder, *understudytest.Sandbox)
		want []string
	}{
		{"URL", func(_ *recorder, b *understudytest.Sandbox) { b.URL("tencentcat") }, []string{`no API "tencentcat"`, `did you mean "tencentcar"`}},
		{"Credentials", func(_ *recorder, b *understudytest.Sandbox) { b.Credentials("poliv") }, []string{`did you mean "polyv"`}},
		{"API of a rule", func(_ *recorder, b *understudytest.Sandbox) { b.On("yodu", "GetToken") }, []string{`did you mean "youdu"`}},
		{"operation", func(_ *recorder, b *understudytest.Sandbox) { b.On("tencentcar", "CreateSesion").Outcome("success") }, []string{`did you mean "CreateSession"`}},
		{"outcome", func(_ *recorder, b *understudytest.Sandbox) {
			b.On("tencentcar", "CreateSession").Outcome("ResourceNotFound.NoIdel")
		}, []string{`did you mean "ResourceNotFound.NoIdle"`}},
		{"parameter", func(_ *recorder, b *understudytest.Sandbox) {
			b.On("tencentcar", "CreateSession").Where("UserID", "u").Outcome("success")
		}, []string{`did you mean "UserId"`}},
		{"times", func(_ *recorder, b *understudytest.Sandbox) {
			b.On("tencentcar", "CreateSession").Outcome("success").Times(0)
		}, []string{"times is 0; at least 1 was expected"}},
		{"a rule that does nothing", func(_ *recorder, b *understudytest.Sandbox) { b.On("tencentcar", "CreateSession").Times(2) }, []string{`box.On("tencentcar", "CreateSession")`, "add Outcome"}},
		{"a value that is no JSON", func(_ *recorder, b *understudytest.Sandbox) {
			b.On("tencentcar", "CreateSession").With("x", func() {}).Outcome("success")
		}, []string{"unsupported type"}},
		{"fault", func(_ *recorder, b *understudytest.Sandbox) { b.On("tencentcar", "*").Fault("rest") }, []string{`did you mean "reset"`}},
		{"scenario", func(_ *recorder, b *understudytest.Sandbox) { b.Scenario("tencentcar/no-idel") }, []string{"no-idle"}},
		{"scenario that is off", func(_ *recorder, b *understudytest.Sandbox) { b.ScenarioOff("tencentcar/no-idle") }, []string{"not active"}},
		{"trigger", func(_ *recorder, b *understudytest.Sandbox) { b.Trigger("tencentcar", "client.losst", nil) }, []string{`did you mean "client.lost"`}},
		{"fixture", func(_ *recorder, b *understudytest.Sandbox) { b.Fixture("tencentcar", "defualt") }, []string{`did you mean "default"`}},
		{"switch", func(_ *recorder, b *understudytest.Sandbox) { b.Set("tencentcar", "rate_limit", "off") }, []string{`did you mean "rate_limits"`}},
		{"advance", func(_ *recorder, b *understudytest.Sandbox) { b.Advance(-time.Second) }, []string{"positive"}},
		{"snapshot", func(_ *recorder, b *understudytest.Sandbox) { b.Restore(understudytest.Snapshot("{}")) }, []string{"no version"}},
		{"entry", func(_ *recorder, b *understudytest.Sandbox) { b.Entry("x-1") }, []string{`no entry "x-1"`}},
		{"check", func(r *recorder, b *understudytest.Sandbox) {
			b.Verify(r, understudytest.Call{Operation: "CreateSesion"})
		}, []string{`did you mean "CreateSession"`}},
		{"check of nothing", func(r *recorder, b *understudytest.Sandbox) {
			b.Verify(r, understudytest.Call{Operation: "CreateSession", Where: map[string]any{"x": func() {}}})
		}, []string{"cannot be written as JSON"}},
		{"expectation", func(r *recorder, b *understudytest.Sandbox) {
			b.On("tencentcar", "CreateSession").Outcome("success").Expect(2)
			b.Verify(r)
		}, []string{"insufficient"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, t.Name(), func(r *recorder) { tt.do(r, s.Sandbox(r)) })
			says(t, r.errors, tt.want...)
			for _, text := range r.errors {
				if strings.Contains(text, ":1:") {
					t.Errorf("a place in a text that nobody wrote: %s", text)
				}
			}
		})
	}
}

// A failed check tells the nearest miss, and a failed test its calls.
func TestFailedTestTellsItsCalls(t *testing.T) {
	t.Parallel()
	s := understudytest.Start(t)
	r := run(t, "TestOfMine", func(r *recorder) {
		box := s.Sandbox(r)
		register(t, http.DefaultClient, box.URL("adobepass"), "nonsense")
		if box.Verify(r, understudytest.Call{Operation: "RegisterClient", Outcome: "success"}) {
			t.Error("it holds")
		}
	})
	says(t, r.errors, "sandbox testofmine: not all checks hold", "nearest: testofmine-1", "outcome")
	says(t, r.logs, "the calls of sandbox testofmine:\n  testofmine-1 adobepass RegisterClient: ", "\n      why: ")

	r = run(t, "TestWithoutCalls", func(r *recorder) { s.Sandbox(r); r.Errorf("a fault of its own") })
	says(t, r.logs, "no call reached the sandbox testwithoutcalls; clients are led there by its URL")

	r = run(t, "TestWithManyCalls", func(r *recorder) {
		box := s.Sandbox(r)
		for range 60 {
			register(t, http.DefaultClient, box.URL("adobepass"), strings.Repeat("\x1b[2J", 1000))
		}
		r.Errorf("a fault of its own")
	})
	says(t, r.logs, "the last 50")
	if text := strings.Join(r.logs, ""); len(text) > 50_000 || strings.Contains(text, "\x1b") {
		t.Errorf("the log has %d bytes: %.200q…", len(text), text)
	}
	if r = run(t, "TestThatHolds", func(r *recorder) { s.Sandbox(r) }); r.failed || r.logs != nil {
		t.Errorf("got %q, %q of a test that did not fail", r.errors, r.logs)
	}
}

// The same name has the same credentials again; names of tests at once differ, and are
// such as sandboxes have.
func TestNamesAndCredentials(t *testing.T) {
	t.Parallel()
	credentials := map[string]string{}
	for range 2 {
		s := understudytest.Start(t, understudytest.InMemory())
		for _, name := range []string{"TestA/case_1", "TestA/case-1", "TestA", "default", "", "测试", "测验", strings.Repeat("TestLong", 20), strings.Repeat("TestLong", 20) + "er"} {
			run(t, name, func(r *recorder) {
				r.TB = t
				first, second := s.Sandbox(r), s.Sandbox(r)
				if first.Name == second.Name || len(second.Name) > 63 {
					t.Errorf("%q has the sandboxes %s and %s", name, first.Name, second.Name)
				}
				id := first.Credentials("tencentcar")["secretId"]
				if before := credentials[name]; id == "" || before != "" && before != id {
					t.Errorf("%q: got %q, and %q before", name, id, before)
				}
				credentials[name] = id
			})
		}
	}
	if name := "TestA/case_1"; credentials[name] != credentials["TestA/case-1"] {
		t.Errorf("two tests, one after the other, whose names differ in punctuation: got other credentials")
	}
	if credentials["测试"] == credentials["测验"] {
		t.Error("two tests in Chinese share their credentials")
	}
}

func TestTimeStateAndTriggers(t *testing.T) {
	t.Parallel()
	box := understudytest.Start(t, understudytest.InMemory()).Sandbox(t)
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	box.Freeze(noon)
	if !box.Now().Equal(noon) {
		t.Errorf("got %s", box.Now())
	}
	box.Set("tencentcar", "rate_limits", "off")
	box.Fixture("tencentcar", "default")
	before := box.Snapshot()
	register(t, box.Client(), box.URL("adobepass"), box.Credentials("adobepass")["softwareStatement"])
	due := box.Advance(365 * 24 * time.Hour)
	if len(due) == 0 || due[0].API == "" || due[0].What == "" || due[0].At.IsZero() {
		t.Errorf("got %+v, want what ended in a year", due)
	}
	box.Restore(before)
	if !box.Now().Equal(noon) {
		t.Errorf("restored: got %s", box.Now())
	}
	box.Scenario("tencentcar/no-idle")
	box.ScenarioOff("tencentcar/no-idle")
	box.ScenarioOff()
	box.Reset()
	if len(box.Journal()) != 0 {
		t.Errorf("after a reset: got %d calls", len(box.Journal()))
	}
}

func TestSetenv(t *testing.T) {
	s := understudytest.Start(t)
	box := s.Sandbox(t)
	box.Setenv(t)
	if got := box.Env()["UNDERSTUDY_SANDBOX"]; got != box.Name {
		t.Errorf("got %q, want %q", got, box.Name)
	}
	// What UNDERSTUDY_CONTROL names is used, and nothing is started.
	other := understudytest.Start(t)
	twin := other.Sandbox(t)
	if !strings.HasPrefix(twin.Name, box.Name+"-") || other.RoundTripper() == nil {
		t.Errorf("got %s beside %s", twin.Name, box.Name)
	}
	if twin.URL("polyv") != strings.Replace(box.URL("polyv"), box.Name, twin.Name, 1) {
		t.Errorf("got %s and %s of one server", twin.URL("polyv"), box.URL("polyv"))
	}
	twin.On("adobepass", "RegisterClient").Outcome("invalid_software_statement")
	if _, outcome := register(t, twin.Client(), "http://api.auth.adobe.com", "x"); outcome != "adobepass/RegisterClient/invalid_software_statement" {
		t.Errorf("got %s", outcome)
	}
	if third := understudytest.Start(t).Sandbox(t); third.Name != twin.Name+"-2" {
		t.Errorf("got %s and %s of one test", twin.Name, third.Name)
	}
	twin.Verify(t, understudytest.Call{Operation: "RegisterClient", Count: understudytest.Exactly(1)})
	other.Close()
	if _, outcome := register(t, http.DefaultClient, box.URL("adobepass"), "x"); outcome == "" {
		t.Error("closing a server that runs elsewhere ended it")
	}
}

func TestNoServerThere(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:1": "no server answers at http://127.0.0.1:1",
		"ftp://here":         "was expected",
	} {
		t.Setenv("UNDERSTUDY_CONTROL", address)
		r := run(t, t.Name(), func(r *recorder) { understudytest.Start(r) })
		says(t, r.errors, "understudy did not start", want, "UNDERSTUDY_CONTROL is set")
	}
	t.Setenv("UNDERSTUDY_CONTROL", "")
	r := run(t, t.Name(), func(r *recorder) { understudytest.Start(r, understudytest.Scenarios("/nowhere")) })
	says(t, r.errors, "understudy did not start", "/nowhere")
}

func TestTokenOfARunningServer(t *testing.T) {
	s := understudytest.Start(t)
	t.Setenv("UNDERSTUDY_CONTROL", s.Sandbox(t).Env()["UNDERSTUDY_CONTROL"])
	t.Setenv("UNDERSTUDY_CONTROL_TOKEN", "of a server that asks for none")
	understudytest.Start(t).Sandbox(t).Reset()
}

// Nothing is left of a server that was closed: not by many at once, and not by one whose
// calls stall.
func TestNothingIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("many", func(t *testing.T) {
		for n := range 10 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				s := understudytest.Start(t, ways[[]string{"ports", "memory"}[n%2]]...)
				box := s.Sandbox(t)
				register(t, box.Client(), box.URL("adobepass"), "x")
				box.On("polyv", "*").Fault("stall")
				c := box.Client()
				c.Timeout = 50 * time.Millisecond
				if answer, err := c.Get(box.URL("polyv")); err == nil {
					answer.Body.Close()
					t.Error("it answers")
				}
			})
		}
	})
	var after int
	for range 100 {
		if after = runtime.NumGoroutine(); after <= before {
			return
		}
		time.Sleep(20 * time.Millisecond) // goroutines of net/http end a little after their connections
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines, and %d before:\n%s", after, before, stacks[:runtime.Stack(stacks, true)])
}

// A closed server leaves the ends of its sandboxes nothing to complain of.
func TestCloseEarly(t *testing.T) {
	t.Parallel()
	r := run(t, "TestCloseEarly", func(r *recorder) {
		s := understudytest.Start(r)
		s.Sandbox(r)
		s.Close()
		s.Close()
	})
	if r.failed || len(r.logs) > 0 {
		t.Errorf("got %q, %q", r.errors, r.logs)
	}
}

// Who goes on with the sandbox of a server that was closed is told so, and not to start
// one.
func TestClosedServerIsNamed(t *testing.T) {
	t.Parallel()
	for name, options := range ways {
		s, err := understudytest.Open(options...)
		if err != nil {
			t.Fatal(err)
		}
		for _, goOn := range []func(*understudytest.Sandbox, *recorder){
			func(b *understudytest.Sandbox, _ *recorder) { b.Reset() },
			func(b *understudytest.Sandbox, _ *recorder) { b.Journal() },
			func(b *understudytest.Sandbox, r *recorder) { b.Verify(r) },
		} {
			r := run(t, "TestClosedServerIsNamed", func(r *recorder) {
				b := s.Sandbox(r)
				s.Close()
				goOn(b, r)
			})
			says(t, r.errors, "its server was closed, by Close or at the end of the test that started it")
			if strings.Contains(strings.Join(r.errors, ""), "--control") {
				t.Errorf("%s: got %q", name, r.errors)
			}
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for name, options := range ways {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s, err := understudytest.Open(options...)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				s.Close()
				b.StartTimer()
			}
		})
	}
}

func BenchmarkSandbox(b *testing.B) {
	for name, options := range ways {
		b.Run(name, func(b *testing.B) {
			s := understudytest.Start(b, options...)
			for b.Loop() {
				r := &recorder{TB: b, name: b.Name()}
				s.Sandbox(r)
				r.clean()
			}
		})
	}
}
