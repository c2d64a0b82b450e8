package control_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
)

// breaksOff takes an import in up to a point, as a cluster does that is lost in the
// middle of one: what was written before stays written.
type breaksOff struct {
	written int
	doubt   bool
}

func (b breaksOff) Flags(context.Context) (sources.FlagSet, error) { return sources.FlagSet{}, nil }

func (b breaksOff) Import(_ context.Context, in sources.Import) (sources.ImportResult, error) {
	r := sources.ImportResult{Written: b.written, InDoubt: b.doubt}
	for i := range 3 {
		f := sources.ImportedFlag{ID: sources.FlagID{Source: "prod", Key: fmt.Sprint("f", i)}, Name: fmt.Sprint("f", i), Step: sources.StepAdded, Change: in.NewID()}
		f.Written = i < b.written
		r.Flags = append(r.Flags, f)
	}
	return r, fmt.Errorf("the cluster has no leader: %w", sources.ErrUnavailable)
}

func importInto(t *testing.T, driver any) (sources.ImportResult, []sources.Activity, error) {
	t.Helper()
	var told []sources.Activity
	c := control.New(control.Options{
		Stores:  []control.Store{{Name: "prod", Driver: driver}},
		Observe: func(a sources.Activity) { told = append(told, a) },
	})
	r, err := c.Import(t.Context(), "prod", sources.Import{Actor: "ana"})
	return r, told, err
}

func TestAnImportThatBreaksOffHalfWayIsUnconfirmedAndTellsWhatWasWritten(t *testing.T) {
	t.Parallel()
	r, told, err := importInto(t, breaksOff{written: 2})
	require.ErrorIs(t, err, control.ErrUnconfirmed)
	require.ErrorContains(t, err, "no leader")
	require.Equal(t, 2, r.Written)
	require.Len(t, told, 2, "the board learns of the two that are written, and of no other")
}

func TestAnImportOfWhichNothingWasWrittenIsAPlainFailureUnlessThatIsInDoubt(t *testing.T) {
	t.Parallel()
	_, told, err := importInto(t, breaksOff{})
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.NotErrorIs(t, err, control.ErrUnconfirmed)
	require.Empty(t, told)
	_, _, err = importInto(t, breaksOff{doubt: true})
	require.ErrorIs(t, err, control.ErrUnconfirmed)
}

// onlyRead is a store that cannot be written and knows why.
type onlyRead struct{}

func (onlyRead) Flags(context.Context) (sources.FlagSet, error) {
	return sources.FlagSet{
		Source: "prod", Flags: []sources.Flag{{ID: sources.FlagID{Source: "prod", Key: "f"}, Name: "f"}},
		ReadOnly: "they are followed through a sync source; change them at the store behind it",
	}, nil
}

func TestAStoreThatCannotBeWrittenSaysWhereItsFlagsCanBeChanged(t *testing.T) {
	t.Parallel()
	c := control.New(control.Options{Stores: []control.Store{{Name: "prod", Driver: onlyRead{}}}})
	_, err := c.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: sources.FlagID{Source: "prod", Key: "f"}})
	require.ErrorIs(t, err, sources.ErrUnsupported)
	require.ErrorContains(t, err, "change them at the store behind it")
}
