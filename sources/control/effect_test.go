package control_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagdef"
	"relctl-tui/sources/flagfile"
)

// application evaluates the flag file as a process that read it once does, and reads
// it again when it is told.
type application struct {
	path string
	mu   sync.Mutex
	eval *flagdef.Evaluator
	asks int
	fail error
}

func start(t *testing.T, d *desk) *application {
	a := &application{path: d.path}
	a.reload(t)
	return a
}

func (a *application) reload(t *testing.T) {
	b, err := os.ReadFile(a.path)
	require.NoError(t, err)
	eval, err := flagdef.NewEvaluator(b)
	require.NoError(t, err)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.eval = eval
}

func (a *application) asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asks
}

func (a *application) failing(why error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = why
}

// Verify counts how many of a hundred users get the variant.
func (a *application) Verify(ctx context.Context, r sources.Receipt) (sources.Evidence, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asks++
	if a.fail != nil || ctx.Err() != nil {
		return sources.Evidence{}, errors.Join(a.fail, ctx.Err())
	}
	on := 0
	for i := range 100 {
		if a.eval.Evaluate(r.New.ID.Key, fmt.Sprint("user-", i), nil).Variant == r.New.Variant {
			on++
		}
	}
	off := r.New.State == sources.FlagOff
	return sources.Evidence{Effective: off == (on == 0), At: time.Now(), Detail: fmt.Sprintf("%d of 100 users get %s", on, r.New.Variant)}, nil
}

func withEvaluators(of ...sources.Verifier) func(*control.Options) {
	return func(o *control.Options) { o.Stores[0].Evaluators = of }
}

func kill(t *testing.T, d *desk) sources.Receipt {
	r, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
	require.NoError(t, err)
	require.Zero(t, r.Effective)
	return r
}

func TestAKillIsEffectiveOnlyWhenEveryApplicationHasIt(t *testing.T) {
	t.Parallel()
	var quick, slow *application
	d := sit(t)
	quick, slow = start(t, d), start(t, d)
	d = again(d, withEvaluators(quick, slow))
	r := kill(t, d)
	quick.reload(t)
	time.AfterFunc(300*time.Millisecond, func() { slow.reload(t) })
	got, err := d.Effect(t.Context(), r, time.Minute)
	require.NoError(t, err)
	require.False(t, got.Effective.Before(r.Reread.Add(200*time.Millisecond)))
	require.Equal(t, 1, quick.asked(), "who has the change is not asked again")
	require.Greater(t, slow.asked(), 1)
	got.Effective = time.Time{}
	require.Equal(t, r, got)
}

// again is the same desk with other options.
func again(d *desk, change ...func(*control.Options)) *desk {
	opts := control.Options{Stores: []control.Store{{Name: "prod", Driver: d.store, Journal: d.j}}}
	for _, f := range change {
		f(&opts)
	}
	return &desk{t: d.t, path: d.path, store: d.store, j: d.j, Controller: control.New(opts)}
}

func TestAChangeThatApplicationsDoNotGetIsSaidNotToBeEffective(t *testing.T) {
	t.Parallel()
	d := sit(t)
	app := start(t, d)
	d = again(d, withEvaluators(app))
	_, err := d.Effect(t.Context(), kill(t, d), 2*time.Second)
	require.ErrorIs(t, err, control.ErrNotEffective)
	require.Regexp(t, `^checkout was written, but is NOT effective after 2s: \d+ of 100 users get on$`, sources.Sentence(err))
	require.NotErrorIs(t, err, control.ErrUnconfirmed)
}

func TestAKillOfWhichNobodyCouldBeAskedIsNeverSaidNotToBeEffective(t *testing.T) {
	t.Parallel()
	d := sit(t)
	app := start(t, d)
	app.failing(fmt.Errorf("flagd:8016 refuses connections: %w", sources.ErrUnavailable))
	d = again(d, withEvaluators(app))
	_, err := d.Effect(t.Context(), kill(t, d), 2*time.Second)
	require.ErrorIs(t, err, control.ErrUntold)
	require.NotErrorIs(t, err, control.ErrNotEffective)
	require.NotErrorIs(t, err, control.ErrUnconfirmed, "the change itself was read back")
	require.Equal(t, "checkout was written and confirmed in the store, but whether it is effective could not be told after 2s: flagd:8016 refuses connections; look at its evaluator (verify)", sources.Sentence(err))
}

