package adobemedia

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The refusals that the rows of the table explain.
var (
	ofSchema  = []*contract.Cause{schemaViolated}
	ofType    = []*contract.Cause{noType}
	ofSession = []*contract.Cause{unknownSession}
	ofPath    = []*contract.Cause{noSuchPath, otherPrefix}
)

// mistakes are those that clients are known to make, the most frequent first.
var mistakes = []contract.Mistake{
	{Code: "key_case", Looks: "{key} came, and {meant} is the key.", Mend: "Upper and lower case count.", Of: ofSchema, Made: findKeyCase},
	{Code: "media_prefix_missing", Looks: "{key} came, and {meant} is the key.", Mend: "Write the keys of params and qoeData whole, with their prefix.", Of: ofSchema, Made: findPrefix},
	{Code: "params_nested", Looks: "{key} is an object: the dots of the keys were taken for levels.", Mend: "Write the keys of params flat: \"media.id\" is one name.", Of: ofSchema, Made: findNested},
	{Code: "param_outside_params", Looks: "{key} came beside params.", Mend: "Put it into params.", Of: ofSchema, Made: findOutside},
	{Code: "number_as_text", Looks: "{key} is {got}, in quotes.", Mend: "Send it without quotes: the schema asks for a number, or true or false.", Of: ofSchema, Made: findQuoted},
	{Code: "text_as_number", Looks: "{key} is {got}, without quotes.", Mend: "Send it in quotes: the schema asks for a text.", Of: ofSchema, Made: findUnquoted},
	{Code: "ts_as_date", Looks: "playerTime.ts is {got}, a date.", Mend: "Send Unix time in milliseconds: 13 digits, without quotes.", Of: ofSchema, Made: findDate},
	{Code: "fraction_for_whole", Looks: "{key} is {got}, with a fraction or an exponent.", Mend: "Send a whole number; ts is in milliseconds and not in seconds with a fraction.", Of: ofSchema, Made: findFraction},
	{Code: "required_missing", Looks: "{eventType} requires {keys}.", Mend: "Send them; GET /api/v1/schemas/<eventType> lists what each event requires.", Of: ofSchema, Made: findMissing},

	{Code: "event_type_case", Looks: "The eventType is {got}; {meant} is meant.", Mend: "Upper and lower case count, and no prefix stands before it.", Of: ofType, Made: findTypeCase},
	{Code: "event_type_named_otherwise", Looks: "eventType is missing, and {key} came.", Mend: "Send eventType.", Of: ofType, Made: findTypeName},
	{Code: "form_for_json", Looks: "The body is a form.", Mend: "Send a JSON object.", Of: []*contract.Cause{notJSON}, Made: findForm},
	{Code: "json_encoded_twice", Looks: "The body is a JSON text that holds JSON: it was encoded twice.", Mend: "Encode it once.", Of: []*contract.Cause{notJSON}, Made: findTwice},
	{Code: "batch_for_event", Looks: "The body is an array of events.", Mend: "Send one event in a request; arrays go to /api/v1/downloaded.", Of: []*contract.Cause{notJSON}, Made: findArray},
	{Code: "event_for_batch", Looks: "The body is one event.", Mend: "Send an array of events to /api/v1/downloaded, also of few.", Of: []*contract.Cause{wrongBatch}, Made: findSingle},

	{Code: "session_placeholder", Looks: "The session's id is {sid}: a variable that was empty or not filled.", Mend: "Take the id out of the header Location of POST /api/v1/sessions, once its answer has come.", Of: ofSession, Made: findPlaceholder},
	{Code: "session_id_case", Looks: "The session's id is in upper case.", Mend: "Send it as it stands in Location.", Of: ofSession, Made: findUpperCase},
	{Code: "session_id_cut", Looks: "The session's id is the beginning of one that is known: {size} of 64 digits.", Mend: "Send all of what stands behind the last slash of Location.", Of: ofSession, Made: findCut},
	{Code: "event_after_end", Looks: "{eventType} came after the session's sessionEnd at {closed}.", Mend: "Send sessionEnd last, and stop the pings before it.", Of: []*contract.Cause{sessionEnded}, Made: findAfterEnd},
	{Code: "location_doubled", Looks: "The path {path} has /api/v1/sessions twice.", Mend: "Location is a path from the root: put it behind the host, and not behind /api/v1/sessions.", Of: ofPath, Made: findDoubled},
	{Code: "path_case", Looks: "The path {path} differs from a documented one in upper and lower case.", Mend: "Write it in lower case.", Of: ofPath, Made: findPathCase},
}

