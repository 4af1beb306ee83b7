// Package wire reads requests and writes answers in the formats that several APIs
// share: JSON, forms, headers. A format that one API alone has is in its own
// folder.
package wire
