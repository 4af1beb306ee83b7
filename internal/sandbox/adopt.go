package sandbox

import (
	"fmt"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// The limits of what an instance adopts.
const (
	mostAdopted = 1000    // identifiers
	adoptedCost = 1 << 10 // bytes that the state is booked for each, beside the identifier
)

// An Adopted is an identifier that an instance took in at first sight.
type Adopted struct {
	What string    `json:"what"`           // the kind of identifier, as the vendor names it
	ID   string    `json:"id"`             // or what stands for it where it is a secret
	Time time.Time `json:"time"`           // by the sandbox's clock
	Call string    `json:"call,omitempty"` // the journal's id of the call that brought it
}

// adoptions are what an instance adopted, in that order.
type adoptions struct {
	list  []Adopted
	known map[adoptedKey]bool
}

type adoptedKey struct{ what, id string }

func newAdoptions(list []Adopted) adoptions {
	a := adoptions{slices.Clone(list), make(map[adoptedKey]bool, len(list))}
	for _, one := range list {
		a.known[adoptedKey{one.What, one.ID}] = true
	}
	return a
}

// routes reports whether identifier is one that was adopted and leads calls to the
// sandbox.
func (a adoptions) routes(api *contract.API, identifier string) bool {
	if len(a.list) == 0 {
		return false
	}
	return slices.ContainsFunc(api.Adopts, func(row contract.Adoptable) bool {
		return row.Routes && a.known[adoptedKey{row.What, row.ShownAs(identifier)}]
	})
}

// Unknown returns what becomes of identifiers that the fixture does not know.
func (i *Instance) Unknown() contract.OnUnknown { return i.unknown }

// Adopt takes in an identifier for a call, in whose state it is not. The caller is inside
// WithState. shown is what stands for it; refusal says why it was not adopted, "" if it was.
func (i *Instance) Adopt(c *contract.Call, what, id string) (shown, refusal string) {
	row := i.API.Adoptable(what)
	if row == nil {
		panic("sandbox: " + i.API.Name + " has no row for the adoption of " + what)
	}
	if fault := row.Fault(id); fault != "" {
		return "", fault
	}
	shown = row.ShownAs(id)
	key := adoptedKey{what, shown}
	switch known := i.adopted.known[key]; {
	case !known && len(i.adopted.list) >= mostAdopted:
		return "", fmt.Sprintf("%d were adopted already, which is the most; reset the sandbox, or save them with understudy fixture save and start with that fixture", mostAdopted)
	case i.Room(adoptedCost) != nil:
		return "", "the states of all sandboxes hold as much as --max-state allows"
	case !row.Take(c, id):
		return "", "the fixture has nothing that it could be like"
	case !known:
		i.adopted.list = append(i.adopted.list, Adopted{What: what, ID: shown, Time: c.Now.Round(0).UTC()})
		i.adopted.known[key] = true
		i.base += int64(adoptedCost + 2*len(id))
	}
	if row.Routes {
		i.sandbox.registry.directory.add(i.API, id, i.sandbox, true)
	}
	return shown, ""
}

// AdoptedBy names the call that brought what was adopted last without a call's name. The
// caller is inside WithState.
func (i *Instance) AdoptedBy(call string, brought []contract.Adopted) {
	for n := range i.adopted.list {
		one := &i.adopted.list[n]
		if one.Call == "" && slices.Contains(brought, contract.Adopted{What: one.What, ID: one.ID}) {
			one.Call = call
		}
	}
}

// HasAdopted reports whether an identifier was adopted. The caller is inside WithState.
func (i *Instance) HasAdopted(what, id string) bool {
	row := i.API.Adoptable(what)
	return row != nil && i.adopted.known[adoptedKey{what, row.ShownAs(id)}]
}

// Adopted lists what was adopted, the first first.
func (i *Instance) Adopted() []Adopted {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.adopted.list)
}

// AdoptedRows returns what the lists of a fixture file need to have for what was adopted.
func (i *Instance) AdoptedRows() []contract.Values {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []contract.Values
	for _, one := range i.adopted.list {
		if rows := i.API.Adoptable(one.What).Rows(i.state, one.ID); rows != nil {
			all = append(all, rows)
		}
	}
	return all
}

// checkAdopted refuses a list of adopted identifiers that no instance of the API has.
func (i *Instance) checkAdopted(list []Adopted) error {
	var kinds []string
	for _, row := range i.API.Adopts {
		kinds = append(kinds, row.What)
	}
	if len(list) > mostAdopted {
		return fmt.Errorf("adopted: %s has %d; at most %d were expected", i.API.Name, len(list), mostAdopted)
	}
	seen := map[adoptedKey]bool{}
	for _, one := range list {
		row := i.API.Adoptable(one.What)
		if row == nil {
			return fmt.Errorf("adopted: %s adopts no %.80q%s", i.API.Name, one.What, document.Hint(one.What, kinds))
		}
		key := adoptedKey{one.What, one.ID}
		if fault := row.Fault(one.ID); fault != "" || seen[key] {
			return fmt.Errorf("adopted: the %s %.80q of %s is listed twice, or was not adopted: %s", one.What, one.ID, i.API.Name, fault)
		}
		seen[key] = true
	}
	return nil
}
