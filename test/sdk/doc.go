// Package sdk drives official client libraries against a started understudy,
// as a program that uses them would. It is a module of its own, so that the
// libraries stay out of understudy's go.mod.
package sdk
