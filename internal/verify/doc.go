// Package verify holds checks of a test against what a sandbox observed: its journal
// and the progress of its scenarios. It asks nobody and waits for nothing.
//
// A verdict is never a guess. Where the evidence does not suffice, since entries gave
// way to later ones or nothing was observed, it is Insufficient: neither that a check
// holds nor that it fails.
package verify
