package control_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagfile"
)

// porch is a store that takes its time with one word about who is here: it does not
// know it when the caller gives up.
type porch struct {
	*flagfile.Store
	slow func(people int) bool
	said map[string][]sources.Person
}

func (p *porch) Attend(ctx context.Context, a sources.Attendance) error {
	if p.slow != nil && p.slow(len(a.People)) {
		p.slow = nil
		<-ctx.Done()
		return ctx.Err()
	}
	p.said[a.ID] = a.People
	return nil
}

func (p *porch) Attending(context.Context) ([]sources.Attendance, error) { return nil, nil }

func TestWhoLeavesAsTheProgramEndsIsNotSaidToBeHereAnyMore(t *testing.T) {
	t.Parallel()
	store := &porch{said: map[string][]sources.Person{}, slow: func(people int) bool { return people == 0 }}
	d := sit(t, wrap(func(s *flagfile.Store) any { store.Store = s; return store }))
	synctest.Test(t, func(t *testing.T) {
		r := control.NewRoster(false)
		leave := r.Enter(sources.Person{Name: "ana"})
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			d.FollowPresence(ctx, "board1", r, func(string, []sources.Person) {})
			close(ended)
		}()
		synctest.Wait()
		require.Len(t, store.said["board1"], 1)
		leave()
		synctest.Wait() // that she left is being said
		end()
		<-ended
		require.Empty(t, store.said["board1"])
	})
}
