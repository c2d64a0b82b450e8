package sshserver

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/ssh"
	gossh "golang.org/x/crypto/ssh"

	"relctl-tui/sources"
)

// Session is one board or one verb that a client has asked for. Its methods may be
// called by any goroutine.
type Session struct {
	Identity
	Login    string    // the name that the client asked for; it says nothing about who it is
	Addr     string    // where the client is
	Command  []string  // the words of what is to be done; nil for the board
	Terminal bool      // the client has a terminal, in raw mode
	Term     string    // its kind, as the client says
	Baud     int       // what it says of its line; 0 where it says nothing
	Environ  []string  // what the client may say of its terminal; nothing of it decides who acts
	Out, Err io.Writer // Err for sentences; each "\n" becomes what a terminal needs
	Began    time.Time

	// Resized says that Size has changed.
	Resized <-chan struct{}

	link   *link
	key    gossh.PublicKey
	user   string // the login name as it was sent
	end    context.CancelCauseFunc
	f      *filter
	keys   chan []byte // what the client typed
	rest   []byte      // of the last of it, of the reader that has the keyboard
	wait   *waiting
	last   atomic.Int64 // when a key came last, in Unix nanoseconds
	keymu  sync.Mutex
	ending atomic.Int64 // since when it is told to end; 0 for not
	until  atomic.Int64 // the moment after which its key is let in no more, in Unix nanoseconds; 0 for never
	idles  atomic.Bool  // it ends when nothing is typed for long, though it has no terminal
}

// Idles says that the session ends when nothing is typed for long, as one with a terminal
// does in any case.
func (s *Session) Idles() { s.idles.Store(true) }

// Size is the terminal's size in cells.
func (s *Session) Size() (w, h int) { return s.f.size() }

// Keys is what the client types until ctx ends: then it is at its end, and the next
// reader has the keyboard. io.EOF besides means that the client is gone.
func (s *Session) Keys(ctx context.Context) io.Reader { return &keysReader{ctx, s} }

type keysReader struct {
	ctx context.Context //nolint:containedctx // a read ends with it
	s   *Session
}

// Read waits for what is typed.
func (r *keysReader) Read(b []byte) (int, error) {
	r.s.keymu.Lock()
	defer r.s.keymu.Unlock()
	if len(r.s.rest) == 0 {
		select {
		case <-r.ctx.Done():
			return 0, io.EOF
		case chunk, ok := <-r.s.keys:
			if !ok {
				return 0, io.EOF
			}
			r.s.rest = chunk
		}
	}
	n := copy(b, r.s.rest)
	r.s.rest = r.s.rest[n:]
	return n, nil
}

func (s *Session) lastKey() time.Time { return time.Unix(0, s.last.Load()) }

