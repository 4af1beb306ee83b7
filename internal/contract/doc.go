// Package contract holds the words in which a documented API is told: its
// operations, their parameters, and the outcomes in which each may end.
//
// It is the ground floor. It knows no API by name, opens no socket and imports
// no other package of this module, so that everything else may be derived from
// what is told here: routes, validation, the checking of scenario and fixture
// files, handbook pages and conformance tests.
package contract