func TestOneThatHasTheChangeDoesNotSpeakForOneThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	d := sit(t)
	quick, mute := start(t, d), start(t, d)
	mute.failing(fmt.Errorf("flagd:8016 refuses connections: %w", sources.ErrUnavailable))
	d = again(d, withEvaluators(quick, mute))
	r := kill(t, d)
	quick.reload(t)
	_, err := d.Effect(t.Context(), r, 2*time.Second)
	require.ErrorIs(t, err, control.ErrUntold)
	require.ErrorContains(t, err, "flagd:8016 refuses connections")
}

func TestOneThatAnsweredWithTheOldValueSaysSoWhoeverElseIsSilent(t *testing.T) {
	t.Parallel()
	d := sit(t)
	old, mute := start(t, d), start(t, d)
	mute.failing(fmt.Errorf("flagd:8016 refuses connections: %w", sources.ErrUnavailable))
	d = again(d, withEvaluators(mute, old))
	_, err := d.Effect(t.Context(), kill(t, d), 2*time.Second)
	require.ErrorIs(t, err, control.ErrNotEffective)
	require.Regexp(t, `NOT effective after 2s: \d+ of 100 users get on$`, sources.Sentence(err))
}

func TestOneThatAnsweredWithTheOldValueAndThenFellSilentDidNotHaveTheChange(t *testing.T) {
	t.Parallel()
	d := sit(t)
	app := start(t, d)
	d = again(d, withEvaluators(&leaving{application: app}))
	_, err := d.Effect(t.Context(), kill(t, d), 2*time.Second)
	require.ErrorIs(t, err, control.ErrNotEffective)
	require.Regexp(t, `NOT effective after 2s: \d+ of 100 users get on, and then it could not be asked any more: flagd:8016 refuses connections$`, sources.Sentence(err))
}

// leaving answers once and is gone then.
type leaving struct{ *application }

func (l *leaving) Verify(ctx context.Context, r sources.Receipt) (sources.Evidence, error) {
	defer l.failing(fmt.Errorf("flagd:8016 refuses connections: %w", sources.ErrUnavailable))
	return l.application.Verify(ctx, r)
}

func TestAnEvaluatorThatHangsForTheWholeTimeHasSaidNothing(t *testing.T) {
	t.Parallel()
	d := sit(t, withEvaluators(hanging{}))
	_, err := d.Effect(t.Context(), kill(t, d), 50*time.Millisecond)
	require.ErrorIs(t, err, control.ErrUntold)
	require.ErrorContains(t, err, "no answer came in that time")
}

type hanging struct{}

func (hanging) Verify(ctx context.Context, _ sources.Receipt) (sources.Evidence, error) {
	<-ctx.Done()
	return sources.Evidence{}, ctx.Err()
}

type panicking struct{}

func (panicking) Verify(context.Context, sources.Receipt) (sources.Evidence, error) { panic("boom") }

func TestAnEvaluatorThatPanicsTakesNothingWithIt(t *testing.T) {
	t.Parallel()
	d := sit(t, withEvaluators(panicking{}))
	_, err := d.Effect(t.Context(), kill(t, d), 150*time.Millisecond)
	require.ErrorIs(t, err, control.ErrUntold)
}

func TestNobodyWaitsForTheEffectOfAChangeThatWasOvertaken(t *testing.T) {
	t.Parallel()
	d := sit(t)
	app := start(t, d)
	d = again(d, withEvaluators(app))
	r := kill(t, d)
	_, err := d.undo("ana", "")
	require.NoError(t, err)
	_, err = d.Effect(t.Context(), r, time.Minute)
	require.ErrorIs(t, err, control.ErrOvertaken)
}

