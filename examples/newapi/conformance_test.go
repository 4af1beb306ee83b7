package newapi_test

import (
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"

	"github.com/understudy-suite/understudy/examples/newapi"
)

func TestConformance(t *testing.T) { conformance.Run(t, newapi.API) }
