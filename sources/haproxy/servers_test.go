package haproxy_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/haproxy"
	"relctl-tui/sources/sourcetest"
)

func servers(t *testing.T, address, backend string) *haproxy.Servers {
	t.Helper()
	s, err := haproxy.NewServers("lb", address, haproxy.ServersOptions{Backend: backend})
	require.NoError(t, err)
	return s
}

func TestServersOfARealHAProxySwitchAsTheSuiteWantsIt(t *testing.T) {
	sourcetest.Switcher(t, func(t *testing.T) sourcetest.Switchable {
		return sourcetest.Switchable{Driver: servers(t, start(t, backends).socket, ""), Closed: "api/canary"}
	})
}

func one(t *testing.T, s *haproxy.Servers, name string) sources.Breaker {
	t.Helper()
	set, err := s.Breakers(t.Context())
	require.NoError(t, err)
	for _, b := range set.Breakers {
		if b.Name == name {
			return b
		}
	}
	t.Fatalf("no breaker %s in %v", name, set.Breakers)
	return sources.Breaker{}
}

func TestAServerThatIsForcedOpenGetsNothingAndTheOtherAll(t *testing.T) {
	p := start(t, backends)
	s := servers(t, p.socket, "api")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	require.Positive(t, p.ask(t, 8, client)["canary"])
	require.NoError(t, s.SwitchBreaker(t.Context(), "api/canary", map[string]string{"lb": "maint"})["lb"])
	require.Equal(t, map[string]int{"stable": 8}, p.ask(t, 8, client))
	b := one(t, s, "api/canary")
	require.Equal(t, sources.BreakerForcedOpen, b.State)
	require.NoError(t, s.SwitchBreaker(t.Context(), "api/stable", map[string]string{"lb": "maint"})["lb"])
	require.Contains(t, one(t, s, "api/stable").Note, "nobody serves api")
	require.NoError(t, s.SwitchBreaker(t.Context(), "api/canary", map[string]string{"lb": "ready"})["lb"])
	require.Equal(t, map[string]int{"canary": 4}, p.ask(t, 4, client))
}

func TestDrainDownAndTrackedServersAreToldApart(t *testing.T) {
	p := start(t, `
backend api
  option httpchk
  default-server inter 50ms fall 1 rise 4
  server up %[1]s
  server down 127.0.0.1:1 check
  server leader %[1]s check
  server follower %[2]s track api/leader
`)
	s := servers(t, p.socket, "")
	require.Eventually(t, func() bool { return one(t, s, "api/down").State == sources.BreakerOpen }, patience, 20*time.Millisecond)
	require.Contains(t, one(t, s, "api/down").Note, "DOWN by its health check")
	for name, threshold := range map[string]string{
		"api/down": "1 failed health checks in a row, closes at 4 good ones", "api/up": "no health check of its own, so only by hand",
	} {
		d, err := s.InspectBreaker(t.Context(), name)
		require.NoError(t, err)
		require.Contains(t, d.Facts, sources.Fact{Name: "opens at", Text: threshold})
	}
	p.tell(t, "set server api/up state drain")
	up := one(t, s, "api/up")
	require.Equal(t, sources.BreakerForcedOpen, up.State)
	require.Contains(t, up.Note, "drained")
	list, err := s.BreakerInstances(t.Context(), "api/up")
	require.NoError(t, err)
	require.Equal(t, "drain", list[0].Returns, "an undo has to bring back drain and not ready")
	p.tell(t, "set server api/leader state maint")
	list, err = s.BreakerInstances(t.Context(), "api/follower")
	require.NoError(t, err)
	require.Equal(t, sources.BreakerForcedOpen, list[0].State)
	require.Empty(t, list[0].Closes, "what follows another cannot be let go by itself")
}

func TestASocketThatMayOnlyLookSaysSoWithTheListAndWhenItRefuses(t *testing.T) {
	p := start(t, backends)
	s := servers(t, p.socket+"-operator", "")
	set, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.Contains(t, set.ReadOnly, "level admin")
	require.ErrorIs(t, s.SwitchBreaker(t.Context(), "api/canary", map[string]string{"lb": "maint"})["lb"], sources.ErrReadOnly)
}

func TestAServersErrorRatioIsOfTheAnswersSinceTheLastRead(t *testing.T) {
	p := start(t, backends)
	s := servers(t, p.socket, "api")
	require.False(t, one(t, s, "api/canary").ErrorRatio.OK, "the first read has nothing to compare with")
	p.ask(t, 8, http.DefaultClient)
	b := one(t, s, "api/canary")
	require.Equal(t, sources.Some(0.0), b.ErrorRatio)
	require.False(t, one(t, s, "api/canary").ErrorRatio.OK, "no answer since is no ratio")
	d, err := s.InspectBreaker(t.Context(), "api/canary")
	require.NoError(t, err)
	require.Contains(t, d.Facts, sources.Fact{Name: "set to", Text: "ready"})
	require.Contains(t, d.Facts, sources.Fact{Name: "beside it", Text: "1 more of api take requests"})
}
