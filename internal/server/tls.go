package server

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/bits"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/authority"
	"github.com/understudy-suite/understudy/internal/contract"
)

// tlsIsOff says which flag asks for what there is with TLS alone; nil: none does.
func (c *Config) tlsIsOff() error {
	for _, f := range []struct {
		flag  string
		given bool
	}{
		{"--tls-fault", len(c.TLSFaults) > 0},
		{"--tls-name", len(c.TLSNames) > 0},
		{"--tls-ca-cert", c.TLSCACert != ""},
		{"--tls-ca-key", c.TLSCAKey != ""},
		{"--tls-h2", c.HTTP2},
	} {
		if f.given {
			return &UsageError{fmt.Errorf("%s is given, and TLS is off; start with --tls as well, or without %s", f.flag, f.flag)}
		}
	}
	return nil
}

// openAuthority opens the CA, and switches on the faults that the flags name; nil: TLS is
// off.
func (c *Config) openAuthority() (*authority.Authority, error) {
	if !c.TLS {
		return nil, c.tlsIsOff()
	}
	if err := authority.CheckNames(c.TLSNames); err != nil {
		return nil, &UsageError{err}
	}
	var hosts []contract.Host
	for _, api := range c.APIs { // also those that --only leaves out: the CA is for all starts
		hosts = append(hosts, api.Hosts...)
	}
	a, err := authority.Open(authority.Config{
		Dir: c.TLSDir, CertFile: c.TLSCACert, KeyFile: c.TLSCAKey, Names: c.TLSNames, Hosts: hosts, HTTP2: c.HTTP2,
		MaxStall: c.MaxStall, Patience: cmp.Or(c.HeadTimeout, headTime), Now: c.Wall, Log: c.Log,
	})
	if err != nil {
		return nil, err
	}
	for _, pair := range c.TLSFaults {
		host, fault, err := splitPair("--tls-fault", pair, "host=fault")
		if err != nil {
			return nil, &UsageError{err}
		}
		if _, err = a.Faults.Switch(host, fault, 0); err != nil {
			return nil, &UsageError{fmt.Errorf("--tls-fault: %w", err)}
		}
	}
	c.Log.Info("TLS is on; clients have to trust the CA: understudy ca install-hint", "ca", cmp.Or(a.Path(), "in memory"), "sha256", a.Fingerprint(), "until", a.Expires().UTC().Format(time.DateOnly))
	return a, nil
}

// caText is the CA's certificate; nil where TLS is off.
func (s *Server) caText() []byte {
	if s.authority == nil {
		return nil
	}
	return s.authority.PEM()
}

// openTLSDoor opens the ports of the door over TLS.
func (s *Server) openTLSDoor() error {
	if s.authority == nil {
		return nil
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(s.config.HTTP2)
	for i, port := range s.config.TLSPorts {
		door, err := s.listen(s.config.Bind, port, "TLS door", "--tls-port")
		if err != nil {
			return err
		}
		if i == 0 {
			s.connections.https.Store(int64(portOf(door[0])))
			s.TLSURL, s.tlsPort = "https://"+door[0].Addr().String(), portOf(door[0])
		}
		for _, l := range door { // each with a configuration of its own, which net/http changes
			s.serve(l, &http.Server{Handler: s.gateway.Shared(), TLSConfig: s.authority.TLS().Clone(), Protocols: protocols}, s.connections)
		}
	}
	return nil
}

// netLog is the log of net/http. What it says of clients that do not trust the CA is for
// people, since such a client shows no more than a failed connection.
type netLog struct {
	slog.Handler
	untrusting atomic.Int64
}

// Enabled is for lines of the level below which the log has none, too: they are looked at.
func (n *netLog) Enabled(context.Context, slog.Level) bool { return true }

// Handle passes a line on.
func (n *netLog) Handle(ctx context.Context, record slog.Record) error {
	if distrusts(record.Message) {
		if seen := n.untrusting.Add(1); bits.OnesCount64(uint64(seen)) == 1 {
			record.Level = slog.LevelWarn
			record.Add("seen", seen, "hint", "a client does not trust the CA: understudy ca install-hint; or a TLS fault is on")
		}
	}
	if !n.Handler.Enabled(ctx, record.Level) {
		return nil
	}
	return n.Handler.Handle(ctx, record)
}

// distrusts reports whether a line says that a client refused a certificate.
func distrusts(line string) bool {
	_, alert, ok := strings.Cut(line, "remote error: tls: ")
	return ok && strings.Contains(alert, "certificate")
}
