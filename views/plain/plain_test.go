package plain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/views/plain"
	"relctl-tui/views/viewtest"
)

// later is a copy of a snapshot that a test may change.
func later(s *sources.Snapshot, change func(*sources.Snapshot)) *sources.Snapshot {
	n := *s
	n.Seq++
	n.Sources = append([]sources.SourceStatus{}, s.Sources...)
	n.Breakers = append([]sources.Breaker{}, s.Breakers...)
	n.Latencies = append([]sources.Latency{}, s.Latencies...)
	n.Alerts = append([]sources.Alert{}, s.Alerts...)
	n.Activity = append([]sources.Activity{}, s.Activity...)
	change(&n)
	return &n
}

func seconds(n int) time.Time { return viewtest.Now().Add(time.Duration(n) * time.Second) }

func breaker(s *sources.Snapshot, name string) *sources.Breaker {
	return s.Breaker(viewtest.Metrics, name)
}

func TestTheStatusIsWhatIsUnderWayAndWhatIsUnhealthy(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	s.Alerts = []sources.Alert{{ID: "a1", Name: "HighErrors", Service: "checkout", Severity: "critical", Summary: "too many errors"}}
	text := strings.Join(plain.Status(s, viewtest.Now()), "\n")
	for _, want := range []string{
		"context prod, 2 sources", "source prometheus is fresh", "15 flags, 6 under way, killed, custom or broken",
		"flag checkout-v2: 25% by ana, <1m ago", "flag legacy-export: killed",
		"breaker payment-api is open, 3 of 12 instances, errors 41%", "SLO breached: payment API p99 3.2s, limit 500ms",
		"alert firing: HighErrors on checkout, critical: too many errors",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "new-nav", "what is at 100 % is nobody's suspect")
	require.NotContains(t, text, "SLO ok")
}

func TestTheStatusSaysAtWhichOfItsStagesAMigrationIs(t *testing.T) {
	t.Parallel()
	m, err := sources.NewMigration(sources.Migration{Mismatch: "orders", Window: time.Minute}, "", "")
	require.NoError(t, err)
	s := viewtest.Snapshot(viewtest.OK)
	s.Flags = []sources.Flag{
		{Name: "orders", State: sources.FlagCustom, Migration: m, Serves: []sources.Share{{Variant: "dualwrite", Of: sources.Full}}},
		{Name: "carts", State: sources.FlagCustom, Migration: m, Serves: []sources.Share{{Variant: "shadow", Of: sources.Pct(90)}, {Variant: "live", Of: sources.Pct(10)}}},
	}
	text := strings.Join(plain.Status(s, viewtest.Now()), "\n")
	require.Contains(t, text, "flag orders: dualwrite 2/6")
	require.Contains(t, text, "flag carts: shadow 90% live 10%")
}

func TestWhatIsKnownIsNeverToldAgain(t *testing.T) {
	t.Parallel()
	for _, state := range viewtest.States() {
		s := viewtest.Snapshot(state)
		tell := plain.New(s, viewtest.Now())
		require.Empty(t, tell.News(s, seconds(1)), state)
		require.Empty(t, tell.News(later(s, func(*sources.Snapshot) {}), seconds(60)), state)
	}
}

func TestABreakerThatOpensAndClosesAreTwoLines(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	tell := plain.New(s, viewtest.Now())
	open := later(s, func(n *sources.Snapshot) {
		b := breaker(n, "search")
		b.State, b.OpenInstances, b.ErrorRatio = sources.BreakerOpen, 2, sources.Some(0.3)
	})
	require.Equal(t, []string{"breaker search is open, was closed, 2 of 6 instances, errors 30%"}, tell.News(open, seconds(1)))
	require.Empty(t, tell.News(open, seconds(2)))
	require.Equal(t, []string{"breaker search is closed, was open"}, tell.News(s, seconds(20)))
}

func TestWhatFlapsIsToldNowAndThenAndHowItEndedAlways(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	tell := plain.New(s, viewtest.Now())
	states := []sources.BreakerState{sources.BreakerOpen, sources.BreakerHalfOpen, sources.BreakerClosed}
	at := func(i int) *sources.Snapshot {
		return later(s, func(n *sources.Snapshot) { breaker(n, "search").State = states[i%len(states)] })
	}
	var told []string
	for i := range 61 { // one turn a second, and the last is open
		told = append(told, tell.News(at(i), seconds(i))...)
	}
	require.LessOrEqual(t, len(told), 7)
	told = append(told, tell.News(at(60), seconds(75))...)
	require.Contains(t, told[len(told)-1], "breaker search is open")
}

func TestAnSLOThatIsNotKnownAnyMoreIsNotCalledRecovered(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	tell := plain.New(s, viewtest.Now())
	verdict := func(v sources.Verdict) *sources.Snapshot {
		return later(s, func(n *sources.Snapshot) { n.LatencyOf(viewtest.Metrics, "payment API").Verdict = v })
	}
	lost := tell.News(verdict(sources.VerdictUnknown), seconds(1))
	require.Len(t, lost, 1)
	require.Contains(t, lost[0], "SLO not known any more, was breached: payment API")
	good := tell.News(verdict(sources.VerdictOK), seconds(20))
	require.Len(t, good, 1)
	require.Contains(t, good[0], "SLO recovered: payment API")
	require.Empty(t, tell.News(verdict(sources.VerdictNoTraffic), seconds(40)), "quiet to quiet")
	bad := tell.News(verdict(sources.VerdictBreached), seconds(60))
	require.Contains(t, bad[0], "SLO breached: payment API p99 3.2s, limit 500ms")
}

