package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/files"
)

// The variables by which programs find a proxy, and those that list what no proxy is
// asked for. Some programs read the one spelling and some the other.
var (
	proxyVariables   = []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"}
	noProxyVariables = []string{"NO_PROXY", "no_proxy"}
)

// proxies checks that no proxy stands between clients and the server.
func (d *doctor) proxies() {
	const expected = "no proxy, or one that is not asked for the server's hosts"
	var set []string
	for _, name := range proxyVariables {
		value := d.env.lookup(name)
		if value != "" && !d.isDoor(value) {
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		d.ok("proxies", "no variable names a proxy in between", expected)
		return
	}
	var exempt []string
	for _, name := range noProxyVariables {
		exempt = append(exempt, strings.FieldsFunc(d.env.lookup(name), func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	hosts := d.clientHosts()
	caught := slices.DeleteFunc(slices.Clone(hosts), func(host string) bool {
		return slices.ContainsFunc(exempt, func(entry string) bool { return exempts(entry, host) })
	})
	if len(caught) == 0 {
		d.ok("proxies", "NO_PROXY takes "+strings.Join(hosts, ", ")+" out of "+strings.Join(set, ", "), expected)
		return
	}
	d.report("proxies", warning, fmt.Sprintf("clients are led to a proxy by %s, also for %s", strings.Join(set, ", "), strings.Join(caught, ", ")), expected,
		"export NO_PROXY="+strings.Join(hosts, ",")+" no_proxy="+strings.Join(hosts, ",")+", or unset "+strings.Join(set, ", "))
}

// clientHosts are the hosts by which clients name the server.
func (d *doctor) clientHosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if d.status == nil {
		return hosts
	}
	for _, at := range append(sortedValues(d.status.Doors), d.control.Base) {
		if u, err := url.Parse(at); err == nil && u.Hostname() != "" && !slices.Contains(hosts, u.Hostname()) {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// isDoor reports whether a proxy is the server itself.
func (d *doctor) isDoor(proxy string) bool {
	if d.status == nil {
		return false
	}
	_, address, found := strings.Cut(proxy, "://")
	if !found {
		address = proxy
	}
	door, err := url.Parse(d.status.Doors["door"])
	return err == nil && strings.TrimSuffix(address, "/") == door.Host
}

// exempts reports whether an entry of NO_PROXY takes a host out: a name, the end of
// names, an address, a network, or * for all.
func exempts(entry, host string) bool {
	if name, port, err := net.SplitHostPort(entry); err == nil && port != "" {
		entry = name
	}
	entry = strings.Trim(entry, "[]")
	if network, err := netip.ParsePrefix(entry); err == nil {
		address, err := netip.ParseAddr(host)
		return err == nil && network.Contains(address)
	}
	name := strings.TrimPrefix(strings.TrimPrefix(entry, "*"), ".")
	return entry == "*" || name != "" && (strings.EqualFold(name, host) || strings.HasSuffix(strings.ToLower(host), "."+strings.ToLower(name)))
}

// folders checks the folders that a flag of serve names.
func (d *doctor) folders(flag string) {
	for _, dir := range d.list(flag) {
		var f finding
		if err := files.Within(answerTime, dir, func() error { f = lookInto(dir); return nil }); err != nil {
			f = finding{result: problem, found: err.Error(), mend: "look at the mount"}
		}
		f.check, f.expected = flag, "a folder of valid files <api>/<name>.yaml that this user may read"
		if f.result != fine {
			f.mend += ", or name another folder with --" + flag
		}
		d.findings = append(d.findings, f)
	}
}

// lookInto checks one folder and its files.
func lookInto(dir string) finding {
	readable := "let this user read it, such as with chmod -R a+rX " + dir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrPermission):
		return finding{result: problem, found: err.Error(), mend: readable}
	case err != nil:
		return finding{result: problem, found: err.Error(), mend: "make the folder"}
	case !info.IsDir():
		return finding{result: problem, found: dir + " is a file", mend: "name the folder that its API's folder lies in"}
	}
	found, faults, err := yamlFiles([]string{dir})
	faults = append(faults, faultsOf(err)...)
	seen := map[string]string{}
	for _, file := range found {
		faults = append(faults, faultsOf(checkFile(file, seen))...)
	}
	for _, fault := range faults {
		if errors.Is(fault, os.ErrPermission) {
			return finding{result: problem, found: fault.Error(), mend: readable}
		}
	}
	switch {
	case len(faults) > 0:
		return finding{result: problem, found: fmt.Sprintf("%s in %s, the first: %v", counted(len(faults), "fault"), dir, faults[0]), mend: "correct them; understudy validate " + dir + " lists all"}
	case len(found) == 0:
		return finding{result: warning, found: "there is no file *.yaml in " + dir, mend: "put files there"}
	}
	return finding{result: fine, found: counted(len(found), "file") + " in " + dir}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func sortedValues(m map[string]string) []string { return slices.Sorted(maps.Values(m)) }
