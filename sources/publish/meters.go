package publish

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
)

// maxSeries bounds how many combinations of flag, variant and reason are counted.
const maxSeries = 20_000

type meters struct {
	page        http.Handler
	requests    *prometheus.CounterVec
	seconds     *prometheus.HistogramVec
	reads       *prometheus.CounterVec
	evaluations *prometheus.CounterVec

	mu   sync.Mutex
	seen map[[3]string]bool
}

func newMeters(s *Server) *meters {
	reg := prometheus.NewRegistry()
	m := &meters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "relctl_publish_requests_total", Help: "Requests answered, by endpoint and status.",
		}, []string{"endpoint", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "relctl_publish_request_seconds", Help: "How long answers took, by endpoint; for flags this includes the wait for a change.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"endpoint"}),
		reads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "relctl_publish_store_reads_total", Help: "Reads of the store, by result.",
		}, []string{"result"}),
		// The name that OpenFeature's hooks use, so that exposure is found.
		evaluations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feature_flag_evaluations_total", Help: "Evaluations of single flags, by flag, variant and reason.",
		}, []string{"feature_flag_key", "feature_flag_result_variant", "feature_flag_result_reason"}),
		seen: make(map[[3]string]bool),
	}
	gauge := func(name, help string, value func(view) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(s.feed.view()) })
	}
	reg.MustRegister(
		m.requests, m.seconds, m.reads, m.evaluations,
		gauge("relctl_publish_waiting", "Clients that wait for a change.", func(view) float64 { return float64(len(s.waiting)) }),
		gauge("relctl_publish_flags", "Flags that are served.", func(v view) float64 {
			if v.edition == nil {
				return 0
			}
			return float64(len(v.edition.eval.Keys()))
		}),
		gauge("relctl_publish_flags_left_out", "Flags that no evaluator would take.", func(v view) float64 {
			if v.edition == nil {
				return 0
			}
			return float64(len(v.edition.left))
		}),
		gauge("relctl_publish_stale_seconds", "For how long the store cannot be read; 0 while it can.", func(v view) float64 {
			if v.failure == nil {
				return 0
			}
			return max(0, s.opts.Now().Sub(v.since).Seconds())
		}),
	)
	m.page = promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	return m
}

func (m *meters) read(ok bool) {
	result := "ok"
	if !ok {
		result = "error"
	}
	m.reads.WithLabelValues(result).Inc()
}

// evaluated counts an evaluation of a flag that there is: names that anybody can
// make up would fill the memory.
func (m *meters) evaluated(key string, r *flagdef.Resolution) {
	if r.Code == flagdef.CodeNotFound {
		return
	}
	series := [3]string{key, r.Variant, r.Reason}
	m.mu.Lock()
	known := m.seen[series]
	if !known && len(m.seen) < maxSeries {
		known, m.seen[series] = true, true
	}
	m.mu.Unlock()
	if known {
		m.evaluations.WithLabelValues(series[:]...).Inc()
	}
}

// counted counts the answers of a handler.
func (m *meters) counted(endpoint string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		c := &coded{ResponseWriter: w, code: http.StatusOK}
		h.ServeHTTP(c, r)
		m.requests.WithLabelValues(endpoint, strconv.Itoa(c.code)).Inc()
		m.seconds.WithLabelValues(endpoint).Observe(time.Since(began).Seconds())
	})
}

// coded keeps the status of an answer.
type coded struct {
	http.ResponseWriter
	code int
}

func (c *coded) WriteHeader(code int) {
	c.code = code
	c.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (c *coded) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// health says whether the definitions can be relied on.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	v := s.feed.view()
	var out struct {
		Status   string   `json:"status"`
		Reason   string   `json:"reason,omitempty"`
		Stale    float64  `json:"stale_seconds"`
		Flags    int      `json:"flags"`
		Revision string   `json:"revision"`
		LeftOut  []string `json:"left_out,omitempty"`
	}
	out.Status = "ok"
	if e := v.edition; e != nil {
		out.Flags, out.Revision = len(e.eval.Keys()), sources.Clean(string(e.revision), 64)
		for _, l := range e.left[:min(len(e.left), 20)] {
			out.LeftOut = append(out.LeftOut, l.Name+": "+l.Why)
		}
	}
	if v.failure != nil {
		out.Reason = sources.Sentence(v.failure)
		out.Stale = max(0, s.opts.Now().Sub(v.since).Seconds())
		out.Status = "stale"
	}
	status := http.StatusOK
	if v.edition == nil || v.failure != nil && out.Stale >= s.opts.StaleAfter.Seconds() {
		status, out.Status = http.StatusServiceUnavailable, "unavailable"
		out.Reason = orWaiting(v.failure)
	}
	writeJSON(w, status, out)
}
