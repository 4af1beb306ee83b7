//go:build unix

package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
)

// What many large bodies at once may take.
const (
	largeBodies = 150
	largeBody   = 10 << 20 // the longest that is read
	mostMemory  = 600 << 20
)

// 150 bodies of 10 MiB at once hold 1.5 GiB, and as much again where they are decoded.
// Each gets its right answer, and the process stays far below.
func TestManyLargeBodiesAtOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("how much memory a process has had at most is read from /proc/PID/status, which only Linux has")
	}
	out, stdout := readPipe(t)
	p := beginProgram(t, buildProgram(t), func(cmd *exec.Cmd) { cmd.Stdout = stdout })
	_ = stdout.Close()
	p.awaitReady(t, out)
	credentials := p.credentials(t)

	// Few are decoded, which is what takes time.
	uploads := slices.Repeat([]upload{p.tooLargeSession(t, credentials)}, 15)
	uploads[4], uploads[9] = p.refusedUserID(t, credentials), p.keptFile(t, credentials)
	client := &http.Client{Timeout: 2 * time.Minute}
	defer client.CloseIdleConnections()
	var all, begun sync.WaitGroup
	begun.Add(largeBodies)
	for i := range largeBodies {
		one := uploads[i%len(uploads)]
		all.Go(func() {
			if err := one.send(client, p, &begun); err != nil {
				t.Errorf("upload %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if got := p.mostMemory(t); got > mostMemory {
		t.Errorf("the process had %d MiB, want at most %d", got>>20, mostMemory>>20)
	} else {
		t.Logf("the process had at most %d MiB", got>>20)
	}
}

// buildProgram builds the program. The test's own may have the race detector, which
// takes several times the memory.
func buildProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "understudy")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// credentials are those of the sandbox default, by API.
func (p *process) credentials(t *testing.T) map[string]contract.Values {
	t.Helper()
	var box struct {
		Credentials map[string]contract.Values `json:"credentials"`
	}
	if err := json.Unmarshal([]byte(p.get(t, "/v1/sandboxes/default")), &box); err != nil {
		t.Fatal(err)
	}
	return box.Credentials
}

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// mostMemory is how many bytes of memory the process had at most.
func (p *process) mostMemory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := highWater.FindSubmatch(status)
	if m == nil {
		t.Fatalf("the status of the process has no VmHWM:\n%s", status)
	}
	n, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// An upload is a signed request with a large body, and what its answer has to have.
type upload struct {
	api       string
	request   *contract.Request
	encrypted bool // the answer
	outcome   string
	text      string
}

// refusedUserID is a call whose large body is read as JSON, and found to be signed.
func (p *process) refusedUserID(t *testing.T, credentials map[string]contract.Values) upload {
	t.Helper()
	withID := func(length int) *contract.Request {
		return p.signed(t, credentials, "tencentcar", "ApplyConcurrent", contract.Values{"UserId": strings.Repeat("x", length)})
	}
	rest := len(withID(0).Body)
	return upload{"tencentcar", withID(largeBody - rest), false, "tencentcar/ApplyConcurrent/InvalidParameterValue", `"Code":"InvalidParameterValue"`}
}

// keptFile is a file that is decrypted and kept.
func (p *process) keptFile(t *testing.T, credentials map[string]contract.Values) upload {
	t.Helper()
	content := strings.Repeat("f", (largeBody-2<<10)/4*3) // as base64, with the rest of the form
	sum := md5.Sum([]byte(content))
	r := p.signed(t, credentials, "youdu", "UploadMedia", contract.Values{"file": content})
	return upload{"youdu", r, true, "youdu/UploadMedia/success", hex.EncodeToString(sum[:])}
}

// tooLargeSession has a body that is longer than the API takes.
func (p *process) tooLargeSession(t *testing.T, credentials map[string]contract.Values) upload {
	t.Helper()
	r := p.signed(t, credentials, "adobemedia", "StartSession", nil)
	r.Body = append(r.Body, bytes.Repeat([]byte(" "), largeBody-len(r.Body))...)
	return upload{"adobemedia", r, false, "adobemedia/StartSession/payloadTooLarge", "too large"}
}

// signed makes a call as a client library does.
func (p *process) signed(t *testing.T, credentials map[string]contract.Values, name, operation string, in contract.Values) *contract.Request {
	t.Helper()
	for _, api := range emulators.All {
		if api.Name != name {
			continue
		}
		op := api.Operation(operation)
		if op == nil {
			t.Fatalf("%s has no operation %s", name, operation)
		}
		values := contract.Sample(op.Params)
		for name, value := range in {
			values[name] = value
		}
		r, err := api.Sign(contract.Draft{Operation: op, In: values, Host: strings.TrimPrefix(p.door, "http://"), Credentials: credentials[name], Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	t.Fatalf("there is no API %s", name)
	return nil
}

// send sends the upload, and its body when all have begun.
func (u upload) send(client *http.Client, p *process, begun *sync.WaitGroup) error {
	body := &startedTogether{Reader: bytes.NewReader(u.request.Body), begun: begun}
	r, err := http.NewRequest(u.request.Method, p.door+"/"+u.api+u.request.Target, body)
	if err != nil {
		return err
	}
	r.Host, r.ContentLength = u.request.Host, int64(len(u.request.Body))
	for name, values := range u.request.Header {
		r.Header[name] = values
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if u.encrypted { // the journal has it as it was before
		entry, err := client.Get(p.control + "/v1/sandboxes/default/journal/" + answer.Header.Get(gateway.CallHeader))
		if err != nil {
			return err
		}
		defer entry.Body.Close()
		if text, err = io.ReadAll(entry.Body); err != nil {
			return err
		}
	}
	if got := answer.Header.Get(gateway.OutcomeHeader); got != u.outcome || !bytes.Contains(text, []byte(u.text)) {
		return fmt.Errorf("got %d %s %.300s, want %s with %q", answer.StatusCode, got, text, u.outcome, u.text)
	}
	return nil
}

// startedTogether is a body whose first byte comes when all have begun.
type startedTogether struct {
	*bytes.Reader
	begun *sync.WaitGroup
	once  sync.Once
}

func (s *startedTogether) Read(p []byte) (int, error) {
	s.once.Do(func() {
		s.begun.Done()
		s.begun.Wait()
	})
	return s.Reader.Read(p)
}
