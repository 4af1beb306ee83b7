package adobemedia

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// ping is the event that players send most often.
const ping = `{"eventType":"ping","playerTime":{"playhead":10.5,"ts":1509045334153},"params":{},"qoeData":{"media.qoe.bitrate":3200},"customMetadata":{}}`

// adStart is the longest documented event.
const adStart = `{"eventType":"adStart","playerTime":{"playhead":0,"ts":1509045324153},"params":{"media.ad.podFriendlyName":"ad_pod1","media.ad.name":"Ad 1",` +
	`"media.ad.id":"001","media.ad.length":15,"media.ad.podPosition":1,"media.ad.playerName":"Sample Player","media.ad.advertiser":"Ad Guys","media.ad.campaignId":"1",` +
	`"media.ad.creativeId":"42","media.ad.siteId":"XYZ","media.ad.creativeURL":"http://xyz_creative.com","media.ad.placementId":"sample_placement"},` +
	`"customMetadata":{"myCustomData1":"CustomData1","myCustomData2":"CustomData2"}}`

// startBody returns the documented sessionStart. Each call makes a new body, as
// the network does.
func startBody() []byte {
	return []byte(`{"playerTime":{"playhead":0,"ts":1509045324153},"eventType":"sessionStart","params":{"media.playerName":"sample-html5-api-player",` +
		`"analytics.trackingServer":"sample.sc.omtrdc.net","analytics.reportSuite":"sample.rsid","analytics.visitorId":"a-visitor","media.contentType":"VOD",` +
		`"media.length":60.39333333333333,"media.id":"MA API Sample Player","visitor.marketingCloudOrgId":"1234567890ABCDEF12345678@AdobeOrg","media.name":"ClickMe",` +
		`"media.channel":"sample-channel","media.sdkVersion":"va-api-0.0.0","analytics.enableSSL":false},"customMetadata":{"myCustomData":"some","myCustomData2":"more"}}`)
}

// frozenWorld makes a world with frozen clocks.
func frozenWorld(b testing.TB) *conformance.World {
	b.Helper()
	return conformance.New(b, API, conformance.Setting{Wall: func() time.Time { return conformance.Noon }})
}

func post(path string, body []byte, at ...*contract.Operation) *contract.Request {
	return &contract.Request{
		Method: http.MethodPost, Target: path, URL: &url.URL{Path: path}, Base: "http://127.0.0.1:6411", Host: "127.0.0.1:6411",
		Header: http.Header{"Content-Type": {"application/json"}}, Body: body, At: at,
	}
}

// newSessionID opens a session and returns its id.
func newSessionID(b testing.TB, w *conformance.World) string {
	b.Helper()
	e := w.Corridor(b, post(sessionsPath, startBody(), startSession, sendBatch))
	location := e.Response.Header.Get("Location")
	if e.Outcome != "created" {
		b.Fatal(e.Outcome)
	}
	return strings.TrimPrefix(location, sessionsPath+"/")
}

func eventOf(sid, body string) *contract.Request {
	r := post("/api/v1/sessions/"+sid+"/events", []byte(body), sendEvent)
	r.Path = map[string]string{"sid": sid}
	return r
}

// BenchmarkEvent measures a valid event from the checks to the journal, without
// echo and socket, while so many sessions are open. Target: 8 yardsticks and 50
// allocations at any number.
func BenchmarkEvent(b *testing.B) {
	for _, n := range []int{1, 1_000, 100_000} {
		b.Run(fmt.Sprintf("open=%d", n), func(b *testing.B) {
			w := frozenWorld(b)
			var sid string
			for range n {
				sid = newSessionID(b, w)
			}
			b.Run("ping", func(b *testing.B) { serve(b, w, eventOf(sid, ping)) })
			b.Run("adStart", func(b *testing.B) { serve(b, w, eventOf(sid, adStart)) })
		})
	}
}

func serve(b *testing.B, w *conformance.World, r *contract.Request) {
	b.ReportAllocs()
	for b.Loop() {
		if e := w.Corridor(b, r); e.Outcome != "accepted" {
			b.Fatal(e.Outcome)
		}
	}
}

// BenchmarkStart measures a sessionStart.
func BenchmarkStart(b *testing.B) {
	w := frozenWorld(b)
	r := post(sessionsPath, startBody(), startSession, sendBatch)
	b.ReportAllocs()
	for b.Loop() {
		if e := w.Corridor(b, r); e.Outcome != "created" {
			b.Fatal(e.Outcome)
		}
	}
}
