// Package haproxy drives the weights of a stable and a canary server of one HAProxy
// backend over the runtime socket, as if they were a flag: the canary's share of the
// two weights is the rollout.
//
// Nothing that is written here outlives a reload or a restart of HAProxy, unless
// HAProxy itself is told to keep its servers' state (load-server-state-from-file and
// a dump of "show servers state" before each reload). A flag that differs from the
// configuration says so in its note.
//
// Kill is maintenance, not drain: a drained server still gets the clients that stick
// to it by cookie or stick table, and a kill must end that too. Requests that are
// under way are not cut; connections that stay open (websockets, TCP) end by
// themselves. The weights stay as they are, but for a stable server with weight 0: it
// gets the least that keeps the backend serving. Undo brings back exactly what was.
//
// Weights decide for new sessions alone. Clients that stick to a server stay there
// while a rollout goes down, until it is killed. Right after a change HAProxy's round
// robin evens out the servers' turns: for some hundreds of requests the share can be
// off in either direction, up to all of them, whoever changed the weights. Zero and
// kill hold at once.
//
// The runtime API compares nothing for the client. The driver reads, compares, and
// writes; the write goes in one line with a look before and a look after it, so that
// whatever somebody else did meanwhile is seen and becomes the receipt's warning.
package haproxy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
)

// Pair is two servers of one backend that share its requests by weight. Names are
// those of HAProxy's configuration.
type Pair struct{ Backend, Stable, Canary string }

func (p Pair) key() string { return p.Backend + "/" + p.Canary }

// MaxPairs is how many flags a store has at most.
const MaxPairs = 500

// Options say which servers are flags and how they are read.
type Options struct {
	// Pairs are the flags. With none they are found: a backend of exactly two
	// servers is one when the name of exactly one of them is or ends in "canary",
	// in whichever case. Other backends are not flags.
	Pairs []Pair

	Timeout time.Duration    // of one exchange; 0 is 3 s
	Every   time.Duration    // how often a watch looks, 0 is 2 s; kept between 100 ms and 10 min
	Now     func() time.Time // nil for time.Now; called by any goroutine
}

// Store is the pairs of servers of one HAProxy process. It may be used by any
// goroutine.
type Store struct {
	name string
	sock socket
	opts Options
	lock chan struct{} // held from compare to read back, by whichever Store of this address

	written sources.Bell
}

var (
	_ sources.FlagLister  = (*Store)(nil)
	_ sources.FlagGetter  = (*Store)(nil)
	_ sources.FlagWatcher = (*Store)(nil)
	_ sources.FlagWriter  = (*Store)(nil)
)

// writers has one lock for each address: two stores of one process that write to the
// same HAProxy must not come between each other's compare and write.
var writers sync.Map

// New is a store of this name at address: the path of a stats socket, or HOST:PORT of
// one that listens on TCP, which knows neither password nor encryption. It opens
// nothing. ErrInvalid says what is wrong.
func New(name, address string, opts Options) (*Store, error) {
	sock, err := socketOf(address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(opts.Pairs) > MaxPairs {
		return nil, fmt.Errorf("%s: %d pairs are too many, the most is %d: %w", name, len(opts.Pairs), MaxPairs, sources.ErrInvalid)
	}
	opts.Pairs = slices.Clone(opts.Pairs)
	slices.SortFunc(opts.Pairs, func(a, b Pair) int { return cmp.Compare(a.key(), b.key()) })
	for i, p := range opts.Pairs {
		for what, v := range map[string]string{"backend": p.Backend, "stable": p.Stable, "canary": p.Canary} {
			if !legalName(v) {
				return nil, fmt.Errorf("%s: %q is no name of a %s in HAProxy: %w", name, sources.Clean(v, 60), what, sources.ErrInvalid)
			}
		}
		switch {
		case p.Stable == p.Canary:
			return nil, fmt.Errorf("%s: %s is both the stable and the canary server of %s: %w", name, p.Stable, p.Backend, sources.ErrInvalid)
		case i > 0 && opts.Pairs[i-1].key() == p.key():
			return nil, fmt.Errorf("%s: %s stands there twice: %w", name, p.key(), sources.ErrInvalid)
		}
	}
	sock.timeout = cmp.Or(max(0, opts.Timeout), 3*time.Second)
	opts.Every = min(max(cmp.Or(opts.Every, 2*time.Second), 100*time.Millisecond), 10*time.Minute)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	lock, _ := writers.LoadOrStore(sock.network+":"+sock.address, make(chan struct{}, 1))
	return &Store{name: name, sock: sock, opts: opts, lock: lock.(chan struct{})}, nil //nolint:forcetypeassert // nothing else is ever stored
}

// maxName is longer than any name that HAProxy's own counters take.
const maxName = 255

// legalName is HAProxy's own rule for names. It keeps a name from being a second
// command.
func legalName(s string) bool {
	return s != "" && len(s) <= maxName && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.:-", r)
	}) < 0
}

// Flags lists the pairs. A configured pair that is not there is a warning.
func (s *Store) Flags(ctx context.Context) (sources.FlagSet, error) {
	set := sources.FlagSet{Source: s.name}
	pic, err := s.look(ctx, "")
	if err != nil {
		return set, err
	}
	pairs := s.opts.Pairs
	if len(pairs) == 0 {
		pairs, set.Warnings = found(pic)
	}
	for _, p := range pairs {
		now, err := pic.pair(s.name, p)
		if err != nil {
			set.Warnings = append(set.Warnings, sources.Sentence(err))
			continue
		}
		set.Flags = append(set.Flags, now.flag(s.name))
	}
	set.ReadOnly = pic.readOnly()
	set.ReadAt = s.opts.Now()
	set.Revision = revision(&set)
	return set, nil
}

