package prometheus_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/prometheus"
)

// aDeploy is the build infos of three instances that went from 1.9.0 to 1.10.0 forty
// minutes ago, one of which did not yet.
func aDeploy(now time.Time) string {
	var b strings.Builder
	b.WriteString("# TYPE app_build_info gauge\n")
	for at := now.Add(-3 * time.Hour); !at.After(now); at = at.Add(30 * time.Second) {
		for i := range 3 {
			version := "1.9.0"
			if i > 0 && now.Sub(at) < 40*time.Minute {
				version = "1.10.0"
			}
			fmt.Fprintf(&b, "app_build_info{job=\"pay\",instance=\"%d\",version=%q} 1 %d\n", i, version, at.Unix())
		}
	}
	return b.String() + "# EOF\n"
}

func TestARealPrometheusTellsWhichVersionsRunAndWhenTheNewestCame(t *testing.T) {
	t.Parallel()
	now := time.Now()
	url, _ := withPast(t, aDeploy(now), "", now)
	s, err := prometheus.New("prom", url, prometheus.Options{})
	require.NoError(t, err)
	var set sources.DeploySet
	require.Eventually(t, func() bool {
		set, err = s.Deploys(t.Context())
		return err == nil && len(set.Deploys) == 1
	}, time.Minute, 50*time.Millisecond)
	require.Equal(t, "pay", set.Deploys[0].Service)
	require.Equal(t, "1.10.0 on 2/3", set.Deploys[0].Brief())
	require.Len(t, set.Changes, 1)
	require.Equal(t, "1.9.0", set.Changes[0].Old)
	require.WithinDuration(t, now.Add(-40*time.Minute), set.Changes[0].At, 6*time.Minute, "as exactly as a day is looked at")
}
