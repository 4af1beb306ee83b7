// Package contract has the types of which the table of a documented API is made:
// its operations, their parameters, and the outcomes in which each may end.
//
// It is the lowest package. It knows no API by name, opens no socket and imports
// no other package of this module. All else is derived from the tables: routes,
// validation, the checking of scenario and fixture files, handbook pages and
// conformance tests.
package contract
