package contract

import "strings"

// A Host is a documented host name of an API, or a pattern of such names.
type Host struct {
	// Name is in lower case. A label "*" stands for any one label, as in
	// "*.parcels.example".
	Name string

	// Known are the names of a pattern that are known, the usual one first: for files
	// that have no patterns. A name that is no pattern has none.
	Known []string

	Doc  string // what is there, where the name does not say so
	Cite string // page the name was read from
}

// HostNames are hosts without more to say about them, all from one page.
func HostNames(cite string, names ...string) []Host {
	all := make([]Host, len(names))
	for i, name := range names {
		all[i] = Host{Name: name, Cite: cite}
	}
	return all
}

// Pattern reports whether the name stands for several.
func (h Host) Pattern() bool { return strings.Contains(h.Name, "*") }

// Matches reports whether a host name, in lower case and without a port, is meant.
func (h Host) Matches(name string) bool {
	before, after, pattern := strings.Cut(h.Name, "*")
	if !pattern {
		return name == h.Name
	}
	label, ok := strings.CutPrefix(name, before)
	if !ok {
		return false
	}
	label, ok = strings.CutSuffix(label, after)
	return ok && label != "" && !strings.Contains(label, ".")
}

// Names lists the names that are known: the name itself, or those of a pattern.
func (h Host) Names() []string {
	if h.Pattern() {
		return h.Known
	}
	return []string{h.Name}
}

// Domain is the domain in which all names are: the name itself, or what stands behind
// the label that a pattern leaves open.
func (h Host) Domain() string {
	if _, after, pattern := strings.Cut(h.Name, "*."); pattern {
		return after
	}
	return h.Name
}

// HostNames lists the names of all hosts that are known, the usual one first.
func (a *API) HostNames() []string { return KnownNames(a.Hosts) }

// KnownNames lists the names of hosts that are known.
func KnownNames(hosts []Host) []string {
	var all []string
	for _, h := range hosts {
		all = append(all, h.Names()...)
	}
	return all
}

// HasHost reports whether a host name, in lower case and without a port, is one of the
// API's.
func (a *API) HasHost(name string) bool {
	for i := range a.Hosts {
		if a.Hosts[i].Matches(name) {
			return true
		}
	}
	return false
}
