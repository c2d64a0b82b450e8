// Package demo runs a small real fleet in-process: a checkout, a payment API,
// an inventory and a stand-in for a database that call each other over HTTP on
// loopback, through real circuit breakers, with flags evaluated from a flagd
// file on each request. What happens to it is caused, not painted: checkout-v2
// makes each charge hold a database connection for longer, so that charges
// queue, time out and open the payment API's breaker; killing it heals both.
package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

// Options is how the fleet is run. The zero Options is a fleet with a flags
// file of its own, on a free port.
type Options struct {
	FlagsFile   string           // used as it is when it exists, else written; "" for one in a temporary directory
	Listen      string           // address of the metrics; "" for a free port on loopback
	Seed        int64            // same seed, same visits
	Rate        float64          // visits per second, at most 1000; 0 means DefaultRate. The fleet is sized for it
	Connections int              // to the database, that the payment API has; 0 for as many as the rate needs
	Now         func() time.Time // nil means time.Now
	Log         *slog.Logger     // nil discards
}

// LatencyRules is how the fleet's latencies are read: names, SLOs and who calls
// whom.
func LatencyRules() []metrics.LatencyRule {
	rule := func(name string, slo time.Duration, calls ...string) metrics.LatencyRule {
		return metrics.LatencyRule{Name: name, Preset: "http_server", Match: fmt.Sprintf("service=%q", name), SLO: slo, Calls: calls}
	}
	return []metrics.LatencyRule{
		rule(Checkout, time.Second, Payment, Inventory),
		rule(Payment, 500*time.Millisecond, Database),
		rule(Inventory, 250*time.Millisecond, Database),
		rule(Database, 250*time.Millisecond),
		rule(OrdersOld, 50*time.Millisecond),
		rule(OrdersNew, 50*time.Millisecond),
	}
}

// Fleet is a running fleet. Its methods are safe for use from any goroutine.
type Fleet struct {
	opts       Options
	file       string
	temp       string // the directory to remove; "" before there is one
	metricsURL string
	repairURL  string
	orders     *orderService

	ctx     context.Context // the fleet's life, which outlasts Start
	stop    context.CancelFunc
	client  *http.Client
	servers []*http.Server
	visits  sync.WaitGroup
	serving sync.WaitGroup
	close   sync.Once
	closed  error
}

// Start runs a fleet until Close, which must be called even when ctx, whose end
// stops the traffic, has ended. A flags file that cannot be used is ErrInvalid
// or ErrUnavailable, and so is an address that cannot be listened on.
func Start(ctx context.Context, o Options) (*Fleet, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if !(o.Rate > 0) { // NaN too
		o.Rate = DefaultRate
	}
	o.Rate = min(o.Rate, 1000)
	if o.Listen == "" {
		o.Listen = loopback
	}
	f := &Fleet{opts: o, client: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: maxInFlight, DisableCompression: true, IdleConnTimeout: time.Minute,
	}}}
	f.ctx, f.stop = context.WithCancel(ctx)
	if err := f.start(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

const (
	loopback = "127.0.0.1:0"
	// Visits that may be under way at once; those beyond it never come. It is
	// far above what the timeouts let pile up.
	maxInFlight = 512
)

// FlagsFile is the path of the file that the flags are evaluated from.
func (f *Fleet) FlagsFile() string { return f.file }

// MetricsURL is where the fleet's metrics are scraped.
func (f *Fleet) MetricsURL() string { return f.metricsURL }

// Close stops the traffic and the services, waits for both, and removes the
// temporary directory if there is one. Further calls return the same.
func (f *Fleet) Close() error {
	f.close.Do(func() {
		f.stop()
		f.visits.Wait()
		f.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(f.ctx), time.Second)
		defer cancel()
		for _, s := range f.servers {
			if err := s.Shutdown(ctx); err != nil {
				f.closed = errors.Join(f.closed, s.Close())
			}
		}
		f.serving.Wait()
		f.client.CloseIdleConnections()
		if f.orders != nil {
			f.closed = errors.Join(f.closed, f.orders.close())
		}
		if f.temp != "" {
			f.closed = errors.Join(f.closed, os.RemoveAll(f.temp))
		}
	})
	return f.closed
}

func (f *Fleet) start() error {
	if err := f.prepareFile(); err != nil {
		return err
	}
	file, err := openFlags(f.file, f.opts.Now, f.opts.Log)
	if err != nil {
		return err
	}
	m := newMeters()
	g := gates{file: file, m: m}
	if f.orders, err = newOrderService(f.temp, f.opts.Seed, g, m, f.opts.Now); err != nil {
		return err
	}
	url, err := f.serve(f.opts.Listen, map[string]http.Handler{
		"GET /metrics":       promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}),
		"POST " + pathRepair: http.HandlerFunc(f.orders.repairNow),
	})
	if err != nil {
		return err
	}
	f.metricsURL, f.repairURL = url+"/metrics", url+pathRepair
	front, err := f.services(g, m)
	if err != nil {
		return err
	}
	f.visits.Go(func() { f.visit(front) })
	return nil
}

