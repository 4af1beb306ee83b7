package adobepass

import (
	"encoding/json"
	"maps"
	"regexp"
	"strconv"
	"strings"
)

// A device is what GetSession tells of the streaming device. Its explicit
// nulls are documented; how X-Device-Info becomes one is inferred.
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

// device reads the device that created the session off its X-Device-Info, and
// where that says nothing, off its User-Agent. What cannot be read, as the JSON
// of all samples cannot, leaves an unknown one.
func (s *session) device() *device {
	said := recognised(s.UserAgent)
	plain, _ := unbase64(s.DeviceInfo)
	var info map[string]any
	_ = json.Unmarshal(plain, &info)
	for name, x := range info {
		switch x := x.(type) {
		case string:
			said[name] = x
		case bool:
			said[name] = strconv.FormatBool(x)
		case float64:
			said[name] = strconv.FormatFloat(x, 'f', -1, 64)
		}
	}
	return said.device(s)
}

// said are the keys of X-Device-Info with what is said of them.
type said map[string]string

// text is what is said under the first of names; nil where nothing is.
func (m said) text(names ...string) *string {
	for _, name := range names {
		if x, ok := m[name]; ok {
			return &x
		}
	}
	return nil
}

func (m said) or(name, other string) string {
	if x, ok := m[name]; ok {
		return x
	}
	return other
}

func (m said) number(name string) int {
	n, _ := strconv.Atoi(m[name])
	return n
}

func (m said) device(s *session) *device {
	kind := m.or("primaryHardwareType", "Unknown")
	return &device{
		Type: &kind, Model: m.text("model"), Version: versionOf(m["version"]),
		Hardware: hardware{
			Name: m.text("model"), Vendor: m.text("vendor", "manufacturer"), Version: versionOf(m["version"]), Manufacturer: m.text("manufacturer", "vendor"),
		},
		OperatingSystem: system{Name: m.text("osName"), Family: m.text("osFamily", "osName"), Vendor: m.text("osVendor"), Version: versionOf(m["osVersion"])},
		Browser: browser{
			Name: m.text("browserName"), Vendor: m.text("browserVendor"), Version: versionOf(m["browserVersion"]),
			UserAgent: m.or("userAgent", s.UserAgent), OriginalUserAgent: s.UserAgent,
		},
		Display:       display{Width: m.number("displayWidth"), Height: m.number("displayHeight"), PPI: m.number("displayPpi"), Name: "DISPLAY", DiagonalSize: m.text("diagonalScreenSize")},
		ApplicationID: m.text("applicationId"),
		Connection: connection{
			IPAddress: m.or("connectionIp", s.Address), Port: m.or("connectionPort", s.Port),
			Secure: m["connectionSecure"] == "true", Type: m.text("connectionType"),
		},
	}
}

// What a User-Agent says of the system, the first that fits: the pattern finds
// the version.
var systems = []struct {
	pattern *regexp.Regexp
	is      said
}{
	{regexp.MustCompile(`Macintosh; Intel Mac OS X ([0-9_.]+)`), said{"primaryHardwareType": "Desktop", "osName": "macOS", "osVendor": "Apple", "vendor": "Apple"}},
	{regexp.MustCompile(`Windows NT ([0-9.]+)`), said{"primaryHardwareType": "Desktop", "osName": "Windows", "osVendor": "Microsoft"}},
	{regexp.MustCompile(`iPhone OS ([0-9_]+)`), said{"primaryHardwareType": "MobilePhone", "osName": "iOS", "osVendor": "Apple", "vendor": "Apple"}},
	{regexp.MustCompile(`Android ([0-9.]+)`), said{"osName": "Android", "osVendor": "Google"}},
}

// What it says of the browser: the engines name one another, so the order
// matters.
var browsers = []struct {
	pattern *regexp.Regexp
	is      said
}{
	{regexp.MustCompile(`Edg/([0-9]+)`), said{"browserName": "Edge", "browserVendor": "Microsoft"}},
	{regexp.MustCompile(`Firefox/([0-9]+)`), said{"browserName": "Firefox", "browserVendor": "Mozilla"}},
	{regexp.MustCompile(`Chrome/([0-9]+)`), said{"browserName": "Chrome", "browserVendor": "Google"}},
	{regexp.MustCompile(`Version/([0-9.]+).* Safari/`), said{"browserName": "Safari", "browserVendor": "Apple"}},
}

// recognised is what a User-Agent tells.
func recognised(agent string) said {
	m := said{}
	for _, s := range systems {
		if found := s.pattern.FindStringSubmatch(agent); found != nil {
			maps.Copy(m, s.is)
			m["osVersion"] = strings.ReplaceAll(found[1], "_", ".")
			break
		}
	}
	for _, b := range browsers {
		if found := b.pattern.FindStringSubmatch(agent); found != nil {
			maps.Copy(m, b.is)
			m["browserVersion"] = found[1]
			break
		}
	}
	return m
}

// versionOf splits a dotted version; what is unknown is 0.
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
