package alertmanager_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/alertmanager"
)

// telling answers each path as it is told to, strictly by GET, and counts.
type telling struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func (s *telling) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

type reply struct {
	status     int
	kind, body string
}

func tell(t *testing.T, alerts, silences reply) *telling {
	t.Helper()
	s := &telling{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
		s.mu.Unlock()
		answer := alerts
		if r.URL.Path == "/api/v2/silences" {
			answer = silences
		}
		w.Header().Set("Content-Type", answer.kind)
		w.WriteHeader(answer.status)
		_, _ = w.Write([]byte(answer.body))
	}))
	t.Cleanup(s.Close)
	return s
}

func ok(v any) reply {
	b, _ := json.Marshal(v)
	return reply{200, "application/json", string(b)}
}

func suppressed(name string, by obj) obj {
	by["state"] = "suppressed"
	return obj{"labels": obj{"alertname": name}, "startsAt": "2026-05-01T12:00:00Z", "fingerprint": "f-" + name, "status": by}
}

func TestSilencesAreAskedForOnlyWhenSomethingIsSilenced(t *testing.T) {
	t.Parallel()
	const question = "GET /api/v2/alerts?active=true&inhibited=true&silenced=true"
	quiet := tell(t, ok([]obj{suppressed("a", obj{"inhibitedBy": []string{"f-b", "f-c"}}), suppressed("b", obj{"mutedBy": []string{"weekend"}}), suppressed("c", obj{})}), reply{500, "", ""})
	got := byName(t, open(t, quiet.URL, alertmanager.Options{}))
	require.Equal(t, "inhibited by b (and 1 more)", got["a"].Why)
	require.Equal(t, "muted by the time interval weekend", got["b"].Why)
	require.Equal(t, "suppressed", got["c"].Why)
	require.Equal(t, []string{question}, quiet.requests())

	silenced := tell(t, ok([]obj{suppressed("a", obj{"silencedBy": []string{"1"}}), suppressed("b", obj{"silencedBy": []string{"gone"}})}), ok([]obj{{"id": "1", "endsAt": "never"}}))
	got = byName(t, open(t, silenced.URL, alertmanager.Options{}))
	require.Equal(t, []string{question, "GET /api/v2/silences"}, silenced.requests())
	require.Equal(t, "silenced by somebody", got["a"].Why)
	require.Zero(t, got["a"].Until)
	require.Equal(t, "silenced", got["b"].Why)
}

func TestSilencesThatCannotBeReadAreAWarningAndTheAlertsAreThere(t *testing.T) {
	t.Parallel()
	srv := tell(t, ok([]obj{suppressed("a", obj{"silencedBy": []string{"1"}})}), reply{403, "application/json", `{"message":"no\u001b[2J"}`})
	set, err := open(t, srv.URL, alertmanager.Options{}).Alerts(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Alerts, 1)
	require.Equal(t, sources.AlertSilenced, set.Alerts[0].State)
	require.Len(t, set.Warnings, 1)
	require.Contains(t, set.Warnings[0], "the silences cannot be read: am: 127.0.0.1:")
	require.Contains(t, set.Warnings[0], "check the credentials")
	printable(t, set.Warnings...)
}

func TestAStateThatNobodyKnowsFires(t *testing.T) {
	t.Parallel()
	srv := tell(t, ok([]obj{
		{"labels": obj{"alertname": "a"}, "status": obj{"state": "unprocessed"}},
		{"labels": obj{"alertname": "b"}, "status": obj{"state": "new word", "silencedBy": []string{}}},
		{"labels": obj{"alertname": "c"}, "startsAt": "yesterday"},
		{},
	}), reply{500, "", ""})
	got := byName(t, open(t, srv.URL, alertmanager.Options{}))
	require.Len(t, got, 4)
	for _, a := range got {
		require.Equal(t, sources.AlertFiring, a.State)
		require.Zero(t, a.Since)
	}
}

func TestMoreAlertsThanFitAreCounted(t *testing.T) {
	t.Parallel()
	var list []obj
	for i := range sources.MaxAlerts + 3 {
		list = append(list, obj{"labels": obj{"alertname": fmt.Sprint("a", i)}, "status": obj{"state": "active"}})
	}
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	set, err := open(t, tell(t, ok(list), reply{}).URL, alertmanager.Options{Now: func() time.Time { return at }}).Alerts(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Alerts, sources.MaxAlerts)
	require.Len(t, set.Warnings, 1)
	require.Contains(t, set.Warnings[0], "has 2003 alerts, of which the last 3 are not shown")
	require.Equal(t, at, set.ReadAt)
}

