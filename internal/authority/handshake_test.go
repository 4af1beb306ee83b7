package authority

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestLeaves(t *testing.T) {
	t.Parallel()
	c, _ := testConfig(t)
	c.Names = []string{"mocks.test", "192.168.7.7"}
	a := open(t, c)
	for name, asked := range map[string]string{
		"parcels.example": "parcels.example", "PARCELS.example": "parcels.example", "my.boxes.example": "my.boxes.example",
		"localhost": "localhost", "job-7.parcels.localhost": "job-7.parcels.localhost", "mocks.test": "mocks.test", "understudy": "understudy",
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			client := trusting(a, name)
			client.MinVersion, client.MaxVersion = version, version
			state, err := handshake(t, a, client)
			if err != nil {
				t.Errorf("%s with %s: %v", name, tls.VersionName(version), err)
				continue
			}
			leaf := state.PeerCertificates[0]
			if !slices.Equal(leaf.DNSNames, []string{asked}) || leaf.Subject.String() != "" || len(leaf.ExtKeyUsage) != 1 || leaf.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth || leaf.IsCA {
				t.Errorf("%s: got a certificate for %v, %q, %v", name, leaf.DNSNames, leaf.Subject, leaf.ExtKeyUsage)
			}
			if lasts := leaf.NotAfter.Sub(leaf.NotBefore); lasts > 90*24*time.Hour || lasts < 80*24*time.Hour {
				t.Errorf("%s: it is valid for %s", name, lasts)
			}
			if before := time.Since(leaf.NotBefore); before < 59*time.Minute || before > 2*time.Hour {
				t.Errorf("%s: it began %s ago", name, before)
			}
			if len(state.PeerCertificates) != 1 {
				t.Errorf("%s: the root was sent, too", name)
			}
		}
	}
	// An address stands in no SNI: the one that was reached is meant.
	state, err := handshake(t, a, trusting(a, "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"127.0.0.1", "::1", "192.168.7.7"} {
		if err := state.PeerCertificates[0].VerifyHostname(address); err != nil {
			t.Error(err)
		}
	}
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		client := trusting(a, "parcels.example")
		client.MinVersion, client.MaxVersion = version, version
		if _, err := handshake(t, a, client); err == nil {
			t.Errorf("%s was spoken", tls.VersionName(version))
		}
	}
}

func TestUnknownNames(t *testing.T) {
	t.Parallel()
	c, l := testConfig(t)
	a := open(t, c)
	for _, name := range []string{"evil.example", "my.own.boxes.example", "boxes.example", "localhost.evil.example", "com", strings.Repeat("a", 300), "box.local"} {
		_, err := handshake(t, a, trusting(a, name))
		if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%.40s: got %v, want the alert for an unknown name", name, err)
		}
		if !strings.Contains(l.String(), name[:min(100, len(name))]) || strings.Contains(l.String(), strings.Repeat("a", 101)) {
			t.Errorf("%.40s: the log has %s", name, l)
		}
	}
	if !strings.Contains(l.String(), "start with --tls-name") {
		t.Errorf("the log has %s", l)
	}
	for i := range 1000 {
		a.unknown.tell(a, fmt.Sprintf("n%d.example", i))
	}
	if lines := strings.Count(l.String(), "\n"); lines > 60 || len(a.unknown.told) > mostTold {
		t.Errorf("a flood of names has %d lines in the log", lines)
	}
}

// hello is a client's, over a connection that nobody reads.
func hello(name, local string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{ServerName: name, Conn: reached{local: &net.TCPAddr{IP: net.ParseIP(local), Port: 6420}}}
}

type reached struct {
	net.Conn
	local net.Addr
}

func (r reached) LocalAddr() net.Addr { return r.local }

