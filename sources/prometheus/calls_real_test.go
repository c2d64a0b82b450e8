package prometheus_test

import (
	"fmt"
	"testing"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
)

// hopCells is a call of the recorded graph, and what selects it and the calls of its
// caller in PromQL.
type hopCells struct{ client, server string }

// callGraph records a shop behind a gate, as a service graph and as Istio tell of it.
// Each of its services was slower before some step, and one of them is called by two.
func (r *recording) callGraph(istio bool) []hopCells {
	calls := []struct {
		hopCells
		mean, by float64
	}{
		{hopCells{"user", "gate"}, 0.9, 40},
		{hopCells{"gate", "shop"}, 0.4, 60},
		{hopCells{"gate", "stock"}, 0.2, 30},
		{hopCells{"shop", "db"}, 0.06, 90},
		{hopCells{"stock", "db"}, 0.02, 80},
	}
	var out []hopCells
	for _, c := range calls {
		if istio {
			for _, code := range []string{"200", "503"} {
				by := c.by
				if code == "503" {
					by /= 8
				}
				labels := fmt.Sprintf(`source_workload=%q,destination_workload=%q,reporter="destination",response_code=%q`, c.client, c.server, code)
				r.histogram("istio_request_duration_milliseconds", labels, []float64{10, 100, 1000}, c.mean*1000, by, fate{})
				// The caller's side tells of the same calls, and is to be left out.
				r.histogram("istio_request_duration_milliseconds", fmt.Sprintf(`source_workload=%q,destination_workload=%q,reporter="source",response_code=%q`, c.client, c.server, code),
					[]float64{10, 100, 1000}, c.mean*3000, by, fate{})
			}
		} else {
			for _, pod := range []string{"a", "b"} {
				labels := fmt.Sprintf(`client=%q,server=%q,pod=%q`, c.client, c.server, pod)
				r.histogram("traces_service_graph_request_server_seconds", labels, []float64{0.01, 0.1, 1}, c.mean, c.by/2, fate{reset: 33})
				r.counter("traces_service_graph_request_failed_total", labels, c.by/16, fate{})
			}
		}
		out = append(out, c.hopCells)
	}
	return out
}

// graphTerms are PromQL for what is measured of calls between services.
type graphTerms struct{ busy, calls, failed string }

func (g graphTerms) of(client, server string) graphTerms {
	return graphTerms{fmt.Sprintf(g.busy, client, server), fmt.Sprintf(g.calls, client, server), fmt.Sprintf(g.failed, client, server)}
}

var (
	tempoTerms = graphTerms{
		`sum(rate(traces_service_graph_request_server_seconds_sum{client=~"%s",server=~"%s"}[1m]))`,
		`sum(rate(traces_service_graph_request_server_seconds_count{client=~"%s",server=~"%s"}[1m]))`,
		`sum(rate(traces_service_graph_request_failed_total{client=~"%s",server=~"%s"}[1m]))`,
	}
	istioTerms = graphTerms{
		`sum(rate(istio_request_duration_milliseconds_sum{source_workload=~"%s",destination_workload=~"%s",reporter="destination"}[1m]))/1000`,
		`sum(rate(istio_request_duration_milliseconds_count{source_workload=~"%s",destination_workload=~"%s",reporter="destination"}[1m]))`,
		`sum(rate(istio_request_duration_milliseconds_count{source_workload=~"%s",destination_workload=~"%s",reporter="destination",response_code=~"5.."}[1m]))`,
	}
)

func TestEveryHopOfACallPathIsPromQLsOwnAnswer(t *testing.T) {
	t.Parallel()
	for name, terms := range map[string]graphTerms{"a service graph": tempoTerms, "Istio": istioTerms} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecording()
			hops := r.callGraph(name == "Istio")
			url, a := backfilled(t, r, "")
			for _, at := range moments {
				sameCallPath(t, url, a, at, terms, hops)
			}
		})
	}
}

