package adobepass

import (
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"unsafe"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A session stores copies of strings: neither the body nor the URL of a request
// stays in memory for a few characters.
func TestSessionsDoNotKeepTheRequest(t *testing.T) {
	t.Parallel()
	part := func(of, s string) bool {
		from, at := uintptr(unsafe.Pointer(unsafe.StringData(of))), uintptr(unsafe.Pointer(unsafe.StringData(s)))
		return s != "" && at >= from && at < from+uintptr(len(of))
	}
	body := "junk=" + strings.Repeat("x", 1<<10) + "&mvpd=Cablevision&domainName=adobe.com&redirectUrl=app:home"
	c := &contract.Call{Operation: createSession, In: contract.Values{}, Request: &contract.Request{URL: httptest.NewRequest("POST", "/", nil).URL}}
	(&caller{}).parseForm(c, body, contract.Form)
	for _, name := range []string{"mvpd", "domainName", "redirectUrl"} {
		if text := c.In.Text(name); text == "" || part(body, text) {
			t.Errorf("%s is %q, part of the body's memory", name, text)
		}
	}
	r := httptest.NewRequest("POST", "/api/v2/REF30/sessions?"+strings.Repeat("x", 1<<10), nil)
	r.Header.Set("X-Forwarded-For", "198.51.100.7, "+strings.Repeat("x", 1<<10))
	c.Request = &contract.Request{URL: r.URL, Header: r.Header, Path: map[string]string{"serviceProvider": r.URL.Path[len("/api/v2/"):][:5]}}
	parseRequest(c)
	if text := c.In.Text("serviceProvider"); text != "REF30" || part(r.URL.Path, text) {
		t.Errorf("the service provider is %q, part of the URL's memory", text)
	}
	if host, _ := deviceAddress(c.Request); host != "198.51.100.7" || part(r.Header.Get("X-Forwarded-For"), host) {
		t.Errorf("the address is %q, part of the header's memory", host)
	}
	if agent := strings.Repeat("x", 1<<10); part(agent, truncate(agent, longestAgent)) {
		t.Error("a truncated text keeps the whole text in memory")
	}
}

// A few large records reach the limit as many small ones do.
func TestByteLimit(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	withState(t, w, func(st *state) { st.testLimit = 16 }) // of 1 KB each
	large := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 3000)))
	usage := func() (records, size int) {
		withState(t, w, func(st *state) {
			records, size = len(st.Sessions), st.queues[sessionKind].size
			sum := 0
			for _, s := range st.Sessions {
				sum += s.entry.size
			}
			if sum != size {
				t.Errorf("the sessions have %d bytes, but the queue counted %d", sum, size)
			}
		})
		return records, size
	}
	for i := range 40 {
		call(t, w, "CreateSession", fmt.Sprintf("AA%02d", i), contract.Values{deviceInfoHeader: large})
	}
	if n, size := usage(); n < 2 || n > 4 || size > 6*4096 {
		t.Errorf("got %d sessions of %d bytes", n, size)
	}
	code := newSession(t, w, "BBBB")
	_, before := usage()
	for range 3 {
		call(t, w, "ResumeSession", "", contract.Values{"code": code, "redirectUrl": "https://adobe.com/" + strings.Repeat("x", 1000)})
	}
	if _, after := usage(); after != before+1001 {
		t.Errorf("after resuming, got %d bytes, before %d", after, before)
	}
}

// A long identity of a platform is stored as a digest.
func TestLongIdentities(t *testing.T) {
	t.Parallel()
	token := func(sub string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+sub+`"}`)) + ".e30"
	}
	if got := platformSubject(token("somebody")); got != "somebody" {
		t.Errorf("got %q", got)
	}
	long := strings.Repeat("x", 10000)
	got := platformSubject(token(long))
	if len(got) != 40 || got == platformSubject(token(long+"y")) || got != platformSubject(token(long)) {
		t.Errorf("got %q", got)
	}
}

// A promotional TempPass remembers long resources too: a resource that was used
// does not count again.
func TestLongResourceCountsOnce(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	permitted := func(resource string) bool {
		a := call(t, w, "Authorize", "AAAA", contract.Values{
			"mvpd": "flexibleTempPass", "resources": []any{resource}, identityHeader: "eyJlbWFpbCI6ImZvb0BiYXIuY29tIn0=",
		})
		return strings.Contains(a.Body.String(), `"authorized":true`)
	}
	long := strings.Repeat("x", 5000)
	for i := range 8 {
		if !permitted(long) {
			t.Fatalf("the resource is used up after %d calls", i)
		}
	}
	for i := range 5 {
		if got, want := permitted(long+fmt.Sprint(i)), i < 4; got != want {
			t.Errorf("resource %d is permitted: %t", i+2, got)
		}
	}
	withState(t, w, func(st *state) {
		for _, trial := range st.Trials {
			if trial.entry.size > 2000 || len(trial.Used) != 5 {
				t.Errorf("the trial has %d bytes for %d resources", trial.entry.size, len(trial.Used))
			}
		}
	})
	call(t, w, "Authorize", "AAAA", contract.Values{"mvpd": "TempPass_TEST40", "resources": []any{"some"}})
	withState(t, w, func(st *state) {
		for _, trial := range st.Trials {
			if trial.MVPD == "TempPass_TEST40" && len(trial.Used) != 0 {
				t.Errorf("a basic trial remembers %v", trial.Used)
			}
		}
	})
}

// Revoked profiles are evicted in the order of their creation, whatever the
// order of map iteration.
func TestRevokedProfilesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	for i := range 32 {
		if err := w.Trigger(t, "login", contract.Values{"code": newSession(t, w, fmt.Sprintf("AA%02d", i))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Trigger(t, "profile.revoked", contract.Values{"mvpd": "Cablevision"}); err != nil {
		t.Fatal(err)
	}
	withState(t, w, func(st *state) {
		last, n := uint64(0), 0
		for e := st.queues[profileKind].retired.Front(); e != nil; e = e.Next() {
			serial := e.Value.(*profile).Serial
			if serial < last {
				t.Fatalf("serial %d comes after %d", serial, last)
			}
			last, n = serial, n+1
		}
		if n != 32 {
			t.Errorf("got %d revoked profiles", n)
		}
	})
}
