package server_test

import (
	"io/fs"
	"path"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
)

// opened is a file system that notes which files are opened.
type opened struct {
	fs.FS
	mu    sync.Mutex
	names []string
}

func (o *opened) Open(name string) (fs.File, error) {
	if path.Ext(name) == ".yaml" {
		o.mu.Lock()
		o.names = append(o.names, name)
		o.mu.Unlock()
	}
	return o.FS.Open(name)
}

func (o *opened) list() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Compact(slices.Clone(o.names)) // a look and the opening are one
}

// Of the shipped files a start reads none, and a call those of its own API: not even where
// a folder of the user's has copies of them.
func TestStartReadsNothingThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	other := toy.New()
	other.Name, other.Port = "other", other.Port+1
	c := config()
	c.APIs = []*contract.API{c.APIs[0], other}
	const text = "fixture: default\napi: other\ntokens: [t-1]"
	fixtures := &opened{FS: fstest.MapFS{
		"toy/default.yaml":   {Data: []byte("fixture: default\napi: toy\ntokens: [t-1]")},
		"toy/second.yaml":    {Data: []byte("fixture: second\napi: toy")},
		"other/default.yaml": {Data: []byte(text)},
	}}
	scenarios := &opened{FS: c.ShippedScenarios}
	c.ShippedFixtures, c.ShippedScenarios = fixtures, scenarios
	s := start(t, c)
	if got := append(fixtures.list(), scenarios.list()...); len(got) != 0 {
		t.Errorf("the start reads %q", got)
	}
	if status, _ := get(t, s.DoorURL+"/toy/page"); status != 200 {
		t.Errorf("got status %d", status)
	}
	if got := append(fixtures.list(), scenarios.list()...); !slices.Equal(got, []string{"toy/default.yaml"}) {
		t.Errorf("a call of toy has %q read, want toy/default.yaml alone", got)
	}
	if got := s.Registry.Find("default").Existing(); len(got) != 1 || got[0].API.Name != "toy" {
		t.Errorf("a call of toy makes %d states, want one", len(got))
	}
	dir := t.TempDir()
	write(t, dir, "other/default.yaml", text)
	c.Fixtures = []string{dir}
	if got := start(t, c).Registry.Find("default").Existing(); len(got) != 0 {
		t.Errorf("a start with a copy of a shipped file makes %d states, want none", len(got))
	}
	write(t, dir, "other/default.yaml", text+"\ndescription: Changed.")
	if got := start(t, c).Registry.Find("default").Existing(); len(got) != 1 || got[0].API.Name != "other" {
		t.Errorf("a start with a file of the user's makes %d states, want the one of other", len(got))
	}
}
