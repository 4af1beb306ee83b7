package sandbox

import (
	"fmt"
	"testing"

	"github.com/understudy-suite/understudy/internal/journal"
)

// What is kept of sandboxes that are gone has an end.
func TestPastsAreBounded(t *testing.T) {
	var p pasts
	for i := range mostPasts + 10 {
		p.keep(fmt.Sprint("box-", i), journal.Past{})
		p.keep("box-11", journal.Past{})
	}
	if _, known := p.of["box-9"]; known || len(p.of) != mostPasts || len(p.names) != mostPasts {
		t.Errorf("got %d pasts of %d names", len(p.of), len(p.names))
	}
}
