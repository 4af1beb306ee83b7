package tencentcar

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// quoted is a client's text as explanations show it.
func quoted(s string) string { return fmt.Sprintf("%.80q", s) }

// authorizationPart returns a part of the Authorization header of a malformed
// header: the value behind name=.
func authorizationPart(c *contract.Call, name string) string {
	_, value, _ := strings.Cut(header(c.Request.Header, "Authorization"), name+"=")
	value, _, _ = strings.Cut(value, ",")
	return strings.TrimSpace(value)
}

// hasFault reports whether a part of the Authorization header is the malformed one.
func hasFault(c *contract.Call, part string) bool { return callerOf(c).auth.fault == part }

// findAlgorithm finds a header that begins with the name of another algorithm.
func findAlgorithm(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	name, _, _ := strings.Cut(header(c.Request.Header, "Authorization"), " ")
	if !hasFault(c, "`Algorithm`") || !strings.Contains(strings.ToUpper(name), "HMAC") {
		return nil
	}
	return contract.Found("algorithm", quoted(name))
}

// findDayFormat finds a day without hyphens, as in other clouds' credentials.
func findDayFormat(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	parts := strings.Split(authorizationPart(c, "Credential"), "/")
	if !hasFault(c, "`Date` in Credential") || len(parts) < 2 {
		return nil
	}
	for _, layout := range []string{"20060102", "2006-1-2", "06-01-02", "02-01-2006"} {
		if _, err := time.Parse(layout, parts[1]); err == nil {
			return contract.Found("day", quoted(parts[1]))
		}
	}
	return nil
}

// findScopeEnd finds a scope that ends in another word, or lacks its end.
func findScopeEnd(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	credential := authorizationPart(c, "Credential")
	if !hasFault(c, "`Service` in Credential") || strings.HasSuffix(credential, scopeSuffix) {
		return nil
	}
	return contract.Found("end", quoted(credential[strings.LastIndexByte(credential, '/')+1:]))
}

// findHeaderCase finds names of signed headers in upper case.
func findHeaderCase(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	list := callerOf(c).auth.signedHeaders
	folded := authorization{signedHeaders: strings.ToLower(list)}
	if !hasFault(c, "`SignedHeaders`") || len(list) > maxSigned || !folded.signsHeader("host") || !folded.signsHeader("content-type") {
		return nil
	}
	return contract.Found("list", quoted(list))
}

// findLackingHeader finds a list without one of the headers that are always signed.
func findLackingHeader(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	a := &callerOf(c).auth
	if !hasFault(c, "`SignedHeaders`") || len(a.signedHeaders) > maxSigned {
		return nil
	}
	var lacks []string
	for _, name := range []string{"content-type", "host"} {
		if !a.signsHeader(name) {
			lacks = append(lacks, name)
		}
	}
	return contract.Found("list", quoted(a.signedHeaders), "lacks", strings.Join(lacks, " and "))
}

// findBase64Signature finds a digest that is written in base64 of either alphabet.
func findBase64Signature(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	text := strings.TrimRight(callerOf(c).auth.signature, "=")
	if !hasFault(c, "`Signature`") {
		return nil
	}
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if raw, err := alphabet.DecodeString(text); err == nil && len(raw) == 32 {
			return contract.Found()
		}
	}
	return nil
}

// findLocalDay finds the day before or after the UTC day of the timestamp.
func findLocalDay(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	cl := callerOf(c)
	at := time.Unix(cl.unixTime, 0).UTC()
	for _, days := range []int{-1, 1} {
		if at.AddDate(0, 0, days).Format(time.DateOnly) == cl.auth.date {
			return contract.Found()
		}
	}
	return nil
}

// findUnit finds a timestamp that is right in a smaller unit.
func findUnit(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	stamp, now := callerOf(c).unixTime, c.ServerTime().Unix()
	for _, unit := range []struct {
		name  string
		parts int64
	}{{"milliseconds", 1e3}, {"microseconds", 1e6}, {"nanoseconds", 1e9}} {
		if n := stamp / unit.parts; n >= now-maxSkew && n <= now+maxSkew {
			return contract.Found("unit", unit.name, "timestamp", stamp)
		}
	}
	return nil
}

// findZone finds a skew that is the offset of a time zone.
func findZone(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	const most = 1 << 32 // seconds, that a Duration holds
	skew := callerOf(c).unixTime - c.ServerTime().Unix()
	if skew < -most || skew > most {
		return nil
	}
	zone := contract.ZoneOf(time.Duration(skew) * time.Second)
	if zone == 0 {
		return nil
	}
	return contract.Found("zone", zone.String())
}

