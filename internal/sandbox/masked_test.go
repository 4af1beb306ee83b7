package sandbox_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// Clients read why no state can be made.
func TestErrorsOfFixturesAreMasked(t *testing.T) {
	h := newTestRegistry(t, func(c *sandbox.Config) {
		c.Mask = func(err error) error { return errors.New(strings.ReplaceAll(err.Error(), "mine", "env:TOY_TOKEN")) }
	})
	f, err := fixture.Parse("toy/default.yaml", []byte("fixture: default\napi: toy\ntokens: [mine, mine]\n"), h.Config().APIs)
	if err != nil {
		t.Fatal(err)
	}
	h.UpdateFixtures(func(*fixture.Fixture) *fixture.Fixture { return f })
	if err := h.Find(sandbox.Default).Reset(sandbox.State); err == nil || !strings.Contains(err.Error(), "token env:TOY_TOKEN stands twice") {
		t.Errorf("got %v", err)
	}
}

// Secrets are masked in the document that leaves, and not in the state that a
// phantom is copied through.
func TestMaskedSnapshot(t *testing.T) {
	h := newTestRegistry(t, func(c *sandbox.Config) {
		c.Fixtures = map[string]*fixture.Fixture{"toy": fixture.Empty(c.APIs[0])}
		c.Credentials = map[string]contract.Values{"toy": {"token": "mine"}}
	})
	instance := h.instance(t, sandbox.Default)
	mask := func(_, secret string) string { return strings.Replace(secret, "mine", "env:TOY_TOKEN", 1) }
	world, _, err := h.Find(sandbox.Default).World(mask)
	if err != nil {
		t.Fatal(err)
	}
	masked := world.State["toy"]
	if err != nil || strings.Contains(string(masked), "mine") || !strings.Contains(string(masked), `"tokens":["env:TOY_TOKEN"`) {
		t.Fatalf("got %s, %v", masked, err)
	}
	plain, err := instance.Snapshot()
	if err != nil || !strings.Contains(string(plain), `"tokens":["mine"`) {
		t.Errorf("the state's own JSON is %s, %v", plain, err)
	}
	if err := instance.Restore(masked); err != nil {
		t.Fatal(err)
	}
	if again, _ := instance.Snapshot(); string(again) != string(plain) {
		t.Errorf("restored: %s, want %s", again, plain)
	}
	for document, want := range map[string]string{
		"null": "an object was expected, null was found",
		strings.ReplaceAll(string(masked), "TOY_TOKEN", "HOME"):           `"env:HOME", which is no variable of toy; it has TOY_TOKEN`,
		strings.ReplaceAll(string(masked), "env:TOY_TOKEN", "[redacted]"): "a secret was left out",
	} {
		if err := instance.Restore([]byte(document)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	other := newTestRegistry(t, nil)
	if err := other.instance(t, sandbox.Default).Restore(masked); err == nil || !strings.Contains(err.Error(), "this server took in no TOY_TOKEN") {
		t.Errorf("got %v", err)
	}
}
