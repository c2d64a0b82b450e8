package prometheus_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/prometheus"
)

func TestWhatARealPrometheusHasOnRecordOfAlertsAndBreakersBecomesEvents(t *testing.T) {
	t.Parallel()
	end := time.Now().Truncate(time.Second)
	ago := func(m int) time.Time { return end.Add(-time.Duration(m) * time.Minute) }
	var om strings.Builder
	every := func(from, to time.Time, line string, args ...any) {
		for at := from; at.Before(to); at = at.Add(15 * time.Second) {
			fmt.Fprintf(&om, line+" %d\n", append(args, at.Unix())...)
		}
	}
	om.WriteString("# TYPE ALERTS gauge\n")
	alert := `ALERTS{alertname="PayBurns",alertstate="firing",service="pay",severity="page"} 1`
	every(ago(40), ago(35), alert)
	every(ago(6), end.Add(2*time.Minute), alert)
	om.WriteString("# TYPE resilience4j_circuitbreaker_state gauge\n")
	for _, word := range []string{"closed", "open"} {
		for at := ago(45); at.Before(end.Add(2 * time.Minute)); at = at.Add(15 * time.Second) {
			v := 0
			if open := !at.Before(ago(30)) && at.Before(ago(20)); open == (word == "open") {
				v = 1
			}
			fmt.Fprintf(&om, "resilience4j_circuitbreaker_state{name=\"pay\",instance=\"a:1\",state=%q} %d %d\n", word, v, at.Unix())
		}
	}
	asked := &counting{next: http.DefaultTransport}
	url, _ := withPast(t, om.String()+"# EOF\n", "", end)
	s, err := prometheus.New("prom", url, prometheus.Options{Transport: asked})
	require.NoError(t, err)
	got, err := s.Past(t.Context(), time.Hour)
	require.NoError(t, err)
	require.LessOrEqual(t, asked.n.Load(), int32(4))

	require.Len(t, got, 4, "%+v", got)
	type want struct {
		lane      sources.Lane
		name      string
		at, until time.Time
		lasting   bool
		bad       bool
	}
	for i, w := range []want{
		{lane: sources.LaneAlerts, name: "PayBurns", at: ago(40), until: ago(35), bad: true},
		{lane: sources.LaneBreakers, name: "pay", at: ago(30), until: ago(20), bad: true},
		{lane: sources.LaneBreakers, name: "pay", at: ago(20)},
		{lane: sources.LaneAlerts, name: "PayBurns", at: ago(6), lasting: true, bad: true},
	} {
		e := got[i]
		require.Equal(t, []any{w.lane, w.name, w.lasting, w.bad}, []any{e.Lane, e.Name, e.Lasting, e.Bad}, "%+v", e)
		require.WithinDuration(t, w.at, e.At, 40*time.Second, "%+v", e)
		if !w.until.IsZero() {
			// A server shows a series that has ended for its lookback of five minutes more.
			require.True(t, !e.Until.Before(w.until.Add(-40*time.Second)) && e.Until.Before(w.until.Add(6*time.Minute)), "%+v", e)
		}
	}
	require.Equal(t, "closed to open", got[1].Text)
	require.Equal(t, "pay", got[0].Service)
	require.Contains(t, got[0].Text, "page")
}