func TestAlertsAreToldWhenTheyFireAndWhenTheyEnd(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	tell := plain.New(s, viewtest.Now())
	fires := later(s, func(n *sources.Snapshot) {
		n.Alerts = []sources.Alert{{ID: "a", Name: "HighErrors", Severity: "critical"}, {ID: "b", Name: "Slow", State: sources.AlertPending}}
	})
	require.Equal(t, []string{"alert firing: HighErrors, critical"}, tell.News(fires, seconds(1)))
	require.Equal(t, []string{"alert ended: HighErrors"}, tell.News(s, seconds(30)))
}

func TestASourceThatGoesStaleAndComesBackIsTwoLinesWithTheReason(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	tell := plain.New(s, viewtest.Now())
	stale := later(s, func(n *sources.Snapshot) {
		st := &n.Sources[1]
		st.Health, st.Err = sources.Stale, "the server answered 503 Service Unavailable"
	})
	told := tell.News(stale, seconds(1))
	require.Len(t, told, 1)
	require.Contains(t, told[0], "source prometheus is stale, last read ")
	require.Contains(t, told[0], "503 Service Unavailable")
	require.Equal(t, []string{"source prometheus is fresh again"}, tell.News(s, seconds(30)))
}

// with is a copy of a snapshot in which that was done last.
func with(s *sources.Snapshot, a sources.Activity) *sources.Snapshot {
	return later(s, func(n *sources.Snapshot) { n.Activity = append([]sources.Activity{a}, n.Activity...) })
}

func TestAChangeIsToldFromPendingToItsResultWithWhoAndWhy(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	tell := plain.New(s, viewtest.Now())
	change := sources.Activity{ID: "c9", At: seconds(1), Kind: "kill", Name: "new-nav", Actor: "ben", Reason: "errors", Old: "100%", New: "killed", Outcome: sources.Pending}
	require.Empty(t, tell.News(with(s, change), seconds(2)))
	require.Equal(t, []string{"flag new-nav: 100% to killed by ben, pending, because: errors"}, tell.News(with(s, change), seconds(4)), "it takes long")
	change.Outcome = sources.Confirmed
	require.Equal(t, []string{"flag new-nav: 100% to killed by ben, confirmed, because: errors"}, tell.News(with(s, change), seconds(5)))
	change.Effective = seconds(6)
	require.Equal(t, []string{"new-nav killed is in force where flags are evaluated"}, tell.News(with(s, change), seconds(6)))
	require.Empty(t, tell.News(with(s, change), seconds(7)))
}

func TestAChangeThatIsSeenBeforeItsRecordIsOneLineWithItsName(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	tell := plain.New(s, viewtest.Now())
	seen := sources.Activity{At: seconds(1), Kind: string(sources.Edited), Name: "new-nav", Old: "100%", New: "killed", Outcome: sources.Seen}
	require.Empty(t, tell.News(with(s, seen), seconds(1)))
	change := sources.Activity{ID: "c9", At: seconds(1), Kind: "kill", Name: "new-nav", Actor: "ben", Old: "100%", New: "killed", Outcome: sources.Pending}
	require.Empty(t, tell.News(with(s, change), seconds(2)))
	change.Outcome = sources.Confirmed
	require.Equal(t, []string{"flag new-nav: 100% to killed by ben, confirmed"}, tell.News(with(s, change), seconds(2)))
	require.Empty(t, tell.News(with(s, change), seconds(10)))
}

func TestAChangeThatNobodyRecordedIsToldAllTheSame(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	tell := plain.New(s, viewtest.Now())
	seen := with(s, sources.Activity{At: seconds(1), Kind: string(sources.Edited), Name: "new-nav", Old: "100%", New: "50%", Outcome: sources.Seen})
	require.Empty(t, tell.News(seen, seconds(2)))
	require.Equal(t, []string{"flag new-nav: 100% to 50% by somebody"}, tell.News(seen, seconds(3)))
	require.Empty(t, tell.News(seen, seconds(9)))
}

func TestHistoryThatTurnsUpLateIsNoNews(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	tell := plain.New(s, viewtest.Now())
	old := later(s, func(n *sources.Snapshot) {
		n.Activity = append(n.Activity, sources.Activity{ID: "old", At: seconds(-7200), Kind: "kill", Name: "new-nav", Outcome: sources.Confirmed})
	})
	require.Empty(t, tell.News(old, seconds(1)))
}

func TestAStormIsBoundedAndCountedAndOurOwnChangesComeFirst(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	tell := plain.New(s, viewtest.Now())
	storm := later(s, func(n *sources.Snapshot) {
		for i := range 60 {
			n.Breakers = append(n.Breakers, sources.Breaker{Source: viewtest.Metrics, Name: fmt.Sprint("b", i), State: sources.BreakerOpen})
		}
		n.Activity = append(n.Activity, sources.Activity{ID: "own", At: seconds(1), Kind: "kill", Name: "checkout-v2", Actor: "ana", New: "killed", Outcome: sources.Confirmed})
	})
	told := tell.News(storm, seconds(1))
	require.Len(t, told, 21)
	require.Contains(t, told[0], "checkout-v2")
	require.Equal(t, "and 41 more changes: status says how things stand", told[20])
	require.Empty(t, tell.News(storm, seconds(2)), "what was counted is told")
	require.Less(t, len(plain.Status(storm, seconds(2))), 40)
}

func TestNoLineEverHoldsAControlCharacter(t *testing.T) {
	t.Parallel()
	for _, state := range viewtest.States() {
		for _, line := range plain.Status(viewtest.Snapshot(state), viewtest.Now()) {
			require.NotEmpty(t, line)
			require.False(t, strings.ContainsFunc(line, unicode.IsControl), "%q", line)
		}
	}
}
