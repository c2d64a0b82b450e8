package launchdarkly_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/launchdarkly"
)

// polls is a watch whose polls happen when the test says so.
type polls struct {
	t      *testing.T
	svc    *service
	store  *launchdarkly.Store
	events <-chan sources.FlagEvent
	waits  chan time.Duration // what the watch wants to wait for, when it begins to
	next   chan struct{}
	mu     sync.Mutex
	at     time.Time
}

func watched(t *testing.T) *polls {
	t.Helper()
	svc, url := serve(t)
	p := &polls{t: t, svc: svc, waits: make(chan time.Duration), next: make(chan struct{}), at: svc.now()}
	s := open(t, url, "api-writer", func(o *launchdarkly.Options) {
		o.Random = func(below time.Duration) time.Duration { return below - 1 }
		o.Now = func() time.Time {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.at
		}
		o.Wait = func(ctx context.Context, d time.Duration) {
			select {
			case p.waits <- d:
			case <-ctx.Done():
				return
			}
			select {
			case <-p.next:
			case <-ctx.Done():
			}
		}
	})
	p.store = s
	ctx, cancel := context.WithCancel(t.Context())
	var err error
	p.events, err = s.Watch(ctx, "")
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		for range p.events { // until it is closed
		}
	})
	return p
}

// quiet is that the watch waits now, having sent nothing, and for how long.
func (p *polls) quiet() time.Duration {
	p.t.Helper()
	select {
	case e := <-p.events:
		require.Fail(p.t, "an event came", "%+v", e)
		return 0
	case d := <-p.waits:
		return d
	case <-time.After(20 * time.Second):
		require.Fail(p.t, "the watch does not go on")
		return 0
	}
}

func (p *polls) event() sources.FlagEvent {
	p.t.Helper()
	select {
	case e, ok := <-p.events:
		require.True(p.t, ok)
		return e
	case <-time.After(20 * time.Second):
		require.Fail(p.t, "no event came")
		return sources.FlagEvent{}
	}
}

// poll lets the watch look again after some time, and gives what it asked for then.
func (p *polls) poll(later time.Duration) {
	p.mu.Lock()
	p.at = p.at.Add(later)
	p.mu.Unlock()
	p.svc.with(func() { p.svc.requests = nil })
	p.next <- struct{}{}
}

func (p *polls) asked() (out []string) {
	p.svc.with(func() { out = p.svc.requests })
	return out
}

const (
	theLog  = "GET /api/v2/auditlog"
	theList = "GET /api/v2/flags/" + project
)

func TestAWatchReadsTheListOnlyWhenTheLogTellsOfAChange(t *testing.T) {
	t.Parallel()
	p := watched(t)
	first := p.event().Set
	require.Len(t, first.Flags, 3)
	require.Equal(t, 11*time.Second, p.quiet(), "ten seconds, and a tenth at random")
	for range 5 {
		p.poll(10 * time.Second)
		p.quiet()
		require.Equal(t, []string{theLog}, p.asked())
	}
	p.svc.with(func() {
		f := p.svc.flags["checkout"]
		next := *f.Env[production]
		next.On = false
		p.svc.change(f, production, next, "by somebody")
	})
	p.poll(10 * time.Second)
	require.True(t, p.event().Set.Flags[0].Killed)
	p.quiet()
	require.Equal(t, []string{theLog, theList}, p.asked())
	p.poll(10 * time.Second)
	p.quiet()
	require.Equal(t, []string{theLog}, p.asked(), "once for each change")
}

func TestAWatchLooksAtOnceAfterAWriteOfItsOwnStoreWhateverTheLogSays(t *testing.T) {
	t.Parallel()
	p := watched(t)
	first := p.event().Set
	p.quiet() // and there it waits
	p.svc.with(func() { p.svc.lateLog = true })
	_, err := p.store.Apply(t.Context(), sources.Change{ID: "1", Flag: first.Flags[0].ID, Kind: sources.Kill, Actor: "ana"})
	require.NoError(t, err)
	require.True(t, p.event().Set.Flags[0].Killed)
	p.quiet()
}

func TestAWatchReadsTheListNowAndThenAnyway(t *testing.T) {
	t.Parallel()
	p := watched(t)
	p.event()
	p.quiet()
	p.svc.with(func() { p.svc.flags["checkout"].Team = "red" }) // nothing of it in the log
	p.poll(10 * time.Second)
	p.quiet()
	p.poll(2 * time.Minute)
	require.Equal(t, "red", p.event().Set.Flags[0].Owner)
	p.quiet()
	p.poll(2 * time.Minute)
	p.quiet() // read, and the same
	require.Contains(t, p.asked(), theList)
}

func TestAWatchWithoutTheLogReadsTheListEachTime(t *testing.T) {
	t.Parallel()
	p := watched(t)
	p.event()
	p.quiet()
	p.svc.with(func() {
		p.svc.spoil = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/api/v2/auditlog" {
				refuse(w, 403, "forbidden", "no")
				return true
			}
			return false
		}
	})
	p.poll(time.Second)
	p.quiet()
	require.Equal(t, []string{theLog, theList}, p.asked())
}

func TestAWatchTellsOfAFailureWaitsAsLongAsItIsToldAndHeals(t *testing.T) {
	t.Parallel()
	p := watched(t)
	first := p.event().Set
	p.quiet()
	fail := func(status int, after string) {
		p.svc.with(func() {
			p.svc.spoil = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Retry-After", after)
				refuse(w, status, "x", "y")
				return true
			}
		})
	}
	fail(429, "60")
	p.poll(time.Second)
	require.ErrorIs(t, p.event().Err, sources.ErrUnavailable)
	require.Equal(t, 66*time.Second, p.quiet())
	require.Len(t, p.asked(), 1, "a server that wants to be left alone is not asked twice")
	fail(500, "")
	p.poll(time.Second)
	require.ErrorIs(t, p.event().Err, sources.ErrUnavailable)
	require.Equal(t, 11*time.Second, p.quiet())
	p.svc.with(func() { p.svc.spoil = nil })
	p.poll(time.Second)
	require.Equal(t, first.Revision, p.event().Set.Revision, "the same set again, since the last event was a failure")
}

func TestThePauseBetweenPollsIsBounded(t *testing.T) {
	t.Parallel()
	for poll, want := range map[time.Duration]time.Duration{
		0: 10 * time.Second, time.Millisecond: time.Second, time.Hour: 10 * time.Minute,
	} {
		_, url := serve(t)
		waits := make(chan time.Duration, 1)
		s := open(t, url, "api-writer", func(o *launchdarkly.Options) {
			o.Poll, o.Random = poll, func(time.Duration) time.Duration { return 0 }
			o.Wait = func(ctx context.Context, d time.Duration) {
				select {
				case waits <- d:
				default:
				}
				<-ctx.Done()
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		events, err := s.Watch(ctx, "")
		require.NoError(t, err)
		<-events
		require.Equal(t, want, <-waits)
		cancel()
		for range events { // until it is closed
		}
	}
}
