// Package scenario is the language of scenario files: their types, and how a file
// is read and checked against the tables of the APIs.
//
// A scenario uses the API's own names: operations, parameters and documented
// outcomes. It chooses an outcome, and the engine makes the answer as it makes
// that of the emulator's own decision. What the network does stands apart, under
// wire. Package library holds the files, and package player plays them.
package scenario
