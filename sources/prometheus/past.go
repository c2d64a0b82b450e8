package prometheus

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"relctl-tui/sources"
)

var _ sources.PastReader = (*Source)(nil)

// pastPoints is how many moments a past is looked at in: over an hour one each fifteen
// seconds, as a server usually scrapes.
const pastPoints = 241

// firing is the series in which a server keeps which of its alerts fired.
const firing = `ALERTS{alertstate="firing"}`

// Past implements sources.PastReader from what the server has on record: its own alerts,
// and the states of breakers. It costs the server's time, what exists where that is not
// remembered, and two queries over the span; presets whose states are several metrics
// share one. Times are those of the moments that are looked at, span/240 apart. What of
// the two can be read is given back with the error of the other.
func (s *Source) Past(ctx context.Context, span time.Duration) ([]sources.Event, error) {
	span = min(max(span, sources.MinSeriesSpan), sources.MaxSeriesSpan)
	h := &history{call: call{s: s}, steps: pastPoints}
	end, err := h.serverTime(ctx)
	if err != nil {
		return nil, err
	}
	step := max((span / (pastPoints - 1)).Round(time.Second), time.Second)
	h.span = stretch{start: end.Add(-(pastPoints - 1) * step), end: end, step: step}
	p := pastLook{history: h, now: s.opts.Now()}
	alerts, alertErr := p.alerts(ctx)
	breakers, breakerErr := p.breakers(ctx)
	events := slices.Concat(alerts, breakers)
	slices.SortStableFunc(events, func(a, b sources.Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Name, b.Name))
	})
	return events[max(0, len(events)-sources.MaxPastEvents):], errors.Join(alertErr, breakerErr)
}

// pastLook is one look at a span.
type pastLook struct {
	*history
	now time.Time // by our clock, as all ages are
}

// moment is when a step was, by our clock.
func (p *pastLook) moment(step int) time.Time {
	return p.now.Add(-time.Duration(p.steps-1-step) * p.span.step)
}

// alerts is when which alert fired. A step without one in between is a scrape that was
// missed, two are the end.
func (p *pastLook) alerts(ctx context.Context) (out []sources.Event, err error) {
	m, err := p.matrix(ctx, firing)
	if err != nil {
		return nil, err
	}
	for _, stream := range m {
		labels := plain(model.LabelSet(stream.Metric))
		delete(labels, model.MetricNameLabel)
		delete(labels, "alertstate")
		a := sources.AlertOf(p.s.name, labels, nil)
		began, last := -1, -1
		flush := func() {
			if began < 0 {
				return
			}
			e := sources.Event{
				Lane: sources.LaneAlerts, At: p.moment(began), Bad: true, Name: a.Name, Service: a.Service,
				Text: sources.JoinClauses(sources.AlertFiring.String(), a.Severity),
			}
			if e.Lasting = last >= p.steps-2; !e.Lasting {
				e.Until = p.moment(last + 1)
			}
			out = append(out, e)
		}
		for _, sample := range stream.Values {
			k, in := p.step(sample.Timestamp)
			if !in {
				continue
			}
			if began < 0 || k > last+2 {
				flush()
				began = k
			}
			last = k
		}
		flush()
	}
	return out, nil
}

// breakers is when which breaker turned, and how long it stayed so.
func (p *pastLook) breakers(ctx context.Context) (out []sources.Event, err error) {
	plan := p.s.plan.OnlyBreakers()
	last, open := map[string]sources.BreakerState{}, map[string]int{} // open: place in out, from 1
	for p.at = range p.steps {
		states, err := plan.States(ctx, p.history)
		if err != nil {
			return nil, err
		}
		for name, is := range states {
			was, known := last[name]
			last[name] = is
			if !known || is == was || is == sources.BreakerUnknown || was == sources.BreakerUnknown {
				continue // what is not known is no turn
			}
			at := p.moment(p.at)
			if i := open[name]; i > 0 {
				out[i-1].Until, out[i-1].Lasting = at, false
			}
			e := sources.BreakerEvent(name, sources.BreakerTurn{At: at, Was: was, Is: is})
			open[name] = 0
			if e.Lasting = is != sources.BreakerClosed; e.Lasting {
				open[name] = len(out) + 1
			}
			out = append(out, e)
		}
	}
	return out, nil
}
