package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

// StatusProblem is the status of understudy's own failures, which no API uses.
const StatusProblem = 599

// A problem is a failure of understudy's own, never dressed as the API's.
type problem struct {
	Code   string      `json:"code"`
	Title  string      `json:"title"`
	Status int         `json:"status"`
	Detail string      `json:"detail"`
	APIs   []servedAPI `json:"apis,omitempty"`
}

// servedAPI says how clients reach an API.
type servedAPI struct {
	API   string   `json:"api"`
	Title string   `json:"title"`
	Path  string   `json:"path"`
	Port  int      `json:"port"`
	Hosts []string `json:"hosts"`
}

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

// What can be wrong with a request on its way to an API, in the order in which
// it is found.

func (g *Gateway) proxyRefused(r *http.Request, why error) *problem {
	return &problem{
		Code: "proxy-refused", Title: "the proxy takes documented hosts only", APIs: listed(g.config.APIs),
		Detail: asked(r) + ": " + why.Error() + ". understudy passes nothing through: it answers for the documented hosts of its APIs itself, " +
			"and for no others. Have the client ask for others without a proxy, as NO_PROXY says it, or by /@/proxy.pac.",
	}
}

// asked is what a client asked a proxy for, cut where it is long.
func asked(r *http.Request) string { return fmt.Sprintf("%.20s %.120q", r.Method, r.RequestURI) }

func badProxyUser(err error) *problem {
	return &problem{Code: "sandbox", Title: "no such sandbox", Detail: err.Error()}
}

func noTLS(r *http.Request) *problem {
	return &problem{
		Code: "no-tls", Title: "TLS is off; start with --tls",
		Detail: asked(r) + " asks for a tunnel in which https is spoken. Start with --tls for that, or give the client an http address.",
	}
}

func noTunnelHere(r *http.Request, why string) *problem {
	return &problem{Code: "no-tunnel", Title: "no tunnel is opened", Detail: asked(r) + " asks for a tunnel: " + why + "."}
}

func noTunnelWithin(r *http.Request, to *Tunnel) *problem {
	return noTunnelHere(r, "this is one already, to "+to.Host+", and leads nowhere else")
}

func noProxyConfig(r *http.Request) *problem {
	return &problem{
		Code: "no-proxy-config", Title: "no configuration for a proxy",
		Detail: fmt.Sprintf("%s was asked by %.80q; ask by the address at which browsers reach the door.", proxyConfigPath, r.Host),
	}
}

func otherHost(r *http.Request, to *Tunnel) *problem {
	return &problem{
		Code: "other-host", Title: "the request is for another host than its tunnel",
		Detail: fmt.Sprintf("The tunnel leads to %s of %s, and a request in it asks for %.80q. Have the client open a tunnel for each host.", to.Host, to.API.Title, r.Host),
	}
}

func otherScheme(r *http.Request, to *Tunnel, spoken string) *problem {
	return &problem{
		Code: "other-host", Title: "the request is of another scheme than its tunnel",
		Detail: fmt.Sprintf("In the tunnel to %s of %s %s is spoken, and a request in it asks for %.120q. Have the client ask for %s:// or for the path alone.", to.Host, to.API.Title, spoken, r.RequestURI, spoken),
	}
}

func noPage(detail string) *problem {
	return &problem{Code: "own-page", Title: "understudy has no such page", Detail: detail}
}

// noBareConnection is for faults that HTTP/2 cannot carry: it resets a stream, and the
// connection stays.
func noBareConnection(fault scenario.Fault) *problem {
	return &problem{
		Code: "bare-connection", Title: "the fault needs HTTP/1.1",
		Detail: fmt.Sprintf("The fault %s breaks the connection, which HTTP/2 shares among requests. The call has happened, and its answer is lost: have the client speak HTTP/1.1, or start without --tls-h2.", fault),
	}
}

