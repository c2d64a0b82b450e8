package prometheus_test

import (
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/prometheus"
)

// always answers every request in the same way, without a network.
type always struct {
	status int
	kind   string
	body   string
}

func (a always) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {a.kind}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: req,
	}, nil
}

// printable fails on what must not reach a terminal.
func printable(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		for _, r := range s {
			require.False(t, unicode.IsControl(r), "%q", s)
		}
	}
}

func FuzzAnswersOfTheServer(f *testing.F) {
	const ok = `{"status":"success","data":{"resultType":"vector","result":[`
	f.Add(200, "application/json", ok+`]}}`)
	f.Add(200, "application/json", ok+`{"metric":{"__name__":"resilience4j_circuitbreaker_state","name":"db","state":"open"},"value":[1700000000,"1"]}]}}`)
	f.Add(200, "application/json", ok+`{"metric":{"__name__":"http_server_request_duration_seconds_bucket","le":"+Inf","job":"a"},"value":[1700000000,"NaN"]}]}}`)
	f.Add(200, "application/json", ok+`{"metric":{"__name__":"http_server_request_duration_seconds"},"histogram":[1700000000,{"count":"3","sum":"1","buckets":[[0,"0.1","0.2","3"]]}]}]}}`)
	f.Add(200, "application/json", `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"name":"\u001b[2J"},"values":[[1700000000,"-Inf"]]}]},"warnings":["\u001b]0;x\u0007"]}`)
	f.Add(200, "application/json", `{"status":"success","data":{"alerts":[{"state":"firing","labels":{"alertname":"\u001b[2J","flag":"a"},"activeAt":"2026-05-01T12:00:00Z","annotations":{"summary":"\u202e"}}]}}`)
	f.Add(404, "text/plain", "404")
	f.Add(422, "application/json", `{"status":"error","errorType":"execution","error":"\u001b[31mno"}`)
	f.Add(503, "text/html", "<h1>\x00</h1>")
	f.Add(200, "text/plain", "\xff\xfe{")
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		if status < 100 || status > 599 || len(body) > 1<<20 {
			t.Skip()
		}
		s, err := prometheus.New("prom", "http://prom.example", prometheus.Options{Transport: always{status, kind, body}})
		require.NoError(t, err)
		said := func(err error) {
			if err != nil {
				printable(t, sources.Sentence(err))
				require.NotEmpty(t, sources.Sentence(err))
			}
		}
		b, err := s.Breakers(t.Context())
		said(err)
		for _, x := range b.Breakers {
			printable(t, x.Name, x.Note)
			require.False(t, x.ErrorRatio.OK && math.IsNaN(x.ErrorRatio.V), x)
			require.GreaterOrEqual(t, x.Instances, x.OpenInstances)
		}
		l, err := s.Latencies(t.Context())
		said(err)
		for _, x := range l.Latencies {
			printable(t, x.Name, x.Note)
			for _, q := range []sources.Quantile{x.P50, x.P95, x.P99} {
				require.False(t, q.OK && math.IsNaN(q.Seconds), x)
			}
		}
		e, err := s.Exposures(t.Context())
		said(err)
		for _, shares := range e.ByKey {
			for _, v := range shares {
				require.False(t, v < 0 || v > 1 || math.IsNaN(v), "%v", shares)
			}
		}
		a, err := s.Alerts(t.Context())
		said(err)
		for i := range a.Alerts {
			x := &a.Alerts[i]
			printable(t, x.Name, x.Severity, x.Summary, x.Service, x.Flag)
			for k, v := range x.Labels {
				printable(t, k, v)
			}
		}
		printable(t, a.Warnings...)
		printable(t, b.Warnings...)
		printable(t, l.Warnings...)
		printable(t, e.Warnings...)
		_, err = s.Trends(t.Context(), 60, 0)
		said(err)
	})
}
