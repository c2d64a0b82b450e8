package viewtest

import (
	"fmt"
	"math"
	"slices"
	"time"

	"relctl-tui/sources"
)

// Now is the moment of every test.
func Now() time.Time { return time.Date(2026, 3, 14, 14, 32, 10, 0, time.UTC) }

// The sources of the sample fleet.
const (
	Store   = "prod.flagd.json"
	Metrics = "prometheus"
)

// State is a state of the data behind the board.
type State string

// The states.
const (
	Empty   State = "empty"   // everything was read and there is nothing
	Loading State = "loading" // nothing was read yet
	OK      State = "ok"
	Stale   State = "stale" // the last good data, 32 seconds old
	Failed  State = "error" // nothing can be read, with old data
	Never   State = "never" // nothing could ever be read
)

// States are all of them.
func States() []State { return []State{Empty, Loading, OK, Stale, Failed, Never} }

// Snapshot is the fleet in a state.
func Snapshot(state State) *sources.Snapshot {
	now := Now()
	s := &sources.Snapshot{Seq: 1, FlagsSeq: 1, At: now, Context: "prod", Accent: "red"}
	store := sources.SourceStatus{Name: Store, Kind: "flagd", Health: sources.Fresh, LastOK: now, Flags: true, Writable: true}
	metrics := sources.SourceStatus{Name: Metrics, Kind: "prometheus", Health: sources.Fresh, LastOK: now.Add(-2 * time.Second), Metrics: true}
	switch state {
	case Loading:
		store.Health, store.LastOK = sources.Unknown, time.Time{}
		metrics.Health, metrics.LastOK = sources.Unknown, time.Time{}
	case Never:
		store.Health, store.LastOK, store.Since = sources.Unknown, time.Time{}, now.Add(-time.Minute)
		store.Err = "permission denied"
		metrics.Health, metrics.LastOK, metrics.Since = sources.Unknown, time.Time{}, now.Add(-time.Minute)
		metrics.Err = "dial tcp 127.0.0.1:9090: connection refused"
	case Stale:
		store.Health, store.LastOK = sources.Stale, now.Add(-32*time.Second)
		metrics.Health, metrics.LastOK = sources.Stale, now.Add(-32*time.Second)
	case Failed:
		store.Health, store.LastOK, store.Since = sources.Stale, now.Add(-30*time.Minute), now.Add(-30*time.Minute)
		store.Err = "permission denied"
		metrics.Health, metrics.LastOK, metrics.Since = sources.Unknown, now.Add(-30*time.Minute), now.Add(-30*time.Minute)
		metrics.Err = "the server answered 503 Service Unavailable"
	default:
	}
	s.Sources = []sources.SourceStatus{store, metrics}
	s.Own = own(&store, &metrics)
	if state == Empty || state == Loading || state == Never {
		return s
	}
	s.Flags = flags(now)
	s.Breakers = breakers(now)
	s.Latencies = latencies()
	s.Trends = trends()
	switch metrics.Health {
	case sources.Unknown: // the engine leaves them out then
	case sources.Stale:
		s.Exposures = exposures()
		s.Exposures.Stale = true
	default:
		s.Exposures = exposures()
	}
	s.Activity = activity(now)
	return s
}

