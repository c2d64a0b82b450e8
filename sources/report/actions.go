package report

import (
	"strconv"
	"time"

	"relctl-tui/sources"
)

// actions says of each change who, why and with which result, and how long it took
// until that could be seen.
func (b *builder) actions() {
	for i := range b.changes {
		a := &b.changes[i]
		variant, f := "", b.flag(a.Flag)
		if f != nil {
			variant = f.Variant
		}
		act := Action{
			Number: i + 1, At: a.At.UTC(), ID: a.ID, Who: a.Actor, Why: a.Reason, Result: string(a.Outcome),
			What:       a.Kind + " " + a.Name + ": " + or(a.Old, "?") + " to " + or(a.New, "?"),
			Attributes: a.Attributes(b.Context, variant),
			Written:    since(a.At, a.Done), Effective: since(a.At, a.Effective), Recovered: -1,
		}
		if a.Err != "" {
			act.Result += ": " + a.Err
		}
		if a.Outcome.Void() { // nothing was written, so nothing took time
			act.Written, act.Effective = -1, -1
		} else {
			b.effect(&act, i, f)
		}
		b.doc.Actions = append(b.doc.Actions, act)
	}
}

// since is how long after a change something was; negative where that is not known. A
// clock that was set back meanwhile makes it 0.
func since(at, then time.Time) time.Duration {
	if then.IsZero() {
		return -1
	}
	return max(0, then.Sub(at))
}

// settled is how long before and after a change its metric is looked at, at most: the
// change next to it ends that.
const settled = 10 * time.Minute

// effect says what became of the metric that a change was expected to move, or of what
// was above its limit at that moment.
func (b *builder) effect(act *Action, i int, f *sources.Flag) {
	c := (*Chart)(nil)
	if f != nil && f.Metric != "" {
		c = b.latencyOf(f.Metric)
	}
	if c == nil {
		c = b.breaching(act.At)
	}
	if c == nil || len(c.Points) == 0 {
		return
	}
	from, to := act.At.Add(-settled), act.At.Add(settled)
	if i > 0 && b.changes[i-1].At.After(from) {
		from = b.changes[i-1].At
	}
	if i+1 < len(b.changes) && b.changes[i+1].At.Before(to) {
		to = b.changes[i+1].At
	}
	act.Metric, act.Unit, act.Before, act.After = c.Name, c.Unit, c.level(from, act.At), c.settling(act.At, to)
	for _, breach := range c.breaches() {
		if !breach.From.After(act.At) && breach.To.After(act.At) {
			act.Recovered = breach.To.Sub(act.At)
		}
	}
}

// latencyOf is the chart of a service's latency; nil for none.
func (b *builder) latencyOf(service string) *Chart {
	for i := range b.doc.Charts {
		if c := &b.doc.Charts[i]; c.Of == service && c.Unit == "s" {
			return c
		}
	}
	return nil
}

// breaching is the first chart that is above its limit at a moment; nil for none.
func (b *builder) breaching(at time.Time) *Chart {
	for i := range b.doc.Charts {
		c := &b.doc.Charts[i]
		for _, g := range c.breaches() {
			if !g.From.After(at) && (g.To.IsZero() || g.To.After(at)) {
				return c
			}
		}
	}
	return nil
}

// mark puts actions, deploys and onsets onto the charts.
func (b *builder) mark() {
	for i := range b.doc.Charts {
		c := &b.doc.Charts[i]
		for _, a := range b.doc.Actions {
			c.Marks = append(c.Marks, Mark{a.At, strconv.Itoa(a.Number)})
		}
		for _, e := range b.Incident.Events {
			if e.Lane == sources.LaneDeploys && b.within(e.At) {
				c.Marks = append(c.Marks, Mark{e.At.UTC(), "D"})
			}
		}
		for _, o := range b.Incident.Breaches {
			if o.Metric == c.Name {
				c.Marks = append(c.Marks, Mark{o.At.UTC(), "onset"})
			}
		}
	}
}
