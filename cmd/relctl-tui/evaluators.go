package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/metrics"
)

// openEvaluators opens whoever evaluates a store's flags. unproven says of whom the config
// names that one of them cannot be asked; "" when all can.
func openEvaluators(configs []VerifyConfig, store, file string) (all []sources.Verifier, unproven string, err error) {
	for i := range configs {
		v := &configs[i]
		if v.lacks != nil {
			unproven = sources.Sentence(v.lacks)
			if at, ok := errors.AsType[*ConfigError](v.lacks); ok { // its place was told when the context was opened
				unproven = at.Msg
			}
			all = append(all, withoutEffect{unproven})
			continue
		}
		d, err := dsnOf(v.DSN, "evaluations")
		if err != nil {
			return nil, "", err
		}
		open := drivers[d.Scheme].openEvaluator
		if open == nil {
			open = openCounters
		}
		e, err := open(d.sourceName(), d, v.access(file))
		if err != nil {
			return nil, "", &usageError{msg: fmt.Sprintf("%s: verify: %s", store, trimInvalid(err))}
		}
		all = append(all, e)
	}
	return all, unproven, nil
}

// Evaluations from before a change are to be out of sight soon. A page is read as
// often as it takes; a Prometheus has a sample each 15 s.
const (
	pageWindow   = 3 * time.Second
	serverWindow = 30 * time.Second
)

// openCounters is a source of metrics as a side that evaluates.
func openCounters(name string, d DSN, a access) (sources.Verifier, error) {
	mc := metrics.Config{Window: serverWindow}
	if strings.HasPrefix(d.Scheme, "scrape+") {
		mc.Window = pageWindow
	}
	r, err := drivers[d.Scheme].openMetrics(name, d, a, mc)
	if err != nil {
		return nil, err
	}
	counters, ok := r.src.(sources.ExposureReader)
	if !ok {
		return nil, fmt.Errorf("%s counts no evaluations: %w", name, sources.ErrInvalid)
	}
	return control.Counted(counters), nil
}
