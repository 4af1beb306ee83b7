package journal

import "encoding/json"

// A Mismatch is an active rule that did not fit a call, and why.
type Mismatch struct {
	Scenario string `json:"scenario"`
	Rule     int    `json:"rule"`
	Why      string `json:"why"`
}

// Mismatches are the active rules that did not fit a call. Their texts are made
// when a client reads them, since most entries are never read.
type Mismatches struct {
	list   []Mismatch
	source MismatchSource // nil: list has them
}

// A MismatchSource lists the rules that did not fit. It is safe for concurrent use.
type MismatchSource interface{ List() []Mismatch }

// LazyMismatches returns mismatches that source lists on demand.
func LazyMismatches(source MismatchSource) Mismatches { return Mismatches{source: source} }

// KnownMismatches returns mismatches with this list.
func KnownMismatches(list []Mismatch) Mismatches { return Mismatches{list: list} }

// List returns the mismatches in the order in which the rules were tried.
func (p Mismatches) List() []Mismatch {
	if p.source != nil {
		return p.source.List()
	}
	return p.list
}

// IsZero reports whether there is no mismatch.
func (p Mismatches) IsZero() bool { return p.source == nil && len(p.list) == 0 }

// resolved makes the list now, so that the entry does not keep the call alive.
func (p Mismatches) resolved() Mismatches { return KnownMismatches(p.List()) }

// MarshalJSON writes a list.
func (p Mismatches) MarshalJSON() ([]byte, error) { return json.Marshal(p.List()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Mismatches) UnmarshalJSON(raw []byte) error {
	*p = Mismatches{}
	return json.Unmarshal(raw, &p.list)
}
