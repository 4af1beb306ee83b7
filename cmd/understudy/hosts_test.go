package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/hostfile"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	first := emulators.All[0]
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"hosts"}, exitDone, "\n127.0.0.1 " + first.HostNames()[0] + "\n"},
		{[]string{"hosts", "--address", "192.168.1.5", "--for", "dnsmasq"}, exitDone, "192.168.1.5\n"},
		{[]string{"hosts", "--for", "k8s", first.Name, first.Name}, exitDone, "- " + first.HostNames()[0] + "\n"},
		{[]string{"hosts", "--for", "compos"}, exitUsage, `did you mean "compose"`},
		{[]string{"hosts", "--for", "compose", "--address", "127.0.0.1"}, exitUsage, "leave the address out"},
		{[]string{"hosts", "--address", "localhost"}, exitUsage, "an IPv4 or IPv6 address"},
		{[]string{"hosts", first.Name + "x"}, exitInsufficient, "did you mean"},
	} {
		got := command(t, nil, "", tt.args...)
		if got.code != tt.code || !strings.Contains(got.out+got.err, tt.want) || tt.code != exitDone && got.out != "" {
			t.Errorf("%v: got %+v", tt.args, got)
		}
		if tt.args[len(tt.args)-1] == first.Name && strings.Count(got.out, first.HostNames()[0]) != 1 {
			t.Errorf("an API that is named twice: got %s", got.out)
		}
	}
}

// The server tells the same as the command.
func TestHostsOfAServer(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, form := range hostfile.Forms {
		want := command(t, nil, "", "hosts", "--for", form).out
		if status, got := askControl(t, s, "GET", "/v1/hosts?for="+form, "", ""); status != 200 || !strings.HasSuffix(got, "\r\n"+want) || want == "" {
			t.Errorf("%s: got %d\n%s\nwant\n%s", form, status, got, want)
		}
	}
}

// The aliases of the compose file are the documented hosts, all and no others.
func TestComposeFileHasTheDocumentedHosts(t *testing.T) {
	t.Parallel()
	type networks struct {
		Default struct{ Aliases []string }
	}
	read := func(text []byte, into any) {
		if err := yaml.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct{ Networks networks }
	}
	read(text, &file)
	derived, err := hostfile.Text(emulators.All, "compose", "")
	if err != nil {
		t.Fatal(err)
	}
	var block struct{ Networks networks }
	read([]byte(derived), &block)
	got, want := file.Services["understudy"].Networks.Default.Aliases, block.Networks.Default.Aliases
	if !slices.Equal(got, want) {
		t.Errorf("docker-compose.yml has the aliases\n%s\nunderstudy hosts --for compose prints\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var known []string
	for _, api := range emulators.All {
		known = append(known, contract.KnownNames(api.Hosts)...)
	}
	if !slices.Equal(want, known) {
		t.Errorf("got %v, want %v", want, known)
	}
}
