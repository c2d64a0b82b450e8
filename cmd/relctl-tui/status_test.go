package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatusCountsOpenBreakersAsOpenAndPutsTheUnhealthyFirst(t *testing.T) {
	t.Parallel()
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		for name, state := range map[string]string{"ledger": "open", "mail": "half_open", "search": "closed"} {
			fmt.Fprintf(w, "circuit_breaker_state{name=%q,state=%q} 1\n", name, state)
		}
	}))
	t.Cleanup(exporter.Close)
	args := []string{"status", "--flags", "flagd:" + flagFile(t, fleetFile), "--metrics", "scrape+" + exporter.URL + "/metrics"}
	out, code := run(t, nil, append(args, "-o", "json")...)
	require.Zero(t, code, out)
	var got struct {
		Open     *int `json:"breakers_open"`
		Breakers []struct{ Name, State string }
	}
	require.NoError(t, json.Unmarshal([]byte(out[strings.Index(out, "{"):]), &got))
	require.Equal(t, 1, *got.Open, "half-open is not open")
	require.Len(t, got.Breakers, 2, "all that are not closed are listed")

	text, code := run(t, nil, args...)
	require.Zero(t, code)
	require.Less(t, strings.Index(text, "ledger"), strings.Index(text, "checkout-v2"), text)
}
