package adobemedia

import (
	"fmt"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// switches choose between readings of what is documented in several ways or not
// at all.
var switches = []contract.Param{
	{Name: "closed_policy", OneOf: []string{"gone", "drop"}, Default: "gone", Cite: citeSwagger, Doc: "How an event of a closed session is answered. gone: 410. drop: 204 for 24 hours and the event is dropped, as the pages on timeouts and on sessionEnd say."},
	{Name: "unknown_keys", OneOf: []string{"strict", "lenient"}, Default: "strict", Cite: citeValidate, Doc: "strict: keys that no page knows are refused, on sessionStart also those of other events. lenient: they pass, and so do whole numbers written as 10.0."},
	{Name: "strict_content_type", Type: contract.Boolean, Default: false, Doc: "Whether a Content-Type other than application/json is refused with 415. The quick start sends none and is answered 201."},
	{Name: "error_requires_id", Type: contract.Boolean, Default: false, Cite: citeParameters, Doc: "Whether error events must carry media.qoe.errorID and media.qoe.errorSource, as the pages of 2018 said."},
	{Name: "accept_batch_on_sessions", Type: contract.Boolean, Default: true, Cite: citeDownloaded, Doc: "Whether an array is accepted at /api/v1/sessions. Adobe will remove it; an array is then refused with 400."},
	{Name: "idle_timeout", Type: contract.Duration, Default: 10 * time.Minute, Cite: citeTimeout, Doc: "How long a session stays open without an event."},
	{Name: "stall_timeout", Type: contract.Duration, Default: 30 * time.Minute, Cite: citeTimeout, Doc: "How long a session stays open while its playhead does not move, whatever events arrive."},
	{Name: "max_age", Type: contract.Duration, Default: 24 * time.Hour, Cite: citeImpl, Doc: "How long a session stays open at all."},
	{Name: "tombstone_ttl", Type: contract.Duration, Default: 25 * time.Hour, Doc: "How long after it was opened a session is remembered, at least max_age: 410 until then, 404 afterwards."},
	{Name: "reorder", Type: contract.Boolean, Default: true, Cite: citeOrder, Doc: "Whether events are put in the order of their ts, within 5 seconds or 10 events, before anything is derived from them."},
	{Name: "max_body", Type: contract.Integer, Min: 1, Max: 10 << 20, Default: int64(1 << 20), Doc: "The longest body in bytes. No limit is published."},
	{Name: "server_header", Default: documentedServer, Cite: citeSessions, Doc: "What the header Server says; empty for none, as on the pages of 2026."},
	{Name: "path_prefix", Default: "", Doc: "A path such as /va below which the API is found too, as behind a host of the customer's own. Location never contains it."},
}

// fixtureRows describe a fixture file.
var fixtureRows = []contract.Param{
	{
		Name: "accounts", Type: contract.List, Of: contract.Object, Doc: "Whose sessions are reported. The service asks for no proof; a sessionStart finds its sandbox by them.",
		Fields: []contract.Param{
			{Name: "reportSuite", Need: contract.Required, Example: "sample.rsid", Doc: "The report suite."},
			{Name: "orgId", Need: contract.Required, Example: "1234567890ABCDEF12345678@AdobeOrg", Doc: "The organisation."},
		},
	},
	{Name: "sessions", Type: contract.List, Of: contract.String, Doc: "Ids of sessions that are known from the start, each open from its first event on."},
}

// newState creates the state of a fixture.
func newState(seed contract.Seed) (contract.State, error) {
	var f struct {
		Accounts []account `yaml:"accounts"`
		Sessions []string  `yaml:"sessions"`
	}
	if seed.Decode != nil {
		if err := seed.Decode(&f); err != nil {
			return nil, err
		}
	}
	st := &state{Accounts: f.Accounts, Waiting: f.Sessions}
	for _, credentials := range seed.Credentials {
		if err := st.Enroll(credentials, seed.Now); err != nil {
			return nil, err
		}
	}
	return st, st.Reindex()
}

// Enroll adds an account, unless it is known or incomplete.
func (st *state) Enroll(credentials contract.Values, _ time.Time) error {
	added := account{ReportSuite: credentials.Text("reportSuite"), OrgID: credentials.Text("orgId")}
	if added.ReportSuite != "" && added.OrgID != "" && !slices.Contains(st.Accounts, added) {
		st.Accounts = append(st.Accounts, added)
	}
	return nil
}

// mint makes an organisation and its report suite.
func mint(d *contract.Dice) contract.Values {
	id := make([]byte, 16)
	_, _ = d.Read(id)
	return contract.Values{
		"reportSuite": fmt.Sprintf("understudy.%x", id[:4]),
		"orgId":       fmt.Sprintf("%X@AdobeOrg", id[4:]),
	}
}
