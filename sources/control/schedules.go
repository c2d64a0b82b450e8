package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

// scheduler is what keeps the schedules of a store.
func (s *Store) scheduler() (sources.Scheduler, error) {
	k, ok := s.Driver.(sources.Scheduler)
	if !ok {
		return nil, fmt.Errorf("%s has no place for schedules (flag files and etcd have): %w", s.Name, sources.ErrUnsupported)
	}
	return k, nil
}

// Schedule keeps a change for later, beside the flags. Kind, To, Stage, Guarded, At,
// Expires, Zone, Actor and Reason are the caller's, the rest is filled in. Nothing is
// changed before At. A raise at a moment at which the calendar is closed is ErrRefused
// now rather than then; guards are asked then.
func (c *Controller) Schedule(ctx context.Context, s sources.Schedule) (sources.Schedule, error) {
	if c.opts.ReadOnly {
		return s, fmt.Errorf("this session is read-only, nothing was scheduled: %w", sources.ErrReadOnly)
	}
	now := c.opts.Now()
	if s.Expires.IsZero() {
		s.Expires = s.At.Add(sources.DefaultExpiry)
	}
	if err := s.Check(now); err != nil {
		return s, err
	}
	store, err := c.store(s.Flag.Source)
	if err != nil {
		return s, err
	}
	if _, err := store.writer(ctx); err != nil {
		return s, err
	}
	keeper, err := store.scheduler()
	if err != nil {
		return s, err
	}
	f, err := store.read(ctx, s.Flag)
	if err != nil {
		return s, err
	}
	f.Migration = c.migration(s.Flag)
	if err := c.schedulable(&f, &s); err != nil {
		return s, err
	}
	s.ID, s.Version, s.State, s.Made, s.Killed = c.opts.NewID(), 1, sources.ScheduleWaiting, now, f.Killed
	s.Actor, s.Reason = sources.Clean(s.Actor, sources.MaxName), sources.Clean(s.Reason, maxSentence)
	return s, keeper.KeepSchedule(ctx, s)
}

// schedulable says why a change of a flag cannot be scheduled, or nil.
func (c *Controller) schedulable(f *sources.Flag, s *sources.Schedule) error {
	raises := false
	switch s.Kind {
	case sources.Set:
		if err := f.CanRamp(); err != nil {
			return err
		}
		raises = s.To > f.Rollout.Or(0)
	case sources.Move:
		if f.Migration == nil {
			return fmt.Errorf("%s is no migration, so it has no stages to move to: %w", f.Name, sources.ErrInvalid)
		}
		if !slices.Contains(f.Migration.Stages, s.Stage) {
			return fmt.Errorf("%q is no stage of %s: %w", sources.Clean(s.Stage, 40), f.Name, sources.ErrInvalid)
		}
		at, err := f.Migration.Position(f)
		raises = err != nil || slices.Index(f.Migration.Stages, s.Stage) > at.Low
	case sources.Kill:
	default:
	}
	if z, frozen := c.opts.Calendar.Of(f, s.At); raises && frozen {
		return fmt.Errorf("%s would not be raised then, %s: schedule it for after that: %w", f.Name, z.Brief(c.opts.Now()), sources.ErrRefused)
	}
	if s.Guarded && len(c.opts.Guards.of(f)) == 0 {
		return fmt.Errorf("no guard holds for %s, so there is nothing to ramp it under: name some under guards: in the config: %w", f.Name, sources.ErrInvalid)
	}
	return nil
}

// Schedules are those of every store that keeps any, waiting ones first by their moment,
// then the ended ones, newest first. Warnings say which stores could not be read.
func (c *Controller) Schedules(ctx context.Context) (all []sources.Schedule, warnings []string) {
	for i := range c.opts.Stores {
		k, err := c.opts.Stores[i].scheduler()
		if err != nil {
			continue
		}
		got, err := k.Schedules(ctx)
		if err != nil {
			warnings = append(warnings, sources.Sentence(err))
		}
		all = append(all, got...)
	}
	slices.SortStableFunc(all, func(a, b sources.Schedule) int {
		switch {
		case a.State.Ended() != b.State.Ended():
			if b.State.Ended() {
				return -1
			}
			return 1
		case a.State.Ended():
			return b.At.Compare(a.At)
		default:
			return a.At.Compare(b.At)
		}
	})
	return all, warnings
}

// CancelSchedule calls off what waits under that ID. What runs or has ended is
// ErrConflict, with what it is.
func (c *Controller) CancelSchedule(ctx context.Context, id, actor string) (sources.Schedule, error) {
	if c.opts.ReadOnly {
		return sources.Schedule{}, fmt.Errorf("this session is read-only, nothing was cancelled: %w", sources.ErrReadOnly)
	}
	all, warnings := c.Schedules(ctx)
	i := slices.IndexFunc(all, func(s sources.Schedule) bool { return s.ID == id })
	if i < 0 {
		err := fmt.Errorf("there is no schedule %s: %w", sources.Clean(id, 64), sources.ErrNotFound)
		if len(warnings) > 0 {
			err = fmt.Errorf("%s: %w: %w", warnings[0], sources.ErrUnavailable, err)
		}
		return sources.Schedule{}, err
	}
	store, err := c.store(all[i].Flag.Source)
	if err != nil {
		return all[i], err
	}
	if store.ReadOnly {
		return all[i], fmt.Errorf("%s is read-only, nothing was cancelled: %w", store.Name, sources.ErrReadOnly)
	}
	k, err := store.scheduler()
	if err != nil {
		return all[i], err
	}
	s, err := all[i].Cancelled(sources.Clean(actor, sources.MaxName), c.opts.Now())
	if err != nil {
		return all[i], err
	}
	return s, k.KeepSchedule(ctx, s)
}

// note puts the end of a schedule on record that never came to a change.
func (c *Controller) note(store *Store, s *sources.Schedule, id string, o sources.Outcome) {
	now := c.opts.Now()
	e := journal.Entry{
		ID: id, At: now, Kind: s.Kind, Flag: s.Flag, Actor: s.Actor, Reason: scheduledBy(s), New: s.What(), Outcome: o, Err: s.Why,
	}
	if j := store.Journal; j != nil {
		_ = patiently(j, func() error {
			return errors.Join(j.Intent(e), j.Settle(id, o, s.Why, now))
		}) // the schedule itself keeps it as well
	}
	store.audit.forget()
	a := e.Activity()
	a.Name, a.Outcome, a.Err = sources.Clean(s.Flag.Key, sources.MaxName), o, sources.Clean(s.Why, maxSentence)
	c.opts.Observe(a)
}

// scheduledBy is the reason of a scheduled change, for the record.
func scheduledBy(s *sources.Schedule) string {
	text := "schedule " + s.ID + " for " + inZone(s.At, s.Zone).Format("2 Jan 15:04 MST")
	if s.Owner != "" {
		text += ", run by " + s.Owner
	}
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return sources.Clean(text, maxSentence)
}

// inZone is a moment by the clocks that were meant, UTC where the zone is not known here.
func inZone(t time.Time, zone string) time.Time {
	if loc, err := time.LoadLocation(zone); err == nil {
		return t.In(loc)
	}
	return t.UTC()
}
