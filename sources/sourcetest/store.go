package sourcetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// patience is how long the suite waits for what must come; it is a bound
// against hanging, never a measurement.
const patience = 20 * time.Second

// Fixture is one store with known content, opened for one subtest.
type Fixture struct {
	// Store is the driver under test; its capabilities are found by assertion.
	Store any
	// Second is another handle of the same store, as another operator has it;
	// nil when there is none.
	Second any
	// Split is a flag that stands at 25 % and can be ramped.
	Split sources.FlagID
	// Other is another flag that can be ramped.
	Other sources.FlagID
	// Custom is a flag that only kill is offered for; zero when there is none.
	Custom sources.FlagID
	// Staged is a flag with the definition Staged, where the store can move a flag to
	// one of its variants; zero where it cannot.
	Staged sources.FlagID
}

// Store is the conformance suite for flag stores. open gives each subtest a
// store of its own, with a flag at 25 % and at least one other.
func Store(t *testing.T, open func(t *testing.T) Fixture) {
	t.Helper()
	s := suite{open: open}
	t.Run("lists flags sorted by key, each once, with clean names", s.lists)
	t.Run("reads one flag as the list has it", s.gets)
	t.Run("says not found for a flag that is not there", s.unknown)
	t.Run("ends promptly when its context has ended", s.cancelled)
	t.Run("writes", func(t *testing.T) {
		if _, ok := open(t).Store.(sources.FlagWriter); !ok {
			t.Skip("this store does not write")
		}
		s.writes(t)
	})
	t.Run("watches", func(t *testing.T) {
		if _, ok := open(t).Store.(sources.FlagWatcher); !ok {
			t.Skip("this store does not watch")
		}
		s.watches(t)
	})
	t.Run("schedules", func(t *testing.T) {
		if _, ok := open(t).Store.(sources.Scheduler); !ok {
			t.Skip("this store keeps no schedules")
		}
		s.schedules(t)
	})
	t.Run("presence", func(t *testing.T) {
		if _, ok := open(t).Store.(sources.Attender); !ok {
			t.Skip("this store does not keep who looks at it")
		}
		s.presence(t)
	})
	t.Run("leases", func(t *testing.T) {
		if _, ok := open(t).Store.(sources.Leaser); !ok {
			t.Skip("this store keeps no leases")
		}
		s.leases(t)
	})
}

type suite struct{ open func(t *testing.T) Fixture }

func (s suite) writes(t *testing.T) {
	t.Run("ramps, steps back and sets, and the list shows it", s.ramps)
	t.Run("kills and keeps the split, and a ramp revives", s.kills)
	t.Run("kills whatever revision was seen when none is given", s.killsBlindly)
	t.Run("undoes a ramp and a kill to the revision before", s.undoes)
	t.Run("refuses a write on an old revision and writes nothing", s.conflicts)
	t.Run("commits once, with what will be, before the write is visible", s.commits)
	t.Run("writes nothing when the commit fails", s.commitFails)
	t.Run("refuses to ramp a custom flag, killed or not, and kills it", s.custom)
	t.Run("moves everybody to one variant, and undoes it, or refuses with the reason", s.moves)
	t.Run("refuses a percentage outside 0 to 100", s.range100)
	t.Run("writes nothing after its context has ended", s.writeCancelled)
	t.Run("loses no edit of two writers on two flags", s.concurrent)
}

func (s suite) watches(t *testing.T) {
	t.Run("sends the whole set first and closes with its context", s.watchFirst)
	t.Run("sends the set after a change", s.watchChange)
	t.Run("skips the first set when its revision is known", s.watchKnown)
}

func lister(t *testing.T, f Fixture) sources.FlagLister {
	t.Helper()
	l, ok := f.Store.(sources.FlagLister)
	require.True(t, ok, "every flag store lists")
	return l
}

func writer(f Fixture) sources.FlagWriter { return f.Store.(sources.FlagWriter) } //nolint:forcetypeassert // asserted by Store

func list(t *testing.T, f Fixture) sources.FlagSet {
	t.Helper()
	set, err := lister(t, f).Flags(t.Context())
	require.NoError(t, err)
	return set
}

func flag(t *testing.T, f Fixture, id sources.FlagID) sources.Flag {
	t.Helper()
	set := list(t, f)
	i := slices.IndexFunc(set.Flags, func(x sources.Flag) bool { return x.ID == id })
	require.GreaterOrEqual(t, i, 0, "%v is listed", id)
	return set.Flags[i]
}

