package adobemedia

import (
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// adopts has what Adobe gives to customers. The service refuses no account: an adopted one
// is listed, and leads later sessionStarts to its sandbox.
var adopts = []contract.Adoptable{{
	What: suiteKey, Routes: true, Take: takeAccount, Rows: accountRows,
	Example: "1234567890ABCDEF12345678@AdobeOrg sample.rsid",
	Doc:     "A report suite of an organisation, told as both with a blank between; neither has one itself. Nothing else belongs to it.",
}}

// adoptAccount has the account of a sessionStart adopted.
func adoptAccount(c *contract.Call) contract.Verdict {
	if c.Unknown != contract.Adopt {
		return contract.Verdict{}
	}
	start := c.In
	if events, _ := c.In["events"].([]any); len(events) > 0 {
		start, _ = events[0].(contract.Values)
	}
	params := start.Object("params")
	a := account{ReportSuite: params.Text(suiteKey), OrgID: params.Text(orgKey)}
	if a.ReportSuite == "" || a.OrgID == "" {
		return contract.Verdict{}
	}
	c.WithState(func() {
		if !slices.Contains(c.State.(*state).Accounts, a) {
			c.Adopt(suiteKey, a.identifier())
		}
	})
	return contract.Verdict{}
}

// takeAccount takes no name that has a blank itself: which part is which would be open.
func takeAccount(c *contract.Call, id string) bool {
	org, suite, _ := strings.Cut(id, " ")
	a, st := account{OrgID: org, ReportSuite: suite}, c.State.(*state)
	if org == "" || suite == "" || strings.Contains(suite, " ") || slices.Contains(st.Accounts, a) {
		return false
	}
	st.Accounts = append(st.Accounts, a)
	return true
}

func accountRows(s contract.State, id string) contract.Values {
	st := s.(*state)
	i := slices.IndexFunc(st.Accounts, func(a account) bool { return a.identifier() == id })
	if i < 0 {
		return nil
	}
	return contract.Values{"accounts": []any{contract.Values{"reportSuite": st.Accounts[i].ReportSuite, "orgId": st.Accounts[i].OrgID}}}
}
