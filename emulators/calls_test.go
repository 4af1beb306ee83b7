package emulators_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// A mainCall is a call that clients of an API make most often.
type mainCall struct {
	api, operation, outcome string
	in                      contract.Values
	set                     map[string]string // switches

	// before makes what has to be there: it returns further values of the call, and
	// credentials that it got.
	before func(testing.TB, *conformance.World) (in, credentials contract.Values)

	unfit string // a condition of scenarios that the call does not fulfil

	// prove verifies the call as a handler would that was written by hand. nil: the
	// service asks for no proof.
	prove func(r *contract.Request, credentials contract.Values) error

	allocations float64 // of one call, from its identifiers to the closed journal entry
}

// mainCalls are the calls that are measured. A change that needs more allocations than the
// table allows has to say why; one that needs fewer lowers the number.
var mainCalls = []mainCall{
	{
		api: "tencentcar", operation: "CreateSession", outcome: "success", set: map[string]string{"rate_limits": "off"},
		in:    contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="},
		unfit: "where: {UserId: nobody}", prove: proveTC3, allocations: 26,
	},
	{
		api: "adobemedia", operation: "StartSession", outcome: "created",
		in: contract.Values{
			"playerTime": contract.Values{"playhead": 0, "ts": 1509045324153},
			"params": contract.Values{
				"media.playerName": "sample-html5-api-player", "analytics.trackingServer": "sample.sc.omtrdc.net", "analytics.reportSuite": "sample.rsid",
				"analytics.visitorId": "a-visitor", "media.contentType": "VOD", "media.length": 60.39333333333333, "media.id": "MA API Sample Player",
				"visitor.marketingCloudOrgId": "1234567890ABCDEF12345678@AdobeOrg", "media.name": "ClickMe", "media.channel": "sample-channel",
				"media.sdkVersion": "va-api-0.0.0", "analytics.enableSSL": false,
			},
			"customMetadata": contract.Values{"myCustomData": "some", "myCustomData2": "more"},
		},
		unfit: "where: {params.media.id: other}", allocations: 55,
	},
	{
		api: "adobemedia", operation: "SendEvent", outcome: "accepted", before: startSession,
		in: contract.Values{
			"eventType": "ping", "playerTime": contract.Values{"playhead": 10.5, "ts": 1509045334153}, "params": contract.Values{},
			"qoeData": contract.Values{"media.qoe.bitrate": 3200}, "customMetadata": contract.Values{},
		},
		unfit: "where: {sid: other}", allocations: 25,
	},
	{
		api: "adobepass", operation: "CreateSession", outcome: "authenticate", before: getToken, in: deviceOf(contract.Values{
			"mvpd": "Cablevision", "domainName": "adobe.com", "redirectUrl": "https://adobe.com",
		}),
		unfit: "where: {mvpd: other}", prove: proveRS256, allocations: 46,
	},
	{
		api: "adobepass", operation: "GetProfiles", outcome: "success", before: logIn, in: deviceOf(contract.Values{}),
		unfit: "where: {serviceProvider: other}", prove: proveRS256, allocations: 25,
	},
	{
		api: "polyv", operation: "ListSessionData", outcome: "success", in: contract.Values{"channelId": "2272655", "page": "1", "pageSize": "10"},
		unfit: "where: {channelId: other}", prove: proveSign, allocations: 23,
	},
	{
		api: "polyv", operation: "ListLiveStatus", outcome: "success", in: contract.Values{"channelIds": "2272655,2272656"},
		unfit: "where: {channelIds: other}", prove: proveSign, allocations: 25,
	},
	{
		api: "youdu", operation: "GetToken", outcome: "success", in: contract.Values{},
		unfit: "state: over", prove: proveEnvelope, allocations: 36,
	},
	{
		api: "youdu", operation: "CreateSession", outcome: "success", in: contract.Values{
			"title": "测试创建会话", "creator": "test1", "type": "multi", "member": []any{"test1", "test2", "test3"},
		},
		unfit: "where: {creator: other}", prove: proveEnvelope, allocations: 51,
	},
	{
		api: "youdu", operation: "SendMessage", outcome: "success", in: contract.Values{
			"sessionId": "{8AD595F3-73B3-4B56-90AF-F336F9222FC5}", "sender": "test1", "msgType": "text", "text": contract.Values{"content": "hi"},
		},
		unfit: "where: {sender: other}", prove: proveEnvelope, allocations: 32,
	},
}

