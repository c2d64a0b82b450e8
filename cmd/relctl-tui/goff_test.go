package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const goffFile = `# what the shop has
checkout-v2: # new
  variations: {"on": true, "off": false}
  defaultRule:
    percentage:
      "on": 25 # since Monday
      "off": 75
slow:
  variations: {"on": true, "off": false}
  defaultRule:
    progressiveRollout:
      initial: {variation: "off", date: 2020-01-01T00:00:00Z}
      end: {variation: "on", date: 2020-02-01T00:00:00Z}
  scheduledRollout:
    - {date: 2999-01-01T00:00:00Z, disable: false}
beta:
  variations: {enabled: true, disabled: false}
  targeting: [{name: internal, query: beta eq "true", variation: enabled}]
  defaultRule: {variation: disabled}
`

func TestAGoFeatureFlagFileIsRampedKilledAndRestored(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "prod.goff.yaml")
	require.NoError(t, os.WriteFile(path, []byte(goffFile), 0o644))
	do := func(args string) result {
		return runIn(t, append(cleanEnv(t), "RELCTL_ACTOR=ana"), append([]string{"--flags", "goff:" + path}, strings.Fields(args)...)...)
	}
	table := do("flags")
	require.Zero(t, table.code, table.stderr)
	rows := lines(table.stdout)
	require.Regexp(t, `^beta +custom +- +targeting: internal$`, rows[1])
	require.Regexp(t, `^checkout-v2 +on +25%`, rows[2])
	require.Regexp(t, `^slow +on +100% +progressive rollout to 100% ended 2020-02-01`, rows[3])

	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"ramp checkout-v2 33.3", 0, "checkout-v2 25% → 33.3% confirmed"},
		{"kill checkout-v2", 0, "checkout-v2 33.3% → killed confirmed"},
		{"kill slow", 0, "slow 100% → killed confirmed"},
		{"kill beta", 0, "beta custom → killed confirmed"},
		{"ramp beta 20", exitRefused, "targeting: internal"},
		{"ramp nope 20", exitFailed, "nothing was changed"},
		{"ramp checkout-v2 101", exitUsage, "the most is 100"},
	} {
		r := do(c.args)
		require.Equal(t, c.code, r.code, "%s: %s", c.args, r.stderr)
		require.Contains(t, r.stdout+r.stderr, c.says, c.args)
		if c.args == "kill slow" {
			require.Contains(t, r.stdout+r.stderr, "1 step of its schedule with disable: false", "the receipt says what became of the schedule")
		}
	}
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(now), "      \"on\": 33.3 # since Monday\n      \"off\": 66.7\n")
	require.Equal(t, 3, strings.Count(string(now), "\n  disable: true\n"))
	for range 4 {
		require.Zero(t, do("undo").code)
	}
	back, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, goffFile, string(back))

	require.NoError(t, os.WriteFile(path, []byte("a:\n  b: [1\nc: 2\n"), 0o644))
	r := do("flags")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stderr, "not YAML: line 3, column 1")
}
