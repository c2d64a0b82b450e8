package prometheus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/prometheus"
	"relctl-tui/sources/sourcetest"
)

const rules = `
groups:
- name: release
  interval: 1s
  rules:
  - alert: HighErrorRate
    expr: vector(7) > 5
    labels: {severity: critical, service: checkout, feature_flag_key: checkout-v2}
    annotations: {summary: "Errors at {{ $value }} %"}
  - alert: SlowLedger
    expr: vector(1)
    for: 1h
    labels: {severity: warning, deployment: ledger, namespace: shop}
    annotations: {description: "The ledger is slow"}
  - alert: Quiet
    expr: vector(1) > 5
`

func TestAlertsOfARealServerAreFiringAndPending(t *testing.T) {
	t.Parallel()
	bin := sourcetest.RealTool(t, "prometheus", "apt-get install prometheus")
	dir, addr := t.TempDir(), sourcetest.FreeAddress(t)
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte("rule_files: [rules.yml]\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yml"), []byte(rules), 0o600))
	began := time.Now()
	sourcetest.Run(t, bin, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--log.level=error")
	s := open(t, "http://"+addr, prometheus.Options{})
	var set sources.AlertSet
	require.Eventually(t, func() bool {
		var err error
		set, err = s.Alerts(t.Context())
		return err == nil && len(set.Alerts) == 2
	}, time.Minute, 100*time.Millisecond)
	require.Empty(t, set.Warnings)
	require.WithinDuration(t, time.Now(), set.ReadAt, 10*time.Second)

	fires, waits := set.Alerts[0], set.Alerts[1]
	for _, a := range set.Alerts {
		require.WithinRange(t, a.Since, began.Add(-time.Second), time.Now())
	}
	labels := map[string]string{"alertname": "HighErrorRate", "severity": "critical", "service": "checkout", "feature_flag_key": "checkout-v2"}
	require.Equal(t, sources.Alert{
		Source: "prod", ID: sources.AlertOf("any", labels, nil).ID, Name: "HighErrorRate", State: sources.AlertFiring, Severity: "critical",
		Summary: "Errors at 7 %", Service: "checkout", Flag: "checkout-v2", Labels: labels, Since: fires.Since, Value: "7e+00",
	}, fires)
	require.Equal(t, "SlowLedger", waits.Name)
	require.Equal(t, sources.AlertPending, waits.State)
	require.Equal(t, "shop/ledger", waits.Service)
	require.Equal(t, "The ledger is slow", waits.Summary)

	again, err := s.Alerts(t.Context())
	require.NoError(t, err)
	require.Equal(t, set.Alerts, again.Alerts)
}

func TestVictoriaMetricsHasNoAlertsOfItsOwnAndIsNotTakenForHealthy(t *testing.T) {
	t.Parallel()
	bin := sourcetest.RealTool(t, "victoria-metrics", "apt-get install victoria-metrics")
	addr := sourcetest.FreeAddress(t)
	sourcetest.Run(t, bin, "-storageDataPath="+t.TempDir(), "-httpListenAddr="+addr, "-loggerLevel=ERROR")
	s := open(t, "http://"+addr, prometheus.Options{})
	require.Eventually(t, func() bool { return second(s.Breakers(t.Context())) == nil }, time.Minute, 100*time.Millisecond)
	_, err := s.Alerts(t.Context())
	require.ErrorIs(t, err, sources.ErrUnsupported)
	require.ErrorContains(t, err, "evaluates no alerts itself, name the Alertmanager")
}

// telling serves the same answer to everything that is asked.
func telling(t *testing.T, status int, kind, body string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		if r.Header.Get("Authorization") == "Bearer wrong" {
			w.WriteHeader(http.StatusUnauthorized)
		} else {
			w.WriteHeader(status)
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	return srv
}

func alertsBody(list ...obj) string {
	b, _ := json.Marshal(obj{"status": "success", "data": obj{"alerts": append([]obj{}, list...)}})
	return string(b)
}

func TestAQuietAnswerOfVictoriaMetricsIsBelievedOnceItHasToldOfAnAlert(t *testing.T) {
	t.Parallel()
	var body atomic.Value
	body.Store(alertsBody())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Server-Hostname", "vm")
		_, _ = w.Write([]byte(body.Load().(string)))
	}))
	defer srv.Close()
	s := open(t, srv.URL, prometheus.Options{})
	require.ErrorIs(t, second(s.Alerts(t.Context())), sources.ErrUnsupported)
	body.Store(alertsBody(obj{"state": "firing", "labels": obj{"alertname": "A"}}))
	set, err := s.Alerts(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Alerts, 1)
	body.Store(alertsBody())
	set, err = s.Alerts(t.Context())
	require.NoError(t, err)
	require.Empty(t, set.Alerts)
}