// Names that Go's own client does not send.
func TestStrangeNames(t *testing.T) {
	t.Parallel()
	c, _ := testConfig(t)
	a := open(t, c)
	for _, tt := range []struct {
		name, local string
		served      string // "": it is refused
	}{
		{"127.0.0.1", "10.0.0.1", "127.0.0.1"},
		{"192.168.4.4", "10.0.0.1", "192.168.4.4"},
		{"::1", "10.0.0.1", "::1"},
		{"::ffff:10.1.1.1", "10.0.0.1", "10.1.1.1"},
		{"8.8.8.8", "10.0.0.1", ""},
		{"", "10.0.0.1", "10.0.0.1"},
		{"", "fe80::1", "fe80::1"},
		{"", "8.8.8.8", ""},
		{"parcels.example.", "10.0.0.1", "parcels.example"},
		{"*.boxes.example", "10.0.0.1", ""},
		{"*", "10.0.0.1", ""},
		{"a b.boxes.example", "10.0.0.1", ""},
		{"a\x00.boxes.example", "10.0.0.1", ""},
		{".boxes.example", "10.0.0.1", ""},
		{"..localhost", "10.0.0.1", ""},
		{"-a.localhost", "10.0.0.1", ""},
		{strings.Repeat("a.", 150) + "localhost", "10.0.0.1", ""},
		{strings.Repeat("a", 64) + ".localhost", "10.0.0.1", ""},
		{strings.Repeat("a", 63) + ".localhost", "10.0.0.1", strings.Repeat("a", 63) + ".localhost"},
		{"\xff\xfe.localhost", "10.0.0.1", ""},
	} {
		cert, err := a.certificateFor(hello(tt.name, tt.local))
		switch {
		case err != nil:
			t.Errorf("%q: %v", tt.name, err)
		case tt.served == "" && cert != nil:
			t.Errorf("%q: got a certificate for %v, %v", tt.name, cert.Leaf.DNSNames, cert.Leaf.IPAddresses)
		case tt.served != "" && (cert == nil || cert.Leaf.VerifyHostname(tt.served) != nil || a.verify(cert.Leaf) != nil):
			t.Errorf("%q: got %v, want a certificate for %s", tt.name, cert, tt.served)
		}
	}
}

func TestFirstHandshakesTogether(t *testing.T) {
	t.Parallel()
	c, _ := testConfig(t)
	a := open(t, c)
	var wg sync.WaitGroup
	serials := make([]string, 64)
	for i := range serials {
		wg.Go(func() {
			cert, err := a.certificateFor(hello("parcels.example", "127.0.0.1"))
			if err == nil {
				serials[i] = cert.Leaf.SerialNumber.String()
			}
		})
	}
	wg.Wait()
	if all := slices.Compact(slices.Sorted(slices.Values(serials))); len(all) != 1 || all[0] == "" {
		t.Errorf("%d certificates were made: %v", len(all), all)
	}
	for i := range 8 {
		wg.Go(func() {
			if _, err := handshake(t, a, trusting(a, "my.boxes.example")); err != nil {
				t.Error(i, err)
			}
		})
	}
	wg.Wait()
}

func TestLeavesAreBounded(t *testing.T) {
	t.Parallel()
	c, _ := testConfig(t)
	a := open(t, c)
	serial := func(name string) string {
		cert, err := a.certificateFor(hello(name, "127.0.0.1"))
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf.SerialNumber.String()
	}
	often, seldom := serial("often.localhost"), serial("seldom.localhost")
	for i := range 1000 {
		serial(fmt.Sprintf("n%d.localhost", i))
		if serial("often.localhost") != often {
			t.Fatal("a certificate that is asked for all the time was made anew")
		}
	}
	if len(a.leaves.byName) != mostLeaves {
		t.Errorf("%d certificates are remembered, want %d", len(a.leaves.byName), mostLeaves)
	}
	if serial("seldom.localhost") == seldom {
		t.Error("one that nobody asked for gave no way")
	}
}

