package haproxy_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// clients is one that opens a connection per request and one that keeps it.
func clients(t *testing.T) map[string]*http.Client {
	t.Helper()
	kept := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(kept.CloseIdleConnections)
	return map[string]*http.Client{"keeps": kept, "closes": {Transport: &http.Transport{DisableKeepAlives: true}}}
}

func TestTrafficFollowsTheRolloutTheKillAndTheUndo(t *testing.T) {
	p := start(t, backends)
	s := store(t, p.socket)
	for how, client := range clients(t) {
		share := func(what string, canary int) {
			t.Helper()
			want := map[string]int{"canary": canary, "stable": 400 - canary}
			for k, v := range want {
				if v == 0 {
					delete(want, k)
				}
			}
			if canary > 0 { // HAProxy evens out the turns after a change; that nobody gets it holds at once
				for round := 0; round < 20 && p.ask(t, 100, client)["canary"] != canary/4; round++ {
				}
			}
			require.Equal(t, want, p.ask(t, 400, client), "%s by a client that %s its connection", what, how)
		}
		for _, percent := range []int{0, 25, 50, 100} {
			set(t, s, "api/canary", sources.Pct(percent))
			share(fmt.Sprint(percent), 4*percent)
		}
		killed := apply(t, s, "api/canary", sources.Change{Kind: sources.Kill})
		share("killed at 100", 0)
		require.Contains(t, killed.Warning, "stable had weight 0 and got 1")
		require.True(t, killed.New.Killed)
		require.Contains(t, killed.New.Note, "a reload brings back 25%")
		undone := apply(t, s, "api/canary", sources.Change{Kind: sources.Undo, Restore: killed.Restore})
		require.Equal(t, killed.Old, undone.New)
		share("undone", 400)

		set(t, s, "api/canary", sources.Pct(25))
		killed = apply(t, s, "api/canary", sources.Change{Kind: sources.Kill})
		share("killed at 25", 0)
		require.Empty(t, killed.Warning)
		require.Equal(t, sources.Some(sources.Pct(25)), killed.New.Stored)
		undone = apply(t, s, "api/canary", sources.Change{Kind: sources.Undo, Restore: killed.Restore})
		require.Empty(t, undone.New.Note, "it stands as it is configured")
		share("undone at 25", 100)
		apply(t, s, "api/canary", sources.Change{Kind: sources.Kill})
		set(t, s, "api/canary", sources.Pct(50))
		p.ask(t, 400, client) // HAProxy's own round robin needs a round or more after a server's return
		share("revived by a ramp", 200)
	}
}

func TestAKillEndsForClientsThatStickToTheCanaryWhichADrainDoesNot(t *testing.T) {
	p := start(t, `
backend api
  cookie SRV insert
  server stable %[1]s weight 50 cookie a
  server canary %[2]s weight 50 cookie b
`)
	s := store(t, p.socket)
	client := &http.Client{Transport: sticky{}}
	require.Equal(t, map[string]int{"canary": 20}, p.ask(t, 20, client))

	p.tell(t, "set server api/canary state drain")
	f := read(t, s, "api/canary")
	require.True(t, f.Killed)
	require.Contains(t, f.Note, "drained: clients that stick to canary still get it")
	require.Equal(t, map[string]int{"canary": 20}, p.ask(t, 20, client))

	p.tell(t, "set server api/canary state ready")
	apply(t, s, "api/canary", sources.Change{Kind: sources.Kill})
	require.Equal(t, map[string]int{"stable": 20}, p.ask(t, 20, client))
}

// sticky is a client that HAProxy has given to the canary.
type sticky struct{}

func (sticky) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Cookie", "SRV=b")
	r.Close = true
	return http.DefaultTransport.RoundTrip(r)
}

func TestWhileItRampsNoRequestIsLostAndTheKilledCanaryGetsNone(t *testing.T) {
	p := start(t, backends)
	s := store(t, p.socket)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	stop, done := make(chan struct{}), make(chan map[string]int)
	go func() {
		got := map[string]int{}
		for {
			select {
			case <-stop:
				done <- got
				return
			default:
				for k, v := range p.ask(t, 1, client) {
					got[k] += v
				}
			}
		}
	}()
	for range 20 {
		for _, to := range []int{0, 100, 1, 99, 50} {
			r := set(t, s, "api/canary", sources.Pct(to))
			k := apply(t, s, "api/canary", sources.Change{Kind: sources.Kill, Seen: r.New.Revision})
			apply(t, s, "api/canary", sources.Change{Kind: sources.Undo, Restore: k.Restore, Seen: k.New.Revision})
		}
	}
	close(stop)
	got := <-done
	require.Positive(t, got["stable"])
	require.Len(t, got, min(2, len(got)), "%v", got)
	for answer := range got {
		require.Contains(t, []string{"stable", "canary"}, answer, "nobody was turned away: %v", got)
	}
}

func TestAReloadLosesWhatWasRampedAndTheNoteSaidSo(t *testing.T) {
	p := start(t, backends)
	s := store(t, p.socket)
	r := set(t, s, "api/canary", sources.Pct(50))
	require.Equal(t, "a reload brings back 25%", r.New.Note)
	k := apply(t, s, "api/canary", sources.Change{Kind: sources.Kill})

	program, err := exec.LookPath("haproxy")
	require.NoError(t, err)
	p.stop(t)
	_, err = s.Flags(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.Contains(t, err.Error(), "nobody listens at "+p.socket)
	p.run(t, program, p.dir+"/haproxy.cfg")

	f := read(t, s, "api/canary")
	require.Equal(t, sources.Some(sources.Pct(25)), f.Rollout)
	require.Empty(t, f.Note)
	_, err = s.Apply(t.Context(), sources.Change{ID: "u", Flag: f.ID, Kind: sources.Undo, Seen: k.New.Revision, Restore: k.Restore})
	require.ErrorIs(t, err, sources.ErrConflict, "what was killed is not what is there now")
}
