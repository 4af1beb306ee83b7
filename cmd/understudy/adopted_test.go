package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/server"
)

// A client's own ids are adopted, listed, saved, and known from a start with the saved fixture.
func TestAdopted(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *server.Config) { c.Unknown = []string{"refuse", "tencentcar=adopt"} })
	at(t, s, "list", "adopted").want(t, exitDone, "!nothing was adopted")
	own := func(project string) []string {
		return []string{"call", "tencentcar", "ApplyConcurrent", "UserId=u", "UserIp=125.127.178.228", "ProjectId=" + project}
	}
	at(t, s, own("cap-shop0001")...).want(t, exitDone, "tencentcar/ApplyConcurrent/success")
	at(t, s, "call", "polyv", "ListSessions", "channelId=5000001").want(t, exitDone, "illegalChannelId")
	at(t, s, "list", "adopted").want(t, exitDone, "ProjectId", "cap-shop0001", "default-1")
	at(t, s, "list", "adopted", "polyv").want(t, exitDone, "!nothing was adopted")
	at(t, s, "list", "adopted", "tencentcar", "--sandbox", "nobody").want(t, exitInsufficient, "!there is no sandbox")
	at(t, s, "journal", "show", "default-1").want(t, exitDone, "adopted: ProjectId cap-shop0001\n")

	dir := t.TempDir()
	file := filepath.Join(dir, "tencentcar", "shop.yaml")
	at(t, s, "fixture", "save", file).want(t, exitDone, "saved the fixture of tencentcar to "+file)
	if text := at(t, s, "fixture", "save", "-").out; !strings.Contains(text, "fixture: default\n") || !strings.Contains(text, "cap-shop0001") {
		t.Errorf("standard output: %s", text)
	}
	at(t, s, "fixture", "save", "-", "polyv").want(t, exitDone, "api: polyv\n")
	at(t, s, "fixture", "save", "-", "tencentcra").want(t, exitInsufficient, `!did you mean "tencentcar"?`)
	at(t, s, "fixture", "save", filepath.Join(dir, "tencentcar", "a b.yaml")).want(t, exitFailed, "!letters, digits, dots")
	at(t, s, "fixture").want(t, exitUsage, "!save FILE was expected")
	at(t, s, "reset").want(t, exitDone)
	at(t, s, "fixture", "save", "-").want(t, exitUsage, "!which API is meant is not clear")

	knowing := start(t, func(c *server.Config) { c.Fixtures, c.Fixture = []string{dir}, []string{"tencentcar=shop"} })
	at(t, knowing, own("cap-shop0001")...).want(t, exitDone, "tencentcar/ApplyConcurrent/success")
	at(t, knowing, own("cap-shop0002")...).want(t, exitDone, "InvalidParameterValue")
}

// A sandbox adopts by itself.
func TestAdoptInSandbox(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, "sandbox", "new", "--unknown", "adopt", "taker").want(t, exitDone)
	call := []string{"call", "tencentcar", "DescribeConcurrentCount", "ProjectId=cap-shop0001"}
	at(t, s, append(call, "--sandbox", "taker")...).want(t, exitDone, "DescribeConcurrentCount/success")
	at(t, s, call...).want(t, exitDone, "InvalidParameterValue")
	at(t, s, "sandbox", "new", "--unknown", "adapt").want(t, exitFailed, `!unknown: unlisted, got "adapt"`)

	at(t, s, "sandbox", "new", "--unknown", "polyv=adopt", "--auth", "polyv=off,youdu=presence", "one").want(t, exitDone)
	at(t, s, append(call, "--sandbox", "one")...).want(t, exitDone, "InvalidParameterValue")
	at(t, s, "call", "polyv", "ListSessions", "channelId=5000001", "--sandbox", "one").want(t, exitDone, "ListSessions/success")
	at(t, s, "sandbox", "new", "--unknown", "adopt,polyv=refuse", "rest").want(t, exitDone)
	at(t, s, append(call, "--sandbox", "rest")...).want(t, exitDone, "DescribeConcurrentCount/success")
	at(t, s, "call", "polyv", "ListSessions", "channelId=5000001", "--sandbox", "rest").want(t, exitDone, "illegalChannelId")
	at(t, s, "sandbox", "new", "--auth", "polyw=off").want(t, exitFailed, `!there is no API "polyw"`)
}

