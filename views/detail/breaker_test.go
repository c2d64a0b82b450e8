package detail_test

import (
	"errors"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/detail"
	"relctl-tui/views/viewtest"
)

// onBreaker is the detail of a breaker of two instances that its source can switch.
func onBreaker(t *testing.T, change func(*sources.SourceStatus)) detail.Model {
	t.Helper()
	s := *viewtest.Snapshot(viewtest.OK)
	b := sources.Breaker{Source: "orders", Name: "payments", State: sources.BreakerOpen, Instances: 3, OpenInstances: 1, Preset: "actuator", Also: "prom"}
	st := sources.SourceStatus{Name: "orders", Metrics: true, Switches: true, Health: sources.Fresh, LastOK: viewtest.Now()}
	if change != nil {
		change(&st)
	}
	s.Breakers, s.Sources = []sources.Breaker{b}, append(s.Sources[:len(s.Sources):len(s.Sources)], st)
	m := detail.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(100, 34)
	m.SetSnapshot(&s, viewtest.Now())
	m.SetSubject(views.BreakerSubject(&b))
	return m
}

func inDepth() *sources.BreakerDetail {
	at := viewtest.Now()
	return &sources.BreakerDetail{
		Instances: []sources.BreakerInstance{
			{Name: "app-1:8080", State: sources.BreakerClosed, Buffered: sources.Some(7.0)},
			{Name: "app-2:8080", State: sources.BreakerOpen, ErrorRatio: sources.Some(0.625), Buffered: sources.Some(8.0), Failed: sources.Some(5.0), Rejected: sources.Some(12.0)},
			{Name: "app-3:8080", Err: "app-3:8080 refuses connections, check the address and that it runs"},
		},
		Turns: []sources.BreakerTurn{{At: at.Add(-2 * time.Minute), Was: sources.BreakerClosed, Is: sources.BreakerOpen}},
		Since: at.Add(-time.Hour),
		P50:   sources.Quantile{Seconds: 0.1, OK: true}, P99: sources.Quantile{Seconds: 2.5, OK: true, Over: true}, Quantiles: "calls_seconds over 1m0s",
		Facts: []sources.Fact{{Name: "opens at", Text: "50% failed"}}, ReadAt: at.Add(-20 * time.Second),
	}
}

func text(m *detail.Model) string { return ansi.Strip(m.View()) }

func TestDetailOfABreakerNamesEachInstanceTheWorstFirstAndWhichIsNotRead(t *testing.T) {
	t.Parallel()
	m := onBreaker(t, nil)
	m.SetInspection(inDepth(), nil)
	screen := text(&m)
	require.Regexp(t, `instances . open +app-2:8080 +62% errors, 8 calls, 5 failed, 12 rejected so far`, screen)
	require.Regexp(t, `not read +app-3:8080 +refuses connections`, screen)
	require.Regexp(t, `closed +app-1:8080 +7 calls`, screen)
	require.Contains(t, screen, "buffered  15 calls, 5 failed, 12 rejected so far")
	require.Contains(t, screen, "p50 100ms  p90 -  p99 >2.5s")
	require.Contains(t, screen, "opens at  50% failed")
	require.Regexp(t, `history +\d\d:\d\d  closed . open`, screen)
	require.Contains(t, screen, "those that orders lacks are from prom")
	require.Contains(t, screen, "read 20s ago")
	require.Contains(t, screen, "o force open   c close")
}

func TestDetailOfABreakerSaysWhatIsNotThereAndWhatIsNotReadYet(t *testing.T) {
	t.Parallel()
	m := onBreaker(t, nil)
	m.Inspecting()
	require.Contains(t, text(&m), "reading")
	m.SetInspection(&sources.BreakerDetail{ReadAt: viewtest.Now()}, nil)
	require.Contains(t, text(&m), "its thresholds are not exported")
	require.NotContains(t, text(&m), "buffered")
	require.NotContains(t, text(&m), "p99")
}

func TestDetailOfABreakerKeepsWhatWasReadWhenItCannotBeReadAgain(t *testing.T) {
	t.Parallel()
	m := onBreaker(t, nil)
	m.SetInspection(nil, errors.New("orders: app-1:8080 did not answer within 5s"))
	require.Contains(t, text(&m), "its instances and past cannot be read: orders: app-1:8080 did not answer")
	m.SetInspection(inDepth(), nil)
	m.SetInspection(nil, errors.New("orders did not answer"))
	require.Contains(t, text(&m), "not read again: orders did not answer. What stands here was read 20s ago.")
	require.Contains(t, text(&m), "app-2:8080")
}

func TestDetailOfABreakerSaysWhyTheKeysDoNothing(t *testing.T) {
	t.Parallel()
	fixed := onBreaker(t, func(s *sources.SourceStatus) { s.Fixed = "this socket may only look" })
	require.Contains(t, text(&fixed), "cannot be switched: this socket may only look")
	measured := onBreaker(t, func(s *sources.SourceStatus) { s.Switches = false })
	require.Contains(t, text(&measured), "orders measures and cannot switch")
}
