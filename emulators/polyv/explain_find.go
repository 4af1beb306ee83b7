package polyv

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// around are characters that stand around values which were not trimmed.
const around = " \t\r\n\"'"

// sentAs finds a parameter that goes by one of other names, case aside.
func sentAs(c *contract.Call, names ...string) (name string, found bool) {
	for _, p := range callerOf(c).pairs {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, p.name) && p.value != "" }) {
			return p.name, true
		}
	}
	return "", false
}

// findParameter explains a parameter that is missing by one of another name.
func findParameter(c *contract.Call, names ...string) *contract.Explanation {
	name, found := sentAs(c, names...)
	if !found {
		return nil
	}
	return contract.Found("param", quote(name))
}

func findSign(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return findParameter(c, "sign", "signature")
}

func findAppIDName(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return findParameter(c, "appId", "app_id", "appKey")
}

// findMethod finds SHA-256 under another name than SHA256.
func findMethod(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	letters := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToUpper(callerOf(c).value("signatureMethod")))
	if strings.TrimPrefix(letters, "HMAC") != "SHA256" {
		return nil
	}
	return contract.Found()
}

// findJSONProtocol finds the appId in a JSON body.
func findJSONProtocol(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	if len(c.Request.Body) > maxGuessed {
		return nil
	}
	if in, err := wire.Object(c.Request.Body); err != nil || !in.Has("appId") {
		return nil
	}
	return contract.Found()
}

// applicationWhere returns the appId of the first of the applications that fits.
func applicationWhere(c *contract.Call, fits func(application) bool) (appID string, found bool) {
	all := callerOf(c).otherApplications(c)
	if i := slices.IndexFunc(all, fits); i >= 0 {
		return all[i].AppID, true
	}
	return "", false
}

func findUserID(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	owner, found := applicationWhere(c, func(a application) bool { return a.UserID == callerOf(c).appID })
	if !found {
		return nil
	}
	return contract.Found("owner", owner)
}

// findSwappedSecret finds an appSecret in the place of the appId. The explanation
// does not repeat it.
func findSwappedSecret(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	sent := callerOf(c).appID
	owner, found := applicationWhere(c, func(a application) bool { return a.AppSecret == sent })
	if !found {
		return nil
	}
	return &contract.Explanation{
		Facts: contract.Facts{{Name: "owner", Value: owner}, {Name: "appId", Value: "the appSecret of " + owner}},
		Keys:  []string{sent},
	}
}

func findUntrimmedAppID(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	plain := strings.Trim(callerOf(c).appID, around)
	owner, found := applicationWhere(c, func(a application) bool { return a.AppID == plain })
	if !found {
		return nil
	}
	return contract.Found("owner", owner)
}

// findUnit finds a timestamp that is right in a smaller unit.
func findUnit(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	stamp, err := strconv.ParseInt(callerOf(c).timestamp, 10, 64)
	if err != nil {
		return nil
	}
	now := c.ServerTime()
	for _, unit := range []struct {
		name string
		now  int64
		each int64 // in a second
	}{{"microseconds", now.UnixMicro(), 1e6}, {"nanoseconds", now.UnixNano(), 1e9}} {
		if away := stamp - unit.now; max(away, -away) <= int64(c.Switches.Duration("timestamp_window").Seconds())*unit.each {
			return contract.Found("unit", unit.name)
		}
	}
	return nil
}

func findDate(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	if !isDateText(callerOf(c).timestamp) {
		return nil
	}
	return contract.Found()
}

// isDateText reports whether a text is a date in one of the forms that programs
// write.
func isDateText(s string) bool {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly, "2006/01/02 15:04:05", "2006/01/02", "20060102", "20060102150405", "2006-01-02 15:04", "2006-1-2", time.RFC1123} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

func findFraction(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	stamp := callerOf(c).timestamp
	if _, err := strconv.ParseFloat(stamp, 64); err != nil || !strings.ContainsAny(stamp, ".eE") {
		return nil
	}
	return contract.Found()
}

// findZone finds a skew that is the offset of a time zone.
func findZone(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	stamp, _ := strconv.ParseInt(callerOf(c).timestamp, 10, 64) // 13 digits
	zone := contract.ZoneOf(time.UnixMilli(stamp).Sub(c.ServerTime()))
	if zone == 0 {
		return nil
	}
	return contract.Found("zone", zone.String())
}

// findPath finds a path that differs from an operation's in case or in slashes.
func findPath(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	plain := "/" + strings.Trim(strings.ReplaceAll(c.Request.URL.Path, "//", "/"), "/")
	for _, op := range operations {
		before, _, _ := strings.Cut(op.Path, "{")
		if strings.EqualFold(plain, op.Path) || before != op.Path && len(plain) > len(before) && strings.EqualFold(plain[:len(before)], before) {
			return contract.Found("meant", strings.ReplaceAll(strings.ReplaceAll(op.Path, "{", "<"), "}", ">"))
		}
	}
	return nil
}

func findName(c *contract.Call, v contract.Verdict) *contract.Explanation {
	missing, _ := v.Facts.Get("param")
	text, _ := missing.(string)
	name, found := sentAs(c, text)
	if !found || name == text {
		return nil
	}
	return contract.Found("got", quote(name))
}

// textOf is the value of the parameter that a verdict names.
func textOf(c *contract.Call, v contract.Verdict) string {
	name, _ := v.Facts.Get("param")
	text, _ := name.(string)
	return c.In.Text(text)
}

func findUntrimmedNumber(c *contract.Call, v contract.Verdict) *contract.Explanation {
	if !digits(strings.Trim(textOf(c, v), around)) {
		return nil
	}
	return contract.Found()
}

func findDateForm(c *contract.Call, v contract.Verdict) *contract.Explanation {
	if !isDateText(textOf(c, v)) {
		return nil
	}
	return contract.Found()
}
