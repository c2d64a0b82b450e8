package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"relctl-tui/sources"
)

// Options make a Store. Endpoints are required, the rest has a default.
type Options struct {
	Endpoints []string // URLs ("http://host:2379"), or host:port for http
	Prefix    string   // what all keys begin with; "" for DefaultPrefix

	// Login gives the user and password, and is asked anew for each login, so
	// that a rotated password needs no restart. nil, or an empty user, for none.
	Login func() (user, password string, err error)
	TLS   *tls.Config // nil for none, or for the system's authorities with https endpoints

	Timeout time.Duration    // for one read or write as a whole; 0 for 5 s
	Now     func() time.Time // nil for time.Now
	Dial    []grpc.DialOption

	// Silence is how long a watch hears nothing before its connection counts as
	// lost; 0 for 2.5 s.
	Silence time.Duration

	answer int // the most bytes of one answer
}

// Store is the flags below one prefix of one cluster. It is goroutine-safe and
// connects at its first use; Close it when it is not needed any more.
type Store struct {
	name   string
	at     layout
	opts   Options
	life   context.Context //nolint:containedctx // the life of the connection, which outlives each call
	end    context.CancelFunc
	bg     sync.WaitGroup
	writes atomic.Int64

	pass pass

	mu      sync.Mutex
	cli     *clientv3.Client
	closed  bool
	cluster uint64 // ID of the cluster that answers; 0 before the first answer

	memory memory
	rights rights
	cards  cards
}

var (
	_ sources.FlagLister  = (*Store)(nil)
	_ sources.FlagGetter  = (*Store)(nil)
	_ sources.FlagWatcher = (*Store)(nil)
	_ sources.FlagWriter  = (*Store)(nil)
	_ sources.Auditor     = (*Store)(nil)
	_ sources.Exporter    = (*Store)(nil)
	_ sources.Importer    = (*Store)(nil)
)

const (
	defaultTimeout = 5 * time.Second
	defaultSilence = 2500 * time.Millisecond
	maxAnswer      = 256 << 20 // bytes of one answer: a page of flags at etcd's own limit for each
)

// New is the store of that name. It opens nothing; its errors are about Options.
func New(name string, o Options) (*Store, error) {
	at, err := layoutOf(o.Prefix)
	if err != nil {
		return nil, err
	}
	if len(o.Endpoints) == 0 {
		return nil, fmt.Errorf("no endpoint of etcd is named: %w", sources.ErrInvalid)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Silence <= 0 {
		o.Silence = defaultSilence
	}
	if o.answer == 0 {
		o.answer = maxAnswer
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{name: name, at: at, opts: o}
	s.life, s.end = context.WithCancel(context.Background())
	return s, nil
}

// Close ends every call and watch and closes the connection. It may be called twice.
func (s *Store) Close() error {
	s.end()
	s.mu.Lock()
	cli := s.cli
	s.cli, s.closed = nil, true
	s.mu.Unlock()
	s.bg.Wait()
	if cli == nil {
		return nil
	}
	if err := cli.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return s.wrap(fmt.Errorf("closing: %w: %w", err, sources.ErrUnavailable))
	}
	return nil
}

// client is the connection, which is made when there is none. It does not wait.
func (s *Store) client() (*clientv3.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if s.cli != nil {
		return s.cli, nil
	}
	cli, err := clientv3.New(clientv3.Config{
		Endpoints: s.opts.Endpoints, TLS: s.opts.TLS, Context: s.life,
		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 3 * time.Second,
		MaxCallRecvMsgSize: s.opts.answer,
		MaxUnaryRetries:    1, // call has the patience
		Logger:             zap.NewNop(),
		// What was away for an hour is found within two seconds of its return.
		DialOptions: append([]grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 2 * time.Second,
		}), grpc.WithChainUnaryInterceptor(failFast), grpc.WithPerRPCCredentials(&s.pass)}, s.opts.Dial...),
	})
	if err != nil {
		return nil, fmt.Errorf("the address is none (%s): %w", sources.Clean(err.Error(), 100), sources.ErrInvalid)
	}
	s.cli = cli
	return cli, nil
}

var errClosed = fmt.Errorf("the store was closed: %w", sources.ErrUnavailable)

// failFast makes a request say why there is no connection, where the client would
// wait for one without a word. call tries again.
func failFast(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return invoke(ctx, method, req, reply, cc, append(opts, grpc.WaitForReady(false))...)
}

const (
	firstPause = 20 * time.Millisecond
	lastPause  = 500 * time.Millisecond
)

// call runs one request until it is answered, fails for good, or the time is up. A
// request is one that may be sent twice: a read, or a transaction that compares.
func (s *Store) call(ctx context.Context, request func(context.Context, *clientv3.Client) error) error {
	var last error
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		// A connection that hangs must leave time to try another endpoint.
		one, cancel := context.WithTimeout(ctx, s.opts.Timeout/2)
		err := s.once(one, request)
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return timeUp{last: mostTelling(last, err), cause: ctx.Err()}
		case !transient(err):
			return err
		}
		last = mostTelling(last, err)
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return timeUp{last: last, cause: ctx.Err()}
		}
	}
}

// once runs a request, after a login where one is needed.
func (s *Store) once(ctx context.Context, request func(context.Context, *clientv3.Client) error) error {
	cli, err := s.client()
	if err != nil {
		return err
	}
	stale, err := s.signIn(ctx, cli)
	if err != nil {
		return err
	}
	if err = request(ctx, cli); isAny(err, rpctypes.ErrInvalidAuthToken, rpctypes.ErrAuthOldRevision, rpctypes.ErrUserEmpty) {
		s.pass.drop(stale)
	}
	return err
}

// timed bounds a call by the store's own timeout and ends it with the store.
func (s *Store) timed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	stop := context.AfterFunc(s.life, cancel)
	return ctx, func() { stop(); cancel() }
}

// wrap names the source and the cluster in an error's sentence.
func (s *Store) wrap(err error) error {
	return fmt.Errorf("source %s: etcd %s: %w", sources.Clean(s.name, 60), s.where(), err)
}

// where is the endpoints in short.
func (s *Store) where() string {
	list := make([]string, len(s.opts.Endpoints))
	for i, e := range s.opts.Endpoints {
		_, list[i], _ = strings.Cut(e, "://")
		if list[i] == "" {
			list[i] = e
		}
	}
	return sources.Clean(strings.Join(list, ","), 120)
}
