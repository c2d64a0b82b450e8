package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

// readTimeout bounds one read of one source: an operator waits no longer.
const readTimeout = 10 * time.Second

// changesLookedAt is how far back the record is searched for a flag's last change.
const changesLookedAt = 1000

// reading is what the sources said when each was asked once.
type reading struct {
	at        time.Time
	sources   []sources.SourceStatus
	flags     []sources.Flag
	breakers  []sources.Breaker
	latencies []sources.Latency
	exposures []*sources.ExposureSet
	alertSets [][]sources.Alert // of each source that has alerts to tell of; alerts is what they come to
	alerts    []sources.Alert

	deploySets [][]sources.Deploy // of each source that tells what runs; deploys is what they come to
	deploys    []sources.Deploy
	deployed   []sources.Deployed // what has changed of that, the oldest first

	here      []sources.Person // who looks at the flags
	hereKnown bool

	errs []error // one for each source that failed
}

// want says what to read.
type want struct{ flags, breakers, latencies, exposures, alerts, deploys bool }

// read asks every source that can answer, all at once, each within its own
// timeout, but of those that stand in for each other only as many as it takes. One
// that fails leaves its sentence and stops none of the others.
func (s *setup) read(ctx context.Context, w want, now func() time.Time) *reading {
	if s.shared != nil {
		return s.shared.reading(ctx, w)
	}
	parts := make([]*reading, len(s.stores)+len(s.readers))
	var wg sync.WaitGroup
	for i := range s.stores {
		if w.flags {
			wg.Go(func() { parts[i] = s.readStore(ctx, &s.stores[i], now) })
		}
	}
	metrics := parts[len(s.stores):]
	for _, tiers := range sources.Tiers(s.readers, func(r *reader) (string, int) { return r.group, r.tier }) {
		wg.Go(func() {
			for _, tier := range tiers {
				if s.readTier(ctx, tier, metrics, w, now) {
					return
				}
			}
		})
	}
	wg.Wait()
	out := &reading{at: now()}
	for _, p := range parts {
		if p == nil {
			continue
		}
		out.sources = append(out.sources, p.sources...)
		out.flags = append(out.flags, p.flags...)
		out.breakers = append(out.breakers, p.breakers...)
		out.latencies = append(out.latencies, p.latencies...)
		out.exposures = append(out.exposures, p.exposures...)
		out.alertSets = append(out.alertSets, p.alertSets...)
		out.deploySets = append(out.deploySets, p.deploySets...)
		out.deployed = append(out.deployed, p.deployed...)
		out.errs = append(out.errs, p.errs...)
	}
	slices.SortFunc(out.flags, func(a, b sources.Flag) int {
		return cmp.Or(cmp.Compare(a.ID.Source, b.ID.Source), cmp.Compare(a.ID.Key, b.ID.Key))
	})
	out.breakers = sources.JoinBreakers(out.breakers, s.switches)
	slices.SortFunc(out.breakers, sources.CompareBreakers)
	out.alerts = sources.JoinAlerts(out.alertSets, s.knowsSilences)
	out.deploys = sources.JoinDeploys(out.deploySets)
	slices.SortStableFunc(out.deployed, func(a, b sources.Deployed) int { return a.At.Compare(b.At) })
	slices.SortFunc(out.latencies, sources.CompareLatencies)
	return out
}

// readTier reads some readers at once and tells whether any of them answered.
func (s *setup) readTier(ctx context.Context, tier []int, out []*reading, w want, now func() time.Time) (answered bool) {
	var wg sync.WaitGroup
	for _, i := range tier {
		wg.Go(func() { out[i] = readMetrics(ctx, &s.readers[i], w, now) })
	}
	wg.Wait()
	return slices.ContainsFunc(tier, func(i int) bool { return out[i] == nil || len(out[i].errs) == 0 })
}

func (s *setup) readStore(ctx context.Context, st *store, now func() time.Time) *reading {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	p := &reading{}
	status := sources.SourceStatus{Name: st.name, Kind: st.kind, Flags: true, Writable: !st.readOnly && !s.readOnly}
	set, err := listFlags(ctx, st)
	if err == nil {
		p.flags = slices.Clone(set.Flags) // the driver's own are shared
		last := lastChanges(st)
		for i := range p.flags {
			s.applyRule(&p.flags[i])
			changedBy(&p.flags[i], last)
		}
	}
	p.settle(status, err, set.Warnings, now())
	return p
}

// changedBy fills in who changed a flag last, and when, where it is as that change left it.
func changedBy(f *sources.Flag, last map[string]*journal.Entry) {
	if e := last[f.ID.Key]; e != nil && e.NewRevision == f.Revision {
		f.ChangedAt, f.ChangedBy = e.At, e.Actor
	}
}

// lastChanges is the newest change on record of each flag of a store. It only adds
// who and when, so a journal that cannot be read costs nothing but that.
func lastChanges(st *store) map[string]*journal.Entry {
	entries, _, _ := journal.Open(st.journal, journal.Options{}).Read(changesLookedAt)
	out := make(map[string]*journal.Entry, len(entries))
	for i := range entries {
		e := &entries[i]
		if out[e.Flag.Key] == nil && !e.Outcome.Void() && string(e.Kind) != sources.KindSigned {
			out[e.Flag.Key] = e
		}
	}
	return out
}

