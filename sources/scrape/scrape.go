// Package scrape reads metrics straight from the /metrics pages of the services
// themselves: what an operator falls back to when Prometheus is down, and what
// needs no server at all. It keeps a ring of samples and works rates and
// quantiles out of it, over whatever the ring spans yet, from the second scrape on.
package scrape

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/web"
)

var (
	_ sources.BreakerLister  = (*Source)(nil)
	_ sources.LatencyReader  = (*Source)(nil)
	_ sources.ExposureReader = (*Source)(nil)
	_ metrics.Asker          = (*Source)(nil)
)

// Options are a source's settings. The zero Options are the defaults.
type Options struct {
	Metrics     metrics.Config
	Timeout     time.Duration     // of one request; 0 means 3 s
	MinInterval time.Duration     // a younger scrape is used again; 0 means 900 ms
	MaxBody     int64             // bytes of one page; 0 means 16 MiB
	MaxSeries   int               // series kept of one page; 0 means 50,000
	Transport   http.RoundTripper // nil means a transport of its own
	Now         func() time.Time  // nil means time.Now
}

// The most endpoints of one source, and how many are read at a time.
const (
	maxEndpoints = 256
	parallel     = 8
)

// Source reads a set of endpoints. It is safe for concurrent use: calls at the
// same time share one scrape.
type Source struct {
	name   string
	opts   Options
	plan   *metrics.Plan
	wanted map[string]bool
	client *http.Client
	ends   []*endpoint

	mu     sync.Mutex
	flight *flight // running or newest scrape; nil before the first
	trails map[string][]sources.RatioSample

	deploys           metrics.DeployLog
	latencies, shares past
	graphs            []graphAt // oldest first
}

// endpoint is one page. Its ring is touched only by the running scrape; answers
// are worked out from it under Source.mu, which the scrape takes to add.
type endpoint struct {
	url      *url.URL
	user     *url.Userinfo
	host     string
	instance metrics.Labels
	ring     *ring
	known    bool // the last page had metrics that we know
	err      error
	warnings []string
}

// flight is one scrape of all endpoints. Its fields are final once done is closed.
type flight struct {
	at       time.Time
	done     chan struct{}
	err      error
	warnings []string
}

// New checks urls and options; it reads nothing. A URL is http or https, also
// with "scrape+" in front; without a path /metrics is read. Its series get the
// labels instance (host and port) and job where the page has none of its own;
// job is the URL's fragment ("http://10.0.0.7:9090/metrics#payment"), or the
// host and port. What is wrong is said in one sentence that wraps ErrInvalid.
func New(name string, urls []string, opts Options) (*Source, error) {
	if len(urls) == 0 || len(urls) > maxEndpoints {
		return nil, fmt.Errorf("%s: give 1 to %d scrape URLs, not %d: %w", name, maxEndpoints, len(urls), sources.ErrInvalid)
	}
	plan, err := opts.Metrics.Compile()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	fill(&opts)
	s := &Source{name: name, opts: opts, plan: plan, wanted: plan.Names(), trails: map[string][]sources.RatioSample{}, latencies: past{}, shares: past{}}
	seen := map[string]bool{}
	for _, raw := range urls {
		e, err := newEndpoint(name, raw, plan.Window())
		if err != nil {
			return nil, err
		}
		if seen[e.url.String()] {
			return nil, fmt.Errorf("%s: %s is given twice: %w", name, e.host, sources.ErrInvalid)
		}
		seen[e.url.String()] = true
		s.ends = append(s.ends, e)
	}
	s.client = &http.Client{Transport: opts.Transport, CheckRedirect: web.SameHostOnly}
	return s, nil
}

