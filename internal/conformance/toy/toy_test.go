package toy_test

import (
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/conformance/toy"
)

func TestConformance(t *testing.T) { conformance.Run(t, toy.New()) }
