// Package prometheus reads breakers, latencies, flag exposures and alerts from a server
// that speaks Prometheus's query API. Rates are taken on the server, quantiles
// here: a refresh is a handful of requests, whether there are three services or three
// hundred, and whether one preset matches or all of them.
package prometheus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/api"
	"github.com/prometheus/common/model"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/web"
)

var (
	_ sources.BreakerLister  = (*Source)(nil)
	_ sources.LatencyReader  = (*Source)(nil)
	_ sources.ExposureReader = (*Source)(nil)
	_ sources.TrendReader    = (*Source)(nil)
	_ sources.AlertLister    = (*Source)(nil)
	_ sources.BudgetReader   = (*Source)(nil)

	_ sources.BreakerInspector = (*Source)(nil)
	_ metrics.Asker            = (*call)(nil)
)

// Options are a source's settings. The zero Options are the defaults.
type Options struct {
	Metrics   metrics.Config
	Timeout   time.Duration // of one query, here and on the server; 0 means 5 s
	Auth      Auth
	TLS       TLS
	Transport http.RoundTripper // in place of one with TLS's settings
	Now       func() time.Time  // nil means time.Now
	MaxSeries int               // series in one answer; 0 means 50,000
	MaxBody   int64             // bytes of one answer; 0 means 32 MiB
}

// How long it is remembered which metrics exist: shorter while one that the plan
// waits for does not, so that a board that was there before the services soon sees
// them.
const (
	remember   = time.Minute
	lookAgain  = 10 * time.Second
	maxWarning = 200
)

// Source reads one server. It is safe for concurrent use.
type Source struct {
	name   string
	who    string // for errors: the name and the host
	opts   Options
	plan   *metrics.Plan
	api    client
	client *http.Client

	alerted  atomic.Bool // it has told of an alert
	deployed atomic.Bool // the past of what runs was looked at
	deploys  metrics.DeployLog

	extMu sync.Mutex
	ext   map[string]string // external labels
	extAt time.Time         // when they were asked for; zero for never

	mu      sync.Mutex
	last    *look // the last look at what exists, or the one under way; nil before the first
	foundAt time.Time
	keep    time.Duration // how long it is good for
}

