package flagsync_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/flagfile"
	"relctl-tui/sources/flagsync"
	"relctl-tui/sources/publish"
	"relctl-tui/sources/sourcetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long something may take that must come. It is no measurement.
const patience = 30 * time.Second

const someFlags = `{"flags": {
  "checkout-v2": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"fractional": [["on", 25], ["off", 75]]}},
  "dark-mode": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"},
  "beta": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"if": [{"ends_with": [{"var": "email"}, "@example.com"]}, "on", "off"]}},
  "esc\u001b[31mape": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}
}}
`

func id(key string) sources.FlagID { return sources.FlagID{Source: "prod", Key: key} }

// bench is a flag file behind the real server.
type bench struct {
	t        *testing.T
	path     string
	file     *flagd.Store
	front    http.Handler // what is in front of the server; it calls next
	next     http.Handler
	requests atomic.Int64
	http     *httptest.Server
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "flags.json")}
	b.write(someFlags)
	b.file = flagd.New("prod", b.path, flagfile.WithPollInterval(5*time.Millisecond), flagfile.WithPatience(time.Millisecond))
	srv := publish.New(b.file, publish.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Follow(ctx)
	}()
	require.NoError(t, srv.Ready(t.Context()))
	b.next = srv
	b.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.requests.Add(1)
		if b.front != nil {
			b.front.ServeHTTP(w, r)
			return
		}
		b.next.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		b.http.CloseClientConnections()
		b.http.Close()
		cancel()
		<-done
	})
	return b
}

func (b *bench) write(content string) {
	b.t.Helper()
	require.NoError(b.t, os.WriteFile(b.path+".new", []byte(content), 0o600))
	require.NoError(b.t, os.Rename(b.path+".new", b.path))
}

func (b *bench) kill(key string) {
	b.t.Helper()
	_, err := b.file.Apply(context.Background(), sources.Change{ID: key, Flag: id(key), Kind: sources.Kill})
	require.NoError(b.t, err)
}

func open(t *testing.T, address string, opts flagsync.Options) *flagsync.Store {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 4}
	opts.Transport = transport
	s, err := flagsync.New("prod", address, opts)
	require.NoError(t, err)
	t.Cleanup(transport.CloseIdleConnections)
	return s
}

func next(t *testing.T, ch <-chan sources.FlagEvent) sources.FlagEvent {
	t.Helper()
	select {
	case e, ok := <-ch:
		require.True(t, ok)
		return e
	case <-time.After(patience):
		require.Fail(t, "no event")
		return sources.FlagEvent{}
	}
}

func killed(e sources.FlagEvent, key string) bool {
	if e.Set == nil {
		return false
	}
	for i := range e.Set.Flags {
		if e.Set.Flags[i].ID.Key == key {
			return e.Set.Flags[i].Killed
		}
	}
	return false
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]flagsync.Options{
		"waiting": {},
		"polled":  {Wait: -1, Poll: 5 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sourcetest.Store(t, func(t *testing.T) sourcetest.Fixture {
				b := newBench(t)
				return sourcetest.Fixture{
					Store: open(t, b.http.URL, opts), Second: b.file,
					Split: id("checkout-v2"), Other: id("dark-mode"), Custom: id("beta"),
				}
			})
		})
	}
}

func TestTheFlagsAreThoseOfTheStoreAndSaidToBeReadOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := open(t, b.http.URL+"/", flagsync.Options{})
	want, err := b.file.Flags(t.Context())
	require.NoError(t, err)
	got, err := s.Flags(t.Context())
	require.NoError(t, err)
	require.Equal(t, want.Flags, got.Flags)
	require.Contains(t, got.ReadOnly, "change them at the store")
	require.NotImplements(t, (*sources.FlagWriter)(nil), s)
}

func TestAChangeIsSeenThroughAWaitThatCostsOneRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := open(t, b.http.URL, flagsync.Options{Poll: time.Hour})
	set, err := s.Flags(t.Context())
	require.NoError(t, err)
	ch := sourcetest.Watch(t, s, set.Revision)
	require.Eventually(t, func() bool { return b.requests.Load() >= 3 }, patience, time.Millisecond, "it has asked and waits now")
	_ = ch
	b.kill("dark-mode")
	require.True(t, killed(next(t, ch), "dark-mode"), "an hour's poll would not see it")
	b.kill("checkout-v2")
	require.True(t, killed(next(t, ch), "checkout-v2"))
	require.LessOrEqual(t, b.requests.Load(), int64(6))
}

func TestASourceThatDoesNotWaitIsPolled(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.front = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // any web server: no tag, no waiting
		w.Header().Set("Content-Type", "application/json")
		raw, err := os.ReadFile(b.path)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(raw)
	})
	ch := sourcetest.Watch(t, open(t, b.http.URL+"/flags.json", flagsync.Options{Poll: 5 * time.Millisecond}), "")
	require.NotNil(t, next(t, ch).Set)
	b.kill("dark-mode")
	require.True(t, killed(next(t, ch), "dark-mode"))
}

