package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/files"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

func validateCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate PATH…",
		Short: "check scenario and fixture files",
		Long: "validate checks files, and all files *.yaml below folders. Every fault is one line on stdout,\n" +
			"file:line:col: what was found and what was expected. The other forms list the files, each with its\n" +
			"faults. It ends with 1 when there is a fault, and with 3 when there was nothing to check.",
		Example: "  understudy validate scenarios/ fixtures/\n  understudy validate scenarios/ -o junit > report.xml",
		Args:    cobra.MinimumNArgs(1),
	}
	form := choose(cmd, "form of the answer", output.CheckForms)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := env.settle(cmd, ""); err != nil {
			return err
		}
		found, faults, err := yamlFiles(args)
		if err != nil {
			return err
		}
		if len(found) == 0 && len(faults) == 0 {
			return unknown("there is no file *.yaml in %s; nothing was checked", strings.Join(args, ", "))
		}
		v := &validation{}
		for _, fault := range faults {
			v.add(linkOf(fault), []error{fault})
		}
		seen := map[string]string{}
		for _, file := range found {
			v.add(file, faultsOf(checkFile(file, seen)))
		}
		sum := counted(len(found), "file") + ", " + counted(v.faults, "fault")
		if err := v.print(env, form.value, sum); err != nil {
			return err
		}
		if v.faults > 0 {
			return errors.New(sum)
		}
		return nil
	}
	return cmd
}

// A validation is what was found in files.
type validation struct {
	files  []checkedFile
	faults int
}

type checkedFile struct {
	name   string
	faults []string // file:line:col: …
}

func (v *validation) add(file string, faults []error) {
	checked := checkedFile{name: file}
	for _, fault := range faults {
		checked.faults = append(checked.faults, fault.Error())
	}
	v.files = append(v.files, checked)
	v.faults += len(faults)
}

// linkOf is the link that a fault is about.
func linkOf(err error) string {
	if fault := (*document.Fault)(nil); errors.As(err, &fault) {
		return fault.File
	}
	return "links"
}

// print prints a line for each fault, or the files with theirs.
func (v *validation) print(env *env, form, sum string) error {
	if form != output.FormTable {
		return printChecks(env, form, v.table(), v.checklist())
	}
	for _, file := range v.files {
		for _, fault := range file.faults {
			env.say("%s\n", fault)
		}
	}
	if v.faults == 0 {
		env.say("%s\n", sum)
	}
	return nil
}

func (v *validation) table() *output.Table {
	t := &output.Table{Columns: []string{"file", "result", "faults"}}
	for _, file := range v.files {
		result := fine
		if file.faults != nil {
			result = problem
		}
		t.Add(file.name, result, file.faults)
	}
	return t
}

func (v *validation) checklist() *output.Checklist {
	all := &output.Checklist{Name: "understudy validate"}
	for _, file := range v.files {
		c := output.Case{Class: "understudy.validate", Name: file.name}
		if file.faults != nil {
			c.Failure = &output.Fault{
				Message: counted(len(file.faults), "fault"), Text: strings.Join(file.faults, "\n"),
				Facts: []output.Fact{{Name: "faults", Value: file.faults}},
			}
		}
		all.Suite("validate").Add(c)
	}
	return all
}

// counted writes a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// yamlFiles lists the named files, and those below the named folders, each
// once. Hidden ones are left alone, as they are when a server loads a folder. A link that
// a server would not follow is a fault.
func yamlFiles(paths []string) (found []string, faults []error, err error) {
	for _, path := range paths {
		root := filepath.Clean(path)
		if info, err := os.Stat(root); err == nil && info.IsDir() && !strings.HasSuffix(root, string(filepath.Separator)) {
			root += string(filepath.Separator) // a link to a folder is followed
		}
		err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case file != root && strings.HasPrefix(entry.Name(), "."):
				if entry.IsDir() {
					return fs.SkipDir
				}
				return nil
			case entry.IsDir():
				return nil
			case file != root && entry.Type()&fs.ModeSymlink != 0:
				more, err := behindLink(root, file)
				found, faults = append(found, more...), append(faults, faultsOf(err)...)
				return nil
			}
			if file == root || isYAML(file) {
				found = append(found, file)
			}
			return nil
		})
		if err != nil {
			return nil, nil, fmt.Errorf("looking for files: %w", err)
		}
	}
	return unique(found), faults, nil
}

