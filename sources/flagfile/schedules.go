package flagfile

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"relctl-tui/sources"
)

var _ sources.Scheduler = (*Store)(nil)

// The schedules of a file lie beside it, and are compared and written under its lock.
// They outlast a crash of the machine, so each write is synced. A file that makes no
// sense is an error and is never written over: what it held may still be meant.
const (
	schedulesEnding = ".schedules.json"
	maxSchedules    = 2 << 20 // bytes
)

// Schedules are all that are kept.
func (s *Store) Schedules(ctx context.Context) ([]sources.Schedule, error) {
	return await(ctx, s, func() ([]sources.Schedule, error) { return s.schedules(s.target()) })
}

// KeepSchedule puts a schedule in the place of the version before it.
func (s *Store) KeepSchedule(ctx context.Context, sch sources.Schedule) error {
	return s.withSchedules(ctx, func(all []sources.Schedule) ([]sources.Schedule, error) {
		i := slices.IndexFunc(all, func(has sources.Schedule) bool { return has.ID == sch.ID })
		switch {
		case i < 0 && sch.Version != 1, i >= 0 && all[i].Version != sch.Version-1:
			return nil, fmt.Errorf("schedule %s was changed meanwhile, nothing was written: %w", sources.Clean(sch.ID, 64), sources.ErrConflict)
		case i < 0 && len(all) >= sources.MaxSchedules:
			return nil, fmt.Errorf("it keeps %d schedules already, cancel some: %w", len(all), sources.ErrRefused)
		case i < 0:
			return append(all, sch), nil
		}
		all[i] = sch
		return all, nil
	})
}

// DropSchedule removes exactly this version.
func (s *Store) DropSchedule(ctx context.Context, sch sources.Schedule) error {
	return s.withSchedules(ctx, func(all []sources.Schedule) ([]sources.Schedule, error) {
		return slices.DeleteFunc(all, func(has sources.Schedule) bool { return has.ID == sch.ID && has.Version == sch.Version }), nil
	})
}

func (s *Store) schedules(target string) ([]sources.Schedule, error) {
	path := beside(target, schedulesEnding)
	b, err := readBeside(beside(target, schedulesEnding), maxSchedules+1)
	if err != nil {
		return nil, s.wrap(fmt.Errorf("its schedules: %w", err))
	}
	if b == nil {
		return nil, nil
	}
	var all []sources.Schedule
	if err := json.Unmarshal(b, &all); err != nil || len(b) > maxSchedules {
		return nil, s.wrap(fmt.Errorf("its schedules in %s make no sense, so none is run; repair that file or move it away: %w", sources.Clean(filepath.Base(path), sources.MaxName), sources.ErrInvalid))
	}
	for i := range all { // whoever shares the file may call the store otherwise
		all[i].Flag.Source = s.name
	}
	return all, nil
}

// withSchedules changes the schedules under the file's lock.
func (s *Store) withSchedules(ctx context.Context, change func([]sources.Schedule) ([]sources.Schedule, error)) error {
	target := s.target()
	unlock, err := s.lock(ctx, target)
	if err != nil {
		return err
	}
	defer unlock()
	all, err := s.schedules(target)
	if err != nil {
		return err
	}
	if all, err = change(all); err != nil {
		return s.wrap(err)
	}
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil || len(b) > maxSchedules {
		return s.wrap(fmt.Errorf("the schedule is too big to be kept: %w", sources.ErrInvalid))
	}
	return s.replaceBeside(beside(target, schedulesEnding), append(b, '\n'), true)
}
