package library_test

import (
	"github.com/understudy-suite/understudy/internal/scenario/scenariotest"
)

var apis = scenariotest.APIs
