package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goodScenario = `scenario: mine
api: tencentcar
description: Nothing is idle.
rules:
  - operation: CreateSession
    where: {UserId: u-1}
    outcome: ResourceNotFound.NoIdle
`

func TestWithoutServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"no command", nil, exitDone, []string{"Available Commands", "serve", "validate"}},
		{"unknown command", []string{"serv"}, exitUsage, []string{"!unknown command"}},
		{"unknown flag", []string{"list", "apis", "--nope"}, exitUsage, []string{"!unknown flag: --nope; see: understudy list --help"}},
		{"version", []string{"version"}, exitDone, []string{"understudy dev, commit ", "go1."}},
		{"version as json", []string{"version", "-o", "json"}, exitDone, []string{`"version": "dev"`, `"platform"`}},
		{"apis", []string{"list", "apis"}, exitDone, []string{"NAME", "tencentcar", "6414", "car.tencentcloudapi.com"}},
		{"operations", []string{"list", "operations", "tencentcar"}, exitDone, []string{"CreateSession", "POST"}},
		{"outcomes", []string{"list", "outcomes", "tencentcar", "CreateSession"}, exitDone, []string{"tencentcar/CreateSession/ResourceNotFound.NoIdle  ", "tencentcar/CreateSession/success", "AuthFailure.SignatureExpire"}},
		{"scenarios", []string{"list", "scenarios", "tencentcar", "DestroySession"}, exitDone, []string{"tencentcar/rate-limited"}},
		{"fixtures", []string{"list", "fixtures"}, exitDone, []string{"tencentcar=default", "tencentcar=empty"}},
		{"switches", []string{"list", "switches", "tencentcar"}, exitDone, []string{"tencentcar.rate_limits", "true|false", "1m0s"}},
		{"givens", []string{"list", "givens", "tencentcar", "-o", "markdown"}, exitDone, []string{"| api | name | parameters | does |", "| tencentcar | concurrencies |", "used=1-1000", "age=duration"}},
		{"triggers", []string{"list", "triggers", "-o", "markdown"}, exitDone, []string{"| api | name | parameters | does |", "client.lost"}},
		{"a scenario of many operations", []string{"list", "scenarios", "adobepass", "GetSession"}, exitDone, []string{"GetConfiguration, CreateSession, ResumeSession, 9 more "}},
		{"all of its operations", []string{"list", "scenarios", "adobepass", "GetSession", "-o", "json"}, exitDone, []string{`"CreatePartnerProfile"`}},
		{"list of nothing", []string{"list", "scenario"}, exitUsage, []string{`!did you mean "scenarios"?`}},
		{"unknown API", []string{"list", "operations", "tencentcat"}, exitInsufficient, []string{`!there is no API "tencentcat"; did you mean "tencentcar"?`}},
		{"unknown operation", []string{"list", "outcomes", "tencentcar", "CreateSesion"}, exitInsufficient, []string{`!did you mean "CreateSession"?`}},
		{"operation of an API's things", []string{"list", "switches", "tencentcar", "CreateSession"}, exitUsage, []string{"!understudy list switches tencentcar was expected"}},
		{"unknown form", []string{"list", "apis", "-o", "jsn"}, exitUsage, []string{`!table or json or markdown was expected; did you mean "json"?`}},
		{"handbook on stdout", []string{"handbook", "tencentcar"}, exitDone, []string{"# Tencent Cloud", "| `UserId` | body | string | required |"}},
		{"handbook of nothing", []string{"handbook"}, exitUsage, []string{"!understudy handbook -o DIR"}},
		{"openapi", []string{"openapi", "tencentcar"}, exitDone, []string{`"openapi": "3.1.0"`, `"url": "http://127.0.0.1:6414"`, `"CreateSession.success"`}},
		{"openapi of a server", []string{"openapi", "tencentcar", "--server", "http://car.test:80/"}, exitDone, []string{`"url": "http://car.test:80"`}},
		{"openapi of nothing", []string{"openapi"}, exitUsage, []string{"!see: understudy openapi --help"}},
		{"openapi of an unknown API", []string{"openapi", "tencentcat"}, exitInsufficient, []string{`!did you mean "tencentcar"?`}},
		{"completion of APIs", []string{"__complete", "openapi", ""}, exitDone, []string{"tencentcar"}},
		{"nothing to validate", []string{"validate", t.TempDir()}, exitInsufficient, []string{"!nothing was checked"}},
		{"validate a missing file", []string{"validate", "/nonexistent.yaml"}, exitFailed, []string{"!no such file"}},
		{"validate what ships", []string{"validate", "../../scenarios", "../../fixtures"}, exitDone, []string{" files, 0 faults"}},
		{"too many arguments", []string{"version", "now"}, exitUsage, []string{"!see: understudy version --help\n"}},
		{"completion", []string{"__complete", "call", "tencentcar", ""}, exitDone, []string{"CreateSession"}},
		{"completion of parameters", []string{"__complete", "call", "tencentcar", "CreateSession", ""}, exitDone, []string{"UserId="}},
		{"no server", []string{"journal", "--control", noServer}, exitNoServer, []string{"!start one with: understudy serve"}},
		{"call without server", []string{"call", "tencentcar", "CreateSession", "--control", noServer}, exitNoServer, []string{"!no server answers at " + noServer}},
		{"unhealthy", []string{"health", "--control", noServer}, exitNoServer, []string{"!no server answers"}},
		{"waited in vain", []string{"health", "--control", noServer, "--wait", "10ms"}, exitTimeout, []string{"!was not ready within 10ms"}},
		{"bad address", []string{"journal", "--control", "ftp://there"}, exitUsage, []string{"!an address such as http://127.0.0.1:6400 was expected"}},
		{"bad advance", []string{"clock", "advance", "20"}, exitUsage, []string{"!one such as 20m or 1h30m was expected"}},
		{"bad part", []string{"reset", "--only", "jurnal"}, exitUsage, []string{`!did you mean "journal"?`}},
		{"bad condition", []string{"scenarios", "on", "x", "--where", "UserId"}, exitUsage, []string{"!parameter=value was expected"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			command(t, nil, "", c.args...).want(t, c.code, c.want...)
		})
	}
}

