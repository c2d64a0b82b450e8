package prometheus

import (
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