func (s suite) lists(t *testing.T) {
	f := s.open(t)
	set := list(t, f)
	require.NotEmpty(t, set.Revision)
	require.False(t, set.ReadAt.IsZero())
	require.GreaterOrEqual(t, len(set.Flags), 2)
	for i, x := range set.Flags {
		require.Equal(t, set.Source, x.ID.Source)
		require.NotEmpty(t, x.Revision, x.Name)
		if i > 0 {
			require.Less(t, set.Flags[i-1].ID.Key, x.ID.Key)
		}
		for _, text := range []string{x.Name, x.Description, x.Owner, x.Variant, x.Note, x.Metric} {
			require.Negative(t, strings.IndexFunc(text, unicode.IsControl), "%q is clean", text)
		}
	}
	split := flag(t, f, f.Split)
	require.Equal(t, sources.Some(sources.Pct(25)), split.Rollout)
	require.Equal(t, sources.FlagOn, split.State)
	again := list(t, f)
	require.Equal(t, set.Revision, again.Revision, "equal content has an equal revision")
	require.Equal(t, set.Flags, again.Flags)
}

func (s suite) gets(t *testing.T) {
	f := s.open(t)
	g, ok := f.Store.(sources.FlagGetter)
	if !ok {
		t.Skip("this store does not read single flags")
	}
	for _, want := range list(t, f).Flags {
		got, err := g.Flag(t.Context(), want.ID)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func (s suite) unknown(t *testing.T) {
	f := s.open(t)
	id := sources.FlagID{Source: f.Split.Source, Key: "no-such-flag"}
	if g, ok := f.Store.(sources.FlagGetter); ok {
		_, err := g.Flag(t.Context(), id)
		require.ErrorIs(t, err, sources.ErrNotFound)
	}
	if w, ok := f.Store.(sources.FlagWriter); ok {
		_, err := w.Apply(t.Context(), sources.Change{ID: "1", Flag: id, Kind: sources.Kill, Commit: never(t)})
		require.ErrorIs(t, err, sources.ErrNotFound)
	}
}

func never(t *testing.T) func(sources.Planned) error {
	return func(sources.Planned) error {
		t.Error("a refused change must not be committed")
		return nil
	}
}

func (s suite) cancelled(t *testing.T) {
	f := s.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := lister(t, f).Flags(ctx)
	require.ErrorIs(t, err, context.Canceled)
	if g, ok := f.Store.(sources.FlagGetter); ok {
		_, err := g.Flag(ctx, f.Split)
		require.ErrorIs(t, err, context.Canceled)
	}
}

// do applies a change that must work and checks the receipt against the list.
func do(t *testing.T, f Fixture, c sources.Change) sources.Receipt {
	t.Helper()
	before := flag(t, f, c.Flag)
	got, err := writer(f).Apply(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, c.ID, got.Change)
	require.Equal(t, c.Kind, got.Kind)
	require.Equal(t, before, got.Old)
	require.Equal(t, flag(t, f, c.Flag), got.New)
	require.False(t, got.Accepted.IsZero())
	require.NotEmpty(t, got.Restore)
	return got
}

func (s suite) ramps(t *testing.T) {
	f := s.open(t)
	for _, step := range []struct {
		kind sources.ChangeKind
		to   sources.Percent
	}{
		{sources.Ramp, sources.Pct(50)},
		{sources.Ramp, sources.Full},
		{sources.Back, sources.Pct(10)},
		{sources.Set, sources.Pct(33)},
		{sources.Back, 0},
		{sources.Ramp, sources.Pct(1)},
	} {
		seen := flag(t, f, f.Split).Revision
		got := do(t, f, sources.Change{ID: "c", Flag: f.Split, Kind: step.kind, To: step.to, Seen: seen})
		require.Equal(t, sources.Some(step.to), got.New.Rollout)
		require.Equal(t, step.to == 0, got.New.State == sources.FlagOff)
		require.NotEqual(t, seen, got.New.Revision)
	}
}

func (s suite) kills(t *testing.T) {
	f := s.open(t)
	got := do(t, f, sources.Change{ID: "k", Flag: f.Split, Kind: sources.Kill, Seen: flag(t, f, f.Split).Revision})
	require.True(t, got.New.Killed)
	require.Equal(t, sources.FlagOff, got.New.State)
	require.Equal(t, sources.Some(sources.Percent(0)), got.New.Rollout)
	require.Equal(t, sources.Some(sources.Pct(25)), got.New.Stored)

	got = do(t, f, sources.Change{ID: "r", Flag: f.Split, Kind: sources.Ramp, To: sources.Pct(5), Seen: got.New.Revision})
	require.False(t, got.New.Killed)
	require.Equal(t, sources.Some(sources.Pct(5)), got.New.Rollout)
}

func (s suite) killsBlindly(t *testing.T) {
	f := s.open(t)
	do(t, f, sources.Change{ID: "r", Flag: f.Split, Kind: sources.Ramp, To: sources.Pct(50)})
	require.True(t, do(t, f, sources.Change{ID: "k", Flag: f.Split, Kind: sources.Kill}).New.Killed)
}

func (s suite) undoes(t *testing.T) {
	f := s.open(t)
	for _, change := range []sources.Change{
		{ID: "1", Kind: sources.Ramp, To: sources.Pct(50)},
		{ID: "2", Kind: sources.Kill},
	} {
		for _, id := range []sources.FlagID{f.Split, f.Other} {
			before := flag(t, f, id)
			change.Flag = id
			done := do(t, f, change)
			undone := do(t, f, sources.Change{ID: "u", Flag: id, Kind: sources.Undo, Seen: done.New.Revision, Restore: done.Restore})
			require.Equal(t, before, undone.New)
		}
	}
}

func (s suite) conflicts(t *testing.T) {
	f := s.open(t)
	old := flag(t, f, f.Split).Revision
	do(t, f, sources.Change{ID: "1", Flag: f.Split, Kind: sources.Ramp, To: sources.Pct(50), Seen: old})
	before := list(t, f)
	for _, kind := range []sources.ChangeKind{sources.Ramp, sources.Kill} {
		_, err := writer(f).Apply(t.Context(), sources.Change{
			ID: "2", Flag: f.Split, Kind: kind, To: sources.Full, Seen: old, Commit: never(t),
		})
		require.ErrorIs(t, err, sources.ErrConflict)
	}
	require.Equal(t, before.Revision, list(t, f).Revision, "nothing was written")
}

func (s suite) commits(t *testing.T) {
	f := s.open(t)
	before := flag(t, f, f.Split)
	calls := 0
	var planned sources.Planned
	got := do(t, f, sources.Change{ID: "1", Flag: f.Split, Kind: sources.Ramp, To: sources.Pct(50), Commit: func(p sources.Planned) error {
		calls++
		planned = p
		if set, err := lister(t, f).Flags(context.WithoutCancel(t.Context())); err != nil || !slices.ContainsFunc(set.Flags, func(x sources.Flag) bool {
			return x.ID == f.Split && x.Revision == before.Revision
		}) {
			t.Error("the write was visible before it was committed", err)
		}
		return nil
	}})
	require.Equal(t, 1, calls)
	require.Equal(t, sources.Planned{Old: got.Old, New: got.New, Restore: got.Restore}, planned)
}

func (s suite) commitFails(t *testing.T) {
	f := s.open(t)
	before := list(t, f)
	full := errors.New("the journal is full")
	_, err := writer(f).Apply(t.Context(), sources.Change{
		ID: "1", Flag: f.Split, Kind: sources.Kill, Commit: func(sources.Planned) error { return full },
	})
	require.ErrorIs(t, err, full)
	require.Equal(t, before.Revision, list(t, f).Revision, "nothing was written")
}

func (s suite) custom(t *testing.T) {
	f := s.open(t)
	if f.Custom.Key == "" {
		t.Skip("this store has no custom flags")
	}
	ramp := sources.Change{ID: "1", Flag: f.Custom, Kind: sources.Ramp, To: sources.Pct(50), Commit: never(t)}
	before := flag(t, f, f.Custom)
	require.Error(t, before.CanRamp())
	_, err := writer(f).Apply(t.Context(), ramp)
	require.ErrorIs(t, err, sources.ErrUnsupported)
	killed := do(t, f, sources.Change{ID: "2", Flag: f.Custom, Kind: sources.Kill})
	require.True(t, killed.New.Killed)
	require.Error(t, killed.New.CanRamp())
	_, err = writer(f).Apply(t.Context(), ramp)
	require.ErrorIs(t, err, sources.ErrUnsupported)
	undone := do(t, f, sources.Change{ID: "3", Flag: f.Custom, Kind: sources.Undo, Restore: killed.Restore})
	require.Equal(t, before, undone.New)
}

func (s suite) range100(t *testing.T) {
	f := s.open(t)
	for _, to := range []sources.Percent{-1, sources.Full + 1} {
		_, err := writer(f).Apply(t.Context(), sources.Change{ID: "1", Flag: f.Split, Kind: sources.Set, To: to, Commit: never(t)})
		require.ErrorIs(t, err, sources.ErrInvalid)
	}
}

func (s suite) writeCancelled(t *testing.T) {
	f := s.open(t)
	before := list(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := writer(f).Apply(ctx, sources.Change{ID: "1", Flag: f.Split, Kind: sources.Kill, Commit: never(t)})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, before.Revision, list(t, f).Revision)
}

func (s suite) concurrent(t *testing.T) {
	f := s.open(t)
	second := writer(f)
	if w, ok := f.Second.(sources.FlagWriter); ok {
		second = w
	}
	const rounds = 20
	var wg sync.WaitGroup
	for id, w := range map[sources.FlagID]sources.FlagWriter{f.Split: writer(f), f.Other: second} {
		wg.Go(func() {
			var seen sources.Revision
			for i := range rounds {
				got, err := w.Apply(t.Context(), sources.Change{ID: "c", Flag: id, Kind: sources.Set, To: sources.Pct(i + 1), Seen: seen})
				if err != nil || got.New.Rollout != sources.Some(sources.Pct(i+1)) {
					t.Error(id, i, err)
					return
				}
				seen = got.New.Revision
			}
		})
	}
	wg.Wait()
	require.Equal(t, sources.Some(sources.Pct(rounds)), flag(t, f, f.Split).Rollout)
	require.Equal(t, sources.Some(sources.Pct(rounds)), flag(t, f, f.Other).Rollout)
}
