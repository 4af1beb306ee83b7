// Package document reads YAML files strictly and reports every fault of a file
// at once, with its place, as a compiler would:
//
//	parcels/slow.yaml:4:5: a rule has no key "outcom"; did you mean "outcome"?
//
// Scenario and fixture files are read with it. It knows neither: what a file
// may say is up to its reader, or to rows of contract.Param.
package document