func listFlags(ctx context.Context, st *store) (sources.FlagSet, error) {
	lister, ok := st.src.(sources.FlagLister)
	if !ok {
		return sources.FlagSet{}, fmt.Errorf("%s lists no flags: %w", st.name, sources.ErrUnsupported)
	}
	return lister.Flags(ctx)
}

// applyRule gives a flag the ladder and metric that the config wants for it.
func (s *setup) applyRule(f *sources.Flag) {
	r := s.rules[f.ID.Key]
	switch {
	case len(r.ladder) > 0:
		f.Ladder = r.ladder
	case len(f.Ladder) == 0:
		f.Ladder = s.ladder
	}
	f.Metric = cmp.Or(r.metric, f.Metric)
	f.Migration = r.migration
}

func readMetrics(ctx context.Context, r *reader, w want, now func() time.Time) *reading {
	breakers, _ := r.src.(sources.BreakerLister)
	latencies, _ := r.src.(sources.LatencyReader)
	exposures, _ := r.src.(sources.ExposureReader)
	if !w.breakers {
		breakers = nil
	}
	if !w.latencies || r.breakersOnly {
		latencies = nil
	}
	if !w.exposures || r.breakersOnly {
		exposures = nil
	}
	if alerts, ok := r.src.(sources.AlertLister); ok && w.alerts && !r.breakersOnly {
		return readAlerts(ctx, r, alerts, now)
	}
	if deploys, ok := r.src.(sources.DeployLister); ok && w.deploys && !r.breakersOnly {
		return readDeploys(ctx, r, deploys, now)
	}
	if breakers == nil && latencies == nil && exposures == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, max(r.timeout, readTimeout)+r.warmUp)
	defer cancel()
	p := &reading{}
	status := sources.SourceStatus{Name: r.name, Kind: r.kind, Metrics: true}
	warnings, err := p.ask(ctx, breakers, latencies, exposures)
	if err == nil && r.warmUp > 0 {
		if err = wait(ctx, r.warmUp); err == nil {
			*p = reading{}
			warnings, err = p.ask(ctx, breakers, latencies, exposures)
		}
	}
	p.settle(status, err, warnings, now())
	return p
}

func (p *reading) ask(ctx context.Context, b sources.BreakerLister, l sources.LatencyReader, e sources.ExposureReader) (warnings []string, err error) {
	var errs []error
	if b != nil {
		set, err := b.Breakers(ctx)
		p.breakers, warnings, errs = slices.Clone(set.Breakers), append(warnings, set.Warnings...), appendErr(errs, err)
	}
	if l != nil && len(errs) == 0 {
		set, err := l.Latencies(ctx)
		p.latencies, warnings, errs = slices.Clone(set.Latencies), append(warnings, set.Warnings...), appendErr(errs, err)
		if budgets, ok := l.(sources.BudgetReader); ok && err == nil {
			warnings = append(warnings, p.spend(ctx, budgets)...)
		}
	}
	if e != nil && len(errs) == 0 {
		set, err := e.Exposures(ctx)
		warnings, errs = append(warnings, set.Warnings...), appendErr(errs, err)
		if err == nil {
			p.exposures = append(p.exposures, &set)
		}
	}
	slices.Sort(warnings)
	return slices.Compact(warnings), errors.Join(errs...)
}

// spend reads all spans of the error budgets. What cannot be read of them is a warning,
// for the latencies stand without them.
func (p *reading) spend(ctx context.Context, r sources.BudgetReader) (warnings []string) {
	now := make([]sources.Verdict, len(p.latencies))
	for i := range p.latencies {
		now[i] = p.latencies[i].Verdict
	}
	for more := true; more; {
		set, err := r.Budgets(ctx)
		if errors.Is(err, sources.ErrUnsupported) {
			return warnings
		}
		if err != nil {
			return append(warnings, "error budgets are not complete: "+sources.Sentence(err))
		}
		warnings, more = append(warnings, set.Warnings...), set.More
		for i := range p.latencies {
			l := &p.latencies[i]
			if b, ok := set.Budgets[l.Name]; ok {
				l.Budget, l.Verdict = b, b.Judge(now[i])
			}
		}
	}
	return warnings
}

func appendErr(errs []error, err error) []error {
	if err != nil {
		return append(errs, err)
	}
	return errs
}

// settle notes how the source stood.
func (p *reading) settle(status sources.SourceStatus, err error, warnings []string, at time.Time) {
	status.Warnings = warnings
	if err != nil {
		status.Err = sources.Sentence(err)
		p.errs = append(p.errs, err)
	} else {
		status.Health, status.LastOK = sources.Fresh, at
	}
	status.Since = at
	p.sources = append(p.sources, status)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// exposure is the observed share of a flag's variant, from the first source that
// has seen the flag.
func (p *reading) exposure(f *sources.Flag) sources.Value {
	if f.Variant == "" { // no one variant to count
		return sources.Value{}
	}
	for _, set := range p.exposures {
		if v := set.Exposure(f.ID.Key, f.Variant); v.OK {
			return v
		}
	}
	return sources.Value{}
}
