// Command tencentcar creates a session with the official Go SDK, against
// understudy instead of Tencent Cloud.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tcerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

func main() {
	p := profile.NewClientProfile()
	p.HttpProfile.Scheme = "http"             // the SDK's own default is https
	p.HttpProfile.Endpoint = "127.0.0.1:6410" // the port that all APIs share; host and port, no scheme

	// The key pair of the documentation's examples.
	keys := common.NewCredential("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
	client := common.NewCommonClient(keys, "", p)

	request := tchttp.NewCommonRequest("car", "2022-01-10", "CreateSession")
	if err := request.SetActionParameters(map[string]any{
		"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30=",
	}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	response := tchttp.NewCommonResponse()
	err := client.Send(request, response)
	var api *tcerrors.TencentCloudSDKError
	switch {
	case errors.As(err, &api):
		fmt.Println("the API refused:", api.GetCode(), "-", api.GetMessage())
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	default:
		fmt.Printf("created: %.60s…\n", response.GetBody())
	}
}
