package newapi

import "github.com/understudy-suite/understudy/internal/contract"

// A note is what both operations return.
type note struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

var noteRows = []contract.Param{
	{Name: "id", Need: contract.Required, Doc: "The note's id.", Cite: page},
	{Name: "text", Need: contract.Required, Doc: "The note's text.", Cite: page},
}

var createNote = &contract.Operation{
	Name: "CreateNote", Doc: "Creates a note.", Cite: page, Method: "POST", Path: "/notes",
	Params:   []contract.Param{{Name: "text", Need: contract.Required, Max: 200, Example: "milk", Doc: "The note's text.", Cite: page}},
	Outcomes: contract.Outcomes(noteCreated),
	Decide:   func(*contract.Call) contract.Verdict { return noteCreated.Verdict() },
}

var noteCreated = &contract.Outcome{
	Name: "success", Status: 201, Doc: "The note is there.", Cite: page, Returns: noteRows,
	Keeps: true,
	Do: func(c *contract.Call) any {
		n := note{c.Dice().ID(), c.In.Text("text")}
		c.State.(*state).Notes[n.ID] = n.Text
		return n
	},
}

var getNote = &contract.Operation{
	Name: "GetNote", Doc: "Returns a note.", Cite: page, Method: "GET", Path: "/notes/{id}",
	Params:   []contract.Param{{Name: "id", In: contract.Path, Need: contract.Required, Doc: "The note's id.", Cite: page}},
	Outcomes: contract.Outcomes(noteReturned, noSuchNote),
	Decide: func(c *contract.Call) contract.Verdict {
		id := c.In.Text("id")
		if _, ok := c.State.(*state).Notes[id]; !ok {
			return noSuchNote.Because(unknownID, "id", id)
		}
		return noteReturned.Verdict()
	},
}

var unknownID = &contract.Cause{Code: "unknown_id", Text: "The sandbox has no note {id}. Create one with CreateNote."}

var noteReturned = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The note.", Cite: page, Returns: noteRows,
	Do: func(c *contract.Call) any {
		id := c.In.Text("id")
		text, ok := c.State.(*state).Notes[id]
		if !ok { // a scenario calls for the note, and there is none
			text = c.Dice().Fake().HipsterWord()
		}
		return note{id, text}
	},
}
