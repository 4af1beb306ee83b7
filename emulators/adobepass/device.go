package adobepass

import (
	"encoding/json"
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

// device reads the device that created the session off its X-Device-Info. What
// cannot be read, as the JSON of all samples cannot, leaves an unknown one.
func (s *session) device() *device {
	plain, _ := unbase64(s.DeviceInfo)
	var said map[string]any
	_ = json.Unmarshal(plain, &said)
	text := func(names ...string) *string {
		for _, name := range names {
			switch x := said[name].(type) {
			case string:
				return &x
			case bool:
				t := strconv.FormatBool(x)
				return &t
			case float64:
				t := strconv.FormatFloat(x, 'f', -1, 64)
				return &t
			}
		}
		return nil
	}
	number := func(name string) int {
		if t := text(name); t != nil {
			n, _ := strconv.Atoi(*t)
			return n
		}
		return 0
	}
	or := func(t *string, other string) string {
		if t == nil {
			return other
		}
		return *t
	}
	kind := or(text("primaryHardwareType"), "Unknown")
	return &device{
		Type: &kind, Model: text("model"), Version: versionOf(text("version")),
		Hardware: hardware{
			Name: text("model"), Vendor: text("vendor", "manufacturer"), Version: versionOf(text("version")), Manufacturer: text("manufacturer", "vendor"),
		},
		OperatingSystem: system{Name: text("osName"), Family: text("osFamily", "osName"), Vendor: text("osVendor"), Version: versionOf(text("osVersion"))},
		Browser: browser{
			Name: text("browserName"), Vendor: text("browserVendor"), Version: versionOf(text("browserVersion")),
			UserAgent: or(text("userAgent"), s.UserAgent), OriginalUserAgent: s.UserAgent,
		},
		Display:       display{Width: number("displayWidth"), Height: number("displayHeight"), PPI: number("displayPpi"), Name: "DISPLAY", DiagonalSize: text("diagonalScreenSize")},
		ApplicationID: text("applicationId"),
		Connection: connection{
			IPAddress: or(text("connectionIp"), s.Address), Port: or(text("connectionPort"), s.Port),
			Secure: or(text("connectionSecure"), "") == "true", Type: text("connectionType"),
		},
	}
}

// versionOf splits a dotted version; what is unknown is 0.
func versionOf(t *string) *version {
	v := &version{}
	if t == nil {
		return v
	}
	parts := strings.SplitN(*t, ".", 4)
	for i, at := range [...]*int{&v.Major, &v.Minor, &v.Patch} {
		if i < len(parts) {
			*at, _ = strconv.Atoi(parts[i])
		}
	}
	return v
}
