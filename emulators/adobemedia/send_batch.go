package adobemedia

import (
	"net/http"

	"github.com/understudy-suite/understudy/internal/contract"
)

var sendBatch = &contract.Operation{
	Name: "SendBatch", Method: http.MethodPost, Path: sessionsPath, Cite: citeDownloaded,
	Doc:      "The older way to report a session that was played offline: an array in the place of a sessionStart. Adobe will remove it, and the current SDKs for iOS and Android still use it; the switch accept_batch_on_sessions removes it.",
	Params:   []contract.Param{eventsRow(contract.Param{Name: downloadedKey, Type: contract.Boolean, Need: contract.Required, Example: "true", Cite: citeDownloaded, Doc: "Must be true here."})},
	Outcomes: contract.Outcomes(batched),
	Decide:   func(*contract.Call) contract.Verdict { return batched.Verdict() },
}

var batched = &contract.Outcome{
	Name: "created", Status: 201, Cite: citeDownloaded, Keeps: true, Do: doDownloaded, Doc: "The session was accepted and is processed. No id is returned.",
}
