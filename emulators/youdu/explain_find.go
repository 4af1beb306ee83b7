package youdu

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// isTokenName reports whether a name is one that clients give the token.
func isTokenName(name string) bool {
	plain := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
	return plain == "accesstoken" || plain == "token"
}

func findTokenName(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	for piece := range strings.SplitSeq(c.Request.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(piece, "=")
		if name != "accessToken" && value != "" && isTokenName(name) {
			return contract.Found("got", describe(name))
		}
	}
	return nil
}

func findTokenHeader(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	for name := range c.Request.Header {
		if name == "Authorization" || isTokenName(strings.TrimPrefix(name, "X-")) {
			return contract.Found("got", name)
		}
	}
	return nil
}

func findTokenBody(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	cl := callerOf(c)
	for _, in := range []contract.Values{cl.envelope, c.In} {
		for name, x := range in {
			if isTokenName(name) && x != "" {
				return contract.Found()
			}
		}
	}
	return nil
}

// findSealedToken finds the encrypted answer of GetToken in the place of the token.
func findSealedToken(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	cl := callerOf(c)
	text := strings.ReplaceAll(cl.token, " ", "+")
	if len(text) > maxTried {
		return nil
	}
	for _, a := range cl.likelyApps() {
		if a.block == nil {
			continue
		}
		if message, fault := a.open("it", text, false); fault == nil && strings.Contains(string(message), "accessToken") {
			return &contract.Explanation{Keys: []string{a.AESKey}, Signatures: []string{cl.token}}
		}
	}
	return nil
}

// isIssued reports whether a token was issued here.
func isIssued(c *contract.Call, text string) (issued bool) {
	c.WithState(func() { issued = c.State.(*state).Tokens[text] != nil })
	return issued
}

func findUntrimmedToken(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	if !isIssued(c, strings.Trim(callerOf(c).token, " \t\r\n\"'")) {
		return nil
	}
	return contract.Found()
}

func findTokenCase(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	if !isIssued(c, strings.ToLower(callerOf(c).token)) {
		return nil
	}
	return contract.Found()
}

// findForm finds an envelope that was sent as a form.
func findForm(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	if len(c.Request.Body) > maxTried {
		return nil
	}
	body := string(c.Request.Body)
	if values, err := url.ParseQuery(body); err == nil && (values.Has("encrypt") || values.Has("buin") || values.Has("appId")) {
		return contract.Found()
	}
	if strings.HasPrefix(body, "--") && strings.Contains(body, "form-data") {
		return contract.Found()
	}
	return nil
}

func findJSON(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	if len(c.Request.Body) > maxTried {
		return nil
	}
	if _, err := wire.Object(c.Request.Body); err != nil {
		return nil
	}
	return contract.Found("operation", c.Operation.Name)
}

// unreadMessage returns what could not be read as JSON: the body, or the message
// that it holds encrypted.
func unreadMessage(c *contract.Call) []byte {
	cl := callerOf(c)
	if cl.messageErr == nil {
		return c.Request.Body
	}
	text := cl.envelope.Text("encrypt")
	if cl.keyApp == nil || cl.keyApp.block == nil {
		return []byte(text)
	}
	message, fault := cl.keyApp.open("it", text, false)
	if fault != nil {
		return []byte(text)
	}
	return message
}

func findTwice(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	text := unreadMessage(c)
	var inner string
	if len(text) > maxTried || json.Unmarshal(text, &inner) != nil {
		return nil
	}
	if _, err := wire.Object([]byte(inner)); err != nil {
		return nil
	}
	return contract.Found()
}

func findEncoding(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	text := unreadMessage(c)
	if utf8.Valid(text) || len(text) == 0 || text[0] != '{' {
		return nil
	}
	return contract.Found()
}

