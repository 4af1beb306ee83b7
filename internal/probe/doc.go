// Package probe answers `understudy health` for a server that is ready, before the
// packages of everything else are initialized. A container asks once a second, and
// those packages cost more than the question.
//
// Go initializes a package as soon as all that it imports is initialized, in the order
// of their paths. So this package imports next to nothing: with package net it would
// come after most others. What it does not understand, and every answer but ready, it
// leaves to the command, which asks again and says what is wrong.
package probe
