package prometheus_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/prometheus"
	"relctl-tui/sources/sourcetest"
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
	server := sourcetest.RealTool(t, "prometheus", "apt-get install prometheus")
	tool := sourcetest.RealTool(t, "promtool", "apt-get install prometheus")
	dir, now := t.TempDir(), time.Now()
	past, data, conf := filepath.Join(dir, "past.om"), filepath.Join(dir, "data"), filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(past, []byte(aDeploy(now)), 0o600))
	require.NoError(t, os.WriteFile(conf, nil, 0o600))
	said, err := exec.CommandContext(t.Context(), tool, "tsdb", "create-blocks-from", "openmetrics", past, data).CombinedOutput()
	require.NoError(t, err, string(said))
	addr := sourcetest.FreeAddress(t)
	sourcetest.Run(t, server, "--config.file="+conf, "--storage.tsdb.path="+data, "--web.listen-address="+addr, "--log.level=error")

	s, err := prometheus.New("prom", "http://"+addr, prometheus.Options{})
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
