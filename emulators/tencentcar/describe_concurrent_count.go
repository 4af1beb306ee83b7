package tencentcar

import "github.com/understudy-suite/understudy/internal/contract"

var describeConcurrentCount = &contract.Operation{
	Name:   "DescribeConcurrentCount",
	Doc:    "Counts concurrencies. Running counts all that are not idle: reserved, connected, waiting for a client, being cleaned or pre-launched. Without a ProjectId it counts the account's.",
	Cite:   citeSDK,
	Method: "POST", Path: "/",
	Rate: 20,
	Params: []contract.Param{
		{Name: "ProjectId", Example: "cap-abcdefgh", Cite: citeSDK, Doc: "Project ID."},
		{Name: "ApplicationCategory", OneOf: []string{"DESKTOP", "MOBILE", ""}, Cite: citeSDK, Doc: "Application category: DESKTOP or MOBILE. Without it both are counted."},
	},
	Outcomes: contract.Outcomes(
		counted, failedOperation, lockTimeout, pathNotFound, processTimeout, slowDown, internalError, jsonParseError,
		invalidParameterValue, limitExceededRole, operationDenied, noIdle, sessionNotFound, initialization, stopping,
	),
	Decide: decideCount,
}

// A countReply is what DescribeConcurrentCount returns.
type countReply struct {
	Total     int
	Running   int
	RequestID string `json:"RequestId"`
}

var counted = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The concurrencies are counted.", Cite: citeSDK,
	Returns: []contract.Param{
		{Name: "Total", Type: contract.Integer, Need: contract.Required, Example: "10", Cite: citeSDK, Doc: "The total number of concurrencies."},
		{Name: "Running", Type: contract.Integer, Need: contract.Required, Example: "6", Cite: citeSDK, Doc: "The number that is not idle."},
		requestIDRow,
	},
	Do: doCount,
}

func decideCount(c *contract.Call) contract.Verdict {
	st, id := c.State.(*state), c.In.Text("ProjectId")
	if id == "" {
		return counted.Verdict()
	}
	if _, known := st.project(id); !known {
		return invalidParameterValue.Because(unknownProject, "ProjectId", id)
	}
	return counted.Verdict()
}

// doCount counts one project or all. If a scenario makes the call succeed for an
// unknown project, the numbers are invented.
func doCount(c *contract.Call) any {
	st, id, category := c.State.(*state), c.In.Text("ProjectId"), c.In.Text("ApplicationCategory")
	var r countReply
	if id != "" {
		p, known := st.project(id)
		switch {
		case !known:
			r.Total = c.Dice().Fake().Number(1, 50)
			r.Running = c.Dice().Fake().Number(0, r.Total)
		case p.hasCategory(category):
			r.add(st, c, p)
		}
	} else {
		for i := range st.Projects {
			if st.Projects[i].hasCategory(category) {
				r.add(st, c, &st.Projects[i])
			}
		}
	}
	r.RequestID = requestID(c)
	return &r
}

// add adds the counts of a project.
func (r *countReply) add(st *state, c *contract.Call, p *project) {
	r.Total += p.Amount
	r.Running += len(st.forgetIdle(p.ProjectID, sandboxTime(c)).busy)
}

// hasCategory reports whether a project is of a category; "" matches both.
func (p *project) hasCategory(category string) bool {
	return category == "" || category == p.ProjectCategory || category == "DESKTOP" && p.ProjectCategory == ""
}
