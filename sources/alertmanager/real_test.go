package alertmanager_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/alertmanager"
	"relctl-tui/sources/prometheus"
)

// soon is how long a scrape, a rule and a notification may take on a busy machine.
const soon = 90 * time.Second

func TestAnAlertFiresIsSilencedIsInhibitedAndIsResolved(t *testing.T) {
	t.Parallel()
	m, f := startManager(t), startFactory(t)
	s := open(t, m.url, alertmanager.Options{})
	require.Empty(t, byName(t, s))
	began := time.Now()
	f.errors.Store(1)
	p, err := prometheus.New("prom", startPrometheus(t, f, m), prometheus.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })

	until := func(what string, state sources.AlertState) (a sources.Alert) {
		t.Helper()
		require.Eventually(t, func() bool {
			var there bool
			a, there = byName(t, s)["HighErrorRate"]
			return there && a.State == state
		}, soon, 50*time.Millisecond, what)
		return a
	}
	a := until("it fires", sources.AlertFiring)
	require.Equal(t, "am", a.Source)
	require.Equal(t, "warning", a.Severity)
	require.Equal(t, "checkout fails", a.Summary)
	require.Equal(t, "checkout", a.Service)
	require.Equal(t, "checkout-v2", a.Flag)
	require.WithinRange(t, a.Since, began.Add(-5*time.Second), time.Now())
	require.Empty(t, a.Why)
	evaluated := byName(t, p)
	require.Equal(t, a.ID, evaluated["HighErrorRate"].ID, "both know the same alert")
	require.Equal(t, a.Labels, evaluated["HighErrorRate"].Labels)
	require.Equal(t, sources.AlertPending, evaluated["SlowLedger"].State)
	require.NotContains(t, byName(t, s), "SlowLedger", "what is pending is not told yet")

	end := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	m.silence(t, "HighErrorRate", "zoe", "short", end.Add(-time.Minute))
	id := m.silence(t, "HighErrorRate", "ana", "we move the\ndatabase", end)
	a = until("it is silenced", sources.AlertSilenced)
	require.Equal(t, "silenced by ana: we move the database (and 1 more)", a.Why)
	require.Equal(t, end, a.Until.UTC())
	require.Equal(t, evaluated["HighErrorRate"].ID, a.ID)
	require.Equal(t, sources.AlertFiring, byName(t, p)["HighErrorRate"].State, "Prometheus knows nothing of silences")
	m.do(t, http.MethodDelete, "/api/v2/silence/"+id, nil, nil)
	a = until("one silence is left", sources.AlertSilenced)
	require.Equal(t, "silenced by zoe: short", a.Why)
	var left []struct{ ID string }
	m.do(t, http.MethodGet, "/api/v2/silences", nil, &left)
	for _, l := range left {
		if l.ID != id {
			m.do(t, http.MethodDelete, "/api/v2/silence/"+l.ID, nil, nil)
		}
	}
	a = until("no silence is left", sources.AlertFiring)
	require.Empty(t, a.Why)
	require.Zero(t, a.Until)

	f.down.Store(1)
	a = until("another explains it", sources.AlertSilenced)
	require.Equal(t, "inhibited by DataCentreDown", a.Why)
	require.Zero(t, a.Until)
	require.Equal(t, sources.AlertFiring, byName(t, s)["DataCentreDown"].State)

	f.down.Store(0)
	until("the explanation is gone", sources.AlertFiring)
	f.errors.Store(0)
	require.Eventually(t, func() bool {
		return len(byName(t, s)) == 0 && len(byName(t, p)) == 1
	}, soon, 50*time.Millisecond, "it is resolved")
}

// basic adds a user to each request.
type basic struct {
	http.RoundTripper
	password string
}

func (b basic) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.SetBasicAuth("ana", b.password)
	return b.RoundTripper.RoundTrip(req)
}

func TestAnAlertmanagerBelowAPathWantsItsPasswordAndItsPath(t *testing.T) {
	t.Parallel()
	m := startManager(t, "--web.route-prefix=/am",
		"--web.config.file="+write(t, "web.yml", `basic_auth_users: {ana: "$2a$04$IkjZA8OqmwLkAoSY3HjyDer0Dk5cqU/.aqh3V64tmeDwyX.zBDMCm"}`))
	for name, c := range map[string]struct {
		path, password string
		is             error
		says           string
	}{
		"right":          {"/am/", "hunter2", nil, ""},
		"wrong password": {"/am", "hunter3", sources.ErrUnauthorized, "am: 127.0.0.1:"},
		"wrong path":     {"/alertmanager", "hunter2", sources.ErrInvalid, "has no Alertmanager at that address (404 at /api/v2/alerts), check its path"},
	} {
		// Nothing is kept open: the server may go first.
		s := open(t, "alertmanager+"+m.url+c.path, alertmanager.Options{Transport: basic{m.client.Transport, c.password}})
		err := second(s.Alerts(t.Context()))
		if c.is == nil {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, c.is, name)
		require.ErrorContains(t, err, c.says, name)
		require.NotContains(t, err.Error(), c.password)
	}
}
