package control

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/understudy-suite/understudy/internal/callback"
	"github.com/understudy-suite/understudy/internal/journal"
)

// metrics are the metrics of /metrics. Labels are names of the tables and never of a
// request, so that no client can make their number grow.
type metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	handler http.Handler
}

// buckets reach from an answer at once to the longest that may be stalled.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "understudy_calls_total", Help: "Calls answered, by operation, by the outcome they ended in and by who decided it.",
		}, []string{"api", "operation", "outcome", "decided_by"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "understudy_call_duration_seconds", Help: "Seconds from the arrival of a call until its answer had left, delays of scenarios included.", Buckets: buckets,
		}, []string{"api", "operation"}),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.calls, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(s.gauges()...)
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

// gauges are computed at each request for /metrics.
func (s *Server) gauges() []prometheus.Collector {
	held := func(of func(journal.Counts) int) func() float64 {
		return func() float64 {
			sum := 0
			for _, box := range s.config.Registry.List() {
				sum += of(box.Journal.Counts())
			}
			return float64(sum)
		}
	}
	gauge := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "understudy_build_info", Help: "Always 1; its labels say what was built.",
		ConstLabels: prometheus.Labels{"version": s.config.Version, "commit": s.config.Commit, "go_version": runtime.Version()},
	})
	build.Set(1)
	all := []prometheus.Collector{
		build,
		gauge("understudy_sandboxes", "Sandboxes that live.", func() float64 { return float64(len(s.config.Registry.List())) }),
		gauge("understudy_journal_entries", "Entries in all journals.", held(func(c journal.Counts) int { return c.Entries })),
		gauge("understudy_journal_bytes", "About how many bytes all journals hold.", held(func(c journal.Counts) int { return c.Bytes })),
		gauge("understudy_state_bytes", "About how many bytes the states of all sandboxes hold.", func() float64 { return float64(s.config.Registry.StateLoad().Held) }),
		gauge("understudy_state_limit_bytes", "How many bytes they may hold; 0: no limit.", func() float64 { return float64(s.config.Registry.StateLoad().Most) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "understudy_state_refusals_total", Help: "Calls, triggers and states refused because the states of all sandboxes held as much as they may.",
		}, func() float64 { return float64(s.config.Registry.StateLoad().Refused) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "understudy_failures_total", Help: "Requests that ended in a fault of understudy's own.",
		}, func() float64 { return float64(s.Panics()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "understudy_log_lines_dropped_total", Help: "Lines of the log that did not reach its reader: nobody read them in time, or at all.",
		}, func() float64 { return float64(s.config.LogDropped()) }),
	}
	if load := s.config.Load; load != nil {
		all = append(all,
			gauge("understudy_connections", "Open connections of the APIs' ports.", func() float64 { return float64(load().Connections) }),
			gauge("understudy_body_bytes", "Memory that request bodies hold or have reserved.", func() float64 { return float64(load().BodyBytes) }),
			gauge("understudy_waiting_bodies", "Requests that wait for memory for their bodies.", func() float64 { return float64(load().WaitingBodies) }),
			prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "understudy_connections_refused_total", Help: "Connections refused because too many were open.",
			}, func() float64 { return float64(load().RefusedConnections) }),
			prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "understudy_malformed_requests_total", Help: "Requests at any port that were refused, or broke off, before any API saw them: their request line, headers or framing are broken.",
			}, func() float64 { return float64(load().MalformedRequests) }))
	}
	for _, result := range callback.Results {
		all = append(all, prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "understudy_callbacks_total", Help: "Callbacks to the clients' side, by what became of them.",
			ConstLabels: prometheus.Labels{"result": string(result)},
		}, func() float64 { return float64(s.config.Callbacks.Count(result)) }))
	}
	return all
}

// decider is the label of who decided. Scenarios share one, since there may be
// any number of them.
func decider(by journal.Decider) string {
	if by.Kind == journal.Scenario {
		return string(by.Kind)
	}
	return by.String()
}

func (m *metrics) observe(e *journal.Entry) {
	m.calls.WithLabelValues(e.API, e.Operation, e.Outcome, decider(e.DecidedBy)).Inc()
	m.seconds.WithLabelValues(e.API, e.Operation).Observe(e.DurationMS / 1000)
}

func (s *Server) getMetrics(*request) (any, error) { return s.metrics.handler, nil }
