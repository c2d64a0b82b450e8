package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
)

// hub is every context that is served, each with one engine and one control however
// many people look at it. It is goroutine-safe.
type hub struct {
	o   *options
	ctx context.Context //nolint:containedctx // the life of what is served

	mu    sync.Mutex
	known map[string]*shared
}

// shared is one context that runs, for those who may change it and for those who may
// only look: they have a control that refuses.
type shared struct{ operators, viewers *running }

// as gives the context as the reader may have it.
func (s *shared) as(changes bool) *running {
	if changes {
		return s.operators
	}
	return s.viewers
}

// get opens a context the first time that somebody wants it; "" is the default one.
func (h *hub) get(name string) (*shared, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.known[name]; s != nil {
		return s, nil
	}
	o := *h.o
	if name != "" {
		o.context = name
	}
	s, err := o.open(io.Discard) // what is to be warned of, doctor and config check say at length
	if err != nil {
		return nil, err
	}
	if same := h.known[s.context]; same != nil && s.context != "" { // it was asked for by its name before
		h.known[name] = same
		return same, nil
	}
	out := s.share(h.ctx, &o)
	h.known[name], h.known[s.context] = out, out
	return out, nil
}

// end gives back what is ramped and ends the engines.
func (h *hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	ended := map[*shared]bool{}
	for _, s := range h.known {
		if !ended[s] {
			ended[s] = true
			s.operators.end()
		}
	}
}

// contexts are the names that can be asked for.
func (h *hub) contexts() []string {
	path, _ := configPath(h.o.config)
	cfg, _, err := loadConfig(path)
	if err != nil || len(h.o.flags)+len(h.o.metrics)+len(h.o.breakers) > 0 {
		return nil
	}
	return keysOf(cfg.Contexts)
}

// share starts a context for several.
func (s *setup) share(ctx context.Context, o *options) *shared {
	s.banner = "" // it speaks of files of this machine
	s.many = true
	r := s.start(ctx, o)
	s.shared = r
	look := *s
	look.readOnly = true
	viewers := &running{setup: &look, engine: r.engine, control: look.controllerOf(control.Options{Now: o.now}), here: r.here, life: r.life, end: r.end}
	look.shared = viewers
	return &shared{operators: r, viewers: viewers}
}

// reading is what the engine knows, so that a verb costs the sources nothing. It waits
// until each of them has answered, well or badly.
func (r *running) reading(ctx context.Context, w want) *reading {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	snap := r.engine.Heard(ctx)
	p := &reading{at: snap.At}
	metrics := w.breakers || w.latencies || w.exposures || w.alerts
	for _, st := range snap.Sources {
		if st.Flags && !w.flags || !st.Flags && !metrics || !st.Shown() {
			continue
		}
		if st.Err != "" {
			p.errs = append(p.errs, fmt.Errorf("%s: %w", st.Err, sources.ErrUnavailable))
		}
		p.sources = append(p.sources, st)
	}
	if w.flags {
		p.flags = slices.Clone(snap.Flags)
	}
	if w.breakers {
		p.breakers = slices.Clone(snap.Breakers)
	}
	if w.latencies {
		p.latencies = slices.Clone(snap.Latencies)
	}
	if w.exposures && snap.Exposures != nil {
		p.exposures = []*sources.ExposureSet{snap.Exposures}
	}
	if w.alerts && slices.ContainsFunc(r.readers, func(r reader) bool { _, ok := r.src.(sources.AlertLister); return ok }) {
		p.alertSets, p.alerts = [][]sources.Alert{snap.Alerts}, slices.Clone(snap.Alerts)
	}
	return p
}