func apiOf(name string) *contract.API {
	i := slices.IndexFunc(emulators.All, func(a *contract.API) bool { return a.Name == name })
	return emulators.All[i]
}

func (m *mainCall) name() string { return m.api + "/" + m.operation }

// deviceOf adds what the clients of adobepass send about their device.
func deviceOf(in contract.Values) contract.Values {
	in["serviceProvider"] = "REF30"
	in["AP-Device-Identifier"] = "fingerprint YmEyM2QxNDEtZDcxNS01NjFjLTk0ZjQtZTllNGM5NjZiMWVi"
	in["X-Device-Info"] = "ewoJInByaW1hcnlIYXJkd2FyZVR5cGUiOiAiU2V0VG9wQm94IiwKCSJtb2RlbCI6ICJUViA1dGggR2VuIiwKCSJtYW51ZmFjdHVyZXIiOiAiQXBwbGUiLAoJIm9zTmFtZSI6ICJ0dk9TIgoJIm9zVmVuZG9yIjogIkFwcGxlIiwKCSJvc1ZlcnNpb24iOiAiMTEuMCIKfQ=="
	return in
}

// A prepared is a mainCall in a world of its own, in which 10 scenarios about its operation
// are on. It is signed, and ready to be sent any number of times.
type prepared struct {
	*mainCall
	world       *conformance.World
	request     *contract.Request
	credentials contract.Values
}

func (m *mainCall) prepare(t testing.TB) *prepared {
	t.Helper()
	api := apiOf(m.api)
	w := conformance.New(t, api, conformance.Setting{Set: m.set, Wall: func() time.Time { return conformance.Noon }})
	p := &prepared{mainCall: m, world: w, credentials: w.Credentials(t)}
	in := maps.Clone(m.in)
	if m.before != nil {
		more, credentials := m.before(t, w)
		maps.Copy(in, more)
		maps.Copy(p.credentials, credentials)
	}
	m.activate(t, w)
	p.request = handedOver(t, w, m.operation, in, p.credentials)
	if e := w.Corridor(t, p.request); e.Outcome != m.outcome || e.DecidedBy.Kind != journal.Emulator {
		t.Fatalf("%s ended in %s, decided by %v, and %s of the emulator was expected: %s", m.name(), e.Outcome, e.DecidedBy, m.outcome, e.Response.Body)
	}
	return p
}

// activate switches on 10 scenarios that do not fit the call.
func (m *mainCall) activate(t testing.TB, w *conformance.World) {
	t.Helper()
	const active = 10
	files := fstest.MapFS{}
	for i := range active {
		text := fmt.Sprintf("scenario: s%d\napi: %s\nrules:\n  - {operation: %s, %s, outcome: %s, then: over}\n", i, m.api, m.operation, m.unfit, m.outcome)
		files[fmt.Sprintf("%s/s%d.yaml", m.api, i)] = &fstest.MapFile{Data: []byte(text)}
	}
	l := library.New([]*contract.API{w.API})
	if err := l.Add(files, "bench"); err != nil {
		t.Fatal(err)
	}
	for i := range active {
		w.Sandbox.Player.On(l.InForce(fmt.Sprintf("%s/s%d", m.api, i)), scenario.Options{})
	}
}

