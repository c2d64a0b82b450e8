// Package metrics is what every reader of metrics shares: the presets (which
// metric of which library means what, as data), label matchers, quantiles, and
// the rules that turn sampled series into breakers, latencies and exposures.
//
// A driver only has to answer a Query: Prometheus with PromQL, the scrape driver
// from its own ring of samples. Both therefore show the same numbers for the
// same series. The package does no I/O and reads no clock; a Plan may be used
// from any goroutine.
package metrics
