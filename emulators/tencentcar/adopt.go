package tencentcar

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// adopts are the identifiers that the console gives to customers.
var adopts = []contract.Adoptable{
	{What: "SecretId", Routes: true, Take: takeSecretID, Rows: accountRows, Example: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", Doc: "A permanent key of the first account, with its SecretKey."},
	{What: "ProjectId", Take: takeProject, Rows: projectRows, Doc: "As the first project, with as many concurrencies of its own."},
	{What: "ApplicationId", Take: takeApplication, Rows: applicationRows, Doc: "As the first application, in the SHARED project for which it came."},
	{What: "ApplicationVersionId", Take: takeVersion, Rows: versionRows, Doc: "A version of the application for which it came."},
}

// adoptNamed has the ids adopted that a request names beside its SecretId.
func adoptNamed(c *contract.Call) contract.Verdict {
	if c.Unknown != contract.Adopt {
		return contract.Verdict{}
	}
	c.WithState(func() {
		st := c.State.(*state)
		if id := c.In.Text("ProjectId"); !st.hasProject(id) {
			c.Adopt("ProjectId", id)
		}
		p, known := st.project(c.In.Text("ProjectId"))
		if !known {
			return
		}
		id := c.In.Text("ApplicationId")
		if p.shared() && id != "" && !slices.Contains(p.ApplicationIDs, id) && c.Adopt("ApplicationId", id) {
			p, _ = st.project(p.ProjectID)
		}
		a, _ := st.application(applicationOf(p, id))
		if v := c.In.Text("ApplicationVersionId"); !slices.Contains(a.Versions, v) {
			c.Adopt("ApplicationVersionId", v)
		}
	})
	return contract.Verdict{}
}

func takeSecretID(c *contract.Call, id string) bool {
	st := c.State.(*state)
	if len(st.Accounts) == 0 {
		return false
	}
	a := *st.firstAccount()
	st.addAccount(account{SecretID: id, SecretKey: a.SecretKey, Uin: a.Uin, Status: a.Status, Deny: a.Deny})
	return true
}

// addAccount adds an account. Pointers to the others stay good: nothing writes them.
func (st *state) addAccount(a account) {
	st.accounts[a.SecretID] = len(st.Accounts)
	st.Accounts = append(st.Accounts, a)
}

func accountRows(s contract.State, id string) contract.Values {
	a := s.(*state).account(id)
	if a == nil {
		return nil
	}
	return contract.Values{"accounts": []any{contract.Values{
		"secretId": a.SecretID, "secretKey": a.SecretKey, "uin": a.Uin, "status": a.Status, "deny": listOf(a.Deny),
	}}}
}

func (st *state) hasProject(id string) bool { _, known := st.projects[id]; return known }

func takeProject(c *contract.Call, id string) bool {
	st := c.State.(*state)
	if len(st.Projects) == 0 {
		return false
	}
	st.projects[id] = len(st.Projects)
	st.Projects = append(st.Projects, *st.defaultProject(id))
	return true
}

func projectRows(s contract.State, id string) contract.Values {
	p, known := s.(*state).project(id)
	if !known {
		return nil
	}
	return contract.Values{"projects": []any{p.row()}}
}

// row is the project as a fixture file has it.
func (p *project) row() contract.Values {
	return contract.Values{
		"project_id": p.ProjectID, "amount": p.Amount, "project_type": p.ProjectType, "project_category": p.ProjectCategory,
		"type": p.Type, "is_preload": p.IsPreload, "reconnect_timeout": p.ReconnectTimeout,
		"application_params": p.ApplicationParams, "application_ids": listOf(p.ApplicationIDs),
	}
}

// takeApplication adds an application to the project of the call.
func takeApplication(c *contract.Call, id string) bool {
	st := c.State.(*state)
	i, known := st.projects[c.In.Text("ProjectId")]
	if !known {
		return false
	}
	if _, known := st.application(id); !known {
		a := application{}
		if len(st.Applications) > 0 {
			a = st.Applications[0]
		}
		a.ApplicationID = id
		st.Applications = append(st.Applications, a)
	}
	p := &st.Projects[i]
	p.ApplicationIDs = append(slices.Clone(p.ApplicationIDs), id) // projects in its likeness have the same list
	return true
}

func applicationRows(s contract.State, id string) contract.Values {
	st := s.(*state)
	a, known := st.application(id)
	if !known {
		return nil
	}
	var projects []any
	for i := range st.Projects {
		if p := &st.Projects[i]; slices.Contains(p.ApplicationIDs, id) {
			projects = append(projects, p.row())
		}
	}
	return contract.Values{"applications": []any{a.row()}, "projects": projects}
}

// row is the application as a fixture file has it.
func (a *application) row() contract.Values {
	return contract.Values{"application_id": a.ApplicationID, "versions": listOf(a.Versions), "path_missing": a.PathMissing}
}

// takeVersion adds a version to the application that the call is about.
func takeVersion(c *contract.Call, id string) bool {
	st := c.State.(*state)
	p, _ := st.project(c.In.Text("ProjectId"))
	of := applicationOf(p, c.In.Text("ApplicationId"))
	i := slices.IndexFunc(st.Applications, func(a application) bool { return a.ApplicationID == of })
	if i < 0 {
		return false
	}
	a := &st.Applications[i]
	a.Versions = append(slices.Clone(a.Versions), id)
	return true
}

func versionRows(s contract.State, id string) contract.Values {
	var all []any
	for _, a := range s.(*state).Applications {
		if slices.Contains(a.Versions, id) {
			all = append(all, a.row())
		}
	}
	if all == nil {
		return nil
	}
	return contract.Values{"applications": all}
}

// listOf is a list as a fixture's row has it.
func listOf(texts []string) []any {
	all := make([]any, len(texts))
	for i, s := range texts {
		all[i] = s
	}
	return all
}