// strictArgs once ran twice for a command, and the place of the help was printed twice.
func TestHelpIsPrintedOnce(t *testing.T) {
	t.Parallel()
	r := command(t, nil, "", "scenarios", "off", "a", "b")
	r.want(t, exitUsage, "!see: understudy scenarios off --help")
	if n := strings.Count(r.err, "see:"); n != 1 {
		t.Errorf("got %d times, want once: %s", n, r.err)
	}
}

func TestListAsJSON(t *testing.T) {
	t.Parallel()
	var list struct {
		Items []struct {
			Name       string
			Port       int
			Operations int
		}
	}
	r := command(t, nil, "", "list", "apis", "tencentcar", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &list); err != nil {
		t.Fatal(err, r.out)
	}
	if len(list.Items) != 1 || list.Items[0].Name != "tencentcar" || list.Items[0].Port != 6414 || list.Items[0].Operations == 0 {
		t.Errorf("got %+v", list)
	}
}

func TestListFolders(t *testing.T) {
	t.Parallel()
	mine := filepath.Dir(filepath.Dir(file(t, "tencentcar/mine.yaml", goodScenario)))
	bad := filepath.Dir(filepath.Dir(file(t, "tencentcar/bad.yaml", "scenario: bad\n")))
	r := command(t, nil, "", "list", "scenarios", "--scenarios", mine+","+bad)
	r.want(t, exitDone, "tencentcar/mine", mine, "!bad.yaml:1:1:")
	one := filepath.Dir(filepath.Dir(file(t, "tencentcar/small.yaml", "fixture: small\napi: tencentcar\ndescription: Little.\n")))
	command(t, nil, "", "list", "fixtures", "--fixtures", one).want(t, exitDone, "tencentcar=small", "Little.", one)
	command(t, nil, "", "list", "fixtures", "--fixtures", "/nonexistent").want(t, exitFailed, "!--fixtures")
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file, text string
		code             int
		want             []string
	}{
		{"good", "mine.yaml", goodScenario, exitDone, []string{"1 file, 0 faults"}},
		{"another name than the file's, outside of an API's folder", "other.yaml", goodScenario, exitDone, []string{"1 file, 0 faults"}},
		{"another name than the file's, where it counts", "tencentcar/other.yaml", goodScenario, exitFailed, []string{"other.yaml:1:11: ", "!1 file, 1 fault"}},
		{
			"two faults", "mine.yaml", strings.NewReplacer("NoIdle", "NoIdel", "UserId", "UserID").Replace(goodScenario), exitFailed,
			[]string{"mine.yaml:6:13: ", `did you mean "UserId"?`, "mine.yaml:7:14: ", `did you mean "ResourceNotFound.NoIdle"?`, "!1 file, 2 faults"},
		},
		{"fixture", "mine.yaml", "fixture: mine\napi: tencentcar\nrate_limits: off\n", exitDone, []string{"1 file, 0 faults"}},
		{"fixture's key", "mine.yaml", "fixture: mine\napi: tencentcar\nrate_limit: off\n", exitFailed, []string{"mine.yaml:3:1: ", `did you mean "rate_limits"?`}},
		{"fixture's place", "tencentcar/mine.yaml", "fixture: yours\napi: tencentcar\n", exitFailed, []string{"mine.yaml:1:1: ", "name the file tencentcar/yours.yaml"}},
		{
			"fixture that contradicts itself", "mine.yaml", "fixture: mine\napi: tencentcar\nreservations:\n  - {user_id: u, project_id: nowhere}\n", exitFailed,
			[]string{"mine.yaml:1:1: no state can be made of the file: ", "nowhere"},
		},
		{"neither", "mine.yaml", "a: 1\n", exitFailed, []string{"mine.yaml:1:1: the file has neither the key scenario nor the key fixture"}},
		{"no YAML", "mine.yaml", "a: [\n", exitFailed, []string{"mine.yaml:", "!1 file, 1 fault"}},
		{"wrong ending", "tencentcar/mine.yml", goodScenario, exitFailed, []string{".yaml was expected; rename it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at := file(t, c.file, c.text)
			command(t, nil, "", "validate", at).want(t, c.code, c.want...)
			root := strings.TrimSuffix(at, c.file)
			command(t, nil, "", "validate", root).want(t, c.code, c.want...)
		})
	}
}

