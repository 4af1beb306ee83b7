package adobepass

import "github.com/understudy-suite/understudy/internal/contract"

var getConfiguration = &contract.Operation{
	Name:   "GetConfiguration",
	Doc:    "Returns the MVPDs that have an active integration with the service provider, TempPass among them.",
	Cite:   citeConfiguration,
	Method: "GET", Path: "/api/v2/{serviceProvider}/configuration",
	Params: []contract.Param{
		serviceProviderRow(citeConfiguration),
		{Name: "profile", In: contract.Query, Cite: citeConfiguration, Doc: "Documented without a meaning."},
		{Name: deviceHeader, In: contract.Header, Cite: citeConfiguration, Doc: "Who the streaming device is; optional here since release 3.4.0."},
		deviceInfoRow, forwardedRow, visitorRow,
	},
	Outcomes: contract.Outcomes(&contract.Outcome{
		Name: "success", Status: 200, Cite: citeConfiguration, Doc: "The configuration is returned. (The table has mvpds beside requestor, the sample inside.)",
		Returns: []contract.Param{
			{Name: "device", Need: contract.Required, Cite: citeConfiguration, Doc: "The device as it was recognised."},
			{Name: "clientType", Need: contract.Required, Cite: citeConfiguration, Doc: "The kind of client."},
			{Name: "os", Need: contract.Required, Cite: citeConfiguration, Doc: "The operating system as it was recognised."},
			{
				Name: "requestor", Type: contract.Object, Need: contract.Required, Cite: citeConfiguration, Doc: "The service provider.",
				Fields: []contract.Param{
					{Name: "id", Need: contract.Required, Cite: citeConfiguration, Doc: "Its id."},
					{Name: "name", Need: contract.Required, Cite: citeConfiguration, Doc: "Its name."},
					{Name: "domains", Type: contract.List, Of: contract.Object, Need: contract.Required, Cite: citeConfiguration, Doc: "Its domains: name and mvpdInitiated."},
					{Name: "mvpds", Type: contract.List, Of: contract.Object, Need: contract.Required, Cite: citeConfiguration, Doc: "Its MVPDs: id, displayName, logoUrl and more."},
				},
			},
		},
		Do: doConfiguration,
	}, badServiceProvider, badDevice, badDeviceInfo),
	Decide: forKnownProvider(func(c *contract.Call, _ *state) contract.Verdict { return c.Operation.Outcomes[0].Verdict() }),
}

// A configurationReply is the reply of GetConfiguration.
type configurationReply struct {
	Device     string    `json:"device"`
	ClientType string    `json:"clientType"`
	OS         string    `json:"os"`
	Requestor  requestor `json:"requestor"`
}

type requestor struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Domains []domainView   `json:"domains"`
	MVPDs   []providerView `json:"mvpds"`
}

type domainView struct {
	Name          string `json:"name"`
	MVPDInitiated bool   `json:"mvpdInitiated"`
}

type providerView struct {
	ID                    string `json:"id"`
	DisplayName           string `json:"displayName"`
	LogoURL               string `json:"logoUrl"`
	PassiveAuthnEnabled   *bool  `json:"passiveAuthnEnabled,omitempty"`
	AuthPerAggregator     *bool  `json:"authPerAggregator,omitempty"`
	AuthPerBrowserSession *bool  `json:"authPerBrowserSession,omitempty"`
	IsTempPass            bool   `json:"isTempPass,omitempty"`
	BoardingStatus        string `json:"boardingStatus,omitempty"`
	PlatformMappingID     string `json:"platformMappingId,omitempty"`
}

// noLogo is the logo of most MVPDs in the sample.
const noLogo = "https://entitlement.auth.adobe.com/entitlement/noLogo.png"

// doConfiguration returns the configuration of the service provider.
func doConfiguration(c *contract.Call) any {
	st, id := c.State.(*state), c.In.Text("serviceProvider")
	reply := &configurationReply{Device: "unknown", ClientType: "html5", OS: "Unknown", Requestor: requestor{ID: id, Name: id, Domains: []domainView{}, MVPDs: []providerView{}}}
	p := st.provider(id)
	if p == nil {
		return reply
	}
	if p.Name != "" {
		reply.Requestor.Name = p.Name
	}
	for _, d := range p.Domains {
		reply.Requestor.Domains = append(reply.Requestor.Domains, domainView{Name: d})
	}
	for _, id := range p.MVPDs {
		m := st.mvpd(id)
		if m == nil {
			continue
		}
		v := providerView{
			ID: m.ID, DisplayName: m.DisplayName, LogoURL: m.LogoURL, AuthPerAggregator: m.AuthPerAggregator,
			AuthPerBrowserSession: m.AuthPerBrowserSession, PassiveAuthnEnabled: m.PassiveAuthnEnabled,
			IsTempPass: m.TempPass != "", BoardingStatus: m.BoardingStatus, PlatformMappingID: m.PlatformMappingID,
		}
		if v.DisplayName == "" {
			v.DisplayName = m.ID
		}
		if v.LogoURL == "" {
			v.LogoURL = noLogo
		}
		reply.Requestor.MVPDs = append(reply.Requestor.MVPDs, v)
	}
	return reply
}