// New checks the URL and the options; it asks nothing. The URL is http or https,
// also with "prometheus+" in front, with the path that the API lies under. A
// user and a password in it are taken as Auth and never printed. What is wrong
// is said in one sentence that wraps ErrInvalid.
func New(name, rawURL string, opts Options) (*Source, error) {
	plan, err := opts.Metrics.Compile()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	u, err := url.Parse(strings.TrimPrefix(rawURL, "prometheus+"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%s: the URL of Prometheus is not of the form https://HOST: %w", name, sources.ErrInvalid)
	}
	if u.User != nil && opts.Auth.BasicUser == "" {
		opts.Auth.BasicUser = u.User.Username()
		opts.Auth.BasicPassword, _ = u.User.Password()
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	if err := opts.Auth.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := fill(&opts); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &Source{
		name: name, who: name + ": " + sources.Clean(u.Host, 100), opts: opts, plan: plan,
	}
	s.client = &http.Client{CheckRedirect: web.SameHostOnly, Transport: &guard{
		who: s.who, base: u, auth: opts.Auth, maxBody: opts.MaxBody, next: opts.Transport,
	}}
	c, err := api.NewClient(api.Config{Address: u.String(), Client: s.client})
	if err != nil {
		return nil, fmt.Errorf("%s: the URL of Prometheus cannot be used: %w", name, sources.ErrInvalid)
	}
	s.api = client{c}
	return s, nil
}

func fill(o *Options) error {
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.MaxSeries <= 0 {
		o.MaxSeries = 50_000
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 32 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Transport != nil {
		return nil
	}
	var err error
	o.Transport, err = o.TLS.transport()
	return err
}

// Name is the source's name.
func (s *Source) Name() string { return s.name }

// Close lets idle connections go. The source can be used again afterwards.
func (s *Source) Close() error {
	if t, ok := s.opts.Transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	return nil
}

// Breakers reads every breaker.
func (s *Source) Breakers(ctx context.Context) (sources.BreakerSet, error) {
	c, at := &call{s: s}, s.opts.Now()
	rows, warns, err := s.plan.Breakers(ctx, s.name, c)
	if err != nil {
		return sources.BreakerSet{}, err
	}
	return sources.BreakerSet{Breakers: rows, Warnings: c.with(warns), ReadAt: at}, nil
}

// Matches says which presets the server's series fit.
func (s *Source) Matches(ctx context.Context) ([]metrics.Match, error) {
	return s.plan.Matches(ctx, &call{s: s})
}

// Latencies reads every latency.
func (s *Source) Latencies(ctx context.Context) (sources.LatencySet, error) {
	c, at := &call{s: s}, s.opts.Now()
	rows, warns, err := s.plan.Latencies(ctx, s.name, c)
	if err != nil {
		return sources.LatencySet{}, err
	}
	return sources.LatencySet{Latencies: rows, Warnings: c.with(warns), ReadAt: at}, nil
}

// Budgets implements sources.BudgetReader.
func (s *Source) Budgets(ctx context.Context) (sources.BudgetSet, error) {
	c := &call{s: s}
	set, err := s.plan.Budgets(ctx, c, s.opts.Now())
	if err != nil {
		return sources.BudgetSet{}, err
	}
	set.Warnings = c.with(nil)
	return set, nil
}

// Exposures reads the shares of flag evaluations.
func (s *Source) Exposures(ctx context.Context) (sources.ExposureSet, error) {
	c, at := &call{s: s}, s.opts.Now()
	by, warns, err := s.plan.Exposures(ctx, c)
	if err != nil {
		return sources.ExposureSet{}, err
	}
	return sources.ExposureSet{ByKey: by, Warnings: c.with(warns), ReadAt: at}, nil
}

// call is one refresh: it collects what the server warns of.
type call struct {
	s        *Source
	mu       sync.Mutex
	warnings []string
}

var kinds = map[model.ValueType]string{
	model.ValScalar: "a scalar", model.ValString: "a string", model.ValMatrix: "a matrix", model.ValVector: "a vector",
}

func kindOf(v model.Value) string {
	if v == nil {
		return "nothing"
	}
	return cmp.Or(kinds[v.Type()], "nothing")
}

func (c *call) warn(list ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range list {
		w = sources.Clean(w, maxWarning)
		if len(c.warnings) < 20 && !slices.Contains(c.warnings, w) {
			c.warnings = append(c.warnings, w)
		}
	}
}

func (c *call) with(more []string) []string {
	c.warn(more...)
	slices.Sort(c.warnings)
	return c.warnings
}

// look is one question for what exists, which callers at the same time share. Its
// fields are final once done is closed.
type look struct {
	done  chan struct{}
	found map[string]bool
	err   error
}

// Exists implements metrics.Asker. What exists is asked for once for all
// presets, and remembered.
func (c *call) Exists(ctx context.Context, _ []string) (map[string]bool, error) {
	for {
		l, mine := c.s.looking()
		if mine {
			l.found, l.err = c.look(ctx)
			c.s.looked(l)
			return l.found, l.err
		}
		select {
		case <-l.done:
		case <-ctx.Done():
			return nil, web.Fault(c.s.who, ctx.Err(), c.s.opts.Timeout)
		}
		if !errors.Is(l.err, context.Canceled) { // else whoever asked has given up, not the server
			return l.found, web.Shared(l.err)
		}
	}
}

// look asks what exists.
func (c *call) look(ctx context.Context) (map[string]bool, error) {
	v, err := c.vector(ctx, probe(c.s.plan.Probe()))
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, s := range v {
		if s.Histogram == nil && s.Value > 0 {
			name := string(s.Metric[model.MetricNameLabel])
			if s.Metric[metrics.QuantileLabel] != "" {
				name = metrics.Summaries(name)
			}
			found[name] = true
		}
	}
	return found, nil
}

// looking is what is remembered, or the look under way, or a new one for the caller
// to make.
func (s *Source) looking() (l *look, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		select {
		case <-s.last.done:
			if age := s.opts.Now().Sub(s.foundAt); s.last.err == nil && age >= 0 && age < s.keep {
				return s.last, false
			}
		default:
			return s.last, false
		}
	}
	s.last = &look{done: make(chan struct{})}
	return s.last, true
}

// looked ends a look and decides for how long it is good.
func (s *Source) looked(l *look) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.foundAt, s.keep = s.opts.Now(), remember
	if l.err == nil && s.plan.Waits(l.found) {
		s.keep = lookAgain
	}
	close(l.done)
}

// Ask implements metrics.Asker in two requests as a rule. The second waits for the
// first, so that a server that is down gets one request and not two. The failure of
// one in which nothing is needed hinders nothing else.
func (c *call) Ask(ctx context.Context, queries []metrics.Query) ([]metrics.Answer, error) {
	out := make([]metrics.Answer, len(queries))
	for n, batch := range batches(queries) {
		v, err := c.vector(ctx, renderAll(queries, batch, c.s.plan.Window()))
		if err != nil && (!optional(queries, batch) || n == 0 && errors.Is(err, sources.ErrUnavailable)) {
			return out, err
		}
		parts := deal(batch, v, metricOfSample)
		for _, i := range batch {
			out[i] = answer(&queries[i], parts[i])
			out[i].Err = err
		}
	}
	return out, nil
}

// vector asks one query at the server's own present: our clock may be off.
func (c *call) vector(ctx context.Context, query string) (model.Vector, error) {
	ctx, cancel := context.WithTimeout(ctx, c.s.opts.Timeout)
	defer cancel()
	v, beside, err := c.s.api.query(ctx, query, c.s.opts.Timeout)
	c.warn(beside.warnings...)
	c.warn(slices.DeleteFunc(beside.infos, ours)...)
	if err != nil {
		return nil, c.s.fault(err)
	}
	vec, ok := v.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("%s answered %s where a vector was asked for: %w", c.s.who, kindOf(v), sources.ErrInvalid)
	}
	return vec, c.s.bounded(len(vec))
}

