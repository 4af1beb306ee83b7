package gateway

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// Whatever a client asks its proxy for, it is led to documented hosts alone.
func FuzzDocumented(f *testing.F) {
	for _, seed := range []string{"locker.toy.example:443", "a.boxes.example:80", "127.0.0.1:443", "[::1]:443", "me@a.boxes.example:443", "a\x00.boxes.example:443", "A.BOXES.example:443:80", "..boxes.example:80"} {
		f.Add(seed)
	}
	api := &contract.API{Name: "toy", Hosts: []contract.Host{{Name: "locker.toy.example"}, {Name: "*.boxes.example"}}}
	g := &Gateway{config: Config{APIs: []*contract.API{api}}, names: namesOf([]*contract.API{api})}
	f.Fuzz(func(t *testing.T, authority string) {
		to, err := g.documented(authority, "", httpsPort, httpPort)
		if err != nil {
			if to != (target{}) {
				t.Errorf("%q is refused and leads to %+v", authority, to)
			}
			return
		}
		label, pattern := strings.CutSuffix(to.host, ".boxes.example")
		if to.host != "locker.toy.example" && (!pattern || strings.ContainsAny(label, ".@:/%* \x00")) || to.port != "80" && to.port != "443" {
			t.Errorf("%q leads to %+v", authority, to)
		}
		if strings.ToLower(authority) != to.host+":"+to.port {
			t.Errorf("%q became %+v", authority, to)
		}
		if _, err := netip.ParseAddr(to.host); err == nil {
			t.Errorf("%q is an address", authority)
		}
	})
}

// Whatever stands in the header, a sandbox that it names has a name that sandboxes have.
func FuzzProxyUser(f *testing.F) {
	for _, seed := range []string{"", "Basic", "Basic am9iLTc6eA==", "basic am9iJTJENzp4", "Basic Og==", "Bearer x", "Basic \xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		user, err := proxyUser(header)
		if user != "" && (err != nil || sandbox.CheckName(user) != nil) {
			t.Errorf("%q names %q, %v", header, user, err)
		}
		if err != nil && len(err.Error()) > 700 {
			t.Errorf("%q: the error has %d bytes", header, len(err.Error()))
		}
	})
}
