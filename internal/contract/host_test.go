package contract_test

import (
	"slices"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
)

func TestHosts(t *testing.T) {
	tests := []struct {
		host, name string
		matches    bool
		domain     string
	}{
		{"parcels.example", "parcels.example", true, "parcels.example"},
		{"parcels.example", "my.parcels.example", false, "parcels.example"},
		{"parcels.example", "", false, "parcels.example"},
		{"*.parcels.example", "my.parcels.example", true, "parcels.example"},
		{"*.parcels.example", "*.parcels.example", true, "parcels.example"},
		{"*.parcels.example", "my.own.parcels.example", false, "parcels.example"},
		{"*.parcels.example", ".parcels.example", false, "parcels.example"},
		{"*.parcels.example", "parcels.example", false, "parcels.example"},
		{"*.parcels.example", "my.parcels.example.evil.example", false, "parcels.example"},
		{"*.parcels.example", "my-parcels.example", false, "parcels.example"},
		{"box.*.example", "box.north.example", true, "example"},
		{"box.*.example", "box.example", false, "example"},
		{"box.*.example", "box..example", false, "example"},
		{"box.*.example", "mailbox.north.example", false, "example"},
	}
	for _, tt := range tests {
		h := contract.Host{Name: tt.host}
		if h.Matches(tt.name) != tt.matches || h.Domain() != tt.domain {
			t.Errorf("%s with %q: matches %v in %s, want %v in %s", tt.host, tt.name, h.Matches(tt.name), h.Domain(), tt.matches, tt.domain)
		}
	}
	api := contract.API{Hosts: append(contract.HostNames("manual", "parcels.example"), contract.Host{Name: "*.boxes.example", Known: []string{"a.boxes.example"}})}
	if got := api.HostNames(); !slices.Equal(got, []string{"parcels.example", "a.boxes.example"}) {
		t.Errorf("the known names are %v", got)
	}
	if !api.HasHost("b.boxes.example") || api.HasHost("boxes.example") {
		t.Error("a host of a pattern is the API's, and the domain alone is not")
	}
}
