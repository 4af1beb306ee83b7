package conformance

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// damaged restores snapshots in which one value each is null, of a world after traffic
// and after each example. They are refused, or taken for good; none ends in a panic.
func damaged(t *testing.T, api *contract.API) {
	seen := map[string]bool{}
	w := New(t, api, Setting{})
	traffic(t, w)
	nullified(t, w, seen)
	for _, file := range exampleFiles(t) {
		all := readExchanges(t, file)
		w := New(t, api, setting(t, all[0]))
		for _, x := range all {
			w.Send(x.send())
		}
		nullified(t, w, seen)
	}
}

// ordinal is what sets records of one kind apart in a path.
var ordinal = regexp.MustCompile(`\.[^.]*\d[^.]*`)

// nullified restores the world's snapshot with each of its values null in turn, one of
// each kind that was not seen yet.
func nullified(t *testing.T, w *World, seen map[string]bool) {
	t.Helper()
	whole, err := w.Instance(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(whole, &document); err != nil {
		t.Fatal(err)
	}
	nullify("state", document, func(path string) {
		kind := ordinal.ReplaceAllString(path, ".*")
		if seen[kind] {
			return
		}
		seen[kind] = true
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		if failed := restoredOrNot(w.Instance(t), text); failed != nil {
			t.Errorf("a snapshot in which %s is null: %v; Secrets and Reindex meet what a document says", path, failed)
		}
	})
}

// nullify calls f with each value below x null in turn, and puts it back.
func nullify(path string, x any, f func(path string)) {
	try := func(place string, value any, set func(any)) {
		set(nil)
		f(place)
		set(value)
		nullify(place, value, f)
	}
	switch x := x.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(x)) {
			try(path+"."+name, x[name], func(value any) { x[name] = value })
		}
	case []any:
		for i := range x {
			try(path+"."+strconv.Itoa(i), x[i], func(value any) { x[i] = value })
		}
	}
}

// restoredOrNot restores a document, and the snapshot of what came of it, and returns with what it panicked.
func restoredOrNot(i *sandbox.Instance, document []byte) (failed any) {
	defer func() { failed = recover() }()
	if i.Restore(document) != nil {
		return nil
	}
	again, err := i.Snapshot()
	if err != nil {
		panic(err)
	}
	if err := i.Restore(again); err != nil {
		panic(err)
	}
	return nil
}
