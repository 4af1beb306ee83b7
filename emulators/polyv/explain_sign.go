package polyv

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A variation is what a client may have done otherwise.
type variation struct {
	facts []any // that fill the places of the row
	make  func(*attempt)
}

// signed tries the variations of a row. If the result of one is the client's sign,
// the client made this mistake.
func signed(list func(*contract.Call, *caller) []variation) func(*contract.Call, contract.Verdict) *contract.Explanation {
	return func(c *contract.Call, _ contract.Verdict) *contract.Explanation {
		ca := callerOf(c)
		right := ca.rightAttempt()
		if len(right.separator()) > maxGuessed/2 {
			return nil
		}
		for _, v := range list(c, ca) {
			a := right
			v.make(&a)
			if a.sum() != ca.sign {
				continue
			}
			e := contract.Found(v.facts...)
			e.Got, e.Keys = "Text: "+a.masked()+"\n\nSign: "+ca.sign, []string{a.head, a.tail}
			if e.FirstDifference = firstDifference(right.masked(), a.masked()); e.FirstDifference == "" {
				e.FirstDifference = "the texts are the same; what is made of them is not"
			}
			ca.maskTexts(c, e)
			return e
		}
		return nil
	}
}

// change is a row of one variation.
func change(f func(*attempt)) func(*contract.Call, *caller) []variation {
	return func(*contract.Call, *caller) []variation { return []variation{{make: f}} }
}

func tryLowerCase(*contract.Call, *caller) []variation {
	return []variation{
		{[]any{"signed", "parameters without a value are left out of it, as documented"}, func(a *attempt) { a.lower = true }},
		{[]any{"signed", "parameters without a value are signed, too"}, func(a *attempt) { a.lower, a.empties = true, true }},
	}
}

func trySHA256(*contract.Call, *caller) []variation {
	return []variation{
		{make: func(a *attempt) { a.hash = sha256Hash }},
		{make: func(a *attempt) { a.hash, a.pairs = sha256Hash, withPair(a.pairs, pair{"signatureMethod", "SHA256"}) }},
	}
}

func tryMD5(*contract.Call, *caller) []variation {
	return []variation{
		{make: func(a *attempt) { a.hash = md5Hash }},
		{make: func(a *attempt) { a.hash, a.pairs = md5Hash, leaveOut(a.pairs, "signatureMethod") }},
	}
}

// secretInstead signs with another text in place of the secret, which is shown by
// its name.
func secretInstead(secret, name string, facts ...any) variation {
	return variation{facts, func(a *attempt) { a.head, a.tail, a.headName, a.tailName = secret, secret, name, name }}
}

func tryAppID(_ *contract.Call, ca *caller) []variation {
	return []variation{secretInstead(ca.appID, "{appId}")}
}

func tryUserID(_ *contract.Call, ca *caller) []variation {
	return []variation{secretInstead(ca.application.UserID, "{userId}")}
}

func tryUntrimmedSecret(_ *contract.Call, ca *caller) (list []variation) {
	for _, around := range [][2]string{{"", "\n"}, {"", "\r\n"}, {"", " "}, {" ", ""}, {`"`, `"`}, {"'", "'"}} {
		list = append(list, secretInstead(around[0]+ca.application.AppSecret+around[1], around[0]+secretName+around[1]))
	}
	return list
}

func tryOtherSecrets(c *contract.Call, ca *caller) (list []variation) {
	for _, other := range ca.otherApplications(c) {
		list = append(list, secretInstead(other.AppSecret, "{appSecret of "+other.AppID+"}", "owner", other.AppID))
	}
	return list
}

// otherApplications returns the applications whose secrets the client may have used.
func (ca *caller) otherApplications(c *contract.Call) []application {
	var list []application
	c.WithState(func() {
		for _, a := range c.State.(*state).Applications {
			if a.AppSecret != ca.application.AppSecret && len(list) < maxOmitted {
				list = append(list, a)
			}
		}
	})
	return list
}

