package control_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/actuator"
	"relctl-tui/sources/control"
	"relctl-tui/sources/journal"
	"relctl-tui/sources/sourcetest"
)

var payments = sources.FlagID{Source: "orders", Key: "payments"}

// fuses is one operator's controller over the breakers of an application.
type fuses struct {
	*control.Controller
	t    *testing.T
	apps []*sourcetest.Actuator
	j    *journal.Journal
	acts []sources.Activity
}

func wire(t *testing.T, states []string, change ...func(*control.Options)) *fuses {
	t.Helper()
	f := &fuses{t: t}
	var list []actuator.Instance
	for _, state := range states {
		a := sourcetest.NewActuator(t, map[string]string{"payments": state})
		f.apps, list = append(f.apps, a), append(list, actuator.Instance{URL: a.URL})
	}
	s, err := actuator.New("orders", list, actuator.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	f.j = journal.Open(filepath.Join(t.TempDir(), "orders.jsonl"), journal.Options{})
	opts := control.Options{
		Stores:  []control.Store{{Name: "orders", Driver: s, Journal: f.j}},
		Observe: func(a sources.Activity) { f.acts = append(f.acts, a) },
	}
	for _, c := range change {
		c(&opts)
	}
	f.Controller = control.New(opts)
	return f
}

func (f *fuses) do(kind sources.ChangeKind, seen sources.BreakerState) (sources.Receipt, error) {
	return f.Do(f.t.Context(), sources.Intent{Kind: kind, Flag: payments, Seen: sources.Revision(seen.String()), SeenAs: seen.String(), Actor: "ana", Reason: "ledger is down"})
}

func (f *fuses) undo(actor string) (sources.Receipt, error) {
	return f.Do(f.t.Context(), sources.Intent{Kind: sources.Undo, Actor: actor})
}

func (f *fuses) states() (out []string) {
	for _, a := range f.apps {
		out = append(out, a.State("payments"))
	}
	return out
}

func (f *fuses) last() journal.Entry {
	f.t.Helper()
	es, _, err := f.j.Read(1)
	require.NoError(f.t, err)
	require.NotEmpty(f.t, es)
	return es[0]
}

func TestABreakerIsForcedOpenOnEveryInstanceRecordedAndReadBack(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"CLOSED", "CLOSED", "CLOSED"})
	r, err := f.do(sources.ForceOpen, sources.BreakerClosed)
	require.NoError(t, err)
	require.Equal(t, "closed", r.Old.Brief())
	require.Equal(t, "forced-open", r.New.Brief())
	require.False(t, r.Reread.IsZero())
	require.Empty(t, r.Warning)
	require.Equal(t, []string{"FORCED_OPEN", "FORCED_OPEN", "FORCED_OPEN"}, f.states())
	e := f.last()
	require.Equal(t, sources.Confirmed, e.Outcome)
	require.Equal(t, []string{"force-open", "closed", "forced-open", "ana", "ledger is down"}, []string{string(e.Kind), e.Old, e.New, e.Actor, e.Reason})
	require.Equal(t, []sources.Outcome{sources.Pending, sources.Confirmed}, []sources.Outcome{f.acts[0].Outcome, f.acts[1].Outcome})
}

func TestTheIntentIsDurableBeforeAnyInstanceIsTold(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"CLOSED"})
	asked := false
	f.Controller = control.New(control.Options{
		Stores: []control.Store{{Name: "orders", Driver: f.Stores()[0].Driver, Journal: f.j}},
		Observe: func(a sources.Activity) {
			if a.Outcome == sources.Pending {
				asked = true
				require.Equal(t, sources.Pending, f.last().Outcome)
				require.Equal(t, []string{"CLOSED"}, f.states())
			}
		},
	})
	_, err := f.do(sources.ForceOpen, sources.BreakerClosed)
	require.NoError(t, err)
	require.True(t, asked)
}

func TestUndoBringsBackWhatEachInstanceWas(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"CLOSED", "DISABLED", "FORCED_OPEN"})
	_, err := f.do(sources.ForceOpen, sources.BreakerForcedOpen)
	require.NoError(t, err)
	require.Equal(t, []string{"FORCED_OPEN", "FORCED_OPEN", "FORCED_OPEN"}, f.states())
	require.Empty(t, f.apps[2].Posts(), "what is forced open already is left alone")
	_, err = f.undo("ana")
	require.NoError(t, err)
	require.Equal(t, []string{"CLOSED", "DISABLED", "FORCED_OPEN"}, f.states())
	_, err = f.undo("ana")
	require.ErrorIs(t, err, sources.ErrNotFound, "nothing is left to undo")
}

