package tencentcar

import "github.com/understudy-suite/understudy/internal/contract"

var startPublishStream = &contract.Operation{
	Name:   "StartPublishStream",
	Doc:    "Starts to push the session's picture to the live-streaming domain that is bound in the console: rtmp://<domain>/live/<UserId>. The codec is one that the client supports: H265 before H264, VP8 and VP9.",
	Cite:   citeSDK,
	Method: "POST", Path: "/",
	Rate: 20,
	Params: []contract.Param{
		userIDRow,
		{Name: "PublishStreamArgs", Example: "bar=1&foo=2", Cite: citeSDK, Doc: "Arguments of the push."},
	},
	Outcomes: streamOutcomes(startedStream),
	Decide:   decideStart,
}

var startedStream = keeping(successWithoutResult("The session is pushed to the bound domain. Where it was already, it is pushed anew.", citeSDK,
	func(c *contract.Call) { publish(c, "", c.In.Text("PublishStreamArgs")) }, nil))

var noPushDomain = &contract.Cause{Code: "no_push_domain", Text: "No live-streaming domain is bound: the switch push_domain is off."}

func decideStart(c *contract.Call) contract.Verdict {
	if v := c.State.(*state).checkPublishing(c, c.In.Text("UserId")); !v.Pending() {
		return v
	}
	if !c.Switches.Bool("push_domain") {
		return operationDenied.Because(noPushDomain)
	}
	return startedStream.Verdict()
}
