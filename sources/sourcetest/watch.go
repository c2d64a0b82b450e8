package sourcetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func watchOf(t *testing.T, f Fixture, from sources.Revision) (<-chan sources.FlagEvent, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ch, err := f.Store.(sources.FlagWatcher).Watch(ctx, from) //nolint:forcetypeassert // asserted by Store
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		for range ch { // drained until it is closed
		}
	})
	return ch, cancel
}

func next(t *testing.T, ch <-chan sources.FlagEvent) *sources.FlagSet {
	t.Helper()
	select {
	case e, ok := <-ch:
		require.True(t, ok, "the watch goes on")
		require.NoError(t, e.Err)
		require.NotNil(t, e.Set)
		return e.Set
	case <-time.After(patience):
		require.FailNow(t, "no event came")
		return nil
	}
}

func (s suite) watchFirst(t *testing.T) {
	f := s.open(t)
	ch, cancel := watchOf(t, f, "")
	got := next(t, ch)
	require.Equal(t, list(t, f).Revision, got.Revision)
	require.Equal(t, list(t, f).Flags, got.Flags)
	cancel()
	deadline := time.After(patience)
	for {
		select {
		case _, ok := <-ch:
			if !ok {
				return
			}
		case <-deadline:
			require.FailNow(t, "the channel was not closed with its context")
		}
	}
}

func (s suite) watchChange(t *testing.T) {
	f := s.open(t)
	w, ok := f.Store.(sources.FlagWriter)
	if !ok {
		t.Skip("this store does not write")
	}
	if second, ok := f.Second.(sources.FlagWriter); ok {
		w = second
	}
	ch, _ := watchOf(t, f, "")
	next(t, ch)
	for _, to := range []sources.Percent{sources.Pct(50), sources.Pct(5)} {
		_, err := w.Apply(t.Context(), sources.Change{ID: "1", Flag: f.Split, Kind: sources.Set, To: to})
		require.NoError(t, err)
		for shows := false; !shows; {
			shows = slices.ContainsFunc(next(t, ch).Flags, func(x sources.Flag) bool {
				return x.ID == f.Split && x.Rollout == sources.Some(to)
			})
		}
	}
}

// watchKnown starts from the present revision: the first event is then that of
// the change after it.
func (s suite) watchKnown(t *testing.T) {
	f := s.open(t)
	w, ok := f.Store.(sources.FlagWriter)
	if !ok {
		t.Skip("this store does not write")
	}
	known := list(t, f).Revision
	ch, _ := watchOf(t, f, known)
	_, err := w.Apply(t.Context(), sources.Change{ID: "1", Flag: f.Split, Kind: sources.Kill})
	require.NoError(t, err)
	require.NotEqual(t, known, next(t, ch).Revision)
}
