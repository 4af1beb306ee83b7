package sdk_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// takesAll is what a client gets that does not hold a CA to the constraints of its own
// certificate, as the JDK does not.
const takesAll = stolen

// stolen is what the thief answers.
const stolen = "stolen"

// TestConstraints: whoever gets hold of the CA's key can pretend to be the hosts of its name
// constraints and no other, before clients that enforce them; docs/clients.md says which do.
func TestConstraints(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	thief := thief(t, s.dir)
	const inside, outside = "api.polyv.net", "www.example.com"
	_, port, _ := net.SplitHostPort(thief)
	for name, c := range map[string]struct {
		needs   []string
		refusal string
		ask     func(t *testing.T, host string) string
	}{
		"Go": {nil, "not permitted by any constraint", func(t *testing.T, host string) string { return askByGo(t, s.ca(), host, thief) }},
		"curl": {[]string{"curl"}, "permitted subtree violation", func(t *testing.T, host string) string {
			got, _ := run(t, nil, "curl", "-sS", "--cacert", s.ca(), "--connect-to", host+":443:"+thief, "https://"+host+"/")
			return got
		}},
		"Node.js": {[]string{"node"}, "permitted subtree violation", func(t *testing.T, host string) string {
			got, _ := run(t, []string{"NODE_EXTRA_CA_CERTS=" + s.ca()}, "node", "-e", `
				const [servername, port] = process.argv.slice(1);
				require("https").get({ host: "127.0.0.1", port, servername }, (r) => r.pipe(process.stdout)).on("error", (e) => console.log(String(e)));`, host, port)
			return got
		}},
		"Java": {[]string{"java", "javac", "keytool"}, takesAll, func(t *testing.T, host string) string {
			hosts := "-Djdk.net.hosts.file=" + file(t, "hosts", "127.0.0.1 "+host+"\n")
			return java(t)(append(s.trustStore(), hosts), "https://"+host+":"+port, "id", "secret")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			need(t, c.needs...)
			if got := c.ask(t, inside); !strings.Contains(got, stolen) {
				t.Errorf("inside: got %s", got)
			}
			if got := c.ask(t, outside); !strings.Contains(got, c.refusal) {
				t.Errorf("outside: got %s", got)
			}
		})
	}
}

// askByGo asks a host that stands at an address.
func askByGo(t *testing.T, ca, host, address string) string {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool(t, ca), ServerName: host}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return string(body)
}

// thief serves every host with certificates by the CA that a folder keeps, and returns its
// address.
func thief(t *testing.T, dir string) string {
	t.Helper()
	ca, err := tls.LoadX509KeyPair(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, stolen) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		now := time.Now()
		leaf, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(now.UnixNano()), DNSNames: []string{hello.ServerName},
			NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}, ca.Leaf, &key.PublicKey, ca.PrivateKey)
		return &tls.Certificate{Certificate: [][]byte{leaf}, PrivateKey: key}, err
	}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