func tryOrders(c *contract.Call, ca *caller) []variation {
	sent := inOrderSent(c.Request)
	folded := slices.Clone(ca.pairs)
	slices.SortStableFunc(folded, func(a, b pair) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	reversed := slices.Clone(ca.pairs)
	slices.Reverse(reversed)
	return []variation{
		{[]any{"order", "in the order in which it sent them"}, func(a *attempt) { a.pairs = sent }},
		{[]any{"order", "sorted without regard to upper and lower case"}, func(a *attempt) { a.pairs = folded }},
		{[]any{"order", "sorted from the last name to the first"}, func(a *attempt) { a.pairs = reversed }},
	}
}

// withValues changes the values of parameters.
func withValues(pairs []pair, change func(string) string) []pair {
	pairs = slices.Clone(pairs)
	for i := range pairs {
		pairs[i].value = change(pairs[i].value)
	}
	return pairs
}

func plusForSpace(s string) string { return strings.ReplaceAll(s, " ", "+") }

func spaceAsHex(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func decodedOnceMore(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func tryEncoded(*contract.Call, *caller) []variation {
	return []variation{
		{make: func(a *attempt) { a.pairs = withValues(a.pairs, url.QueryEscape) }},
		{make: func(a *attempt) { a.pairs = withValues(a.pairs, spaceAsHex) }},
	}
}

func trySeparators(*contract.Call, *caller) []variation {
	equals := func(p pair) string { return p.name + "=" + p.value }
	return []variation{
		{[]any{"separators", "= between name and value"}, func(a *attempt) { a.write = equals }},
		{[]any{"separators", "= and &"}, func(a *attempt) { a.write, a.join = equals, "&" }},
		{[]any{"separators", "& between the parameters"}, func(a *attempt) { a.join = "&" }},
	}
}

// tryLastOfEach signs the last value of each name.
func tryLastOfEach(c *contract.Call, _ *caller) []variation {
	pairs := inOrderSent(c.Request)
	slices.Reverse(pairs)
	pairs = firstOfEach(pairs)
	return []variation{{make: func(a *attempt) { a.pairs = pairs }}}
}

func tryQueryAlone(c *contract.Call, _ *caller) []variation {
	pairs := firstOfEach(split(c.Request.URL.RawQuery))
	return []variation{{make: func(a *attempt) { a.pairs = pairs }}}
}

func tryFormAlone(c *contract.Call, _ *caller) []variation {
	pairs := firstOfEach(split(string(c.Request.Body)))
	return []variation{{make: func(a *attempt) { a.pairs = pairs }}}
}

func tryUserIDSigned(_ *contract.Call, ca *caller) []variation {
	return []variation{{make: func(a *attempt) { a.pairs = withPair(a.pairs, pair{"userId", ca.application.UserID}) }}}
}

func tryProtocolAlone(_ *contract.Call, ca *caller) []variation {
	return []variation{{make: func(a *attempt) { a.pairs = ca.selected("appId", "timestamp") }}}
}

func tryBody(c *contract.Call, _ *caller) []variation {
	if len(c.Request.Body) > maxGuessed {
		return nil
	}
	return []variation{{make: func(a *attempt) { a.tail, a.tailName = string(c.Request.Body)+a.tail, "{body}"+a.tailName }}}
}

// tryTimestamps signs the times of a client that asks twice, or in seconds.
func tryTimestamps(_ *contract.Call, ca *caller) (list []variation) {
	stamp, err := strconv.ParseInt(ca.timestamp, 10, 64)
	if err != nil {
		return nil
	}
	try := func(n int64) {
		text := strconv.FormatInt(n, 10)
		list = append(list, variation{[]any{"signed", text, "sent", ca.timestamp}, func(a *attempt) {
			a.pairs = withPair(leaveOut(a.pairs, "timestamp"), pair{"timestamp", text})
		}})
	}
	try(stamp / 1000)
	try(stamp / 1000 * 1000)
	for ms := int64(1); ms <= 20; ms++ {
		try(stamp - ms)
		try(stamp + ms)
	}
	return list
}

// tryOmissions leaves out each parameter in turn.
func tryOmissions(_ *contract.Call, ca *caller) (list []variation) {
	for i := range min(len(ca.pairs), maxOmitted) {
		name := ca.pairs[i].name
		list = append(list, variation{[]any{"param", quote(name)}, func(a *attempt) { a.pairs = leaveOut(a.pairs, name) }})
	}
	return list
}

func leaveOut(pairs []pair, name string) []pair {
	return slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return p.name == name })
}

// withPair inserts a parameter at its sorted position.
func withPair(pairs []pair, p pair) []pair {
	pairs = append(slices.Clone(pairs), p)
	slices.SortStableFunc(pairs, byName)
	return pairs
}