func TestLeavesAreRenewed(t *testing.T) {
	t.Parallel()
	c, _ := testConfig(t)
	now := time.Now()
	c.Now = func() time.Time { return now }
	a := open(t, c)
	leaf := func() *x509.Certificate {
		cert, err := a.certificateFor(hello("parcels.example", "127.0.0.1"))
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf
	}
	first := leaf()
	now = now.AddDate(0, 0, 59)
	if leaf() != first {
		t.Error("it was renewed too early")
	}
	now = now.AddDate(0, 0, 2)
	second := leaf()
	if second == first || !second.NotAfter.After(first.NotAfter) {
		t.Error("it was not renewed in its last month")
	}
	now = a.Expires().Add(-time.Hour)
	if last := leaf(); last.NotAfter.After(a.Expires()) {
		t.Errorf("it ends at %s, after the CA", last.NotAfter)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	c, l := testConfig(t)
	a := open(t, c)
	unknown, wrong, invalid := x509.UnknownAuthorityError{}, x509.HostnameError{}, x509.CertificateInvalidError{}
	for fault, holds := range map[string]func(error) bool{
		"expired":    func(err error) bool { return errors.As(err, &invalid) && invalid.Reason == x509.Expired },
		"wrong-name": func(err error) bool { return errors.As(err, &wrong) },
		"unknown-ca": func(err error) bool { return errors.As(err, &unknown) },
		"reset":      func(err error) bool { return errors.Is(err, syscall.ECONNRESET) },
		"old-version": func(err error) bool {
			return err != nil && strings.Contains(err.Error(), "protocol version not supported")
		},
		"slow": func(err error) bool { return err == nil },
	} {
		// A client with a ticket of before must not get past the fault.
		client := trusting(a, "parcels.example")
		client.ClientSessionCache = tls.NewLRUClientSessionCache(8)
		if _, err := handshake(t, a, client); err != nil {
			t.Fatal(fault, err)
		}
		if _, err := a.Faults.Switch("Parcels.Example", fault, 0); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := handshake(t, a, client); !holds(err) {
			t.Errorf("%s: got %v", fault, err)
		}
		if fault == "slow" && time.Since(began) < c.MaxStall {
			t.Errorf("slow: it took %s", time.Since(began))
		}
		if _, err := handshake(t, a, trusting(a, "my.boxes.example")); err != nil {
			t.Errorf("%s: another name: %v", fault, err)
		}
		if on := a.Faults.List(); len(on) != 1 || on[0].Met != 1 {
			t.Errorf("%s: the list has %+v", fault, on)
		}
		if !a.Faults.Off("parcels.example") || a.Faults.Off("parcels.example") {
			t.Errorf("%s: it could not be switched off once", fault)
		}
		if _, err := handshake(t, a, client); err != nil {
			t.Errorf("%s: afterwards: %v", fault, err)
		}
		if !strings.Contains(l.String(), "a TLS fault is on, for the whole server\" host=parcels.example fault="+fault) {
			t.Errorf("%s: the log has %s", fault, l)
		}
	}
	old := trusting(a, "parcels.example")
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS12
	if _, err := a.Faults.Switch("parcels.example", "old-version", 0); err != nil {
		t.Fatal(err)
	}
	if state, err := handshake(t, a, old); err != nil || state.Version != tls.VersionTLS11 {
		t.Errorf("a client that still speaks TLS 1.1: %s, %v", tls.VersionName(state.Version), err)
	}
}

// A client with the ticket of a name does not get past the check of another one.
func TestNothingIsResumedForUnknownNames(t *testing.T) {
	t.Parallel()
	c, _ := testConfig(t)
	a := open(t, c)
	for version := uint16(tls.VersionTLS12); version <= tls.VersionTLS13; version++ {
		known := sameSession{tls.NewLRUClientSessionCache(1)}
		ask := func(name string) (tls.ConnectionState, error) {
			return handshake(t, a, &tls.Config{ServerName: name, InsecureSkipVerify: true, MaxVersion: version, ClientSessionCache: known})
		}
		if _, err := ask("localhost"); err != nil {
			t.Fatal(err)
		}
		if state, err := ask("localhost"); err != nil || !state.DidResume {
			t.Errorf("%s: nothing is resumed: %v", tls.VersionName(version), err)
		}
		if _, err := ask("evil.example"); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%s: got %v, want that the name is unknown", tls.VersionName(version), err)
		}
	}
}

// sameSession has one session for all names.
type sameSession struct{ tls.ClientSessionCache }

func (s sameSession) Get(string) (*tls.ClientSessionState, bool) { return s.ClientSessionCache.Get("") }

func (s sameSession) Put(_ string, state *tls.ClientSessionState) {
	s.ClientSessionCache.Put("", state)
}

