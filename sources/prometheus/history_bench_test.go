package prometheus_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
	"relctl-tui/sources/prometheus"
)

const pastPoints = 360

// past answers from memory, without a network, for services of five series each: four
// buckets and a count.
type past struct{ probe, now, buckets, buckets1, counts, counts1 []byte }

func newPast(tb testing.TB, services int) *past {
	tb.Helper()
	series := func(points int, labels ...string) obj {
		m := obj{}
		for i := 0; i+1 < len(labels); i += 2 {
			m[labels[i]] = labels[i+1]
		}
		values := make([]any, points)
		for i := range values {
			values[i] = []any{1_700_000_000 + 15*i, fmt.Sprint(float64(len(labels[1])*(i%7+1))/3 + float64(i)/7)}
		}
		return obj{"metric": m, "values": values}
	}
	both := func(list func(points int) []obj) (matrix, vector []byte) {
		matrix, err := json.Marshal(obj{"status": "success", "data": obj{"resultType": "matrix", "result": list(pastPoints)}})
		require.NoError(tb, err)
		one := list(1)
		for _, s := range one {
			values, _ := s["values"].([]any)
			s["value"] = values[0]
			delete(s, "values")
		}
		vector, err = json.Marshal(obj{"status": "success", "data": obj{"resultType": "vector", "result": one}})
		require.NoError(tb, err)
		return matrix, vector
	}
	p := &past{}
	p.buckets, p.buckets1 = both(func(points int) (out []obj) {
		for i := range services {
			for _, le := range []string{"0.1", "1", "5", "+Inf"} {
				out = append(out, series(points, "job", fmt.Sprint("svc-", i), "le", le))
			}
		}
		return out
	})
	p.counts, p.counts1 = both(func(points int) (out []obj) {
		for i := range services {
			out = append(out, series(points, "job", fmt.Sprint("svc-", i), "code", "200"))
		}
		return out
	})
	var err error
	p.probe, err = json.Marshal(vector(one("9", "__name__", hist+"_count")))
	require.NoError(tb, err)
	p.now, err = json.Marshal(vector(one(fmt.Sprint(1_700_000_000 + 15*(pastPoints-1)))))
	require.NoError(tb, err)
	return p
}

func (p *past) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(b))
	if err != nil {
		return nil, err
	}
	q, ranged := form.Get("query"), strings.HasSuffix(r.URL.Path, "query_range")
	body := p.counts1
	switch {
	case strings.HasPrefix(q, "count by"):
		body = p.probe
	case strings.HasPrefix(q, "vector"):
		body = p.now
	case strings.Contains(q, "_bucket") && ranged:
		body = p.buckets
	case strings.Contains(q, "_bucket"):
		body = p.buckets1
	case ranged:
		body = p.counts
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}, nil
}

// bare is the least that anybody does with such an answer.
func (p *past) bare(b *testing.B) {
	b.Helper()
	for _, body := range [][]byte{p.buckets, p.counts} {
		var out struct {
			Data struct {
				Result []struct {
					Metric map[string]string `json:"metric"`
					Values [][2]any          `json:"values"`
				} `json:"result"`
			} `json:"data"`
		}
		require.NoError(b, json.Unmarshal(body, &out))
	}
}

// whole is a source whose trends have as many points as the server was asked for.
type whole struct{ *prometheus.Source }

func (w whole) Trends(ctx context.Context, _ int, step time.Duration) (map[string][]float64, error) {
	return w.Source.Trends(ctx, pastPoints, step)
}

// only hides what a source can do besides.
type only struct {
	sources.LatencyReader
	sources.TrendReader
}

// BenchmarkPast is from the answers' bytes to the snapshot that has the trends, for
// 360 points of so many series, against decoding the same bytes and doing nothing.
func BenchmarkPast(b *testing.B) {
	for _, n := range []int{50, 500, 5000} {
		b.Run(fmt.Sprintf("series=%d", n), func(b *testing.B) {
			p := newPast(b, n/5)
			s, err := prometheus.New("prod", "http://h", prometheus.Options{Transport: p, MaxBody: 1 << 30, Timeout: time.Minute})
			require.NoError(b, err)
			var ours, bare time.Duration
			b.ReportAllocs()
			for b.Loop() {
				began := time.Now()
				published(b, whole{s})
				ours += time.Since(began)
				b.StopTimer()
				began = time.Now()
				p.bare(b)
				bare += time.Since(began)
				b.StartTimer()
			}
			b.ReportMetric(float64(ours)/float64(bare), "x-json")
			b.ReportMetric(float64(ours.Microseconds())/float64(b.N)/float64(n), "µs/series")
		})
	}
}

// published waits for the first snapshot in which the trends are whole.
func published(b *testing.B, s whole) {
	b.Helper()
	now := time.Now()
	e := live.New(live.Options{
		Sources: []live.Source{{Name: "prod", Driver: only{s, s}, Every: time.Hour, Timeout: time.Minute}},
		Now:     func() time.Time { now = now.Add(time.Second); return now }, // no gathering
	})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	shot := e.Snapshot()
	for shot.Trends["svc-0"].Len < sources.TrendLen {
		var err error
		shot, err = e.Next(ctx, shot.Seq)
		require.NoError(b, err)
	}
	cancel()
	require.NoError(b, <-done)
}
