package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/pflag"
	"golang.org/x/net/netutil"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// selfFlags are how this process can be watched, which nobody does by default.
type selfFlags struct {
	metrics, pprof, logFile string
	debug                   bool
}

func addSelfFlags(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.self.metrics, "metrics-listen", "", "address for metrics of this process itself, such as 127.0.0.1:9464")
	f.StringVar(&o.self.pprof, "pprof-listen", "", "loopback address for profiles of this process, such as 127.0.0.1:6060")
	f.StringVar(&o.self.logFile, "log-file", "", "file to append to what happens: reads that fail, changes, who comes in over SSH")
	f.BoolVar(&o.self.debug, "debug", false, "show frames a second, bytes, and the age of each source in the last line")
}

// self is what is measured of this process. It is goroutine-safe, and a nil self
// measures nothing.
type self struct {
	log     *slog.Logger // nil without --log-file
	polls   *prometheus.HistogramVec
	frames  prometheus.Counter
	drawn   prometheus.Counter
	waits   prometheus.Histogram
	actions *prometheus.CounterVec

	metricsAt, pprofAt net.Addr // nil where they are not served

	mu      sync.Mutex
	engines map[string]*live.Engine // by context
}

const (
	maxScrapes  = 4 // of our own page, at once
	headersTime = 5 * time.Second
	unusedTime  = 2 * time.Minute // until a connection is closed on which nobody asks anything
	answerTime  = 5 * time.Minute // of one answer: a profile takes as long as it was asked for
	maxWatchers = 32              // connections; more wait for one to be closed
)

// watchSelf begins to measure this process where that was asked for, until ctx ends.
func (o *options) watchSelf(ctx context.Context) error {
	f := &o.self
	if f.metrics == "" && f.pprof == "" && f.logFile == "" {
		return nil
	}
	s := &self{engines: map[string]*live.Engine{}}
	reg := s.register()
	if f.logFile != "" {
		file, err := os.OpenFile(f.logFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return &usageError{msg: fmt.Sprintf("--log-file %s: %s", quote(f.logFile), plainWriteError(err))}
		}
		context.AfterFunc(ctx, func() { _ = file.Sync() }) // the last lines of others may still follow
		s.log = slog.New(slog.NewJSONHandler(file, nil))
	}
	if f.metrics != "" {
		mux := http.NewServeMux()
		mux.Handle("/metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes}))
		var err error
		if s.metricsAt, err = serveUntil(ctx, "--metrics-listen", f.metrics, mux, false); err != nil {
			return err
		}
	}
	if f.pprof != "" {
		mux := http.NewServeMux()
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		var err error
		if s.pprofAt, err = serveUntil(ctx, "--pprof-listen", f.pprof, mux, true); err != nil {
			return err
		}
	}
	o.seen = s
	return nil
}

// serveUntil serves until ctx ends. near refuses an address that others reach: a profile
// holds what is in memory.
func serveUntil(ctx context.Context, option, addr string, h http.Handler, near bool) (net.Addr, error) {
	ln, err := listen(ctx, option, addr)
	if err != nil {
		return nil, err
	}
	if near && !loopback(ln.Addr()) {
		return nil, &usageError{msg: errors.Join(fmt.Errorf("%s %s: profiles are served on this machine only, write 127.0.0.1:PORT", option, quote(addr)), ln.Close()).Error()}
	}
	// Connections that somebody opens and leaves take none of the files that boards and stores need.
	ln = netutil.LimitListener(ln, maxWatchers)
	srv := &http.Server{Handler: h, ReadHeaderTimeout: headersTime, IdleTimeout: unusedTime, WriteTimeout: answerTime, ErrorLog: slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError)}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	go func() { _ = srv.Serve(ln) }()
	return ln.Addr(), nil
}

func (s *self) register() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	fast := []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1}
	s.polls = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "relctl_tui_poll_seconds", Help: "How long reads of a source took, by context, source, part and result.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"context", "source", "part", "result"})
	s.frames = prometheus.NewCounter(prometheus.CounterOpts{Name: "relctl_tui_frames_total", Help: "Frames that boards have drawn."})
	s.drawn = prometheus.NewCounter(prometheus.CounterOpts{Name: "relctl_tui_frame_bytes_total", Help: "Bytes of these frames, of which only what changed is sent."})
	s.waits = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "relctl_tui_key_to_paint_seconds", Help: "From a key to the frame that answers it.", Buckets: fast,
	})
	s.actions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "relctl_tui_actions_total", Help: "Changes that were made here, by kind and outcome.",
	}, []string{"kind", "outcome"})
	reg.MustRegister(s.polls, s.frames, s.drawn, s.waits, s.actions, s,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

var breakerDesc = prometheus.NewDesc("relctl_tui_source_breaker",
	"1 for the state of the breaker around a source.", []string{"context", "source", "state"}, nil)

// Describe is the breakers'.
func (s *self) Describe(out chan<- *prometheus.Desc) { out <- breakerDesc }

// Collect is the state of the breaker around each source.
func (s *self) Collect(out chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, e := range s.engines {
		for _, b := range e.Snapshot().Own {
			out <- prometheus.MustNewConstMetric(breakerDesc, prometheus.GaugeValue, 1, name, b.Source, b.State.String())
		}
	}
}

// follow shows the breakers of a context.
func (s *self) follow(name string, e *live.Engine) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.engines[name] = e
}

// parts are the parts of a source, as labels.
var parts = [sources.PartCount]string{"flags", "breakers", "latencies", "exposures", "alerts", "budgets", "deploys"}

// asked is what an engine tells of its reads; nil where nobody listens.
func (s *self) asked(name string) func(string, sources.Part, time.Duration, error) {
	if s == nil {
		return nil
	}
	return func(source string, part sources.Part, took time.Duration, err error) {
		result := "ok"
		if err != nil {
			result = "failed"
			s.say(slog.LevelWarn, "read failed", "context", name, "source", source, "part", parts[part], "took", took.String(), "why", sources.Sentence(err))
		}
		s.polls.WithLabelValues(name, source, parts[part], result).Observe(took.Seconds())
	}
}

// painted is what a board tells of its frames; nil where nobody listens.
func (s *self) painted() func(int, time.Duration) {
	if s == nil {
		return nil
	}
	return func(bytes int, sinceKey time.Duration) {
		s.frames.Inc()
		s.drawn.Add(float64(bytes))
		if sinceKey > 0 {
			s.waits.Observe(sinceKey.Seconds())
		}
	}
}

// acted counts what became of a change.
func (s *self) acted(a *sources.Activity) {
	if s == nil || a.Outcome == sources.Pending {
		return
	}
	s.actions.WithLabelValues(a.Kind, string(a.Outcome)).Inc()
	s.say(slog.LevelInfo, "change", "id", a.ID, "who", a.Actor, "kind", a.Kind, "source", a.Flag.Source,
		"flag", sources.Clean(a.Flag.Key, sources.MaxName), "outcome", string(a.Outcome), "why", sources.Clean(a.Reason, 200))
}

func (s *self) say(level slog.Level, what string, attrs ...any) {
	if s.log != nil {
		s.log.Log(context.Background(), level, what, attrs...)
	}
}

// logger is where what is served is logged: the file of --log-file, else errOut.
func (s *self) logger(errOut io.Writer) *slog.Logger {
	if s != nil && s.log != nil {
		return s.log
	}
	return slog.New(slog.NewTextHandler(errOut, nil))
}
