package adobepass

import (
	"encoding/json"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// A device is the streaming device in the reply of GetSession. Its explicit
// nulls are documented. How X-Device-Info becomes a device is inferred.
type device struct {
	Type            *string    `json:"type"`
	Model           *string    `json:"model"`
	Version         *version   `json:"version"`
	Hardware        hardware   `json:"hardware"`
	OperatingSystem system     `json:"operatingSystem"`
	Browser         browser    `json:"browser"`
	Display         display    `json:"display"`
	ApplicationID   *string    `json:"applicationId"`
	Connection      connection `json:"connection"`
}

type version struct {
	Major   int    `json:"major"`
	Minor   int    `json:"minor"`
	Patch   int    `json:"patch"`
	Profile string `json:"profile"`
}

type hardware struct {
	Name         *string  `json:"name"`
	Vendor       *string  `json:"vendor"`
	Version      *version `json:"version"`
	Manufacturer *string  `json:"manufacturer"`
}

type system struct {
	Name    *string  `json:"name"`
	Family  *string  `json:"family"`
	Vendor  *string  `json:"vendor"`
	Version *version `json:"version"`
}

type browser struct {
	Name              *string  `json:"name"`
	Vendor            *string  `json:"vendor"`
	Version           *version `json:"version"`
	UserAgent         string   `json:"userAgent"`
	OriginalUserAgent string   `json:"originalUserAgent"`
}

type display struct {
	Width        int     `json:"width"`
	Height       int     `json:"height"`
	PPI          int     `json:"ppi"`
	Name         string  `json:"name"`
	Vendor       *string `json:"vendor"`
	Version      *string `json:"version"`
	DiagonalSize *string `json:"diagonalSize"`
}

type connection struct {
	IPAddress string  `json:"ipAddress"`
	Port      string  `json:"port"` // a string, as the sample has it
	Secure    bool    `json:"secure"`
	Type      *string `json:"type"`
}

// device derives the device that created the session from its X-Device-Info, and
// for keys that are missing there, from its User-Agent. Unreadable data gives an
// unknown device. The JSON of all samples is unreadable.
func (s *session) device() *device {
	facts := factsOfUserAgent(s.UserAgent)
	plain, _ := decodeBase64(s.DeviceInfo)
	var info map[string]any
	_ = json.Unmarshal(plain, &info)
	for name, x := range info {
		switch x := x.(type) {
		case string:
			facts[name] = x
		case bool:
			facts[name] = strconv.FormatBool(x)
		case float64:
			facts[name] = strconv.FormatFloat(x, 'f', -1, 64)
		}
	}
	return facts.device(s)
}

// deviceFacts are the keys and values of X-Device-Info.
type deviceFacts map[string]string

// value returns the value of the first of names that is present, or nil.
func (f deviceFacts) value(names ...string) *string {
	for _, name := range names {
		if x, ok := f[name]; ok {
			return &x
		}
	}
	return nil
}

// valueOr returns a value, or fallback where there is none.
func (f deviceFacts) valueOr(name, fallback string) string {
	if x, ok := f[name]; ok {
		return x
	}
	return fallback
}

func (f deviceFacts) number(name string) int {
	n, _ := strconv.Atoi(f[name])
	return n
}

func (f deviceFacts) device(s *session) *device {
	kind := f.valueOr("primaryHardwareType", "Unknown")
	return &device{
		Type: &kind, Model: f.value("model"), Version: versionOf(f["version"]),
		Hardware: hardware{
			Name: f.value("model"), Vendor: f.value("vendor", "manufacturer"), Version: versionOf(f["version"]), Manufacturer: f.value("manufacturer", "vendor"),
		},
		OperatingSystem: system{Name: f.value("osName"), Family: f.value("osFamily", "osName"), Vendor: f.value("osVendor"), Version: versionOf(f["osVersion"])},
		Browser: browser{
			Name: f.value("browserName"), Vendor: f.value("browserVendor"), Version: versionOf(f["browserVersion"]),
			UserAgent: f.valueOr("userAgent", s.UserAgent), OriginalUserAgent: s.UserAgent,
		},
		Display:       display{Width: f.number("displayWidth"), Height: f.number("displayHeight"), PPI: f.number("displayPpi"), Name: "DISPLAY", DiagonalSize: f.value("diagonalScreenSize")},
		ApplicationID: f.value("applicationId"),
		Connection: connection{
			IPAddress: f.valueOr("connectionIp", s.Address), Port: f.valueOr("connectionPort", s.Port),
			Secure: f["connectionSecure"] == "true", Type: f.value("connectionType"),
		},
	}
}

// An agentPattern is what a User-Agent that it matches says.
type agentPattern struct {
	pattern *regexp.Regexp
	is      deviceFacts
}

// systems maps a User-Agent to an operating system. The first match counts. The
// pattern captures the version.
var systems = sync.OnceValue(func() []agentPattern {
	return []agentPattern{
		{regexp.MustCompile(`Macintosh; Intel Mac OS X ([0-9_.]+)`), deviceFacts{"primaryHardwareType": "Desktop", "osName": "macOS", "osVendor": "Apple", "vendor": "Apple"}},
		{regexp.MustCompile(`Windows NT ([0-9.]+)`), deviceFacts{"primaryHardwareType": "Desktop", "osName": "Windows", "osVendor": "Microsoft"}},
		{regexp.MustCompile(`iPhone OS ([0-9_]+)`), deviceFacts{"primaryHardwareType": "MobilePhone", "osName": "iOS", "osVendor": "Apple", "vendor": "Apple"}},
		{regexp.MustCompile(`Android ([0-9.]+)`), deviceFacts{"osName": "Android", "osVendor": "Google"}},
	}
})

// browsers maps a User-Agent to a browser. Browsers name one another, so the
// order matters.
var browsers = sync.OnceValue(func() []agentPattern {
	return []agentPattern{
		{regexp.MustCompile(`Edg/([0-9]+)`), deviceFacts{"browserName": "Edge", "browserVendor": "Microsoft"}},
		{regexp.MustCompile(`Firefox/([0-9]+)`), deviceFacts{"browserName": "Firefox", "browserVendor": "Mozilla"}},
		{regexp.MustCompile(`Chrome/([0-9]+)`), deviceFacts{"browserName": "Chrome", "browserVendor": "Google"}},
		{regexp.MustCompile(`Version/([0-9.]+).* Safari/`), deviceFacts{"browserName": "Safari", "browserVendor": "Apple"}},
	}
})

// factsOfUserAgent returns what a User-Agent says about the device.
func factsOfUserAgent(agent string) deviceFacts {
	facts := deviceFacts{}
	for _, s := range systems() {
		if found := s.pattern.FindStringSubmatch(agent); found != nil {
			maps.Copy(facts, s.is)
			facts["osVersion"] = strings.ReplaceAll(found[1], "_", ".")
			break
		}
	}
	for _, b := range browsers() {
		if found := b.pattern.FindStringSubmatch(agent); found != nil {
			maps.Copy(facts, b.is)
			facts["browserVersion"] = found[1]
			break
		}
	}
	return facts
}

// versionOf splits a dotted version. Unknown parts are 0.
func versionOf(text string) *version {
	v := &version{}
	parts := strings.SplitN(text, ".", 4)
	for i, at := range [...]*int{&v.Major, &v.Minor, &v.Patch} {
		if i < len(parts) {
			*at, _ = strconv.Atoi(parts[i])
		}
	}
	return v
}
