package goff_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/flagfile"
	"relctl-tui/sources/goff"
	"relctl-tui/sources/sourcetest"
)

const suiteYAML = `# flags of the shop
checkout-v2: # ramped by hand
  variations:
    "on": true
    "off": false
  defaultRule:
    percentage:
      "on": 25
      "off": 75

dark-mode:
  variations: {"on": true, "off": false}
  defaultRule:
    variation: "off" # not yet
beta:
  variations: {enabled: true, disabled: false}
  targeting:
    - name: internal
      query: email ew "@example.com"
      variation: enabled
  defaultRule: {variation: disabled}
"esc\u001b[31mape":
  variations: {"on": true, "off": false}
  defaultRule: {variation: "on"}
  metadata: {owner: "b\u0007en", description: "a\nb", relctl.latency: "p\u202eay"}
`

const suiteJSON = `{
	"checkout-v2": {"variations": {"on": true, "off": false}, "defaultRule": {"percentage": {"on": 25, "off": 75}}},
	"dark-mode": {"variations":{"on":true,"off":false},"defaultRule":{"variation":"off"}},
	"beta": {
		"variations": {"enabled": true, "disabled": false},
		"targeting": [{"name": "internal", "query": "email ew \"@example.com\"", "variation": "enabled"}],
		"defaultRule": {"variation": "disabled"}
	}
}
`

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		content string
		opts    []flagfile.Option
	}{
		"YAML":   {suiteYAML, nil},
		"JSON":   {suiteJSON, nil},
		"polled": {suiteYAML, []flagfile.Option{flagfile.WithoutNotify(), flagfile.WithPollInterval(2 * time.Millisecond)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sourcetest.Store(t, func(t *testing.T) sourcetest.Fixture {
				path := filepath.Join(t.TempDir(), "flags.goff.yaml")
				require.NoError(t, os.WriteFile(path, []byte(tc.content), 0o600))
				with := append([]flagfile.Option{flagfile.WithNow(func() time.Time { return noon })}, tc.opts...)
				return sourcetest.Fixture{
					Store: goff.New("prod", path, with...), Second: goff.New("prod", path, with...),
					Split: id("checkout-v2"), Other: id("dark-mode"), Custom: id("beta"),
				}
			})
		})
	}
}
