package sdk_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tcerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

// The key pair of the documentation's examples.
const (
	secretID  = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	secretKey = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
)

// client is the SDK's generic client, as its README sets it up, pointed at the
// door.
func (s *server) client(key string, change func(*profile.ClientProfile)) *common.Client {
	return clientOf(secretID, key, s.door, change)
}

func clientOf(id, key, endpoint string, change func(*profile.ClientProfile)) *common.Client {
	p := profile.NewClientProfile()
	p.HttpProfile.Scheme = "http"
	p.HttpProfile.Endpoint = endpoint
	if change != nil {
		change(p)
	}
	return common.NewCommonClient(common.NewCredential(id, key), "", p)
}

// call asks for an action and returns what stands under Response.
func call(c *common.Client, action string, parameters map[string]any) (map[string]any, error) {
	request := tchttp.NewCommonRequest("car", "2022-01-10", action)
	if err := request.SetActionParameters(parameters); err != nil {
		return nil, err
	}
	response := tchttp.NewCommonResponse()
	if err := c.Send(request, response); err != nil {
		return nil, err
	}
	var reply struct{ Response map[string]any }
	err := json.Unmarshal(response.GetBody(), &reply)
	return reply.Response, err
}

var session = map[string]any{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}

// code is the API error that the SDK raised.
func code(err error) string {
	var api *tcerrors.TencentCloudSDKError
	if errors.As(err, &api) {
		return api.GetCode()
	}
	return fmt.Sprint(err)
}

func TestTheDocumentedExample(t *testing.T) {
	t.Parallel()
	s := start(t)
	got, err := call(s.client(secretKey, nil), "CreateSession", session)
	if err != nil || got["ServerSession"] == "" || len(fmt.Sprint(got["RequestId"])) != 36 {
		t.Errorf("got %v, %v", got, err)
	}
}

// The generic client puts parameters into a TC3 POST alone, so the other ways of
// signing are tried with an action that needs none.
func TestEveryWayOfSigning(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, method := range []string{"HmacSHA1", "HmacSHA256", "TC3-HMAC-SHA256"} {
		for _, verb := range []string{"POST", "GET"} {
			c := s.client(secretKey, func(p *profile.ClientProfile) { p.SignMethod, p.HttpProfile.ReqMethod = method, verb })
			if got, err := call(c, "DescribeConcurrentCount", map[string]any{}); err != nil || got["Total"] != 10.0 {
				t.Errorf("%s %s: got %v, %v", method, verb, got, err)
			}
		}
	}
}

func TestTheWholeLife(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client(secretKey, nil)
	user := map[string]any{"UserId": "u-1", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}
	if _, err := call(c, "CreateSession", user); code(err) != "FailedOperation.LockTimeout" {
		t.Errorf("without ApplyConcurrent: got %v", err)
	}
	steps := []struct {
		action string
		in     map[string]any
	}{
		{"ApplyConcurrent", map[string]any{"UserId": "u-1", "UserIp": "125.127.178.228", "ProjectId": "cap-abcdefgh"}},
		{"CreateSession", user},
		{"DescribeConcurrentCount", map[string]any{"ProjectId": "cap-abcdefgh"}},
		{"StartPublishStream", map[string]any{"UserId": "u-1"}},
		{"StartPublishStreamWithURL", map[string]any{"UserId": "u-1", "PublishStreamURL": "rtmp://live.example/app/stream"}},
		{"StopPublishStream", map[string]any{"UserId": "u-1"}},
		{"DestroySession", map[string]any{"UserId": "u-1"}},
	}
	for _, step := range steps {
		got, err := call(c, step.action, step.in)
		if err != nil {
			t.Errorf("%s: %v", step.action, err)
		}
		if step.action == "DescribeConcurrentCount" && got["Total"] != 10.0 {
			t.Errorf("%s: got %v", step.action, got)
		}
	}
	if _, err := call(c, "CreateSession", user); code(err) != "UnsupportedOperation.Stopping" {
		t.Errorf("while the concurrency is cleaned: got %v", err)
	}
}

