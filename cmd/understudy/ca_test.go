package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/server"
)

func TestCA(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "it's here")
	command(t, nil, "", "ca", "print", "--tls-dir", dir).want(t, exitFailed, "!serve --tls makes a CA at its first start")
	s := start(t, func(c *server.Config) { c.TLS, c.TLSPorts, c.TLSDir = true, []int{0}, dir })
	path := filepath.Join(dir, "ca.pem")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	command(t, nil, "", "ca", "print", "--tls-dir", dir).want(t, exitDone, string(text))
	command(t, nil, "", "ca", "path", "--tls-dir", dir).want(t, exitDone, path+"\n")
	command(t, []string{"XDG_STATE_HOME=/state"}, "", "ca", "path").want(t, exitFailed, "!/state/understudy/ca.pem", "!serve --tls makes a CA at its first start")
	command(t, []string{"HOME=/home/me"}, "", "ca", "install-hint").want(t, exitFailed, "!/home/me/.local/state/understudy/ca.pem", "!serve --tls makes a CA at its first start")
	command(t, []string{"HOME=/"}, "", "ca", "path").want(t, exitUsage, "!name it with --tls-dir")
	// The key's file has the certificate, too, and no more of it is printed.
	command(t, nil, "", "ca", "print", "--tls-ca-cert", filepath.Join(dir, "ca-key.pem")).want(t, exitDone, string(text))
	at(t, s, "ca", "print", "--control", s.ControlURL).want(t, exitDone, string(text))
	at(t, s, "ca", "path", "--control", s.ControlURL).want(t, exitDone, path+"\n")
	// What the command line names goes before a variable.
	at(t, s, "ca", "path").want(t, exitDone, path+"\n")
	at(t, s, "ca", "path", "--tls-dir", t.TempDir()).want(t, exitFailed, "!serve --tls makes a CA at its first start")
	at(t, s, "ca", "print", "--tls-ca-cert", filepath.Join(dir, "ca-key.pem")).want(t, exitDone, string(text))
	quoted := shellQuote(path)
	for whom, want := range map[string]string{
		"node": "export NODE_EXTRA_CA_CERTS=" + quoted, "python": "export REQUESTS_CA_BUNDLE=" + quoted, "java": "keytool -importcert -noprompt -alias understudy -file " + quoted,
		"go": "export SSL_CERT_FILE=" + quoted, "curl": "curl --cacert " + quoted, "android": "adb push " + quoted, "ios": "xcrun simctl keychain booted add-root-cert " + quoted,
		"debian": "sudo cp " + quoted, "macos": "sudo security add-trusted-cert", "windows": `certutil -user -addstore Root "` + path + `"`,
	} {
		command(t, nil, "", "ca", "install-hint", "--tls-dir", dir, "--for", whom).want(t, exitDone, want)
		command(t, nil, "", "ca", "install-hint", "--tls-dir", dir).want(t, exitDone, "# "+whom+"\n", want)
	}
	command(t, nil, "", "ca", "install-hint", "--tls-dir", dir, "--for", "jave").want(t, exitUsage, `!did you mean "java"?`)
	proxy := shellQuote("http://job-7:x@" + strings.TrimPrefix(s.DoorURL, "http://"))
	at(t, s, "env", "--tls", "--sandbox", "job-7").want(t, exitDone,
		"export NODE_EXTRA_CA_CERTS="+quoted, "export SSL_CERT_FILE="+quoted, "export HTTPS_PROXY="+proxy, "export https_proxy="+proxy, "export http_proxy="+proxy,
		"export NO_PROXY='localhost,127.0.0.1,::1'", "export no_proxy='localhost,127.0.0.1,::1'")
	at(t, s, "env", "--tls", "--ca-file", "/certs/ca&.pem", "--for", "compose").want(t, exitDone, `CURL_CA_BUNDLE: "/certs/ca&.pem"`)
	if r := at(t, s, "doctor"); !strings.Contains(r.out, "an understudy answers at "+s.TLSURL) {
		t.Errorf("the doctor says %s", r.out)
	}

	memory := start(t, func(c *server.Config) { c.TLS, c.TLSPorts = true, []int{0} })
	at(t, memory, "ca", "path", "--control", memory.ControlURL).want(t, exitFailed, "!save it: understudy ca print")
	at(t, memory, "env", "--tls").want(t, exitDone, "HTTPS_PROXY", "!give --ca-file ca.pem")
	off := start(t)
	at(t, off, "ca", "print", "--control", off.ControlURL).want(t, exitFailed, "!has TLS off; start it with --tls")
	at(t, off, "env", "--tls").want(t, exitFailed, "!start the server with --tls")
}
