// Package sshserver lets people reach the board over SSH, and nothing else: keys and
// certificates with roles, no shell, no forwarding, no files, and bounds on everything
// that a stranger can ask for. What is shown to whom came in is the caller's.
package sshserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"charm.land/wish/v2"
	"github.com/charmbracelet/ssh"
	gossh "golang.org/x/crypto/ssh"

	"relctl-tui/sources"
)

// Options make a Server. AuthorizedKeys, HostKey, Log and Handle are required.
type Options struct {
	// AuthorizedKeys is a file in OpenSSH's format; role="operator" before a key lets
	// it change things, and cert-authority makes it one. It is read anew when it
	// changes, and refused where others could write it.
	AuthorizedKeys string
	// HostKey is the file of the server's own key, made where it is not there.
	HostKey string
	Log     *slog.Logger
	// Handle serves one session until it is over or ctx ends, and returns its exit
	// status. ctx ends when the client is gone, and its cause is told to the operator.
	Handle func(ctx context.Context, s *Session) int

	// Crashed keeps a report of a session's panic, and returns what the operator is told
	// of it; nil keeps none.
	Crashed func(value any, stack []byte) error

	LoginGrace   time.Duration // until a key must be accepted, and a session begun; 0 for 20 s
	Idle         time.Duration // without a key press, until a session ends; 0 for 4 h, negative for ever
	MaxAuthTries int           // keys that one connection may offer; 0 for 6
	MaxSessions  int           // boards and verbs at once, the last tenth for operators alone; 0 for 200
	MaxEach      int           // connections at once from one address; 0 for MaxSessions
	MaxStarting  int           // connections whose key is not accepted yet; 0 for 60
	StartingEach int           // of these from one address; 0 for 10

	Now  func() time.Time // nil for time.Now
	Pace time.Duration    // between two looks at what became idle, or was let in no more; 0 for 1 s
}

// Reasons why a session ends that is not the operator's own. They are causes of its
// context and are told in its last line.
var (
	ErrIdle     = errors.New("no key was pressed for too long, so this session ended")
	ErrStopping = errors.New("the server is being stopped; what was under way was finished first")
	ErrRevoked  = errors.New("your key is not let in any more, or its role has changed")
	ErrExpired  = errors.New("the time until which your key is let in (expiry-time) is over")
)

const (
	perConnection = 4                // sessions of one connection
	keptFor       = 10               // of so many places one is an operator's
	stalledFor    = 2 * time.Minute  // a client that takes no byte for so long is gone
	lastWords     = 2 * time.Second  // for one that takes none, or does not go, when its session is over
	farewell      = 20 * time.Second // for sessions to end when the server does
)

// Server serves sessions. Make it with New.
type Server struct {
	o      Options
	keys   *keyring
	bounds *bounds
	ssh    *ssh.Server

	strangers, known *ration // of what is logged

	mu       sync.Mutex
	links    map[*link]struct{}
	sessions map[*Session]struct{}
	stopping bool
	handlers sync.WaitGroup
}

