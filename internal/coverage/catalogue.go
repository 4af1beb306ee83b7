// Package coverage counts how calls ended: which of the documented outcomes the
// traffic met, whether the answers reached the client, and what the client did next.
package coverage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A Catalogue lists the outcomes of APIs, and says which of them count. An outcome
// counts where a page documents it: once for each operation that lists it, and once for
// the API where it is common to all operations or an operation has it from a check
// alone. Inferred outcomes and those of operations of ours do not count.
type Catalogue struct {
	apis []*table
	rows int
	at   map[end]place
}

// A table is what one API has.
type table struct {
	api        string
	operations []*operationTable
	common     []*row
	uncounted  []*row
	sum        string
}

type operationTable struct {
	name string
	rows []*row
}

// A row is one outcome of an operation, or one of all operations of an API.
type row struct {
	index     int // among all rows of the catalogue
	operation string
	outcome   string
	fails     bool
	common    bool
}

// An end is how a call ended, in the words of the journal.
type end struct{ api, operation, outcome string }

// A place is where such an end is counted.
type place struct {
	row  *row
	call string // api/operation
}

// NewCatalogue returns the catalogue of some APIs.
func NewCatalogue(apis []*contract.API) *Catalogue {
	c := &Catalogue{at: map[end]place{}}
	for _, api := range apis {
		c.add(api)
	}
	return c
}

func (c *Catalogue) add(api *contract.API) {
	t := &table{api: api.Name}
	c.apis = append(c.apis, t)
	common := map[*contract.Outcome]*row{}
	for _, o := range api.Ends(nil) {
		r := c.row("", o, true)
		common[o] = r
		if countsAsCommon(api, o) {
			t.common = append(t.common, r)
		} else {
			t.uncounted = append(t.uncounted, r)
		}
		c.at[end{api.Name, "", o.Name}] = place{r, api.Name + "/-"}
	}
	for _, op := range api.Operations {
		own := &operationTable{name: op.Name}
		for _, o := range api.Ends(op) {
			r := common[o]
			if op.Helper || isOwn(api, op, o) {
				r = c.row(op.Name, o, false)
				if op.Helper || o.Cite == "" {
					t.uncounted = append(t.uncounted, r)
				} else {
					own.rows = append(own.rows, r)
				}
			}
			c.at[end{api.Name, op.Name, o.Name}] = place{r, api.Name + "/" + op.Name}
		}
		if !op.Helper {
			t.operations = append(t.operations, own)
		}
	}
	t.sum = t.fingerprint()
}

func (c *Catalogue) row(operation string, o *contract.Outcome, common bool) *row {
	r := &row{index: c.rows, operation: operation, outcome: o.Name, fails: o.Fails, common: common}
	c.rows++
	return r
}

// isOwn reports whether op lists o and o is not common to all operations.
func isOwn(api *contract.API, op *contract.Operation, o *contract.Outcome) bool {
	return slices.Contains(op.Outcomes, o) && !slices.Contains(api.Common, o)
}

// countsAsCommon reports whether some operation has a documented outcome without
// listing it itself.
func countsAsCommon(api *contract.API, o *contract.Outcome) bool {
	return o.Cite != "" && slices.ContainsFunc(api.Operations, func(op *contract.Operation) bool {
		return !op.Helper && !isOwn(api, op, o)
	})
}

// fingerprint tells tables apart: reports are comparable where they have the same one.
func (t *table) fingerprint() string {
	var names [][2]string
	for _, op := range t.operations {
		names = append(names, [2]string{op.name, ""}) // it may have no outcomes of its own
		for _, r := range op.rows {
			names = append(names, [2]string{op.name, r.outcome})
		}
	}
	for _, r := range t.common {
		names = append(names, [2]string{"", r.outcome})
	}
	return fingerprint(t.api, names)
}

func fingerprint(api string, names [][2]string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", api, names))
	return hex.EncodeToString(sum[:8])
}
