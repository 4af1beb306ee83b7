package hostfile_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/hostfile"
)

// apis have every kind of host: names, whole domains, a pattern within a domain, none.
func apis() []*contract.API {
	return []*contract.API{
		{Name: "parcels", Title: "Parcels", Hosts: contract.HostNames("manual", "parcels.example", "www.parcels.example")},
		{Name: "boxes", Title: "Boxes", Hosts: []contract.Host{
			{Name: "*.boxes.example", Known: []string{"a.boxes.example", "b.boxes.example"}},
			{Name: "box.*.example", Known: []string{"box.north.example"}},
		}},
		{Name: "letters", Title: "Letters"},
	}
}

func TestText(t *testing.T) {
	tests := []struct{ form, address, want string }{
		{"hosts", "", `# Documented hosts, for a file of hosts. It has no patterns.
# Left out: the other names of *.boxes.example. Add those that your client asks for.
# Left out: the other names of box.*.example. Add those that your client asks for.
# Parcels
127.0.0.1 parcels.example
127.0.0.1 www.parcels.example
# Boxes
127.0.0.1 a.boxes.example
127.0.0.1 b.boxes.example
127.0.0.1 box.north.example
# Letters: no page names a host
`},
		{"dnsmasq", "192.0.2.7", `# Documented hosts, for a configuration file of dnsmasq.
# Parcels
host-record=parcels.example,192.0.2.7
host-record=www.parcels.example,192.0.2.7
# Boxes
# every name in the domain of *.boxes.example
address=/boxes.example/192.0.2.7
# Left out: the other names of box.*.example. Their domain has hosts of others, too.
host-record=box.north.example,192.0.2.7
# Letters: no page names a host
`},
		{"compose", "", `# Documented hosts, for the service understudy of a compose file.
# Left out: the other names of *.boxes.example. Add those that your client asks for.
# Left out: the other names of box.*.example. Add those that your client asks for.
networks:
  default:
    aliases:
      # Parcels
      - parcels.example
      - www.parcels.example
      # Boxes
      - a.boxes.example
      - b.boxes.example
      - box.north.example
      # Letters: no page names a host
`},
		{"k8s", "2001:DB8::1", `# Documented hosts, for the spec of a pod.
# Left out: the other names of *.boxes.example. Add those that your client asks for.
# Left out: the other names of box.*.example. Add those that your client asks for.
hostAliases:
  - ip: "2001:db8::1"
    hostnames:
      # Parcels
      - parcels.example
      - www.parcels.example
      # Boxes
      - a.boxes.example
      - b.boxes.example
      - box.north.example
      # Letters: no page names a host
`},
	}
	for _, tt := range tests {
		got, err := hostfile.Text(apis(), tt.form, tt.address)
		if got != tt.want || err != nil {
			t.Errorf("%s: got %v\n%s\nwant\n%s", tt.form, err, got, tt.want)
		}
		if tt.form == "compose" || tt.form == "k8s" {
			if err := yaml.Unmarshal([]byte(got), &struct{}{}); err != nil {
				t.Errorf("%s is no YAML: %v", tt.form, err)
			}
		}
	}
	for form, want := range map[string]string{"k8s": "hostAliases: []", "compose": "aliases: []"} {
		if got, err := hostfile.Text(apis()[2:], form, ""); err != nil || !strings.Contains(got, want) {
			t.Errorf("no host at all, for %s: got %v\n%s", form, err, got)
		}
	}
}

func TestTextRefuses(t *testing.T) {
	for _, tt := range []struct{ form, address, want string }{
		{"host", "", "hosts"},
		{"", "", "form"},
		{"compose", "127.0.0.1", "leave the address out"},
		{"hosts", "localhost", "127.0.0.1"},
		{"k8s", "127.0.0.1\n", "127.0.0.1"},
		{"hosts", "fe80::1%eth0", "127.0.0.1"},
		{"hosts", "127.0.0.1:80", "127.0.0.1"},
	} {
		if got, err := hostfile.Text(apis(), tt.form, tt.address); err == nil || !strings.Contains(err.Error(), tt.want) || got != "" {
			t.Errorf("%q %q: got %q, %v", tt.form, tt.address, got, err)
		}
	}
}

// hostsOfBrowsers are hosts, and whether a browser asks the proxy for them.
var hostsOfBrowsers = map[string]bool{
	"parcels.example": true, "PARCELS.example": true, "a.boxes.example": true, "any-1.boxes.example": true, "box.south.example": true,
	"a.parcels.example": false, "parcels.example.evil.example": false, "xparcels.example": false, "parcelsxexample": false,
	"boxes.example": false, ".boxes.example": false, "a.b.boxes.example": false, "box..example": false, "box.a.b.example": false,
	"localhost": false, "example": false, "": false,
}

var formOfHosts = regexp.MustCompile(`/\^(.+)\$/i\.test`)

func TestProxyConfig(t *testing.T) {
	config := hostfile.ProxyConfig(apis(), "PROXY 127.0.0.1:6410")
	found := formOfHosts.FindStringSubmatch(config)
	if found == nil {
		t.Fatalf("got %s", config)
	}
	form := regexp.MustCompile("(?i)^" + found[1] + "$")
	for host, want := range hostsOfBrowsers {
		if form.MatchString(host) != want {
			t.Errorf("%q: got %v, want %v", host, !want, want)
		}
		documented := false
		for _, api := range apis() {
			documented = documented || api.HasHost(strings.ToLower(host))
		}
		if documented != want {
			t.Errorf("%q: the tables say %v", host, documented)
		}
	}
	if config := hostfile.ProxyConfig(apis()[2:], "PROXY x:1"); strings.Contains(config, "PROXY") {
		t.Errorf("without hosts: got %s", config)
	}
}

// The file does in a JavaScript engine what it is to do.
func TestProxyConfigRuns(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node on PATH to run it")
	}
	var script strings.Builder
	script.WriteString(hostfile.ProxyConfig(apis(), `PROXY "x\y`+"\u2028"+`":6410`))
	var want strings.Builder
	for host, proxied := range hostsOfBrowsers {
		script.WriteString("console.log(FindProxyForURL('https://' + '" + host + "' + '/', '" + host + "') !== 'DIRECT');\n")
		if proxied {
			want.WriteString("true\n")
		} else {
			want.WriteString("false\n")
		}
	}
	got, err := exec.Command(node, "-e", script.String()).CombinedOutput()
	if string(got) != want.String() || err != nil {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want.String())
	}
}
