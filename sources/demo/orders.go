package demo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

// OrdersFlag is the flag whose variants are the stages of the orders' migration.
const OrdersFlag = "orders-store"

// The two sides of the migration, by the names of their latencies.
const (
	OrdersOld = "orders old"
	OrdersNew = "orders new"
)

const (
	comparisons = "orders_comparisons_total"
	pathRepair  = "/orders/repair"

	// Orders from before the demo. The new store was begun with a copy that somebody
	// made by hand: it ends early, and every twelfth total was rounded.
	pastOrders   = 300
	copiedOrders = 240
	roundedEvery = 12
)

// Migration is what the board is to know of the orders' migration. window is for how
// long the sides must agree.
func Migration(window time.Duration) (*sources.Migration, error) {
	return sources.NewMigration(sources.Migration{
		Mismatch: OrdersFlag, Limit: 0.001, Window: window, AtLeast: 100, Old: OrdersOld, New: OrdersNew,
	}, "", "")
}

// RatioRules is how the comparisons are read.
func RatioRules(m *sources.Migration) []metrics.RatioRule {
	return []metrics.RatioRule{{Name: m.Mismatch, Metric: comparisons, Bad: `result="mismatch"`, Span: m.Span()}}
}

// orderService takes orders into two SQLite files, as the flag's stage says for each
// user. What a stage writes and reads is real, and so is what a wrong step loses.
type orderService struct {
	gates
	now      func() time.Time
	old, new *orderStore
	match    prometheus.Counter
	differ   prometheus.Counter

	mu   sync.Mutex // one order at a time: a row is never compared between its two writes
	last int64      // the newest order's ID
	rnd  *rand.Rand
}

// newOrderService opens the two stores in a directory and fills in the past.
func newOrderService(dir string, seed int64, g gates, m *meters, now func() time.Time) (*orderService, error) {
	s := &orderService{
		gates: g, now: now, rnd: seeded(seed, 3), last: pastOrders,
		match: m.compared.WithLabelValues("match"), differ: m.compared.WithLabelValues("mismatch"),
	}
	var err error
	if s.old, err = openOrders(filepath.Join(dir, "orders-old.sqlite")); err != nil {
		return nil, err
	}
	if s.new, err = openOrders(filepath.Join(dir, "orders-new.sqlite")); err != nil {
		return nil, errors.Join(err, s.old.close())
	}
	for _, route := range []string{"write", "read"} { // what nobody uses yet has no traffic, which is not the same as being unknown
		m.requests.WithLabelValues(OrdersNew, route, http.MethodPost, "200")
	}
	past := make([]Order, pastOrders)
	for i := range past {
		past[i] = s.order(int64(i+1), fmt.Sprintf("user-%05d", s.rnd.IntN(population)))
	}
	copied := append([]Order(nil), past[:copiedOrders]...)
	for i := roundedEvery - 1; i < len(copied); i += roundedEvery {
		copied[i].Cents = copied[i].Cents / 100 * 100
	}
	if err := errors.Join(s.old.write(past...), s.new.write(copied...)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *orderService) close() error { return errors.Join(s.old.close(), s.new.close()) }

// order is a new order; no total is whole, so that a rounded one differs.
func (s *orderService) order(id int64, user string) Order {
	return Order{ID: id, User: user, Cents: int64(s.rnd.IntN(200))*100 + 1 + int64(s.rnd.IntN(99))}
}

// stage is what the flag says for a user; without an answer the first.
func (s *orderService) stage(user string) string {
	r := s.file.evaluator().Evaluate(OrdersFlag, user, nil)
	if r.Err == nil {
		s.m.evaluated(OrdersFlag, r.Variant)
	}
	if stage, ok := r.Value.(string); ok {
		return stage
	}
	return "off"
}

// take keeps a new order of a user and looks one up, as their page does after it.
func (s *orderService) take(user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	stage := s.stage(user)
	next := s.order(s.last+1, user)
	if stage != "rampdown" && stage != "complete" {
		if err := s.timed(OrdersOld, "write", func() error { return s.old.write(next) }); err != nil {
			return err
		}
	}
	if stage != "off" {
		if err := s.timed(OrdersNew, "write", func() error { return s.new.write(next) }); err != nil {
			return err
		}
	}
	s.last++
	return s.look(stage)
}

// look reads an order back: half of the time one of the past.
func (s *orderService) look(stage string) error {
	id := 1 + s.rnd.Int64N(s.last)
	if s.rnd.IntN(2) == 0 {
		id = 1 + s.rnd.Int64N(pastOrders)
	}
	var old, fresh Order
	both := stage == "shadow" || stage == "live"
	if both || stage == "off" || stage == "dualwrite" {
		if err := s.timed(OrdersOld, "read", func() (err error) { old, err = s.old.read(id); return err }); err != nil {
			return err
		}
	}
	if both || stage == "rampdown" || stage == "complete" {
		if err := s.timed(OrdersNew, "read", func() (err error) { fresh, err = s.new.read(id); return err }); err != nil {
			return err
		}
	}
	switch {
	case both && old == fresh:
		s.match.Inc()
	case both:
		s.differ.Inc()
	}
	return nil
}

// timed measures one side as a service of its own.
func (s *orderService) timed(side, route string, do func() error) error {
	start := s.now()
	err := do()
	code := http.StatusOK
	if err != nil {
		code = http.StatusInternalServerError
	}
	s.m.requests.WithLabelValues(side, route, http.MethodPost, strconv.Itoa(code)).Observe(s.now().Sub(start).Seconds())
	return err
}

// repair makes the new store equal to the old one, row by row, and says how many rows
// it had to mend. It is refused once the new store holds what the old one has not: then
// the new one is the truth.
func (s *orderService) repair() (mended int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	truth, err := s.old.all()
	if err != nil {
		return 0, err
	}
	have, err := s.new.all()
	if err != nil {
		return 0, err
	}
	known := make(map[int64]Order, len(have))
	for _, o := range have {
		known[o.ID] = o
	}
	var wrong []Order
	for _, o := range truth {
		if is, there := known[o.ID]; !there || is != o {
			wrong = append(wrong, o)
		}
		delete(known, o.ID)
	}
	if len(known) > 0 {
		return 0, fmt.Errorf("the new store has %d orders that the old one has not, so the old one is no truth to repair it from: %w", len(known), sources.ErrRefused)
	}
	return len(wrong), s.new.write(wrong...)
}

// repairNow is repair over HTTP.
func (s *orderService) repairNow(w http.ResponseWriter, _ *http.Request) {
	mended, err := s.repair()
	if err != nil {
		http.Error(w, sources.Sentence(err), http.StatusConflict)
		return
	}
	_, _ = fmt.Fprintf(w, "%d orders repaired, the new store equals the old one\n", mended)
}

// Placed is how many orders the fleet has taken, those of the past included.
func (f *Fleet) Placed() int64 {
	f.orders.mu.Lock()
	defer f.orders.mu.Unlock()
	return f.orders.last
}

// OrderFiles are the paths of the old and of the new store. They are gone with the fleet.
func (f *Fleet) OrderFiles() (old, fresh string) {
	return filepath.Join(f.temp, "orders-old.sqlite"), filepath.Join(f.temp, "orders-new.sqlite")
}

// RepairOrders makes the new store equal to the old one and says how many orders were
// mended; ErrRefused once the new store holds what the old one has not.
func (f *Fleet) RepairOrders() (int, error) { return f.orders.repair() }

// RepairURL is where a POST does the same as RepairOrders.
func (f *Fleet) RepairURL() string { return f.repairURL }
