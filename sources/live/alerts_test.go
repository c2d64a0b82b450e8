package live_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// bell is a source of alerts alone.
type bell struct {
	mu   sync.Mutex
	list []sources.Alert
}

func (b *bell) Alerts(context.Context) (sources.AlertSet, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return sources.AlertSet{Alerts: b.list}, nil
}

func (b *bell) ring(list ...sources.Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = list
}

func alert(id string, s sources.AlertState) sources.Alert {
	return sources.Alert{Source: "prom", ID: id, Name: "High" + id, Service: "pay", State: s}
}

func TestAlertsOfTwoSourcesAreEachThereOnceAndASilenceWins(t *testing.T) {
	t.Parallel()
	prom, am := &bell{}, &bell{}
	prom.ring(alert("A", sources.AlertFiring), alert("B", sources.AlertPending), alert("C", sources.AlertFiring))
	silenced := alert("A", sources.AlertSilenced)
	silenced.Why = "ana: known, fix is out"
	am.ring(silenced, alert("B", sources.AlertFiring))
	run(t, live.Options{Sources: []live.Source{src("prom", prom), src("am", am)}}, func(t *testing.T, e *live.Engine) {
		var got []string
		for _, a := range e.Snapshot().Alerts {
			got = append(got, a.ID+" "+a.State.String())
		}
		require.Equal(t, []string{"B firing", "C firing", "A silenced"}, got)
		st := e.Snapshot().Source("prom")
		require.True(t, st.Alerts)
		require.False(t, st.Metrics, "it measures nothing")
	})
}

func TestAnAlertThatBeginsOrCeasesToFireIsActivityAndOneFromBeforeIsNot(t *testing.T) {
	t.Parallel()
	b := &bell{}
	b.ring(alert("A", sources.AlertFiring))
	run(t, live.Options{Sources: []live.Source{src("prom", b)}}, func(t *testing.T, e *live.Engine) {
		require.Empty(t, e.Snapshot().Activity)
		b.ring(alert("A", sources.AlertFiring), alert("B", sources.AlertPending))
		pass(time.Minute)
		require.Empty(t, e.Snapshot().Activity, "pending wakes nobody")
		b.ring(alert("B", sources.AlertFiring))
		pass(time.Minute)
		var got []string
		for _, a := range e.Snapshot().Activity {
			require.Equal(t, sources.KindAlert, a.Kind)
			got = append(got, a.Name+" "+a.New)
		}
		require.ElementsMatch(t, []string{"HighA pay resolved", "HighB pay firing"}, got)
		b.ring(alert("B", sources.AlertSilenced))
		pass(10 * time.Minute)
		require.Equal(t, "silenced", e.Snapshot().Activity[0].New)
	})
}

// fallible has latencies that always work and alerts that never do.
type fallible struct{}

func (fallible) Latencies(context.Context) (sources.LatencySet, error) {
	return sources.LatencySet{Latencies: []sources.Latency{{Source: "first", Name: "api"}}}, nil
}

func (fallible) Alerts(context.Context) (sources.AlertSet, error) {
	return sources.AlertSet{}, sources.ErrUnavailable
}

func TestASourceWhoseAlertsAloneFailKeepsItsPlace(t *testing.T) {
	t.Parallel()
	first, second := src("first", fallible{}), src("second", fallible{})
	first.Group, second.Group, second.Tier = "metrics", "metrics", 1
	run(t, live.Options{Sources: []live.Source{first, second}}, func(t *testing.T, e *live.Engine) {
		pass(10 * time.Minute)
		require.Equal(t, sources.Speaks, e.Snapshot().Source("first").Role)
		require.Equal(t, sources.StandsBy, e.Snapshot().Source("second").Role)
		require.NotEmpty(t, e.Snapshot().Source("first").Err, "and what fails is said")
	})
}
