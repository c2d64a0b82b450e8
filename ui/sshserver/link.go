package sshserver

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// link is one client's connection. It closes itself when no key was accepted, or no
// session runs, for as long as a login may take.
type link struct {
	net.Conn
	s    *Server
	addr netip.Addr

	mu       sync.Mutex
	grace    *time.Timer
	guest    bool // its key was accepted
	over     bool // it was closed, and its place given back
	channels int  // sessions that it has opened and not closed
	running  int  // of which so many have something to do
	once     sync.Once
	gone     chan struct{} // closed with it
}

// linkKey is where a connection's context has its link.
type linkKey struct{}

// arrived is what happens to a new connection first. nil closes it.
func (s *Server) arrived(ctx ssh.Context, c net.Conn) net.Conn {
	l := &link{Conn: c, s: s, addr: addrOf(c.RemoteAddr()), gone: make(chan struct{})}
	s.mu.Lock()
	stopping := s.stopping
	s.mu.Unlock()
	err := errors.New("the server is being stopped")
	if !stopping {
		err = s.bounds.start(l.addr)
	}
	if err != nil {
		s.refused(l.addr, "connection", err.Error())
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))         // of the socket, whose clock it is
		_, _ = io.WriteString(c, "relctl-tui: "+err.Error()+"\r\n") // as RFC 4253 lets a server say before its version
		return nil
	}
	s.mu.Lock()
	s.links[l] = struct{}{}
	s.mu.Unlock()
	ctx.SetValue(linkKey{}, l)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grace = time.AfterFunc(s.o.LoginGrace, l.tooLate)
	return l
}

// tooLate ends a connection on which nothing happens.
func (l *link) tooLate() {
	l.mu.Lock()
	idle, guest := l.running == 0, l.guest
	l.mu.Unlock()
	if idle && !guest {
		l.s.refused(l.addr, "login", "no key was accepted within "+l.s.o.LoginGrace.String())
	}
	if idle {
		_ = l.Close()
	}
}

// Close gives the place of the connection back as well.
func (l *link) Close() error {
	l.once.Do(func() {
		defer close(l.gone)
		l.mu.Lock()
		l.over = true
		guest := l.guest
		if l.grace != nil {
			l.grace.Stop()
		}
		l.mu.Unlock()
		l.s.bounds.leave(l.addr, guest)
		l.s.mu.Lock()
		delete(l.s.links, l)
		l.s.mu.Unlock()
	})
	return l.Conn.Close()
}

// welcome takes a connection in whose key was accepted. It may be closed in that moment,
// and has no place any more that could become a guest's.
func (l *link) welcome() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return net.ErrClosed
	}
	if err := l.s.bounds.welcome(l.addr); err != nil {
		return err
	}
	l.guest = true
	l.grace.Reset(l.s.o.LoginGrace)
	return nil
}

// open takes a place for one more session of this connection.
func (l *link) open() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.channels >= perConnection {
		return errors.New("too many sessions of one connection")
	}
	l.channels++
	return nil
}

func (l *link) closed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.channels--
}

// admitted says until when whoever came in on the connection is let in as that, zero being
// for ever, or why they would not be now. A connection may be kept open for as long as
// anybody likes, and its key may be taken out of the file meanwhile.
func (l *link) admitted(key gossh.PublicKey, login string, who Identity, proven time.Time) (until time.Time, err error) {
	if _, err := l.s.keys.refresh(); err != nil {
		return until, errors.New("who is let in cannot be told at the moment, so no session begins")
	}
	id, until, err := l.s.keys.admit(key, login, l.addr, proven)
	switch {
	case errors.As(err, new(expiredError)):
		return until, ErrExpired
	case err != nil || id.Role != who.Role || id.Name != who.Name:
		return until, ErrRevoked
	}
	return until, nil
}

// runs counts what is running on the connection, which is left alone meanwhile.
func (l *link) runs(by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running += by
	if l.running == 0 {
		l.grace.Reset(l.s.o.LoginGrace)
	}
}