func TestAScenarioRaisesTheDocumentedError(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client(secretKey, nil)
	s.ask("PUT", "/v1/sandboxes/default/scenarios/tencentcar/no-idle")
	_, err := call(c, "CreateSession", session)
	var api *tcerrors.TencentCloudSDKError
	if !errors.As(err, &api) || api.GetCode() != "ResourceNotFound.NoIdle" || api.GetRequestId() == "" {
		t.Fatalf("got %v", err)
	}
	e := s.latest()
	by, _ := e["decided_by"].(map[string]any)
	why, _ := e["explanation"].(map[string]any)
	if e["outcome"] != "ResourceNotFound.NoIdle" || by["scenario"] != "tencentcar/no-idle" || !strings.Contains(fmt.Sprint(why["text"]), "tencentcar/no-idle") {
		t.Errorf("the journal has %v %v %v", e["outcome"], by, why)
	}
	s.ask("DELETE", "/v1/sandboxes/default/scenarios/tencentcar/no-idle")
	if _, err := call(c, "CreateSession", session); err != nil {
		t.Errorf("switched off: got %v", err)
	}
}

func TestWrongSecret(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, err := call(s.client("wrong", nil), "CreateSession", session)
	if code(err) != "AuthFailure.SignatureFailure" {
		t.Fatalf("got %v", err)
	}
	why, _ := s.latest()["explanation"].(map[string]any)
	text := fmt.Sprint(why)
	if !strings.Contains(text, "TC3-HMAC-SHA256") || strings.Contains(text, secretKey) {
		t.Errorf("the journal has %s", text)
	}
}

func TestRateLimitRetry(t *testing.T) {
	t.Parallel()
	s := start(t)
	retrying := func(p *profile.ClientProfile) {
		p.RateLimitExceededMaxRetries = 3
		p.RateLimitExceededRetryDuration = profile.ConstantDurationFunc(1100 * time.Millisecond)
	}
	count := map[string]any{"ProjectId": "cap-abcdefgh"}
	// 60 calls in a row meet the limit of 20 a second, whatever second they begin in.
	refused := 0
	plain := s.client(secretKey, nil)
	for range 60 {
		_, err := call(plain, "DescribeConcurrentCount", count)
		switch {
		case err == nil:
		case code(err) == "RequestLimitExceeded":
			refused++
		default:
			t.Fatal(err)
		}
	}
	if refused == 0 {
		t.Fatal("60 calls met no limit")
	}
	if _, err := call(s.client(secretKey, retrying), "DescribeConcurrentCount", count); err != nil {
		t.Errorf("with retries: %v", err)
	}
}

func TestScriptedRateLimitIsRetried(t *testing.T) {
	t.Parallel()
	s := start(t, "--activate", "tencentcar/rate-limited")
	c := s.client(secretKey, func(p *profile.ClientProfile) {
		p.RateLimitExceededMaxRetries = 5
		p.RateLimitExceededRetryDuration = profile.ConstantDurationFunc(time.Millisecond)
	})
	if _, err := call(c, "CreateSession", session); err != nil {
		t.Error(err)
	}
	if got := s.latest()["outcome"]; got != "success" {
		t.Errorf("got %v", got)
	}
}

// In proxy mode the SDK keeps the documented host and writes it, as a proxy
// wants it, into the request line.
func TestProxyMode(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client(secretKey, func(p *profile.ClientProfile) {
		p.HttpProfile.Endpoint = "car.tencentcloudapi.com"
		p.HttpProfile.Proxy = "http://" + s.door
	})
	if _, err := call(c, "CreateSession", session); err != nil {
		t.Fatal(err)
	}
	request, _ := s.latest()["request"].(map[string]any)
	if request["url"] != "/" || request["host"] != "car.tencentcloudapi.com" {
		t.Errorf("got %v for %v", request["url"], request["host"])
	}
}

// An endpoint with a path is sent with it, and signed without.
func TestEndpointWithPath(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, path := range []string{"/tencentcar", "/@alice", "/@alice/tencentcar/deep"} {
		c := s.client(secretKey, func(p *profile.ClientProfile) { p.HttpProfile.Endpoint = s.door + path })
		if _, err := call(c, "CreateSession", session); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
