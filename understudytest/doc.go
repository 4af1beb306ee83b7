// Package understudytest is for tests in Go of programs that call the APIs understudy
// stands in for.
//
//	func TestRetries(t *testing.T) {
//		t.Parallel()
//		box := understudytest.Start(t).Sandbox(t)
//		box.On("tencentcar", "CreateSession").Outcome("ResourceNotFound.NoIdle").Times(2)
//
//		session, err := myclient.Connect(box.URL("tencentcar"), box.Credentials("tencentcar"))
//		…
//		box.Verify(t, understudytest.Call{Operation: "CreateSession", Count: understudytest.Exactly(3)})
//	}
//
// Start runs a server in the process of the test, on free ports of 127.0.0.1, in a few
// milliseconds; with InMemory on no ports at all, for clients that take an http.Client or
// an http.RoundTripper. Tests of a package may share one server, which TestMain opens:
//
//	var understudy *understudytest.Server
//
//	func TestMain(m *testing.M) {
//		var err error
//		if understudy, err = understudytest.Open(); err != nil {
//			log.Fatal(err)
//		}
//		code := m.Run()
//		understudy.Close()
//		os.Exit(code)
//	}
//
// Each test takes a Sandbox of its own, so that tests run in parallel. It is named after
// the test, and a test gets the same credentials in every run. When a test fails, the
// calls of its sandbox are logged, with the reason of each refusal.
//
// Where the environment variable UNDERSTUDY_CONTROL names a running server, with
// UNDERSTUDY_CONTROL_TOKEN where it asks for one, no server is started and that one is
// used: its console and log then show what the tests do. Its own settings hold, and
// options of Start count for nothing.
//
// # Failures on demand
//
// Sandbox.On makes a rule for one operation; each method of the Rule tells the server at
// once, so the rule is complete before the first call where it is written in one
// statement. Names that nobody knows end the test with the nearest known one. Scenario
// switches on a scenario that is shipped, or that is in a folder of Scenarios.
//
// # Time
//
// Advance moves the clock of the sandbox alone, and tells what ended because of that.
// Delays, rate limits and the timestamps of signatures run on the wall clock.
package understudytest
