package sdk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

// A job is a sandbox of its own, and what an environment tells of it.
type job struct {
	name string
	env  map[string]any
}

func (s *server) job() *job {
	s.t.Helper()
	made := s.ask("POST", "/v1/sandboxes")
	env, _ := made["env"].(map[string]any)
	return &job{fmt.Sprint(made["name"]), env}
}

// client is an SDK client that has the job's credentials and nothing else that is the
// job's.
func (j *job) client(endpoint string, change func(*profile.ClientProfile)) *common.Client {
	return clientOf(fmt.Sprint(j.env["TENCENTCLOUD_SECRET_ID"]), fmt.Sprint(j.env["TENCENTCLOUD_SECRET_KEY"]), endpoint, change)
}

// journal lists the calls of a sandbox.
func (s *server) journal(sandbox string) []map[string]any {
	s.t.Helper()
	items, _ := s.ask("GET", "/v1/sandboxes/"+sandbox+"/journal?limit=1000")["items"].([]any)
	var all []map[string]any
	for _, item := range items {
		all = append(all, item.(map[string]any))
	}
	return all
}

// Each way of signing leads into the sandbox whose key signs, at the API's own port and
// at the door.
func TestMintedKeysLeadToTheirSandbox(t *testing.T) {
	t.Parallel()
	s := start(t)
	jobs := []*job{s.job(), s.job()}
	calls := 0
	for _, method := range []string{"HmacSHA1", "HmacSHA256", "TC3-HMAC-SHA256"} {
		for _, verb := range []string{"POST", "GET"} {
			for _, j := range jobs {
				for _, endpoint := range []string{s.door, fmt.Sprint(j.env["TENCENTCAR_ENDPOINT"])} {
					c := j.client(endpoint, func(p *profile.ClientProfile) { p.SignMethod, p.HttpProfile.ReqMethod = method, verb })
					if got, err := call(c, "DescribeConcurrentCount", map[string]any{}); err != nil || got["Total"] != 10.0 {
						t.Errorf("%s %s at %s: got %v, %v", method, verb, endpoint, got, err)
					}
				}
			}
			calls += 2
		}
	}
	for _, j := range jobs {
		s.holds(j.name, calls)
	}
	s.holds("default", 0)
}

// holds checks that a sandbox had so many calls, and that all found it by their key.
func (s *server) holds(sandbox string, calls int) {
	s.t.Helper()
	all := s.journal(sandbox)
	if len(all) != calls {
		s.t.Errorf("the journal of %s has %d calls, want %d", sandbox, len(all), calls)
	}
	for _, e := range all {
		if e["found_by"] != "word" || e["outcome"] != "success" || !strings.HasPrefix(fmt.Sprint(e["id"]), sandbox+"-") {
			s.t.Errorf("%s has %v, which found it by %v and ended in %v", sandbox, e["id"], e["found_by"], e["outcome"])
		}
	}
}

// 64 jobs at once, each with users of the same names: none sees what another has.
func TestSandboxesAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	t.Run("jobs", func(t *testing.T) {
		for n := range 64 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				s := &server{t: t, control: s.control, door: s.door}
				s.work(1 + n%4)
			})
		}
	})
	s.holds("default", 0)
	if boxes, _ := s.ask("GET", "/v1/sandboxes")["items"].([]any); len(boxes) != 65 {
		t.Errorf("%d sandboxes live, want 65", len(boxes))
	}
}

// work has so many users of a new job play: each sees the users before it, and no other.
func (s *server) work(users int) {
	s.t.Helper()
	j := s.job()
	c := j.client(s.door, nil)
	calls := 0
	running := func(want int) {
		s.t.Helper()
		calls++
		if got, err := call(c, "DescribeConcurrentCount", map[string]any{"ProjectId": "cap-abcdefgh"}); err != nil || got["Running"] != float64(want) {
			s.t.Errorf("%s: got %v, %v; %d running were expected", j.name, got, err, want)
		}
	}
	play := func(action, user string, more map[string]any) {
		s.t.Helper()
		calls++
		in := map[string]any{"UserId": user}
		for name, value := range more {
			in[name] = value
		}
		if _, err := call(c, action, in); err != nil {
			s.t.Errorf("%s: %s of %s: %v", j.name, action, user, err)
		}
	}
	running(0)
	for n := range users {
		user := fmt.Sprintf("u-%d", n)
		play("ApplyConcurrent", user, map[string]any{"UserIp": "125.127.178.228", "ProjectId": "cap-abcdefgh"})
		play("CreateSession", user, map[string]any{"UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="})
		running(n + 1)
	}
	for n := range users {
		play("DestroySession", fmt.Sprintf("u-%d", n), nil)
	}
	s.holds(j.name, calls)
}
