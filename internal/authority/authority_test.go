package authority

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// log is a log that tests read while others write.
type log struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.String()
}

var (
	testHosts = append(contract.HostNames("manual", "parcels.example"), contract.Host{Name: "*.boxes.example"}, contract.Host{Name: "van.*.example"})
	discard   = slog.New(slog.DiscardHandler)
)

// testConfig keeps a CA in a folder of the test's.
func testConfig(t *testing.T) (Config, *log) {
	t.Helper()
	l := &log{}
	return Config{
		Dir: filepath.Join(t.TempDir(), "state", "understudy"), MaxStall: 20 * time.Millisecond, Patience: 10 * time.Second,
		Hosts: testHosts, Now: time.Now, Log: slog.New(slog.NewTextHandler(l, nil)),
	}, l
}

func open(t *testing.T, c Config) *Authority {
	t.Helper()
	a, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// trusting is a client that trusts the CA and nothing else.
func trusting(a *Authority, name string) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.PEM())
	return &tls.Config{RootCAs: pool, ServerName: name}
}

// handshake has a client and a server shake hands over loopback, and read one byte.
func handshake(t *testing.T, a *Authority, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		server := tls.Server(conn, a.TLS())
		if server.HandshakeContext(t.Context()) == nil {
			_, _ = server.Write([]byte("x"))
		}
	})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	over := tls.Client(conn, client)
	if err = over.Handshake(); err == nil {
		_, err = over.Read(make([]byte, 1)) // with TLS 1.3 a refusal comes after the client's part
	}
	return over.ConnectionState(), err
}

func TestCAIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	c, _ := testConfig(t)
	var wg sync.WaitGroup
	prints, errs := make([]string, 16), make([]error, 16)
	for i := range prints { // processes that start at once
		wg.Go(func() {
			a, err := Open(c)
			if errs[i] = err; err == nil {
				prints[i] = a.Fingerprint()
			}
		})
	}
	wg.Wait()
	a := open(t, c)
	for i := range prints {
		if errs[i] != nil || prints[i] != a.Fingerprint() {
			t.Errorf("start %d has another CA: %q, %v; want %q", i, prints[i], errs[i], a.Fingerprint())
		}
	}
	if a.Path() != filepath.Join(c.Dir, "ca.pem") || len(a.Fingerprint()) != 32*3-1 {
		t.Errorf("the CA is in %q, its fingerprint is %q", a.Path(), a.Fingerprint())
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder has %v, %v; want the two files alone", entries, err)
	}
	if runtime.GOOS != "windows" {
		for name, want := range map[string]os.FileMode{"": 0o700, "ca-key.pem": 0o600, "ca.pem": 0o644} {
			if info, err := os.Stat(filepath.Join(c.Dir, name)); err != nil || info.Mode().Perm() != want {
				t.Errorf("%q has the mode %v, %v; want %v", name, info.Mode(), err, want)
			}
		}
	}
	public, err := os.ReadFile(a.Path())
	if err != nil || !bytes.Equal(public, a.PEM()) || bytes.Contains(public, []byte("KEY")) {
		t.Errorf("ca.pem is %s, %v; want the certificate alone", public, err)
	}
	ca := a.ca.certs[0]
	if !ca.IsCA || !ca.PermittedDNSDomainsCritical || ca.MaxPathLen != 0 || !ca.MaxPathLenZero || ca.NotAfter.Sub(ca.NotBefore) < 10*365*24*time.Hour {
		t.Errorf("the CA is %+v", ca)
	}
}