func TestWhatCannotBeBroughtBackIsSaidWithTheReceipt(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"OPEN"})
	r, err := f.do(sources.ForceOpen, sources.BreakerOpen)
	require.NoError(t, err)
	require.Contains(t, r.Warning, "an undo cannot bring this back and will close it: "+f.apps[0].Host()+" was open")
	r, err = f.undo("ana")
	require.NoError(t, err)
	require.Equal(t, "closed", r.New.Brief())
	require.Equal(t, []string{"CLOSED"}, f.states())
}

func TestAnInstanceThatDoesNotTakeItIsNamedAndUndoTakesBackTheOthers(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"CLOSED", "CLOSED", "CLOSED"})
	f.apps[1].Refuse(http.StatusForbidden)
	r, err := f.do(sources.ForceOpen, sources.BreakerClosed)
	require.ErrorIs(t, err, control.ErrUnconfirmed)
	require.ErrorContains(t, err, "payments: done on 2 of 3 instances, it is forced-open 2/3; "+f.apps[1].Host())
	require.ErrorIs(t, err, control.ErrPartly)
	require.Equal(t, "forced-open 2/3", r.New.Brief())
	require.Equal(t, []string{"FORCED_OPEN", "CLOSED", "FORCED_OPEN"}, f.states())
	require.Equal(t, sources.Unconfirmed, f.last().Outcome)
	_, err = f.undo("ana")
	require.NoError(t, err)
	require.Equal(t, []string{"CLOSED", "CLOSED", "CLOSED"}, f.states())
}

func TestWhatRefusedAChangeHasNothingToBeTakenBack(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"OPEN", "OPEN"})
	f.apps[1].Refuse(http.StatusForbidden)
	_, err := f.do(sources.ForceOpen, sources.BreakerOpen)
	require.ErrorIs(t, err, control.ErrPartly)
	_, err = f.undo("ana")
	require.NoError(t, err)
	require.Equal(t, []string{"CLOSED", "OPEN"}, f.states())
}

func TestAnUndoThatNotAllInstancesTookCanBePressedAgain(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"CLOSED", "CLOSED"})
	_, err := f.do(sources.ForceOpen, sources.BreakerClosed)
	require.NoError(t, err)
	f.apps[0].Refuse(http.StatusInternalServerError)
	_, err = f.undo("ana")
	require.ErrorIs(t, err, control.ErrUnconfirmed)
	f.apps[0].Refuse(0)
	_, err = f.undo("ana")
	require.NoError(t, err)
	require.Equal(t, []string{"CLOSED", "CLOSED"}, f.states())
}

func TestAnInstanceThatIsDownKeepsNobodyFromForcingTheOthersOpen(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"CLOSED", "CLOSED"})
	f.apps[1].Down(true)
	_, err := f.do(sources.ForceOpen, sources.BreakerClosed)
	require.ErrorIs(t, err, control.ErrUnconfirmed)
	require.ErrorContains(t, err, "done on 1 of 2 instances")
	require.Equal(t, "FORCED_OPEN", f.apps[0].State("payments"))
	_, err = f.undo("ana")
	require.NoError(t, err, "an undo is about those that the change had touched")
	require.Equal(t, "CLOSED", f.apps[0].State("payments"))
	_, err = f.do(sources.ForceOpen, sources.BreakerClosed)
	require.ErrorIs(t, err, control.ErrPartly)
	_, err = f.do(sources.ForceOpen, sources.BreakerForcedOpen)
	require.ErrorIs(t, err, sources.ErrUnavailable, "what is done already is no success while one is not read")
	require.NotErrorIs(t, err, control.ErrUnconfirmed)
	f.apps[0].Down(true)
	_, err = f.do(sources.ForceOpen, sources.BreakerForcedOpen)
	require.ErrorIs(t, err, sources.ErrUnavailable)
}

func TestWhenNoInstanceTakesItNothingChanged(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusForbidden, http.StatusInternalServerError} {
		f := wire(t, []string{"CLOSED", "CLOSED"})
		for _, a := range f.apps {
			a.Refuse(status)
		}
		_, err := f.do(sources.ForceOpen, sources.BreakerClosed)
		require.Error(t, err)
		require.NotErrorIs(t, err, control.ErrUnconfirmed)
		require.Equal(t, sources.Failed, f.last().Outcome)
		_, err = f.undo("ana")
		require.ErrorIs(t, err, sources.ErrNotFound)
	}
}

