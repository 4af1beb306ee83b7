package authority

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// A Fault is what is wrong with the handshakes for a name.
type Fault string

// The faults.
const (
	Expired    Fault = "expired"     // the certificate has expired
	WrongName  Fault = "wrong-name"  // the certificate is for another name
	UnknownCA  Fault = "unknown-ca"  // the certificate is of a CA that nobody knows
	Reset      Fault = "reset"       // the connection is reset after the client's hello
	Slow       Fault = "slow"        // the handshake is answered late
	OldVersion Fault = "old-version" // nothing newer than TLS 1.1 is spoken
)

// FaultNames are all faults.
var FaultNames = []string{string(Expired), string(WrongName), string(UnknownCA), string(Reset), string(Slow), string(OldVersion)}

// mostFaults is how many names have a fault at once.
const mostFaults = 100

// A HostFault is a fault that is on for a name, for the whole server.
type HostFault struct {
	Host  string    `json:"host" doc:"a host name, or a pattern with one label *"`
	Fault Fault     `json:"fault" doc:"expired, wrong-name, unknown-ca, reset, slow or old-version"`
	Until time.Time `json:"until,omitzero" doc:"when it ends by itself, by the wall clock"`
	Met   int64     `json:"met" doc:"how many handshakes met it"`
}

// ended reports whether it has ended by itself.
func (h *HostFault) ended(now time.Time) bool { return !h.Until.IsZero() && !now.Before(h.Until) }

// Faults are those that are on. They are decided before any request, and so before a
// sandbox is known: no reset of a sandbox reaches them.
type Faults struct {
	now    func() time.Time
	log    *slog.Logger
	serves func(name string) bool

	count atomic.Int64 // how many are on, or have ended unnoticed
	mu    sync.Mutex
	on    []*HostFault // names before patterns, longer ones first
}

func newFaults(now func() time.Time, log *slog.Logger, serves func(string) bool) *Faults {
	return &Faults{now: now, log: log, serves: serves}
}

// Switch turns a fault on for a name or a pattern, in place of the one that was on; lasts
// is for how long, 0 without end.
func (f *Faults) Switch(host, fault string, lasts time.Duration) (HostFault, error) {
	name, err := f.Name(host)
	if err != nil {
		return HostFault{}, err
	}
	if !slices.Contains(FaultNames, fault) {
		return HostFault{}, fmt.Errorf("there is no TLS fault %s%s", document.Quote(fault), document.Hint(fault, FaultNames))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep()
	f.remove(name)
	if len(f.on) >= mostFaults {
		return HostFault{}, fmt.Errorf("%d names have a TLS fault, which is the most; switch one off", mostFaults)
	}
	on := &HostFault{Host: name, Fault: Fault(fault)}
	if lasts > 0 {
		on.Until = f.now().Add(lasts).UTC()
	}
	f.on = append(f.on, on)
	slices.SortFunc(f.on, func(a, b *HostFault) int {
		return cmp.Or(strings.Count(a.Host, "*")-strings.Count(b.Host, "*"), len(b.Host)-len(a.Host), strings.Compare(a.Host, b.Host))
	})
	f.count.Store(int64(len(f.on)))
	args := []any{"host", name, "fault", fault}
	if lasts > 0 {
		args = append(args, "for", lasts.String())
	}
	f.log.Info("a TLS fault is on, for the whole server", args...)
	return *on, nil
}

// Name is a name or a pattern in the form in which faults have it. The error says why it
// can have none.
func (f *Faults) Name(host string) (string, error) {
	name := plain(host)
	if !f.serves(withoutStar(name)) {
		return "", fmt.Errorf("no handshake for %s is answered here, so it can have no TLS fault; a documented host was expected, a pattern of some such as *.localhost, a name of --tls-name, or an address of this machine", document.Quote(host))
	}
	return name, nil
}

// Off turns the fault of a name off, and reports whether there was one.
func (f *Faults) Off(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep()
	if !f.remove(name) {
		return false
	}
	f.log.Info("a TLS fault is off", "host", name)
	return true
}

// List lists the faults that are on, as they are asked.
func (f *Faults) List() []HostFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep()
	all := make([]HostFault, len(f.on))
	for i, on := range f.on {
		all[i] = *on
	}
	return all
}

// any reports whether one may be on.
func (f *Faults) any() bool { return f.count.Load() > 0 }

// meet finds the fault of a name and counts that it was met; "": there is none.
func (f *Faults) meet(name string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep()
	for _, on := range f.on {
		if (contract.Host{Name: on.Host}).Matches(name) {
			on.Met++
			return on.Fault
		}
	}
	return ""
}

func (f *Faults) remove(name string) bool {
	before := len(f.on)
	f.on = slices.DeleteFunc(f.on, func(on *HostFault) bool { return on.Host == name })
	f.count.Store(int64(len(f.on)))
	return len(f.on) < before
}

// sweep forgets those that have ended.
func (f *Faults) sweep() {
	now := f.now()
	f.on = slices.DeleteFunc(f.on, func(on *HostFault) bool {
		if on.ended(now) {
			f.log.Info("a TLS fault has ended", "host", on.Host, "met", on.Met)
			return true
		}
		return false
	})
	f.count.Store(int64(len(f.on)))
}
