package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/metrics"
)

// findSecrets looks whether who proves the changes of a context can be asked with what its files
// hold, and says of whom it cannot. A token that is missing may come, so it is asked all the same; what
// TLS needs is read but once.
func (c *ContextConfig) findSecrets(file string) (said []string) {
	for i := range c.Flags {
		f := &c.Flags[i]
		if f.lacks == nil {
			f.unread = unreadable(&f.FrontendTokenFile, "frontend_token_file", file)
		}
		for j := range f.Verify {
			v := &f.Verify[j]
			if v.lacks != nil {
				continue
			}
			if v.unread = unreadable(&v.TokenFile, "token_file", file); v.unread == nil {
				v.unread = unreadable(&v.PasswordFile, "password_file", file)
			}
			if _, err := v.access(file).tls(); err != nil {
				v.lacks = &ConfigError{File: file, Line: v.DSN.at.line, Col: v.DSN.at.col, Msg: trimInvalid(err)}
			}
			for _, err := range []error{v.lacks, v.unread} {
				if err != nil {
					said = append(said, err.Error())
				}
			}
		}
		if f.unread != nil {
			said = append(said, f.unread.Error())
		}
	}
	return said
}

// unreadable is why a secret's file cannot be read, at its place in the config. What is no file
// that can be read twice is left alone.
func unreadable(t *Text, key, file string) error {
	path := resolvePath(t.S, file)
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil
	}
	if _, err := readSecret(path); err != nil {
		return &ConfigError{File: file, Line: t.at.line, Col: t.at.col, Msg: fmt.Sprintf("%q: %s", key, sources.Sentence(err))}
	}
	return nil
}

// placeless is what a config lacks without where, which was told when the context was opened.
func placeless(err error) string {
	if at, ok := errors.AsType[*ConfigError](err); ok {
		return at.Msg
	}
	return sources.Sentence(err)
}

// evaluator is one whom the config names to prove a store's changes.
type evaluator struct {
	name, kind string
	src        sources.Verifier
}

func (st *store) verifiers() []sources.Verifier {
	var all []sources.Verifier
	for i := range st.evaluators {
		all = append(all, st.evaluators[i].src)
	}
	return all
}

// openEvaluators opens whoever evaluates a store's flags. unproven says of whom the config
// names that one of them cannot be asked; "" when all can.
func openEvaluators(f *FlagsConfig, store, file string) (all []evaluator, unproven string, err error) {
	if f.unread != nil {
		unproven = placeless(f.unread)
	}
	for i := range f.Verify {
		v := &f.Verify[i]
		if v.lacks != nil {
			unproven = placeless(v.lacks)
			all = append(all, evaluator{sources.Clean(redactURL(v.DSN.S), sources.MaxName), "verify", withoutEffect{unproven}})
			continue
		}
		d, err := dsnOf(v.DSN, "evaluations")
		if err != nil {
			return nil, "", err
		}
		kind, _, prefixed := strings.Cut(d.Scheme, "+")
		if !prefixed {
			kind = "prometheus"
		}
		open := drivers[d.Scheme].openEvaluator
		if open == nil {
			open = openCounters
		}
		e, err := open(d.sourceName(), d, v.access(file))
		if err != nil {
			return nil, "", &usageError{msg: fmt.Sprintf("%s: verify: %s", store, trimInvalid(err))}
		}
		if all = append(all, evaluator{d.sourceName(), kind, e}); v.unread != nil {
			unproven = placeless(v.unread)
		}
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
