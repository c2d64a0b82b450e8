package publish

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"relctl-tui/sources"
)

const (
	headerTimeout  = 5 * time.Second
	requestTimeout = 15 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeader      = 32 << 10
	lastAnswers    = 5 * time.Second // for requests under way at the end
)

// Follow keeps what is served up to date with the store until ctx ends. One call of
// it is needed, and Serve makes it.
func (s *Server) Follow(ctx context.Context) { s.feed.follow(ctx) }

// Ready waits for the store's first answer, and returns why there is none.
func (s *Server) Ready(ctx context.Context) error {
	select {
	case <-s.feed.looked:
	case <-ctx.Done():
		return fmt.Errorf("the store did not answer: %w", errors.Join(sources.ErrUnavailable, ctx.Err()))
	}
	if v := s.feed.view(); v.edition == nil {
		return v.failure
	}
	return nil
}

// Left is a cleaned sentence for each flag that is not served, because evaluators
// would refuse all flags over it.
func (s *Server) Left() []string {
	v := s.feed.view()
	if v.edition == nil {
		return nil
	}
	var all []string
	for _, l := range v.edition.left {
		all = append(all, fmt.Sprintf("flag %s is not served, applications use the default in their code: %s", l.Name, l.Why))
	}
	return all
}

// Serve follows the store and answers on ln until ctx ends; then requests under way
// are answered, within a bounded time, and it returns nil. A nil conf is plain HTTP.
// It may be called once and closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener, conf *tls.Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		s.Follow(ctx)
	}()
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, TLSConfig: conf,
		// What clients do wrong is counted, and is nobody's to read.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	ended := make(chan error, 1)
	ln = netutil.LimitListener(ln, s.opts.MaxConns)
	go func() {
		if conf != nil {
			ended <- server.ServeTLS(ln, "", "")
			return
		}
		ended <- server.Serve(ln)
	}()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		close(s.closing)
		last, stop := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
		if server.Shutdown(last) != nil {
			_ = server.Close() // whoever still talks is cut off
		}
		stop()
		err = <-ended
	}
	cancel()
	<-followed
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving ended: %s: %w", sources.Clean(err.Error(), 200), sources.ErrUnavailable)
	}
	return nil
}
