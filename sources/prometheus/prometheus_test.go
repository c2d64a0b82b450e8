package prometheus_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
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

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
)

// serverFake answers the query API strictly: anything but a query to
// /api/v1/query is an error. It remembers what it was asked.
type serverFake struct {
	*httptest.Server
	mu      sync.Mutex
	queries []string
	seen    []http.Header
}

func fake(t *testing.T, reply func(query string) any) *serverFake {
	t.Helper()
	f := &serverFake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.PostFormValue("query")
		if r.URL.Path != "/api/v1/query" || query == "" || r.PostFormValue("timeout") == "" {
			http.Error(w, "not the query API", http.StatusTeapot)
			return
		}
		f.mu.Lock()
		f.queries, f.seen = append(f.queries, query), append(f.seen, r.Header.Clone())
		f.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply(query))
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *serverFake) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.queries...)
}

type obj = map[string]any

func vector(samples ...obj) obj {
	if samples == nil {
		samples = []obj{}
	}
	return obj{"status": "success", "data": obj{"resultType": "vector", "result": samples}}
}

func one(value string, labels ...string) obj {
	m := obj{}
	for i := 0; i+1 < len(labels); i += 2 {
		m[labels[i]] = labels[i+1]
	}
	return obj{"metric": m, "value": []any{1700000000, value}}
}

const hist = "http_server_request_duration_seconds"

// fleet answers like a server with n services.
func fleet(n int) func(string) any {
	return func(query string) any {
		var out []obj
		switch {
		case strings.HasPrefix(query, "count by (__name__,quantile)"):
			out = append(out, one("9", "__name__", hist+"_count"), one("3", "__name__", "circuit_breaker_state"),
				one("3", "__name__", "feature_flag_evaluations_total"))
		case strings.Contains(query, hist+"_bucket"):
			for i := range n {
				for j, le := range []string{"0.1", "1", "+Inf"} {
					out = append(out, one(fmt.Sprint(90+5*j), "job", fmt.Sprint("svc-", i), "le", le))
				}
			}
		case strings.Contains(query, hist+"_count"):
			for i := range n {
				out = append(out, one("95", "job", fmt.Sprint("svc-", i), "code", "200"), one("5", "job", fmt.Sprint("svc-", i), "code", "500"))
			}
		case strings.Contains(query, "circuit_breaker_state"):
			for i := range n {
				out = append(out, one("1", "name", fmt.Sprint("cb-", i), "state", "closed"))
			}
		case strings.Contains(query, "feature_flag_evaluations_total"):
			out = append(out, one("NaN", "feature_flag_key", "quiet", "feature_flag_result_variant", "on"),
				one("1", "feature_flag_key", "busy", "feature_flag_result_variant", "on"))
		}
		return vector(out...)
	}
}

func open(t *testing.T, url string, opts prometheus.Options) *prometheus.Source {
	t.Helper()
	s, err := prometheus.New("prod", url, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestARefreshCostsTheSameQueriesForThreeAndThreeHundredServices(t *testing.T) {
	t.Parallel()
	asked := map[int][]string{}
	for _, n := range []int{3, 300} {
		f := fake(t, fleet(n))
		s := open(t, f.URL, prometheus.Options{})
		lat, err := s.Latencies(t.Context())
		require.NoError(t, err)
		require.Len(t, lat.Latencies, n)
		brk, err := s.Breakers(t.Context())
		require.NoError(t, err)
		require.Len(t, brk.Breakers, n)
		exp, err := s.Exposures(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[string]map[string]float64{"busy": {"on": 1}}, exp.ByKey)
		asked[n] = f.asked()
	}
	require.ElementsMatch(t, asked[3], asked[300])
	require.Len(t, asked[3], 5) // what exists, buckets, outcomes, states, evaluations
}

func TestRulesDoNotAddQueries(t *testing.T) {
	t.Parallel()
	f := fake(t, fleet(3))
	var rules []metrics.LatencyRule
	for i := range 3 {
		rules = append(rules, metrics.LatencyRule{
			Name: fmt.Sprint("row ", i), Preset: "http_server", Match: fmt.Sprintf("job=%q", fmt.Sprint("svc-", i)), SLO: 500 * time.Millisecond,
		})
	}
	s := open(t, f.URL, prometheus.Options{Metrics: metrics.Config{Latency: rules}})
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.Len(t, f.asked(), 3)
	require.Len(t, set.Latencies, 3)
	for _, row := range set.Latencies {
		require.InDelta(t, 100, row.Rate.V, 1e-9)
		require.InDelta(t, 0.05, row.ErrorRatio.V, 1e-9)
		require.Equal(t, sources.Quantile{Seconds: 1, OK: true, Over: true}, row.P99)
		require.Equal(t, sources.VerdictBreached, row.Verdict)
	}
}

func TestNaNAndNothingAreNoTrafficAndNeverZero(t *testing.T) {
	t.Parallel()
	f := fake(t, func(q string) any {
		switch {
		case strings.HasPrefix(q, "count"):
			return vector(one("1", "__name__", hist+"_count"))
		case strings.Contains(q, "_bucket"):
			return vector(one("NaN", "job", "a", "le", "0.1"), one("NaN", "job", "a", "le", "+Inf"))
		default:
			return vector(one("0", "job", "a", "code", "200"), one("NaN", "job", "b", "code", "200"))
		}
	})
	s := open(t, f.URL, prometheus.Options{})
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Latencies, 2)
	a, b := set.Latencies[1], set.Latencies[0]
	require.Equal(t, "a", a.Name)
	require.Equal(t, sources.VerdictNoTraffic, a.Verdict)
	require.False(t, a.P50.OK || a.P99.OK || a.ErrorRatio.OK)
	require.Equal(t, sources.VerdictUnknown, b.Verdict)
	require.False(t, b.Rate.OK)
}

func TestWhatIsNotExportedIsSaid(t *testing.T) {
	t.Parallel()
	f := fake(t, func(string) any { return vector() })
	s := open(t, f.URL, prometheus.Options{Metrics: metrics.Config{
		Latency:  []metrics.LatencyRule{{Name: "payment API", Preset: "http_server"}},
		Breakers: []metrics.BreakerRule{{Preset: "gobreaker", Metric: "cb_state"}},
	}})
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.Equal(t, hist+" is not exported", set.Latencies[0].Note)
	require.Equal(t, sources.VerdictUnknown, set.Latencies[0].Verdict)
	brk, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.Empty(t, brk.Breakers)
	require.Equal(t, []string{"cb_state is not exported, so its breakers are missing"}, brk.Warnings)
}

func TestWarningsAndInfosOfTheServerAreShown(t *testing.T) {
	t.Parallel()
	f := fake(t, func(q string) any {
		v, ok := fleet(1)(q).(obj)
		if !ok {
			return nil
		}
		v["warnings"], v["infos"] = []string{"store gateway is \x1b[31mpartial"}, []string{
			"PromQL info: x", `PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "envoy_cluster_upstream_rq_xx" (1:5)`,
		}
		return v
	})
	s := open(t, f.URL, prometheus.Options{})
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"PromQL info: x", "store gateway is ∙[31mpartial"}, set.Warnings)
}

