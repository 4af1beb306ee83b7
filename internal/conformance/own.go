package conformance

import (
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
)

// An OwnCall is a call of a client whose build has accounts, keys and ids of its own.
type OwnCall struct {
	Operation string
	In        contract.Values
	Ends      string // its outcome where such ids are adopted
	Refused   string // and where they are refused; "": the call is not made there
}

// Own has such a client make calls, one after the other, where its ids are adopted, and where
// they are refused. It returns the world that adopted.
func Own(t *testing.T, api *contract.API, own contract.Values, calls []OwnCall) *World {
	t.Helper()
	adopting := New(t, api, Setting{Auth: contract.Presence, Unknown: contract.Adopt})
	refusing := New(t, api, Setting{Auth: contract.Presence})
	for _, c := range calls {
		for _, in := range []struct {
			mode contract.OnUnknown
			w    *World
			want string
		}{{contract.Adopt, adopting, c.Ends}, {contract.Refuse, refusing, c.Refused}} {
			if in.want == "" {
				continue
			}
			in.w.Send(in.w.RequestOf(t, api.Operation(c.Operation), c.In, own))
			if e := in.w.Last(t); e.Outcome != in.want {
				t.Errorf("--unknown %s: %s %v ended in %s, want %s: %s", in.mode, c.Operation, c.In, e.Outcome, in.want, e.Response.Body)
			}
		}
	}
	if got := refusing.Instance(t).Adopted(); got != nil {
		t.Errorf("--unknown refuse adopted %v", got)
	}
	return adopting
}

// AdoptedIDs lists what a world adopted, each as its kind and itself.
func (w *World) AdoptedIDs(t testing.TB) []string {
	t.Helper()
	var all []string
	for _, one := range w.Instance(t).Adopted() {
		all = append(all, one.What+" "+one.ID)
	}
	return all
}