func flags(now time.Time) []sources.Flag {
	pct := func(key string, p sources.Percent, ago time.Duration, by, metric string) sources.Flag {
		f := sources.Flag{
			ID: sources.FlagID{Source: Store, Key: key}, Name: key, State: sources.FlagOn, Variant: "on",
			Rollout: sources.Some(p), Stored: sources.Some(p), Metric: metric,
			Revision: sources.Revision("rev-" + key), ChangedAt: now.Add(-ago), ChangedBy: by,
		}
		if p == 0 {
			f.State = sources.FlagOff
		}
		return f
	}
	day := 24 * time.Hour
	out := []sources.Flag{
		pct("checkout-v2", sources.Pct(25), 47*time.Second, "ana", "payment API"),
		pct("payments-retry", sources.Pct(50), 3*time.Hour, "ben", "payment API"),
		pct("search-rerank", sources.Percent(500), 26*time.Hour, "ana", "search"),
		pct("new-nav", sources.Full, 9*day, "ben", ""),
		pct("dark-mode", sources.Full, 31*day, "ana", ""),
		pct("inventory-cache", sources.Full, 12*day, "ben", "inventory"),
		pct("recommendations", 0, 5*day, "ana", ""),
		pct("gift-cards", 0, 40*day, "", ""),
		pct("loyalty-points", sources.Full, 2*day, "ben", ""),
		pct("image-webp", sources.Full, 80*day, "", ""),
		pct("eu-tax-rules", sources.Full, 20*day, "ana", ""),
		pct("fast-shipping", 0, 6*day, "ben", ""),
	}
	out[0].Description = "The rewritten checkout: one page, one call to the payment API, retries with a deadline."
	out[0].Owner = "team-checkout"
	killed := pct("legacy-export", sources.Pct(10), 6*time.Minute, "ben", "")
	killed.Killed, killed.State, killed.Rollout = true, sources.FlagOff, sources.Some(sources.Percent(0))
	custom := pct("beta-program", 0, 8*day, "ana", "")
	custom.State, custom.Rollout, custom.Stored, custom.Note = sources.FlagCustom, sources.Opt[sources.Percent]{}, sources.Opt[sources.Percent]{}, "three-way split"
	broken := pct("promo-banner", 0, 50*time.Hour, "", "")
	broken.State, broken.Rollout, broken.Stored, broken.Note = sources.FlagBroken, sources.Opt[sources.Percent]{}, sources.Opt[sources.Percent]{}, `no variant "On"`
	out = append(out, killed, custom, broken)
	slices.SortFunc(out, func(a, b sources.Flag) int {
		if a.ID.Key < b.ID.Key {
			return -1
		}
		return 1
	})
	return out
}

func breakers(now time.Time) []sources.Breaker {
	list := []sources.Breaker{
		{Name: "payment-api", State: sources.BreakerOpen, Instances: 12, OpenInstances: 3, ErrorRatio: sources.Some(0.41), Rate: sources.Some(120.5), RejectRate: sources.Some(44.0), Since: now.Add(-90 * time.Second)},
		{Name: "inventory", State: sources.BreakerHalfOpen, Instances: 4, OpenInstances: 0, ErrorRatio: sources.Some(0.07), Rate: sources.Some(31.0), RejectRate: sources.Some(2.4), Since: now.Add(-20 * time.Second)},
		{Name: "email", State: sources.BreakerDisabled, Instances: 2, ErrorRatio: sources.Some(0.002), Rate: sources.Some(3.2), Since: now.Add(-72 * time.Hour)},
		{Name: "database", State: sources.BreakerClosed, Instances: 12, ErrorRatio: sources.Some(0.0004), Rate: sources.Some(1240.0), RejectRate: sources.Some(0.0), Since: now.Add(-26 * time.Hour)},
		{Name: "search", State: sources.BreakerClosed, Instances: 6, ErrorRatio: sources.Some(0.0), Rate: sources.Some(310.0), RejectRate: sources.Some(0.0), Since: now.Add(-26 * time.Hour)},
		{Name: "geo-ip", State: sources.BreakerClosed, Inferred: true, Rate: sources.Some(0.02)},
	}
	for i := range list {
		list[i].Source = Metrics
	}
	slices.SortFunc(list, sources.CompareBreakers)
	return list
}

func latencies() []sources.Latency {
	q := func(s float64) sources.Quantile { return sources.Quantile{Seconds: s, OK: true} }
	list := []sources.Latency{
		{Name: "payment API", P50: q(0.4), P95: q(1.9), P99: q(3.2), Rate: sources.Some(120.5), ErrorRatio: sources.Some(0.41), SLO: 500 * time.Millisecond, Calls: []string{"database"}},
		{Name: "database", P50: q(0.012), P95: q(0.2), P99: q(0.8), Rate: sources.Some(1240.0), ErrorRatio: sources.Some(0.0004), SLO: time.Second},
		{Name: "search", P50: q(0.034), P95: q(0.091), P99: q(0.12), Rate: sources.Some(310.0), ErrorRatio: sources.Some(0.0), SLO: 250 * time.Millisecond},
		{Name: "inventory", P50: q(0.0021), P95: q(0.0087), P99: q(0.014), Rate: sources.Some(31.0), ErrorRatio: sources.Some(0.07)},
		{Name: "reports", Rate: sources.Some(0.0), SLO: 2 * time.Second},
	}
	for i := range list {
		l := &list[i]
		l.Source = Metrics
		l.Verdict = sources.Judge(l.P99, l.Rate, l.SLO)
	}
	slices.SortFunc(list, sources.CompareLatencies)
	return list
}