func fill(o *Options) {
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.MinInterval <= 0 {
		o.MinInterval = 900 * time.Millisecond
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 16 << 20
	}
	if o.MaxSeries <= 0 {
		o.MaxSeries = 50_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 2, IdleConnTimeout: 90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
}

func newEndpoint(name, raw string, window time.Duration) (*endpoint, error) {
	u, err := url.Parse(strings.TrimPrefix(raw, "scrape+"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		// The text may hold a password, so it is not repeated.
		return nil, fmt.Errorf("%s: a scrape URL is not of the form http://HOST:PORT/metrics: %w", name, sources.ErrInvalid)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/metrics"
	}
	job := u.Fragment
	if job == "" {
		job = u.Host
	}
	e := &endpoint{user: u.User, host: sources.Clean(u.Host, 100), ring: newRing(window)}
	e.instance = metrics.Labels{"instance": u.Host, "job": job}
	u.User, u.Fragment = nil, ""
	e.url = u
	return e, nil
}

// Name is the source's name.
func (s *Source) Name() string { return s.name }

// Close lets idle connections go. The source can be used again afterwards.
func (s *Source) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Breakers reads the breakers of all endpoints that answer.
func (s *Source) Breakers(ctx context.Context) (sources.BreakerSet, error) {
	f, err := s.refresh(ctx)
	if err != nil {
		return sources.BreakerSet{}, err
	}
	rows, warns, err := s.plan.Breakers(ctx, s.name, s)
	return sources.BreakerSet{Breakers: rows, Warnings: f.with(warns), ReadAt: f.at}, err
}

// InspectBreaker implements sources.BreakerInspector over the endpoints that answer. It
// has no past but that of the rates.
func (s *Source) InspectBreaker(ctx context.Context, name string) (sources.BreakerDetail, error) {
	f, err := s.refresh(ctx)
	if err != nil {
		return sources.BreakerDetail{}, err
	}
	d, err := s.plan.InspectBreaker(ctx, name, s)
	d.Source, d.ReadAt, d.Warnings = s.name, f.at, f.with(d.Warnings)
	return d, err
}

// Matches says which presets the endpoints' series fit.
func (s *Source) Matches(ctx context.Context) ([]metrics.Match, error) {
	if _, err := s.refresh(ctx); err != nil {
		return nil, err
	}
	return s.plan.Matches(ctx, s)
}

// Latencies reads the latencies of all endpoints that answer.
func (s *Source) Latencies(ctx context.Context) (sources.LatencySet, error) {
	f, err := s.refresh(ctx)
	if err != nil {
		return sources.LatencySet{}, err
	}
	rows, warns, err := s.plan.Latencies(ctx, s.name, s)
	s.rememberLatencies(f.at.Round(0), rows)
	s.rememberCalls(ctx, f.at.Round(0))
	return sources.LatencySet{Latencies: rows, Warnings: f.with(warns), ReadAt: f.at}, err
}

// Exposures reads the flag evaluations of all endpoints that answer.
func (s *Source) Exposures(ctx context.Context) (sources.ExposureSet, error) {
	f, err := s.refresh(ctx)
	if err != nil {
		return sources.ExposureSet{}, err
	}
	by, warns, err := s.plan.Exposures(ctx, s)
	s.rememberExposures(f.at.Round(0), by)
	return sources.ExposureSet{ByKey: by, Warnings: f.with(warns), ReadAt: f.at}, err
}

func (f *flight) with(more []string) []string {
	return append(f.warnings[:len(f.warnings):len(f.warnings)], more...)
}

// live is the rings of the endpoints that answered last. An endpoint that is
// down has no numbers, rather than old ones.
func (s *Source) live() []*ring {
	var out []*ring
	for _, e := range s.ends {
		if e.err == nil && e.ring.scrapes > 0 {
			out = append(out, e.ring)
		}
	}
	return out
}

// Exists implements metrics.Asker over what was scraped last.
func (s *Source) Exists(_ context.Context, names []string) (map[string]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]bool{}
	rings := s.live()
	for _, n := range names {
		for _, r := range rings {
			out[n] = out[n] || r.has(n)
		}
	}
	return out, nil
}

// Ask implements metrics.Asker over what was scraped last.
func (s *Source) Ask(_ context.Context, queries []metrics.Query) ([]metrics.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rings := s.live()
	out := make([]metrics.Answer, len(queries))
	for i := range queries {
		out[i] = answer(&queries[i], rings)
	}
	return out, nil
}

// refresh returns a scrape that is young enough, joining the one that runs or
// starting another; one that failed is not used again. The scrape outlives a
// caller that gives up, for the others.
func (s *Source) refresh(ctx context.Context) (*flight, error) {
	s.mu.Lock()
	f, mine := s.flight, false
	if f == nil || (f.ended() && (f.err != nil || !s.young(f))) {
		f, mine = &flight{at: s.opts.Now(), done: make(chan struct{})}, true
		s.flight = f
		go s.scrape(context.WithoutCancel(ctx), f)
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		if !mine {
			return f, web.Shared(f.err)
		}
		return f, f.err
	case <-ctx.Done():
		return nil, web.Fault(s.name, ctx.Err(), s.opts.Timeout)
	}
}

func (f *flight) ended() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

func (s *Source) young(f *flight) bool {
	age := s.opts.Now().Sub(f.at)
	return age >= 0 && age < s.opts.MinInterval
}

// scrape reads every endpoint, a few at a time.
func (s *Source) scrape(ctx context.Context, f *flight) {
	defer close(f.done)
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for _, e := range s.ends {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			s.scrapeOne(ctx, e)
		})
	}
	wg.Wait()
	s.mu.Lock()
	s.trail(f.at.Round(0))
	s.mu.Unlock()
	var errs []error
	known := false
	for _, e := range s.ends {
		f.warnings = append(f.warnings, e.warnings...)
		if e.err != nil {
			errs = append(errs, e.err)
			continue
		}
		known = known || e.known
	}
	switch {
	case len(errs) == len(s.ends):
		f.err = all(s.name, errs)
		return
	case !known:
		f.warnings = append(f.warnings, "none of the known metrics is exported")
	}
	for _, err := range errs {
		f.warnings = append(f.warnings, sources.Clean(err.Error(), 240))
	}
}

