package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// withState runs f under the lock of the instance's state.
func (x *Exchange) withState(f func()) {
	x.Instance.WithState(func(state contract.State) {
		x.call.State = state
		defer func() { x.call.State = nil }()
		f()
	})
}

// runtime serves the API's code while an exchange is under way.
type runtime struct{ x *Exchange }

func (r runtime) WithState(f func()) { r.x.withState(f) }

func (r runtime) CountInWindow(key string, window time.Duration) int {
	return r.x.Instance.CountInWindow(key, window)
}

func (r runtime) Wall() time.Time { return r.x.Instance.Wall() }

// Dice are made when the API first asks for them: most calls need none.
func (r runtime) Dice() *contract.Dice {
	if r.x.dice == nil {
		r.x.dice = r.x.Instance.Dice(r.x.call.Operation, r.x.number)
	}
	return r.x.dice
}

func (r runtime) Mint() *contract.Dice {
	if r.x.mint == nil {
		r.x.mint = r.x.Instance.Mint(r.x.call.Operation, r.x.number)
	}
	return r.x.mint
}

func (r runtime) Issue(identifier string) { r.x.Instance.Issue(identifier) }

func (r runtime) Forget(identifier string) { r.x.Instance.Forget(identifier) }

// Adopt takes in an identifier where the instance may. Why it did not is part of the
// explanation.
func (r runtime) Adopt(what, id string) bool {
	x := r.x
	if x.call.Unknown != contract.Adopt || id == "" {
		return false
	}
	shown, refusal := x.Instance.Adopt(&x.call, what, id)
	if refusal != "" {
		x.unadopted = fmt.Sprintf("The %s was not adopted: %s.", what, refusal)
		return false
	}
	if one := (contract.Adopted{What: what, ID: shown}); !slices.Contains(x.adopted, one) {
		x.adopted = append(x.adopted, one)
	}
	return true
}

func (r runtime) Adopted(what, id string) bool {
	var adopted bool
	ask := func() { adopted = r.x.Instance.HasAdopted(what, id) }
	if r.x.call.State == nil {
		r.x.withState(ask)
	} else {
		ask()
	}
	return adopted
}

// A phantomRuntime is the runtime of an outcome that is answered and not carried
// out: the identifiers that it issues belong to no sandbox.
type phantomRuntime struct{ runtime }

func (phantomRuntime) Issue(string)  {}
func (phantomRuntime) Forget(string) {}

// useCopyOfState has the outcome be carried out on a copy of the state, which is
// thrown away: the answer is that of a success, and nothing changes.
func (x *Exchange) useCopyOfState() {
	state, err := x.Instance.Copy(x.call.State)
	if err != nil {
		panic("engine: " + x.call.API.Name + ": copying the state for a phantom: " + err.Error())
	}
	x.call.State, x.call.Runtime = state, phantomRuntime{runtime{x}}
}
