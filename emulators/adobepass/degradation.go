package adobepass

// The degradation rules.
const (
	authNAll  = "AuthNAll"
	authZAll  = "AuthZAll"
	authZNone = "AuthZNone"
)

// A degradation is a rule that is applied to an integration while an MVPD has
// problems.
type degradation struct {
	ServiceProvider string `json:"service_provider,omitempty" yaml:"service_provider"` // "": any
	MVPD            string `json:"mvpd,omitempty" yaml:"mvpd"`                         // "": any
	Rule            string `json:"rule" yaml:"rule"`
	Message         string `json:"message,omitempty" yaml:"message"`
	Until           int64  `json:"until,omitempty" yaml:"-"` // milliseconds; 0: until a trigger removes it
}

// degradation returns the rule that is applied, or nil. The first of several
// counts.
func (st *state) degradation(sp, mvpd string, now int64) *degradation {
	for i := range st.Degradations {
		d := &st.Degradations[i]
		if (d.ServiceProvider == "" || d.ServiceProvider == sp) && (d.MVPD == "" || d.MVPD == mvpd) && (d.Until == 0 || now < d.Until) {
			return d
		}
	}
	return nil
}

func (d *degradation) is(rule string) bool { return d != nil && d.Rule == rule }

func (d *degradation) message() string {
	if d == nil {
		return ""
	}
	return d.Message
}
