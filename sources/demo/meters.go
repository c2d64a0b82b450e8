package demo

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
)

// otelBuckets are the bounds that OpenTelemetry advises for HTTP durations.
var otelBuckets = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}

// The most pairs of flag and variant that are counted: the file is the
// operator's, and a metric's labels must stay bounded whatever it says.
const maxPairs = 500

// noVariant is counted where the service went by the default in its code.
const noVariant = "none"

// meters is everything that the fleet measures about itself.
type meters struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	calls    *prometheus.CounterVec
	flags    *prometheus.CounterVec
	compared *prometheus.CounterVec
	graph    *prometheus.HistogramVec // who calls whom
	broke    *prometheus.CounterVec   // of those calls
	breakers *breakerStates

	mu    sync.Mutex
	pairs map[[2]string]prometheus.Counter
}

// versions is what the fleet's services say that they run.
var versions = map[string]string{Checkout: "2.14.1", Payment: "1.9.0", Inventory: "5.0.3"}

func newMeters() *meters {
	m := &meters{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_server_request_duration_seconds", Help: "Duration of HTTP server requests.", Buckets: otelBuckets,
		}, []string{"service", "http_route", "http_request_method", "http_response_status_code"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "circuit_breaker_requests_total", Help: "Calls through a circuit breaker by result.",
		}, []string{"name", "result"}),
		flags: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feature_flag_evaluations_total", Help: "Flag evaluations by the variant that was served.",
		}, []string{"feature_flag_key", "feature_flag_result_variant"}),
		graph: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "traces_service_graph_request_server_seconds", Help: "Duration of requests between two services, as the called one measures it.",
			Buckets: otelBuckets,
		}, []string{"client", "server"}),
		broke: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "traces_service_graph_request_failed_total", Help: "Requests between two services that failed.",
		}, []string{"client", "server"}),
		compared: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: comparisons, Help: "Orders that were read from both stores, by whether they were equal.",
		}, []string{"result"}),
		breakers: &breakerStates{desc: prometheus.NewDesc(
			"circuit_breaker_state", "1 for the state that the circuit breaker is in.", []string{"name", "state"}, nil)},
		pairs: map[[2]string]prometheus.Counter{},
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "demo_build_info", Help: "1 for the version of each service that runs.",
	}, []string{"service", "version"})
	for service, version := range versions {
		build.WithLabelValues(service, version).Set(1)
	}
	m.registry.MustRegister(build, m.requests, m.calls, m.flags, m.compared, m.graph, m.broke, m.breakers)
	return m
}

func (m *meters) evaluated(key, variant string) {
	if variant == "" {
		variant = noVariant
	}
	pair := [2]string{key, variant}
	m.mu.Lock()
	c, ok := m.pairs[pair]
	if !ok && len(m.pairs) < maxPairs {
		c = m.flags.WithLabelValues(key, variant)
		m.pairs[pair] = c
	}
	m.mu.Unlock()
	if c != nil {
		c.Inc()
	}
}

// measured counts and times what a handler does under its route's name.
func (m *meters) measured(service, method, route string, now func() time.Time, h http.HandlerFunc) http.HandlerFunc {
	curried := m.requests.MustCurryWith(prometheus.Labels{"service": service, "http_route": route, "http_request_method": method})
	return func(w http.ResponseWriter, r *http.Request) {
		start, rec := now(), &statusRecorder{ResponseWriter: w, code: http.StatusOK}
		ctx := ofTrace(r)
		h(rec, r.WithContext(ctx))
		took, caller := now().Sub(start).Seconds(), callerOf(r)
		observe(curried.WithLabelValues(strconv.Itoa(rec.code)), took, traceOf(ctx))
		m.graph.WithLabelValues(caller, service).Observe(took)
		if failed := m.broke.WithLabelValues(caller, service); rec.code >= http.StatusInternalServerError {
			failed.Inc()
		}
	}
}

// observe counts a call, with its trace as an example of those of its bucket.
func observe(o prometheus.Observer, took float64, trace string) {
	if with, ok := o.(prometheus.ExemplarObserver); ok && trace != "" {
		with.ObserveWithExemplar(took, prometheus.Labels{"trace_id": trace})
		return
	}
	o.Observe(took)
}

// callerHeader says who calls, as the context of a trace would.
const callerHeader = "X-Caller"

// visitor is who calls from outside of the fleet.
const visitor = "user"

// callerOf is one of the fleet's services, or else a visitor: a label stays bounded
// whatever a request says.
func callerOf(r *http.Request) string {
	switch from := r.Header.Get(callerHeader); from {
	case Checkout, Payment, Inventory:
		return from
	default:
		return visitor
	}
}

type statusRecorder struct {
	http.ResponseWriter
	code int
}

func (r *statusRecorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

// breakerStates asks each breaker for its state when it is scraped, so that an
// open breaker whose time has come reads half-open without a call.
type breakerStates struct {
	desc *prometheus.Desc
	mu   sync.Mutex
	all  []*gobreaker.CircuitBreaker[struct{}]
}

func (b *breakerStates) add(cb *gobreaker.CircuitBreaker[struct{}]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, cb)
}

// Describe implements prometheus.Collector.
func (b *breakerStates) Describe(out chan<- *prometheus.Desc) { out <- b.desc }

// Collect implements prometheus.Collector.
func (b *breakerStates) Collect(out chan<- prometheus.Metric) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, cb := range b.all {
		state := cb.State()
		for s, word := range map[gobreaker.State]string{
			gobreaker.StateClosed: "closed", gobreaker.StateHalfOpen: "half_open", gobreaker.StateOpen: "open",
		} {
			v := 0.0
			if s == state {
				v = 1
			}
			out <- prometheus.MustNewConstMetric(b.desc, prometheus.GaugeValue, v, cb.Name(), word)
		}
	}
}
