package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/server"
)

// doors asks at each address that the server tells its clients.
func (d *doctor) doors(ctx context.Context) {
	const expected = "an understudy answers there"
	for _, name := range sortedKeys(d.status.Doors) {
		at := d.status.Doors[name]
		if who := identify(ctx, at, d.trusted(ctx, at)); who != isUnderstudy {
			d.report(name, problem, at+": "+who, expected,
				"open the port to this machine: serve --bind, docker run -p, a rule of a firewall; or tell clients another address with serve --advertise-door")
			continue
		}
		d.ok(name, "an understudy answers at "+at, expected)
	}
}

// trusted are the CAs by which the server's door over TLS is trusted; nil for other doors.
func (d *doctor) trusted(ctx context.Context, door string) *x509.CertPool {
	if d.status.TLS == nil || door != d.status.Doors["tls"] {
		return nil
	}
	pool := x509.NewCertPool()
	if text, err := servedCA(ctx, d.status); err == nil {
		pool.AppendCertsFromPEM(text)
	}
	return pool
}

// isUnderstudy is what identify says of one of understudy's ports.
const isUnderstudy = "an understudy"

// impossible is the name of no sandbox: the gateway refuses it with its own status,
// whatever the path, and the call is in no journal.
const impossible = "?"

// identify says who answers at an address.
// A client at an https address trusts the CAs of trusted, or where that is nil those of the system.
func identify(ctx context.Context, address string, trusted *x509.CertPool) string {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/", nil)
	if err != nil {
		return err.Error()
	}
	r.Header.Set(gateway.SandboxHeader, impossible)
	answer, err := client.TrustingHTTP(answerTime, trusted).Do(r)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return "nobody who speaks HTTP: " + err.Error()
	}
	_ = answer.Body.Close()
	if answer.StatusCode == gateway.StatusProblem {
		return isUnderstudy
	}
	if c, err := client.New(address, "", ""); err == nil {
		var s status
		if c.Get(ctx, client.Path("status"), &s) == nil && s.Doors != nil {
			return isUnderstudy
		}
	}
	return "somebody else, who answers " + answer.Status
}

// A wanted port is one that serve would open.
type wanted struct {
	name, flag string
	bind       string
	port       int
	optional   bool // serve goes on without it
}

// ports checks for each port that serve would open whether it is free, or else who has it.
func (d *doctor) ports(ctx context.Context) {
	var own []int
	if d.status != nil {
		for _, at := range append(sortedValues(d.status.Doors), d.control.Base) {
			if u, err := url.Parse(at); err == nil {
				port, _ := strconv.Atoi(u.Port())
				own = append(own, port)
			}
		}
	}
	for _, p := range d.wanted() {
		if p.port != 0 {
			d.port(ctx, p, slices.Contains(own, p.port))
		}
	}
}

func (d *doctor) wanted() []wanted {
	bind, controlBind := d.text("bind"), d.text("control-bind")
	all := []wanted{{name: "control", flag: "--control-port", bind: controlBind, port: d.int("control-port")}}
	doors, _ := d.flags.GetIntSlice("door-port") // it is one of serve's
	for _, port := range doors {
		all = append(all, wanted{name: "door", flag: "--door-port", bind: bind, port: port})
	}
	if on, _ := d.flags.GetBool("tls"); on { // both are serve's, too
		ports, _ := d.flags.GetIntSlice("tls-port")
		for _, port := range ports {
			all = append(all, wanted{name: "TLS door", flag: "--tls-port", bind: bind, port: port})
		}
	}
	c := &server.Config{APIs: emulators.All, APIPorts: d.text("api-ports")}
	for _, api := range emulators.All {
		port, open, err := c.APIPort(api)
		if err != nil {
			d.report("ports", problem, err.Error(), "a range of ports", "correct --api-ports")
			break
		}
		if only := d.list("only"); open && (len(only) == 0 || slices.Contains(only, api.Name)) {
			all = append(all, wanted{api.Name, "--api-ports", bind, port, !d.flags.Changed("api-ports")})
		}
	}
	return all
}

