package adobepass

import (
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

var unregisteredDomain = &contract.Cause{Code: "domain_not_registered", Text: "The domain {domain} is none of {serviceProvider}'s: {domains}. The switch strict_domains has them checked."}

// checkDomain checks that the domain and the redirect's host belong to the
// service provider. It does so only under a switch, because no page documents
// it.
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

// owns reports whether a domain is one of the service provider's or a subdomain.
func (p *provider) owns(domain string) bool {
	domain = strings.ToLower(domain)
	return slices.ContainsFunc(p.Domains, func(d string) bool {
		d = strings.ToLower(d)
		return domain == d || strings.HasSuffix(domain, "."+d)
	})
}

// webHost returns the host of an http or https URL, or "".
func webHost(s string) string {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.Hostname()
}
