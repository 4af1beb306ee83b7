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
	mostAdopted = 1000    // identifiers, each as often as the state takes it in
	adoptedCost = 1 << 10 // bytes that the state is booked for each time, beside the identifier
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
	taken int // times that the state took one in: again for each of several projects, say
}

type adoptedKey struct{ what, id string }

func newAdoptions(list []Adopted) adoptions {
	a := adoptions{slices.Clone(list), make(map[adoptedKey]bool, len(list)), len(list)}
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
	switch {
	case i.adopted.taken >= mostAdopted:
		return "", fmt.Sprintf("%d were adopted already, which is the most; reset the sandbox, or save them with understudy fixture save and start with that fixture", mostAdopted)
	case !i.sandbox.registry.states.fits(adoptedCost): // a call that adds to the state is refused, and counted, by itself
		return "", "the states of all sandboxes hold as much as --max-state allows"
	case !row.Take(c, id):
		return "", "it has another form, or the fixture has nothing that it could be like"
	}
	i.adopted.taken++
	i.base += int64(adoptedCost + 2*len(id))
	if !i.adopted.known[key] {
		i.adopted.list = append(i.adopted.list, Adopted{What: what, ID: shown, Time: c.Now.Round(0).UTC()})
		i.adopted.known[key] = true
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

// stillAdopted lists what was adopted and is in the state yet. The caller is inside WithState.
func (i *Instance) stillAdopted() (list []Adopted) {
	for _, one := range i.adopted.list {
		if i.API.Adoptable(one.What).Rows(i.state, one.ID) != nil {
			list = append(list, one)
		}
	}
	return list
}

// checkAdopted refuses a list of adopted identifiers that an instance of the API with this
// state, which may be nil, cannot have.
func (i *Instance) checkAdopted(list []Adopted, state contract.State) error {
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
		fault := row.Fault(one.ID)
		switch {
		case fault != "":
			fault = "cannot have been adopted: " + fault
		case seen[key]:
			fault = "is listed twice"
		case state != nil && row.Rows(state, one.ID) == nil:
			fault = "is not in the state"
		default:
			seen[key] = true
			continue
		}
		return fmt.Errorf("adopted: the %s %.80q of %s %s", one.What, one.ID, i.API.Name, fault)
	}
	return nil
}