// all is the error of a scrape in which no endpoint answered.
func all(name string, errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return fmt.Errorf("%s: none of %d endpoints can be read, the first: %w", name, len(errs), errs[0])
}

func (s *Source) scrapeOne(ctx context.Context, e *endpoint) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	p, at, err := s.get(ctx, e)
	s.mu.Lock()
	defer s.mu.Unlock()
	e.err, e.warnings = err, nil
	if err != nil {
		return
	}
	e.ring.add(at, &p, e.instance)
	for _, w := range p.warnings {
		e.warnings = append(e.warnings, e.host+" "+w)
	}
	e.known = len(p.samples) > 0
}

func (s *Source) get(ctx context.Context, e *endpoint) (page, time.Time, error) {
	who := s.name + ": " + e.host
	// By the wall: the monotonic clock stands still while a laptop sleeps, and
	// counters do not.
	at := s.opts.Now().Round(0)
	resp, err := s.ask(ctx, e, "text/plain;version=0.0.4;q=1,*/*;q=0.1")
	if err != nil {
		return page{}, at, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := web.BadStatus(who, resp, ""); err != nil {
		return page{}, at, err
	}
	if t, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); unlike(strings.TrimSpace(strings.ToLower(t))) {
		return page{}, at, fmt.Errorf("%s answered %s, not metrics, check the path: %w", who, sources.Clean(t, 60), sources.ErrInvalid)
	}
	p, err := parsePage(resp.Body, s.wanted, s.opts.MaxBody, s.opts.MaxSeries)
	switch {
	case errors.Is(err, errTooLarge):
		return page{}, at, fmt.Errorf("%s sent more than %d bytes of metrics: %w", who, s.opts.MaxBody, sources.ErrInvalid)
	case errors.Is(err, sources.ErrInvalid):
		return page{}, at, fmt.Errorf("%s %w", who, err)
	case err != nil:
		return page{}, at, web.Fault(who, err, s.opts.Timeout)
	case p.lines == 0:
		return page{}, at, fmt.Errorf("%s answered an empty page, not metrics: %w", who, sources.ErrInvalid)
	}
	return p, at, nil
}

// unlike reports whether a content type cannot be a text exposition. Exporters
// are sloppy here, so only what is surely something else counts.
func unlike(contentType string) bool {
	switch contentType {
	case "text/html", "application/json", "application/xhtml+xml", "text/xml", "application/xml":
		return true
	default:
		return strings.HasPrefix(contentType, "image/") || strings.HasPrefix(contentType, "application/vnd.google.protobuf")
	}
}