// own is the board's own breakers: open where a source cannot be read.
func own(list ...*sources.SourceStatus) []sources.Breaker {
	out := make([]sources.Breaker, len(list))
	for i, st := range list {
		out[i] = sources.Breaker{Source: st.Name, Name: "relctl-tui/" + st.Name, State: sources.BreakerClosed, Instances: 1, Own: true}
		if st.Err != "" {
			out[i].State, out[i].OpenInstances, out[i].Since = sources.BreakerOpen, 1, st.Since
			out[i].Note = "next try 14:32:20, after 5 failures"
		}
	}
	slices.SortStableFunc(out, sources.CompareBreakers)
	return out
}

func trends() map[string]sources.Trend {
	out := map[string]sources.Trend{}
	for name, base := range map[string]float64{"payment API": 0.2, "database": 0.1, "search": 0.09, "inventory": 0.012} {
		var t sources.Trend
		for i := range sources.TrendLen + 17 {
			v := base * (1 + 0.25*math.Sin(float64(i)*0.9+base*50))
			if name == "payment API" && i > 62 {
				v += float64(i-62) * 0.21
			}
			if name == "database" && i > 66 {
				v += float64(i-66) * 0.06
			}
			t = t.Add(v)
		}
		out[name] = t
	}
	return out
}

func exposures() *sources.ExposureSet {
	share := func(v float64) map[string]float64 { return map[string]float64{"on": v, "off": 1 - v} }
	return &sources.ExposureSet{ByKey: map[string]map[string]float64{
		"checkout-v2": share(0.247), "payments-retry": share(0.38), "search-rerank": share(0.0052),
		"new-nav": share(1), "dark-mode": share(1), "legacy-export": share(0.1), "recommendations": share(0),
	}}
}

func activity(now time.Time) []sources.Activity {
	id := func(key string) sources.FlagID { return sources.FlagID{Source: Store, Key: key} }
	return []sources.Activity{
		{ID: "c4", At: now.Add(-47 * time.Second), Kind: "ramp", Flag: id("checkout-v2"), Name: "checkout-v2", Actor: "ana", Old: "10%", New: "25%", Outcome: sources.Confirmed, Reason: "next step after an hour without errors"},
		{At: now.Add(-90 * time.Second), Kind: "breaker", Name: "payment-api", Old: "closed", New: "open", Outcome: sources.Seen},
		{ID: "c3", At: now.Add(-6 * time.Minute), Kind: "kill", Flag: id("legacy-export"), Name: "legacy-export", Actor: "ben", Old: "10%", New: "killed", Outcome: sources.Confirmed},
		{ID: "c2", At: now.Add(-7 * time.Minute), Kind: "ramp", Flag: id("legacy-export"), Name: "legacy-export", Actor: "ben", Old: "10%", New: "25%", Outcome: sources.Failed, Err: "prod.flagd.json: changed meanwhile, nothing was written"},
		{At: now.Add(-26 * time.Hour), Kind: "edited", Flag: id("search-rerank"), Name: "search-rerank", Old: "0%", New: "0.5%", Outcome: sources.Seen},
	}
}

// Many is a snapshot of n flags, for what must not depend on their number.
func Many(n int) *sources.Snapshot {
	s := Snapshot(OK)
	now := Now()
	steps := []sources.Percent{0, sources.Full, sources.Pct(25), 0, sources.Full}
	s.Flags = make([]sources.Flag, n)
	for i := range s.Flags {
		key := fmt.Sprintf("service-%03d-feature-%06d", i%311, i)
		p := steps[i%len(steps)]
		s.Flags[i] = sources.Flag{
			ID: sources.FlagID{Source: Store, Key: key}, Name: key, State: sources.FlagOn, Variant: "on",
			Rollout: sources.Some(p), Stored: sources.Some(p), Revision: sources.Revision(key), Metric: "payment API",
			ChangedAt: now.Add(-time.Duration(i) * time.Minute), ChangedBy: "ana",
		}
		if p == 0 {
			s.Flags[i].State = sources.FlagOff
		}
	}
	slices.SortFunc(s.Flags, func(a, b sources.Flag) int {
		if a.ID.Key < b.ID.Key {
			return -1
		}
		return 1
	})
	return s
}
