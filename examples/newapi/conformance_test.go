package newapi_test

import (
	"testing"

	"github.com/understudy-suite/understudy/examples/newapi"
	"github.com/understudy-suite/understudy/internal/conformance"
)

func TestConformance(t *testing.T) { conformance.Run(t, newapi.API) }
