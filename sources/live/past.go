package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"relctl-tui/sources"
)

// Past is what is known of alerts and breakers over a span that ends now, oldest first:
// what sources have on record, and the turns of breakers that were seen from here, whose
// times are better. What a source could not tell is a sentence. It may be called by any
// goroutine.
func (e *Engine) Past(ctx context.Context, span time.Duration) (events []sources.Event, missing []string) {
	snap, now := e.Snapshot(), e.opts.Now()
	for i := range e.opts.Sources {
		name := e.opts.Sources[i].Name
		if st := snap.Source(name); !st.Shown() {
			continue
		}
		seen, since := e.seenPast(snap, name, now.Add(-span))
		recorded, err := e.recordedPast(ctx, i, span)
		if err != nil && !errors.Is(err, sources.ErrUnsupported) {
			missing = append(missing, sources.Sentence(err))
		}
		for _, ev := range recorded {
			if ev.Lane != sources.LaneBreakers || since.IsZero() || ev.At.Before(since) {
				events = append(events, ev)
			}
		}
		events = append(events, seen...)
	}
	slices.SortStableFunc(events, func(a, b sources.Event) int { return a.At.Compare(b.At) })
	return events[max(0, len(events)-sources.MaxPastEvents):], missing
}

// recordedPast asks one source, unless it fails at the moment.
func (e *Engine) recordedPast(ctx context.Context, i int, span time.Duration) (out []sources.Event, err error) {
	s := &e.opts.Sources[i]
	driver, ok := s.Driver.(sources.PastReader)
	if !ok {
		return nil, sources.ErrUnsupported
	}
	if slices.ContainsFunc(e.Snapshot().Own, func(b sources.Breaker) bool { return b.Source == s.Name && b.State != sources.BreakerClosed }) {
		return nil, fmt.Errorf("%s fails and is left alone for a while, so its past is not known: %w", s.Name, sources.ErrUnavailable)
	}
	const questions = 4 // one after another, of which each has the source's timeout
	return shareLook(ctx, &e.looks, e.opts.Now, look{s.Name, span}, lookHolds, func(ctx context.Context) ([]sources.Event, error) {
		return asked(ctx, s, questions, func(ctx context.Context) ([]sources.Event, error) { return driver.Past(ctx, span) })
	})
}

// seenPast is the turns of a source's breakers as seen from here since from, and from
// when on they were looked at. A breaker that two sources know has its turns from the
// one that the board shows.
func (e *Engine) seenPast(snap *sources.Snapshot, source string, from time.Time) (out []sources.Event, since time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st := e.state.source(source)
	if st == nil {
		return nil, since
	}
	for name, turns := range st.turns {
		if snap.Breaker(source, name) == nil {
			continue
		}
		for i, t := range turns { // newest first
			ev := sources.BreakerEvent(name, t)
			switch {
			case t.Is == sources.BreakerClosed:
			case i > 0:
				ev.Until = turns[i-1].At
			default:
				ev.Lasting = true
			}
			if !ev.At.Before(from) || ev.Lasting || ev.Until.After(from) {
				out = append(out, ev)
			}
		}
	}
	slices.SortFunc(out, func(a, b sources.Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name)) })
	return out, st.seenSince
}
