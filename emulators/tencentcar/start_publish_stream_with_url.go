package tencentcar

import (
	"net/url"

	"github.com/understudy-suite/understudy/internal/contract"
)

var startPublishStreamWithURL = &contract.Operation{
	Name:   "StartPublishStreamWithURL",
	Doc:    "Starts to push the session's picture to a given RTMP address. It is billed apart.",
	Cite:   citeSDK,
	Method: "POST", Path: "/",
	Rate: 20,
	Params: []contract.Param{
		userIDRow,
		{Name: "PublishStreamURL", Need: contract.Required, Example: "rtmp://live.example.com/live/cg_user", Cite: citeSDK, Doc: "Address to push to; RTMP only."},
	},
	Outcomes: streamOutcomes(startedURL),
	Decide:   decideStartURL,
}

var startedURL = keeping(successWithoutResult("The session is pushed to the address. Where it was pushed already, it is pushed anew.", citeSDK,
	func(c *contract.Call) { publish(c, c.In.Text("PublishStreamURL"), "") }, nil))

var noRTMPURL = &contract.Cause{Code: "no_rtmp_url", Text: "PublishStreamURL is {got}; rtmp://host/path was expected."}

func decideStartURL(c *contract.Call) contract.Verdict {
	to := c.In.Text("PublishStreamURL")
	if u, err := url.Parse(to); err != nil || u.Scheme != "rtmp" || u.Host == "" {
		v := invalidParameter.Because(noRTMPURL, "got", to)
		v.OwnMessage = "Incorrect parameter."
		return v
	}
	if v := c.State.(*state).checkPublishing(c, c.In.Text("UserId")); !v.Pending() {
		return v
	}
	return startedURL.Verdict()
}