func TestAskingAnEvaluatorToWaitIsRespected(t *testing.T) {
	t.Parallel()
	d := sit(t)
	app := start(t, d)
	app.failing(sources.WithRetryAfter(sources.ErrUnavailable, time.Hour))
	d = again(d, withEvaluators(app))
	_, err := d.Effect(t.Context(), kill(t, d), 400*time.Millisecond)
	require.ErrorIs(t, err, control.ErrUntold)
	require.Equal(t, 1, app.asked())
}

func TestWhereNobodyEvaluatesTheEffectIsNotKnown(t *testing.T) {
	t.Parallel()
	d := sit(t)
	require.False(t, d.CanVerify("prod"))
	require.False(t, d.CanVerify("nowhere"))
	_, err := d.Effect(t.Context(), kill(t, d), time.Minute)
	require.ErrorIs(t, err, sources.ErrUnsupported)
	require.True(t, sit(t, wrap(func(s *flagfile.Store) any {
		return struct {
			*flagfile.Store
			sources.Verifier
		}{s, start(t, d)}
	})).CanVerify("prod"), "a store may have a side that evaluates itself")
}

// remote is a store that keeps its own record of changes, as etcd does.
type remote struct {
	*flagfile.Store
	mu     sync.Mutex
	record []sources.Recorded
	err    error
}

func (r *remote) History(_ context.Context, limit int) ([]sources.Recorded, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return nil, r.err
	}
	return r.record[:min(limit, len(r.record))], nil
}

func (r *remote) Apply(ctx context.Context, c sources.Change) (sources.Receipt, error) {
	got, err := r.Store.Apply(ctx, c)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.record = append([]sources.Recorded{{
			Activity: sources.Activity{
				ID: c.ID, At: time.Now(), Kind: string(c.Kind), Flag: c.Flag, Name: got.New.Name, Actor: c.Actor, Reason: c.Reason,
				Old: got.Old.Brief(), New: got.New.Brief(), Outcome: sources.Confirmed, Revision: got.New.Revision,
			},
			OldRevision: got.Old.Revision, Restore: got.Restore, Undoes: c.Undoes,
		}}, r.record...)
	}
	return got, err
}

func TestAChangeMadeOnAnotherMachineIsInTheHistoryAndCanBeUndoneHere(t *testing.T) {
	t.Parallel()
	d := sit(t)
	store := &remote{Store: d.store}
	there := again(d, func(o *control.Options) { o.Stores[0].Driver, o.Stores[0].Journal = store, nil })
	here := again(d, func(o *control.Options) { o.Stores[0].Driver = store })
	done := kill(t, there)
	acts, warnings := here.History(0)
	require.Empty(t, warnings)
	require.Len(t, acts, 1)
	require.Equal(t, done.Change, acts[0].ID)
	require.Equal(t, "killed", acts[0].New)

	undone, err := here.undo("ana", "")
	require.NoError(t, err)
	require.Equal(t, "25%", undone.New.Brief())
	require.Equal(t, shop, here.bytes())
	acts, _ = here.History(0)
	require.Len(t, acts, 2, "what the journal and the store both know is one change")
	require.Equal(t, done.Change, store.record[0].Undoes)
	_, err = there.undo("ana", "")
	require.ErrorContains(t, err, "nothing left to undo", "the other machine knows it too")
}

func TestAStoreWhoseRecordCannotBeReadIsWarnedOf(t *testing.T) {
	t.Parallel()
	d := sit(t)
	store := &remote{Store: d.store}
	d = again(d, func(o *control.Options) { o.Stores[0].Driver = store })
	kill(t, d)
	store.err = fmt.Errorf("etcd has no leader: %w", sources.ErrUnavailable)
	_, err := d.undo("ana", "")
	require.NoError(t, err, "the journal knows enough")
	acts, warnings := d.History(0)
	require.Len(t, acts, 2)
	require.Contains(t, warnings, "etcd has no leader")
}

type approving struct{ *flagfile.Store }

