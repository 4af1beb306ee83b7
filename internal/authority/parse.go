package authority

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// mostCerts is how many certificates a file has at most.
const mostCerts = 8

// certificates reads PEM blocks. The first is the CA's own, the others are what it rests on.
func certificates(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d cannot be read: %w", len(all)+1, err)
		}
		if all = append(all, cert); len(all) > mostCerts {
			return nil, fmt.Errorf("it has more than %d certificates; the CA's and those that it rests on were expected", mostCerts)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("it has no certificate; PEM with a block CERTIFICATE was expected")
	}
	return all, nil
}

// Public is the certificates among PEM blocks, and nothing else of them.
func Public(text []byte) ([]byte, error) {
	certs, err := certificates(text)
	if err != nil {
		return nil, err
	}
	return certText(certs...), nil
}

// privateKey reads the first key among PEM blocks. name is the file's, for the message.
func privateKey(text []byte, name string) (crypto.Signer, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, fmt.Errorf("the key is encrypted, and there is nobody to ask for its password; decrypt it into a file of yours: openssl pkey -in %s -out ca-key.pem", quoted(name))
		}
		return parseKey(block)
	}
	return nil, errors.New("it has no key; PEM with a block PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY was expected")
}

func parseKey(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("a block %.40q is no key that can be read; PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY was expected", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("the block %s is damaged: %w", block.Type, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("the key is a %T, which cannot sign; ECDSA or RSA was expected", key)
	}
	return signer, nil
}

// check says why a CA cannot be used.
func (p *pair) check(now time.Time) error {
	cert := p.certs[0]
	public, ok := p.key.Public().(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !ok || !public.Equal(cert.PublicKey):
		return errors.New("the key is not that of the certificate")
	case !cert.BasicConstraintsValid || !cert.IsCA:
		return errors.New("the certificate is no CA's (basicConstraints CA:TRUE is missing), so no client takes what it signs")
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return errors.New("the certificate may not sign others (its keyUsage has no keyCertSign)")
	case now.After(cert.NotAfter):
		return fmt.Errorf("the certificate has expired, at %s", cert.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(cert.NotBefore):
		return fmt.Errorf("the certificate is not valid before %s", cert.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}
