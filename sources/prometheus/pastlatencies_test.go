package prometheus_test

import (
	"fmt"

	"relctl-tui/sources/metrics"
)

// measured is one preset's series as the recording has them.
type measured struct {
	preset, metric, unit string // the unit in seconds
	service, more        string // the label that names the service, and labels that all series bear
	outcome, good, bad   string
	counter              string // that has the outcome, "" where the histogram has
	summary, auto, asked bool   // auto: shown unasked while services export their own
}

var everyPreset = []measured{
	{preset: "http_server", metric: "http_server_request_duration_seconds", unit: "1", service: "service", outcome: "http_response_status_code", good: "200", bad: "503", auto: true},
	{preset: "spring", metric: "http_server_requests_seconds", unit: "1", service: "application", outcome: "status", good: "201", bad: "500", auto: true},
	{preset: "unleash", metric: "http_request_duration_milliseconds", unit: "0.001", service: "appName", outcome: "status", good: "200", bad: "500", auto: true, summary: true},
	{preset: "http_request_summary", metric: "http_request_duration_seconds", unit: "1", service: "app", outcome: "code", good: "200", bad: "502", auto: true, summary: true},
	{preset: "http_request", metric: "http_request_duration_seconds", unit: "1", service: "job", outcome: "code", good: "200", bad: "502", auto: true},
	{preset: "grpc_server", metric: "grpc_server_handling_seconds", unit: "1", service: "app", outcome: "grpc_code", good: "OK", bad: "Unavailable", counter: "grpc_server_handled_total", auto: true},
	{preset: "rpc_server", metric: "rpc_server_duration_milliseconds", unit: "0.001", service: "service_name", outcome: "rpc_grpc_status_code", good: "0", bad: "14", auto: true},
	{preset: "rpc_server_call", metric: "rpc_server_call_duration_seconds", unit: "1", service: "service_name", outcome: "rpc_response_status_code", good: "OK", bad: "INTERNAL", auto: true},
	{preset: "istio", metric: "istio_request_duration_milliseconds", unit: "0.001", service: "destination_workload", more: `,reporter="destination"`, outcome: "response_code", good: "200", bad: "503"},
	{preset: "envoy", metric: "envoy_cluster_upstream_rq_time", unit: "0.001", service: "envoy_cluster_name", outcome: "envoy_response_code_class", good: "2", bad: "5", counter: "envoy_cluster_upstream_rq_xx"},
	{preset: "traefik", metric: "traefik_service_request_duration_seconds", unit: "1", service: "exported_service", outcome: "code", good: "200", bad: "500"},
	{preset: "traefik_entrypoint", metric: "traefik_entrypoint_request_duration_seconds", unit: "1", service: "entrypoint", outcome: "code", good: "200", bad: "500", asked: true},
	{preset: "http_client", metric: "http_client_request_duration_seconds", unit: "1", service: "service", outcome: "http_response_status_code", good: "200", bad: "503", asked: true},
}

// latencyCells is one latency of the recording, and for each of its cells what PromQL
// is asked instead.
type latencyCells struct {
	name          string
	measured      *measured
	sel           string
	rate, failed  string
	p50, p95, p99 string
	noNumber      string // is there any bucket that is no number
	there         string // how many series a rate can be taken of
}

func (m *measured) cells(name, sel string) latencyCells {
	c := latencyCells{name: name, measured: m, sel: sel}
	counter := m.metric + "_count"
	if m.counter != "" {
		counter = m.counter
	}
	c.rate = perSecond(counter + "{" + sel + "}")
	c.failed = share(perSecond(fmt.Sprintf("%s{%s,%s=%q}", counter, sel, m.outcome, m.bad)), c.rate)
	c.there = "count(rate(" + counter + "{" + sel + "}" + window + "))"
	buckets := "sum by (le) (rate(" + m.metric + "_bucket{" + sel + "}" + window + "))"
	c.noNumber = "count(" + buckets + " != " + buckets + ")"
	quantile := func(q string) string {
		if m.summary {
			return fmt.Sprintf("max(%s{%s,quantile=%q}) * %s", m.metric, sel, q, m.unit)
		}
		return "histogram_quantile(" + q + ", " + buckets + ") * " + m.unit
	}
	c.p50, c.p95, c.p99 = quantile("0.5"), quantile("0.95"), quantile("0.99")
	return c
}