func revision(set *sources.FlagSet) sources.Revision {
	h := sha256.New()
	for i := range set.Flags {
		f := &set.Flags[i]
		_, _ = fmt.Fprintf(h, "%q %q %q %q\n", f.ID.Key, f.Revision, f.Description, f.Note)
	}
	_, _ = fmt.Fprintf(h, "%q %q\n", set.Warnings, set.ReadOnly)
	return sources.Revision(hex.EncodeToString(h.Sum(nil)[:16]))
}

// found is the pairs that name themselves, sorted by key.
func found(pic *picture) (pairs []Pair, warnings []string) {
	for backend, servers := range pic.servers {
		if len(servers) != 2 {
			continue
		}
		a, b := servers[0].name, servers[1].name
		switch {
		case isCanary(a) == isCanary(b):
		case isCanary(a):
			pairs = append(pairs, Pair{backend, b, a})
		default:
			pairs = append(pairs, Pair{backend, a, b})
		}
	}
	slices.SortFunc(pairs, func(a, b Pair) int { return cmp.Compare(a.key(), b.key()) })
	switch {
	case len(pairs) == 0:
		warnings = []string{`no backend has exactly two servers of which one's name ends in "canary": name a pair (backend, stable, canary)`}
	case len(pairs) > MaxPairs:
		warnings = []string{fmt.Sprintf("%d pairs were found, the first %d are shown: name those that matter", len(pairs), MaxPairs)}
		pairs = pairs[:MaxPairs]
	}
	return pairs, warnings
}

func isCanary(server string) bool { return strings.HasSuffix(strings.ToLower(server), "canary") }

// Flag reads one pair afresh.
func (s *Store) Flag(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
	now, _, err := s.get(ctx, id)
	if err != nil {
		return sources.Flag{}, err
	}
	return now.flag(s.name), nil
}

// get is a pair as it is now, and what else was seen with it.
func (s *Store) get(ctx context.Context, id sources.FlagID) (*pair, *picture, error) {
	backend, canary, ok := strings.Cut(id.Key, "/")
	missing := fmt.Errorf("%s has no flag %s: %w", s.name, sources.Clean(id.Key, sources.MaxName), sources.ErrNotFound)
	if !ok || !legalName(backend) || !legalName(canary) || (id.Source != "" && id.Source != s.name) {
		if err := ctx.Err(); err != nil {
			return nil, nil, s.sock.givenUp(s.name, err)
		}
		return nil, nil, missing
	}
	p := Pair{Backend: backend, Canary: canary}
	if len(s.opts.Pairs) > 0 {
		i := slices.IndexFunc(s.opts.Pairs, func(p Pair) bool { return p.key() == id.Key })
		if i < 0 {
			return nil, nil, missing
		}
		p = s.opts.Pairs[i]
	}
	pic, err := s.look(ctx, backend)
	if err != nil {
		return nil, nil, err
	}
	if p.Stable == "" {
		pairs, _ := found(pic)
		if len(pairs) != 1 || pairs[0].key() != id.Key {
			return nil, nil, missing
		}
		p = pairs[0]
	}
	now, err := pic.pair(s.name, p)
	return now, pic, err
}

// look reads one backend, or all that can matter where none is named.
func (s *Store) look(ctx context.Context, backend string) (*picture, error) {
	const fewEnough = 8 // to be asked for by name instead of reading everything
	var backends []string
	switch {
	case backend != "":
		backends = []string{backend}
	case len(s.opts.Pairs) > 0 && len(s.opts.Pairs) <= fewEnough:
		for _, p := range s.opts.Pairs {
			backends = append(backends, p.Backend)
		}
		backends = slices.Compact(backends) // sorted by backend already
	}
	ask := asking(backends)
	answers, err := s.sock.exchange(ctx, s.name, ask)
	if err != nil {
		return nil, err
	}
	return seen(s.name, answers)
}

// asking is the commands whose answers are a picture.
func asking(backends []string) (commands []string) {
	if len(backends) == 0 {
		commands = []string{"show servers state", "show stat -1 6 -1"}
	}
	for _, b := range backends {
		commands = append(commands, "show servers state "+b, "show stat "+b+" 6 -1")
	}
	// The last one, for an older HAProxy answers it with a page of help.
	return append(commands, "show cli level")
}

func socketOf(address string) (socket, error) {
	switch host, port, err := net.SplitHostPort(address); {
	case address == "":
		return socket{}, fmt.Errorf("no address of HAProxy's socket: write the path of a stats socket, or HOST:PORT: %w", sources.ErrInvalid)
	case strings.ContainsRune(address, '/'):
		const most = 107 // of sun_path, on the narrowest of systems it is a few less
		if len(address) > most || strings.ContainsRune(address, 0) {
			return socket{}, fmt.Errorf("%s cannot be a socket, the most is %d bytes: %w", sources.Clean(address, sources.MaxName), most, sources.ErrInvalid)
		}
		return socket{network: "unix", address: address}, nil
	case err == nil && port != "":
		return socket{network: "tcp", address: net.JoinHostPort(cmp.Or(host, "127.0.0.1"), port)}, nil
	default:
		return socket{}, fmt.Errorf("%q is neither the path of a socket nor HOST:PORT: %w", sources.Clean(address, 60), sources.ErrInvalid)
	}
}
