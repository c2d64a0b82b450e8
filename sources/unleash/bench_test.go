package unleash_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/unleash"
)

const many = 2000

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return d[len(d)/2].Seconds()
}

// bare is a minimal client's call.
func (s *server) bare(b *testing.B, c *http.Client, method, path string, body []byte, out any) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, s.base+path, bytes.NewReader(body))
	require.NoError(b, err)
	req.Header.Set("Authorization", adminToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	require.NoError(b, err)
	raw, err := io.ReadAll(resp.Body)
	require.NoError(b, err)
	require.NoError(b, resp.Body.Close())
	require.Less(b, resp.StatusCode, 300, "%s", raw)
	if out != nil {
		require.NoError(b, json.Unmarshal(raw, out))
	}
}

// BenchmarkFirstTable is the first complete table of 2,000 flags, by a driver that was
// made this moment, beside a minimal client's bare call for the list. table is one
// read of the list, watch the first event of a watch, which is what a board waits for.
func BenchmarkFirstTable(b *testing.B) {
	s := start(b, 7)
	p := s.crowd(b, many)
	query := []byte(`{"project":"` + p + `","environment":"` + env + `"}`)
	client := &http.Client{}
	s.bare(b, client, http.MethodPost, "/api/admin/features-batch/export", query, nil) // the server's own first time
	var bare, table, watch []time.Duration
	for turn := 0; b.Loop(); turn++ {
		for i := range 3 {
			d := connect(b, s, p)
			began := time.Now()
			switch (turn + i) % 3 {
			case 0:
				var got struct {
					Features          []struct{ Name string }
					FeatureStrategies []struct{ Parameters map[string]string }
				}
				s.bare(b, client, http.MethodPost, "/api/admin/features-batch/export", query, &got)
				bare = append(bare, time.Since(began))
				require.Len(b, got.Features, many)
			case 1:
				set, err := d.Flags(b.Context())
				table = append(table, time.Since(began))
				require.NoError(b, err)
				require.Len(b, set.Flags, many)
			case 2:
				ctx, cancel := context.WithCancel(b.Context())
				events, err := d.Watch(ctx, "")
				require.NoError(b, err)
				e := <-events
				watch = append(watch, time.Since(began))
				require.NoError(b, e.Err)
				require.Len(b, e.Set.Flags, many)
				cancel()
				for range events {
				}
			}
		}
	}
	b.ReportMetric(median(bare)*1000, "bare-ms")
	b.ReportMetric(median(table)*1000, "table-ms")
	b.ReportMetric(median(watch)*1000, "watch-ms")
	b.ReportMetric(median(table)/median(bare), "table-x-bare")
	b.ReportMetric(median(watch)/median(bare), "watch-x-bare")
}

// BenchmarkKill is a kill among 2,000 flags beside the same calls (read, off, read)
// by a minimal client: until the server has accepted it, and until it was read back.
func BenchmarkKill(b *testing.B) {
	s := start(b, 7)
	p := s.crowd(b, many)
	d := connect(b, s, p)
	client := &http.Client{}
	key := p + "-2"
	on := func() {
		s.bare(b, client, http.MethodPost, path(p, key)+"/environments/"+env+"/on", nil, nil)
	}
	var accepted, whole, bareAccepted, bareWhole []time.Duration
	for turn := 0; b.Loop(); turn++ {
		for i := range 2 {
			on()
			began := time.Now()
			if (turn+i)%2 == 0 {
				r, err := d.Apply(b.Context(), sources.Change{ID: "k", Flag: id(key), Kind: sources.Kill})
				whole = append(whole, time.Since(began))
				require.NoError(b, err)
				require.True(b, r.New.Killed)
				require.False(b, r.Reread.IsZero())
				accepted = append(accepted, r.Accepted.Sub(began))
				continue
			}
			var f struct{ Environments []state }
			s.bare(b, client, http.MethodGet, path(p, key), nil, &f)
			s.bare(b, client, http.MethodPost, path(p, key)+"/environments/"+env+"/off", nil, nil)
			bareAccepted = append(bareAccepted, time.Since(began))
			s.bare(b, client, http.MethodGet, path(p, key), nil, &f)
			bareWhole = append(bareWhole, time.Since(began))
		}
	}
	b.ReportMetric(median(bareAccepted)*1000, "bare-accepted-ms")
	b.ReportMetric(median(accepted)*1000, "accepted-ms")
	b.ReportMetric(median(bareWhole)*1000, "bare-reread-ms")
	b.ReportMetric(median(whole)*1000, "reread-ms")
	b.ReportMetric(median(accepted)/median(bareAccepted), "accepted-x-bare")
	b.ReportMetric(median(whole)/median(bareWhole), "reread-x-bare")
}

// BenchmarkSteadyState is one poll while nothing changes, of 2,000 flags.
func BenchmarkSteadyState(b *testing.B) {
	s := start(b, 7)
	p := s.crowd(b, many)
	w := &wire{}
	d := connect(b, s, p, func(o *unleash.Options) { o.Transport, o.Every = w, time.Millisecond })
	next := follow(b, d)
	require.Len(b, next().Set.Flags, many)
	w.forget()
	began, polls := time.Now(), 0
	for b.Loop() {
		polls++
		for w.count("/api/client/features") < polls {
			time.Sleep(100 * time.Microsecond) //nolint:forbidigo // a benchmark's own pace
		}
	}
	b.ReportMetric(time.Since(began).Seconds()*1000/float64(polls), "poll-ms")
	b.ReportMetric(float64(len(w.calls())-w.count("/api/client/features"))/float64(polls), "other-calls/poll")
}