// unique takes away what stands in a list already.
func unique(all []string) []string {
	var once []string
	for _, s := range all {
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	return once
}

func isYAML(file string) bool { return filepath.Ext(file) == ".yaml" || filepath.Ext(file) == ".yml" }

// behindLink lists what stands behind a link below root: a file, or those of a folder.
func behindLink(root, link string) ([]string, error) {
	folder, err := files.Open(root)
	if err != nil {
		return nil, err
	}
	defer func() { _ = folder.Close() }() // nothing was written
	name, err := filepath.Rel(root, link)
	if err != nil {
		return nil, err
	}
	name = filepath.ToSlash(name)
	info, err := folder.Stat(name)
	switch {
	case err != nil:
		return nil, linkFault(root, link, err)
	case !info.IsDir() && isYAML(link):
		return []string{link}, nil
	case !info.IsDir():
		return nil, nil
	}
	inner, err := folder.ReadDir(name)
	errs := []error{err}
	var found []string
	for _, entry := range inner {
		at := filepath.Join(link, entry.Name())
		if !isYAML(at) || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if info, err := folder.Stat(name + "/" + entry.Name()); err != nil {
			errs = append(errs, linkFault(root, at, err))
		} else if !info.IsDir() {
			found = append(found, at)
		}
	}
	return found, errors.Join(errs...)
}

func linkFault(root, link string, err error) error {
	faults := document.NewFaults(link)
	faults.Addf(nil, "the link cannot be followed: %v; one that leads to something inside of %s was expected, as a server reads it", err, filepath.Clean(root))
	return faults.Err()
}

// faultsOf takes joined errors apart.
func faultsOf(err error) []error {
	if err == nil {
		return nil
	}
	several, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // what is wrapped singly is one error
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range several.Unwrap() {
		all = append(all, faultsOf(e)...)
	}
	return all
}

// checkFile checks one file, and returns its faults. seen has for each name in
// which file it stood first.
func checkFile(file string, seen map[string]string) error {
	text, err := document.ReadPath(file)
	if err != nil {
		return placed(file, err)
	}
	root, err := document.Parse(file, text)
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		found[root.Content[i].Value] = true
	}
	faults := document.NewFaults(file)
	switch {
	case found["scenario"]:
		err = checkScenario(file, text, seen)
	case found["fixture"]:
		err = checkFixture(file, text)
	default:
		faults.Addf(root, "the file has neither the key scenario nor the key fixture; one of them was expected")
		return faults.Err()
	}
	if filepath.Ext(file) == ".yml" {
		faults.Addf(nil, "the file's name ends in .yml; .yaml was expected; rename it")
	}
	return errors.Join(faults.Err(), err)
}

// inFolder is the API in whose folder a file lies, or nil.
func inFolder(file string) *contract.API {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return nil
	}
	folder := filepath.Base(filepath.Dir(absolute))
	for _, api := range emulators.All {
		if api.Name == folder {
			return api
		}
	}
	return nil
}

// checkScenario checks a scenario. One that lies in the folder of an API is
// held against its place, as when a server loads it.
func checkScenario(file string, text []byte, seen map[string]string) error {
	var s *scenario.Scenario
	var err error
	if folder := folderOf(file); folder == "" {
		s, err = scenario.Parse(file, text, emulators.All)
	} else {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".yaml"), ".yml")
		s, err = library.New(emulators.All).Put(folder+"/"+name, text)
	}
	if err != nil {
		return placed(file, err)
	}
	if first := seen[s.FullName()]; first != "" {
		faults := document.NewFaults(file)
		faults.Addf(nil, "the scenario %s stands in %s already; give one of them another name", s.FullName(), first)
		return faults.Err()
	}
	seen[s.FullName()] = file
	return nil
}

// folderOf is the folder of scenarios in which a file lies: that of an API, or
// the one for all; "" where it lies elsewhere.
func folderOf(file string) string {
	if api := inFolder(file); api != nil {
		return api.Name
	}
	absolute, err := filepath.Abs(file)
	if err == nil && filepath.Base(filepath.Dir(absolute)) == scenario.Everywhere {
		return scenario.Everywhere
	}
	return ""
}

// placed has faults name the file as the user named it.
func placed(file string, err error) error {
	for _, e := range faultsOf(err) {
		if fault := (*document.Fault)(nil); errors.As(e, &fault) {
			fault.File = file
		}
	}
	return err
}

// checkFixture checks a fixture, and whether a state can be made of it.
func checkFixture(file string, text []byte) error {
	f, err := fixture.Parse(file, text, emulators.All)
	if err != nil {
		return err
	}
	faults := document.NewFaults(file)
	if api := inFolder(file); api != nil {
		if at := filepath.Join(f.API, f.Name+".yaml"); at != filepath.Join(api.Name, filepath.Base(file)) {
			faults.Addf(nil, "the file says it is fixture %q of %s; name the file %s, or change what it says", f.Name, f.API, at)
		}
	}
	if err := makeState(f); err != nil {
		faults.Addf(nil, "no state can be made of the file: %v", err)
	}
	return faults.Err()
}

// makeState makes the state of a fixture, as a server does at its start, or at the first call if it is a shipped one.
func makeState(f *fixture.Fixture) error {
	api, err := findAPI(f.API)
	if err != nil {
		return err
	}
	_, err = sandbox.New(sandbox.Config{
		APIs: []*contract.API{api}, Fixtures: map[string]*fixture.Fixture{api.Name: f}, Wall: time.Now,
	})
	return err
}