func (d *doctor) port(ctx context.Context, p wanted, own bool) {
	check := "port " + strconv.Itoa(p.port)
	expected := "free, or this server's, for " + p.name
	hosts := []string{p.bind}
	if p.bind == server.Localhost {
		hosts = []string{"127.0.0.1", "::1"}
	}
	for _, host := range hosts {
		err := tryPort(ctx, host, p.port)
		address := net.JoinHostPort(host, strconv.Itoa(p.port))
		result := problem
		if p.optional || d.status != nil {
			result = warning
		}
		switch {
		case err == nil:
			continue
		case own && errors.Is(err, syscall.EADDRINUSE):
			d.ok(check, "the server has it, for "+p.name, expected)
			return
		case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
			if host == "::1" {
				continue // a machine without IPv6
			}
			d.report(check, problem, fmt.Sprintf("%s is no address of this machine", host), expected, "choose one of its addresses with --bind or --control-bind")
			return
		case errors.Is(err, syscall.EACCES):
			d.report(check, problem, "this user may not listen there", expected, fmt.Sprintf("choose a port from 1024 on with %s, or allow it the user", p.flag))
			return
		case errors.Is(err, syscall.EADDRINUSE):
			d.report(check, result, address+" is taken by "+holder(ctx, host, p.port), expected, fmt.Sprintf("end what listens there, or choose another port with %s", p.flag))
			return
		default:
			d.report(check, result, err.Error(), expected, "choose another port with "+p.flag)
			return
		}
	}
	d.ok(check, "it is free", expected)
}

// tryPort opens a port and closes it again.
func tryPort(ctx context.Context, host string, port int) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}

// holder says who has a port of this machine.
func holder(ctx context.Context, host string, port int) string {
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return identify(ctx, "http://"+net.JoinHostPort(host, strconv.Itoa(port)), nil)
}

// loopbackNames are the addresses of the name localhost, as this machine's own file has
// them: nobody else is asked.
func loopbackNames(ctx context.Context) ([]string, error) {
	r := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("the file of hosts does not have it, and nobody else is asked")
	}}
	return r.LookupHost(ctx, server.Localhost)
}

// localhost checks that whichever address a client takes for the name localhost leads to
// the server.
func (d *doctor) localhost(ctx context.Context) {
	const expected = "127.0.0.1 and, where the machine has IPv6, ::1, and the door behind both"
	const mend = "have the file of hosts say: 127.0.0.1 localhost, and ::1 localhost"
	found, err := d.hosts(ctx)
	if err != nil {
		d.report("localhost", warning, "it has no address: "+err.Error(), expected, mend)
		return
	}
	for _, address := range found {
		ip := net.ParseIP(address)
		if !ip.IsLoopback() {
			d.report("localhost", problem, "it is "+address+", which is another machine's", expected, mend)
			return
		}
		if port := d.localDoor(); port != "" && identify(ctx, "http://"+net.JoinHostPort(address, port), nil) != isUnderstudy {
			d.report("localhost", warning, fmt.Sprintf("it is also %s, where the door's port %s does not answer", address, port), expected,
				"serve with --bind localhost, or have clients call 127.0.0.1")
			return
		}
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		if !slices.Contains(found, host) && tryPort(ctx, host, 0) == nil {
			d.report("localhost", warning, fmt.Sprintf("it is %s and not %s", strings.Join(found, " and "), host), expected, mend)
			return
		}
	}
	d.ok("localhost", "it is "+strings.Join(found, " and "), expected)
}

// localDoor is the port of the server's door, where that is on this machine.
func (d *doctor) localDoor() string {
	if d.status == nil {
		return ""
	}
	u, err := url.Parse(d.status.Doors["door"])
	if err != nil || !net.ParseIP(u.Hostname()).IsLoopback() && u.Hostname() != server.Localhost {
		return ""
	}
	return u.Port()
}
