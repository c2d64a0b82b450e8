package scrape

import (
	"context"

	"relctl-tui/sources"
)

var _ sources.DeployLister = (*Source)(nil)

// Deploys implements sources.DeployLister, from what the pages say now: of what ran
// before the first of them was read nothing is known.
func (s *Source) Deploys(ctx context.Context) (sources.DeploySet, error) {
	f, err := s.refresh(ctx)
	if err != nil {
		return sources.DeploySet{}, err
	}
	list, err := s.plan.Deploys(ctx, s.name, s)
	if err != nil {
		return sources.DeploySet{}, err
	}
	s.deploys.Note(list, f.at)
	return sources.DeploySet{Deploys: list, Changes: s.deploys.Changes(), Warnings: f.with(nil), ReadAt: f.at}, nil
}