// A stall ends with the server.
func TestCutEndsASlowHandshake(t *testing.T) {
	t.Parallel()
	c, _ := testConfig(t)
	c.MaxStall = time.Hour
	a := open(t, c)
	if _, err := a.Faults.Switch("localhost", "slow", 0); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		_, err := handshake(t, a, trusting(a, "localhost"))
		done <- err
	}()
	for a.Faults.List()[0].Met == 0 {
		time.Sleep(time.Millisecond)
	}
	a.Cut()
	a.Cut()
	if err := <-done; err != nil || time.Since(began) > slowness/2 {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

func TestFaultsByName(t *testing.T) {
	t.Parallel()
	c, l := testConfig(t)
	now := time.Now()
	c.Now = func() time.Time { return now }
	c.Names = []string{"mocks.test"}
	a := open(t, c)
	on := func(host string, fault Fault, lasts time.Duration) {
		t.Helper()
		if _, err := a.Faults.Switch(host, string(fault), lasts); err != nil {
			t.Fatal(err)
		}
	}
	on("*.localhost", Slow, 0)
	on("*.boxes.example", Reset, 0)
	on("my.boxes.example", Expired, 30*time.Minute)
	on("van.*.example", WrongName, 0)
	on("127.0.0.1", UnknownCA, 0)
	on("mocks.test", OldVersion, 0)
	for name, want := range map[string]Fault{
		"a.localhost": Slow, "a.b.localhost": "", "localhost": "", "my.boxes.example": Expired, "your.boxes.example": Reset,
		"van.north.example": WrongName, "127.0.0.1": UnknownCA, "127.0.0.2": "", "mocks.test": OldVersion, "parcels.example": "",
	} {
		if got := a.Faults.meet(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	now = now.Add(31 * time.Minute)
	if got := a.Faults.meet("my.boxes.example"); got != Reset {
		t.Errorf("after its time: got %q, want the pattern's", got)
	}
	if !strings.Contains(l.String(), `a TLS fault has ended" host=my.boxes.example met=1`) {
		t.Errorf("the log has %s", l)
	}
	for _, host := range []string{"", "*", "*.*.localhost", "evil.example", "*.example", "8.8.8.8", "a*.localhost", "https://localhost", strings.Repeat("a.", 200) + "localhost"} {
		if _, err := a.Faults.Switch(host, "slow", 0); err == nil || !strings.Contains(err.Error(), "a documented host was expected") || len(err.Error()) > 500 {
			t.Errorf("%.40q: got %v", host, err)
		}
	}
	if _, err := a.Faults.Switch("localhost", "resett", 0); err == nil || !strings.Contains(err.Error(), `did you mean "reset"`) {
		t.Errorf("an unknown fault: %v", err)
	}
	for i := range 200 {
		_, _ = a.Faults.Switch(fmt.Sprintf("n%d.localhost", i), "slow", 0)
	}
	if n := len(a.Faults.List()); n != mostFaults {
		t.Errorf("%d faults are on, want at most %d", n, mostFaults)
	}
	if _, err := a.Faults.Switch("mocks.test", "reset", 0); err != nil {
		t.Errorf("one that is on cannot be changed: %v", err)
	}
}

func TestOpenSSLTrustsTheCA(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not on PATH")
	}
	c, _ := testConfig(t)
	a := open(t, c)
	l, err := tls.Listen("tcp", "127.0.0.1:0", a.TLS())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		out, err := exec.Command(openssl, "s_client", "-connect", l.Addr().String(), "-servername", "parcels.example", "-verify_hostname", "parcels.example", "-verify_return_error", "-CAfile", a.Path(), "-brief", version).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Verification: OK") {
			t.Errorf("%s: %v, %s", version, err, out)
		}
	}
}

// Whatever a PEM file holds, reading it ends, and what is taken can sign.
func FuzzPEM(f *testing.F) {
	c := Config{Now: time.Now}
	ca, err := c.make()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(certText(ca.certs...))
	f.Add([]byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if certs, err := certificates(text); err == nil && (len(certs) == 0 || len(certs) > mostCerts) {
			t.Errorf("%d certificates", len(certs))
		}
		if key, err := privateKey(text, "file"); err == nil {
			p := pair{certs: ca.certs, key: key}
			_ = p.check(time.Now())
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("the error has several lines: %q", err)
		}
	})
}

// Whatever stands in an SNI, a certificate is for that name or there is none, and the CA
// may sign for it.
func FuzzName(f *testing.F) {
	a, err := Open(Config{Now: time.Now, Log: discard, Hosts: testHosts, Names: []string{"mocks.test", "*.apps.test"}})
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"parcels.example", "A.boxes.example.", "127.0.0.1", "[::1]", "fe80::1%eth0", "*", "a.apps.test", "x.localhost", "\x00"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		cert, err := a.certificateFor(hello(name, "127.0.0.1"))
		if err != nil {
			t.Fatal(err)
		}
		if cert == nil || name == "" {
			return
		}
		if err := a.verify(cert.Leaf); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if err := cert.Leaf.VerifyHostname(plain(name)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	})
}

// How long the first handshake for a name takes beside what every handshake takes.
func BenchmarkNewName(b *testing.B) {
	a, err := Open(Config{Now: time.Now, Log: discard, Hosts: testHosts})
	if err != nil {
		b.Fatal(err)
	}
	for i := range b.N {
		if cert, err := a.certificateFor(hello(fmt.Sprintf("n%d.localhost", i), "127.0.0.1")); err != nil || cert == nil {
			b.Fatal(err)
		}
	}
}

// What --tls adds to a start whose CA is there.
func BenchmarkOpenKept(b *testing.B) {
	c := Config{Now: time.Now, Log: discard, Hosts: testHosts, Dir: b.TempDir()}
	for range b.N + 1 {
		if _, err := Open(c); err != nil {
			b.Fatal(err)
		}
	}
}
