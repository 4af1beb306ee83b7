package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/authority"
	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/files"
)

// stateFolder is where programs keep what they need at their next start; "" where nothing
// says.
func stateFolder(env *env) string {
	home := env.lookup("HOME")
	switch {
	case env.lookup("XDG_STATE_HOME") != "":
		return filepath.Join(env.lookup("XDG_STATE_HOME"), "understudy")
	case runtime.GOOS == "windows" && env.lookup("LOCALAPPDATA") != "":
		return filepath.Join(env.lookup("LOCALAPPDATA"), "understudy")
	case home != "" && home != string(filepath.Separator):
		return filepath.Join(home, ".local", "state", "understudy")
	}
	return ""
}

func caCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "the CA of the TLS door, which clients have to trust",
		Long: "ca tells of the CA by which serve --tls answers over https: the one that is kept under --tls-dir,\n" +
			"or with --control that of a running server. Its key is never told.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(caPrintCommand(env), caPathCommand(env), caHintCommand(env))
	return cmd
}

// caSource says whose CA is meant.
type caSource struct {
	*target
	dir, cert string
}

func caFlags(cmd *cobra.Command, env *env) *caSource {
	s := &caSource{target: controlFlag(cmd)}
	cmd.Flags().StringVar(&s.dir, "tls-dir", stateFolder(env), "folder that keeps the CA")
	cmd.Flags().StringVar(&s.cert, "tls-ca-cert", "", "file with the certificate of a CA of yours")
	return s
}

// client settles the flags, and returns a client of the running server that is meant; nil:
// a file is. A file that is named on the command line goes before a server that a variable
// names.
func (s *caSource) client(cmd *cobra.Command, env *env) (*client.Client, error) {
	named := cmd.Flags().Changed
	file := !named("control") && (named("tls-dir") || named("tls-ca-cert"))
	c, err := s.target.client(cmd, env)
	if file || !named("control") {
		c = nil
	}
	return c, err
}

// file is the file that has the certificate.
func (s *caSource) file() (string, error) {
	if s.cert == "" && s.dir == "" {
		return "", usage("no folder is known that keeps the CA; name it with --tls-dir, or a running server with --control")
	}
	path, err := filepath.Abs(cmp.Or(s.cert, filepath.Join(s.dir, authority.CertName)))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w; serve --tls makes a CA at its first start, or name a running server with --control", err)
	}
	return path, nil
}

// text is the certificate as PEM.
func (s *caSource) text(cmd *cobra.Command, env *env) ([]byte, error) {
	c, err := s.client(cmd, env)
	if err != nil {
		return nil, err
	}
	if c != nil {
		of, err := statusOverTLS(cmd.Context(), c)
		if err != nil {
			return nil, err
		}
		return servedCA(cmd.Context(), of)
	}
	path, err := s.file()
	if err != nil {
		return nil, err
	}
	text, err := files.ReadPath(path, 64<<10)
	if err != nil {
		return nil, err
	}
	return authority.Public(text)
}

// path is the file that has it.
func (s *caSource) path(cmd *cobra.Command, env *env) (string, error) {
	c, err := s.client(cmd, env)
	if err != nil {
		return "", err
	}
	if c == nil {
		return s.file()
	}
	of, err := statusOverTLS(cmd.Context(), c)
	if err != nil {
		return "", err
	}
	if of.TLS.CA == "" {
		return "", fmt.Errorf("the server has its CA in memory alone; save it: understudy ca print --control %s >ca.pem", c.Base)
	}
	return of.TLS.CA, nil
}

// tlsDoor is what a server says of its TLS door.
type tlsDoor struct {
	CA string `json:"ca"`
}

// statusOverTLS is the status of a server that has TLS on.
func statusOverTLS(ctx context.Context, c *client.Client) (*status, error) {
	s := &status{}
	if err := c.Get(ctx, client.Path("status"), s); err != nil {
		return nil, err
	}
	if s.TLS == nil {
		return nil, fmt.Errorf("the server at %s has TLS off; start it with --tls", c.Base)
	}
	return s, nil
}

