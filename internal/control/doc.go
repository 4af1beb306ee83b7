// Package control is the control API: what users, the CLI and the console ask
// of understudy itself, on a port apart from those of the APIs.
//
// Everything it says about an API comes from the API's table; it names none.
// Every request passes one check (guard.go) and one table of routes
// (routes.go). Failures are application/problem+json: what was found,
// what was expected, what to do.
package control
