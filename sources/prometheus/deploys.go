package prometheus

import (
	"context"
	"time"

	"relctl-tui/sources"
)

var _ sources.DeployLister = (*Source)(nil)

// How far back changes of what runs are looked for when it is first asked for, and in
// which steps: a version that ran for less may be missed.
const (
	deploysPast = 24 * time.Hour
	deploysStep = 5 * time.Minute
)

// Deploys implements sources.DeployLister. The first call that works looks at the last
// day too, so that a board knows what was deployed before it was opened.
func (s *Source) Deploys(ctx context.Context) (sources.DeploySet, error) {
	c, at := &call{s: s}, s.opts.Now()
	if !s.deployed.Load() {
		if err := s.pastDeploys(ctx); err != nil {
			return sources.DeploySet{}, err
		}
		s.deployed.Store(true)
	}
	list, err := s.plan.Deploys(ctx, s.name, c)
	if err != nil {
		return sources.DeploySet{}, err
	}
	s.deploys.Note(list, at)
	return sources.DeploySet{Deploys: list, Changes: s.deploys.Changes(), Warnings: c.with(nil), ReadAt: at}, nil
}

// pastDeploys fills the log from the server's memory, in our time.
func (s *Source) pastDeploys(ctx context.Context) error {
	h := &history{call: call{s: s}, steps: int(deploysPast / deploysStep)}
	end, err := h.serverTime(ctx)
	if err != nil {
		return err
	}
	ahead := end.Sub(s.opts.Now())
	h.span = stretch{start: end.Add(-time.Duration(h.steps-1) * deploysStep), end: end, step: deploysStep}
	for h.at = range h.steps {
		list, err := s.plan.Deploys(ctx, s.name, h)
		if err != nil {
			return err
		}
		s.deploys.Note(list, h.span.start.Add(time.Duration(h.at)*deploysStep-ahead))
	}
	return nil
}
