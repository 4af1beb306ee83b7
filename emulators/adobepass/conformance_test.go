package adobepass_test

import (
	"testing"

	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/internal/conformance"
)

func TestConformance(t *testing.T) { conformance.Run(t, adobepass.API) }
