package sdk_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
)

// TestCurl asks documented hosts over https that it is told to find at the TLS door, with
// requests that are signed for them.
func TestCurl(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	s := startTLS(t)
	port := s.tls[strings.LastIndexByte(s.tls, ':')+1:]
	curl := func(host, target string, more ...string) string {
		args := append([]string{"-sS", "--connect-to", host + ":443:127.0.0.1:" + port, target}, more...)
		got, _ := run(t, nil, "curl", args...)
		return got
	}
	const car = "car.tencentcloudapi.com"
	if got := curl(car, "https://"+car+"/?"+signed(car, "DescribeConcurrentCount"), "--cacert", s.ca()); !strings.HasPrefix(got, `{"Response":{"Total":10`) {
		t.Errorf("got %s", got)
	}
	if got := curl(car, "https://"+car+"/?"+signed("car.intl.tencentcloudapi.com", "DescribeConcurrentCount"), "--cacert", s.ca()); !strings.Contains(got, "AuthFailure.SignatureFailure") {
		t.Errorf("signed for another host: got %s", got)
	}
	if got := curl(car, "https://"+car+"/"); !strings.Contains(got, "certificate") {
		t.Errorf("without the CA: got %s", got)
	}
	line, err := run(t, nil, binary, "call", "polyv", "ListSessionData", "channelId=2272655", "--curl", "--control", s.control)
	if err != nil {
		t.Fatal(line, err)
	}
	_, query, _ := strings.Cut(line, "?")
	query, _, _ = strings.Cut(query, "'")
	if got := curl("api.polyv.net", "https://api.polyv.net/live/v3/channel/session/data/list?"+query, "--cacert", s.ca()); !strings.Contains(got, `"code":200`) {
		t.Errorf("got %s", got)
	}
}

// signed is the query that asks a host for an action, with a signature over the host.
func signed(host, action string) string {
	query := url.Values{
		"Action": {action}, "Version": {"2022-01-10"}, "SecretId": {secretID}, "SignatureMethod": {"HmacSHA256"},
		"Nonce": {"11886"}, "Timestamp": {fmt.Sprint(time.Now().Unix())},
	}
	query.Set("Signature", common.Sign("GET"+host+"/?"+query.Encode(), secretKey, "HmacSHA256"))
	return query.Encode()
}
