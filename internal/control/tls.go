package control

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/authority"
)

// tlsStatus describes the TLS door.
type tlsStatus struct {
	URL    string                `json:"url"`
	CA     string                `json:"ca" doc:"the file with the CA's certificate, on the server's machine; empty: the CA is in memory alone"`
	SHA256 string                `json:"sha256" doc:"the fingerprint of that certificate"`
	Until  time.Time             `json:"until" doc:"when the CA ends"`
	Faults []authority.HostFault `json:"faults" doc:"what is wrong with the handshakes for which host names"`
}

// tlsStatus describes the TLS door; nil where TLS is off.
func (s *Server) tlsStatus(doors map[string]string) *tlsStatus {
	a := s.config.Authority
	if a == nil {
		return nil
	}
	return &tlsStatus{URL: doors[tlsKey], CA: a.Path(), SHA256: a.Fingerprint(), Until: a.Expires().UTC(), Faults: a.Faults.List()}
}

// tlsFaultBody is a body that switches a TLS fault on.
type tlsFaultBody struct {
	Fault authority.Fault `json:"fault" doc:"expired, wrong-name, unknown-ca, reset, slow or old-version"`
	For   string          `json:"for,omitempty" doc:"how long it is on by the wall clock: 30m; without end where it is left out"`
}

// withTLS refuses where TLS is off.
func (s *Server) withTLS(do func(*request, *authority.Faults) (any, error)) func(*request) (any, error) {
	return func(a *request) (any, error) {
		if s.config.Authority == nil {
			return nil, refuse(http.StatusConflict, "TLS is off, so there are no handshakes; start the server with --tls")
		}
		return do(a, s.config.Authority.Faults)
	}
}

func (s *Server) listTLSFaults(_ *request, faults *authority.Faults) (any, error) {
	return list[authority.HostFault]{Items: faults.List()}, nil
}

func (s *Server) getTLSFault(a *request, faults *authority.Faults) (any, error) {
	host, all := a.path["host"], faults.List()
	if name, err := faults.Name(host); err == nil {
		for _, f := range all {
			if f.Host == name {
				return f, nil
			}
		}
	}
	return nil, noTLSFault(host, all)
}

func noTLSFault(host string, on []authority.HostFault) *problem {
	return refuse(http.StatusNotFound, "no TLS fault is on for %s%s", quote(host), hint(host, mapSlice(on, func(f authority.HostFault) string { return f.Host })))
}

func (s *Server) putTLSFault(a *request, faults *authority.Faults) (any, error) {
	members, err := a.object("fault", "for")
	if err != nil {
		return nil, err
	}
	fault, ok := members["fault"].(string)
	if !ok {
		return nil, refuse(http.StatusBadRequest, "fault is %s; one of %s was expected", describe(members["fault"]), strings.Join(authority.FaultNames, ", "))
	}
	var lasts time.Duration
	if given, there := members["for"]; there {
		text, _ := given.(string)
		if lasts, err = time.ParseDuration(text); err != nil || lasts <= 0 {
			return nil, refuse(http.StatusBadRequest, `for is %s; a positive duration such as "30m" was expected`, describe(given))
		}
	}
	on, err := faults.Switch(a.path["host"], fault, lasts)
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "%v", err)
	}
	return on, nil
}

func (s *Server) deleteTLSFault(a *request, faults *authority.Faults) (any, error) {
	host := a.path["host"]
	if name, err := faults.Name(host); err != nil || !faults.Off(name) {
		return nil, noTLSFault(host, faults.List())
	}
	return nil, nil
}

// The query parameters of a sandbox that have its variables lead through TLS and the
// proxy, and name the CA's file where clients have it elsewhere.
var (
	tlsQuery  = []string{tlsKey, "ca"}
	tlsValues = map[string][]string{tlsKey: {"true", "false"}}
)

// caVariables are the variables by which clients learn what CA to trust. All but the first
// replace the system's own in most clients.
var caVariables = []string{"NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}

// The variables by which clients learn of a proxy, and what they ask without one. Some read
// those in capitals alone, others the others. HTTP_PROXY is not among them: whoever reads it
// reads http_proxy too, and a program that a web server starts gets it from a header Proxy.
var (
	proxyVariables   = []string{"HTTPS_PROXY", "https_proxy", "http_proxy"}
	noProxyVariables = []string{"NO_PROXY", "no_proxy"}
)

// addTLSEnv adds the variables that have clients go to documented hosts, in a sandbox:
// through the door as their proxy, by the CA. Where the CA is in no file, those that name
// one are left out. Understudy's own hosts are asked without the proxy.
func (s *Server) addTLSEnv(a *request, w *sandboxAnswer) {
	if ca := cmp.Or(a.query["ca"], s.config.Authority.Path()); ca != "" {
		for _, name := range caVariables {
			w.Env[name] = ca
		}
	}
	if door, err := url.Parse(w.Env["UNDERSTUDY_DOOR"]); err == nil && door.Host != "" {
		proxy := url.URL{Scheme: door.Scheme, Host: door.Host, User: url.UserPassword(w.Name, "x")}
		for _, name := range proxyVariables {
			w.Env[name] = proxy.String()
		}
	}
	for _, name := range noProxyVariables {
		w.Env[name] = strings.Join(ownHosts(w.Env["UNDERSTUDY_CONTROL"], s.urls(a)), ",")
	}
}

// ownHosts are the hosts of this machine, and those at which understudy is reached.
func ownHosts(control string, urls map[string]string) []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	for _, address := range append(slices.Sorted(maps.Values(urls)), control) {
		if u, err := url.Parse(address); err == nil && u.Hostname() != "" && !slices.Contains(hosts, u.Hostname()) {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// knowsTLS refuses a request that asks for TLS and cannot have it, before anything is
// made.
func (s *Server) knowsTLS(do func(*request) (any, error)) func(*request) (any, error) {
	return func(a *request) (any, error) {
		if on, err := a.flag(tlsKey); err != nil {
			return nil, err
		} else if on && s.config.Authority == nil {
			return nil, refuse(http.StatusConflict, "TLS is off, so that nothing can point clients to it; start the server with --tls")
		}
		return do(a)
	}
}
