package ui

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// breached keeps the past of a latency that went to ten times its level at a moment.
type breached struct {
	at     time.Time
	errors bool // it is the share of its calls that fail
	asked  atomic.Int32
}

func (b *breached) Series(_ context.Context, q sources.SeriesQuery) (sources.Series, error) {
	b.asked.Add(1) // several are read at once
	now := time.Now()
	s := sources.Series{Source: "past", Step: q.Step(), Over: time.Minute, ReadAt: now, From: now.Add(-time.Duration(q.Points-1) * q.Step())}
	for i := range q.Points {
		v := .1 * math.Exp(.03*math.Sin(float64(i)*1.7))
		broken := !s.At(i).Before(b.at)
		if b.errors {
			s.Errors = append(s.Errors, sources.Some(v/100))
			if broken {
				s.Errors[i] = sources.Some(v)
			}
		} else if broken {
			v *= 10
		}
		s.P99 = append(s.P99, sources.Quantile{Seconds: v, OK: true})
		s.P50, s.P95, s.Rate = s.P99, s.P99, append(s.Rate, sources.Some(40.0))
	}
	return s, nil
}

// incidentBoard is a board on which checkout-v2 was raised two minutes ago, and payment
// broke right after.
func incidentBoard(t *testing.T, change func(*Options), more ...sources.Activity) (*rig, *breached) {
	t.Helper()
	r := board(t, change)
	past := &breached{at: time.Now().Add(-110 * time.Second)}
	r.m.engine = live.New(live.Options{Now: time.Now, Sources: []live.Source{{Name: "past", Kind: "prometheus", Driver: past}}})
	r.m.setSnapshot(r.snapshot(time.Second, sources.VerdictBreached, append(more, sources.Activity{
		ID: "1", At: time.Now().Add(-2 * time.Minute), Kind: string(sources.Ramp), Flag: sources.FlagID{Source: "prod", Key: "checkout-v2"},
		Name: "checkout-v2", Actor: "ben", Old: "5%", New: "25%", Outcome: sources.Confirmed,
	})...))
	return r, past
}

// snapshot is the board's, with a payment that answers so.
func (r *rig) snapshot(p99 time.Duration, v sources.Verdict, acts ...sources.Activity) *sources.Snapshot {
	s := *r.m.snapshot
	if acts == nil {
		acts = s.Activity
	}
	s.Activity = acts
	s.Latencies = []sources.Latency{{
		Source: "past", Name: "payment", SLO: 500 * time.Millisecond, Verdict: v, Rate: sources.Some(40.0),
		P99: sources.Quantile{Seconds: p99.Seconds(), OK: true},
	}}
	flags := make([]sources.Flag, len(s.Flags))
	for i := range s.Flags {
		flags[i] = s.Flags[i]
		flags[i].Metric = "payment"
	}
	s.Flags = flags
	return &s
}

func TestABreachOffersItsSuspectInWordsAndNothingElseHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, past := incidentBoard(t, nil)
		before, focus := r.file(), r.m.focus
		require.Zero(t, past.asked.Load(), "a breach is not looked at in the moment that it shows")
		for range 5 {
			r.second()
		}
		r.shows("suspect: checkout-v2 5% to 25%, 13 s before payment broke (S)", "checkout-v2", "Flags")
		require.Equal(t, before, r.file(), "it never acts by itself")
		require.Equal(t, focus, r.m.focus)
		require.Equal(t, noScreen, r.m.screen)
		for range 900 {
			r.second()
		}
		require.LessOrEqual(t, int(past.asked.Load()), len(dueAt), "it looks a few times, and not for ever")
	})
}

func TestNothingIsReadWhileNothingIsBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, past := incidentBoard(t, nil)
		r.m.setSnapshot(r.snapshot(100*time.Millisecond, sources.VerdictOK))
		r.m.inquiry = inquiry{}
		for range 60 {
			r.second()
		}
		require.Zero(t, past.asked.Load())
	})
}