// handedOver makes a signed request as the gateway hands it over.
func handedOver(t testing.TB, w *conformance.World, operation string, in, credentials contract.Values) *contract.Request {
	t.Helper()
	op, host := w.API.Operation(operation), "api.example"
	if names := w.API.HostNames(); len(names) > 0 {
		host = names[0]
	}
	r, err := w.API.Sign(contract.Draft{Operation: op, In: in, Host: host, Credentials: credentials, Now: conformance.Noon})
	if err != nil {
		t.Fatal(err)
	}
	r.Target, r.Base, r.Client = r.URL.RequestURI(), "http://"+host, "192.0.2.1:1234"
	for _, other := range w.API.Operations {
		if other.Path == op.Path {
			r.At = append(r.At, other)
		}
	}
	for i := range op.Params {
		if p := &op.Params[i]; p.In == contract.Path {
			if r.Path == nil {
				r.Path = map[string]string{}
			}
			r.Path[p.Name] = in.Text(p.Name)
		}
	}
	return r
}

// startSession opens the session to which events are sent.
func startSession(t testing.TB, w *conformance.World) (in, credentials contract.Values) {
	e := w.Corridor(t, handedOver(t, w, "StartSession", contract.Values{}, w.Credentials(t)))
	location := e.Response.Header.Get("Location")
	return contract.Values{"sid": location[strings.LastIndexByte(location, '/')+1:]}, nil
}

// getToken asks for an access token that is verified by its signature, as none of the
// fixture's is.
func getToken(t testing.TB, w *conformance.World) (in, credentials contract.Values) {
	e := w.Corridor(t, handedOver(t, w, "CreateToken", contract.Values{
		"client_id": "s6BhdRkqt3", "client_secret": "t7AkePiru4", "grant_type": "client_credentials",
	}, contract.Values{}))
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(e.Response.Body, &answer); err != nil || answer.Token == "" {
		t.Fatalf("got %s %v, and an access token was expected", e.Response.Body, err)
	}
	return nil, contract.Values{"accessToken": answer.Token}
}

// logIn has a user of the device log in.
func logIn(t testing.TB, w *conformance.World) (in, credentials contract.Values) {
	_, credentials = getToken(t, w)
	e := w.Corridor(t, handedOver(t, w, "CreateSession", deviceOf(contract.Values{
		"mvpd": "Cablevision", "domainName": "adobe.com", "redirectUrl": "https://adobe.com",
	}), credentials))
	var answer struct {
		Code string `json:"code"`
	}
	if err := json.Unmarshal(e.Response.Body, &answer); err != nil {
		t.Fatal(err)
	}
	if err := w.Trigger(t, "login", contract.Values{"code": answer.Code}); err != nil {
		t.Fatal(err)
	}
	return nil, credentials
}

// call takes the request through the corridor, after what leads to its sandbox was read of it
// as where there are several.
func (p *prepared) call(t testing.TB) *journal.Entry {
	r := *p.request
	p.world.API.Identifiers(&r)
	e := p.world.Corridor(t, &r)
	if e.Outcome != p.outcome {
		t.Fatalf("%s ended in %s, and %s was expected", p.name(), e.Outcome, p.outcome)
	}
	return e
}

// echo returns a handler without understudy: it decodes the parameters of the request and
// encodes the answer that understudy gave.
func (p *prepared) echo(t testing.TB) func() {
	t.Helper()
	var answer any
	if body := p.call(t).Response.Body; len(body) > 0 {
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatal(err)
		}
	}
	r := p.request
	isJSON := len(r.Body) > 0 && r.Body[0] == '{'
	return func() {
		if isJSON {
			var in map[string]any
			if err := json.Unmarshal(r.Body, &in); err != nil {
				t.Fatal(err)
			}
		} else if _, err := url.ParseQuery(string(r.Body) + r.URL.RawQuery); err != nil {
			t.Fatal(err)
		}
		if answer == nil {
			return
		}
		if _, err := json.Marshal(answer); err != nil {
			t.Fatal(err)
		}
	}
}

// byHand returns echo behind the verification of the request, or nil where the service asks
// for no proof.
func (p *prepared) byHand(t testing.TB) func() {
	t.Helper()
	echo := p.echo(t)
	if p.prove == nil {
		return nil
	}
	return func() {
		if err := p.prove(p.request, p.credentials); err != nil {
			t.Fatal(err)
		}
		echo()
	}
}
