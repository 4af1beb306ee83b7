package contract

import "time"

// A Check is one of the tests that a request passes before its outcome is decided.
type Check struct {
	Name string              // what is checked: "signature"
	Ends []*Outcome          // how it may refuse
	Do   func(*Call) Verdict // the zero Verdict lets the call pass
}

// ByMethod is the Pick of an API whose operations differ by path and method.
func ByMethod(r *Request) (*Operation, Miss) {
	if len(r.At) == 0 {
		return nil, NoSuchPath
	}
	for _, op := range r.At {
		if op.Method == r.Method {
			return op, ""
		}
	}
	return nil, WrongMethod
}

// CheckPath returns a check that refuses requests to a path without operations, and
// those whose method no operation there has. It goes with ByMethod.
func CheckPath(noSuchPath, wrongMethod *Outcome) func(*Call) Verdict {
	return func(c *Call) Verdict {
		switch c.Miss {
		case NoSuchPath:
			return noSuchPath.Because(unknownPath, "method", c.Request.Method, "path", c.Request.URL.Path)
		case WrongMethod:
			return wrongMethod.Because(otherMethod, "method", c.Request.Method, "path", c.Request.URL.Path, "expected", c.Request.At[0].Method)
		}
		return Verdict{}
	}
}

var (
	unknownPath = &Cause{Code: "unknown_path", Text: "No operation lives at {path}. Upper and lower case count."}
	otherMethod = &Cause{Code: "wrong_method", Text: "The method was {method}; {path} takes {expected}."}
)

// ValidateParams returns a check that validates the request's values against the
// operation's rows and lets the API judge the violations. The journal shows them
// too.
func ValidateParams(judge func(*Call, []Violation) Verdict) func(*Call) Verdict {
	return func(c *Call) Verdict {
		found := Validate(c.Operation.Params, c.In)
		if len(found) == 0 {
			return Verdict{}
		}
		c.Violations = found
		return judge(c, found)
	}
}

// A Limit says how many calls may pass under one key.
type Limit struct {
	Key    string
	Calls  int // 0: no limit
	Window time.Duration
}

// RateLimit returns a check that refuses the calls beyond a limit. The facts n and
// limit are the call's number in the window and how many may pass.
func RateLimit(o *Outcome, limit func(*Call) Limit) func(*Call) Verdict {
	return func(c *Call) Verdict {
		l := limit(c)
		if l.Calls <= 0 {
			return Verdict{}
		}
		if n := c.CountInWindow(l.Key, l.Window); n > l.Calls {
			return o.Because(overLimit, "n", n, "limit", l.Calls, "window", l.Window, "key", l.Key)
		}
		return Verdict{}
	}
}

var overLimit = &Cause{
	Code: "over_rate_limit",
	Text: "This was call {n} within {window} for {key}, and {limit} may pass. Slow down, or switch the limit off in the fixture.",
}
