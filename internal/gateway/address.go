package gateway

import (
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// An address says where a request belongs, as far as its host name, its path and
// the header Understudy-Sandbox say so.
type address struct {
	api     string // the API; "": the path's tables or the API's claims decide
	sandbox string // the sandbox that the request names, where foundBy says so
	foundBy string // header, path, host or proxy; "": the request names no sandbox
	prefix  string // what was taken from the front of the path: /@NAME, /<api>
	path    string // the rest of the path, still escaped
	proxied bool   // the client takes understudy for its proxy, and asks for a documented host
}

// names are the host names and path segments by which the APIs are known at the
// shared door.
type names struct {
	apis  map[string]bool
	hosts map[string]string // documented host name that is no pattern → API
	wide  []wideHost        // the patterns
}

// wideHost is a pattern of documented host names.
type wideHost struct {
	contract.Host
	api string
}

func namesOf(apis []*contract.API) names {
	n := names{apis: map[string]bool{}, hosts: map[string]string{}}
	for _, api := range apis {
		n.apis[api.Name] = true
		for _, host := range api.Hosts {
			switch {
			case host.Pattern():
				n.wide = append(n.wide, wideHost{host, api.Name})
			case n.hosts[host.Name] == "":
				n.hosts[host.Name] = api.Name
			}
		}
	}
	return n
}

// locate finds out where a request belongs, from its Host header, its escaped
// path and the value of its header Understudy-Sandbox. own is the API whose own
// port took the request; "" stands for the shared door.
//
// A sandbox is named by the header, or else by the path's first segment /@NAME,
// or else by the host name NAME.<api>.localhost. An API is named by the host
// name, a documented one or <api>.localhost, or else by the path's first segment.
func (n names) locate(own, host, path, header string) address {
	at := address{api: own, path: path}
	host = plainHost(hostname(host))
	api := n.ofHost(host)
	if labels, ok := strings.CutSuffix(host, ".localhost"); ok {
		api = labels
		if name, rest, several := strings.Cut(labels, "."); several {
			api = rest
			if name != "" {
				at.sandbox, at.foundBy = name, "host"
			}
		}
	}
	if rest, ok := strings.CutPrefix(path, "/@"); ok {
		name, _, _ := strings.Cut(rest, "/")
		at.strip("/@" + name)
		at.sandbox, at.foundBy = name, "path"
	}
	if header != "" {
		at.sandbox, at.foundBy = header, "header"
	}
	switch segment := firstSegment(at.path); {
	case own != "":
	case n.apis[api]:
		at.api = api
	case n.apis[segment]:
		at.api = segment
		at.strip("/" + segment)
	}
	return at
}

// ofHost finds the API of a documented host name, in lower case and without a port; ""
// for others.
func (n names) ofHost(host string) string {
	if api := n.hosts[host]; api != "" {
		return api
	}
	for i := range n.wide {
		if n.wide[i].Matches(host) {
			return n.wide[i].api
		}
	}
	return ""
}

// strip takes a prefix from the front of the path.
func (a *address) strip(prefix string) {
	a.prefix += prefix
	a.path = a.path[len(prefix):]
	if a.path == "" {
		a.path = "/"
	}
}

// firstSegment is what stands in a path between its first and its second slash.
func firstSegment(path string) string {
	rest, _ := strings.CutPrefix(path, "/")
	segment, _, _ := strings.Cut(rest, "/")
	return segment
}

// plainHost is a host name in lower case without the dot at its end that ends every full
// name.
func plainHost(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

// hostname is a Host header without its port.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}