func sameCallPath(t *testing.T, url string, a v1.API, at time.Time, terms graphTerms, hops []hopCells) {
	t.Helper()
	const ago = 5 * time.Minute
	s := open(t, url, prometheus.Options{Transport: pinned{at: at}})
	c, err := s.Calls(t.Context(), sources.CallsQuery{Service: "gate", Ago: ago})
	require.NoError(t, err)
	require.Empty(t, c.Warnings)
	p := c.Path()
	require.Len(t, p.Hops, len(hops))
	caller := map[int]string{-1: "user"}
	for i := range p.Hops {
		h := &p.Hops[i]
		caller[h.Depth] = h.Name
		from := caller[h.Depth-1]
		cell := from + " to " + h.Name
		edge, in, out := terms.of(from, h.Name), terms.of(".+", h.Name), terms.of(h.Name, ".+")
		mean := "(" + edge.busy + ")/(" + edge.calls + ")"
		own := mean
		if h.Name != "db" {
			own += " - (" + out.busy + ")/(" + in.calls + ")"
		}
		sameNumber(t, a, at, edge.calls, h.Rate, cell+": rate")
		sameNumber(t, a, at, mean, h.Took, cell+": mean")
		sameNumber(t, a, at, "("+edge.failed+")/("+edge.calls+")", h.Errors, cell+": errors")
		sameNumber(t, a, at, own, h.Own, cell+": own")
		times := "1"
		if h.Depth > 0 {
			sameNumber(t, a, at, "("+edge.busy+")/("+terms.of(".+", from).busy+")", h.Share, cell+": share")
			times = "(" + edge.calls + ")/(" + terms.of(".+", from).calls + ")"
		}
		if h.Depth > 1 {
			above := terms.of("gate", from)
			times += "*(" + above.calls + ")/(" + terms.of("user", "gate").calls + ")"
		}
		now, known := oracle(t, a, at, "("+own+")*"+times)
		require.True(t, known, cell)
		was, known := oracle(t, a, at.Add(-ago), "("+own+")*"+times)
		require.True(t, known, cell)
		require.True(t, h.Moved.OK, cell)
		require.InDelta(t, now-was, h.Moved.V, exact, "%s: moved", cell)
	}
}

func TestACallPathFromTheConfigHoldsAgainstPromQLAndSaysHowItIsDealt(t *testing.T) {
	t.Parallel()
	r := newRecording()
	for _, c := range []struct {
		job      string
		mean, by float64
	}{{"shop", 0.5, 40}, {"stock", 0.3, 20}, {"db", 0.05, 180}} {
		r.histogram("http_server_request_duration_seconds", fmt.Sprintf(`job=%q,http_response_status_code="200"`, c.job), []float64{0.1, 1}, c.mean, c.by, fate{})
	}
	url, a := backfilled(t, r, "")
	at := moments[0]
	s := open(t, url, prometheus.Options{Transport: pinned{at: at}, Metrics: metrics.Config{Latency: []metrics.LatencyRule{
		{Name: "the shop", Match: `job="shop"`, Calls: []string{"data"}},
		{Name: "the stock", Match: `job="stock"`, Calls: []string{"data"}},
		{Name: "data", Match: `job="db"`},
	}}})
	c, err := s.Calls(t.Context(), sources.CallsQuery{Service: "the shop", Ago: time.Minute})
	require.NoError(t, err)
	require.Contains(t, c.From, "dealt among several callers by their rates")
	p := c.Path()
	require.Len(t, p.Hops, 2)
	rate := func(part, job string) string {
		return fmt.Sprintf(`sum(rate(http_server_request_duration_seconds_%s{job=~%q}[1m]))`, part, job)
	}
	dealt := rate("count", "db") + "*" + rate("count", "shop") + "/" + rate("count", "shop|stock")
	sameNumber(t, a, at, rate("sum", "shop")+"/"+rate("count", "shop"), p.Hops[0].Took, "the shop's mean")
	sameNumber(t, a, at, rate("sum", "db")+"/"+rate("count", "db"), p.Hops[1].Took, "the database's mean")
	sameNumber(t, a, at, dealt, p.Hops[1].Rate, "the shop's part of its calls")
	require.True(t, p.Hops[1].Shared)

	_, err = s.Calls(t.Context(), sources.CallsQuery{Service: "nonesuch", Ago: time.Minute})
	require.ErrorIs(t, err, sources.ErrNotFound)
	c, err = s.Calls(t.Context(), sources.CallsQuery{Service: "the shop", Ago: time.Hour})
	require.NoError(t, err)
	require.Nil(t, c.Then)
	require.Contains(t, c.Warnings, "nothing is known of the calls 60 min ago")
}