// A saved fixture has no secret that came from the environment, and finds it there again.
func TestSavedSecrets(t *testing.T) {
	t.Parallel()
	// The first account is that of the environment: what is adopted has its secret.
	env := map[string]string{"TENCENTCLOUD_SECRET_ID": "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "TENCENTCLOUD_SECRET_KEY": "the-secret-of-the-environment"}
	secret := func(c *server.Config) {
		c.FromEnv, c.Env = true, func(name string) string { return env[name] }
		c.Unknown, c.Auth = []string{"adopt"}, []string{"off"}
	}
	s := start(t, secret)
	askAs(t, s.DoorURL, "AKIDown")
	dir := t.TempDir()
	file := filepath.Join(dir, "tencentcar", "own.yaml")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	at(t, s, "fixture", "save", file).want(t, exitDone)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), env["TENCENTCLOUD_SECRET_KEY"]) || !strings.Contains(string(text), "- secretId: AKIDown\n    secretKey: env:TENCENTCLOUD_SECRET_KEY\n") {
		t.Errorf("got %s", text)
	}
	again := start(t, secret, func(c *server.Config) { c.Fixtures, c.Fixture = []string{dir}, []string{"tencentcar=own"} })
	at(t, again, "list", "adopted").want(t, exitDone, "!nothing was adopted")
	without := serverConfig(func(c *server.Config) { c.Fixtures, c.Fixture = []string{dir}, []string{"tencentcar=own"} })
	if s, err := server.Start(without); err == nil || !strings.Contains(err.Error(), "start it with --credentials env") {
		if err == nil {
			_ = s.Close(t.Context())
		}
		t.Errorf("without the environment: %v", err)
	}
}

// askAs has a client with a SecretId of its own call tencentcar at the door.
func askAs(t *testing.T, door, id string) {
	t.Helper()
	r, err := http.Get(door + "/?Action=DescribeConcurrentCount&SecretId=" + id)
	if err != nil {
		t.Fatal(err)
	}
	if outcome := r.Header.Get("Understudy-Outcome"); outcome != "tencentcar/DescribeConcurrentCount/success" {
		t.Errorf("the call of %s ended in %s", id, outcome)
	}
	_ = r.Body.Close()
}

// What can be adopted is listed without a server.
func TestAdoptable(t *testing.T) {
	t.Parallel()
	command(t, nil, "", "list", "adoptable").want(t, exitDone, "software_statement", "ProjectId", "14797363/ydA1B2C3D4E5F60718293A4B5C6D7E8F90")
	if out := command(t, nil, "", "list", "adoptable", "polyv").out; !strings.Contains(out, "channelId") || strings.Contains(out, "ProjectId") {
		t.Errorf("of polyv: %s", out)
	}
}

// docs/strictness.md names every kind of id that an API adopts, and no other.
func TestAdoptableIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/strictness.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		api, err := findAPI(strings.TrimPrefix(cells[0], "| "))
		if err != nil || len(cells) != 3 {
			continue
		}
		for _, what := range strings.Split(cells[1], ", ") {
			what = strings.Trim(what, "`")
			documented[api.Name+" "+what] = true
			if api.Adoptable(what) == nil {
				t.Errorf("docs/strictness.md says that %s adopts %s", api.Name, what)
			}
		}
	}
	for _, api := range emulators.All {
		for _, row := range api.Adopts {
			if !documented[api.Name+" "+row.What] {
				t.Errorf("docs/strictness.md does not say that %s adopts %s", api.Name, row.What)
			}
		}
	}
}
