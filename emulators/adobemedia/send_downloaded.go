package adobemedia

import (
	"encoding/json"
	"net/http"

	"github.com/understudy-suite/understudy/internal/contract"
)

var sendDownloaded = &contract.Operation{
	Name: "SendDownloaded", Method: http.MethodPost, Path: downloadedPath, Cite: citeDownloaded,
	Doc:      "Reports a whole session that was played offline: an array of its events in their order, the first sessionStart. If one event is invalid, nothing is stored.",
	Params:   []contract.Param{eventsRow(contract.Param{Name: downloadedKey, Type: contract.Boolean, Cite: citeDownloaded, Doc: "Not needed here; any truth value is taken."})},
	Outcomes: contract.Outcomes(downloaded),
	Decide:   func(*contract.Call) contract.Verdict { return downloaded.Verdict() },
}

var downloaded = &contract.Outcome{
	Name: "created", Status: 201, Cite: citeDownloaded, Keeps: true, Do: doDownloaded,
	Doc: "The session was accepted and is processed. No id is returned: clients look for none, and remarks in their source say that the service gives none.",
}

// eventsRow returns the row of a batch. Its first event is a sessionStart with
// flag among its params.
func eventsRow(flag contract.Param) contract.Param {
	rows := events[sessionStart].message()
	for i := range rows {
		if rows[i].Name != "params" {
			continue
		}
		var fields []contract.Param
		for _, f := range rows[i].Fields {
			if f.Name == flag.Name {
				f = flag
			}
			fields = append(fields, f)
		}
		rows[i].Fields = fields
	}
	return contract.Param{
		Name: "events", Type: contract.List, Of: contract.Object, Need: contract.Required, Fields: rows, Cite: citeDownloaded,
		Doc: "The body itself: the events, each as it is sent alone. The rows are those of the first.",
	}
}

// doDownloaded stores the session as one that has ended.
func doDownloaded(c *contract.Call) any {
	st := c.State.(*state)
	s := st.openSession(c, st.newID(c), now(c))
	s.Ended, s.EndedBy = now(c), byDownload
	var raw []json.RawMessage
	if json.Unmarshal(c.Request.Body, &raw) != nil {
		return nil
	}
	for i, event := range raw {
		h := st.newHit(c)
		h.Raw = event
		if s.Received++; i == 0 {
			st.keepStart(s, h)
		} else {
			st.keepEvent(s, h)
		}
	}
	return nil
}
