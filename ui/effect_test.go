package ui

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/themes"
)

// evaluator has each change so long after it was written.
type evaluator struct{ lag time.Duration }

func (e evaluator) Verify(_ context.Context, r sources.Receipt) (sources.Evidence, error) {
	now := time.Now()
	return sources.Evidence{Effective: now.Sub(r.Accepted) >= e.lag, At: now, Detail: "17 of 100 keys get on"}, nil
}

// proving makes the board ask an evaluator with that lag.
func proving(o *Options, lag time.Duration) {
	stores := o.Control.Stores()
	stores[0].Evaluators = []sources.Verifier{evaluator{lag}}
	o.Control = control.New(control.Options{Stores: stores, Observe: o.Engine.Observe})
}

func (r *rig) screen() string { return ansi.Strip(r.m.View().Content) }

func TestAKillSaysWhenItIsEffectiveWhereTheFlagIsEvaluated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { proving(o, 1200*time.Millisecond) })
		r.press("K")
		require.Regexp(t, `checkout-v2 25% ➔ killed: accepted \d+ ms ∙ re-read \d+ ms ∙ effective 1\.\d s \(u undoes it\)`, r.screen())
		r.press("u")
		require.Regexp(t, `undone: checkout-v2 killed ➔ 25%: accepted \d+ ms ∙ re-read \d+ ms ∙ effective 1\.\d s`, r.screen())
	})
}

func TestAKillThatApplicationsDoNotGetIsRedAndSaysWhatTheyDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) {
			proving(o, time.Hour)
			o.Effect = 30 * time.Second
		})
		r.press("K")
		line := r.m.footer.Status()
		require.Regexp(t, `^checkout-v2 accepted \d+ ms, NOT effective after 30s: 17 of 100 keys get on; look at what evaluates the flag$`, line)
		require.Contains(t, r.screen(), r.m.opts.Theme.Glyphs.Bad+" checkout-v2 accepted")
	})
}

// unreachable is an evaluator at an address where nobody is.
type unreachable struct{}

func (unreachable) Verify(context.Context, sources.Receipt) (sources.Evidence, error) {
	return sources.Evidence{}, fmt.Errorf("flagd:8016 refuses connections: %w", sources.ErrUnavailable)
}

func TestAKillOfWhichNobodyCouldBeAskedIsAWarningAndNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) {
			stores := o.Control.Stores()
			stores[0].Evaluators = []sources.Verifier{unreachable{}}
			o.Control = control.New(control.Options{Stores: stores, Observe: o.Engine.Observe})
			o.Effect = 30 * time.Second
		})
		r.press("K")
		require.Regexp(t, `^checkout-v2 25% ➔ killed: accepted \d+ ms ∙ re-read \d+ ms, but whether it is effective could not be told after 30s: flagd:8016 refuses connections; look at its evaluator \(verify\)$`, r.m.footer.Status())
		require.NotContains(t, r.screen(), r.m.opts.Theme.Glyphs.Bad+" checkout-v2 25%")
	})
}

func TestWhileTheEffectIsPendingTheLineSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { proving(o, time.Hour) })
		r.m.gate = gate{}
		_, cmd := r.m.Update(ActionFinishedMsg{Seq: 9, Start: time.Now(), Receipt: sources.Receipt{
			Old:      sources.Flag{Name: "checkout-v2", Revision: "1", Rollout: sources.Some(sources.Pct(25))},
			New:      sources.Flag{ID: sources.FlagID{Source: "prod", Key: "checkout-v2"}, Name: "checkout-v2", Revision: "2", Killed: true},
			Accepted: time.Now().Add(18 * time.Millisecond), Reread: time.Now().Add(25 * time.Millisecond),
		}})
		require.NotNil(t, cmd)
		require.Contains(t, r.screen(), "checkout-v2 25% ➔ killed: accepted 18 ms ∙ re-read 25 ms ∙ effect pending")
		require.NotContains(t, r.screen(), "effective")
	})
}

func TestTheEffectOfAnOvertakenChangeIsNotSpokenOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { proving(o, 0) })
		r.press("K")
		before := r.m.footer.Status()
		r.deliver(EffectFoundMsg{Seq: 1, Err: fmt.Errorf("x: %w", control.ErrNotEffective)})
		require.Equal(t, before, r.m.footer.Status())
	})
}

func TestAStoreThatCannotBeWrittenRefusesTheKeyWithItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		s := *r.m.engine.Snapshot()
		s.Sources = []sources.SourceStatus{{Name: "prod", Flags: true, Health: sources.Fresh, ReadOnly: "the token is a Viewer's"}}
		r.m.setSnapshot(&s)
		for _, key := range []string{"+", "-", "K", "="} {
			pass(time.Second)
			r.press(key)
			require.Equal(t, "prod cannot be changed from here: the token is a Viewer's", r.m.footer.Status(), key)
		}
		require.Equal(t, twoFlags, r.file())
	})
}

func TestAChangeThatAwaitsApprovalIsNeverShownAsSuccess(t *testing.T) {
	th, err := themes.New(themes.Options{Name: "mono"})
	require.NoError(t, err)
	m := &Model{opts: Options{Theme: th}}
	_, text := m.outcome(ActionFinishedMsg{Err: sources.WithLink(
		fmt.Errorf("production wants a change request: %w", sources.ErrApprovalNeeded), "https://unleash.example/cr/7")})
	require.Equal(t, "awaiting approval, nothing changed yet: production wants a change request: https://unleash.example/cr/7", text)
}
