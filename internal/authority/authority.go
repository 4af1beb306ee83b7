// Package authority is the certificate authority of the TLS door: it makes a CA once and
// keeps it, or takes a given one, and issues a certificate for each name by which a client
// asks. Its dates are those of the machine's own clock.
package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// Config says which CA is used, and for which names it issues certificates.
type Config struct {
	Dir      string // folder in which the CA is kept; "": it lives in memory
	CertFile string // file with a given CA's certificate; "": there is none, and one is made
	KeyFile  string // file with its key

	Names []string        // further host names and addresses
	Hosts []contract.Host // documented host names

	HTTP2    bool          // offered beside HTTP/1.1
	MaxStall time.Duration // longest wait of a slow handshake
	Patience time.Duration // how long the rest of a slow handshake may take

	Now func() time.Time
	Log *slog.Logger
}

// An Authority issues certificates.
type Authority struct {
	Faults *Faults

	config Config
	ca     *pair
	origin origin
	text   []byte // the certificates as PEM
	roots  *x509.CertPool
	key    *ecdsa.PrivateKey // of all certificates that are issued
	leaves leaves
	tls    *tls.Config
	stop   chan struct{}
	once   atomic.Bool // stop is closed

	unknown unknownNames
}

// origin says where a CA is from.
type origin struct {
	path   string // file with the certificate; "": there is none
	remake string // what makes a new one, or how else to mend it
}

// pair is a CA: its key, and its certificate with those that it rests on behind it.
type pair struct {
	certs []*x509.Certificate
	key   crypto.Signer
}

// Open takes the given CA, or the kept one, or makes one.
func Open(config Config) (*Authority, error) {
	a := &Authority{config: config, stop: make(chan struct{})}
	if err := CheckNames(config.Names); err != nil {
		return nil, err
	}
	var err error
	if a.ca, a.origin, err = config.find(); err != nil {
		return nil, err
	}
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	a.roots = x509.NewCertPool()
	for _, cert := range a.ca.certs {
		a.roots.AddCert(cert)
	}
	a.text = certText(a.ca.certs...)
	a.Faults = newFaults(config.Now, config.Log, a.serves)
	for _, name := range config.Names {
		if err := a.permits(withoutStar(plain(name))); err != nil {
			return nil, fmt.Errorf("--tls-name %s is outside of what the CA may sign for (%w); %s", name, err, a.origin.remake)
		}
	}
	a.tls = a.serverConfig()
	return a, nil
}

// TLS is the configuration of a server that presents the CA's certificates.
func (a *Authority) TLS() *tls.Config {
	if a == nil {
		return nil
	}
	return a.tls
}

// PEM is what clients trust: the CA's certificate, and never its key.
func (a *Authority) PEM() []byte { return a.text }

// Path is the file that has the certificate; "" where the CA lives in memory.
func (a *Authority) Path() string { return a.origin.path }

// Fingerprint is the SHA-256 of the CA's certificate as openssl prints it: AB:CD:…
func (a *Authority) Fingerprint() string {
	return strings.ReplaceAll(fmt.Sprintf("% X", sha256.Sum256(a.ca.certs[0].Raw)), " ", ":")
}

// Expires is the end of the CA.
func (a *Authority) Expires() time.Time { return a.ca.certs[0].NotAfter }

// Cut ends all waiting.
func (a *Authority) Cut() {
	if a.once.CompareAndSwap(false, true) {
		close(a.stop)
	}
}
