package docs_test

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dials are the names by which a program reaches out: it connects, asks a resolver, makes
// requests, or has another program do so.
var dials = map[string]*regexp.Regexp{
	"net":                   regexp.MustCompile(`^(Dial|Lookup|Resolve|DefaultResolver)`),
	"net/http":              regexp.MustCompile(`^(Client|DefaultClient|DefaultTransport|Get|Head|Post|PostForm|Transport)$`),
	"crypto/tls":            regexp.MustCompile(`^(Dial|Client$)`),
	"syscall":               regexp.MustCompile(`^(Connect|Socket|Send|ForkExec|StartProcess|Exec$|Syscall|RawSyscall)`),
	"os":                    regexp.MustCompile(`^StartProcess$`),
	"golang.org/x/sys/unix": anything,
	"log/syslog":            anything,
	"net/http/httputil":     anything,
	"net/rpc":               anything,
	"net/smtp":              anything,
	"os/exec":               anything,
}

var anything = regexp.MustCompile("")

// dialers are the files that reach out, and what each uses for that.
var dialers = map[string][]string{
	"cmd/understudy/doctor_ports.go": {"net.Resolver"},                                        // reads the file of hosts; its Dial refuses
	"internal/callback/callback.go":  {"net.Dialer", "net/http.Client", "net/http.Transport"}, // callbacks, to hosts that are allowed
	"internal/client/client.go":      {"net.Dialer", "net/http.Client", "net/http.Transport"}, // commands, to the server that the user names
	"internal/probe/probe_linux.go":  {"syscall.Connect", "syscall.Socket"},                   // the command health, likewise
}

// Nothing reaches out but callbacks, and the commands that ask a server.
func TestNothingElseDials(t *testing.T) {
	found := map[string][]string{}
	eachFile(t, []string{"cmd", "emulators", "fixtures", "internal", "scenarios"}, func(at string, file *ast.File) {
		if strings.HasSuffix(at, "_test.go") {
			return
		}
		packages := map[string]string{} // import paths by the names that the file has for them
		for _, i := range file.Imports {
			imported := strings.Trim(i.Path.Value, `"`)
			name := path.Base(imported)
			if i.Name != nil {
				name = i.Name.Name
			}
			if name == "." && dials[imported] != nil {
				t.Errorf("%s imports %s as .; give it a name", at, imported)
			}
			packages[name] = imported
			if strings.HasSuffix(imported, "/understudy/internal/client") && !strings.HasPrefix(at, "cmd/") {
				t.Errorf("%s imports the client of a server; only commands ask one", at)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := s.X.(*ast.Ident); ok {
					if reach := dials[packages[of.Name]]; reach != nil && reach.MatchString(s.Sel.Name) {
						found[at] = append(found[at], packages[of.Name]+"."+s.Sel.Name)
					}
				}
			}
			return true
		})
	})
	for at, got := range found {
		slices.Sort(got)
		if want := dialers[at]; !slices.Equal(slices.Compact(got), want) {
			t.Errorf("%s uses %v to reach out; expected was %v", at, slices.Compact(got), want)
		}
	}
	for at := range dialers {
		if found[at] == nil {
			t.Errorf("%s reaches out no more; take it off the list", at)
		}
	}
}
