package adobepass

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// decisionParams returns the rows of Preauthorize and Authorize.
func decisionParams(cite string) []contract.Param {
	return slices.Concat([]contract.Param{serviceProviderRow(cite), mvpdRow(cite), resourcesRow, deviceRow, deviceInfoRow, identityRow}, ssoRows)
}

var preauthorize = &contract.Operation{
	Name:   "Preauthorize",
	Doc:    "Returns which of several resources a user is probably authorized for, so that an application can show it. It gives no media token.",
	Cite:   citePreauthorize,
	Method: "POST", Path: "/api/v2/{serviceProvider}/decisions/preauthorize/{mvpd}",
	Params:   decisionParams(citePreauthorize),
	Outcomes: decisionOutcomes(citePreauthorize),
	Decide:   forKnownProvider(decideResources),
}

var authorize = &contract.Operation{
	Name:   "Authorize",
	Doc:    "Decides whether a user may watch a resource, and gives the media token for it. The answer is 200 also where it denies.",
	Cite:   citeAuthorize,
	Method: "POST", Path: "/api/v2/{serviceProvider}/decisions/authorize/{mvpd}",
	Params:   decisionParams(citeAuthorize),
	Outcomes: decisionOutcomes(citeAuthorize),
	Decide:   forKnownProvider(decideResources),
}
