package contract

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// OnUnknown says what becomes of an identifier that the fixture does not know.
type OnUnknown string

// The values of OnUnknown.
const (
	Refuse OnUnknown = "refuse" // as the vendor does
	Adopt  OnUnknown = "adopt"  // it is taken in at first sight, in the likeness of the fixture's first
)

// An Adoptable is a kind of identifier that clients bring along, since another party than
// the API's calls gave it to them: of an account, a project, a channel. Checks ask for its
// adoption by Call.Adopt.
type Adoptable struct {
	What    string // as the vendor names it: "ParcelCode"
	Doc     string // in whose likeness it is taken in, and with what
	Example string // one as the fixture has it, where no parameter of that name has one

	// Routes says that State.Identifiers lists it: later calls that carry it find their
	// sandbox by it.
	Routes bool

	// Take adds the identifier to c.State in the likeness of the fixture's first. It
	// reports false and changes nothing where the fixture has nothing like it.
	Take func(c *Call, id string) bool

	// Rows are the elements that the lists of a fixture file need for it, by list. An
	// element takes the place of one with the same required values. nil: the state
	// does not have it any more.
	Rows func(s State, id string) Values

	// Shown stands for an identifier that is a secret where adopted ones are told; Rows is
	// asked by it. nil: the identifier itself.
	Shown func(id string) string

	// Mend says what a client with a secret of its own can do where the first one's does
	// not do; "": not to have the proof looked at, or to give its own secret.
	Mend string

	Longest int // bytes; 0: 256
}

// ShownAs is what stands for an identifier where adopted ones are told.
func (a *Adoptable) ShownAs(id string) string {
	if a.Shown == nil {
		return id
	}
	return a.Shown(id)
}

// longestAdopted is how many bytes an adopted identifier has unless its row says otherwise.
const longestAdopted = 256

// Fault says what keeps an identifier from being adopted, whatever the fixture has; "":
// nothing does.
func (a *Adoptable) Fault(id string) string {
	most := a.Longest
	if most == 0 {
		most = longestAdopted
	}
	switch {
	case id == "":
		return "it is empty"
	case len(id) > most:
		return "it is longer than any that is adopted"
	case !utf8.ValidString(id) || strings.ContainsFunc(id, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "it is not of printable characters alone"
	}
	return ""
}

// Such as returns an identifier of a kind as the documentation or the fixture has it.
func (a *API) Such(row *Adoptable) string {
	if row.Example != "" {
		return row.Example
	}
	for _, op := range a.Operations {
		if s := Sample(op.Params).Text(row.What); s != "" {
			return row.ShownAs(s)
		}
	}
	return ""
}

// Adoptable finds the row of a kind of identifier, or returns nil.
func (a *API) Adoptable(what string) *Adoptable {
	for i := range a.Adopts {
		if a.Adopts[i].What == what {
			return &a.Adopts[i]
		}
	}
	return nil
}

// OfAdopted adds to the explanation of a refused proof that its caller is known by an
// adopted identifier, if it is.
func (v Verdict) OfAdopted(c *Call, what, id string) Verdict {
	if v.Pending() || c.Unknown != Adopt || !c.Adopted(what, id) {
		return v
	}
	mend := cmp.Or(c.API.Adoptable(what).Mend,
		"Start with --auth presence or off, which do not look at the proof, or with --credentials env and the client's own credentials in the environment.")
	v.Aside = "The " + what + " " + id + " was adopted, and its secret is that of the fixture's first. " + mend
	return v
}

// An Adopted names an identifier that a call brought and that was adopted.
type Adopted struct {
	What string `json:"what"`
	ID   string `json:"id"`
}
