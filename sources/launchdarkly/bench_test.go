package launchdarkly_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// BenchmarkKill is a kill through the driver beside the same two calls by a bare
// client on the same server; the flag is turned on again outside the measurement.
func BenchmarkKill(b *testing.B) {
	svc, url := serve(b)
	revive := func() {
		svc.with(func() { svc.flags["checkout"].Env[production].On, svc.requests, svc.patches = true, nil, nil })
	}
	b.Run("driver", func(b *testing.B) {
		s := open(b, url, "api-writer")
		for b.Loop() {
			revive()
			_, err := s.Apply(b.Context(), sources.Change{ID: "k", Flag: id("checkout"), Kind: sources.Kill})
			require.NoError(b, err)
		}
	})
	b.Run("bare", func(b *testing.B) {
		c := &http.Client{}
		defer c.CloseIdleConnections()
		const body = `{"environmentKey":"production","comment":"kill","instructions":[{"kind":"turnFlagOff"}]}`
		for b.Loop() {
			revive()
			bare(b, c, http.MethodGet, url+"/api/v2/flags/shop/checkout?env=production", "")
			bare(b, c, http.MethodPatch, url+"/api/v2/flags/shop/checkout?ignoreConflicts=true", body)
		}
	})
}

func bare(b *testing.B, c *http.Client, method, url, body string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, url, strings.NewReader(body))
	require.NoError(b, err)
	req.Header.Set("Authorization", "api-writer")
	req.Header.Set("LD-API-Version", "20240415")
	req.Header.Set("Content-Type", "application/json; domain-model=launchdarkly.semanticpatch")
	resp, err := c.Do(req)
	require.NoError(b, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(b, err)
	require.NoError(b, resp.Body.Close())
	require.Equal(b, http.StatusOK, resp.StatusCode)
}
