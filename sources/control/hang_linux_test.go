package control_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/sourcetest"
)

func TestARampWhoseJournalHangsGivesTheStoresLockBackForAKill(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.set(search, 50, "ana")
	require.NoError(t, err)
	before := d.bytes()
	giveBack := sourcetest.Lease(t, d.j.Path())
	_, err = d.set(checkout, 50, "ana")
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "nothing was changed")
	require.ErrorContains(t, err, "did not answer")
	require.Equal(t, before, d.bytes())
	giveBack()
}