// New reads the keys. Nobody is let in before Serve.
func New(o Options) (*Server, error) {
	o.LoginGrace = cmp.Or(o.LoginGrace, 20*time.Second)
	o.Idle = cmp.Or(o.Idle, 4*time.Hour)
	o.MaxAuthTries = cmp.Or(o.MaxAuthTries, 6)
	o.MaxSessions = cmp.Or(o.MaxSessions, 200)
	o.MaxEach = cmp.Or(o.MaxEach, o.MaxSessions)
	o.MaxStarting = cmp.Or(o.MaxStarting, 60)
	o.StartingEach = cmp.Or(o.StartingEach, 10)
	o.Pace = cmp.Or(o.Pace, time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		o: o, links: map[*link]struct{}{}, sessions: map[*Session]struct{}{},
		strangers: &ration{each: strangersEach, all: strangersInAll, now: o.Now},
		known:     &ration{each: knownEach, all: knownInAll, now: o.Now},
		bounds: &bounds{
			starting: o.MaxStarting, startingEach: o.StartingEach, guests: o.MaxSessions, guestsEach: o.MaxEach,
			sessions: o.MaxSessions, kept: o.MaxSessions / keptFor, from: map[netip.Prefix]*present{},
		},
	}
	s.keys = &keyring{path: o.AuthorizedKeys, now: o.Now, warn: func(why string) { o.Log.Warn("authorized keys: " + why) }}
	if _, err := s.keys.refresh(); err != nil {
		return nil, fmt.Errorf("authorized keys: %w", err)
	}
	var err error
	s.ssh, err = wish.NewServer(
		hostKey(o.HostKey),
		wish.WithPublicKeyAuth(s.admit),
		func(srv *ssh.Server) error {
			srv.Version = "relctl-tui"
			srv.ConnCallback = s.arrived
			srv.ConnectionFailedCallback = s.failed
			srv.ServerConfigCallback = s.config
			srv.ChannelHandlers = map[string]ssh.ChannelHandler{"session": s.session, "default": s.refuseChannel}
			srv.RequestHandlers = map[string]ssh.RequestHandler{"default": s.refuseRequest}
			return nil
		},
	)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// HostKey is the fingerprint by which clients know the server.
func (s *Server) HostKey() string { return gossh.FingerprintSHA256(s.ssh.HostSigners[0].PublicKey()) }

// Keys says how many keys and authorities may come in.
func (s *Server) Keys() int {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	return len(s.keys.lines)
}

// Serve lets people in until ctx ends; then each session is told, what it changes is
// finished, and Serve returns. It closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ended := make(chan error, 1)
	go func() { ended <- s.ssh.Serve(ln) }()
	pace := time.NewTicker(s.o.Pace)
	defer pace.Stop()
	edition, _ := s.keys.refresh()
	for {
		select {
		case <-ctx.Done():
			_ = ln.Close()
			s.stop()
			if err := <-ended; !errors.Is(err, ssh.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				s.o.Log.Warn("stopped", "why", sources.Clean(err.Error(), 200))
			}
			return nil
		case err := <-ended:
			s.stop()
			return fmt.Errorf("the server stopped listening: %w", err)
		case <-pace.C:
			edition = s.tend(edition)
		}
	}
}

// stop ends every session, waits for them, and closes what is left.
func (s *Server) stop() {
	s.mu.Lock()
	s.stopping = true
	var told []*link
	for one := range s.sessions {
		one.end(ErrStopping)
		told = append(told, one.link)
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.handlers.Wait(); close(done) }()
	limit, look := time.NewTimer(farewell), time.NewTicker(s.o.Pace)
	defer limit.Stop()
	defer look.Stop()
	for waiting := true; waiting; {
		select {
		case <-done:
			waiting = false
		case <-limit.C:
			waiting = false
		case <-look.C:
			s.tend(0)
		}
	}
	await(told, lastWords)
	_ = s.ssh.Close()
	s.mu.Lock()
	left := make([]*link, 0, len(s.links))
	for l := range s.links {
		left = append(left, l)
	}
	s.mu.Unlock()
	for _, l := range left {
		_ = l.Close()
	}
	s.recount(true)
}

// await waits for clients to hang up, which they do once they have read how their session
// ended. Whoever closes first may take that away from them: what a client sends to a
// closed connection makes it forget what it has not read yet.
func await(links []*link, most time.Duration) {
	limit := time.NewTimer(most)
	defer limit.Stop()
	for _, l := range links {
		select {
		case <-l.gone:
		case <-limit.C:
			return
		}
	}
}

// tend looks after the sessions: who is idle, whose client takes nothing any more, whose
// key's time is over, and whose was taken out of the file, which has an edition. It returns
// the present one.
func (s *Server) tend(edition uint64) uint64 {
	present, err := s.keys.refresh()
	now := s.o.Now()
	s.recount(false)
	s.mu.Lock()
	all := make([]*Session, 0, len(s.sessions))
	for one := range s.sessions {
		all = append(all, one)
	}
	s.mu.Unlock()
	for _, one := range all {
		if edited := err == nil && edition != 0 && present != edition; edited || one.expired(now) {
			s.recheck(one, now)
		}
		if s.o.Idle > 0 && (one.Terminal || one.idles.Load()) && now.Sub(one.lastKey()) > s.o.Idle {
			one.end(ErrIdle)
		}
		if one.stalled(now) {
			s.o.Log.Warn("ended", one.attrs("why", "the client takes nothing any more")...)
			_ = one.link.Close()
		}
	}
	return present
}

// recheck ends a session whose key would not be let in any more.
func (s *Server) recheck(one *Session, now time.Time) {
	switch err := one.admitted(); {
	case errors.Is(err, ErrRevoked):
		s.o.Log.Warn("ended", one.attrs("why", "its key is not let in any more")...)
		one.end(err)
	case err != nil && one.expired(now): // also where the file cannot be read just now
		s.o.Log.Warn("ended", one.attrs("why", "its key was let in until now")...)
		one.end(ErrExpired)
	}
}

func addrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

func word(s string) string { return sources.Clean(s, maxName) }