func TestAWrongKindOfResultIsRefused(t *testing.T) {
	t.Parallel()
	for kind, result := range map[string]any{
		"scalar": []any{1700000000, "1"}, "string": []any{1700000000, "x"}, "matrix": []any{},
	} {
		f := fake(t, func(string) any {
			return obj{"status": "success", "data": obj{"resultType": kind, "result": result}}
		})
		_, err := open(t, f.URL, prometheus.Options{}).Latencies(t.Context())
		require.ErrorIs(t, err, sources.ErrInvalid)
		if kind == "string" { // the client library knows no strings
			require.ErrorContains(t, err, `unexpected value type "string"`)
			continue
		}
		require.ErrorContains(t, err, "answered a "+kind+" where a vector was asked for")
	}
}

func TestEachFailureIsOneClearSentence(t *testing.T) {
	t.Parallel()
	answer := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
		}
	}
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		is   error
		says string
	}{
		"a login page":   {answer(200, "text/html; charset=utf-8", "<html>"), sources.ErrInvalid, "answered text/html, not Prometheus's API"},
		"overloaded":     {answer(503, "text/plain", "no"), sources.ErrUnavailable, "answered 503 Service Unavailable"},
		"says why":       {answer(503, "application/json", `{"status":"error","errorType":"timeout","error":"query timed out"}`), sources.ErrUnavailable, "(query timed out)"},
		"no credentials": {answer(401, "text/plain", ""), sources.ErrUnauthorized, "answered 401 Unauthorized, check the credentials"},
		"not allowed":    {answer(403, "text/html", ""), sources.ErrUnauthorized, "answered 403 Forbidden"},
		"wrong path":     {answer(404, "text/html", ""), sources.ErrInvalid, "answered 404 Not Found, check the path"},
		"bad query":      {answer(400, "application/json", `{"status":"error","errorType":"bad_data","error":"parse \u001b error"}`), sources.ErrInvalid, "refuses a query (parse ∙ error)"},
		"not JSON":       {answer(200, "application/json", "{"), sources.ErrInvalid, "does not answer as Prometheus's API does"},
		"redirects for ever": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}, sources.ErrUnavailable, "redirected 5 times"},
		"too much": {answer(200, "application/json", strings.Repeat(" ", 5000)), sources.ErrInvalid, "sent more than 4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(c.h)
			defer srv.Close()
			url := strings.Replace(srv.URL, "http://", "http://ana:hunter2@", 1)
			s := open(t, url, prometheus.Options{MaxBody: 4096})
			for _, err := range []error{second(s.Latencies(t.Context())), second(s.Breakers(t.Context())), second(s.Exposures(t.Context()))} {
				require.ErrorIs(t, err, c.is)
				require.ErrorContains(t, err, c.says)
				require.True(t, strings.HasPrefix(err.Error(), "prod: 127.0.0.1:"), err)
				require.NotContains(t, err.Error(), "hunter2")
				require.NotContains(t, err.Error(), "\x1b")
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

func TestAServerThatHangsIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	_, err := open(t, srv.URL, prometheus.Options{Timeout: 50 * time.Millisecond}).Latencies(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "did not answer within 50ms")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = open(t, srv.URL, prometheus.Options{}).Latencies(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAServerThatRefusesSaysSoWithoutTheURL(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	url := strings.Replace(srv.URL, "http://", "http://ana:hunter2@", 1)
	_, err := open(t, url+"/secret-path", prometheus.Options{}).Breakers(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "refuses connections")
	require.NotContains(t, err.Error(), "hunter2")
	require.NotContains(t, err.Error(), "secret-path")
}

func TestTooManySeriesAreRefusedRatherThanCut(t *testing.T) {
	t.Parallel()
	f := fake(t, fleet(20))
	_, err := open(t, f.URL, prometheus.Options{MaxSeries: 10}).Latencies(t.Context())
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.ErrorContains(t, err, "narrow the rules with match")
}

func TestARotatedTokenIsReadAgain(t *testing.T) {
	t.Parallel()
	f := fake(t, fleet(1))
	file := filepath.Join(t.TempDir(), "token")
	s := open(t, f.URL, prometheus.Options{Auth: prometheus.Auth{BearerTokenFile: file, Headers: map[string]string{"X-Scope-OrgID": "shop"}}})
	_, err := s.Breakers(t.Context())
	require.ErrorIs(t, err, sources.ErrUnauthorized)
	require.ErrorContains(t, err, "token cannot be read")
	for _, token := range []string{"first", "second"} {
		require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
		_, err = s.Breakers(t.Context())
		require.NoError(t, err)
		f.mu.Lock()
		h := f.seen[len(f.seen)-1]
		f.mu.Unlock()
		require.Equal(t, "Bearer "+token, h.Get("Authorization"))
		require.Equal(t, "shop", h.Get("X-Scope-OrgID"))
	}
}

func TestCredentialsNeverFollowARedirectToAnotherHost(t *testing.T) {
	t.Parallel()
	other := fake(t, fleet(1))
	var leaked atomic.Value
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked.Store(r.Header.Get("Authorization"))
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer home.Close()
	s := open(t, home.URL, prometheus.Options{Auth: prometheus.Auth{
		BasicUser: "ana", BasicPassword: "hunter2", Headers: map[string]string{"X-Api-Key": "hunter3"},
	}})
	_, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, leaked.Load()) // at home they are sent
	require.NotEmpty(t, other.seen)
	for _, h := range other.seen {
		require.Empty(t, h.Get("Authorization"))
		require.Empty(t, h.Get("X-Api-Key"))
	}
}

func TestAGatewayThatForbidsPostIsAskedByGet(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			http.Error(w, "read only", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(fleet(2)(r.URL.Query().Get("query")))
	}))
	defer srv.Close()
	set, err := open(t, srv.URL, prometheus.Options{}).Breakers(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Breakers, 2)
}

