// Package scenario reads the files that decide how calls end, and plays them.
//
// A scenario speaks the API's own words: operations, parameters and documented
// outcomes. It chooses an outcome, and the house makes the answer of it as it
// makes that of the emulator's own decision. What the network does stands
// apart, under wire.
package scenario