func TestAProxyThatCutsLongAnswersOffIsNoFault(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var cut atomic.Int64
	b.front = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Prefer") != "" {
			cut.Add(1)
			w.WriteHeader(http.StatusGatewayTimeout)
			return
		}
		b.next.ServeHTTP(w, r)
	})
	ch := sourcetest.Watch(t, open(t, b.http.URL, flagsync.Options{Poll: 5 * time.Millisecond}), "")
	require.NotNil(t, next(t, ch).Set)
	require.Eventually(t, func() bool { return cut.Load() == 2 }, patience, time.Millisecond)
	b.kill("dark-mode")
	require.True(t, killed(next(t, ch), "dark-mode"))
	require.EqualValues(t, 2, cut.Load(), "it is polled from then on")
}

func TestAServerThatGoesAwayIsAnErrorOnceAndASetWhenItIsBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	address := sourcetest.FreeAddress(t) // which no outgoing connection takes while nobody listens
	ln, err := net.Listen("tcp", address)
	require.NoError(t, err)
	first := &http.Server{Handler: b.next}
	go func() { _ = first.Serve(ln) }()
	ch := sourcetest.Watch(t, open(t, "http://"+address, flagsync.Options{Poll: 5 * time.Millisecond}), "")
	set := next(t, ch).Set
	require.NotNil(t, set)
	require.NoError(t, first.Close())
	e := next(t, ch)
	require.ErrorIs(t, e.Err, sources.ErrUnavailable)
	require.ErrorContains(t, e.Err, "source prod")
	ln, err = net.Listen("tcp", address)
	require.NoError(t, err)
	again := &http.Server{Handler: b.next}
	go func() { _ = again.Serve(ln) }()
	t.Cleanup(func() { _ = again.Close() })
	for e = next(t, ch); e.Set == nil; e = next(t, ch) { // refused may follow broke off
		require.ErrorIs(t, e.Err, sources.ErrUnavailable)
	}
	require.Equal(t, set.Revision, e.Set.Revision)
}

func TestAServerThatCannotReadItsStoreMakesTheFlagsOld(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := open(t, b.http.URL, flagsync.Options{Poll: 5 * time.Millisecond})
	ch := sourcetest.Watch(t, s, "")
	require.NotNil(t, next(t, ch).Set)
	require.NoError(t, os.Remove(b.path))
	e := next(t, ch)
	require.ErrorIs(t, e.Err, sources.ErrUnavailable)
	require.ErrorContains(t, e.Err, "cannot read its store")
	set, err := s.Flags(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Flags, 4)
	require.Len(t, set.Warnings, 1)
	b.write(someFlags)
	require.NotNil(t, next(t, ch).Set)
	b.kill("dark-mode")
	require.True(t, killed(next(t, ch), "dark-mode"))
}

func TestWhatIsNoSyncSourceIsSaidInOneSentence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		is   error
		says string
	}{
		"a page":      {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, sources.ErrInvalid, "not JSON"},
		"no flags":    {answer(`{"a":1}`), sources.ErrInvalid, "no \"flags\""},
		"half of it":  {answer(someFlags[:200]), sources.ErrInvalid, "not JSON"},
		"no token":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, sources.ErrUnauthorized, "401"},
		"not there":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, sources.ErrNotFound, "404"},
		"not my mode": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, sources.ErrInvalid, "304"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := httptest.NewServer(c.h)
			t.Cleanup(h.Close)
			s := open(t, h.URL, flagsync.Options{Poll: time.Millisecond})
			_, err := s.Flags(t.Context())
			require.ErrorIs(t, err, c.is)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "source prod")
			require.Equal(t, 1, strings.Count(err.Error(), "source prod"), err)
			_, err = s.Flag(t.Context(), id("x"))
			require.ErrorIs(t, err, c.is)
			require.ErrorIs(t, next(t, sourcetest.Watch(t, s, "")).Err, c.is)
		})
	}
}

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}
}

func TestAnAddressWithSecretsOrOfAnotherKindIsRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "host", "ftp://host", "http://u:secret@host", "http://host?token=secret"} {
		_, err := flagsync.New("prod", address, flagsync.Options{})
		require.ErrorIs(t, err, sources.ErrInvalid, address)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestTwoHundredBoardsCostTheServerNothingWhileNothingChanges(t *testing.T) {
	t.Parallel()
	boards := 200
	if testing.Short() {
		boards = 50
	}
	b := newBench(t)
	var all sync.WaitGroup
	seen := make(chan bool, boards)
	for range boards {
		ch := sourcetest.Watch(t, open(t, b.http.URL, flagsync.Options{}), "")
		all.Go(func() {
			<-ch
			e := <-ch
			seen <- killed(e, "dark-mode")
		})
	}
	want := int64(2 * boards) // the first read, and the wait
	require.Eventually(t, func() bool { return b.requests.Load() >= want }, patience, time.Millisecond)
	b.kill("dark-mode")
	all.Wait()
	for range boards {
		require.True(t, <-seen)
	}
	require.LessOrEqual(t, b.requests.Load(), want+int64(boards), "each asked once more")
}