// servedCA is the CA of a running server, as its door has it.
func servedCA(ctx context.Context, s *status) ([]byte, error) {
	at := strings.TrimSuffix(s.Doors["door"], "/") + "/@/" + authority.CertName
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	answer, err := client.DirectHTTP(answerTime).Do(r)
	if err != nil {
		return nil, &exit{exitNoServer, fmt.Errorf("the door has the CA, and does not answer: %w", err)}
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", at, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s: %.200s", at, answer.Status, text)
	}
	return authority.Public(text)
}

func caPrintCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{Use: "print", Short: "print the CA's certificate as PEM", Args: cobra.NoArgs}
	s := caFlags(cmd, env)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		text, err := s.text(cmd, env)
		if err == nil {
			env.say("%s", text)
		}
		return err
	}
	return cmd
}

func caPathCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{Use: "path", Short: "print the path of the file with the CA's certificate", Args: cobra.NoArgs}
	s := caFlags(cmd, env)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path, err := s.path(cmd, env)
		if err == nil {
			env.say("%s\n", path)
		}
		return err
	}
	return cmd
}

// installHints are the commands by which clients come to trust a CA, which stands for %[1]s
// as a shell takes it.
var installHints = map[string][]string{
	"node":    {"export NODE_EXTRA_CA_CERTS=%[1]s", "# read once, when node starts; it adds to node's own CAs"},
	"python":  {"export REQUESTS_CA_BUNDLE=%[1]s  # requests", "export SSL_CERT_FILE=%[1]s  # httpx, urllib, aiohttp", "# each takes the place of the CAs that were trusted before"},
	"java":    {"cp \"$JAVA_HOME/lib/security/cacerts\" understudy.jks && chmod u+w understudy.jks", "keytool -importcert -noprompt -alias understudy -file %[1]s -keystore understudy.jks -storepass changeit", "java -Djavax.net.ssl.trustStore=understudy.jks -Djavax.net.ssl.trustStorePassword=changeit …"},
	"go":      {"export SSL_CERT_FILE=%[1]s", "# Linux and BSD only, in place of the system's CAs; on macOS and Windows install it in the system, see --for macos, --for windows"},
	"curl":    {"curl --cacert %[1]s https://…", "export CURL_CA_BUNDLE=%[1]s  # in place of the system's CAs"},
	"android": {"adb push %[1]s /sdcard/Download/understudy-ca.crt", "# Settings > Security > Encryption & credentials > Install a certificate > CA certificate", "# an app trusts it where its network_security_config has <certificates src=\"user\"/> (in <debug-overrides>)"},
	"ios":     {"xcrun simctl keychain booted add-root-cert %[1]s  # simulator", "# device: open the file there, Settings > General > VPN & Device Management > install,", "# then Settings > General > About > Certificate Trust Settings > switch it on"},
	"debian":  {"sudo cp %[1]s /usr/local/share/ca-certificates/understudy.crt && sudo update-ca-certificates", "# undone by: sudo rm /usr/local/share/ca-certificates/understudy.crt && sudo update-ca-certificates --fresh"},
	"macos":   {"sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain %[1]s", "# undone by: sudo security remove-trusted-cert -d %[1]s"},
	"windows": {"certutil -user -addstore Root %[2]s", "REM undone by: certutil -user -delstore Root \"understudy local CA …\""},
}

func caHintCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{Use: "install-hint", Short: "print the commands by which clients come to trust the CA", Args: cobra.NoArgs}
	s := caFlags(cmd, env)
	known := []string{"all", "node", "python", "java", "go", "curl", "android", "ios", "debian", "macos", "windows"}
	whom := &choice{value: known[0], known: known}
	cmd.Flags().Var(whom, "for", "whose commands")
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(known, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path, err := s.path(cmd, env)
		if err != nil {
			return err
		}
		if whom.value != known[0] {
			env.say("%s", hintFor(whom.value, path))
			return nil
		}
		for _, name := range known[1:] {
			env.say("# %s\n%s\n", name, hintFor(name, path))
		}
		return nil
	}
	return cmd
}

// hintFor is the hint for one kind of clients, of a CA's file.
func hintFor(whom, path string) string {
	lines := strings.Join(installHints[whom], "\n") + "\n"
	return strings.NewReplacer("%[1]s", shellQuote(path), "%[2]s", `"`+path+`"`).Replace(lines)
}
