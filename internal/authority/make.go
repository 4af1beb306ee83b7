package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// early is how far before now a validity begins, for clients whose clocks are late.
const early = time.Hour

// years is how long a CA that is made is valid.
const years = 10

// make makes a CA that can sign for nothing but what is served here and what only this
// machine or network can mean: whoever gets hold of its key gains nothing else where
// clients hold it to that.
func (c *Config) make() (*pair, error) {
	domains, networks := c.constraints()
	now := c.Now()
	serial := newSerial()
	return selfSigned(&x509.Certificate{
		SerialNumber: serial,
		// The number tells several in one store apart.
		Subject:   pkix.Name{Organization: []string{"understudy"}, CommonName: fmt.Sprintf("understudy local CA %.8x", serial.Bytes())},
		NotBefore: now.Add(-early), NotAfter: now.AddDate(years, 0, 0),
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: domains, PermittedIPRanges: networks,
	})
}

// selfSigned makes a key and the CA that a template describes.
func selfSigned(template *x509.Certificate) (*pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the CA's key: %w", err)
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making the CA: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("making the CA: %w", err)
	}
	return &pair{certs: []*x509.Certificate{cert}, key: key}, nil
}

// constraints are the domains and networks that a CA of ours may sign for. A domain stands
// for all names below it.
func (c *Config) constraints() (domains []string, networks []*net.IPNet) {
	domains = slices.Concat(LocalDomains, localNames)
	for _, h := range c.Hosts {
		domains = append(domains, h.Domain())
	}
	for _, p := range localNetworks {
		networks = append(networks, asNet(p))
	}
	for _, name := range c.Names {
		name = plain(name)
		if at, ok := address(name); ok {
			networks = append(networks, asNet(netip.PrefixFrom(at, at.BitLen())))
			continue
		}
		domains = append(domains, strings.TrimPrefix(name, "*."))
	}
	slices.Sort(domains)
	return slices.Compact(domains), networks
}

func newSerial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b)
}