func TestOptionsThatContradictAreRefused(t *testing.T) {
	t.Parallel()
	for says, c := range map[string]struct {
		url  string
		opts prometheus.Options
	}{
		"not of the form":              {"ftp://host", prometheus.Options{}},
		"Prometheus is not":            {"http://a b:hunter2@x", prometheus.Options{}},
		"not both":                     {"http://h", prometheus.Options{Auth: prometheus.Auth{BearerToken: "a", BasicUser: "b"}}},
		"a password needs a user":      {"http://h", prometheus.Options{Auth: prometheus.Auth{BasicPassword: "b"}}},
		"is no header":                 {"http://h", prometheus.Options{Auth: prometheus.Auth{Headers: map[string]string{"a": "b\nc"}}}},
		"CA file /nowhere":             {"http://h", prometheus.Options{TLS: prometheus.TLS{CAFile: "/nowhere"}}},
		"client certificate /nowhere":  {"http://h", prometheus.Options{TLS: prometheus.TLS{CertFile: "/nowhere"}}},
		"preset \"nope\" is not known": {"http://h", prometheus.Options{Metrics: metrics.Config{Latency: []metrics.LatencyRule{{Name: "x", Preset: "nope"}}}}},
	} {
		_, err := prometheus.New("prod", c.url, c.opts)
		require.ErrorIs(t, err, sources.ErrInvalid, says)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestAnUnknownAuthorityIsNamedAndItsCAFileHelps(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(fleet(1)(r.PostFormValue("query")))
	}))
	defer srv.Close()
	_, err := open(t, srv.URL, prometheus.Options{}).Breakers(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "unknown authority")

	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600))
	_, err = open(t, srv.URL, prometheus.Options{TLS: prometheus.TLS{CAFile: ca}}).Breakers(t.Context())
	require.NoError(t, err)
	_, err = open(t, "http"+strings.TrimPrefix(srv.URL, "https"), prometheus.Options{}).Breakers(t.Context())
	require.ErrorIs(t, err, sources.ErrInvalid) // 400: plain HTTP to a TLS server
}