func (f *Fleet) prepareFile() error {
	dir, err := os.MkdirTemp("", "relctl-tui-demo-")
	if err != nil {
		return fmt.Errorf("no temporary directory for the demo's files (%w): %w", err, sources.ErrUnavailable)
	}
	f.temp, f.file = dir, f.opts.FlagsFile
	if f.file == "" {
		f.file = filepath.Join(dir, "demo.flagd.json")
	}
	return writeDefault(f.file)
}

// services starts the four, from the one that calls nobody up to the front,
// whose URL it returns.
func (f *Fleet) services(g gates, m *meters) (string, error) {
	var failed error
	up := func(service string, routes map[string]http.HandlerFunc) string {
		if failed != nil {
			return ""
		}
		handlers := make(map[string]http.Handler, len(routes))
		for path, h := range routes {
			handlers["POST "+path] = m.measured(service, http.MethodPost, path, f.opts.Now, h)
		}
		url, err := f.serve(loopback, handlers)
		failed = err
		return url
	}
	probes := probesOf(f.opts.Rate)
	db := &databaseService{workers: make(slots, databaseWorkers), rnd: seeded(f.opts.Seed, 2)}
	dbURL := up(Database, map[string]http.HandlerFunc{pathPoint: db.query(pointQuery), pathScan: db.query(scanQuery)})
	pay := &paymentService{
		gates: g, connections: make(slots, f.connections()),
		database: newCallee(Payment, "payment database", dbURL, databaseTimeout, probes, f.client, m),
	}
	inv := &inventoryService{gates: g, database: newCallee(Inventory, "inventory database", dbURL, databaseTimeout, probes, f.client, m)}
	payURL := up(Payment, map[string]http.HandlerFunc{pathChargeOld: pay.chargeOld, pathChargeNew: pay.chargeNew})
	invURL := up(Inventory, map[string]http.HandlerFunc{pathStock: inv.stock})
	co := &checkoutService{
		gates: g, orders: f.orders,
		payment:   newCallee(Checkout, Payment, payURL, paymentTimeout, probes, f.client, m),
		inventory: newCallee(Checkout, Inventory, invURL, inventoryTimeout, probes, f.client, m),
	}
	front := up(Checkout, map[string]http.HandlerFunc{pathBuy: co.buy, pathCart: co.cart})
	return front, failed
}

func (f *Fleet) connections() int {
	if f.opts.Connections > 0 {
		return f.opts.Connections
	}
	return max(1, int(f.opts.Rate/visitsPerConnection))
}

// serve listens and serves until Close, and returns the URL.
func (f *Fleet) serve(addr string, routes map[string]http.Handler) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(f.ctx, "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("the demo cannot listen on %s (%w): %w", sources.Clean(addr, sources.MaxName), err, sources.ErrUnavailable)
	}
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.Handle(pattern, h)
	}
	s := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second,
		BaseContext: func(net.Listener) context.Context { return f.ctx },
		ErrorLog:    slog.NewLogLogger(f.opts.Log.Handler(), slog.LevelDebug),
	}
	f.servers = append(f.servers, s)
	f.serving.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			f.opts.Log.Error("a service of the demo stopped", "err", err)
		}
	})
	return "http://" + l.Addr().String(), nil
}

// visit sends the seed's visits to the front until the fleet stops.
func (f *Fleet) visit(front string) {
	traffic, places := NewTraffic(f.opts.Seed), make(slots, maxInFlight)
	rnd := seeded(f.opts.Seed, 3)
	due := time.Now() // the schedule is real time, whatever clock the fleet was given
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-timer.C:
		}
		v, wait := traffic.next(f.opts.Rate)
		select {
		case places <- struct{}{}:
			ctx := newTrace(f.ctx, rnd)
			f.visits.Go(func() {
				defer places.give()
				path := pathCart
				if v.Buys {
					path = pathBuy
				}
				// The visitor shrugs: the front's metrics have the failure.
				_ = post(ctx, f.client, visitor, front+path, v.User)
			})
		default:
		}
		// From the schedule, not from now: or the rate would sink under load.
		due = due.Add(wait)
		if late := time.Since(due); late > time.Second {
			due = time.Now()
		}
		timer.Reset(time.Until(due))
	}
}