func linkOf(ctx ssh.Context) *link {
	l, _ := ctx.Value(linkKey{}).(*link)
	return l
}

// config is how strangers are spoken with: by public keys alone.
func (s *Server) config(ctx ssh.Context) *gossh.ServerConfig {
	return &gossh.ServerConfig{
		MaxAuthTries: s.o.MaxAuthTries,
		PublicKeyAuthAlgorithms: slices.DeleteFunc(gossh.SupportedAlgorithms().PublicKeyAuths, func(a string) bool {
			return a == gossh.KeyAlgoRSA || a == dsa // both with SHA-1
		}),
		AuthLogCallback: func(meta gossh.ConnMetadata, _ string, err error) {
			l := linkOf(ctx)
			if err != nil || l == nil {
				return // admit has said why, or the client only asked what there is
			}
			if err := l.welcome(); err != nil {
				s.refused(l.addr, "login", err.Error(), "user", word(meta.User()))
				_ = l.Close()
			}
		},
	}
}

// What the permissions of a connection carry.
const (
	extName  = "relctl-name"
	extRole  = "relctl-role"
	extPrint = "relctl-fingerprint"
)

// admit decides about one key that a client offers. What it finds belongs to that key
// alone, for a client may offer several and prove only one.
func (s *Server) admit(ctx ssh.Context, key ssh.PublicKey) bool {
	addr := addrOf(ctx.RemoteAddr())
	id, _, err := s.keys.admit(key, ctx.User(), addr, s.o.Now())
	if err != nil {
		s.refused(addr, "key", err.Error(), "user", word(ctx.User()), "key", gossh.FingerprintSHA256(key))
		return false
	}
	p := ctx.Permissions()
	p.Extensions = map[string]string{extName: id.Name, extRole: string(id.Role), extPrint: id.Fingerprint}
	if cert, ok := key.(*gossh.Certificate); ok {
		p.CriticalOptions = cert.CriticalOptions // whose source-address the library holds against the client
	}
	return true
}

// failed logs a connection that ended before anybody came in.
func (s *Server) failed(c net.Conn, err error) {
	why := "the connection ended before a key was accepted"
	var auth *gossh.ServerAuthError
	if errors.As(err, &auth) {
		why = "no key was accepted"
	} else if text := err.Error(); !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		why = "it spoke no SSH that is spoken here: " + word(strings.TrimPrefix(text, "ssh: "))
	}
	s.refused(addrOf(c.RemoteAddr()), "login", why)
}

// refuseChannel is the answer to everything but a session: forwarded ports, agents,
// X11, tunnels.
func (s *Server) refuseChannel(_ *ssh.Server, conn *gossh.ServerConn, ch gossh.NewChannel, ctx ssh.Context) {
	s.denied(addrOf(conn.RemoteAddr()), "channel "+word(ch.ChannelType()), "nothing is forwarded here", "user", word(conn.User()), "who", whoOf(ctx).Name)
	_ = ch.Reject(gossh.Prohibited, "nothing is forwarded here")
}

// quiet are requests that every client makes; the answer to them is no as well.
var quiet = []string{"keepalive@openssh.com", "no-more-sessions@openssh.com", "hostkeys-prove-00@openssh.com"}

// refuseRequest is the answer to what concerns a connection as a whole.
func (s *Server) refuseRequest(ctx ssh.Context, _ *ssh.Server, req *gossh.Request) (ok bool, payload []byte) {
	if !slices.Contains(quiet, req.Type) {
		s.denied(addrOf(ctx.RemoteAddr()), "request "+word(req.Type), "nothing is forwarded here", "user", word(ctx.User()), "who", whoOf(ctx).Name)
	}
	return false, nil
}

// whoOf is who has been let in on a connection; the zero Identity for nobody.
func whoOf(ctx ssh.Context) Identity {
	p := ctx.Permissions()
	if p == nil || p.Permissions == nil {
		return Identity{}
	}
	return Identity{p.Extensions[extName], Role(p.Extensions[extRole]), p.Extensions[extPrint]}
}