// The limits of what explanations look into.
const (
	maxTried     = 64 << 10 // bytes of a body
	mostSessions = 1024     // the latest
)

// when returns an explanation of these facts where a mistake was made.
func when(made bool, facts ...any) *contract.Explanation {
	if !made {
		return nil
	}
	return contract.Found(facts...)
}

// violations lists the violations of a refused message by their paths, without the
// number of the message in an array.
func violations(c *contract.Call) []contract.Violation {
	found := slices.Clone(c.Violations)
	for i := range found {
		first, rest, inside := strings.Cut(found[i].Path, ".")
		if _, err := strconv.Atoi(first); inside && err == nil {
			found[i].Path = rest
		}
	}
	return found
}

// shown is a value of a client's as explanations show it.
func shown(x any) string {
	if s, isText := x.(string); isText {
		return strconv.Quote(shorten(s))
	}
	return shorten(fmt.Sprint(x))
}

// knownKeys lists the keys that an event knows in one of its sections; "": beside them.
func knownKeys(v contract.Verdict, section string) []contract.Param {
	name, _ := v.Facts.Get("eventType")
	text, _ := name.(string)
	t := events[text]
	switch {
	case t == nil:
		return nil
	case section == "":
		return t.rows
	case section == "params" && t.name != sessionStart:
		return eventParams
	}
	row := contract.FindParam(t.rows, section)
	if row == nil {
		return nil
	}
	return row.Fields
}

// unknownKey finds an unknown key that fits one of the known keys of its section.
func unknownKey(c *contract.Call, v contract.Verdict, fits func(name, known string) bool) *contract.Explanation {
	for _, f := range violations(c) {
		section, name, inside := strings.Cut(f.Path, ".")
		if f.Rule != contract.Unknown {
			continue
		}
		if !inside {
			section, name = "", f.Path
		}
		for _, row := range knownKeys(v, section) {
			if fits(name, row.Name) {
				return contract.Found("key", shorten(f.Path), "meant", row.Name)
			}
		}
	}
	return nil
}

func findKeyCase(c *contract.Call, v contract.Verdict) *contract.Explanation {
	return unknownKey(c, v, strings.EqualFold)
}

func findPrefix(c *contract.Call, v contract.Verdict) *contract.Explanation {
	return unknownKey(c, v, func(name, known string) bool { return name != "" && strings.HasSuffix(known, "."+name) })
}

func findNested(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	for _, f := range violations(c) {
		if _, object := f.Got.(contract.Values); object && f.Rule == contract.Unknown && (f.Path == "params.media" || f.Path == "params.analytics" || f.Path == "params.visitor" || f.Path == "qoeData.media") {
			return contract.Found("key", f.Path)
		}
	}
	return nil
}

func findOutside(c *contract.Call, v contract.Verdict) *contract.Explanation {
	for _, f := range violations(c) {
		if f.Rule == contract.Unknown && contract.FindParam(knownKeys(v, "params"), f.Path) != nil {
			return contract.Found("key", f.Path)
		}
	}
	return nil
}

// mistyped finds a value of another type than its row's.
func mistyped(c *contract.Call, fits func(row *contract.Param, got any) bool) *contract.Explanation {
	for _, f := range violations(c) {
		if f.Rule == contract.Mistyped && f.Param != nil && fits(f.Param, f.Got) {
			return contract.Found("key", shorten(f.Path), "got", shown(f.Got))
		}
	}
	return nil
}

func findQuoted(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return mistyped(c, func(row *contract.Param, got any) bool {
		text, isText := got.(string)
		_, fits := row.Type.Convert(contract.Raw(text))
		return isText && fits && text != ""
	})
}

func findUnquoted(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return mistyped(c, func(row *contract.Param, got any) bool {
		switch got.(type) {
		case json.Number, bool:
			return row.Type == contract.String
		}
		return false
	})
}

