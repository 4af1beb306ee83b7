package adobepass_test

import (
	"encoding/base64"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
)

// GetSession returns what X-Device-Info says about the device.
func TestDeviceInfo(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	info := `{"primaryHardwareType":"SetTopBox","model":"TV 5th Gen","version":"5.2","manufacturer":"Apple","osName":"tvOS","osVendor":"Apple","osVersion":"11.0.3","displayWidth":1920,"connectionSecure":true,"connectionType":"LAN","connectionPort":"443","applicationId":"app"}`
	code := d.withHeader("X-Device-Info", base64.StdEncoding.EncodeToString([]byte(info))).withHeader("X-Forwarded-For", "198.51.100.7, 10.0.0.1").
		post("/api/v2/REF30/sessions", "").expect("create", 200).value("code")
	d.get("/api/v2/REF30/sessions/"+code).expect("device", 200, "device.type", "SetTopBox", "device.model", "TV 5th Gen", "device.version.major", "5", "device.version.minor", "2",
		"device.hardware.manufacturer", "Apple", "device.operatingSystem.name", "tvOS", "device.operatingSystem.version.patch", "3", "device.browser.name", "null",
		"device.display.width", "1920", "device.connection.secure", "true", "device.connection.type", "LAN", "device.connection.port", "443",
		"device.connection.ipAddress", "198.51.100.7", "device.applicationId", "app")
	code = d.withHeader("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0").post("/api/v2/REF30/sessions", "").value("code")
	d.get("/api/v2/REF30/sessions/"+code).expect("user agent", 200, "device.type", "Desktop", "device.operatingSystem.name", "Windows", "device.browser.name", "Firefox",
		"device.browser.version.major", "130", "device.connection.ipAddress", "192.0.2.1", "device.connection.port", "1234")
}
