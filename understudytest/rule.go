package understudytest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// A Rule decides calls of one operation in place of the emulator. It is on from the first
// method that says what happens (Outcome, Outcomes, Delay, Bandwidth, Fault), and every
// further one replaces it by what is said by then, counting from zero.
type Rule struct {
	box            *Sandbox
	api, operation string
	name           string
	body           map[string]any // as a scenario file has it
	on             bool
}

// On begins a rule for an operation; "*" means every operation. The rule that was made
// last is asked first.
func (b *Sandbox) On(api, operation string) *Rule {
	b.t.Helper()
	known(b, "API", api, b.made.URLs)
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &Rule{box: b, api: api, operation: operation, body: map[string]any{"operation": operation}}
	b.rules = append(b.rules, r)
	r.name = "on-" + strconv.Itoa(len(b.rules))
	return r
}

// Outcome is how the calls end, by the documentation's name: ResourceNotFound.NoIdle, or
// success.
func (r *Rule) Outcome(name string) *Rule {
	r.box.t.Helper()
	delete(r.body, "outcomes")
	return r.say("outcome", name, true)
}

// Outcomes are how one call after the other ends; then all end like the last. The
// outcome "emulator" leaves a call to the emulator.
func (r *Rule) Outcomes(names ...string) *Rule {
	r.box.t.Helper()
	delete(r.body, "outcome")
	return r.say("outcomes", names, true)
}

// Times is how many calls the rule decides. Without it there is no end.
func (r *Rule) Times(n int) *Rule {
	r.box.t.Helper()
	return r.say("times", n, false)
}

// Skip is how many calls that fit pass before.
func (r *Rule) Skip(n int) *Rule {
	r.box.t.Helper()
	return r.say("skip", n, false)
}

// Where has the rule decide only calls with such a parameter: a value, or what Matches,
// In, GreaterThan, LessThan, Present and Absent return. header.X-Name and query.name
// reach what is no parameter.
func (r *Rule) Where(param string, value any) *Rule {
	r.box.t.Helper()
	return r.say("where", r.added("where", param, value), false)
}

// Message is the message of the outcome.
func (r *Rule) Message(text string) *Rule {
	r.box.t.Helper()
	return r.say("message", text, false)
}

// With lays a field over the answer.
func (r *Rule) With(field string, value any) *Rule {
	r.box.t.Helper()
	return r.say("with", r.added("with", field, value), false)
}

// Phantom answers the outcome, and changes nothing.
func (r *Rule) Phantom() *Rule {
	r.box.t.Helper()
	return r.say("phantom", true, false)
}

// Expect is how often the rule has to decide at least: Sandbox.Verify with Expectations
// holds it.
func (r *Rule) Expect(fired int) *Rule {
	r.box.t.Helper()
	return r.say("expect", map[string]any{"fired": fired}, false)
}

// Delay holds the answer back.
func (r *Rule) Delay(d time.Duration) *Rule {
	r.box.t.Helper()
	return r.wire("delay", d.String())
}

// Bandwidth is how many bytes of the answer's body come in a second.
func (r *Rule) Bandwidth(bytes int) *Rule {
	r.box.t.Helper()
	return r.wire("bandwidth", fmt.Sprintf("%dB/s", bytes))
}

// Fault is how the network fails: reset, empty, truncate, garbage or stall.
func (r *Rule) Fault(name string) *Rule {
	r.box.t.Helper()
	return r.wire("fault", name)
}

// FaultAfter is Fault once the outcome has happened: the client cannot know.
func (r *Rule) FaultAfter(name string) *Rule {
	r.box.t.Helper()
	r.body["wire"] = r.added("wire", "when", "after")
	return r.wire("fault", name)
}

func (r *Rule) wire(key string, value any) *Rule {
	r.box.t.Helper()
	return r.say("wire", r.added("wire", key, value), true)
}

// added returns an object of the rule with one more member.
func (r *Rule) added(object, key string, value any) map[string]any {
	all := map[string]any{}
	if before, ok := r.body[object].(map[string]any); ok {
		maps.Copy(all, before)
	}
	all[key] = value
	return all
}

// say sets a key of the rule, and tells the server once the rule decides something.
func (r *Rule) say(key string, value any, decides bool) *Rule {
	r.box.t.Helper()
	r.body[key] = value
	if r.on = r.on || decides; !r.on {
		return r
	}
	text, err := json.Marshal(map[string]any{"scenario": r.name, "api": r.api, "rules": []any{r.body}})
	if err == nil {
		b := r.box
		err = b.control.Do(context.Background(), http.MethodPut, b.control.InSandbox("scenarios", r.api, r.name), "application/yaml", text, nil)
	}
	r.box.must(err)
	return r
}

// Fired is how many calls the rule has decided.
func (r *Rule) Fired() int {
	r.box.t.Helper()
	var active struct {
		Items []struct {
			Name  string `json:"name"`
			Rules []struct {
				Fired int `json:"fired"`
			} `json:"rules"`
		} `json:"items"`
	}
	r.box.must(r.box.send(http.MethodGet, []string{"scenarios"}, nil, &active))
	for _, on := range active.Items {
		if on.Name == r.api+"/"+r.name {
			return on.Rules[0].Fired
		}
	}
	return 0
}

// Off switches the rule off.
func (r *Rule) Off() {
	r.box.t.Helper()
	r.box.ScenarioOff(r.api + "/" + r.name)
}

// What a parameter has to be, for Rule.Where and Call.Where, where it is no plain value.

// Matches is a text that a regular expression (RE2) finds.
func Matches(pattern string) any { return map[string]any{"matches": pattern} }

// In is one of several values.
func In(values ...any) any { return map[string]any{"in": values} }

// GreaterThan is a greater number.
func GreaterThan(n float64) any { return map[string]any{"gt": n} }

// LessThan is a smaller number.
func LessThan(n float64) any { return map[string]any{"lt": n} }

// Present is any value.
func Present() any { return map[string]any{"present": true} }

// Absent is no value.
func Absent() any { return map[string]any{"absent": true} }