// A start that broke off after the key has no certificate for clients: the next one makes
// up for it, with the same CA.
func TestHalfAKeptCA(t *testing.T) {
	t.Parallel()
	c, l := testConfig(t)
	a := open(t, c)
	if err := os.Remove(a.Path()); err != nil {
		t.Fatal(err)
	}
	if b := open(t, c); b.Fingerprint() != a.Fingerprint() {
		t.Error("another CA was made")
	}
	if text, err := os.ReadFile(a.Path()); err != nil || !bytes.Equal(text, a.PEM()) {
		t.Errorf("ca.pem is %q, %v", text, err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(filepath.Join(c.Dir, "ca-key.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, c)
	if !strings.Contains(l.String(), "can be read by others") {
		t.Errorf("the log has %s", l)
	}
}

// A kept CA that cannot be used ends the start with the line that remakes it, and is
// never overwritten.
func TestKeptCAThatIsDamaged(t *testing.T) {
	t.Parallel()
	other, _ := testConfig(t)
	open(t, other)
	for name, damage := range map[string]func(dir string) error{
		"no key":         func(dir string) error { return os.WriteFile(filepath.Join(dir, "ca-key.pem"), []byte("x"), 0o600) },
		"an empty key":   func(dir string) error { return os.Truncate(filepath.Join(dir, "ca-key.pem"), 0) },
		"no certificate": func(dir string) error { return os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o600) },
		"another certificate": func(dir string) error {
			return os.Rename(filepath.Join(other.Dir, "ca.pem"), filepath.Join(dir, "ca.pem"))
		},
		"a certificate alone": func(dir string) error { return os.Remove(filepath.Join(dir, "ca-key.pem")) },
		"a folder": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "ca.pem")), os.Mkdir(filepath.Join(dir, "ca.pem"), 0o700))
		},
	} {
		c, _ := testConfig(t)
		open(t, c)
		if err := damage(c.Dir); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(filepath.Join(c.Dir, "ca-key.pem"))
		public, _ := os.ReadFile(filepath.Join(c.Dir, "ca.pem"))
		_, err := Open(c)
		if err == nil || !strings.Contains(err.Error(), "rm '"+filepath.Join(c.Dir, "ca.pem")) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", name, err)
		}
		if after, _ := os.ReadFile(filepath.Join(c.Dir, "ca-key.pem")); !bytes.Equal(before, after) {
			t.Errorf("%s: the key was written anew", name)
		}
		if after, _ := os.ReadFile(filepath.Join(c.Dir, "ca.pem")); !bytes.Equal(public, after) {
			t.Errorf("%s: the certificate was written anew", name)
		}
	}
	c, _ := testConfig(t)
	open(t, c)
	c.Now = func() time.Time { return time.Now().AddDate(11, 0, 0) }
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "has expired") {
		t.Errorf("after eleven years: %v", err)
	}
}

