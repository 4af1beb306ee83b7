// Package hostfile derives from the tables' documented hosts what leads clients to
// understudy by name: files for resolvers and containers, and a proxy's configuration for
// browsers.
package hostfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// Forms are the files that Text writes.
var Forms = []string{"hosts", "dnsmasq", "compose", "k8s"}

// Loopback is the address that files have where none is given.
const Loopback = "127.0.0.1"

// Text is the file of a form, in which the documented hosts of the APIs lead to an address;
// "": Loopback.
func Text(apis []*contract.API, form, address string) (string, error) {
	if !slices.Contains(Forms, form) {
		return "", fmt.Errorf("there is no form %s%s", document.Quote(form), document.Hint(form, Forms))
	}
	if form == "compose" {
		if address != "" {
			return "", errors.New("a compose file names no address: the network knows that of the service; leave the address out")
		}
		return compose(apis), nil
	}
	if address == "" {
		address = Loopback
	}
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Zone() != "" {
		return "", fmt.Errorf("the address is %s; an IPv4 or IPv6 address such as %s was expected", document.Quote(address), Loopback)
	}
	switch form {
	case "dnsmasq":
		return dnsmasq(apis, ip.String()), nil
	case "k8s":
		return k8s(apis, ip.String()), nil
	}
	return hosts(apis, ip.String()), nil
}

// A text is a file as it grows.
type text struct{ strings.Builder }

func (t *text) line(format string, args ...any) { t.WriteString(fmt.Sprintf(format, args...) + "\n") }

// names writes a line for each known name of the APIs, each API's below a comment.
func (t *text) names(apis []*contract.API, indent, format string) {
	for _, api := range apis {
		if len(api.Hosts) == 0 {
			t.line("%s# %s: no page names a host", indent, api.Title)
			continue
		}
		t.line("%s# %s", indent, api.Title)
		for _, name := range api.HostNames() {
			t.line("%s"+format, indent, name)
		}
	}
}

// leftOut says what the known names of the patterns leave out.
func (t *text) leftOut(apis []*contract.API, indent string) {
	for _, api := range apis {
		for _, h := range api.Hosts {
			if h.Pattern() {
				t.line("%s# Left out: the other names of %s. Add those that your client asks for.", indent, h.Name)
			}
		}
	}
}

func hosts(apis []*contract.API, ip string) string {
	t := &text{}
	t.line("# Documented hosts, for a file of hosts. It has no patterns.")
	t.leftOut(apis, "")
	t.names(apis, "", ip+" %s")
	return t.String()
}

// dnsmasq leads to the address by exact records, and by whole domains where a pattern
// leaves their first label open: what is deeper in such a domain is nobody else's.
func dnsmasq(apis []*contract.API, ip string) string {
	t := &text{}
	t.line("# Documented hosts, for a configuration file of dnsmasq.")
	for _, api := range apis {
		if len(api.Hosts) == 0 {
			t.line("# %s: no page names a host", api.Title)
			continue
		}
		t.line("# %s", api.Title)
		for _, h := range api.Hosts {
			if domain, whole := strings.CutPrefix(h.Name, "*."); whole {
				t.line("# every name in the domain of %s", h.Name)
				t.line("address=/%s/%s", domain, ip)
				continue
			}
			if h.Pattern() {
				t.line("# Left out: the other names of %s. Their domain has hosts of others, too.", h.Name)
			}
			for _, name := range h.Names() {
				t.line("host-record=%s,%s", name, ip)
			}
		}
	}
	return t.String()
}

func compose(apis []*contract.API) string {
	t := &text{}
	t.line("# Documented hosts, for the service understudy of a compose file.")
	t.leftOut(apis, "")
	t.line("networks:")
	t.line("  default:")
	if len(knownNames(apis)) == 0 {
		t.line("    aliases: []")
		return t.String()
	}
	t.line("    aliases:")
	t.names(apis, "      ", "- %s")
	return t.String()
}

func k8s(apis []*contract.API, ip string) string {
	t := &text{}
	t.line("# Documented hosts, for the spec of a pod.")
	t.leftOut(apis, "")
	if len(knownNames(apis)) == 0 {
		t.line("hostAliases: []")
		return t.String()
	}
	t.line("hostAliases:")
	t.line(`  - ip: "%s"`, ip)
	t.line("    hostnames:")
	t.names(apis, "      ", "- %s")
	return t.String()
}

func knownNames(apis []*contract.API) []string {
	var all []string
	for _, api := range apis {
		all = append(all, api.HostNames()...)
	}
	return all
}

// ProxyConfig is a proxy auto-configuration file: browsers ask the proxy for the documented
// hosts, and others themselves. proxy is the proxy's name there, such as PROXY HOST:PORT.
func ProxyConfig(apis []*contract.API, proxy string) string {
	var forms []string
	for _, api := range apis {
		for _, h := range api.Hosts {
			forms = append(forms, strings.ReplaceAll(regexp.QuoteMeta(h.Name), `\*`, `[^.]+`))
		}
	}
	t := &text{}
	t.line("// The documented hosts of the APIs that understudy stands in for.")
	t.line("function FindProxyForURL(url, host) {")
	if len(forms) > 0 {
		t.line("  if (/^(%s)$/i.test(host)) return %s;", strings.Join(forms, "|"), quoted(proxy))
	}
	t.line(`  return "DIRECT";`)
	t.line("}")
	return t.String()
}

// quoted writes a string as JavaScript does.
func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always has a form
	return string(b)
}