func TestLettingGoIsAConflictWhenSomebodyElseHasForcedItMeanwhile(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"FORCED_OPEN"})
	_, err := f.do(sources.CloseBreaker, sources.BreakerOpen)
	require.ErrorIs(t, err, sources.ErrConflict)
	require.ErrorContains(t, err, "payments is forced-open now")
	require.Equal(t, []string{"FORCED_OPEN"}, f.states())
	_, err = f.do(sources.CloseBreaker, sources.BreakerForcedOpen)
	require.NoError(t, err)
	require.Equal(t, []string{"CLOSED"}, f.states())
	f.apps[0].Turn("payments", "HALF_OPEN") // by itself, between the look and the key
	_, err = f.do(sources.CloseBreaker, sources.BreakerOpen)
	require.NoError(t, err)
	require.Equal(t, []string{"CLOSED"}, f.states())
	r, err := f.do(sources.CloseBreaker, sources.BreakerClosed)
	require.NoError(t, err)
	require.Equal(t, "payments is closed already, nothing was written", r.Warning)
}

func TestUndoIsAConflictWhenSomebodyElseSwitchedTheBreakerSince(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"CLOSED"})
	_, err := f.do(sources.ForceOpen, sources.BreakerClosed)
	require.NoError(t, err)
	f.apps[0].Turn("payments", "DISABLED")
	_, err = f.undo("ana")
	require.ErrorIs(t, err, sources.ErrConflict)
	require.ErrorContains(t, err, "payments is disabled now and not forced-open as the change left it")
	require.Equal(t, []string{"DISABLED"}, f.states())
}

func TestUndoOfLettingGoForcesItOpenAgainThoughItTurnedByItselfSince(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"FORCED_OPEN"})
	_, err := f.do(sources.CloseBreaker, sources.BreakerForcedOpen)
	require.NoError(t, err)
	f.apps[0].Turn("payments", "OPEN")
	_, err = f.undo("ana")
	require.NoError(t, err)
	require.Equal(t, []string{"FORCED_OPEN"}, f.states())
}

func TestReadOnlyRefusesToSwitchAndAsksNobody(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*control.Options){
		func(o *control.Options) { o.ReadOnly = true },
		func(o *control.Options) { o.Stores[0].ReadOnly = true },
	} {
		f := wire(t, []string{"CLOSED"}, change)
		for _, kind := range []sources.ChangeKind{sources.ForceOpen, sources.CloseBreaker} {
			_, err := f.do(kind, sources.BreakerClosed)
			require.ErrorIs(t, err, sources.ErrReadOnly)
		}
		require.Empty(t, f.apps[0].Posts())
	}
}

func TestFlagsAndBreakersTakeOnlyTheirOwnKindsOfChange(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"CLOSED"})
	_, err := f.do(sources.Kill, sources.BreakerClosed)
	require.ErrorIs(t, err, sources.ErrUnsupported)
	_, err = f.Do(t.Context(), sources.Intent{Kind: sources.ForceOpen, Flag: sources.FlagID{Source: "orders", Key: "nosuch"}})
	require.ErrorIs(t, err, sources.ErrNotFound)
	require.Empty(t, f.apps[0].Posts())
	d := sit(t)
	_, err = d.Do(t.Context(), sources.Intent{Kind: sources.ForceOpen, Flag: checkout})
	require.ErrorIs(t, err, sources.ErrUnsupported)
}

func TestAForcedOpenBreakerNeedsNoJournalButLettingGoDoes(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"CLOSED"}, func(o *control.Options) {
		o.Stores[0].Journal = journal.Open("/dev/null/no/journal.jsonl", journal.Options{})
	})
	r, err := f.do(sources.ForceOpen, sources.BreakerClosed)
	require.NoError(t, err)
	require.Contains(t, r.Warning, "undo will not know of this force-open")
	_, err = f.do(sources.CloseBreaker, sources.BreakerForcedOpen)
	require.ErrorContains(t, err, "could not be recorded")
	require.Equal(t, []string{"FORCED_OPEN"}, f.states())
}

func TestASwitchOfWhichNobodyKnowsTheEndIsHeldAgainstTheBreaker(t *testing.T) {
	t.Parallel()
	f := wire(t, []string{"CLOSED", "CLOSED"})
	_, err := f.do(sources.ForceOpen, sources.BreakerClosed)
	require.NoError(t, err)
	done := f.last()
	for _, c := range []struct {
		second string
		want   sources.Outcome
	}{{"FORCED_OPEN", sources.Confirmed}, {"CLOSED", sources.Unconfirmed}} { // as after a process that died
		f.j = journal.Open(filepath.Join(t.TempDir(), "orders.jsonl"), journal.Options{})
		require.NoError(t, f.j.Intent(done))
		f.apps[1].Turn("payments", c.second)
		after := control.New(control.Options{Stores: []control.Store{{Name: "orders", Driver: f.Stores()[0].Driver, Journal: f.j}}})
		doubts := after.InDoubt()
		require.Len(t, doubts, 1)
		require.Equal(t, c.want, doubts[0].Outcome, doubts[0].Err)
	}
}
