package sourcetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// attenders is a store of which two processes have a handle each, maybe the same.
func (s suite) attenders(t *testing.T) (first, second sources.Attender) {
	t.Helper()
	f := s.open(t)
	first, ok := f.Store.(sources.Attender)
	require.True(t, ok)
	second = first
	if f.Second != nil {
		second, ok = f.Second.(sources.Attender)
		require.True(t, ok)
	}
	return first, second
}

// presence is the part of the suite for stores that keep who looks at them.
func (s suite) presence(t *testing.T) {
	ana, ben := sources.Person{Name: "ana"}, sources.Person{Name: "ben", Watching: true}
	here := func(t *testing.T, a sources.Attender) []sources.Person {
		t.Helper()
		all, err := a.Attending(t.Context())
		require.NoError(t, err)
		return sources.PresentIn(all)
	}
	once := func(p sources.Person) sources.Person { p.Boards = 1; return p }
	t.Run("tells each process who looks through the others, until they leave", func(t *testing.T) {
		t.Parallel()
		first, second := s.attenders(t)
		require.Empty(t, here(t, first))
		require.NoError(t, first.Attend(t.Context(), sources.Attendance{ID: "a1", People: []sources.Person{ana}}))
		require.NoError(t, second.Attend(t.Context(), sources.Attendance{ID: "b2", People: []sources.Person{ben}}))
		for range 2 {
			require.Equal(t, []sources.Person{once(ana), once(ben)}, here(t, first))
			require.Equal(t, here(t, first), here(t, second))
			require.NoError(t, first.Attend(t.Context(), sources.Attendance{ID: "a1", People: []sources.Person{ana}}), "a beat changes nothing")
		}
		require.NoError(t, first.Attend(t.Context(), sources.Attendance{ID: "a1", People: []sources.Person{ana, {Name: "eve"}}}))
		require.Len(t, here(t, second), 3)
		require.NoError(t, second.Attend(t.Context(), sources.Attendance{ID: "b2"}))
		require.NoError(t, first.Attend(t.Context(), sources.Attendance{ID: "a1"}))
		require.NoError(t, first.Attend(t.Context(), sources.Attendance{ID: "a1"}), "who has left may leave again")
		require.Empty(t, here(t, second))
	})
	t.Run("can be followed where it says so", func(t *testing.T) {
		t.Parallel()
		first, second := s.attenders(t)
		w, ok := first.(sources.AttendanceWatcher)
		if !ok {
			t.Skip("who looks at this store is polled")
		}
		stirs := w.Attendances(t.Context())
		require.NoError(t, second.Attend(t.Context(), sources.Attendance{ID: "b2", People: []sources.Person{ben}}))
		for deadline := time.After(20 * time.Second); len(here(t, first)) == 0; {
			select {
			case <-stirs:
			case <-deadline:
				t.Fatal("nobody said that somebody came")
			}
		}
	})
	t.Run("keeps a process's name from leading elsewhere", func(t *testing.T) {
		t.Parallel()
		first, _ := s.attenders(t)
		for _, id := range []string{"", "../x", "a/b"} {
			require.ErrorIs(t, first.Attend(t.Context(), sources.Attendance{ID: id, People: []sources.Person{ana}}), sources.ErrInvalid, id)
		}
	})
}
