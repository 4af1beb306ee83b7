package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// damaged restores snapshots in which one value each is null, missing or of another type,
// of a world after traffic and after each example. They are refused, or taken for what
// they say, so that they are saved again as they were; none ends in a panic.
func damaged(t *testing.T, api *contract.API) {
	seen := map[string]bool{}
	w := New(t, api, Setting{})
	traffic(t, w)
	mutated(t, w, seen)
	for _, file := range exampleFiles(t) {
		all := readExchanges(t, file)
		w := New(t, api, setting(t, all[0]))
		for _, x := range all {
			w.Send(x.send())
		}
		mutated(t, w, seen)
	}
}

// ordinal is what sets records of one kind apart in a path.
var ordinal = regexp.MustCompile(`\.[^.]*\d[^.]*`)

// mutated restores the world's snapshot with each of its values changed in turn, one of
// each kind that was not seen yet.
func mutated(t *testing.T, w *World, seen map[string]bool) {
	t.Helper()
	whole, err := w.Instance(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	document := decoded(t, whole)
	mutate("state", document, func(path string) {
		kind := ordinal.ReplaceAllString(path, ".*")
		if seen[kind] {
			return
		}
		seen[kind] = true
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		if fault := restoredOrNot(t, w.Instance(t), text); fault != nil {
			t.Errorf("a snapshot in which %s: %v", path, fault)
		}
	})
}

// decoded reads JSON, with numbers as they are written.
func decoded(t *testing.T, text []byte) (document any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		t.Fatal(err)
	}
	return document
}

// mutate calls f with each value below x null, missing and of another type in turn, and
// puts it back.
func mutate(path string, x any, f func(path string)) {
	try := func(place string, value any, set func(any)) {
		set(nil)
		f(place + " is null")
		set(otherType(value))
		f(place + " is of another type")
		set(value)
		mutate(place, value, f)
	}
	switch x := x.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(x)) {
			value := x[name]
			delete(x, name)
			f(path + "." + name + " is missing")
			try(path+"."+name, value, func(value any) { x[name] = value })
		}
	case []any:
		for i := range x {
			try(path+"."+strconv.Itoa(i), x[i], func(value any) { x[i] = value })
		}
	}
}

// otherType is a value of another JSON type.
func otherType(value any) any {
	switch value.(type) {
	case string:
		return 1
	case map[string]any:
		return []any{}
	case []any:
		return map[string]any{}
	}
	return "1"
}

// restoredOrNot restores a document. One that is taken is saved again as it was, and is
// taken again.
func restoredOrNot(t *testing.T, i *sandbox.Instance, document []byte) (fault error) {
	t.Helper()
	defer func() {
		if panicked := recover(); panicked != nil {
			fault = fmt.Errorf("%v; Secrets and Reindex meet what a document says", panicked)
		}
	}()
	if i.Restore(document) != nil {
		return nil
	}
	again, err := i.Snapshot()
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(decoded(t, document), decoded(t, again)) {
		return fmt.Errorf("it was taken, and another state came of it:\n%s\n%s", document, again)
	}
	return i.Restore(again)
}
