package authority

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/bits"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/understudy-suite/understudy/internal/wire"
)

func (a *Authority) serverConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: a.protocols(),
		GetConfigForClient: a.configFor, GetCertificate: a.certificateFor,
		Time: a.config.Now,
	}
}

func (a *Authority) protocols() []string {
	if a.config.HTTP2 {
		return []string{"h2", "http/1.1"}
	}
	return []string{"http/1.1"}
}

// nameOf is what a client asks for: the name that it indicates, or else the address that
// it reached.
func nameOf(hello *tls.ClientHelloInfo) string {
	if hello.ServerName != "" {
		return plain(hello.ServerName)
	}
	if at, ok := hello.Conn.LocalAddr().(*net.TCPAddr); ok {
		return plain(at.IP.String())
	}
	return "localhost"
}

// certificateFor is a tls.Config's GetCertificate. No certificate at all has the client be
// told that the name is unknown.
func (a *Authority) certificateFor(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := nameOf(hello)
	if !a.serves(name) {
		a.unknown.tell(a, name)
		return nil, nil
	}
	return a.leaf(name, "")
}

// configFor is a tls.Config's GetConfigForClient: it plays the fault that is on for a
// name, and resumes nothing for a name that is not served. nil: there is neither.
func (a *Authority) configFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	name := nameOf(hello)
	if !a.serves(name) { // the ticket of another name would do without a certificate
		return a.flawedConfig(nil), nil
	}
	if !a.Faults.any() {
		return nil, nil
	}
	flaw := a.Faults.meet(name)
	switch flaw {
	case "":
		return nil, nil
	case Reset:
		wire.Reset(hello.Conn)
		return nil, errors.New("the fault reset is on for " + name)
	case Slow:
		return nil, a.stall(hello)
	case OldVersion:
		config := a.flawedConfig(nil)
		config.MinVersion, config.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
		return config, nil
	}
	cert, err := a.leaf(name, flaw)
	if err != nil {
		return nil, err
	}
	return a.flawedConfig(cert), nil
}

// flawedConfig presents one certificate; nil: that of the name. Nothing is resumed: a client would not look at
// the certificate.
func (a *Authority) flawedConfig(cert *tls.Certificate) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: a.protocols(), SessionTicketsDisabled: true, GetCertificate: a.certificateFor, Time: a.config.Now}
	if cert != nil {
		config.GetCertificate = nil
		config.Certificates = []tls.Certificate{*cert}
	}
	return config
}

// slowness is how long a slow handshake waits, which is longer than the 10 s that usual
// clients give it.
const slowness = 15 * time.Second

// stall waits in the middle of a handshake, whose deadline moves with it.
func (a *Authority) stall(hello *tls.ClientHelloInfo) error {
	_ = hello.Conn.SetDeadline(time.Time{}) // what fails here shows in the handshake
	timer := time.NewTimer(min(slowness, a.config.MaxStall))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.stop:
	case <-hello.Context().Done():
		return context.Cause(hello.Context())
	}
	return hello.Conn.SetDeadline(deadline(a.config.Patience))
}

// deadline is by the machine's own time, as the operating system has it.
func deadline(after time.Duration) time.Time {
	return time.Now().Add(after) //nolint:forbidigo // a connection's deadline
}

// elsewhere is the name that a certificate with the wrong name has. Every CA of ours may
// sign for it, so that the name alone is wrong.
const elsewhere = "elsewhere.understudy.localhost"

// flawed makes a certificate for a name with a flaw; "": with none.
func (a *Authority) flawed(name string, flaw Fault) (*tls.Certificate, error) {
	switch flaw {
	case Expired:
		t := a.template(name)
		t.NotBefore, t.NotAfter = t.NotBefore.Add(-validity), a.config.Now().Add(-24*time.Hour)
		return a.sign(t, a.ca)
	case WrongName:
		return a.sign(a.template(elsewhere), a.ca)
	case UnknownCA:
		now := a.config.Now()
		stranger, err := selfSigned(&x509.Certificate{
			SerialNumber: newSerial(), Subject: pkix.Name{CommonName: "a CA that nobody knows"},
			NotBefore: now.Add(-early), NotAfter: now.Add(validity),
		})
		if err != nil {
			return nil, err
		}
		return a.sign(a.template(name), stranger)
	}
	return a.issue(name)
}

// unknownNames tells the log of names that are refused, each once as long as they are few.
type unknownNames struct {
	mu   sync.Mutex
	told map[string]bool
	n    uint
}

// mostTold is how many names are told one by one. Of more than that the log has every
// refusal whose number is a power of two, since a flood must not fill it.
const mostTold = 32

func (u *unknownNames) tell(a *Authority, name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.n++
	if u.told[name] || len(u.told) >= mostTold && bits.OnesCount(u.n) != 1 {
		return
	}
	if u.told == nil {
		u.told = map[string]bool{}
	}
	if len(u.told) < mostTold && len(name) <= longestName {
		u.told[name] = true
	}
	a.config.Log.Warn("a TLS connection was refused, because it asks for a name that is not served here; to serve it, start with --tls-name and the name", "name", strings.ToValidUTF8(name[:min(100, len(name))], "?"), "refused", u.n)
}