// findOtherNames finds the envelope of popwindow and set.ent.notice.
func findOtherNames(c *contract.Call, v contract.Verdict) *contract.Explanation {
	others := map[any]string{"appId": "app_id", "encrypt": "msg_encrypt"}
	missing, _ := v.Facts.Get("Name")
	for _, name := range []string{others[missing], "app_id", "msg_encrypt"} {
		if name != "" && callerOf(c).envelope.Has(name) {
			return contract.Found("got", name)
		}
	}
	return nil
}

func findBuinText(c *contract.Call, v contract.Verdict) *contract.Explanation {
	text, isText := callerOf(c).envelope["buin"].(string)
	if name, _ := v.Facts.Get("Name"); name != "buin" || !isText || text == "" || !isDigits(text) {
		return nil
	}
	return contract.Found()
}

// findOtherBuin finds the application under another buin than that of the envelope.
func findOtherBuin(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	cl := callerOf(c)
	id := cl.envelope.Text("appId")
	for _, a := range cl.likelyApps() {
		if id != "" && a.AppID == id {
			return contract.Found("owner", a.Buin, "appId", id, "buin", describe(cl.envelope["buin"]))
		}
	}
	return nil
}

func findAppSpelling(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	cl := callerOf(c)
	id := cl.envelope.Text("appId")
	for _, a := range cl.likelyApps() {
		if strings.EqualFold(strings.TrimSpace(id), a.AppID) {
			return contract.Found("got", describe(id), "meant", a.AppID)
		}
	}
	return nil
}

// findSwappedKey finds an EncodingAESKey in the place of the appId. The explanation
// does not repeat it.
func findSwappedKey(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	cl := callerOf(c)
	id := cl.envelope.Text("appId")
	for _, a := range cl.likelyApps() {
		if id == a.AESKey {
			return &contract.Explanation{
				Facts: contract.Facts{{Name: "owner", Value: a.AppID}, {Name: "appId", Value: "the EncodingAESKey of " + a.AppID}},
				Keys:  []string{id},
			}
		}
	}
	return nil
}

// stampOf is the time that GetToken was sent, and how far from now it may be.
func stampOf(c *contract.Call) (stamp, now, most int64, ok bool) {
	n, err := strconv.ParseInt(c.In.Text("timestamp"), 10, 64)
	return n, c.Request.Arrived.Unix(), c.Switches.Int("strict_time"), err == nil
}

func findMilliseconds(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	stamp, now, most, ok := stampOf(c)
	if !ok || stamp/1000 < now-most || stamp/1000 > now+most {
		return nil
	}
	return contract.Found()
}

func findZone(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	const far = 1 << 32 // seconds, that a Duration holds
	stamp, now, _, ok := stampOf(c)
	if !ok || stamp < now-far || stamp > now+far {
		return nil
	}
	zone := contract.ZoneOf(time.Duration(stamp-now) * time.Second)
	if zone == 0 {
		return nil
	}
	return contract.Found("zone", zone.String())
}

// mistyped returns the first violation that the verdict may be about.
func mistyped(c *contract.Call, v contract.Verdict) (row *contract.Param, got any) {
	name, _ := v.Facts.Get("Name")
	for i := range c.Violations {
		if f := &c.Violations[i]; f.Path == name && f.Param != nil && f.Rule == contract.Mistyped {
			return f.Param, f.Got
		}
	}
	return &contract.Param{}, nil
}

func findQuoted(c *contract.Call, v contract.Verdict) *contract.Explanation {
	row, got := mistyped(c, v)
	text, isText := got.(string)
	if _, fits := row.Type.Convert(contract.Raw(text)); !isText || !fits {
		return nil
	}
	return contract.Found()
}

func findUnquoted(c *contract.Call, v contract.Verdict) *contract.Explanation {
	row, got := mistyped(c, v)
	if _, number := got.(json.Number); !number || row.Type != contract.String {
		return nil
	}
	return contract.Found()
}

func findSingle(c *contract.Call, v contract.Verdict) *contract.Explanation {
	row, got := mistyped(c, v)
	if row.Type != contract.List {
		return nil
	}
	if _, fits := row.Of.Convert(got); !fits {
		return nil
	}
	return contract.Found()
}
