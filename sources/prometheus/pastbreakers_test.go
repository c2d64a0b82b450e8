package prometheus_test

import (
	"fmt"
	"strings"

	"relctl-tui/sources/metrics"
)

// cells is one breaker of the recording, and for each of its cells what PromQL is
// asked instead. An empty query says that the cell is absent.
type cells struct {
	preset, name           string
	states                 []wordQuery // worst first: the first of which there is any is the state
	instances, open        string
	rate, failed, rejected string // failed is the share of errors
}

type wordQuery struct{ word, query string }

const window = "[1m]"

func perSecond(selector string) string { return "sum(rate(" + selector + window + "))" }

func share(part, whole string) string { return "(" + part + " or vector(0)) / " + whole }

// oneHot is a breaker whose states are series; words are pairs of a state and the
// label's value for it, worst first.
func oneHot(preset, name, metric, sel, label string, words ...string) cells {
	c := cells{preset: preset, name: name, instances: "count(count by (instance) (" + metric + "{" + sel + "}))"}
	var open []string
	for i := 0; i < len(words); i += 2 {
		if words[i] == "open" || words[i] == "forced-open" {
			open = append(open, words[i+1])
		}
		if words[i] == "closed" {
			c.states = append(c.states, wordQuery{"unknown", "count(count by (instance) (" + metric + "{" + sel + "}) unless count by (instance) (" + metric + "{" + sel + "} == 1))"})
		}
		c.states = append(c.states, wordQuery{words[i], fmt.Sprintf("count(%s{%s,%s=%q} == 1)", metric, sel, label, words[i+1])})
	}
	c.open = fmt.Sprintf("count(count by (instance) (%s{%s,%s=~%q} == 1))", metric, sel, label, strings.Join(open, "|"))
	return c
}

// numeric is a breaker whose state is a number; words are pairs of a state and its
// number, worst first.
func numeric(preset, name, metric, sel string, words ...string) cells {
	c := cells{preset: preset, name: name, instances: "count(" + metric + "{" + sel + "})"}
	unmapped := metric + "{" + sel + "}"
	for i := 0; i < len(words); i += 2 {
		unmapped += " != " + words[i+1]
		if words[i] == "open" {
			c.open = "count(" + metric + "{" + sel + "} == " + words[i+1] + ")"
		}
		if words[i] == "closed" {
			c.states = append(c.states, wordQuery{"unknown", "count(" + unmapped + " != " + words[i+1] + ")"})
		}
		c.states = append(c.states, wordQuery{words[i], "count(" + metric + "{" + sel + "} == " + words[i+1] + ")"})
	}
	return c
}

// byEvents is a breaker that counts its turns; half is "" where half-opens are not
// counted.
func byEvents(preset, name, metric, sel, label, open, half, closed string) cells {
	n := func(word string) string {
		return fmt.Sprintf("max by (instance) (%s{%s,%s=%q})", metric, sel, label, word)
	}
	isOpen := "count(" + n(open) + " > 0 unless " + n(closed) + " > 0)"
	if half != "" {
		isOpen = "count(" + n(open) + " > " + n(half) + ")"
	}
	return cells{
		preset: preset, name: name, open: isOpen, instances: "count(count by (instance) (" + metric + "{" + sel + "}))",
		states: []wordQuery{{"open", isOpen}, {"closed", "count(" + n(closed) + " >= " + n(open) + ")"}},
	}
}

// calls adds the cells of a counter of calls; ignored and refused may be "".
func (c cells) calls(metric, sel, label, failed, succeeded, ignored, refused string) cells {
	of := func(words ...string) string {
		return perSecond(fmt.Sprintf("%s{%s,%s=~%q}", metric, sel, label, strings.Join(words, "|")))
	}
	c.rate, c.failed = of(failed, succeeded, ignored), share(of(failed), of(failed, succeeded))
	if refused != "" {
		c.rejected = of(refused)
	}
	return c
}

func (r *recording) states(metric, labels, label, active string, f fate, words ...string) {
	for _, w := range words {
		v := 0.0
		if w == active {
			v = 1
		}
		r.gauge(metric, fmt.Sprintf("%s,%s=%q", labels, label, w), v, f)
	}
}

