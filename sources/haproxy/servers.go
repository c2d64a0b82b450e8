package haproxy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
)

var (
	_ sources.BreakerLister    = (*Servers)(nil)
	_ sources.BreakerSwitcher  = (*Servers)(nil)
	_ sources.BreakerInspector = (*Servers)(nil)
)

// MaxServers is how many servers are shown as breakers at most.
const MaxServers = 2000

// ServersOptions say which servers are breakers. The zero value is all of them.
type ServersOptions struct {
	Backend string           // whose servers; "" for all backends
	Timeout time.Duration    // of one exchange; 0 is 3 s
	Now     func() time.Time // nil for time.Now
}

// Servers is the servers of one HAProxy process as breakers: one that is taken out by
// an administrator (maintenance or drain) is forced open, one that is DOWN by its
// checks is open, one that takes requests is closed. A server is called
// BACKEND/SERVER, as HAProxy's own exporter has it. Forcing one open is maintenance,
// for the reason that a kill is; letting it go is ready. Nothing of it outlives a
// reload of HAProxy. Servers is goroutine-safe.
type Servers struct {
	name string
	sock socket
	opts ServersOptions

	mu   sync.Mutex
	last map[string][2]float64 // answers so far at the last read, good and failed
}

// NewServers is the servers behind a socket, as New has it. It opens nothing.
func NewServers(name, address string, opts ServersOptions) (*Servers, error) {
	sock, err := socketOf(address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if opts.Backend != "" && !legalName(opts.Backend) {
		return nil, fmt.Errorf("%s: %q is no name of a backend in HAProxy: %w", name, sources.Clean(opts.Backend, 60), sources.ErrInvalid)
	}
	sock.timeout = cmp.Or(max(0, opts.Timeout), 3*time.Second)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Servers{name: name, sock: sock, opts: opts}, nil
}

func (s *Servers) look(ctx context.Context, backend string) (*picture, error) {
	var backends []string
	if backend != "" {
		backends = []string{backend}
	}
	answers, err := s.sock.exchange(ctx, s.name, asking(backends))
	if err != nil {
		return nil, err
	}
	return seen(s.name, answers)
}

// Breakers implements sources.BreakerLister in one exchange. The error ratio is of the
// answers since the read before, so the first one has none.
func (s *Servers) Breakers(ctx context.Context) (sources.BreakerSet, error) {
	at := s.opts.Now()
	pic, err := s.look(ctx, s.opts.Backend)
	if err != nil {
		return sources.BreakerSet{}, err
	}
	set := sources.BreakerSet{ReadAt: at, ReadOnly: pic.readOnly()}
	next := map[string][2]float64{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for backend, servers := range pic.servers {
		for i := range servers {
			srv := &servers[i]
			in := srv.instance(s.name, backend, servers)
			b := sources.GatherBreaker([]sources.BreakerInstance{in})
			b.Source, b.Name, b.Preset = s.name, backend+"/"+srv.name, "haproxy"
			b.Rate, b.Note = srv.rate, in.Note
			if srv.good.OK && srv.fail.OK {
				now := [2]float64{srv.good.V, srv.fail.V}
				b.ErrorRatio = since(s.last, b.Name, now)
				next[b.Name] = now
			}
			set.Breakers = append(set.Breakers, b)
		}
	}
	s.last = next
	slices.SortFunc(set.Breakers, sources.CompareBreakers)
	if n := len(set.Breakers); n > MaxServers {
		set.Breakers = set.Breakers[:MaxServers]
		set.Warnings = append(set.Warnings, fmt.Sprintf("%d servers, the worst %d are shown: name a backend", n, MaxServers))
	}
	return set, nil
}

// since is the share of failures among the answers since the last read; absent after a
// restart of HAProxy, which begins to count anew.
func since(last map[string][2]float64, name string, now [2]float64) sources.Value {
	was, known := last[name]
	good, failed := now[0]-was[0], now[1]-was[1]
	if !known || good < 0 || failed < 0 || good+failed == 0 {
		return sources.Value{}
	}
	return sources.Some(failed / (good + failed))
}

// admin is what an administrator has set.
func (s *server) set() string {
	switch {
	case s.admin&forcedMaint != 0:
		return maint
	case s.admin&forcedDrain != 0:
		return drain
	default:
		return ready
	}
}

// instance is a server of a backend as the one instance of a breaker.
func (s *server) instance(process, backend string, all []server) sources.BreakerInstance {
	in := sources.BreakerInstance{Name: process, Setting: s.set(), Opens: maint, Closes: ready, State: sources.BreakerClosed}
	in.Returns = in.Setting
	var notes []string
	say := func(when bool, format string, args ...any) {
		if when {
			notes = append(notes, fmt.Sprintf(format, args...))
		}
	}
	if s.admin&inherited != 0 {
		in.Closes = ""
		say(true, "follows the server that it tracks, which is out")
	}
	switch {
	case s.out():
		in.State = sources.BreakerForcedOpen
		say(s.admin&forcedDrain != 0, "drained: clients that stick to it still get it")
		say(s.sessions > 0, "%d sessions are still open and end by themselves", s.sessions)
		say(!slices.ContainsFunc(all, func(o server) bool { return !o.out() && o.op != stopped }), "nobody serves %s", backend)
	case s.op == stopped && s.admin&noAddress != 0:
		in.State = sources.BreakerOpen
		say(true, "it has no address")
	case s.op == stopped:
		in.State = sources.BreakerOpen
		say(true, "DOWN by its health check")
	case s.op == stopping:
		in.State = sources.BreakerDisabled // as the exporter's NOLB is taken
		say(true, "takes no new clients")
	default:
		say(s.op == starting, "starts slowly")
		say(s.uweight == 0, "its weight is 0, so it gets nothing")
	}
	in.Note = strings.Join(notes, "; ")
	return in
}

// find is one server, with all of its backend.
func (s *Servers) find(ctx context.Context, name string) (backend string, srv *server, all []server, err error) {
	backend, word, ok := strings.Cut(name, "/")
	missing := fmt.Errorf("%s has no server %s: %w", s.name, sources.Clean(name, sources.MaxName), sources.ErrNotFound)
	if !ok || !legalName(backend) || !legalName(word) || s.opts.Backend != "" && backend != s.opts.Backend {
		return "", nil, nil, missing
	}
	pic, err := s.look(ctx, backend)
	if err != nil {
		return "", nil, nil, err
	}
	all = pic.servers[backend]
	for i := range all {
		if all[i].name == word {
			return backend, &all[i], all, nil
		}
	}
	return "", nil, nil, missing
}

// BreakerInstances implements sources.BreakerSwitcher. The one instance is this HAProxy.
func (s *Servers) BreakerInstances(ctx context.Context, name string) ([]sources.BreakerInstance, error) {
	backend, srv, all, err := s.find(ctx, name)
	if err != nil {
		return nil, err
	}
	return []sources.BreakerInstance{srv.instance(s.name, backend, all)}, nil
}

// SwitchBreaker implements sources.BreakerSwitcher.
func (s *Servers) SwitchBreaker(ctx context.Context, name string, to map[string]string) map[string]error {
	out := make(map[string]error, len(to))
	for process, state := range to {
		out[process] = s.put(ctx, process, name, state)
	}
	return out
}

func (s *Servers) put(ctx context.Context, process, name, state string) error {
	switch {
	case process != s.name:
		return fmt.Errorf("%s is no HAProxy of this source: %w", sources.Clean(process, sources.MaxName), sources.ErrNotFound)
	case state != ready && state != drain && state != maint:
		return fmt.Errorf("%q is no state of a server: %w", sources.Clean(state, 40), sources.ErrInvalid)
	}
	if _, _, _, err := s.find(ctx, name); err != nil {
		return err
	}
	answers, err := s.sock.exchange(ctx, s.name, []string{"set server " + name + " state " + state})
	if err != nil {
		return err
	}
	return refusal(s.name, "set "+name+" to "+state, answers[0])
}

// InspectBreaker implements sources.BreakerInspector in one exchange.
func (s *Servers) InspectBreaker(ctx context.Context, name string) (sources.BreakerDetail, error) {
	d := sources.BreakerDetail{Source: s.name, Name: sources.Clean(name, sources.MaxName), ReadAt: s.opts.Now()}
	backend, srv, all, err := s.find(ctx, name)
	if err != nil {
		return d, err
	}
	d.Instances = []sources.BreakerInstance{srv.instance(s.name, backend, all)}
	fact := func(name, format string, args ...any) {
		d.Facts = append(d.Facts, sources.Fact{Name: name, Text: fmt.Sprintf(format, args...)})
	}
	fact("set to", "%s", srv.set())
	if srv.fall.OK && srv.rise.OK {
		fact("opens at", "%.0f failed health checks in a row, closes at %.0f good ones", srv.fall.V, srv.rise.V)
	} else {
		fact("opens at", "no health check of its own, so only by hand")
	}
	fact("weight", "%d of %d, configured %d", srv.uweight, maxWeight, srv.iweight)
	fact("sessions", "%d open", srv.sessions)
	if srv.good.OK && srv.fail.OK {
		fact("answers", "%.0f below 500 and %.0f from there, since HAProxy began", srv.good.V, srv.fail.V)
	}
	if q, c, r := srv.times[0], srv.times[1], srv.times[2]; q.OK && c.OK && r.OK && srv.good.V+srv.fail.V > 0 {
		fact("times", "queue %.0f ms, connect %.0f ms, answer %.0f ms, mean of the last 1024", q.V, c.V, r.V)
	}
	others := 0
	for i := range all {
		if o := &all[i]; o.name != srv.name && !o.out() && o.op != stopped {
			others++
		}
	}
	fact("beside it", "%d more of %s take requests", others, backend)
	return d, nil
}
