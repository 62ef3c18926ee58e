package rpc

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
)

var (
	buckets   = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
	codeNames = []string{
		"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
		"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL",
		"UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
	}
)

// counts are what the server counts, under the names and labels of crossrate.rpc.metrics.
type counts struct {
	registry                       *prometheus.Registry
	started, finished, refused     *prometheus.CounterVec
	messages                       *prometheus.CounterVec
	inFlight, dependencies         *prometheus.GaugeVec
	seconds                        *prometheus.HistogramVec
	unexpected, broken, tapDropped prometheus.Counter
}

func newCounts() *counts {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	single := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	c := &counts{
		registry:     prometheus.NewRegistry(),
		started:      counter("crossrate_rpc_started_total", "Calls that arrived.", "method"),
		finished:     counter("crossrate_rpc_finished_total", "Calls that ended.", "method", "code"),
		refused:      counter("crossrate_rpc_refused_total", "Calls refused before their handler.", "method", "reason"),
		messages:     counter("crossrate_rpc_messages_total", "Messages of calls, by way.", "method", "direction"),
		inFlight:     gauge("crossrate_rpc_in_flight", "Calls being served.", "method"),
		dependencies: gauge("crossrate_dependency_up", "1 if reachable.", "dependency"),
		unexpected:   single("crossrate_unexpected_errors_total", "Exceptions that no handler should have raised."),
		broken:       single("crossrate_invariants_broken_total", "Assertions that failed."),
		tapDropped:   single("crossrate_tap_dropped_total", "Messages left out of taps."),
	}
	options := prometheus.HistogramOpts{Name: "crossrate_rpc_duration_seconds", Help: "From arrival to status.", Buckets: buckets}
	c.seconds = prometheus.NewHistogramVec(options, []string{"method"})
	c.registry.MustRegister(
		c.started, c.finished, c.refused, c.messages, c.inFlight, c.dependencies, c.seconds, c.unexpected, c.broken, c.tapDropped,
	)
	return c
}

func (c *counts) begin(method string) {
	c.started.WithLabelValues(method).Inc()
	c.inFlight.WithLabelValues(method).Inc()
}

func (c *counts) end(method string, code codes.Code, elapsed time.Duration, received, sent int) {
	name := "UNKNOWN"
	if int(code) < len(codeNames) {
		name = codeNames[code]
	}
	c.inFlight.WithLabelValues(method).Dec()
	c.finished.WithLabelValues(method, name).Inc()
	c.seconds.WithLabelValues(method).Observe(elapsed.Seconds())
	c.messages.WithLabelValues(method, "received").Add(float64(received))
	c.messages.WithLabelValues(method, "sent").Add(float64(sent))
}