func (r *recording) counts(metric, labels, label string, f fate, words ...string) {
	for i, w := range words {
		r.counter(metric, fmt.Sprintf("%s,%s=%q", labels, label, w), 40/float64(i+1), f)
	}
}

func (r *recording) constant(metric, labels, label string, values map[string]float64) {
	for w, v := range values {
		r.gauge(metric, fmt.Sprintf("%s,%s=%q", labels, label, w), v, fate{})
	}
}

const r4j = "resilience4j_circuitbreaker_"

func (r *recording) resilience4j() []cells {
	words := []string{"closed", "open", "half_open", "forced_open", "disabled", "metrics_only"}
	named := func(name, app string, active ...string) {
		for i, state := range active {
			labels := fmt.Sprintf(`name=%q,application=%q,instance="i%d"`, name, app, i)
			r.states(r4j+"state", labels, "state", state, fate{}, words...)
			r.counts(r4j+"calls_seconds_count", labels, "kind", fate{reset: 38 * (1 - min(i, 1))}, "successful", "failed", "ignored")
			r.counter(r4j+"not_permitted_calls_total", labels, 11, fate{})
		}
	}
	named("pay", "shop", "open", "closed", "half_open", "closed") // mixed instances
	named("db", "shop", "forced_open", "disabled")
	named("db", "back", "half_open", "metrics_only")
	named("mute", "shop", "none of them", "closed")
	r.gauge(r4j+"failure_rate", `name="pay",application="shop",instance="i0"`, 37.5, fate{})
	r.gauge(r4j+"failure_rate", `name="pay",application="shop",instance="i1"`, -1, fate{})
	r.states(r4j+"state", `name="gone",instance="i0"`, "state", "open", fate{dies: 10}, words...)
	r.states(r4j+"state", `name="young",instance="i0"`, "state", "closed", fate{born: 38}, words...)
	cell := func(row, sel string) cells {
		c := oneHot("resilience4j", row, r4j+"state", sel, "state",
			"open", "open", "forced-open", "forced_open", "half-open", "half_open", "closed", "closed", "disabled", "disabled")
		c = c.calls(r4j+"calls_seconds_count", sel, "kind", "failed", "successful", "ignored", "")
		c.rejected = perSecond(r4j + "not_permitted_calls_total{" + sel + "}")
		return c
	}
	pay := cell("pay", `name="pay"`)
	pay.failed = "max(" + r4j + `failure_rate{name="pay"} >= 0) / 100`
	return []cells{
		pay, cell("shop/db", `name="db",application="shop"`), cell("back/db", `name="db",application="back"`),
		cell("mute", `name="mute"`), cell("gone", `name="gone"`), cell("young", `name="young"`),
	}
}

func (r *recording) otherLabels() []cells {
	r.states("circuit_breaker_states", `name="older",instance="a"`, "state", "half_open", fate{}, "closed", "open", "half_open")
	odd := `name="odd",instance="a"`
	r.states("circuit_breaker_state", odd, "state", "open", fate{nan: 35}, "closed", "open")
	r.counts("circuit_breaker_requests_total", odd, "result", fate{}, "success", "rejected")
	r.counts("circuit_breaker_requests_total", odd, "result", fate{nan: 35}, "failure")
	r.states("dapr_resiliency_cb_state", `app_id="cart",name="retry",target="mail",instance="a"`, "status", "open", fate{}, "closed", "open", "half-open")
	for i, state := range []string{"UP", "DOWN", "MAINT"} {
		labels := fmt.Sprintf(`proxy="be",server="s%d",instance="lb"`, i)
		r.states("haproxy_server_status", labels, "state", state, fate{}, "UP", "DOWN", "MAINT", "DRAIN", "NOLB")
		r.counts("haproxy_server_http_responses_total", labels, "code", fate{reset: 39}, "2xx", "3xx", "5xx")
	}
	usual := []string{"open", "open", "half-open", "half_open", "closed", "closed"}
	out := []cells{
		oneHot("resilience4j_simpleclient", "older", "circuit_breaker_states", `name="older"`, "state", usual...),
		oneHot("generic", "odd", "circuit_breaker_state", `name="odd"`, "state", usual...).
			calls("circuit_breaker_requests_total", `name="odd"`, "result", "failure", "success", "", "rejected"),
		oneHot("dapr", "cart/retry/mail", "dapr_resiliency_cb_state", `name="retry"`, "status", usual...),
	}
	for _, server := range []string{"s0", "s1", "s2"} {
		sel := fmt.Sprintf("server=%q", server)
		out = append(out, oneHot("haproxy", "be/"+server, "haproxy_server_status", sel, "state",
			"open", "DOWN", "forced-open", "MAINT", "closed", "UP").
			calls("haproxy_server_http_responses_total", sel, "code", "5xx", "1xx|2xx|3xx|4xx", "", ""))
	}
	return out
}

