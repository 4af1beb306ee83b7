package control

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/callback"
	"github.com/understudy-suite/understudy/internal/coverage"
	"github.com/understudy-suite/understudy/internal/journal"
)

// The types of metrics.
const (
	counter   = "counter"
	gauge     = "gauge"
	summary   = "summary"
	histogram = "histogram"
)

// A family is a metric with all its samples, as Prometheus reads it.
type family struct {
	name string
	text []byte
}

// families are the metrics of one answer. Labels are names of the tables and never of a
// request, so that no client can make their number grow.
type families []family

// add begins a family. Its samples follow.
func (f *families) add(kind, name, help string) *family {
	*f = append(*f, family{name, fmt.Appendf(nil, "# HELP %s %s\n# TYPE %[1]s %[3]s\n", name, help, kind)})
	return &(*f)[len(*f)-1]
}

// one adds a family of one sample.
func (f *families) one(kind, name, help string, value float64) {
	f.add(kind, name, help).sample("", value)
}

// labelEscapes are those of the value of a label.
var labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// sample adds a sample. labels are names and values in turn, sorted by the names.
func (f *family) sample(suffix string, value float64, labels ...string) {
	f.text = append(append(f.text, f.name...), suffix...)
	before := byte('{')
	for i := 0; i < len(labels); i += 2 {
		f.text = append(append(append(f.text, before), labels[i]...), `="`...)
		f.text = append(append(f.text, labelEscapes.Replace(labels[i+1])...), '"')
		before = ','
	}
	if before == ',' {
		f.text = append(f.text, '}')
	}
	f.text = strconv.AppendFloat(append(f.text, ' '), value, 'g', -1, 64)
	f.text = append(f.text, '\n')
}

// getMetrics answers in the text format 0.0.4 of Prometheus.
func (s *Server) getMetrics(*request) (any, error) {
	var all families
	s.gauges(&all)
	countCalls(&all, s.config.Registry.Coverage.Totals())
	measureRuntime(&all)
	measureProcess(&all)
	slices.SortFunc(all, func(a, b family) int { return strings.Compare(a.name, b.name) })
	var text []byte
	for _, f := range all {
		text = append(text, f.text...)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		send(w, http.StatusOK, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", text)
	}), nil
}

func countCalls(f *families, totals coverage.Totals) {
	if len(totals.Ended) == 0 {
		return // a family without samples is not told
	}
	calls := f.add(counter, "understudy_calls_total", "Calls answered, by operation, by the outcome they ended in and by who decided it.")
	for _, e := range totals.Ended {
		calls.sample("", float64(e.Calls), "api", e.API, "decided_by", e.DecidedBy, "operation", e.Operation, "outcome", e.Outcome)
	}
	seconds := f.add(histogram, "understudy_call_duration_seconds", "Seconds from the arrival of a call until its answer had left, delays of scenarios included.")
	for _, t := range totals.Took {
		for i, n := range t.Within {
			bound := "+Inf"
			if i < len(coverage.Bounds) {
				bound = strconv.FormatFloat(coverage.Bounds[i], 'g', -1, 64)
			}
			seconds.sample("_bucket", float64(n), "api", t.API, "operation", t.Operation, "le", bound)
		}
		seconds.sample("_sum", t.Seconds, "api", t.API, "operation", t.Operation)
		seconds.sample("_count", float64(t.Within[len(t.Within)-1]), "api", t.API, "operation", t.Operation)
	}
}

// gauges adds what the server itself knows.
func (s *Server) gauges(f *families) {
	boxes := s.config.Registry.List()
	var held journal.Counts
	for _, box := range boxes {
		c := box.Journal.Counts()
		held.Entries, held.Bytes = held.Entries+c.Entries, held.Bytes+c.Bytes
	}
	f.add(gauge, "understudy_build_info", "Always 1; its labels say what was built.").
		sample("", 1, "commit", s.config.Commit, "go_version", runtime.Version(), "version", s.config.Version)
	f.one(gauge, "understudy_sandboxes", "Sandboxes that live.", float64(len(boxes)))
	f.one(gauge, "understudy_journal_entries", "Entries in all journals.", float64(held.Entries))
	f.one(gauge, "understudy_journal_bytes", "About how many bytes all journals hold.", float64(held.Bytes))
	state := s.config.Registry.StateLoad()
	f.one(gauge, "understudy_state_bytes", "About how many bytes the states of all sandboxes hold.", float64(state.Held))
	f.one(gauge, "understudy_state_limit_bytes", "How many bytes they may hold; 0: no limit.", float64(state.Most))
	f.one(counter, "understudy_state_refusals_total", "Calls, triggers and states refused because the states of all sandboxes held as much as they may.", float64(state.Refused))
	f.one(counter, "understudy_failures_total", "Requests that ended in a fault of understudy's own.", float64(s.Panics()))
	f.one(counter, "understudy_log_lines_dropped_total", "Lines of the log that did not reach its reader: nobody read them in time, or at all.", float64(s.config.LogDropped()))
	if s.config.Load != nil {
		load := s.config.Load()
		f.one(gauge, "understudy_connections", "Open connections of the APIs' ports.", float64(load.Connections))
		f.one(gauge, "understudy_body_bytes", "Memory that request bodies hold or have reserved.", float64(load.BodyBytes))
		f.one(gauge, "understudy_waiting_bodies", "Requests that wait for memory for their bodies.", float64(load.WaitingBodies))
		f.one(counter, "understudy_connections_refused_total", "Connections refused because too many were open.", float64(load.RefusedConnections))
		f.one(counter, "understudy_malformed_requests_total", "Requests at any port that were refused, or broke off, before any API saw them: their request line, headers or framing are broken.", float64(load.MalformedRequests))
	}
	callbacks := f.add(counter, "understudy_callbacks_total", "Callbacks to the clients' side, by what became of them.")
	for _, result := range slices.Sorted(slices.Values(callback.Results)) {
		callbacks.sample("", float64(s.config.Callbacks.Count(result)), "result", string(result))
	}
}
