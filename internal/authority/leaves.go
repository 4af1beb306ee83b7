package authority

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	validity   = 90 * 24 * time.Hour // of an issued certificate, from its beginning
	mostLeaves = 256                 // that are remembered
)

// leaves remembers certificates by name: those that were asked for last.
type leaves struct {
	making singleflight.Group
	mu     sync.Mutex
	byName map[string]*leaf
	turn   uint64
}

type leaf struct {
	cert  *tls.Certificate
	renew time.Time // from here on another one is made
	used  uint64    // the turn in which it was asked for last
}

func (l *leaves) get(name string, now time.Time) *tls.Certificate {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.byName[name]
	if found == nil || !now.Before(found.renew) {
		return nil
	}
	l.turn++
	found.used = l.turn
	return found.cert
}

func (l *leaves) put(name string, cert *tls.Certificate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byName == nil {
		l.byName = map[string]*leaf{}
	}
	if l.byName[name] == nil && len(l.byName) >= mostLeaves {
		oldest, least := "", uint64(math.MaxUint64)
		for other, of := range l.byName {
			if of.used < least {
				oldest, least = other, of.used
			}
		}
		delete(l.byName, oldest)
	}
	l.turn++
	lasts := cert.Leaf.NotAfter.Sub(cert.Leaf.NotBefore)
	l.byName[name] = &leaf{cert: cert, renew: cert.Leaf.NotAfter.Add(-lasts / 3), used: l.turn}
}

// leaf returns a certificate for a name, flawed as a fault asks; "" stands for none. Of
// many who ask for the same at once one has it made.
func (a *Authority) leaf(name string, flaw Fault) (*tls.Certificate, error) {
	key := string(flaw) + "/" + name
	if cert := a.leaves.get(key, a.config.Now()); cert != nil {
		return cert, nil
	}
	made, err, _ := a.leaves.making.Do(key, func() (any, error) {
		cert, err := a.flawed(name, flaw)
		if err == nil {
			a.leaves.put(key, cert)
		}
		return cert, err
	})
	if err != nil {
		return nil, err
	}
	return made.(*tls.Certificate), nil
}

// issue makes a certificate for a name that clients take.
func (a *Authority) issue(name string) (*tls.Certificate, error) {
	template := a.template(name)
	if template.IPAddresses != nil {
		// The address that a client dialled may be another than the one it arrived at: a
		// published port of a container.
		wide := a.template(name)
		wide.DNSNames = append(wide.DNSNames, "localhost")
		wide.IPAddresses = append(wide.IPAddresses, net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback)
		for _, n := range a.config.Names {
			if at, ok := address(plain(n)); ok {
				wide.IPAddresses = append(wide.IPAddresses, at.AsSlice())
			}
		}
		if cert, err := a.sign(wide, a.ca); err == nil && a.verify(cert.Leaf) == nil {
			return cert, nil
		}
	}
	cert, err := a.sign(template, a.ca)
	if err != nil {
		return nil, err
	}
	if err := a.verify(cert.Leaf); err != nil {
		a.config.Log.Warn("clients may refuse a certificate, since the CA may not sign for that name; "+a.origin.remake, "name", name, "why", err.Error())
	}
	return cert, nil
}

// permits says why clients would refuse a certificate for a name.
func (a *Authority) permits(name string) error {
	cert, err := a.sign(a.template(name), a.ca)
	if err != nil {
		return err
	}
	return a.verify(cert.Leaf)
}

// verify holds a certificate against the CA as a client does.
func (a *Authority) verify(cert *x509.Certificate) error {
	_, err := cert.Verify(x509.VerifyOptions{Roots: a.roots, CurrentTime: a.config.Now()})
	return err
}

// template is a certificate for a name, which is valid now.
func (a *Authority) template(name string) *x509.Certificate {
	begin := a.config.Now().Add(-early)
	t := &x509.Certificate{
		SerialNumber: newSerial(), NotBefore: begin, NotAfter: begin.Add(validity),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if at, ok := address(name); ok {
		t.IPAddresses = []net.IP{at.AsSlice()}
	} else {
		t.DNSNames = []string{name}
	}
	return t
}

// sign has a CA sign a certificate, which ends with the CA at the latest.
func (a *Authority) sign(t *x509.Certificate, by *pair) (*tls.Certificate, error) {
	if end := by.certs[0].NotAfter; t.NotAfter.After(end) {
		t.NotAfter = end
	}
	der, err := x509.CreateCertificate(rand.Reader, t, by.certs[0], a.key.Public(), by.key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	cert := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
	for _, c := range by.certs {
		if string(c.RawIssuer) != string(c.RawSubject) { // clients have the roots
			cert.Certificate = append(cert.Certificate, c.Raw)
		}
	}
	cert.Leaf, err = x509.ParseCertificate(der)
	return cert, err
}
