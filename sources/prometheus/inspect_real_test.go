package prometheus_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/prometheus"
)

// counting counts the queries that a source asks.
type counting struct {
	n    atomic.Int32
	next http.RoundTripper
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.next.RoundTrip(r)
}

func TestTheLastHourOfABreakerComesFromARealPrometheus(t *testing.T) {
	t.Parallel()
	end := time.Now().Truncate(time.Second)
	ago := func(m int) time.Time { return end.Add(-time.Duration(m) * time.Minute) }
	stateOf := func(instance string, at time.Time) string { // what the application's breaker did
		switch {
		case instance == "b:1" || at.Before(ago(30)) || !at.Before(ago(18)):
			return "closed"
		case at.Before(ago(20)):
			return "open"
		default:
			return "half_open"
		}
	}
	var om strings.Builder
	om.WriteString("# TYPE resilience4j_circuitbreaker_state gauge\n")
	for _, instance := range []string{"a:1", "b:1"} {
		for _, word := range []string{"closed", "half_open", "open"} {
			for at := ago(45); !at.After(end.Add(2 * time.Minute)); at = at.Add(15 * time.Second) {
				v := 0
				if stateOf(instance, at) == word {
					v = 1
				}
				fmt.Fprintf(&om, "resilience4j_circuitbreaker_state{name=\"pay\",instance=%q,state=%q} %d %d\n", instance, word, v, at.Unix())
			}
		}
	}
	om.WriteString("# TYPE resilience4j_circuitbreaker_buffered_calls gauge\n")
	for at := ago(2); !at.After(end.Add(2 * time.Minute)); at = at.Add(15 * time.Second) {
		fmt.Fprintf(&om, "resilience4j_circuitbreaker_buffered_calls{name=\"pay\",instance=\"a:1\",kind=\"failed\"} 3 %d\n", at.Unix())
	}
	asked := &counting{next: http.DefaultTransport}
	url, _ := withPast(t, om.String()+"# EOF\n", "", end)
	s, err := prometheus.New("prom", url, prometheus.Options{Transport: asked})
	require.NoError(t, err)
	set, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Breakers, 1)

	asked.n.Store(0)
	d, err := s.InspectBreaker(t.Context(), "pay")
	require.NoError(t, err)
	require.LessOrEqual(t, asked.n.Load(), int32(9))
	require.Empty(t, d.Warnings)
	require.Len(t, d.Instances, 2)
	require.Equal(t, sources.Some(3.0), d.Instances[0].Failed)
	require.False(t, d.Instances[1].Failed.OK)
	require.WithinDuration(t, ago(45), d.Since, 40*time.Second)
	require.Len(t, d.Turns, 3, "%v", d.Turns)
	for i, want := range []struct {
		was, is sources.BreakerState
		at      time.Time
	}{
		{sources.BreakerHalfOpen, sources.BreakerClosed, ago(18)},
		{sources.BreakerOpen, sources.BreakerHalfOpen, ago(20)},
		{sources.BreakerClosed, sources.BreakerOpen, ago(30)},
	} {
		require.Equal(t, []sources.BreakerState{want.was, want.is}, []sources.BreakerState{d.Turns[i].Was, d.Turns[i].Is})
		require.WithinDuration(t, want.at, d.Turns[i].At, 40*time.Second)
	}
	_, err = s.InspectBreaker(t.Context(), "nosuch")
	require.ErrorIs(t, err, sources.ErrNotFound)
}
