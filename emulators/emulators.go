// Package emulators lists the APIs that understudy stands in for. A new API is
// one folder beside this file and one line in it.
package emulators

import (
	"github.com/understudy-suite/understudy/emulators/adobemedia"
	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/emulators/polyv"
	"github.com/understudy-suite/understudy/emulators/tencentcar"
	"github.com/understudy-suite/understudy/emulators/youdu"
	"github.com/understudy-suite/understudy/internal/contract"
)

// All lists every API.
var All = []*contract.API{
	adobemedia.API,
	adobepass.API,
	polyv.API,
	tencentcar.API,
	youdu.API,
}