func findDate(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return mistyped(c, func(row *contract.Param, got any) bool {
		text, _ := got.(string)
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly, time.RFC1123} {
			if _, err := time.Parse(layout, text); row.Name == "ts" && err == nil {
				return true
			}
		}
		return false
	})
}

func findFraction(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return mistyped(c, func(row *contract.Param, got any) bool {
		number, isNumber := got.(json.Number)
		return isNumber && row.Type == contract.Integer && strings.ContainsAny(string(number), ".eE")
	})
}

func findMissing(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	var keys []string
	for _, f := range violations(c) {
		if f.Rule == contract.Missing {
			keys = append(keys, f.Path)
		}
	}
	return when(len(keys) > 0, "keys", strings.Join(keys, ", "))
}

// firstEvent is the event that a refused request is about: its body, or the first
// of an array.
func firstEvent(c *contract.Call) contract.Values {
	if list, _ := c.In["events"].([]any); len(list) > 0 {
		first, _ := list[0].(contract.Values)
		return first
	}
	return c.In
}

func findTypeCase(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	name := firstEvent(c).Text("eventType")
	plain := strings.NewReplacer("_", "", "-", "", " ", "").Replace(name[strings.LastIndexByte(name, '.')+1:])
	for _, t := range eventTypes {
		if strings.EqualFold(plain, t.name) {
			return contract.Found("got", shorten(name), "meant", t.name)
		}
	}
	return nil
}

func findTypeName(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	in := firstEvent(c)
	for _, key := range []string{"event", "type", "event_type", "eventtype", "EventType", "eventName", "event-type"} {
		if name := in.Text(key); name != "" {
			return contract.Found("key", key)
		}
	}
	return nil
}

func findForm(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	if len(c.Request.Body) > maxTried {
		return nil
	}
	values, err := url.ParseQuery(string(c.Request.Body))
	return when(err == nil && (values.Has("eventType") || values.Has("params") || values.Has("playerTime")))
}

// valueOf reads the body as any JSON; nil: it is none, or too long.
func valueOf(c *contract.Call) any {
	if len(c.Request.Body) > maxTried {
		return nil
	}
	x, err := wire.Value(c.Request.Body)
	if err != nil {
		return nil
	}
	return x
}

func findTwice(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	text, isText := valueOf(c).(string)
	return when(isText && json.Valid([]byte(text)) && strings.ContainsAny(text, "{["))
}

func findArray(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	_, isList := valueOf(c).([]any)
	return when(isList)
}

func findSingle(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	in, isObject := valueOf(c).(contract.Values)
	return when(isObject && in.Has("eventType"))
}

// sidOf is the session's id of the request's path.
func sidOf(c *contract.Call) string { return findRoute(c.Request).values["sid"] }

func findPlaceholder(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	sid := sidOf(c)
	return when(slices.Contains([]string{"undefined", "null", "nil", "None", "NaN", "sid", "[object Object]"}, sid) || strings.ContainsAny(sid, "{}$<>%"), "sid", shorten(sid))
}

func findUpperCase(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	known := false
	c.WithState(func() { known = c.State.(*state).session(strings.ToLower(sidOf(c))) != nil })
	return when(known)
}

func findCut(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	const least = 8 // shorter beginnings mean nothing
	sid, known := sidOf(c), false
	c.WithState(func() {
		all := c.State.(*state).Sessions
		for _, s := range all[max(0, len(all)-mostSessions):] {
			known = known || len(sid) >= least && len(sid) < len(s.ID) && strings.HasPrefix(s.ID, sid)
		}
	})
	return when(known, "size", len(sid))
}

func findAfterEnd(c *contract.Call, v contract.Verdict) *contract.Explanation {
	by, _ := v.Facts.Get("by")
	return when(by == sessionEnd, "eventType", c.In.Text("eventType"))
}

func findDoubled(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	return when(strings.Count(c.Request.URL.Path, sessionsPath) > 1, "path", shorten(c.Request.URL.Path))
}

func findPathCase(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	path := c.Request.URL.Path
	lower := strings.ToLower(path)
	return when(path != lower && slices.ContainsFunc(operations, func(op *contract.Operation) bool {
		_, fits := matchPath(op.Path, lower)
		return fits
	}))
}
