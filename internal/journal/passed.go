package journal

import "encoding/json"

// Passed is an active rule that was asked and did not fit.
type Passed struct {
	Scenario string `json:"scenario"`
	Rule     int    `json:"rule"`
	Why      string `json:"why"`
}

// PassedOver are the active rules that were asked and did not fit. They are
// told when somebody looks, since most calls are never looked at.
type PassedOver struct {
	list []Passed
	tell func() []Passed // nil: list has them
}

// Later is what tell tells, when somebody looks. It may be asked several times.
func Later(tell func() []Passed) PassedOver { return PassedOver{tell: tell} }

// Told is a list that is there already.
func Told(list []Passed) PassedOver { return PassedOver{list: list} }

// List tells what did not fit, in the order in which the rules were asked.
func (p PassedOver) List() []Passed {
	if p.tell != nil {
		return p.tell()
	}
	return p.list
}

// IsZero reports whether no rule was passed over.
func (p PassedOver) IsZero() bool { return p.tell == nil && len(p.list) == 0 }

// now tells at once, so that nothing of the call has to be kept for it.
func (p PassedOver) now() PassedOver { return Told(p.List()) }

// MarshalJSON writes a list.
func (p PassedOver) MarshalJSON() ([]byte, error) { return json.Marshal(p.List()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *PassedOver) UnmarshalJSON(raw []byte) error {
	*p = PassedOver{}
	return json.Unmarshal(raw, &p.list)
}
