package docs_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest = regexp.MustCompile(`^(\w+)\.((?:Test|Fuzz)\w+)$`)
	target    = regexp.MustCompile(`^make ([\w-]+)$`)
	promise   = regexp.MustCompile(`^\d+\. \*\*`)
)

// Every test and every target of make that docs/security.md names is there, and each of its
// lines names one or says that there is none.
func TestSecurityNamesTests(t *testing.T) {
	page, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	there := testFunctions(t, "cmd", "docs", "emulators", "internal", "test/soak")
	text, promises := string(page), 0
	for _, span := range codeSpan.FindAllStringSubmatch(text, -1) {
		name := namedTest.FindStringSubmatch(span[1])
		switch made := target.FindStringSubmatch(span[1]); {
		case made != nil && !strings.Contains(string(rules), "\n"+made[1]+":"):
			t.Errorf("the Makefile has no target %s", made[1])
		case name != nil && !there[name[1]+"."+name[2]]:
			t.Errorf("no folder %s has a test %s", name[1], name[2])
		case name == nil && (strings.HasPrefix(span[1], "Test") || strings.HasPrefix(span[1], "Fuzz")):
			t.Errorf("%s names no folder: write it as folder.%[1]s", span[1])
		}
	}
	for _, part := range strings.Split(text, "\n") {
		if promise.MatchString(part) {
			promises++
		}
	}
	if promises != 13 {
		t.Errorf("the page has %d promises, want 13", promises)
	}
	for i, part := range regexp.MustCompile(`(?m)^\d+\. `).Split(text, -1)[1:] {
		if !strings.Contains(part, ".Test") && !strings.Contains(part, ".Fuzz") && !strings.Contains(part, "`make ") && !strings.Contains(part, "not tested yet") {
			t.Errorf("line %d names no test and no target of make", i+1)
		}
	}
	if lines := strings.Count(text, "\n"); lines > 80 {
		t.Errorf("the page has %d lines, want at most 80", lines)
	}
}

// Every test that docs/clients.md rests on is there, and no row rests on nothing.
func TestClientsNamesTests(t *testing.T) {
	page, err := os.ReadFile("clients.md")
	if err != nil {
		t.Fatal(err)
	}
	there, rows := testFunctions(t, "test/sdk", "test/browser"), 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if !strings.HasPrefix(line, "| ") || cells[len(cells)-1] == "from" || strings.HasPrefix(line, "| ---") {
			continue
		}
		rows++
		from := cells[len(cells)-1]
		tests := 0
		for _, span := range codeSpan.FindAllStringSubmatch(from, -1) {
			if name := namedTest.FindStringSubmatch(span[1]); name != nil {
				tests++
				if !there[name[0]] {
					t.Errorf("no folder %s has a test %s", name[1], name[2])
				}
			}
		}
		if run := strings.Contains(from, "run: "); run != (tests > 0) || !run && !strings.HasPrefix(from, "source: ") && !strings.HasPrefix(from, "docs") {
			t.Errorf("the row of %s rests on %q", cells[0], from)
		}
	}
	if rows < 30 {
		t.Errorf("the page has %d clients and platforms", rows)
	}
}

// testFunctions lists the tests and fuzz targets of folders, each behind the name of its
// own folder.
func testFunctions(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	eachFile(t, folders, func(path string, file *ast.File) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, declared := range file.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && f.Recv == nil {
				all[filepath.Base(filepath.Dir(path))+"."+f.Name.Name] = true
			}
		}
	})
	return all
}
