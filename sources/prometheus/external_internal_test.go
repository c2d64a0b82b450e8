package prometheus

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExternalLabelsAreThoseOfTheGlobalPartAlone(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]map[string]string{
		"": nil,
		"global:\n  scrape_interval: 1s\n  external_labels:\n    cluster: west\n    n: \"1\"\nscrape_configs:\n- job_name: a\n": {"cluster": "west", "n": "1"},
		"scrape_configs:\n- external_labels:\n    cluster: west\n":                                                              nil,
		"global:\n  external_labels: [no]\n":                                                                                    nil,
		"global:":                                                                                                               nil,
		"alerting:\n  x: \"\\nglobal:\"\nglobal:\n  external_labels:\n    a: b\n":                                               {"a": "b"},
	} {
		require.Equal(t, want, externalLabels(config), "%q", config)
	}
}

// It is not parallel: what it measures is of the whole process.
func TestAConfigThatOnlyNestsCostsLittle(t *testing.T) { //nolint:paralleltest // see above
	for _, config := range []string{
		"global: " + strings.Repeat("[", maxGlobal),
		"global:\n  external_labels: " + strings.Repeat("{a: ", maxGlobal/5),
		"global:\n " + strings.Repeat("- ", maxGlobal/3),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		require.Empty(t, externalLabels(config))
		runtime.ReadMemStats(&after)
		require.Less(t, (after.TotalAlloc-before.TotalAlloc)>>20, uint64(64), "MB for %.30q", config)
	}
}
