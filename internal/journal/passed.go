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
	tell Teller // nil: list has them
}

// A Teller tells which rules did not fit. It may be asked several times, and by
// several at once.
type Teller interface{ Tell() []Passed }

// Later is what t tells when somebody looks.
func Later(t Teller) PassedOver { return PassedOver{tell: t} }

// Told is a list that is there already.
func Told(list []Passed) PassedOver { return PassedOver{list: list} }

// List tells what did not fit, in the order in which the rules were asked.
func (p PassedOver) List() []Passed {
	if p.tell != nil {
		return p.tell.Tell()
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