// Links are followed as a server follows them, and those that it does not follow are
// faults, not passed over.
func TestValidateLinks(t *testing.T) {
	t.Parallel()
	outside := filepath.Dir(file(t, "tencentcar/mine.yaml", goodScenario))
	root := filepath.Dir(filepath.Dir(file(t, "kept/mine.yaml", goodScenario)))
	link := func(to, at string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(root, at)); err != nil {
			t.Fatal(err)
		}
	}
	link("kept", "tencentcar")
	link(root, "all") // a folder in which it stands itself
	command(t, nil, "", "validate", root).want(t, exitFailed, filepath.Join(root, "tencentcar", "mine.yaml")+":1:1: the scenario tencentcar/mine stands in ", filepath.Join(root, "all")+":1:1: the link cannot be followed: ")
	if err := os.Remove(filepath.Join(root, "all")); err != nil {
		t.Fatal(err)
	}
	link(outside, "polyv")
	link(filepath.Join(outside, "mine.yaml"), "kept/other.yaml")
	link("nowhere", ".#lock")
	command(t, nil, "", "validate", root).want(t, exitFailed,
		filepath.Join(root, "polyv")+":1:1: the link cannot be followed: ", filepath.Join(root, "kept", "other.yaml")+":1:1: the link cannot be followed: ", "!2 files, 4 faults")
	link(outside, "here.yaml")
	command(t, nil, "", "validate", filepath.Join(root, "here.yaml")).want(t, exitDone, "1 file, 0 faults")
}

func TestValidateDoubledName(t *testing.T) {
	t.Parallel()
	one, two := file(t, "one.yaml", goodScenario), file(t, "two.yaml", goodScenario)
	command(t, nil, "", "validate", one, two).want(t, exitFailed, "two.yaml:1:1: the scenario tencentcar/mine stands in "+one+" already", "!2 files, 1 fault")
	all := "scenario: slow\napi: all\nrules: [{operation: '*', wire: {delay: 1s}}]\n"
	command(t, nil, "", "validate", file(t, "all/slow.yaml", all)).want(t, exitDone)
	command(t, nil, "", "validate", file(t, "all/fast.yaml", all)).want(t, exitFailed, "fast.yaml:1:11: ")
	folder := filepath.Dir(filepath.Dir(file(t, "all/slow.yaml", all)))
	command(t, nil, "", "list", "scenarios", "tencentcar", "--scenarios", folder).want(t, exitDone, "all/slow")
}

func TestSchema(t *testing.T) {
	t.Parallel()
	command(t, nil, "", "schema", "scenario").want(t, exitDone, `"https://json-schema.org/draft/2020-12/schema"`, `"const":"ResourceNotFound.NoIdle"`)
	command(t, nil, "", "schema", "fixture").want(t, exitDone, `"rate_limits":`)
	command(t, nil, "", "schema", "scenarios").want(t, exitUsage, `!did you mean "scenario"?`)
	command(t, nil, "", "schema").want(t, exitUsage)
}

func TestHandbookFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "handbook")
	command(t, nil, "", "handbook", "-o", dir).want(t, exitDone, filepath.Join(dir, "tencentcar.md"))
	for _, name := range apiNames() {
		text, err := os.ReadFile(filepath.Join(dir, name+".md"))
		if err != nil {
			t.Fatal(err)
		}
		if again := command(t, nil, "", "handbook", name); again.out != string(text) {
			t.Errorf("%s: two pages of the same tables differ", name)
		}
	}
}
