package sandbox

import "github.com/understudy-suite/understudy/internal/journal"

// mostPasts is of how many sandboxes that are gone something is known.
const mostPasts = 10_000

// pasts are what is known of the journals of sandboxes that are gone: one that is made
// again gives the same IDs to other calls.
type pasts struct {
	of    map[string]journal.Past // by the sandbox's name
	names []string                // of them, the first that came first
}

// keep has the past of a sandbox. Of too many, the first give way.
func (p *pasts) keep(name string, past journal.Past) {
	if p.of == nil {
		p.of = map[string]journal.Past{}
	}
	if _, known := p.of[name]; !known {
		p.names = append(p.names, name)
	}
	p.of[name] = past
	if len(p.names) > mostPasts {
		delete(p.of, p.names[0])
		p.names = p.names[1:]
	}
}