func (r *recording) numbers() []cells {
	var out []cells
	for _, state := range []float64{0, 1, 7} {
		key := fmt.Sprint("key", state)
		labels, sel := fmt.Sprintf(`group="shop",key=%q,instance="a"`, key), fmt.Sprintf("key=%q", key)
		r.gauge("hystrix_circuit_breaker_open", labels, state, fate{})
		r.counts("hystrix_execution_total", labels, "event", fate{}, "success", "failure", "timeout", "bad_request", "short_circuited", "semaphore_rejected")
		out = append(out, numeric("hystrix", "shop/"+key, "hystrix_circuit_breaker_open", sel, "open", "1", "closed", "0").
			calls("hystrix_execution_total", sel, "event", "failure|timeout", "success", "bad_request", "short_circuited|semaphore_rejected"))
	}
	for i, state := range []float64{2, 0, 1} {
		labels := fmt.Sprintf(`name="bank",instance="i%d"`, i)
		r.gauge("payments_breaker_state", labels, state, fate{})
		r.gauge("mail_breaker_state", strings.Replace(labels, "bank", "post", 1), state, fate{})
	}
	r.gauge("envoy_cluster_circuit_breakers_default_cx_open", `envoy_cluster_name="ledger",instance="p1"`, 0, fate{})
	r.gauge("envoy_cluster_circuit_breakers_default_cx_open", `envoy_cluster_name="ledger",instance="p2"`, 1, fate{})
	r.gauge("envoy_cluster_circuit_breakers_high_rq_open", `envoy_cluster_name="ledger",instance="p1"`, 0, fate{})
	return append(out,
		numeric("gobreaker", "bank", "payments_breaker_state", `name="bank"`, "open", "2", "half-open", "1", "closed", "0"),
		numeric("failsafe", "post", "mail_breaker_state", `name="post"`, "open", "1", "half-open", "2", "closed", "0"),
		numeric("envoy_limit", "ledger connections", "envoy_cluster_circuit_breakers_default_cx_open", `envoy_cluster_name="ledger"`, "open", "1", "closed", "0"),
		numeric("envoy_limit", "ledger requests, high", "envoy_cluster_circuit_breakers_high_rq_open", `envoy_cluster_name="ledger"`, "open", "1", "closed", "0"),
	)
}

func (r *recording) inferred() []cells {
	var out []cells
	for _, p := range []struct{ preset, metric, key, label, open, half, closed string }{
		{"opossum", "circuit", "name", "event", "open", "", "close"},
		{"opossum_counter", "circuit_breaker_counter", "name", "event", "open", "halfOpen", "close"},
		{"polly", "resilience_polly_strategy_events_total", "pipeline_name", "event_name", "OnCircuitOpened", "OnCircuitHalfOpened", "OnCircuitClosed"},
	} {
		labels := func(name, instance string) string {
			return fmt.Sprintf("%s=%q,instance=%q", p.key, p.preset+"-"+name, instance)
		}
		r.constant(p.metric, labels("out", "a"), p.label, map[string]float64{p.open: 1})
		r.constant(p.metric, labels("out", "b"), p.label, map[string]float64{p.open: 2, p.closed: 2})
		r.constant(p.metric, labels("well", "a"), p.label, map[string]float64{p.open: 3, p.closed: 3})
		if p.half != "" {
			r.constant(p.metric, labels("out", "a"), p.label, map[string]float64{p.half: 0})
			r.constant(p.metric, labels("out", "b"), p.label, map[string]float64{p.half: 2})
		}
		for _, name := range []string{"out", "well"} {
			sel := fmt.Sprintf("%s=%q", p.key, p.preset+"-"+name)
			c := byEvents(p.preset, p.preset+"-"+name, p.metric, sel, p.label, p.open, p.half, p.closed)
			if p.preset != "polly" {
				r.counts(p.metric, labels(name, "a"), p.label, fate{}, "success", "failure", "timeout", "reject")
				c = c.calls(p.metric, sel, p.label, "failure|timeout", "success", "", "reject|semaphoreLocked")
			}
			out = append(out, c)
		}
	}
	return append(out, r.byClock(), r.hosts(), r.pool())
}

