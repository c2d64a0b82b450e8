package demo

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// The services' names: in metrics, in breakers and in flags' relctl.latency.
const (
	Checkout  = "checkout"
	Payment   = "payment API"
	Inventory = "inventory"
	Database  = "database"
)

// What the fleet can bear. With 53 checkouts a second, the old charge keeps a
// tenth of the payment API's four connections busy; the new one, for everybody,
// would want 13. So 10 % is felt, 25 % is about all it can do, and at 50 %
// charges of both kinds wait in one queue until they time out.
const (
	visitsPerConnection = 20 // a second: the payment API has its share of connections for the rate
	databaseWorkers     = 8
	scansPerCharge      = 5 // the queries of one new charge, on one connection

	pointQuery = 6 * time.Millisecond // mean service times
	scanQuery  = 50 * time.Millisecond

	// Far above what a healthy callee takes, on a machine busy with other things too.
	paymentTimeout   = 1200 * time.Millisecond // checkout's patience
	inventoryTimeout = 2 * time.Second
	databaseTimeout  = 2 * time.Second
)

// Paths, which are the routes in the metrics too.
const (
	pathBuy       = "/checkout"
	pathCart      = "/cart"
	pathChargeOld = "/v1/charges"
	pathChargeNew = "/v2/charges" // checkout-v2's
	pathStock     = "/stock"
	pathPoint     = "/query/point"
	pathScan      = "/query/scan"
)

// Flags that each route asks for besides those that change what it does.
var (
	flagsBuy = []string{
		"express-shipping", "gift-cards", "guest-checkout", "one-click-reorder", "address-autocomplete",
		"buy-button-copy", "email-receipts", "loyalty-points",
	}
	flagsCharge = []string{
		"saved-cards", "wallet-pay", "payment-retries", "fraud-scoring", "three-ds-frictionless", "invoice-pdf-v2",
	}
	flagsStock = []string{
		"stock-reservations", "async-stock-updates", "backorder-badges", "read-replicas", "pooled-statements",
	}
)

// slots is a limited resource with a queue in front of it.
type slots chan struct{}

func (s slots) take(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s slots) give() { <-s }

// gates are the flags as the services see them: evaluated for the user at hand
// from the file as it is, and counted.
type gates struct {
	file *flagFile
	m    *meters
}

// on is whether the user gets a boolean flag; without an answer, not.
func (g gates) on(key, user string) bool {
	r := g.file.evaluator().Evaluate(key, user, nil)
	if r.Err == nil {
		g.m.evaluated(key, r.Variant)
	}
	return r.Value == true
}

func (g gates) all(keys []string, user string) {
	for _, key := range keys {
		g.on(key, user)
	}
}

// checkoutService takes visits.
type checkoutService struct {
	gates
	payment, inventory *callee
	orders             *orderService
}

func (s *checkoutService) buy(w http.ResponseWriter, r *http.Request) {
	user := r.Header.Get(userHeader)
	s.all(flagsBuy, user)
	charge := pathChargeOld
	if s.on("checkout-v2", user) {
		charge = pathChargeNew
	}
	if err := s.inventory.call(r.Context(), pathStock, user); err != nil {
		unavailable(w)
		return
	}
	if err := s.payment.call(r.Context(), charge, user); err != nil {
		unavailable(w)
		return
	}
	if err := s.orders.take(user); err != nil {
		unavailable(w)
	}
}

func (s *checkoutService) cart(w http.ResponseWriter, r *http.Request) {
	if err := s.inventory.call(r.Context(), pathStock, r.Header.Get(userHeader)); err != nil {
		unavailable(w)
	}
}

// paymentService charges. Every charge needs one of a few database connections.
type paymentService struct {
	gates
	connections slots
	database    *callee
}

func (s *paymentService) chargeOld(w http.ResponseWriter, r *http.Request) {
	s.charge(w, r, pathPoint, 1)
}

// chargeNew reads the fraud ledger inline and keeps its connection all the while.
func (s *paymentService) chargeNew(w http.ResponseWriter, r *http.Request) {
	s.charge(w, r, pathScan, scansPerCharge)
}

func (s *paymentService) charge(w http.ResponseWriter, r *http.Request, query string, times int) {
	user := r.Header.Get(userHeader)
	s.all(flagsCharge, user)
	if err := s.connections.take(r.Context()); err != nil {
		unavailable(w)
		return
	}
	defer s.connections.give()
	for range times {
		if err := s.database.call(r.Context(), query, user); err != nil {
			unavailable(w)
			return
		}
	}
}

// inventoryService knows stock and prices.
type inventoryService struct {
	gates
	database *callee
}

func (s *inventoryService) stock(w http.ResponseWriter, r *http.Request) {
	user := r.Header.Get(userHeader)
	s.all(flagsStock, user)
	queries := 2
	if s.on("price-cache", user) {
		queries--
	}
	for _, extra := range []string{"search-ranking", "recommendations"} {
		if s.on(extra, user) {
			queries++
		}
	}
	for range queries {
		if err := s.database.call(r.Context(), pathPoint, user); err != nil {
			unavailable(w)
			return
		}
	}
}

// databaseService stands in for a database: a few workers, and queries that
// take their time.
type databaseService struct {
	workers slots
	mu      sync.Mutex
	rnd     *rand.Rand
}

// query is a handler of queries whose service time is mean, give or take a half.
func (s *databaseService) query(mean time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := s.workers.take(r.Context()); err != nil {
			unavailable(w)
			return
		}
		defer s.workers.give()
		s.mu.Lock()
		d := mean/2 + time.Duration(s.rnd.Int64N(int64(mean)))
		s.mu.Unlock()
		busy := time.NewTimer(d)
		defer busy.Stop()
		select {
		case <-busy.C:
		case <-r.Context().Done():
			unavailable(w)
		}
	}
}

func unavailable(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
