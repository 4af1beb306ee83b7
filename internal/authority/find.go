package authority

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/understudy-suite/understudy/internal/files"
)

// The files of a kept CA. The key's holds the certificate too, so that both are there or
// neither is; the other is for clients.
const (
	CertName = "ca.pem"
	keyName  = "ca-key.pem"
)

// mostText is how many bytes a file with a certificate or a key has at most.
const mostText = 64 << 10

// find takes the given CA, or the kept one, or makes one and keeps it if it can.
func (c *Config) find() (*pair, origin, error) {
	switch {
	case c.CertFile != "" && c.KeyFile != "":
		return c.given()
	case c.CertFile != "" || c.KeyFile != "":
		return nil, origin{}, errors.New("--tls-ca-cert and --tls-ca-key go together; one of them is missing")
	case c.Dir == "":
		return c.inMemory("no folder is named by --tls-dir, and there is no home")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, origin{}, fmt.Errorf("--tls-dir %s: %w", c.Dir, err)
	}
	from := origin{
		path:   filepath.Join(dir, CertName),
		remake: fmt.Sprintf("to remake it: rm %s %s, start again, and have clients trust the new one", quoted(filepath.Join(dir, CertName)), quoted(filepath.Join(dir, keyName))),
	}
	ca, err := c.kept(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // below a file nothing can be kept
		var why error
		if ca, why, err = c.keep(dir); why != nil {
			return c.inMemory(why.Error())
		}
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, origin{}, fmt.Errorf("the CA in %s cannot be read: %w; start as the user who owns it, or have that user mend it: chmod 700 %s && chmod 600 %s", dir, err, quoted(dir), quoted(filepath.Join(dir, keyName)))
	case err != nil:
		return nil, origin{}, fmt.Errorf("the CA in %s: %w; %s", dir, err, from.remake)
	}
	return ca, from, nil
}

// quoted is a path as a shell takes it.
func quoted(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }

// inMemory makes a CA that ends with the process.
func (c *Config) inMemory(why string) (*pair, origin, error) {
	c.Log.Warn("the CA is not kept: it lives in memory, and is a new one at each start; name a folder that can be written with --tls-dir to have clients trust it once", "why", why)
	ca, err := c.make()
	return ca, origin{remake: "start again"}, err
}

// given reads the CA of the operator.
func (c *Config) given() (*pair, origin, error) {
	certText, err := files.ReadPath(c.CertFile, mostText)
	if err != nil {
		return nil, origin{}, fmt.Errorf("--tls-ca-cert: %w", err)
	}
	keyText, err := files.ReadPath(c.KeyFile, mostText)
	if err != nil {
		return nil, origin{}, fmt.Errorf("--tls-ca-key: %w", err)
	}
	ca := &pair{}
	if ca.certs, err = certificates(certText); err != nil {
		return nil, origin{}, fmt.Errorf("--tls-ca-cert %s: %w", c.CertFile, err)
	}
	if ca.key, err = privateKey(keyText, c.KeyFile); err != nil {
		return nil, origin{}, fmt.Errorf("--tls-ca-key %s: %w", c.KeyFile, err)
	}
	if err := ca.check(c.Now()); err != nil {
		return nil, origin{}, fmt.Errorf("--tls-ca-cert %s, --tls-ca-key %s: %w", c.CertFile, c.KeyFile, err)
	}
	path, err := filepath.Abs(c.CertFile)
	return ca, origin{path: path, remake: "give a CA that may sign for it with --tls-ca-cert and --tls-ca-key"}, err
}

// errForeign is for a certificate that this server did not put there, or whose key is lost.
var errForeign = errors.New(CertName + " is there and " + keyName + " is not, so it is of another maker, or its key is lost; name another folder with --tls-dir, or give both files of a CA of yours with --tls-ca-cert and --tls-ca-key")

// kept reads the CA of a folder. The error is fs.ErrNotExist where there is none.
func (c *Config) kept(dir string) (*pair, error) {
	keyFile, certFile := filepath.Join(dir, keyName), filepath.Join(dir, CertName)
	_, lonely := os.Lstat(certFile) // before the key, which is there first
	text, err := files.ReadPath(keyFile, mostText)
	if errors.Is(err, fs.ErrNotExist) && lonely == nil {
		return nil, errForeign
	}
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(keyFile); err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		c.Log.Warn("the CA's key can be read by others; mend it with chmod 600", "file", keyFile)
	}
	ca := &pair{}
	if ca.key, err = privateKey(text, keyFile); err != nil {
		return nil, fmt.Errorf("%s: %w", keyName, err)
	}
	public, err := files.ReadPath(certFile, mostText)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return nil, err
	}
	if missing {
		public = text // a start that broke off between the two files, or one that is under way
	}
	if ca.certs, err = certificates(public); err != nil {
		return nil, fmt.Errorf("%s: %w", CertName, err)
	}
	if err := ca.check(c.Now()); err != nil {
		return nil, err
	}
	if missing {
		if err := writeCert(dir, ca.certs[0]); err != nil {
			return nil, fmt.Errorf("%s is missing: %w", CertName, err)
		}
	}
	return ca, nil
}

// keep makes a CA and puts it into a folder. Of several processes that do so at once one
// wins, and all use its CA. why says why nothing can be kept there.
func (c *Config) keep(dir string) (ca *pair, why, err error) {
	if ca, err = c.make(); err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(ca.key)
	if err != nil {
		return nil, nil, fmt.Errorf("writing the key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err, nil
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), certText(ca.certs[0])...)
	written, err := writeNew(dir, text, 0o600)
	if err != nil {
		return nil, err, nil
	}
	defer func() { _ = os.Remove(written) }() // the link stays
	if err := os.Link(written, filepath.Join(dir, keyName)); errors.Is(err, fs.ErrExist) {
		ca, err = c.kept(dir)
		return ca, nil, err
	} else if err != nil {
		return nil, err, nil
	}
	return ca, writeCert(dir, ca.certs[0]), nil
}

// writeCert writes the certificate for clients, whole or not at all, and over nothing. Of
// several processes that do so at once one wins, and the others have the same to write.
func writeCert(dir string, cert *x509.Certificate) error {
	written, err := writeNew(dir, certText(cert), 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(written) }() // the link stays
	path := filepath.Join(dir, CertName)
	if err := os.Link(written, path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	there, err := files.ReadPath(path, mostText)
	if err == nil && !bytes.Equal(there, certText(cert)) {
		err = errors.New("another CA's " + CertName + " came there meanwhile")
	}
	return err
}

// writeNew writes a file under a name of its own.
func writeNew(dir string, text []byte, mode fs.FileMode) (name string, err error) {
	f, err := os.CreateTemp(dir, ".new-*") // O_EXCL, 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		_ = os.Remove(f.Name()) // nothing more can be done
		return "", err
	}
	return f.Name(), nil
}

func certText(certs ...*x509.Certificate) []byte {
	var text bytes.Buffer
	for _, cert := range certs {
		_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}) // a buffer takes everything
	}
	return text.Bytes()
}
