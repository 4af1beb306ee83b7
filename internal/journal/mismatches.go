package journal

import "encoding/json"

// Mismatch is an active rule that was asked and did not fit.
type Mismatch struct {
	Scenario string `json:"scenario"`
	Rule     int    `json:"rule"`
	Why      string `json:"why"`
}

// Mismatches are the active rules that were asked and did not fit. They are
// told when somebody looks, since most calls are never looked at.
type Mismatches struct {
	list   []Mismatch
	source MismatchSource // nil: list has them
}

// A MismatchSource tells which rules did not fit. It may be asked several times, and by
// several at once.
type MismatchSource interface{ List() []Mismatch }

// LazyMismatches is what t tells when somebody looks.
func LazyMismatches(t MismatchSource) Mismatches { return Mismatches{source: t} }

// KnownMismatches is a list that is there already.
func KnownMismatches(list []Mismatch) Mismatches { return Mismatches{list: list} }

// List tells what did not fit, in the order in which the rules were asked.
func (p Mismatches) List() []Mismatch {
	if p.source != nil {
		return p.source.List()
	}
	return p.list
}

// IsZero reports whether no rule was passed over.
func (p Mismatches) IsZero() bool { return p.source == nil && len(p.list) == 0 }

// resolved tells at once, so that nothing of the call has to be kept for it.
func (p Mismatches) resolved() Mismatches { return KnownMismatches(p.List()) }

// MarshalJSON writes a list.
func (p Mismatches) MarshalJSON() ([]byte, error) { return json.Marshal(p.List()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Mismatches) UnmarshalJSON(raw []byte) error {
	*p = Mismatches{}
	return json.Unmarshal(raw, &p.list)
}
