package adobepass

import (
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

var unregisteredDomain = &contract.Cause{Code: "domain_not_registered", Text: "The domain {domain} is none of {serviceProvider}'s: {domains}. The switch strict_domains has them checked."}

// checkDomain holds the domain and the host of the redirect against the
// service provider's domains, under a switch: no page says that they are.
func (st *state) checkDomain(c *contract.Call) contract.Verdict {
	if !c.Switches.Bool("strict_domains") {
		return contract.Verdict{}
	}
	p := st.provider(c.In.Text("serviceProvider"))
	if d := c.In.Text("domainName"); d != "" && !p.owns(d) {
		return badDomain.Because(unregisteredDomain, "domain", d, "serviceProvider", p.ID, "domains", p.Domains)
	}
	if h := webHost(c.In.Text("redirectUrl")); h != "" && !p.owns(h) {
		return badRedirect.Because(unregisteredDomain, "domain", h, "serviceProvider", p.ID, "domains", p.Domains)
	}
	return contract.Verdict{}
}

// owns reports whether a domain is the service provider's, or below one.
func (p *provider) owns(domain string) bool {
	domain = strings.ToLower(domain)
	return slices.ContainsFunc(p.Domains, func(d string) bool {
		d = strings.ToLower(d)
		return domain == d || strings.HasSuffix(domain, "."+d)
	})
}

// webHost is the host of a web address; "" for other URIs.
func webHost(s string) string {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.Hostname()
}
