package flagd_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
)

const shop = `{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "flags": {
    "checkout-v2": {
      "state": "ENABLED",
      "variants": {"on": true, "off": false},
      "defaultVariant": "off",
      "targeting": {
        "fractional": [["on", 25], ["off", 75]]
      },
      "metadata": {"owner": "ana", "description": "The new checkout", "relctl.latency": "payment API", "relctl.ladder": "1,10,100"}
    },
    "dark-mode": {
      "state": "ENABLED",
      "variants": {"on": true, "off": false},
      "defaultVariant": "off"
    }
  }
}
`

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prod.flagd.json")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o640))
	return path
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func id(key string) sources.FlagID { return sources.FlagID{Source: "prod", Key: key} }

func TestKillSetsStateToDisabledAndKeepsTheSplit(t *testing.T) {
	t.Parallel()
	path := file(t, shop)
	s := flagd.New("prod", path)
	got, err := s.Apply(context.Background(), sources.Change{ID: "1", Flag: id("checkout-v2"), Kind: sources.Kill})
	require.NoError(t, err)
	require.Equal(t, sources.Pct(25), got.New.Stored.V)
	require.True(t, got.New.Killed)
	require.Equal(t, sources.FlagOff, got.New.State)
	require.Equal(t, replaceFirst(shop, `"ENABLED"`, `"DISABLED"`), content(t, path))

	_, err = s.Apply(context.Background(), sources.Change{ID: "2", Flag: id("checkout-v2"), Kind: sources.Undo, Seen: got.New.Revision, Restore: got.Restore})
	require.NoError(t, err)
	require.Equal(t, shop, content(t, path))
}

func TestRampOfASplitReplacesTheTwoWeightsOnly(t *testing.T) {
	t.Parallel()
	path := file(t, shop)
	s := flagd.New("prod", path)
	got, err := s.Apply(context.Background(), sources.Change{ID: "1", Flag: id("checkout-v2"), Kind: sources.Ramp, To: sources.Pct(50)})
	require.NoError(t, err)
	require.Equal(t, "50%", got.New.Brief())
	require.Equal(t, replaceFirst(shop, `["on", 25], ["off", 75]`, `["on", 50], ["off", 50]`), content(t, path))
}

func replaceFirst(s, old, with string) string {
	for i := range s {
		if len(s)-i >= len(old) && s[i:i+len(old)] == old {
			return s[:i] + with + s[i+len(old):]
		}
	}
	panic("not there: " + old)
}