func TestKOnASuspectKillsItsFlagAndTheRecoveryIsProved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, past := incidentBoard(t, nil)
		r.press("S")
		r.shows("Suspects", "likely", "checkout-v2", "10 s before payment p99 rose from 100 ms to 1 s", "K kills it; it is 25% now")
		require.EqualValues(t, 1, past.asked.Load())
		pass(time.Second)
		r.press("K")
		require.Contains(t, r.file(), `"state": "DISABLED"`)
		r.shows("checkout-v2 is killed; waiting for payment p99 to come back")
		pass(10 * time.Second)
		r.m.setSnapshot(r.snapshot(120*time.Millisecond, sources.VerdictOK))
		r.shows("waiting for payment p99") // one good moment is no recovery
		for range 4 {
			r.second()
		}
		r.shows("recovered: payment p99 is back at 120ms, 13 s after checkout-v2 was killed")
	})
}

func TestErrorsAreBackWhereAQuantileIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, past := incidentBoard(t, nil)
		past.errors = true
		failing := func(ratio float64) {
			s := r.snapshot(100*time.Millisecond, sources.VerdictBreached)
			s.Latencies[0].ErrorRatio = sources.Some(ratio)
			r.m.setSnapshot(s)
		}
		failing(.1)
		r.press("S")
		r.shows("before payment errors rose")
		pass(time.Second)
		r.press("K")
		r.shows("checkout-v2 is killed; waiting for payment errors to come back")
		failing(0)
		for range 4 {
			r.second()
		}
		r.shows("recovered: payment errors are back at 0%, 3 s after checkout-v2 was killed")
	})
}

func TestARecoveryThatDoesNotComeIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := incidentBoard(t, nil)
		r.press("S")
		pass(time.Second)
		r.press("K")
		for range 302 {
			r.second()
		}
		r.shows("payment p99 is at 1s, 5 min after checkout-v2 was killed: that was not it, or not alone")
	})
}

func TestOnTheSuspectsTheGateHoldsAsOnTheBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := incidentBoard(t, nil)
		before := r.file()
		r.press("S") // the suspect has come under the cursor in this moment
		r.press("K")
		r.shows("the row under the cursor has just changed by itself")
		pass(time.Second)
		r.press("+")
		r.shows("the row that this key acts on is not on the screen")
		require.Equal(t, before, r.file())

		read, _ := incidentBoard(t, func(o *Options) { o.ReadOnly = true })
		before = read.file()
		read.press("S")
		pass(time.Second)
		read.press("K")
		read.shows("read-only")
		require.Equal(t, before, read.file())
	})
}

func TestADeployIsASuspectThatKDoesNotKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := incidentBoard(t, nil, sources.Activity{
			ID: "d", At: time.Now().Add(-112 * time.Second), Kind: sources.KindDeploy, Name: "payment", Old: "2.0", New: "2.1", Outcome: sources.Seen,
		})
		before := r.file()
		r.press("S")
		r.shows("2.0", "2.1", "a deploy: roll it back where it was rolled out")
		pass(time.Second)
		for range 3 {
			if s := r.m.suspects.Selected(); s != nil && s.Lane == sources.LaneDeploys {
				break
			}
			r.press("j")
		}
		r.press("K")
		r.shows("payment was deployed, which is not undone from here")
		require.Equal(t, before, r.file())
	})
}

func TestTheTimelineShowsTheChangeAndTheBreachAndFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, past := incidentBoard(t, nil)
		r.press("t")
		r.shows("Timeline payment p99", "last 15 min", "5% to 25%, ben", "p99 to 1 s, SLO 500 ms")
		asked := past.asked.Load()
		r.press("w")
		r.shows("last 60 min")
		require.Greater(t, past.asked.Load(), asked, "another span is read anew")
		r.press("/", "w", "a", "l", "l", "enter")
		r.shows("nothing matches /wall")
		require.Empty(t, r.m.flags.Filter(), "the board's filter is another one")
		before := r.file()
		r.press("K")
		r.shows("the row that this key acts on is not on the screen")
		require.Equal(t, before, r.file())
		r.press("S")
		r.shows("Suspects")
		r.press("q")
		require.False(t, r.quit, "q closes the screen, as it closes help")
		r.shows("Flags")
	})
}