// A CA that another user keeps is left to that user.
func TestKeptCAThatCannotBeRead(t *testing.T) {
	t.Parallel()
	if os.Geteuid() <= 0 {
		t.Skip("nothing is kept from this user")
	}
	c, _ := testConfig(t)
	open(t, c)
	if err := os.Chmod(filepath.Join(c.Dir, "ca-key.pem"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "chmod 600 '"+filepath.Join(c.Dir, "ca-key.pem")+"'") || strings.Contains(err.Error(), "rm ") {
		t.Errorf("got %v", err)
	}
}

func TestCAInMemory(t *testing.T) {
	t.Parallel()
	c, l := testConfig(t)
	c.Dir = ""
	dirs := []string{"", filepath.Join(write(t, "file"), "understudy")}
	if runtime.GOOS == "linux" {
		dirs = append(dirs, "/proc/nobody-can-write-here/understudy")
	}
	for _, c.Dir = range dirs {
		a, b := open(t, c), open(t, c)
		if a.Path() != "" || a.Fingerprint() == b.Fingerprint() {
			t.Errorf("%q: the CA is in %q, %s and %s", c.Dir, a.Path(), a.Fingerprint(), b.Fingerprint())
		}
		if _, err := handshake(t, a, trusting(a, "parcels.example")); err != nil {
			t.Error(err)
		}
	}
	if got := strings.Count(l.String(), "it lives in memory, and is a new one at each start"); got != 2*len(dirs) {
		t.Errorf("the log says so %d times: %s", got, l)
	}
}

func write(t *testing.T, name string, blocks ...*pem.Block) string {
	t.Helper()
	var text []byte
	for _, b := range blocks {
		text = append(text, pem.EncodeToMemory(b)...)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGivenCA(t *testing.T) {
	t.Parallel()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	prime, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	certificate := func(key crypto.Signer, change func(*x509.Certificate)) *pem.Block {
		c := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ours"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
		if change != nil {
			change(c)
		}
		der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return &pem.Block{Type: "CERTIFICATE", Bytes: der}
	}
	pkcs8 := func(key any) *pem.Block {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	}
	sec1, err := x509.MarshalECPrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	good, parameters := certificate(curve, nil), &pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6}}
	ours, pkcs1 := &pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(prime)}
	legacy := &pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: sec1}
	for _, tt := range []struct {
		name  string
		certs []*pem.Block
		keys  []*pem.Block
		want  string // "": it is taken
	}{
		{"PKCS#8", []*pem.Block{good}, []*pem.Block{pkcs8(curve)}, ""},
		{"EC", []*pem.Block{good}, []*pem.Block{parameters, ours}, ""},
		{"RSA", []*pem.Block{certificate(prime, nil)}, []*pem.Block{pkcs1}, ""},
		{"RSA as PKCS#8", []*pem.Block{certificate(prime, nil)}, []*pem.Block{pkcs8(prime)}, ""},
		{"both in each file", []*pem.Block{pkcs1, good}, []*pem.Block{good, ours}, ""},
		{"mismatch", []*pem.Block{good}, []*pem.Block{pkcs1}, "the key is not that of the certificate"},
		{"expired", []*pem.Block{certificate(curve, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })}, []*pem.Block{ours}, "the certificate has expired, at 2"},
		{"not yet", []*pem.Block{certificate(curve, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) })}, []*pem.Block{ours}, "the certificate is not valid before 2"},
		{"no CA", []*pem.Block{certificate(curve, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, 0 })}, []*pem.Block{ours}, "the certificate is no CA's"},
		{"may not sign", []*pem.Block{certificate(curve, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })}, []*pem.Block{ours}, "has no keyCertSign"},
		{"encrypted", []*pem.Block{good}, []*pem.Block{{Type: "ENCRYPTED PRIVATE KEY", Bytes: sec1}}, "the key is encrypted"},
		{"encrypted as before", []*pem.Block{good}, []*pem.Block{legacy}, "openssl pkey -in '"},
		{"another kind", []*pem.Block{good}, []*pem.Block{{Type: "OPENSSH PRIVATE KEY", Bytes: sec1}}, "is no key that can be read"},
		{"a damaged key", []*pem.Block{good}, []*pem.Block{{Type: "PRIVATE KEY", Bytes: sec1[:20]}}, "the block PRIVATE KEY is damaged"},
		{"a damaged certificate", []*pem.Block{{Type: "CERTIFICATE", Bytes: sec1}}, []*pem.Block{ours}, "certificate 1 cannot be read"},
		{"no certificate", []*pem.Block{ours}, []*pem.Block{ours}, "it has no certificate"},
		{"no key", []*pem.Block{good}, []*pem.Block{good}, "it has no key"},
		{"many certificates", []*pem.Block{good, good, good, good, good, good, good, good, good}, []*pem.Block{ours}, "it has more than 8 certificates"},
	} {
		c, _ := testConfig(t)
		c.CertFile, c.KeyFile = write(t, "cert.pem", tt.certs...), write(t, "key.pem", tt.keys...)
		a, err := Open(c)
		if tt.want == "" {
			if err != nil || a.Path() != c.CertFile {
				t.Errorf("%s: %v", tt.name, err)
			} else if _, err := handshake(t, a, trusting(a, "parcels.example")); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if _, err := os.Stat(c.Dir); err == nil {
				t.Errorf("%s: a CA was made, too", tt.name)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "--tls-ca-") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line with %q", tt.name, err, tt.want)
		}
	}
	c, _ := testConfig(t)
	c.CertFile = write(t, "cert.pem", good)
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "go together") {
		t.Errorf("a certificate alone: %v", err)
	}
	c.KeyFile = filepath.Join(t.TempDir(), "nowhere.pem")
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "--tls-ca-key: ") {
		t.Errorf("no file: %v", err)
	}
	c.KeyFile = write(t, "key.pem", &pem.Block{Type: "X", Bytes: make([]byte, mostText)})
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "at most 65536") {
		t.Errorf("a long file: %v", err)
	}
}

