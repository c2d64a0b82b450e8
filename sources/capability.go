package sources

import (
	"context"
	"time"
)

// Capabilities are found by type assertion: a driver implements what it can do
// and nothing else. All methods are goroutine-safe, return promptly once ctx
// ends, and wrap one of the sentinel errors.

// FlagLister lists every flag of a store.
type FlagLister interface {
	Flags(ctx context.Context) (FlagSet, error)
}

// FlagGetter reads one flag afresh, never from a cache. A flag that is not there
// is ErrNotFound.
type FlagGetter interface {
	Flag(ctx context.Context, id FlagID) (Flag, error)
}

// FlagWatcher follows a store: the whole set first (unless its revision is from),
// then an event after each change. A failure to read is an event too and the
// watch goes on; the channel is closed when ctx ends, and only then.
type FlagWatcher interface {
	Watch(ctx context.Context, from Revision) (<-chan FlagEvent, error)
}

// FlagWriter changes one flag, with compare-and-swap on Change.Seen. When it
// returns nil the write is durable. ErrConflict means that the flag has another
// revision than Seen and that nothing was written.
type FlagWriter interface {
	Apply(ctx context.Context, c Change) (Receipt, error)
}

// JournalPlacer knows where the journal of its store lies when everybody who
// shares the store is to share its history; "" for nowhere in particular.
type JournalPlacer interface {
	JournalPath() string
}

// Verifier asks the side that evaluates, once, whether a change has reached it:
// whether it evaluates the flag as r.New is. An error means that it could not be
// asked, never that the change has not reached it; ErrUnsupported and ErrNoSecret that
// asking again is of no use.
type Verifier interface {
	Verify(ctx context.Context, r Receipt) (Evidence, error)
}

// Prober is a Verifier that can say beforehand whether it could be asked: it asks once and
// cheaply, and for no flag that need exist. nil means that the side that evaluates is there,
// answers as such, and lets us in.
type Prober interface {
	Probe(ctx context.Context) error
}

// Auditor reads the changes that a store has on record, by whomever, newest
// first and at most limit of them. Changes made through this program have the ID
// of the Change.
type Auditor interface {
	History(ctx context.Context, limit int) ([]Recorded, error)
}

// Exporter gives all of a store's flags as one flagd document, and its revision.
type Exporter interface {
	Export(ctx context.Context) ([]byte, Revision, error)
}

// BreakerLister reads circuit breakers.
type BreakerLister interface {
	Breakers(ctx context.Context) (BreakerSet, error)
}

// LatencyReader reads latency quantiles, rates and error ratios.
type LatencyReader interface {
	Latencies(ctx context.Context) (LatencySet, error)
}

// BudgetReader reads how latencies stand against their objectives. It is asked again
// and again, and may read a part each time: long spans change slowly and cost the
// server much. ErrUnsupported says that no objective is set.
type BudgetReader interface {
	Budgets(ctx context.Context) (BudgetSet, error)
}

// ExposureReader reads which share of evaluations got which variant.
type ExposureReader interface {
	Exposures(ctx context.Context) (ExposureSet, error)
}

// AlertLister reads alerts, those that are silenced too.
type AlertLister interface {
	Alerts(ctx context.Context) (AlertSet, error)
}

// AlertSilencer silences alerts for a while. It is used by control alone, which
// compares, records, reads back and undoes.
type AlertSilencer interface {
	// AlertNow reads one alert afresh, by its Key. ErrNotFound means that there is no
	// such alert, or no more.
	AlertNow(ctx context.Context, key string) (AlertNow, error)

	// Silence silences the alert that has exactly these labels.
	Silence(ctx context.Context, s Silence) error

	// Expire ends a silence; one that has ended already, or is gone, is no error.
	Expire(ctx context.Context, id string) error
}

// DeployLister reads which versions of services run, and what changed of that.
type DeployLister interface {
	Deploys(ctx context.Context) (DeploySet, error)
}

// TrendReader reads latencies of the past, for a board that begins with a
// history instead of an empty one: the p99 in seconds by Latency.Name, for each
// of the last points steps, oldest first, the newest being now. Every slice has
// points values; NaN is a gap. A step is at least a second. It is asked once,
// at the start.
type TrendReader interface {
	Trends(ctx context.Context, points int, step time.Duration) (map[string][]float64, error)
}
