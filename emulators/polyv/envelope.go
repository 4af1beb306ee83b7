package polyv

import (
	"encoding/hex"
	"strconv"

	"github.com/understudy-suite/understudy/internal/contract"
)

// An envelope is the body of every answer of versions 2 and 3.
type envelope struct {
	Code    int    `json:"code"`
	Status  string `json:"status"`
	Message string `json:"message"`
	Data    any    `json:"data"`
}

// A success4 is the body of a success of version 4.
type success4 struct {
	Code      int    `json:"code"`
	Status    string `json:"status"`
	RequestID string `json:"requestId"`
	Data      any    `json:"data"`
	Success   bool   `json:"success"`
}

// A failure4 is the body of a failure of version 4: without message and data.
type failure4 struct {
	Code      int    `json:"code"`
	Status    string `json:"status"`
	RequestID string `json:"requestId"`
	Error     error4 `json:"error"`
	Success   bool   `json:"success"`
}

type error4 struct {
	Code int    `json:"code"`
	Desc string `json:"desc"`
}

// success returns data in the envelope of the call's version.
func success(c *contract.Call, data any) any {
	if isVersion4(c) {
		return &success4{200, "success", requestID(c), data, true}
	}
	return &envelope{200, "success", "", data}
}

// fail returns an error. Its status is fail for code 500, otherwise error.
func fail(c *contract.Call, v contract.Verdict) any {
	n, status := code(c, v.Outcome), "error"
	if n == 500 {
		status = "fail"
	}
	if isVersion4(c) {
		return &failure4{n, status, requestID(c), error4{errorCode(v.Outcome), v.Message(c)}, false}
	}
	return &envelope{n, status, v.Message(c), ""}
}

// errorCode returns the inner code of version 4. Three of them are known: a
// validation error, an unknown appId, a fault of the system.
func errorCode(o *contract.Outcome) int {
	switch {
	case o == applicationNotFound:
		return 20001
	case o.Status == 500:
		return 10005
	}
	return 10001
}

// requestID has the form of version 4's samples: 32 hexadecimal digits, a
// small number, and 17 digits that begin with the time in milliseconds.
func requestID(c *contract.Call) string {
	var random [20]byte
	_, _ = c.Dice().Read(random[:])
	b := append(hex.AppendEncode(make([]byte, 0, 64), random[:16]), '.')
	b = append(strconv.AppendUint(b, uint64(random[16]), 10), '.')
	b = strconv.AppendInt(b, c.ServerTime().UnixMilli(), 10)
	b = strconv.AppendUint(b, 1000+(uint64(random[17])<<16|uint64(random[18])<<8|uint64(random[19]))%9000, 10)
	return string(b)
}

// rows3 are the rows of an answer of version 2 or 3.
func version3Rows(data contract.Param) []contract.Param {
	return []contract.Param{
		{Name: "code", Type: contract.Integer, Need: contract.Required, Example: "200", Cite: citeSessions, Doc: "200 for success, anything else for an error; the HTTP status is the same."},
		{Name: "status", Need: contract.Required, Example: "success", Cite: citeSessions, Doc: "success; error for codes 40X, fail for 500."},
		{Name: "message", Cite: citeSessions, Doc: "Why the call failed; empty where it did not."},
		data,
	}
}

// rows4 are the rows of an answer of version 4.
func version4Rows(data contract.Param) []contract.Param {
	return []contract.Param{
		{Name: "code", Type: contract.Integer, Need: contract.Required, Example: "200", Cite: citeLiveStatus, Doc: "The HTTP status."},
		{Name: "status", Need: contract.Required, Example: "success", Cite: citeLiveStatus, Doc: "success or error."},
		{Name: "requestId", Need: contract.Required, Example: "b38bdd97dc404213a2436e7a086b9db9.82.16347832877195279", Cite: citeLiveStatus, Doc: "An id of the request, for support only."},
		data,
		{Name: "success", Type: contract.Boolean, Need: contract.Required, Example: "true", Cite: citeLiveStatus, Doc: "Whether the call succeeded."},
	}
}

// failureRows describe errors of either version.
var failureRows = []contract.Param{
	{Name: "code", Type: contract.Integer, Need: contract.Required, Example: "400", Cite: citeErrors, Doc: "The class of the error: 40X where a field is wrong, 500 where the business refuses."},
	{Name: "status", Need: contract.Required, OneOf: []string{"error", "fail"}, Cite: citeErrors, Doc: "error for codes 40X, fail for 500."},
	{Name: "message", Cite: citeErrors, Doc: "What is wrong. Versions 2 and 3."},
	{Name: "data", Cite: citeSessions, Doc: "The empty string. Versions 2 and 3."},
	{Name: "requestId", Cite: citeLiveStatus, Doc: "An id of the request. Version 4."},
	{Name: "error", Type: contract.Object, Cite: citeLiveStatus, Doc: "What is wrong. Version 4.", Fields: []contract.Param{
		{Name: "code", Type: contract.Integer, Need: contract.Required, Example: "20001", Cite: citeLiveStatus, Doc: "20001 for an unknown appId, 10001 for what validation refuses, 10005 for a fault of the system. Which code other errors have is inferred."},
		{Name: "desc", Need: contract.Required, Example: "application not found.", Cite: citeLiveStatus, Doc: "The error in words."},
	}},
	{Name: "success", Type: contract.Boolean, Cite: citeLiveStatus, Doc: "false. Version 4."},
}
