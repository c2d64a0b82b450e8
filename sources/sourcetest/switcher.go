package sourcetest

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// Switchable is a system of breakers as its driver has it, for one subtest.
type Switchable struct {
	// Driver lists and switches.
	Driver interface {
		sources.BreakerLister
		sources.BreakerSwitcher
	}
	// Closed is a breaker that is closed on all its instances, and nothing turns.
	Closed string
}

// Switcher is the conformance suite for what switches breakers. open gives each
// subtest a system of its own.
func Switcher(t *testing.T, open func(t *testing.T) Switchable) {
	t.Helper()
	s := switching{open}
	t.Run("lists a breaker as its instances say", s.agrees)
	t.Run("forces open, lets go and shows it at once", s.switches)
	t.Run("touches no instance that is not named", s.named)
	t.Run("takes the same setting twice", s.twice)
	t.Run("says not found for a breaker that is not there, and makes none", s.unknown)
	t.Run("refuses what is no setting", s.refuses)
	t.Run("ends promptly when its context has ended", s.ends)
}

type switching struct{ open func(t *testing.T) Switchable }

func (s switching) read(t *testing.T, f Switchable) []sources.BreakerInstance {
	t.Helper()
	list, err := f.Driver.BreakerInstances(t.Context(), f.Closed)
	require.NoError(t, err)
	require.NotEmpty(t, list)
	for i := range list {
		require.Empty(t, list[i].Err)
	}
	return list
}

func (s switching) row(t *testing.T, f Switchable) *sources.Breaker {
	t.Helper()
	set, err := f.Driver.Breakers(t.Context())
	require.NoError(t, err)
	for i := range set.Breakers {
		if set.Breakers[i].Name == f.Closed {
			return &set.Breakers[i]
		}
	}
	return nil
}

// all is every instance with one of its settings.
func all(list []sources.BreakerInstance, word func(*sources.BreakerInstance) string) map[string]string {
	to := map[string]string{}
	for i := range list {
		to[list[i].Name] = word(&list[i])
	}
	return to
}

func opens(in *sources.BreakerInstance) string   { return in.Opens }
func closes(in *sources.BreakerInstance) string  { return in.Closes }
func returns(in *sources.BreakerInstance) string { return in.Returns }

func (s switching) set(t *testing.T, f Switchable, to map[string]string) {
	t.Helper()
	got := f.Driver.SwitchBreaker(t.Context(), f.Closed, to)
	require.Len(t, got, len(to))
	for name, err := range got {
		require.NoError(t, err, name)
	}
}

func (s switching) agrees(t *testing.T) {
	f := s.open(t)
	list := s.read(t, f)
	require.True(t, slices.IsSortedFunc(list, func(a, b sources.BreakerInstance) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	}))
	row := s.row(t, f)
	require.NotNil(t, row)
	require.Equal(t, sources.GatherBreaker(list).State, row.State)
	require.Equal(t, len(list), row.Instances)
	for i := range list {
		require.Equal(t, sources.BreakerClosed, list[i].State)
		require.Equal(t, list[i].Setting, list[i].Returns, "what is closed can be brought back")
		require.NotEmpty(t, list[i].Opens)
		require.NotEmpty(t, list[i].Closes)
	}
}

func (s switching) switches(t *testing.T) {
	f := s.open(t)
	before := s.read(t, f)
	s.set(t, f, all(before, opens))
	for _, in := range s.read(t, f) {
		require.Equal(t, sources.BreakerForcedOpen, in.State)
		require.Equal(t, in.Opens, in.Setting)
	}
	row := s.row(t, f)
	require.Equal(t, sources.BreakerForcedOpen, row.State)
	require.Equal(t, row.Instances, row.OpenInstances)
	s.set(t, f, all(before, returns))
	for i, in := range s.read(t, f) {
		require.Equal(t, before[i].Setting, in.Setting)
		require.Equal(t, before[i].State, in.State)
	}
	s.set(t, f, all(before, opens))
	s.set(t, f, all(before, closes))
	require.Equal(t, sources.BreakerClosed, s.row(t, f).State)
}

func (s switching) named(t *testing.T) {
	f := s.open(t)
	before := s.read(t, f)
	s.set(t, f, map[string]string{before[0].Name: before[0].Opens})
	for i, in := range s.read(t, f)[1:] {
		require.Equal(t, before[i+1].Setting, in.Setting)
	}
	for name, err := range f.Driver.SwitchBreaker(t.Context(), f.Closed, map[string]string{"nowhere": before[0].Closes}) {
		require.ErrorIs(t, err, sources.ErrNotFound, name)
	}
}

func (s switching) twice(t *testing.T) {
	f := s.open(t)
	list := s.read(t, f)
	s.set(t, f, all(list, opens))
	s.set(t, f, all(list, opens))
	require.Equal(t, sources.BreakerForcedOpen, s.row(t, f).State)
}

func (s switching) unknown(t *testing.T) {
	f := s.open(t)
	before, err := f.Driver.Breakers(t.Context())
	require.NoError(t, err)
	for _, name := range []string{"nosuch", "nosuch/nosuch", "", "a b;c\n"} {
		_, err := f.Driver.BreakerInstances(t.Context(), name)
		require.ErrorIs(t, err, sources.ErrNotFound, name)
	}
	after, err := f.Driver.Breakers(t.Context())
	require.NoError(t, err)
	require.Len(t, after.Breakers, len(before.Breakers))
}

func (s switching) refuses(t *testing.T) {
	f := s.open(t)
	list := s.read(t, f)
	for _, setting := range []string{"", "nonsense", list[0].Opens + "; show info"} {
		for _, err := range f.Driver.SwitchBreaker(t.Context(), f.Closed, map[string]string{list[0].Name: setting}) {
			require.Error(t, err)
		}
	}
	require.Equal(t, sources.BreakerClosed, s.row(t, f).State)
}

func (s switching) ends(t *testing.T) {
	f := s.open(t)
	list := s.read(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Driver.BreakerInstances(ctx, f.Closed)
	require.Error(t, err)
	for _, err := range f.Driver.SwitchBreaker(ctx, f.Closed, all(list, opens)) {
		require.Error(t, err)
	}
	require.Equal(t, sources.BreakerClosed, s.row(t, f).State)
}