// A given CA that is not at the top: clients trust what it rests on, and get it with the
// leaf.
func TestGivenIntermediate(t *testing.T) {
	t.Parallel()
	root, err := selfSigned(&x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "between"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, root.certs[0], key.Public(), root.key)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := testConfig(t)
	c.CertFile = write(t, "cert.pem", &pem.Block{Type: "CERTIFICATE", Bytes: der}, &pem.Block{Type: "CERTIFICATE", Bytes: root.certs[0].Raw})
	c.KeyFile = write(t, "key.pem", &pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})
	a := open(t, c)
	pool := x509.NewCertPool()
	pool.AddCert(root.certs[0])
	if _, err := handshake(t, a, &tls.Config{RootCAs: pool, ServerName: "parcels.example"}); err != nil {
		t.Error(err)
	}
}

// The CA's constraints: what is served is within, and what anybody signs with the key for
// elsewhere no client takes.
func TestConstraints(t *testing.T) {
	t.Parallel()
	c, _ := testConfig(t)
	c.Names = []string{"mocks.example.com", "*.apps.example.org", "203.0.113.7"}
	a := open(t, c)
	within := []string{
		"parcels.example", "my.boxes.example", "van.north.example", "localhost", "job-7.parcels.localhost", "understudy", "box.local", "a.internal", "x.test", "nas.home.arpa",
		"mocks.example.com", "a.apps.example.org", "203.0.113.7", "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.17.0.2", "192.168.1.5", "169.254.1.1", "::1", "fd00::7", "fe80::1",
	}
	outside := []string{"evil.test.com", "www.example.com", "example.org", "notparcels.example2", "8.8.8.8", "172.32.0.1", "2001:db8::1", "com", "localhost.evil.com", "203.0.113.8"}
	openssl, _ := exec.LookPath("openssl")
	dir := t.TempDir()
	for i, name := range append(within, outside...) {
		cert, err := a.sign(a.template(name), a.ca)
		if err != nil {
			t.Fatal(err)
		}
		permitted := i < len(within)
		if err := a.verify(cert.Leaf); (err == nil) != permitted {
			t.Errorf("%s: Go says %v; permitted: %v", name, err, permitted)
		}
		if openssl == "" {
			continue
		}
		file := filepath.Join(dir, "leaf.pem")
		if err := os.WriteFile(file, certText(cert.Leaf), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(openssl, "verify", "-CAfile", a.Path(), "-purpose", "sslserver", file).CombinedOutput(); (err == nil) != permitted {
			t.Errorf("%s: openssl says %v, %s; permitted: %v", name, err, out, permitted)
		}
	}
}

// A name of --tls-name that the kept CA may not sign for is refused with the line that
// remakes the CA.
func TestNamesOutsideOfAKeptCA(t *testing.T) {
	t.Parallel()
	c, _ := testConfig(t)
	open(t, c)
	for name, fits := range map[string]bool{"mocks.example.com": false, "*.mocks.example.com": false, "203.0.113.7": false, "box.local": true, "MY.Test.": true, "192.168.7.7": true, "ci.parcels.example": true} {
		c.Names = []string{name}
		_, err := Open(c)
		if fits != (err == nil) || err != nil && (!strings.Contains(err.Error(), "--tls-name "+name) || !strings.Contains(err.Error(), "rm '"+c.Dir)) {
			t.Errorf("%s: got %v, want that it fits: %v", name, err, fits)
		}
	}
	for _, name := range []string{"", "https://x.test", "x.test:443", "a b", "-x", "*", "*.*.test", "a*.test", strings.Repeat("a", 64) + ".test", strings.Repeat("a.", 200), "x\x00"} {
		c.Names = []string{name}
		if _, err := Open(c); err == nil {
			t.Errorf("%.80q was taken", name)
		}
	}
}
