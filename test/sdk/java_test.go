package sdk_test

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// java returns what runs java/Client.java, with options for the JVM.
func java(t *testing.T) func(options []string, args ...string) string {
	t.Helper()
	need(t, "java", "javac", "keytool")
	classes := t.TempDir()
	if out, err := run(t, nil, "javac", "-d", classes, filepath.Join("java", "Client.java")); err != nil {
		t.Fatal(out, err)
	}
	return func(options []string, args ...string) string {
		got, _ := run(t, nil, "java", slices.Concat([]string{"-XX:TieredStopAtLevel=1", "-cp", classes}, options, []string{"Client"}, args)...)
		return got
	}
}

// trustStore is what has a JVM trust the CA alone: a trust store that keytool made.
func (s *server) trustStore() []string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "trust.p12")
	if out, err := run(s.t, nil, "keytool", "-importcert", "-noprompt", "-alias", "understudy", "-file", s.ca(), "-keystore", path, "-storetype", "PKCS12", "-storepass", "changeit"); err != nil {
		s.t.Fatal(out, err)
	}
	return []string{"-Djavax.net.ssl.trustStore=" + path, "-Djavax.net.ssl.trustStorePassword=changeit"}
}

// TestJava: the HTTP client of the JDK asks https://api.polyv.net by a proxy, and by a file
// of hosts, and finds its sandbox by its appId or by what it tells the proxy.
func TestJava(t *testing.T) {
	t.Parallel()
	java := java(t)
	s := startTLS(t)
	made := s.ask("POST", "/v1/sandboxes")
	own := made["credentials"].(map[string]any)["polyv"].(map[string]any)
	_, port, _ := strings.Cut(s.tls, ":")
	_, door, _ := strings.Cut(s.door, ":")
	trusting := s.trustStore()
	proxied := []string{"-Dhttps.proxyHost=127.0.0.1", "-Dhttps.proxyPort=" + door}
	named := []string{"-Djdk.net.hosts.file=" + file(t, "hosts", "127.0.0.1 api.polyv.net\n")}
	const polyv = "https://api.polyv.net"
	id, secret := fmt.Sprint(own["appId"]), fmt.Sprint(own["appSecret"])
	if got := java(slices.Concat(proxied, trusting), polyv, id, secret); !strings.HasPrefix(got, `200 {"code":200,`) {
		t.Errorf("by proxy: got %s", got)
	}
	if got := java(slices.Concat(named, trusting), polyv+":"+port, id, secret); !strings.HasPrefix(got, `200 {"code":200,`) {
		t.Errorf("by a file of hosts: got %s", got)
	}
	if got := java(proxied, polyv, id, secret); !strings.Contains(got, "unable to find valid certification path") {
		t.Errorf("without the CA: got %s", got)
	}
	s.led(fmt.Sprint(made["name"]), "word", "success", "success")

	user := "Basic " + base64.StdEncoding.EncodeToString([]byte("job-7:x"))
	allowed := slices.Concat([]string{"-Djdk.http.auth.tunneling.disabledSchemes="}, proxied, trusting)
	if got := java(allowed, polyv, "g4rqgmmjuo", "fsq2k5weced1h8vui657xtdva66whf0g", user); !strings.HasPrefix(got, `200 {"code":200,`) {
		t.Errorf("as a user of the proxy: got %s", got)
	}
	s.led("job-7", "proxy", "success")
}
