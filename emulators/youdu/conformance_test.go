package youdu_test

import (
	"testing"

	"github.com/understudy-suite/understudy/emulators/youdu"
	"github.com/understudy-suite/understudy/internal/conformance"
)

func TestConformance(t *testing.T) { conformance.Run(t, youdu.API) }
