package authority

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
)

// LocalDomains are domains that cannot be registered, so that a name in one of them leads
// to this machine or network.
var LocalDomains = []string{"localhost", "local", "internal", "test", "home.arpa"}

// localNames are names beside localhost by which containers call this server: the service
// of the compose file, and the machine that a container runs on.
var localNames = []string{"understudy", "host.docker.internal"}

// localNetworks are the addresses that only this machine or network can mean.
var localNetworks = mustParse("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10")

func mustParse(networks ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(networks))
	for i, network := range networks {
		all[i] = netip.MustParsePrefix(network)
	}
	return all
}

// asNet is a network as certificates have it.
func asNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func local(at netip.Addr) bool {
	return slices.ContainsFunc(localNetworks, func(p netip.Prefix) bool { return p.Contains(at) })
}

// longestName is how many bytes a host name has at most.
const longestName = 253

var label = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`) })

// isHostName reports whether a name in lower case can be that of a host.
func isHostName(name string) bool {
	if len(name) > longestName {
		return false
	}
	for part := range strings.SplitSeq(name, ".") {
		if !label().MatchString(part) {
			return false
		}
	}
	return true
}

// plain is a host name in lower case without a dot at its end, or an address in its usual
// form.
func plain(name string) string {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if at, ok := address(name); ok {
		return at.String()
	}
	return name
}

func address(name string) (netip.Addr, bool) {
	at, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return at.Unmap().WithZone(""), err == nil
}

// CheckNames says which of the names can be no host's. A * before the first dot stands for
// any one label.
func CheckNames(names []string) error {
	for _, name := range names {
		if at := plain(name); !isHostName(strings.TrimPrefix(at, "*.")) {
			if _, ok := address(at); !ok {
				return fmt.Errorf("--tls-name is %.80q; a host name, *.example.test, or an address was expected, without scheme and port", name)
			}
		}
	}
	return nil
}

// withoutStar has a label in the place of one *.
func withoutStar(name string) string {
	labels := strings.Split(name, ".")
	if i := slices.Index(labels, "*"); i >= 0 {
		labels[i] = "any"
	}
	return strings.Join(labels, ".")
}

// serves reports whether certificates are issued for a plain name: documented hosts,
// localhost and all below it, addresses of this network, and the names that were given.
func (a *Authority) serves(name string) bool {
	if a.named(name) {
		return true
	}
	if at, ok := address(name); ok {
		return local(at)
	}
	if !isHostName(name) {
		return false
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || slices.Contains(localNames, name) ||
		slices.ContainsFunc(a.config.Hosts, func(h contract.Host) bool { return h.Matches(name) })
}

// named reports whether a plain name is one of those that were given.
func (a *Authority) named(name string) bool {
	if _, is := address(name); !is && !isHostName(name) {
		return false
	}
	return slices.ContainsFunc(a.config.Names, func(n string) bool { return contract.Host{Name: plain(n)}.Matches(name) })
}