// pump reads what is typed for whoever has the keyboard.
func (s *Session) pump(ctx context.Context, from io.Reader, now func() time.Time) {
	defer close(s.keys)
	for {
		buf := make([]byte, 1024)
		n, err := from.Read(buf)
		if n > 0 {
			s.last.Store(now().UnixNano())
			select {
			case s.keys <- buf[:n]:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// stalled tells whether the client takes nothing of what it is sent.
func (s *Session) stalled(now time.Time) bool {
	since, ending := s.wait.since(), s.ending.Load()
	if since.IsZero() {
		return false
	}
	if ending != 0 && now.Sub(later(since, time.Unix(0, ending))) > lastWords {
		return true
	}
	return now.Sub(since) > stalledFor
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// admitted says why the session's key would not be let in as who it is now, or nil. A
// certificate that has expired since the session began is no reason: many last for minutes,
// and any edit of the file would end everybody's board.
func (s *Session) admitted() error {
	until, err := s.link.admitted(s.key, s.user, s.Identity, s.Began)
	switch {
	case err != nil:
	case until.IsZero():
		s.until.Store(0)
	default:
		s.until.Store(until.UnixNano())
	}
	return err
}

// expired tells whether the line that let the session's key in does so no more.
func (s *Session) expired(now time.Time) bool {
	until := s.until.Load()
	return until != 0 && now.After(time.Unix(0, until))
}

func (s *Session) attrs(more ...any) []any {
	return append([]any{"who", s.Name, "role", string(s.Role), "addr", s.Addr, "key", s.Fingerprint}, more...)
}

// waiting is since when a client takes nothing of what several writers send it. It is
// goroutine-safe.
type waiting struct {
	now func() time.Time

	mu      sync.Mutex
	writers int       // that wait for the client
	at      time.Time // when it took something last, or the first of them began
}

func (w *waiting) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writers == 0 {
		w.at = w.now()
	}
	w.writers++
}

func (w *waiting) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writers--
	w.at = w.now()
}

// since is the zero time while nobody waits.
func (w *waiting) since() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writers == 0 {
		return time.Time{}
	}
	return w.at
}

// steadyWriter tells when it waits for the client.
type steadyWriter struct {
	io.Writer
	wait *waiting
}

// Write is the writer's.
func (w *steadyWriter) Write(b []byte) (int, error) {
	w.wait.begin()
	defer w.wait.end()
	return w.Writer.Write(b) //nolint:wrapcheck // io.EOF must stay io.EOF
}

// session takes a channel of kind session: bounds first, then what the client asks of
// it passes a filter, and what is left is served.
func (s *Server) session(_ *ssh.Server, conn *gossh.ServerConn, ch gossh.NewChannel, ctx ssh.Context) {
	l, who := linkOf(ctx), whoOf(ctx)
	refuse := func(err error) {
		s.denied(l.addr, "session", err.Error(), "who", who.Name)
		_ = ch.Reject(gossh.ResourceShortage, err.Error())
	}
	if err := l.open(); err != nil {
		refuse(err)
		return
	}
	defer l.closed()
	key, _ := ctx.Value(ssh.ContextKeyPublicKey).(gossh.PublicKey)
	if _, err := l.admitted(key, conn.User(), who, s.o.Now()); err != nil {
		refuse(err)
		return
	}
	if err := s.bounds.begin(who.Role == Operator); err != nil {
		refuse(err)
		return
	}
	var handling sync.WaitGroup
	defer func() { handling.Wait(); s.bounds.end() }()
	f := newFilter(ch, func(what string) {
		s.denied(l.addr, what, "only the board and its verbs are served here", "who", who.Name)
	})
	one := &ssh.Server{Handler: func(sess ssh.Session) {
		if !s.enter(&handling) {
			return
		}
		defer handling.Done()
		defer s.handlers.Done()
		l.runs(+1)
		defer l.runs(-1)
		s.serve(sess, l, f, who)
	}}
	_ = one.SetOption(ssh.EmulatePty()) // it cannot fail
	ssh.DefaultSessionHandler(one, conn, f, ctx)
}

// enter counts one more handler, unless the server is being stopped.
func (s *Server) enter(handling *sync.WaitGroup) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	handling.Add(1)
	s.handlers.Add(1)
	return true
}

// serve runs one session to its end.
func (s *Server) serve(sess ssh.Session, l *link, f *filter, who Identity) {
	ctx, end := context.WithCancelCause(sess.Context())
	defer end(nil)
	one := s.newSession(sess, l, f, who)
	one.end = func(cause error) {
		one.ending.CompareAndSwap(0, s.o.Now().UnixNano())
		end(cause)
	}
	s.mu.Lock()
	s.sessions[one] = struct{}{}
	if s.stopping {
		one.end(ErrStopping)
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.sessions, one)
	}()
	// Only now tend looks after it: the file may have changed since the channel was opened.
	if err := one.admitted(); err != nil {
		one.Denied("session", err.Error())
		_, _ = fmt.Fprintln(one.Err, "relctl-tui: "+err.Error())
		_ = sess.Exit(1)
		return
	}
	var err error
	if one.Command, err = words(sess.RawCommand()); err != nil {
		one.Denied("command", err.Error())
		_, _ = fmt.Fprintln(one.Err, err.Error())
		_ = sess.Exit(2)
		return
	}
	go one.pump(ctx, sess, s.o.Now)
	go func() { // the end of what is typed need not be the end of who reads
		select {
		case <-f.closed:
			end(nil)
		case <-ctx.Done():
		}
	}()
	s.o.Log.Info("began", one.attrs("command", sources.Clean(strings.Join(one.Command, " "), 200))...)
	code := s.handle(ctx, one)
	if cause := context.Cause(ctx); cause == ErrIdle || cause == ErrStopping || cause == ErrRevoked || cause == ErrExpired { //nolint:errorlint // they are set as they are
		_, _ = fmt.Fprintln(one.Err, "relctl-tui: "+cause.Error())
	}
	s.o.Log.Info("ended", one.attrs("code", code, "lasted", s.o.Now().Sub(one.Began).Round(time.Millisecond).String())...)
	_ = sess.Exit(code)
}

// newSession is what a client has asked for, but for its command and its end.
func (s *Server) newSession(sess ssh.Session, l *link, f *filter, who Identity) *Session {
	pty, _, terminal := sess.Pty()
	wait := &waiting{now: s.o.Now}
	one := &Session{
		Identity: who, Login: word(sess.User()), Addr: l.addr.String(), Terminal: terminal, Term: word(pty.Term),
		Baud: int(min(pty.Modes[gossh.TTY_OP_OSPEED], math.MaxInt32)), Environ: f.environ(),
		Out: &steadyWriter{sess, wait}, Err: &steadyWriter{sess.Stderr(), wait}, Began: s.o.Now(), Resized: f.resized,
		link: l, key: sess.PublicKey(), user: sess.User(), f: f, keys: make(chan []byte), wait: wait,
	}
	f.start(pty.Window.Width, pty.Window.Height)
	one.last.Store(one.Began.UnixNano())
	return one
}

// handle keeps one session's panic from ending all the others.
func (s *Server) handle(ctx context.Context, one *Session) (code int) {
	defer func() {
		if p := recover(); p != nil {
			why := "this session failed by a fault of the program's own; the others go on"
			if s.o.Crashed != nil {
				why = sources.Sentence(s.o.Crashed(p, debug.Stack()))
			}
			s.o.Log.Error("failed", one.attrs("why", why)...)
			_, _ = fmt.Fprintln(one.Err, "relctl-tui: "+why)
			code = 1
		}
	}()
	return s.o.Handle(ctx, one)
}