func TestWhatIsNoAnswerOfAnAlertmanagerSaysSo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer reply
		is     error
		says   string
	}{
		"a page":         {reply{200, "text/html; charset=utf-8", "<html>"}, sources.ErrInvalid, "answered text/html; charset=utf-8, not JSON, check the address"},
		"not there":      {reply{404, "text/plain", "404 page not found"}, sources.ErrInvalid, "check its path"},
		"bad token":      {reply{401, "text/plain", "no"}, sources.ErrUnauthorized, "answered 401 Unauthorized, check the credentials"},
		"no JSON":        {reply{200, "application/json", `[{"labels`}, sources.ErrInvalid, "bytes that are not JSON"},
		"nothing":        {reply{200, "application/json", `null`}, sources.ErrInvalid, "answered no list of alerts"},
		"another API":    {reply{200, "application/json", `{"status":"success","data":[]}`}, sources.ErrInvalid, "which is not its API as this version knows it"},
		"odd labels":     {reply{200, "application/json", `[{"labels":{"a":7}}]`}, sources.ErrInvalid, "which is not its API as this version knows it"},
		"overloaded":     {reply{503, "application/json", `{"message":"busy"}`}, sources.ErrUnavailable, "answered 503 Service Unavailable"},
		"a huge answer":  {reply{200, "application/json", strings.Repeat(" ", 5000)}, sources.ErrInvalid, "sent more than 4096 bytes"},
		"v1 is all gone": {reply{410, "application/json", `{}`}, sources.ErrInvalid, "answered 410 Gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, tell(t, c.answer, reply{}).URL, alertmanager.Options{MaxBody: 4096}).Alerts(t.Context())
			require.ErrorIs(t, err, c.is)
			require.ErrorContains(t, err, c.says)
			require.True(t, strings.HasPrefix(err.Error(), "am: 127.0.0.1:"), err)
		})
	}
}

func TestAnAlertmanagerThatHangsIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	const limit = 2 * time.Second // in which what does not hang answers on a busy machine, too
	release := make(chan struct{})
	first := ok([]obj{suppressed("a", obj{"silencedBy": []string{"1"}})})
	for _, hangs := range []string{"/api/v2/alerts", "/api/v2/silences"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == hangs {
				select {
				case <-release:
				case <-r.Context().Done():
				}
			}
			w.Header().Set("Content-Type", first.kind)
			_, _ = io.WriteString(w, first.body)
		}))
		defer srv.Close()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		err := second(open(t, srv.URL, alertmanager.Options{}).Alerts(ctx))
		cancel()
		require.ErrorIs(t, err, sources.ErrUnavailable, hangs)
		set, err := open(t, srv.URL, alertmanager.Options{Timeout: limit}).Alerts(t.Context())
		if hangs == "/api/v2/silences" {
			require.NoError(t, err)
			require.Contains(t, set.Warnings[0], "did not answer within 2s")
			continue
		}
		require.ErrorIs(t, err, sources.ErrUnavailable)
		require.ErrorContains(t, err, "did not answer within 2s")
	}
	close(release)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, second(open(t, "http://127.0.0.1:9", alertmanager.Options{}).Alerts(ctx)), context.Canceled)
}

func TestAddressesThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "ftp://h", "http://", "http://ana:hunter2@h", "http://h?x=y", "http://a b"} {
		_, err := alertmanager.New("am", base, alertmanager.Options{})
		require.ErrorIs(t, err, sources.ErrInvalid, base)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

// printable fails on what must not reach a terminal.
func printable(t *testing.T, list ...string) {
	t.Helper()
	for _, s := range list {
		for _, r := range s {
			require.False(t, unicode.IsControl(r), "%q", s)
		}
	}
}

// always answers without a network: alerts and silences.
type always struct{ alerts, silences string }

func (a always) RoundTrip(req *http.Request) (*http.Response, error) {
	body := a.alerts
	if strings.HasSuffix(req.URL.Path, "/silences") {
		body = a.silences
	}
	return &http.Response{
		Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func FuzzAnswersOfAnAlertmanager(f *testing.F) {
	f.Add(`[]`, `[]`)
	f.Add(`[{"labels":{"alertname":"A\u001b[2J","service":"b"},"annotations":{"summary":"x\u0007"},"startsAt":"2026-05-01T12:00:00.5+02:00","fingerprint":"1","status":{"state":"suppressed","silencedBy":["s"],"inhibitedBy":["1"]}}]`,
		`[{"id":"s","createdBy":"ana\u009b","comment":"\u202e","endsAt":"2026-05-01T13:00:00Z"},null]`)
	f.Add(`[null,{"status":null},{"labels":null,"status":{"state":"suppressed","mutedBy":["\r\n"]}}]`, `{`)
	f.Add(`null`, `null`)
	f.Fuzz(func(t *testing.T, alerts, silences string) {
		s, err := alertmanager.New("am", "http://am.example", alertmanager.Options{Transport: always{alerts, silences}})
		require.NoError(t, err)
		set, err := s.Alerts(t.Context())
		if err != nil {
			printable(t, sources.Sentence(err))
			require.NotEmpty(t, sources.Sentence(err))
			return
		}
		printable(t, set.Warnings...)
		seen := map[string]bool{}
		for i := range set.Alerts {
			a := &set.Alerts[i]
			require.False(t, seen[a.ID], "each is there once")
			seen[a.ID] = true
			require.Equal(t, a.State == sources.AlertSilenced, a.Why != "")
			printable(t, a.Name, a.Severity, a.Summary, a.Service, a.Flag, a.Why)
			for k, v := range a.Labels {
				printable(t, k, v)
			}
		}
	})
}
