package unleash_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/unleash"
)

// follow starts a watch and gives its next event.
func follow(t testing.TB, d unleash.Driver) func() sources.FlagEvent {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	events, err := d.Watch(ctx, "")
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		for range events { // until it is closed
		}
	})
	return func() sources.FlagEvent {
		t.Helper()
		select {
		case e := <-events:
			return e
		case <-time.After(time.Minute):
			t.Error("no event came")
			runtime.Goexit()
			return sources.FlagEvent{}
		}
	}
}

func find(e sources.FlagEvent, key string) *sources.Flag {
	if e.Set == nil {
		return nil
	}
	for i := range e.Set.Flags {
		if e.Set.Flags[i].ID.Key == key {
			return &e.Set.Flags[i]
		}
	}
	return nil
}

func TestWhileNothingChangesOnlyTheETagIsAskedFor(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		p, key := s.project(t), unique("f")
		s.flag(t, p, key, "release", gradual("25"))
		var modified atomic.Int32
		w := &wire{}
		d := connect(t, s, p, func(o *unleash.Options) {
			o.Transport = counting{w, &modified}
			o.Every = 20 * time.Millisecond
		})
		next := follow(t, d)
		require.NotNil(t, find(next(), key))
		// Other tests change other projects meanwhile, which the mark of the whole
		// server shows: such a change costs one look at this project's log.
		modified.Store(0)
		w.forget()
		eventually(t, "a hundred polls", func() bool { return w.count("/api/client/features") >= 100 })
		asked := w.calls()
		asked = asked[slices.Index(asked, "GET /api/client/features"):] // what is before it belongs to a mark before
		events := 0
		for _, call := range asked {
			switch call {
			case "GET /api/client/features":
			case "GET /api/admin/search/events":
				events++
			default:
				require.Fail(t, "asked in the steady state: "+call)
			}
		}
		require.LessOrEqual(t, events, int(modified.Load()), "the log is asked when the mark changed, and only then")
	})
}

// counting counts answers of the client endpoint that were not 304.
type counting struct {
	next     http.RoundTripper
	modified *atomic.Int32
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusOK && strings.HasSuffix(r.URL.Path, "/client/features") {
		c.modified.Add(1)
	}
	return resp, err
}

func TestAnotherOperatorsChangeIsSeenWithItsAuthorAndWithoutAnotherList(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		name := unique("ana")
		ana := s.someone(t, name, 2)
		for kind, change := range map[string]func(*unleash.Options){
			"ETag":      func(*unleash.Options) {},
			"event log": func(o *unleash.Options) { o.ClientToken = nil },
		} {
			key := unique("f")
			ids := s.flag(t, "default", key, "release", gradual("25"))
			w := &wire{}
			next := follow(t, connect(t, s, "default", change, func(o *unleash.Options) { o.Transport = w }))
			first := next()
			require.Equal(t, "admin", find(first, key).ChangedBy, kind)
			w.forget()
			status, raw := s.Raw(t, ana, http.MethodPatch, path("default", key)+"/environments/"+env+"/strategies/"+ids[0],
				[]map[string]any{{"op": "replace", "path": "/parameters/rollout", "value": "40"}})
			require.Equal(t, http.StatusOK, status, "%s", raw)
			for f := (*sources.Flag)(nil); f == nil || f.Rollout.V != sources.Pct(40); f = find(next(), key) {
			}
			status, raw = s.Raw(t, ana, http.MethodPost, path("default", key)+"/environments/"+env+"/off", nil)
			require.Equal(t, http.StatusOK, status, "%s", raw)
			var f *sources.Flag
			for f == nil || !f.Killed {
				f = find(next(), key)
			}
			require.Contains(t, f.ChangedBy, name)
			require.WithinDuration(t, time.Now(), f.ChangedAt, time.Minute)
			require.Zero(t, w.count("export"), kind)
		}
	})
}

func TestFlagsThatComeAndGoAreSeen(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	p, stays, goes, comes := s.project(t), unique("f"), unique("f"), unique("f")
	s.flag(t, p, stays, "release", gradual("25"))
	s.flag(t, p, goes, "release", gradual("25"))
	w := &wire{}
	next := follow(t, connect(t, s, p, func(o *unleash.Options) { o.Transport = w }))
	require.Len(t, next().Set.Flags, 2)
	w.forget()
	s.Must(t, http.MethodDelete, path(p, goes), nil, nil)
	for find(next(), goes) != nil {
	}
	s.flag(t, p, comes, "kill-switch", gradual("7"))
	for f := (*sources.Flag)(nil); f == nil || f.Rollout.V != sources.Pct(7); f = find(next(), comes) {
	}
	require.Zero(t, w.count("export"))
}

func TestWhoChangedWhatIsReadFurtherBackThanTheFirstTableWaitsFor(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	const n = 600
	p := s.crowd(t, n)
	w := &wire{}
	next := follow(t, connect(t, s, p, func(o *unleash.Options) { o.Transport = w }))
	known := func(set *sources.FlagSet) (k int) {
		for _, f := range set.Flags {
			if f.ChangedBy == "ana@example.com" {
				k++
			}
		}
		return k
	}
	first := known(next().Set)
	require.Positive(t, first)
	require.Less(t, first, n)
	eventually(t, "the rest is read", func() bool { return w.count("/search/events") >= 2 })
	s.Must(t, http.MethodPost, path(p, p+"-2")+"/environments/"+env+"/off", nil, nil)
	require.Equal(t, n-1, known(next().Set), "all but the one that the admin has changed now")
}

