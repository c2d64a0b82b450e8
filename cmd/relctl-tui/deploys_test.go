package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheVerbDeploysSaysWhatRunsWhereAndHowFarARolloutHasCome(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte(`# TYPE app_build_info gauge
app_build_info{service="search",version="7",pod="a"} 1
app_build_info{service="web",namespace="shop",version="2.14.1",pod="a"} 1
app_build_info{service="web",namespace="shop",version="2.14.1",pod="b"} 1
app_build_info{service="web",namespace="shop",version="2.14.0",pod="c"} 1
app_build_info{service="web",namespace="bank",version="9",pod="d"} 1
# TYPE flagger_canary_weight gauge
flagger_canary_weight{workload="search"} 25
# TYPE what_runs gauge
what_runs{app="cart",image="shop/cart:3.1",region="eu"} 1
what_runs{app="cart",image="shop/cart:3.0",region="us"} 1
`))
	}))
	t.Cleanup(s.Close)
	b := newBench(t)
	r := b.run("deploys", "--metrics", "scrape+"+s.URL+"/metrics")
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `(?m)^SERVICE +NAMESPACE +VERSION +ON +BESIDE +ROLLOUT$`, r.stdout)
	require.Regexp(t, `(?m)^search +7 +1/1 +canary 25%$`, r.stdout)
	require.Regexp(t, `(?m)^shop/web +shop +2\.14\.1 +2/3 +2\.14\.0 on 1$`, r.stdout)
	require.Regexp(t, `(?m)^bank/web +bank +9 +1/1$`, r.stdout)

	r = b.run("deploys", "-o", "json", "--metrics", "scrape+"+s.URL+"/metrics")
	require.Zero(t, r.code, r.stderr)
	var doc struct {
		Deploys []struct {
			Service, Namespace string
			Versions           []struct {
				Version   string
				Instances int
				Since     *string
			}
			Instances int
			Rolling   bool
			Updated   *int
			Canary    *float64 `json:"canary_ratio"`
		}
		Changes []any
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &doc))
	require.Len(t, doc.Deploys, 3)
	require.Equal(t, "search", doc.Deploys[0].Service, "what is being rolled out is first")
	require.InDelta(t, 0.25, *doc.Deploys[0].Canary, 1e-9)
	require.Nil(t, doc.Deploys[0].Updated, "absent is null")
	web := doc.Deploys[1]
	require.Equal(t, "shop", web.Namespace)
	require.True(t, web.Rolling)
	require.Equal(t, 3, web.Instances)
	require.Equal(t, "2.14.1", web.Versions[0].Version)
	require.Nil(t, web.Versions[0].Since, "nobody looked before")
	require.NotNil(t, doc.Changes)

	config := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(config, []byte("contexts:\n  prod:\n    metrics: [{dsn: \"scrape+"+s.URL+"/metrics\"}]\n"+
		"    deploys: [{metric: what_runs, version: image, match: 'region=\"eu\"'}]\n"), 0o600))
	r = b.run("deploys", "--config", config)
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `(?m)^cart +3\.1 +1/1$`, r.stdout, "a metric that the config names")
	require.NoError(t, os.WriteFile(config, []byte("contexts:\n  prod:\n    metrics: [{dsn: \"scrape+"+s.URL+"/metrics\"}]\n"+
		"    deploys: [{metric: 'what runs'}]\n"), 0o600))
	r = b.run("deploys", "--config", config)
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "is no metric name")

	r = b.run("deploys", "--metrics", "alertmanager+"+s.URL)
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "no source here tells what is deployed")
}