func TestStatesOfOtherServersAreKnownAndAnUnknownOneFires(t *testing.T) {
	t.Parallel()
	alert := func(state string) obj {
		return obj{"state": state, "labels": obj{"alertname": state}, "activeAt": "2026-05-01T12:00:00.5Z", "value": "1"}
	}
	srv := telling(t, 200, "application/json", alertsBody(alert("pending"), alert("inactive"), alert("Normal"), alert("Alerting"), alert("odd"), alert("firing")))
	set, err := open(t, srv.URL, prometheus.Options{}).Alerts(t.Context())
	require.NoError(t, err)
	var got []string
	for _, a := range set.Alerts {
		got = append(got, a.Name+" "+a.State.String())
		require.Equal(t, time.Date(2026, 5, 1, 12, 0, 0, 5e8, time.UTC), a.Since.UTC())
	}
	require.Equal(t, []string{"Alerting firing", "firing firing", "odd firing", "pending pending"}, got)
}

func TestMoreAlertsThanFitAreCountedAndTheWorstAreKept(t *testing.T) {
	t.Parallel()
	var list []obj
	for i := range sources.MaxAlerts + 7 {
		list = append(list, obj{"state": "pending", "labels": obj{"alertname": fmt.Sprint("p", i)}})
	}
	list = append(list, obj{"state": "firing", "labels": obj{"alertname": "worst", "severity": "critical"}})
	srv := telling(t, 200, "application/json", alertsBody(list...))
	set, err := open(t, srv.URL, prometheus.Options{}).Alerts(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Alerts, sources.MaxAlerts)
	require.Equal(t, "worst", set.Alerts[0].Name)
	require.Len(t, set.Warnings, 1)
	require.Contains(t, set.Warnings[0], "has 2008 alerts, of which the last 8 are not shown")
}

func TestAlertsThatCannotBeReadSayWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status     int
		kind, body string
		opts       prometheus.Options
		is         error
		says       string
	}{
		"no such endpoint": {404, "text/plain", "404", prometheus.Options{}, sources.ErrUnsupported, "tells of no alerts, it answered 404 at /api/v1/alerts"},
		"not implemented":  {501, "application/json", "{}", prometheus.Options{}, sources.ErrUnsupported, "answered 501"},
		"a login page":     {200, "text/html", "<html>", prometheus.Options{}, sources.ErrInvalid, "answered text/html, not Prometheus's API"},
		"bad token":        {200, "application/json", alertsBody(), prometheus.Options{Auth: prometheus.Auth{BearerToken: "wrong"}}, sources.ErrUnauthorized, "check the credentials"},
		"garbage":          {200, "application/json", `{"status":"success","data":{"alerts":[7]}}`, prometheus.Options{}, sources.ErrInvalid, "does not answer as Prometheus's API does"},
		"half an answer":   {200, "application/json", `{"status":"succ`, prometheus.Options{}, sources.ErrInvalid, "does not answer as Prometheus's API does"},
		"overloaded":       {503, "text/plain", "no", prometheus.Options{}, sources.ErrUnavailable, "answered 503"},
		"too much":         {200, "application/json", strings.Repeat(" ", 5000), prometheus.Options{MaxBody: 4096}, sources.ErrInvalid, "sent more than 4096 bytes of alerts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, telling(t, c.status, c.kind, c.body).URL, c.opts).Alerts(t.Context())
			require.ErrorIs(t, err, c.is)
			require.ErrorContains(t, err, c.says)
			require.True(t, strings.HasPrefix(err.Error(), "prod: 127.0.0.1:"), err)
		})
	}
}

func TestAGatewayThatAnswersQueriesAloneHasNoAlertsAndDoesNotFail(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]http.HandlerFunc{
		"forbidden":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"no user":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"bad request":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) },
		"a login page": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("/api/v1/alerts", refuse)
		mux.HandleFunc("/login", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>"))
		})
		mux.HandleFunc("/api/v1/query", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(fleet(1)(r.PostFormValue("query")))
		})
		srv := httptest.NewServer(mux)
		s := open(t, srv.URL, prometheus.Options{})
		require.NotErrorIs(t, second(s.Alerts(t.Context())), sources.ErrUnsupported, "%s: the credentials may be wrong", name)
		require.NoError(t, second(s.Breakers(t.Context())))
		err := second(s.Alerts(t.Context()))
		require.ErrorIs(t, err, sources.ErrUnsupported, name)
		require.ErrorContains(t, err, "tells of no alerts, it answered ")
		srv.Close()
	}
}

func TestAServerThatHangsOverItsAlertsIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	_, err := open(t, srv.URL, prometheus.Options{Timeout: 50 * time.Millisecond}).Alerts(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "did not answer within 50ms")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, second(open(t, srv.URL, prometheus.Options{}).Alerts(ctx)), context.Canceled)
}
