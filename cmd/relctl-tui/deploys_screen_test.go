package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A deploy and a release are two things: one is what runs, the other what users get.
func TestADeployAndARampAreTwoLinesOnTheSameScreen(t *testing.T) {
	t.Parallel()
	var next atomic.Bool
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintln(w, "# TYPE app_build_info gauge")
		for i := range 12 {
			version := "2.14.0"
			if next.Load() && i < 9 {
				version = "2.14.1"
			}
			fmt.Fprintf(w, "app_build_info{service=\"payment\",version=%q,instance=\"%d\"} 1\n", version, i)
		}
	}))
	t.Cleanup(page.Close)
	flags := flagFile(t, fleetFile)
	s := open(t, 120, 32, nil, "--flags", "flagd:"+flags, "--metrics", "scrape+"+page.URL+"/metrics")
	s.awaitLine("checkout-v2", "25%")
	require.NotContains(t, s.text(), "2.14.0", "what stands still needs no line")
	next.Store(true)
	s.awaitLine("deploy", "payment", "2.14.0 ➔ 2.14.1", "on 9/12")
	require.Empty(t, lineWith(s.text(), "ana", "checkout-v2"), "nobody gets anything else by that")
	s.press("+")
	s.awaitText("checkout-v2 25% ➔ 50% confirmed")
	s.awaitLine("ana", "checkout-v2", "25% ➔ 50%")
	s.awaitLine("deploy", "payment", "on 9/12")
	require.Zero(t, s.quit())
}

func TestTheKeysOfTheBoardMoveTheWeightsOfARealHAProxyAsTheyMoveAFlag(t *testing.T) {
	t.Parallel()
	b := balancePair(t)
	require.Equal(t, map[string]int{"stable": 75, "canary": 25}, b.ask(t, 100))
	s := open(t, 110, 30, []string{"RELCTL_ACTOR=ana"}, "--flags", "haproxy:"+b.socket)
	s.awaitLine("▸", "api/canary", "25%")
	s.press("+")
	s.awaitText("api/canary 25% ➔ 50% confirmed")
	require.Equal(t, map[string]int{"stable": 50, "canary": 50}, b.ask(t, 100))
	s.awaitLine("▸", "api/canary", "50%")
	s.press("-")
	s.awaitText("api/canary 50% ➔ 25% confirmed")
	s.awaitLine("▸", "api/canary", "25%")
	s.press("K")
	s.awaitText("api/canary 25% ➔ killed confirmed")
	require.Equal(t, map[string]int{"stable": 100}, b.ask(t, 100))
	s.press("u")
	s.awaitText("undone: api/canary killed ➔ 25% confirmed")
	require.Equal(t, map[string]int{"stable": 75, "canary": 25}, b.ask(t, 100))
	require.Zero(t, s.quit())
}

// balancePair is a real HAProxy over a stable and a canary server.
func balancePair(t *testing.T) *balancer {
	t.Helper()
	return balanceOver(t, fmt.Sprintf("server stable %s weight 75\n  server canary %s weight 25", answering(t, "stable"), answering(t, "canary")))
}