// ours reports whether an info is about the name of a counter that a preset
// knows to be one (Envoy's and flagd's have no _total): it would never go away,
// and there is nothing to do about it.
func ours(info string) bool { return strings.Contains(info, "might not be a counter") }

func (s *Source) bounded(n int) error {
	if n <= s.opts.MaxSeries {
		return nil
	}
	return fmt.Errorf("%s answered %d series, more than %d, narrow the rules with match: %w",
		s.who, n, s.opts.MaxSeries, sources.ErrInvalid)
}

// fault turns what the API says into a sentence.
func (s *Source) fault(err error) error {
	var said *apiError
	if !errors.As(err, &said) {
		return web.Fault(s.who, err, s.opts.Timeout)
	}
	msg := sources.Clean(said.msg, 160)
	switch said.kind {
	case timedOut, canceled:
		return fmt.Errorf("%s gave up on a query (%s): %w", s.who, msg, sources.ErrUnavailable)
	case badData, failed:
		return fmt.Errorf("%s refuses a query (%s): %w", s.who, msg, sources.ErrInvalid)
	case badAnswer, clientError:
		return fmt.Errorf("%s does not answer as Prometheus's API does (%s): %w", s.who, msg, sources.ErrInvalid)
	default:
		return fmt.Errorf("%s failed (%s): %w", s.who, msg, sources.ErrUnavailable)
	}
}
