// Package wire reads requests and writes answers in the manners that several
// APIs share. An API that has manners of its own keeps them in its own folder.
package wire