func (a approving) Apply(ctx context.Context, c sources.Change) (sources.Receipt, error) {
	if c.Kind == sources.Kill {
		return a.Store.Apply(ctx, c)
	}
	f, err := a.Flag(ctx, c.Flag)
	if err == nil {
		wanted := f
		wanted.Rollout, wanted.Revision = sources.Some(c.To), "wanted"
		err = c.Commit(sources.Planned{Old: f, New: wanted})
	}
	if err == nil {
		err = sources.WithLink(fmt.Errorf("checkout needs somebody's approval: %w", sources.ErrApprovalNeeded), "https://flags.example/changes/7")
	}
	return sources.Receipt{}, err
}

func TestAChangeThatNeedsApprovalIsNeverCalledDoneAndNeverUndone(t *testing.T) {
	t.Parallel()
	d := sit(t, wrap(func(s *flagfile.Store) any { return approving{s} }))
	_, err := d.set(checkout, 50, "ana")
	require.ErrorIs(t, err, sources.ErrApprovalNeeded)
	require.Equal(t, "https://flags.example/changes/7", sources.LinkOf(err))
	acts, _ := d.History(0)
	require.Equal(t, sources.Awaiting, acts[0].Outcome)
	require.Empty(t, d.InDoubt())
	_, err = d.undo("ana", "")
	require.ErrorContains(t, err, "nothing left to undo")
}

type speechless struct{}

func (speechless) Verify(context.Context, sources.Receipt) (sources.Evidence, error) {
	return sources.Evidence{}, fmt.Errorf("25 and 26 percent cannot be told apart: %w", sources.ErrUnsupported)
}

func TestWhatAnEvaluatorCannotTellIsSaidAtOnceAndIsNoFailureOfTheChange(t *testing.T) {
	t.Parallel()
	d := sit(t, withEvaluators(speechless{}))
	_, err := d.Effect(t.Context(), kill(t, d), time.Hour)
	require.ErrorIs(t, err, sources.ErrUnsupported)
	require.NotErrorIs(t, err, control.ErrNotEffective)
	require.Equal(t, "whether checkout is effective cannot be told: 25 and 26 percent cannot be told apart", sources.Sentence(err))
}

type locked struct{}

func (locked) Verify(context.Context, sources.Receipt) (sources.Evidence, error) {
	return sources.Evidence{}, fmt.Errorf("flagd:8016: secret file /run/secrets/ofrep: no such file: %w", sources.ErrNoSecret)
}

func TestWhoCannotBeAskedForWantOfASecretIsWaitedForByNobody(t *testing.T) {
	t.Parallel()
	d := sit(t, withEvaluators(locked{}))
	_, err := d.Effect(t.Context(), kill(t, d), time.Hour)
	require.ErrorIs(t, err, sources.ErrUnsupported)
	require.Equal(t, "whether checkout is effective cannot be told: flagd:8016: secret file /run/secrets/ofrep: no such file", sources.Sentence(err))
}

// stuck is a store whose record is being read and never comes.
type stuck struct {
	*flagfile.Store
	asked chan struct{}
}

func (s stuck) History(ctx context.Context, _ int) ([]sources.Recorded, error) {
	close(s.asked)
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestWhereOneCannotTellTheOthersAreStillAsked(t *testing.T) {
	t.Parallel()
	app := &application{}
	d := sit(t, withEvaluators(speechless{}, app))
	app.path = d.path
	app.reload(t)
	r := kill(t, d)

	_, err := d.Effect(t.Context(), r, 2*time.Second)
	require.ErrorIs(t, err, control.ErrNotEffective, "one who can tell says that it is not")
	require.ErrorContains(t, err, "of 100 users get on")

	app.reload(t)
	_, err = d.Effect(t.Context(), r, time.Minute)
	require.ErrorIs(t, err, sources.ErrUnsupported, "all who can tell have it, but not all can")
}

func TestAKillWaitsForNobodyWhoReadsTheStoresRecord(t *testing.T) {
	t.Parallel()
	s := stuck{asked: make(chan struct{})}
	d := sit(t, wrap(func(f *flagfile.Store) any { s.Store = f; return s }))
	read := make(chan struct{})
	go func() { d.History(0); close(read) }()
	<-s.asked
	kill(t, d)
	select {
	case <-read:
		t.Fatal("the kill came after the look at the record")
	default:
	}
	<-read
}