func TestABreachThatLastsHidesNoOtherAndItsOfferGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, past := incidentBoard(t, nil)
		for range 400 {
			r.second()
		}
		r.shows("suspect: checkout-v2")
		asked := past.asked.Load()
		s := r.snapshot(time.Second, sources.VerdictBreached)
		s.Latencies = append(s.Latencies, sources.Latency{Source: "past", Name: "search", Verdict: sources.VerdictBreached})
		r.m.setSnapshot(s)
		for range 5 {
			r.second()
		}
		require.Greater(t, past.asked.Load(), asked, "what breaks beside it is looked at")
		for range 31 * 60 {
			r.second()
		}
		r.m.frame = ""
		require.NotContains(t, r.m.View().Content, "suspect: ")
	})
}

func TestARecoveryIsNotSaidOfWhatBrokeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := incidentBoard(t, nil)
		r.press("S")
		pass(time.Second)
		r.press("K")
		r.m.setSnapshot(r.snapshot(120*time.Millisecond, sources.VerdictOK))
		for range 5 {
			r.second()
		}
		r.shows("recovered: payment p99")
		r.m.setSnapshot(r.snapshot(2*time.Second, sources.VerdictBreached))
		r.second()
		r.hides("recovered: payment p99")
	})
}

func TestWhatBrokeAgainIsNotBlamedOnWhatWasFoundBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := incidentBoard(t, nil)
		for range 60 {
			r.second()
		}
		r.shows("suspect: checkout-v2")
		r.m.setSnapshot(r.snapshot(100*time.Millisecond, sources.VerdictOK))
		for range 400 { // it is whole for so long that the next breach is another one
			r.second()
		}
		r.m.setSnapshot(r.snapshot(time.Second, sources.VerdictBreached))
		r.second()
		r.hides("suspect")
	})
}

func TestASuspectThatWasKilledIsNotOfferedAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := incidentBoard(t, nil)
		for range 320 { // every look is made by then
			r.second()
		}
		r.shows("suspect: checkout-v2")
		r.press("K")
		s := r.snapshot(time.Second, sources.VerdictBreached)
		for i := range s.Flags {
			s.Flags[i].Killed = s.Flags[i].Killed || s.Flags[i].ID.Key == "checkout-v2"
		}
		r.m.setSnapshot(s)
		r.second()
		r.shows("killed")
		r.hides("suspect: checkout-v2")
	})
}

func TestWhatBreaksAgainAfterAnotherChangeIsLookedAtAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, past := incidentBoard(t, nil)
		for range 60 {
			r.second()
		}
		r.m.setSnapshot(r.snapshot(100*time.Millisecond, sources.VerdictOK))
		for range 60 {
			r.second()
		}
		r.hides("suspect:")
		asked := past.asked.Load()
		r.m.setSnapshot(r.snapshot(time.Second, sources.VerdictBreached))
		for range 30 {
			r.second()
		}
		require.Equal(t, asked, past.asked.Load(), "what only flaps was looked at")
		r.m.setSnapshot(r.snapshot(100*time.Millisecond, sources.VerdictOK))
		for range 60 {
			r.second()
		}
		past.at = time.Now().Add(5 * time.Second)
		r.m.setSnapshot(r.snapshot(time.Second, sources.VerdictBreached, append(r.m.snapshot.Activity, sources.Activity{
			ID: "2", At: time.Now(), Kind: string(sources.Ramp), Flag: sources.FlagID{Source: "prod", Key: "checkout-v2"},
			Name: "checkout-v2", Actor: "ben", Old: "25%", New: "50%", Outcome: sources.Confirmed,
		})...))
		for range 30 {
			r.second()
		}
		require.Greater(t, past.asked.Load(), asked, "what breaks after a change is not the old breach")
	})
}