func TestMoreChangesThanOneLookReadsLoseNothing(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	const n = 60
	p := s.crowd(t, n)
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("%s-%d", p, i+1))
	}
	hold := make(chan struct{})
	w := &wire{before: func(r *http.Request, _ []byte) {
		if strings.HasSuffix(r.URL.Path, "/client/features") && r.Header.Get("If-None-Match") != "" {
			<-hold
		}
	}}
	next := follow(t, connect(t, s, p, func(o *unleash.Options) { o.Transport = w }))
	require.Len(t, next().Set.Flags, len(keys))
	s.Must(t, http.MethodPost, "/api/admin/projects/"+p+"/bulk_features/environments/"+env+"/off", map[string]any{"features": keys}, nil)
	close(hold)
	for {
		e := next()
		require.NoError(t, e.Err)
		on := 0
		for _, f := range e.Set.Flags {
			if !f.Killed {
				on++
			}
		}
		if on == 0 {
			break
		}
	}
}

func TestAWatchSaysOnceThatTheServerIsGoneAndHealsByItself(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	p, key := s.project(t), unique("f")
	s.flag(t, p, key, "release", gradual("25"))
	var down, half atomic.Bool
	w := &wire{answer: func(r *http.Request) *http.Response {
		if down.Load() || half.Load() && strings.Contains(r.URL.Path, "/features/"+key) {
			return answers(503, `{"message":"down for maintenance"}`)
		}
		return nil
	}}
	next := follow(t, connect(t, s, p, func(o *unleash.Options) { o.Transport = w }))
	require.NotNil(t, next().Set)
	down.Store(true)
	e := next()
	require.ErrorIs(t, e.Err, sources.ErrUnavailable)
	require.ErrorContains(t, e.Err, "down for maintenance")
	w.forget()
	eventually(t, "it goes on asking", func() bool { return len(w.calls()) > 5 })
	s.Must(t, http.MethodPost, path(p, key)+"/environments/"+env+"/off", nil, nil)
	w.forget()
	half.Store(true)
	down.Store(false)
	healed := make(chan struct{})
	go func() {
		defer close(healed)
		for f := (*sources.Flag)(nil); f == nil || !f.Killed; f = find(next(), key) { // errors of the single flag, too
		}
	}()
	eventually(t, "the flag cannot be read though the log names it", func() bool { return w.count("/features/"+key) > 2 })
	half.Store(false)
	<-healed
	require.Zero(t, w.count("export"), "nothing was lost that only the whole list would bring back")
}

func TestAWatchLeavesTheServerAloneForAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	w := &wire{answer: func(*http.Request) *http.Response { return answers(429, `{}`, "Retry-After", "1") }}
	d, err := unleash.New("u", "http://unleash.example", unleash.Options{
		Project: "p", Environment: env, Token: token(adminToken), Every: time.Millisecond, Transport: w,
	})
	require.NoError(t, err)
	began := time.Now()
	next := follow(t, d)
	require.Error(t, next().Err)
	eventually(t, "a second try", func() bool { return len(w.calls()) > 1 })
	require.GreaterOrEqual(t, time.Since(began), time.Second)
}

func TestATokenForAnotherEnvironmentIsNeverAskedWithAndTheLogIsFollowedInstead(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	p, key := s.project(t), unique("f")
	s.flag(t, p, key, "release", gradual("25"))
	for _, wrong := range []string{adminToken, "*:development.be-0123456789"} {
		w := &wire{}
		d := connect(t, s, p, func(o *unleash.Options) { o.Transport, o.ClientToken, o.FrontendToken = w, token(wrong), token(wrong) })
		next := follow(t, d)
		e := next()
		require.NotNil(t, find(e, key))
		require.Len(t, e.Set.Warnings, 1)
		require.Contains(t, e.Set.Warnings[0], "make a backend token for it")
		r := apply(t, d, kill(key))
		for f := (*sources.Flag)(nil); f == nil || !f.Killed; f = find(next(), key) {
		}
		require.Zero(t, w.count("/api/client"), "an admin token is answered for development there")
		_, err := any(d).(sources.Verifier).Verify(t.Context(), r)
		require.ErrorIs(t, err, sources.ErrUnauthorized)
		require.Zero(t, w.count("/api/frontend"))
		apply(t, d, undo(key, r))
	}
}

func TestTheEventLogIsHistory(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		name := unique("ana")
		key := unique("f")
		s.flag(t, "default", key, "release", gradual("25"))
		d := connect(t, s, "default", as(s.someone(t, name, 2)))
		up := apply(t, d, ramp(key, 60))
		apply(t, d, undo(key, up))
		down := apply(t, d, kill(key))
		apply(t, d, undo(key, down))
		apply(t, d, kill(key))
		apply(t, d, ramp(key, 5))
		all, err := d.History(t.Context(), 200)
		require.NoError(t, err)
		var lines []string
		for _, r := range all {
			if r.Flag.Key != key {
				continue
			}
			require.Equal(t, "u", r.Flag.Source)
			require.Empty(t, r.ID)
			require.WithinDuration(t, time.Now(), r.At, time.Minute)
			if strings.Contains(r.Actor, name) {
				lines = append(lines, fmt.Sprintf("%s %s→%s", r.Kind, r.Old, r.New))
			}
		}
		require.Equal(t, []string{
			"ramp killed→5%", "kill 25%→killed", "ramp killed→25%", "kill 25%→killed", "back 60%→25%", "ramp 25%→60%",
		}, lines, "newest first")
		few, err := d.History(t.Context(), 2)
		require.NoError(t, err)
		require.LessOrEqual(t, len(few), 2)
	})
}