func noMemory(waited time.Duration) error {
	return &problem{
		Code: "busy", Title: "too many large requests at once",
		Detail: fmt.Sprintf("The bodies of other requests held all the memory that bodies may have, for %s. Send fewer large bodies at once, or start with a larger --max-inflight.", waited),
	}
}

func slowRequest(got int64, after time.Duration, p *pace) error {
	return &problem{
		Code: "slow-request", Title: "the request came too slowly",
		Detail: fmt.Sprintf("After %s, %d bytes of the body had come and more were to follow. A body brings at least %d bytes in a second after the first %s, and is complete after %s.",
			after.Round(time.Second), got, p.rate, p.grace, p.whole),
	}
}

func noAPI(r *contract.Request, served []*contract.API) error {
	p := &problem{Code: "no-api", Title: "no API takes this request", APIs: listed(served)}
	first := served[0].Name
	p.Detail = "No API of understudy takes " + r.Method + " " + r.URL.EscapedPath() + " on host " + r.Host +
		". Name one by its documented host, by a host name such as " + first + ".localhost, by a leading path segment such as /" + first + "/, or use its own port."
	return p
}

// listed says how clients reach APIs.
func listed(apis []*contract.API) []servedAPI {
	all := []servedAPI{}
	for _, api := range apis {
		served := servedAPI{API: api.Name, Title: api.Title, Path: "/" + api.Name + "/", Port: api.Port, Hosts: []string{}}
		for _, h := range api.Hosts {
			served.Hosts = append(served.Hosts, h.Name)
		}
		all = append(all, served)
	}
	return all
}

func noSandbox(err error) error {
	return &problem{Code: "sandbox", Title: "no such sandbox", Detail: err.Error()}
}

func noState(err error) error {
	if full := (*sandbox.NoRoomError)(nil); errors.As(err, &full) {
		return noRoom(full)
	}
	return &problem{Code: "fixture", Title: "the sandbox cannot be made", Detail: err.Error()}
}

func noRoom(full *sandbox.NoRoomError) error {
	return &problem{Code: "no-room", Title: "the sandboxes hold as much as they may", Detail: "Nothing was changed: " + full.Error() + "."}
}

func noScenario(err error) error {
	return &problem{Code: "unknown-scenario", Title: "no such scenario", Detail: err.Error()}
}

// notServed is for the outcome or the scenario that a request calls for itself, and
// for what finds no room.
func notServed(err error) error {
	if full := (*sandbox.NoRoomError)(nil); errors.As(err, &full) {
		return noRoom(full)
	}
	if unfit := (*engine.ScenarioError)(nil); errors.As(err, &unfit) {
		return &problem{Code: "strange-scenario", Title: "the scenario cannot be played to this request", Detail: err.Error()}
	}
	return &problem{Code: "unknown-outcome", Title: "no such outcome", Detail: err.Error()}
}

func internalFault(fault any) *problem {
	return &problem{
		Code: "internal", Title: "understudy failed",
		Detail: fmt.Sprintf("understudy failed on this request: %v. This is no answer of the API; the log has the stack. Please report it.", fault),
	}
}

// refuse answers a request with the error that its handler returned.
func (g *Gateway) refuse(c echo.Context, err error) {
	p := (*problem)(nil)
	if !errors.As(err, &p) {
		p = internalFault(err)
	}
	p.write(c.Response().Writer, c.Request())
}

// recover answers a request whose handler panicked.
func (g *Gateway) recover(w http.ResponseWriter, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault) // the connection ends here on purpose
	}
	g.panics.Add(1)
	g.config.Log.Error("a request ended in a fault of understudy's own", "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
	internalFault(fault).write(w, r)
}

func (p *problem) write(w http.ResponseWriter, r *http.Request) {
	body := p.encode()
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set(ProblemHeader, p.Code)
	exposeProblem(h, r)
	w.WriteHeader(StatusProblem)
	_, _ = w.Write(body) // a client that has gone needs no telling
}

func (p *problem) encode() []byte {
	p.Status = StatusProblem
	return wire.Encode(p)
}
