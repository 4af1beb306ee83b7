package youdu

import (
	"github.com/understudy-suite/understudy/internal/contract"
)

var getSession = &contract.Operation{
	Name:   "GetSession",
	Doc:    "Returns a session. Any application of the enterprise may read it, also one that another created; that is inferred.",
	Cite:   citeSession,
	Method: "GET", Path: "/cgi/session/get", Aliases: alias("/cgi/session/get"),
	Params:   []contract.Param{tokenRow, inQuery(sessionIDRow)},
	Outcomes: contract.Outcomes(gotSession, invalidRequest, illegalAccess),
	Decide:   decideGet,
}

var gotSession = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The session is returned.", Cite: citeSession,
	Returns: sessionRows, Do: doGet,
}

// inQuery is p as a parameter of the query.
func inQuery(p contract.Param) contract.Param {
	p.In = contract.Query
	return p
}

func decideGet(c *contract.Call) contract.Verdict {
	if _, v := c.State.(*state).findSession(c); !v.Pending() {
		return v
	}
	return gotSession.Verdict()
}

// findSession finds the session that a call names.
func (st *state) findSession(c *contract.Call) (*session, contract.Verdict) {
	id := c.In.Text("sessionId")
	if id == "" {
		return nil, st.refuse(missingValue, "Name", "sessionId")
	}
	s := st.Sessions[id]
	if s == nil {
		return nil, st.refuse(unknownSession, "got", describe(id))
	}
	return s, contract.Verdict{}
}

func doGet(c *contract.Call) any {
	st, id := c.State.(*state), c.In.Text("sessionId")
	if s := st.Sessions[id]; s != nil {
		return s.reply()
	}
	return st.inventSession(c, id, "").reply()
}
