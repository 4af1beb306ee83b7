// Package docs_test compares the pages that are not derived with the code that they
// describe.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository, seen from this folder.
const root = ".."

// notCode are the code spans of architecture.md that name neither a file nor an
// identifier: what users write or read.
var notCode = map[string]bool{
	"Understudy-Outcome": true, "Understudy-Decided-By": true, "--credentials env": true,
	"Understudy-Decided-By: check signature": true,
	"understudy call":                        true, "chance": true, "delay": true, "--signature-clock sandbox": true,
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// Every file and every identifier that docs/architecture.md names is there. An
// identifier stands behind its package: contract.API.Checks, tencentcar.checks.
func TestArchitectureNamesWhatIsThere(t *testing.T) {
	page, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	code := declared(t)
	names := 0
	for i, line := range strings.Split(string(page), "\n") {
		for _, span := range codeSpan.FindAllStringSubmatch(line, -1) {
			name := span[1]
			if notCode[name] {
				continue
			}
			names++
			if strings.Contains(name, "/") || strings.HasPrefix(name, ".") {
				if matches, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(name))); err != nil || len(matches) == 0 {
					t.Errorf("line %d: there is no file %s", i+1, name)
				}
			} else if code[name] == "" {
				t.Errorf("line %d: no package declares %s; write it as package.Name or package.Type.Member, or list it as no code", i+1, name)
			}
		}
	}
	if names < 50 {
		t.Errorf("the page names %d files and identifiers; at least 50 were expected", names)
	}
}

var placed = regexp.MustCompile("`([^`]+)`\\s+in\\s+`([^`]+\\.go)`")

// Where docs/architecture.md says that an identifier is in a file, the file
// declares it.
func TestArchitecturePlacesIdentifiers(t *testing.T) {
	page, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	code := declared(t)
	all := placed.FindAllStringSubmatch(string(page), -1)
	for _, m := range all {
		if got := code[m[1]]; got != m[2] {
			t.Errorf("%s is in %s; the page says %s", m[1], got, m[2])
		}
	}
	if len(all) < 5 {
		t.Errorf("the page places %d identifiers; at least 5 were expected", len(all))
	}
}

// The page fits on two screens.
func TestArchitectureIsShort(t *testing.T) {
	page, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(page), "\n"); lines > 100 {
		t.Errorf("architecture.md has %d lines; at most 100 were expected", lines)
	}
}

// declared maps what the packages of this module declare to the declaring file,
// tests left out: functions, types, variables, constants, fields and methods, each
// behind the package's name.
func declared(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	eachFile(t, []string{"cmd", "emulators", "fixtures", "internal", "scenarios", "understudytest"}, func(path string, file *ast.File) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		all[file.Name.Name] = filepath.ToSlash(filepath.Dir(path))
		for _, d := range file.Decls {
			for _, name := range namesOf(d) {
				all[file.Name.Name+"."+name] = filepath.ToSlash(path)
			}
		}
	})
	return all
}

// eachFile calls do for every Go file in or below some folders of this module, with its
// path from the root.
func eachFile(t *testing.T, folders []string, do func(path string, file *ast.File)) {
	t.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			at, err := filepath.Rel(root, path)
			if err == nil {
				do(at, file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// namesOf lists what a declaration declares: Name, Type.Field, Type.Method.
func namesOf(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		receiver := d.Recv.List[0].Type
		if pointer, ok := receiver.(*ast.StarExpr); ok {
			receiver = pointer.X
		}
		if of, ok := receiver.(*ast.Ident); ok {
			return []string{of.Name + "." + d.Name.Name}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
				for _, member := range membersOf(s.Type) {
					names = append(names, s.Name.Name+"."+member)
				}
			}
		}
	}
	return names
}

// membersOf lists the fields of a struct, or the methods of an interface.
func membersOf(e ast.Expr) (names []string) {
	var fields *ast.FieldList
	switch x := e.(type) {
	case *ast.StructType:
		fields = x.Fields
	case *ast.InterfaceType:
		fields = x.Methods
	default:
		return nil
	}
	for _, f := range fields.List {
		for _, n := range f.Names {
			names = append(names, n.Name)
		}
	}
	return names
}