func (r *recording) byClock() cells {
	const metric, sel = "ft_circuitbreaker_state_total", `method="charge"`
	for i, runs := range []string{"closed", "open", "halfOpen"} {
		for _, state := range []string{"closed", "open", "halfOpen"} {
			by := 0.0
			if state == runs {
				by = 1.5e10
			}
			r.counter(metric, fmt.Sprintf("%s,instance=\"i%d\",state=%q", sel, i, state), by, fate{})
		}
	}
	r.counts("ft_circuitbreaker_calls_total", sel+`,instance="a"`, "circuitBreakerResult", fate{}, "success", "failure", "circuitBreakerOpen")
	runs := func(state string) string {
		return "count(rate(" + metric + "{" + sel + `,state="` + state + `"}[1m]) > 0)`
	}
	return cells{
		preset: "microprofile", name: "charge", instances: "count(count by (instance) (" + metric + "{" + sel + "}))", open: runs("open"),
		states: []wordQuery{{"open", runs("open")}, {"half-open", runs("halfOpen")}, {"closed", runs("closed")}},
	}.calls("ft_circuitbreaker_calls_total", sel, "circuitBreakerResult", "failure", "success", "", "circuitBreakerOpen")
}

func (r *recording) hosts() cells {
	for proxy, out := range map[string]float64{"p1": 2, "p2": 1} {
		labels := fmt.Sprintf(`envoy_cluster_name="stock",instance=%q`, proxy)
		r.gauge("envoy_cluster_outlier_detection_ejections_active", labels, out, fate{})
		r.gauge("envoy_cluster_membership_total", labels, 5, fate{})
	}
	return cells{
		preset: "envoy_outlier", name: "stock", instances: `max(envoy_cluster_membership_total{envoy_cluster_name="stock"})`,
		open:   `max(envoy_cluster_outlier_detection_ejections_active{envoy_cluster_name="stock"})`,
		states: []wordQuery{{"open", `max(envoy_cluster_outlier_detection_ejections_active{envoy_cluster_name="stock"})`}},
	}
}

func (r *recording) pool() cells {
	const sel = `reporter="source",destination_workload_namespace="prod",destination_workload="ledger"`
	r.counts("istio_requests_total", sel+`,instance="p1"`, "response_flags", fate{reset: 37}, "-", "UO")
	r.counts("istio_requests_total", strings.Replace(sel, "source", "destination", 1)+`,instance="p1"`, "response_flags", fate{}, "-", "UO")
	refused := perSecond("istio_requests_total{" + sel + `,response_flags="UO"}`)
	return cells{
		preset: "istio", name: "prod/ledger", instances: "vector(1)", open: "count(" + refused + " > 0)",
		states: []wordQuery{{"open", refused}}, rejected: refused,
	}
}

// breakers records all of them, and says how they are to be read.
func (r *recording) breakers() ([]cells, []metrics.BreakerRule) {
	all := append(append(append(r.resilience4j(), r.otherLabels()...), r.numbers()...), r.inferred()...)
	return all, []metrics.BreakerRule{
		{Preset: "auto"},
		{Preset: "gobreaker", Metric: "payments_breaker_state"},
		{Preset: "failsafe", Metric: "mail_breaker_state"},
	}
}