// over asks whether a quantile lies above the last finite bucket.
func (c *latencyCells) over(q string) string {
	bucket := func(le string) string {
		return perSecond(fmt.Sprintf("%s_bucket{%s,le=%q}", c.measured.metric, c.sel, le))
	}
	return bucket(lastBound) + " < " + q + " * " + bucket("+Inf")
}

const lastBound = "2.5"

var bounds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5}

// serve records the calls of one instance of a service.
func (r *recording) serve(m *measured, labels string, mean, by float64, f fate) {
	if mean == 0 {
		mean = .08
	}
	labels += m.more
	ended := func(word string) string { return fmt.Sprintf("%s,%s=%q", labels, m.outcome, word) }
	switch {
	case m.summary:
		for i, q := range []string{"0.5", "0.95", "0.99"} {
			r.put(m.metric, fmt.Sprintf("%s,quantile=%q", labels, q), f, func(int) float64 { return mean * (1 + r.dice.Float64() + float64(i)) })
		}
		r.counter(m.metric+"_count", ended(m.good), by, f)
		r.counter(m.metric+"_count", ended(m.bad), by/5, f)
	case m.counter != "":
		r.histogram(m.metric, labels, bounds, mean, by, f)
		r.counter(m.counter, ended(m.good), by, f)
		r.counter(m.counter, ended(m.bad), by/5, f)
	default:
		r.histogram(m.metric, ended(m.good), bounds, mean, by, f)
		r.histogram(m.metric, ended(m.bad), bounds, mean, by/5, f)
	}
}

// latencies records two services for each preset, of which the first has two
// instances and a restart, and services with a fate of their own.
func (r *recording) latencies() (services []latencyCells) {
	add := func(m *measured, name string) {
		services = append(services, m.cells(name, fmt.Sprintf("%s=%q%s", m.service, name, m.more)))
	}
	labels := func(m *measured, name, instance string) string {
		return fmt.Sprintf("%s=%q,instance=%q", m.service, name, instance)
	}
	for i := range everyPreset {
		m := &everyPreset[i]
		a, b := m.preset+"-a", m.preset+"-b"
		r.serve(m, labels(m, a, "i0"), 0, 60, fate{reset: 38})
		r.serve(m, labels(m, a, "i1"), 0, 40, fate{})
		r.serve(m, labels(m, b, "i0"), .3, 25, fate{})
		add(m, a)
		add(m, b)
	}
	http := &everyPreset[0]
	r.serve(http, labels(http, "over", "i0"), 2, 50, fate{})
	r.serve(http, labels(http, "quiet", "i0"), 0, 0, fate{})
	r.serve(http, labels(http, "stopped", "i0"), 0, 50, fate{dies: 32})
	r.serve(http, labels(http, "born", "i0"), 0, 50, fate{born: 38})
	r.serve(http, labels(http, "broken", "i0"), 0, 50, fate{})
	r.histogram(http.metric, labels(http, "broken", "i1")+`,http_response_status_code="503"`, []float64{.1, 2.5}, .1, 9, fate{nan: 36})
	r.serve(http, labels(http, "mixed", "i0"), 0, 50, fate{})
	r.histogram(http.metric, labels(http, "mixed", "i1")+`,http_response_status_code="200"`, []float64{.02, .2, 2.5}, .1, 30, fate{})
	for _, name := range []string{"over", "quiet", "stopped", "born", "broken", "mixed"} {
		add(http, name)
	}
	for flag, by := range []float64{30, 0} {
		for i, variant := range []string{"on", "off", "beta"} {
			r.counter("feature_flag_evaluations_total", fmt.Sprintf(`feature_flag_key="flag-%d",feature_flag_result_variant=%q`, flag, variant), by*float64(i+1), fate{reset: 37})
		}
	}
	return services
}

// rules is a row for each preset as a whole and one for its first service, and one
// that leaves the preset to us.
func latencyRules() (rules []metrics.LatencyRule, rows []latencyCells) {
	add := func(m *measured, name, preset, match, sel string) {
		rules = append(rules, metrics.LatencyRule{Name: name, Preset: preset, Match: match})
		rows = append(rows, m.cells(name, sel))
	}
	for i := range everyPreset {
		m := &everyPreset[i]
		first := fmt.Sprintf("%s=%q", m.service, m.preset+"-a")
		add(m, m.preset, m.preset, "", `instance=~".+"`+m.more)
		add(m, "first of "+m.preset, m.preset, first, first+m.more)
		if !m.asked {
			add(m, "found for "+m.preset, "", first, first+m.more)
		}
	}
	return rules, rows
}
