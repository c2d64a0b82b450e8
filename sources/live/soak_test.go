package live_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// weather decides from minute to minute how a source does: well, slow, hung until
// its context ends, or failing. Same seed, same weather.
type weather struct {
	mu   sync.Mutex
	rng  *rand.Rand
	mood int
	till time.Time
}

func newWeather(seed uint64) *weather { return &weather{rng: rand.New(rand.NewPCG(seed, 1))} }

// clear ends bad weather for good.
func (w *weather) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mood, w.till = 0, time.Now().Add(1000*time.Hour)
}

func (w *weather) call(ctx context.Context) error {
	w.mu.Lock()
	if now := time.Now(); !now.Before(w.till) {
		w.mood = w.rng.IntN(5)
		w.till = now.Add(time.Duration(w.rng.IntN(240)+5) * time.Second)
	}
	mood := w.mood
	w.mu.Unlock()
	switch mood {
	case 1:
		return fmt.Errorf("connection refused: %w", sources.ErrUnavailable)
	case 2:
		<-ctx.Done()
		return ctx.Err()
	case 3:
		select {
		case <-time.After(1500 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// stormy is a source of metrics in some weather; its breaker flaps by itself.
type stormy struct {
	*weather
	name  string
	reads int
}

func (s *stormy) Breakers(ctx context.Context) (sources.BreakerSet, error) {
	if err := s.call(ctx); err != nil {
		return sources.BreakerSet{}, err
	}
	s.reads++
	state := sources.BreakerClosed
	if s.reads%7 == 0 {
		state = sources.BreakerOpen
	}
	return sources.BreakerSet{Breakers: []sources.Breaker{{Source: s.name, Name: "db", State: state, Rate: sources.Some(float64(s.reads % 100))}}}, nil
}

func (s *stormy) Latencies(ctx context.Context) (sources.LatencySet, error) {
	if err := s.call(ctx); err != nil {
		return sources.LatencySet{}, err
	}
	return sources.LatencySet{Latencies: []sources.Latency{{Source: s.name, Name: "api", P99: sources.Quantile{Seconds: float64(time.Now().Second()), OK: true}}}}, nil
}

func (s *stormy) Exposures(ctx context.Context) (sources.ExposureSet, error) {
	return sources.ExposureSet{ByKey: map[string]map[string]float64{"a": {"on": 0.5, "off": 0.5}}}, s.call(ctx)
}

func (s *stormy) Trends(ctx context.Context, n int, _ time.Duration) (map[string][]float64, error) {
	return map[string][]float64{"api": make([]float64, n)}, s.call(ctx)
}

// edited is a watched store in some weather, changed by somebody each minute.
type edited struct {
	*weather
	n int
}

func (s *edited) Watch(ctx context.Context, _ sources.Revision) (<-chan sources.FlagEvent, error) {
	if err := s.call(ctx); err != nil {
		return nil, err
	}
	ch := make(chan sources.FlagEvent)
	go func() {
		defer close(ch)
		for s.call(ctx) == nil { // else the watch breaks off
			s.n++
			rev := fmt.Sprint(s.n)
			set := &sources.FlagSet{Source: "prod", Revision: sources.Revision(rev), Flags: []sources.Flag{flag("a", s.n%100, rev), flag("b", 10, "r")}}
			select {
			case ch <- sources.FlagEvent{Set: set}:
			case <-ctx.Done():
				return
			}
			select {
			case <-time.After(time.Minute):
			case <-ctx.Done():
				return
			}
		}
	}()
	return ch, nil
}

// resources is how many goroutines there are and how many bytes are in use.
func resources() (goroutines int, heap uint64) {
	synctest.Wait()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}

func TestADayOfBadWeatherLeavesNothingBehindAndNoCellThatLies(t *testing.T) {
	// Not parallel: it counts the goroutines and the memory of the process.
	first, second, page := newWeather(1), newWeather(2), newWeather(3)
	store := newWeather(4)
	all := []live.Source{src("first", &stormy{weather: first, name: "first"}), src("second", &stormy{weather: second, name: "second"}), src("page", &stormy{weather: page, name: "page"})}
	for i := range all {
		all[i].Group, all[i].Tier = "metrics", i
	}
	all = append(all, src("prod", &edited{weather: store}))
	const hours = 24
	run(t, live.Options{Sources: all, Jitter: func(d time.Duration) time.Duration { return d }}, func(t *testing.T, e *live.Engine) {
		var goroutines []int
		var heap []uint64
		roles := map[sources.Role]int{}
		for minute := range hours * 60 {
			pass(time.Minute)
			s := e.Snapshot()
			for i := range s.Sources {
				st := &s.Sources[i]
				roles[st.Role]++
				for _, p := range st.Parts {
					if p.Has && p.Health == sources.Fresh {
						require.False(t, p.LastOK.IsZero(), st.Name)
						require.Less(t, s.At.Sub(p.LastOK), 15*time.Second, "%s is called fresh at minute %d", st.Name, minute)
					}
				}
			}
			require.LessOrEqual(t, len(s.Activity), 200)
			if minute%60 == 59 {
				g, h := resources()
				goroutines, heap = append(goroutines, g), append(heap, h)
			}
		}
		for _, w := range []*weather{first, second, page, store} {
			w.clear()
		}
		pass(3 * time.Minute)
		s := e.Snapshot()
		require.Equal(t, sources.Speaks, s.Source("first").Role)
		require.Equal(t, sources.Fresh, s.Source("first").Health)
		require.Equal(t, sources.Fresh, s.Source("prod").Health)
		require.Empty(t, s.Source("first").Err+s.Source("prod").Err)
		require.Positive(t, roles[sources.Replaced], "the weather was never bad")

		most, least := goroutines[0], goroutines[0]
		for _, g := range goroutines {
			most, least = max(most, g), min(least, g)
		}
		require.LessOrEqual(t, most-least, 16, "goroutines by the hour: %v", goroutines)
		warm, end := heap[hours/4], heap[hours-1] // by then the activity is as long as it may be
		require.Less(t, float64(end), float64(warm)*1.05+64<<10, "bytes by the hour: %v", heap)
		t.Logf("%d simulated hours: goroutines %d to %d, heap %d KiB after a quarter of them, %d KiB at the end", hours, least, most, warm>>10, end>>10)
	})
}
