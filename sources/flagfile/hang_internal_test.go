package flagfile

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestAFileSystemThatHangsIsAskedByFewAtOnceHoweverLongItHangs(t *testing.T) {
	t.Parallel()
	s := New("prod", "flags.json", nil)
	var asked atomic.Int64
	hanging, asks := make(chan struct{}), make(chan struct{}, 1)
	for range 10 * mostReads { // as whoever looks again and again, and gives up each time
		ctx, giveUp := context.WithCancel(t.Context())
		begun := int(asked.Load()) < mostReads
		done := make(chan error, 1)
		go func() {
			_, err := await(ctx, s, func() (int, error) {
				asked.Add(1)
				asks <- struct{}{}
				<-hanging
				return 0, nil
			})
			done <- err
		}()
		if begun {
			<-asks
		}
		giveUp()
		require.ErrorIs(t, <-done, sources.ErrUnavailable)
	}
	require.EqualValues(t, mostReads, asked.Load())
	close(hanging)
	got, err := await(t.Context(), s, func() (int, error) { return 7, nil })
	require.NoError(t, err)
	require.Equal(t, 7, got, "once it answers it is asked again")
}

func TestAFaultInAReadIsTheCallers(t *testing.T) {
	t.Parallel()
	s := New("prod", "flags.json", nil)
	for range 2 * mostReads {
		require.PanicsWithValue(t, "no format", func() {
			_, _ = await(t.Context(), s, func() (int, error) { panic("no format") })
		})
	}
}
