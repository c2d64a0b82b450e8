package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
)

// hub is every context that is served, each with one engine and one control however
// many people look at it. It is goroutine-safe; make it with newHub.
type hub struct {
	o   *options
	ctx context.Context //nolint:containedctx // the life of what is served

	mu      sync.Mutex
	known   map[string]*shared
	opening map[string]*opening
	ended   bool
}

func newHub(ctx context.Context, o *options) *hub {
	return &hub{o: o, ctx: ctx, known: map[string]*shared{}, opening: map[string]*opening{}}
}

// opening is a context that is being opened for whoever waits for it.
type opening struct {
	done   chan struct{} // closed when the rest is there
	opened *shared
	err    error
	fault  any // of the program's own
}

// openWithin is how long somebody waits for a context to open.
const openWithin = 10 * time.Second

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

// get opens a context the first time that somebody wants it; "" is the default one. Files
// that a context names may lie where nothing answers: nobody waits for that but who wants
// this very context, and they not for ever.
func (h *hub) get(ctx context.Context, name string) (*shared, error) {
	h.mu.Lock()
	if s := h.known[name]; s != nil {
		h.mu.Unlock()
		return s, nil
	}
	one := h.opening[name]
	if one == nil {
		one = &opening{done: make(chan struct{})}
		h.opening[name] = one
		go h.open(name, one)
	}
	h.mu.Unlock()
	wait := time.NewTimer(openWithin)
	defer wait.Stop()
	select {
	case <-one.done:
		if one.fault != nil {
			panic(one.fault)
		}
		return one.opened, one.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%s was not opened in time: %w", contextWords(name), sources.ErrUnavailable)
	case <-wait.C:
		return nil, fmt.Errorf("%s has not opened within %s, a file that it names does not answer; others are not concerned: %w",
			contextWords(name), openWithin, sources.ErrUnavailable)
	}
}

func contextWords(name string) string {
	if name == "" {
		return "the default context"
	}
	return "context " + quote(name)
}

// open opens a context for those who wait for it.
func (h *hub) open(name string, one *opening) {
	defer close(one.done)
	defer func() {
		one.fault = recover()
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.opening, name)
	}()
	o := *h.o
	if name != "" {
		o.context = name
	}
	s, err := o.open(io.Discard) // what is to be warned of, doctor and config check say at length
	if err != nil {
		one.err = err
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch same := h.known[s.context]; {
	case h.ended:
		one.err = fmt.Errorf("the server is being stopped: %w", sources.ErrUnavailable)
		return
	case same != nil: // it was asked for by its name before
		one.opened = same
	default:
		one.opened = s.share(h.ctx, &o)
	}
	h.known[name], h.known[s.context] = one.opened, one.opened
}

// end gives back what is ramped and ends the engines.
func (h *hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
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
	metrics := w.breakers || w.latencies || w.exposures || w.alerts || w.deploys
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
	if w.deploys {
		r.whatRuns(p, snap)
	}
	return p
}

// whatRuns fills in the deploys where a source tells of them, and what has changed of that.
func (r *running) whatRuns(p *reading, snap *sources.Snapshot) {
	if !slices.ContainsFunc(r.readers, func(r reader) bool { _, ok := r.src.(sources.DeployLister); return ok }) {
		return
	}
	p.deploySets, p.deploys = [][]sources.Deploy{snap.Deploys}, slices.Clone(snap.Deploys)
	for _, a := range slices.Backward(snap.Activity) {
		if a.Kind == sources.KindDeploy {
			p.deployed = append(p.deployed, sources.Deployed{Service: a.Name, Old: a.Old, New: a.New, At: a.At})
		}
	}
}
