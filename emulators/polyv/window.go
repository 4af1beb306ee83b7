package polyv

import (
	"math"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

const (
	dateTime = "2006-01-02 15:04:05" // a bare date stands for its midnight
	day      = 24 * time.Hour
	maxSpan  = 60 * day // of the session list; exactly as much is allowed
	maxMonth = 30 * day // of the statistics of a channel
)

// A window is the time between two instants, both included, in Unix milliseconds.
type window struct{ from, to int64 }

// parseDate parses a date exactly as the pages write it: no T, no slashes, no
// milliseconds, no 30th of February. Go's parser accepts more, so the result is
// formatted again and compared.
func parseDate(s string) (time.Time, bool) {
	layout := dateTime
	switch len(s) {
	case len(dateTime):
	case len(time.DateOnly):
		layout = time.DateOnly
	default:
		return time.Time{}, false
	}
	t, err := time.ParseInLocation(layout, s, beijing)
	return t, err == nil && t.Format(layout) == s
}

// dates returns the two bounds, where they are given and valid.
func dates(c *contract.Call) (start, end time.Time, started, ended bool) {
	start, started = parseDate(c.In.Text("startDate"))
	end, ended = parseDate(c.In.Text("endDate"))
	return start, end, started, ended
}

// within60Days returns the window of the session list: by default the last sixty
// days. The window for one bound alone is inferred.
func within60Days(c *contract.Call) window {
	start, end, started, ended := dates(c)
	switch {
	case !started && !ended:
		start, end = c.Now.Add(-maxSpan), c.Now
	case !ended:
		end = start.Add(maxSpan)
		if c.Now.Before(end) {
			end = c.Now
		}
	case !started:
		start = end.Add(-maxSpan)
	}
	return window{start.UnixMilli(), end.UnixMilli()}
}

// anyTime returns the window of the older list, which has no limit.
func anyTime(c *contract.Call) window {
	st := window{math.MinInt64, math.MaxInt64}
	start, end, started, ended := dates(c)
	if started {
		st.from = start.UnixMilli()
	}
	if ended {
		st.to = end.UnixMilli()
	}
	return st
}

var (
	noDate   = &contract.Cause{Code: "date_malformed", Text: "{param} is {got}; yyyy-MM-dd HH:mm:ss was expected, or yyyy-MM-dd for midnight, in Beijing time."}
	backward = &contract.Cause{Code: "span_backward", Text: "{param} is {end}, before the start {start}."}
	longSpan = &contract.Cause{Code: "span_too_long", Text: "From {start} to {end} are {days} days; {most} are allowed. A bare date stands for its midnight."}
)

func isDate(c *contract.Call, name string) contract.Verdict {
	s := c.In.Text(name)
	if _, ok := parseDate(s); !ok && s != "" {
		return invalidDateTimeFormat.Because(noDate, "param", name, "got", quote(s))
	}
	return contract.Verdict{}
}

// isOrdered requires that the end is not before the start.
func isOrdered(c *contract.Call, name string) contract.Verdict {
	return checkSpan(c, name, math.MaxInt64)
}

// isSpan allows sixty days between two dates.
func isSpan(c *contract.Call, name string) contract.Verdict { return checkSpan(c, name, maxSpan) }

func checkSpan(c *contract.Call, name string, most time.Duration) contract.Verdict {
	start, end, started, ended := dates(c)
	if !started || !ended {
		return contract.Verdict{}
	}
	return judgeSpan(c, name, start, end, most)
}

// judgeSpan refuses an end before its start, and a span that is too long. No page
// shows the service's message.
func judgeSpan(c *contract.Call, name string, start, end time.Time, most time.Duration) contract.Verdict {
	var v contract.Verdict
	from, to := start.In(beijing).Format(dateTime), end.In(beijing).Format(dateTime)
	switch length := end.Sub(start); {
	case length < 0:
		v = paramValidateError.Because(backward, "param", name, "start", from, "end", to)
	case length > most:
		v = paramValidateError.Because(longSpan, "start", from, "end", to, "days", length.Hours()/24, "most", most.Hours()/24)
	default:
		return contract.Verdict{}
	}
	v.OwnMessage = c.Switches.Text("span_message")
	return v
}

// isMonth allows thirty days between startTime and endTime, isDay one.
func isMonth(c *contract.Call, name string) contract.Verdict { return checkStamps(c, name, maxMonth) }

func isDay(c *contract.Call, name string) contract.Verdict { return checkStamps(c, name, day) }

// maxStamp keeps times so far within bounds that they can be subtracted: the
// end of the year 9999.
const maxStamp = 253402300799999

// checkStamps checks startTime and endTime, which are Unix milliseconds.
func checkStamps(c *contract.Call, name string, most time.Duration) contract.Verdict {
	for _, bound := range [...]string{"startTime", "endTime"} {
		if n, fits := parseNumber(c.In.Text(bound), 0); !fits || n > maxStamp {
			return invalidDateTimeFormat.Because(noDate, "param", bound, "got", quote(c.In.Text(bound)))
		}
	}
	from, to := c.In.Text("startTime"), c.In.Text("endTime")
	if from == "" || to == "" {
		return contract.Verdict{}
	}
	start, _ := parseNumber(from, 0)
	end, _ := parseNumber(to, 0)
	return judgeSpan(c, name, time.UnixMilli(start), time.UnixMilli(end), most)
}

// between returns the window of startTime and endTime. A missing bound is so far
// from the other; without both, the window ends now.
func stampsWindow(c *contract.Call, most time.Duration) window {
	now := c.Now.UnixMilli()
	to, fits := parseNumber(c.In.Text("endTime"), now)
	if !fits || to > maxStamp {
		to = now
	}
	from, fits := parseNumber(c.In.Text("startTime"), to-most.Milliseconds())
	if !fits || from > maxStamp {
		from = to - most.Milliseconds()
	}
	if !c.In.Has("endTime") && c.In.Has("startTime") {
		to = min(now, from+most.Milliseconds())
	}
	return window{from, to}
}

// hourOrDay returns the length of the window of the account's sessions: an hour
// where no bound is given.
func hourOrDay(c *contract.Call) time.Duration {
	if c.In.Has("startTime") || c.In.Has("endTime") {
		return day
	}
	return time.Hour
}
