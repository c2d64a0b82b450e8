package sourcetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// leasers is a store of which two operators have a handle each, maybe the same.
func (s suite) leasers(t *testing.T) (f Fixture, first, second sources.Leaser) {
	t.Helper()
	f = s.open(t)
	first, ok := f.Store.(sources.Leaser)
	require.True(t, ok)
	second = first
	if f.Second != nil {
		second, ok = f.Second.(sources.Leaser)
		require.True(t, ok)
	}
	return f, first, second
}

func leaseOf(f *Fixture, who string) sources.Lease {
	return sources.Lease{
		Flag: f.Split, Token: "token of " + who, Owner: who,
		Ramp: &sources.RampStatus{Flag: f.Split, Phase: sources.RampHolding, At: sources.Pct(25)},
	}
}

// leases is the part of the suite for stores that keep leases.
func (s suite) leases(t *testing.T) {
	t.Run("gives a flag to one runner, whom everybody sees", func(t *testing.T) {
		t.Parallel()
		f, first, second := s.leasers(t)
		require.NoError(t, first.TakeLease(t.Context(), leaseOf(&f, "ana"), ""))
		err := second.TakeLease(t.Context(), leaseOf(&f, "ben"), "")
		require.ErrorIs(t, err, sources.ErrConflict)
		require.ErrorContains(t, err, "ana")
		require.NoError(t, first.TakeLease(t.Context(), leaseOf(&f, "ana"), ""), "it is renewed")
		all, err := second.Leases(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, f.Split, all[0].Flag)
		require.Equal(t, "ana", all[0].Owner)
		require.Equal(t, sources.Pct(25), all[0].Ramp.At)
		other := leaseOf(&f, "ben")
		other.Flag = f.Other
		require.NoError(t, second.TakeLease(t.Context(), other, ""), "another flag is free")
	})
	t.Run("lets a flag be taken over, once, and by whoever saw its lease", func(t *testing.T) {
		t.Parallel()
		f, first, second := s.leasers(t)
		require.NoError(t, first.TakeLease(t.Context(), leaseOf(&f, "ana"), ""))
		require.ErrorIs(t, second.TakeLease(t.Context(), leaseOf(&f, "ben"), "token of somebody else"), sources.ErrConflict)
		require.NoError(t, second.TakeLease(t.Context(), leaseOf(&f, "ben"), "token of ana"))
		require.ErrorIs(t, first.TakeLease(t.Context(), leaseOf(&f, "ana"), ""), sources.ErrConflict, "it is not renewed")
		require.NoError(t, first.DropLease(t.Context(), f.Split, "token of ana"), "what is lost is given back without a word")
		all, err := first.Leases(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, "ben", all[0].Owner)
		require.NoError(t, second.DropLease(t.Context(), f.Split, "token of ben"))
		all, err = first.Leases(t.Context())
		require.NoError(t, err)
		require.Empty(t, all)
	})
	t.Run("writes nothing under a lease that is not in force", func(t *testing.T) {
		t.Parallel()
		f, first, second := s.leasers(t)
		w, ok := f.Store.(sources.FlagWriter)
		require.True(t, ok)
		change := sources.Change{ID: "1", Kind: sources.Ramp, Flag: f.Split, To: sources.Pct(50), Actor: "ana", Lease: "token of ana"}
		_, err := w.Apply(t.Context(), change)
		require.ErrorIs(t, err, sources.ErrConflict, "there is none at all")
		require.NoError(t, first.TakeLease(t.Context(), leaseOf(&f, "ana"), ""))
		_, err = w.Apply(t.Context(), change)
		require.NoError(t, err)
		require.NoError(t, second.TakeLease(t.Context(), leaseOf(&f, "ben"), "token of ana"))
		change.ID, change.To = "2", sources.Full
		r, err := w.Apply(t.Context(), change)
		require.ErrorIs(t, err, sources.ErrConflict, "it was taken over")
		require.Empty(t, r.New.Revision)
		change.ID, change.Lease = "3", ""
		r, err = w.Apply(t.Context(), change)
		require.NoError(t, err, "a change that needs no lease is nobody's business")
		require.Equal(t, sources.Pct(50), r.Old.Rollout.V)
	})
}
