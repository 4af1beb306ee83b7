// Package gotest is a client of Tencent Cloud Application Rendering on the official Go
// SDK, and shows in its tests how understudy is used from Go.
package gotest

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tcerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
)

// ErrBusy says that no concurrency was idle, however often it was asked for.
var ErrBusy = errors.New("no concurrency is idle")

// tries is how often a session is asked for.
const tries = 3

// CreateSession creates a session for a user. Where no concurrency is idle it asks again.
func CreateSession(c *common.Client, user string) (session string, err error) {
	request := tchttp.NewCommonRequest("car", "2022-01-10", "CreateSession")
	if err := request.SetActionParameters(map[string]any{
		"UserId": user, "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30=",
	}); err != nil {
		return "", fmt.Errorf("request: %w", err)
	}
	for range tries {
		response := tchttp.NewCommonResponse()
		err := c.Send(request, response)
		var refused *tcerrors.TencentCloudSDKError
		switch {
		case errors.As(err, &refused) && refused.GetCode() == "ResourceNotFound.NoIdle":
			continue
		case err != nil:
			return "", fmt.Errorf("session of %s: %w", user, err)
		}
		var answer struct {
			Response struct{ ServerSession string }
		}
		if err := json.Unmarshal(response.GetBody(), &answer); err != nil {
			return "", fmt.Errorf("answer: %w", err)
		}
		return answer.Response.ServerSession, nil
	}
	return "", ErrBusy
}
