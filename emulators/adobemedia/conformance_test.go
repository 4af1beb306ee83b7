package adobemedia_test

import (
	"testing"

	"github.com/understudy-suite/understudy/emulators/adobemedia"
	"github.com/understudy-suite/understudy/internal/conformance"
)

func TestConformance(t *testing.T) { conformance.Run(t, adobemedia.API) }
