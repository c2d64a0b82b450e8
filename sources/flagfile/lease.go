package flagfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"relctl-tui/sources"
)

var _ sources.Leaser = (*Store)(nil)

// The leases of a file lie beside it, and are read and written under its lock: a
// write that needs one and a takeover cannot cross. They are not synced: after a
// crash of the machine no runner is alive that could hold one.
const (
	leasesEnding = ".leases.json"
	maxLeases    = 1 << 20 // bytes
)

// Leases are those in force.
func (s *Store) Leases(ctx context.Context) ([]sources.Lease, error) {
	return await(ctx, s, func() ([]sources.Lease, error) { return s.leases(s.target()) })
}

// TakeLease takes or renews a lease.
func (s *Store) TakeLease(ctx context.Context, l sources.Lease, over string) error {
	return s.withLeases(ctx, func(all []sources.Lease, now time.Time) ([]sources.Lease, error) {
		i := leaseOf(all, l.Flag)
		l.Until = now.Add(sources.LeaseFor)
		if i < 0 {
			return append(all, l), nil
		}
		if err := l.Open(&all[i], over, now); err != nil {
			return nil, err
		}
		all[i] = l
		return all, nil
	})
}

// DropLease ends a lease.
func (s *Store) DropLease(ctx context.Context, id sources.FlagID, token string) error {
	return s.withLeases(ctx, func(all []sources.Lease, _ time.Time) ([]sources.Lease, error) {
		return slices.DeleteFunc(all, func(l sources.Lease) bool { return l.Flag == id && l.Token == token }), nil
	})
}

func leaseOf(all []sources.Lease, id sources.FlagID) int {
	return slices.IndexFunc(all, func(l sources.Lease) bool { return l.Flag == id })
}

// holds says why a change must not be written under its lease, or nil. The caller
// has the file's lock.
func (s *Store) holds(target string, c *sources.Change) error {
	if c.Lease == "" {
		return nil
	}
	all, err := s.leases(target)
	if err != nil {
		return err
	}
	if i := leaseOf(all, c.Flag); i < 0 || all[i].Token != c.Lease {
		return s.wrap(fmt.Errorf("the guarded ramp of %s is not this runner's any more, nothing was written: %w", sources.Clean(c.Flag.Key, sources.MaxName), sources.ErrConflict))
	}
	return nil
}

// leases reads those in force; a file that makes no sense holds none, for it can
// always be written anew.
func (s *Store) leases(target string) ([]sources.Lease, error) {
	b, err := readBeside(beside(target, leasesEnding), maxLeases)
	if err != nil {
		return nil, s.wrap(fmt.Errorf("its leases: %w", err))
	}
	var all []sources.Lease
	if json.Unmarshal(b, &all) != nil {
		return nil, nil //nolint:nilerr // it can always be written anew
	}
	now := s.now()
	all = slices.DeleteFunc(all, func(l sources.Lease) bool { return !l.Until.After(now) })
	for i := range all { // whoever shares the file may call the store otherwise
		all[i].Flag.Source = s.name
		if all[i].Ramp != nil {
			all[i].Ramp.Flag = all[i].Flag
		}
	}
	return all, nil
}

// withLeases changes the leases under the file's lock.
func (s *Store) withLeases(ctx context.Context, change func([]sources.Lease, time.Time) ([]sources.Lease, error)) error {
	target := s.target()
	unlock, err := s.lock(ctx, target)
	if err != nil {
		return err
	}
	defer unlock()
	all, err := s.leases(target)
	if err != nil {
		return err
	}
	if all, err = change(all, s.now()); err != nil {
		return s.wrap(err)
	}
	path := beside(target, leasesEnding)
	if len(all) == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.wrap(writeError(err))
		}
		return nil
	}
	b, err := json.Marshal(all)
	if err != nil {
		return s.wrap(fmt.Errorf("the lease cannot be written (%w): %w", err, sources.ErrInvalid))
	}
	return s.replaceBeside(path, b, false)
}
