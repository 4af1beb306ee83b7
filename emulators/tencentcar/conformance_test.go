package tencentcar_test

import (
	"testing"

	"github.com/understudy-suite/understudy/emulators/tencentcar"
	"github.com/understudy-suite/understudy/internal/conformance"
)

func TestConformance(t *testing.T) { conformance.Run(t, tencentcar.API) }