// findTimestampForm finds a time that is written in another way than as a whole
// number.
func findTimestampForm(c *contract.Call, v contract.Verdict) *contract.Explanation {
	stamp := callerOf(c).timestamp
	if name, _ := v.Facts.Get("Name"); name != "Timestamp" {
		return nil
	}
	if _, err := strconv.ParseFloat(stamp, 64); err == nil {
		return contract.Found("got", quoted(stamp), "what", "a number with a fraction")
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, "20060102T150405Z", time.RFC1123, time.ANSIC} {
		if _, err := time.Parse(layout, stamp); err == nil {
			return contract.Found("got", quoted(stamp), "what", "a date")
		}
	}
	return nil
}

// accountWhere returns the SecretId of the first of the accounts that fits.
func accountWhere(c *contract.Call, fits func(account) bool) (secretID string, found bool) {
	all := otherAccounts(c, callerOf(c))
	if i := slices.IndexFunc(all, fits); i >= 0 {
		return all[i].SecretID, true
	}
	return "", false
}

// findSwappedKey finds a secret key in the place of the SecretId. The explanation
// does not repeat it.
func findSwappedKey(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	sent := callerOf(c).secretID
	owner, found := accountWhere(c, func(a account) bool { return equalSecret(a.SecretKey, sent) })
	if !found {
		return nil
	}
	return &contract.Explanation{
		Facts: contract.Facts{{Name: "owner", Value: owner}, {Name: "SecretId", Value: "the secret key of " + owner}},
		Keys:  []string{sent},
	}
}

// findUntrimmedID finds a SecretId with white space or quotes around it.
func findUntrimmedID(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	plain := strings.Trim(callerOf(c).secretID, " \t\r\n\"'")
	owner, found := accountWhere(c, func(a account) bool { return a.SecretID == plain })
	if !found {
		return nil
	}
	return contract.Found("owner", owner)
}

func findMissingToken(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	if callerOf(c).token != "" {
		return nil
	}
	return contract.Found()
}

func findOthersToken(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	sent := callerOf(c).token
	owner, found := accountWhere(c, func(a account) bool { return a.Token != "" && equalSecret(a.Token, sent) })
	if !found {
		return nil
	}
	return contract.Found("owner", owner)
}

func findAction(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	for _, op := range operations {
		if strings.EqualFold(op.Name, callerOf(c).action) {
			return contract.Found("meant", op.Name)
		}
	}
	return nil
}

// findJSON finds a JSON object that was sent as a form.
func findJSON(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	var object map[string]json.RawMessage
	if len(c.Request.Body) > maxRewritten || json.Unmarshal(c.Request.Body, &object) != nil {
		return nil
	}
	return contract.Found()
}

// findForm finds a form of parameters of the operation that was sent as JSON.
func findForm(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	if len(c.Request.Body) > maxRewritten {
		return nil
	}
	values, err := url.ParseQuery(string(c.Request.Body))
	if err != nil {
		return nil
	}
	for name := range values {
		if name == "Action" || contract.FindParam(c.Operation.Params, name) != nil {
			return contract.Found()
		}
	}
	return nil
}

// violated returns the row and the value of the violation that the verdict names.
func violated(c *contract.Call, v contract.Verdict) (row *contract.Param, got any) {
	name, _ := v.Facts.Get("Name")
	for i := range c.Violations {
		if f := &c.Violations[i]; f.Path == name && f.Rule == contract.Mistyped {
			return f.Param, f.Got
		}
	}
	return nil, nil
}

// findName finds a parameter whose name differs from a row's in its case alone.
func findName(c *contract.Call, v contract.Verdict) *contract.Explanation {
	path, _ := v.Facts.Get("Name")
	name, _ := path.(string)
	for _, p := range c.Operation.Params {
		if strings.EqualFold(p.Name, name) {
			return contract.Found("meant", p.Name, "Action", c.Operation.Name)
		}
	}
	return nil
}

// findUnquoted finds a number or a truth value in the place of a string.
func findUnquoted(c *contract.Call, v contract.Verdict) *contract.Explanation {
	row, got := violated(c, v)
	if row == nil || row.Type != contract.String {
		return nil
	}
	switch got.(type) {
	case json.Number, bool:
		return contract.Found("got", fmt.Sprintf("%.80v", got))
	}
	return nil
}
