package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"relctl-tui/sources"
)

// Leases are the guarded ramps of a store that somebody runs, this process or
// another one.
func (c *Controller) Leases(ctx context.Context, source string) ([]sources.Lease, error) {
	s, err := c.store(source)
	if err != nil {
		return nil, err
	}
	l, ok := s.Driver.(sources.Leaser)
	if !ok {
		return nil, fmt.Errorf("%s keeps no leases: %w", s.Name, sources.ErrUnsupported)
	}
	return l.Leases(ctx)
}

// KeepsLeases says that there is a store that keeps leases, which guarded ramps need.
func (c *Controller) KeepsLeases() bool {
	return slices.ContainsFunc(c.opts.Stores, func(s Store) bool {
		_, ok := s.Driver.(sources.Leaser)
		return ok
	})
}

// FollowLeases tells every so often which guarded ramps others run in each store that
// keeps leases, until ctx ends. A store that cannot be read is told nothing of.
func (c *Controller) FollowLeases(ctx context.Context, every time.Duration, tell func(source string, others []sources.RampStatus)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		for i := range c.opts.Stores {
			name := c.opts.Stores[i].Name
			if all, err := c.leases(ctx, name); err == nil {
				tell(name, c.others(all, c.opts.Now()))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// leases is Leases within a bounded time.
func (c *Controller) leases(ctx context.Context, name string) ([]sources.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, guardTime)
	defer cancel()
	return c.Leases(ctx, name)
}

const maxForeign = 100 // ramps of others that are shown, for each store

// others are the ramps that this process does not run, cleaned: what a lease says was
// written by whoever may write it.
func (c *Controller) others(all []sources.Lease, now time.Time) (out []sources.RampStatus) {
	for i := range all {
		l := &all[i]
		if own := c.Ramp(l.Flag); own != nil && own.token == l.Token || len(out) == maxForeign {
			continue
		}
		r := sources.RampStatus{Phase: sources.RampHolding}
		if l.Ramp != nil {
			r = *l.Ramp
		}
		r.Flag, r.Own, r.Token = l.Flag, false, l.Token
		r.Owner, r.Name = sources.Clean(l.Owner, sources.MaxName), sources.Clean(l.Flag.Key, sources.MaxName)
		r.Why, r.Phase = sources.Clean(r.Why, maxSentence), sources.Phase(sources.Clean(string(r.Phase), 20))
		if r.Astray = l.Astray(now); r.Astray {
			r.Why = l.Wrong()
		}
		r.Steps = r.Steps[:min(len(r.Steps), 100)]
		r.Guards = append([]sources.GuardResult(nil), r.Guards[:min(len(r.Guards), 20)]...)
		for j := range r.Guards {
			g := &r.Guards[j]
			g.Name, g.Text = sources.Clean(g.Name, sources.MaxName), sources.Clean(g.Text, maxSentence)
		}
		out = append(out, r)
	}
	return out
}
