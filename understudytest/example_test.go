package understudytest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/understudytest"
)

// client is a small program under test: it registers at Adobe Pass, and tries again
// where that is refused.
type client struct {
	http       *http.Client
	base       string
	statement  string
	registered []byte // the answer
}

func (c *client) register(tries int) error {
	for n := 1; ; n++ {
		answer, err := c.http.Post(c.base+"/o/client/register", "application/json", strings.NewReader(`{"software_statement":"`+c.statement+`"}`))
		if err != nil {
			return err
		}
		c.registered, _ = io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode == http.StatusCreated || n == tries {
			fmt.Printf("try %d: %s\n", n, answer.Status)
			return nil
		}
	}
}

// token has the client register and ask for a token.
func token(c *client) {
	var id struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := errors.Join(c.register(1), json.Unmarshal(c.registered, &id)); err != nil {
		fmt.Println(err)
		return
	}
	answer, err := c.http.PostForm(c.base+"/o/client/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {id.ID}, "client_secret": {id.Secret},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer.Body.Close()
}

// newClient makes a client of a sandbox.
func newClient(box *understudytest.Sandbox) *client {
	return &client{http: box.Client(), base: box.URL("adobepass"), statement: box.Credentials("adobepass")["softwareStatement"]}
}

// An exampleT stands in for the *testing.T that a test has. It prints what fails.
type exampleT struct {
	testing.TB
	name string
	done []func()
}

func (t *exampleT) Name() string                      { return t.name }
func (t *exampleT) Helper()                           {}
func (t *exampleT) Failed() bool                      { return false }
func (t *exampleT) Cleanup(f func())                  { t.done = append(t.done, f) }
func (t *exampleT) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (t *exampleT) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// end is what the testing package does when a test ends.
func (t *exampleT) end() {
	for i := len(t.done) - 1; i >= 0; i-- {
		t.done[i]()
	}
}

func Example() {
	t := &exampleT{name: "TestRegister"} // in a test: t *testing.T
	defer t.end()                        // the testing package does this

	box := understudytest.Start(t).Sandbox(t)
	_ = newClient(box).register(1)
	box.Verify(t, understudytest.Call{API: "adobepass", Operation: "RegisterClient", Outcome: "success", Count: understudytest.Exactly(1)})
	// Output:
	// try 1: 201 Created
}

func ExampleSandbox_On() {
	t := &exampleT{name: "TestRetry"}
	defer t.end()

	box := understudytest.Start(t, understudytest.InMemory()).Sandbox(t)
	box.On("adobepass", "RegisterClient").Outcome("too_many_requests").Times(2)
	_ = newClient(box).register(5)
	for _, call := range box.Journal() {
		fmt.Println(call.Operation, call.Outcome, "by", call.DecidedBy)
	}
	// Output:
	// try 3: 201 Created
	// RegisterClient too_many_requests by scenario adobepass/on-1 rule 1
	// RegisterClient too_many_requests by scenario adobepass/on-1 rule 1
	// RegisterClient success by emulator
}

func ExampleSandbox_Verify() {
	t := &exampleT{name: "TestGivesUp"}
	defer t.end()

	box := understudytest.Start(t, understudytest.InMemory()).Sandbox(t)
	box.On("adobepass", "RegisterClient").Outcome("too_many_requests")
	_ = newClient(box).register(2)
	box.Verify(t, understudytest.Call{Name: "it tries three times", Operation: "RegisterClient", Count: understudytest.Exactly(3)})
	// Output:
	// try 2: 429 Too Many Requests
	// sandbox testgivesup: not all checks hold
	// fails         it tries three times
	//               got 2 calls, want exactly 3 calls
	// 1 check: 1 fails
}

func ExampleSandbox_Advance() {
	t := &exampleT{name: "TestExpiry"}
	defer t.end()

	box := understudytest.Start(t, understudytest.InMemory()).Sandbox(t)
	box.Freeze(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))
	token(newClient(box))
	for _, due := range box.Advance(6 * time.Hour) {
		fmt.Println(due.API, due.What, due.At.Format(time.DateTime))
	}
	// Output:
	// try 1: 201 Created
	// adobepass token 2026-01-31 18:00:00
}

func ExampleRule_Fault() {
	t := &exampleT{name: "TestBrokenConnection"}
	defer t.end()

	box := understudytest.Start(t, understudytest.InMemory()).Sandbox(t)
	box.On("adobepass", "*").Fault("reset")
	fmt.Println(newClient(box).register(1))
	// Output:
	// Post "http://understudy.test:6412/@testbrokenconnection/o/client/register": read tcp 127.0.0.1:0->127.0.0.1:6412: connection reset by peer
}
