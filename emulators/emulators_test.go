package emulators_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators"
)

// Every folder beside this file is an API in All, under the folder's name and with
// a port of its own.
func TestAllListsEveryFolder(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var folders, names []string
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, e.Name())
		}
	}
	ports, next := map[int]string{}, 0
	for _, api := range emulators.All {
		names = append(names, api.Name)
		next = max(next, api.Port+1)
	}
	for _, api := range emulators.All {
		if other, taken := ports[api.Port]; taken {
			t.Errorf("%s and %s have the same Port, %d; the next free one is %d", other, api.Name, api.Port, next)
		}
		ports[api.Port] = api.Name
	}
	if slices.Sort(names); !slices.Equal(names, folders) {
		t.Errorf("All has APIs of the Names %v, and the folders are %v; add an API to All in emulators.go, and name it after its folder", names, folders)
	}
}

// An environment that points clients to all APIs at once has room for each variable
// once, and none is understudy's own.
func TestEnvironmentNamesAreUnique(t *testing.T) {
	t.Parallel()
	wellFormed, owners := regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`), map[string]string{}
	for _, api := range emulators.All {
		var names []string
		for _, c := range api.Credentials {
			if c.Env != "" {
				names = append(names, c.Env)
			}
		}
		for _, v := range api.Environment {
			names = append(names, v.Name)
		}
		for _, name := range names {
			if !wellFormed.MatchString(name) || strings.HasPrefix(name, "UNDERSTUDY_") {
				t.Errorf("%s: the variable %q has small letters, or the prefix that understudy's own settings have", api.Name, name)
			}
			if owner, taken := owners[name]; taken {
				t.Errorf("%s and %s both have the variable %s", owner, api.Name, name)
			}
			owners[name] = api.Name
		}
	}
}
