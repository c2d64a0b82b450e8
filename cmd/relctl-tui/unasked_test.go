package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// deadEvaluator is a config whose one store is to be proven at an address where nobody is.
func deadEvaluator(t *testing.T, b *bench) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, `contexts:
  prod:
    flags: [{dsn: "flagd:%s", name: shop, verify: [{dsn: "ofrep+http://127.0.0.1:2"}]}]
    effective_within: 2s
    rules: {checkout-v2: {drill: true}}
`, b.path), 0o600))
	return path
}

func TestAKillWhoseEvaluatorIsAwayIsWrittenAndNeverCalledIneffective(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	config := deadEvaluator(t, b)
	use := func(args ...string) result { return runIn(t, b.env, append(args, "--config", config)...) }
	told := "checkout-v2 was written and confirmed in the store, but whether it is effective could not be told after 2s: 127.0.0.1:2 refuses connections, check the address and that it runs"

	r := use("kill", "checkout-v2")
	require.Equal(t, exitUnconfirmed, r.code, r.stderr)
	require.Contains(t, r.stdout, "→ killed confirmed")
	require.Contains(t, r.stderr, told)
	require.NotContains(t, r.stdout+r.stderr, "NOT effective")

	r = use("undo", "-o", "json")
	require.Equal(t, exitUnconfirmed, r.code, r.stderr)
	require.Contains(t, r.stdout, `"outcome": "confirmed"`)
	require.NotContains(t, r.stdout, "effective_at")
	require.Contains(t, r.stderr, told)

	r = use("kill", "checkout-v2", "steady")
	require.Equal(t, exitUnconfirmed, r.code, r.stderr)
	require.Regexp(t, `checkout-v2 \S+ → killed confirmed \(change \S+\); `+told, r.stdout, "each of a group")
	require.NotContains(t, r.stdout+r.stderr, "not confirmed")
	require.Zero(t, use("undo", "--no-wait").code)

	before := b.file()
	r = use("drill", "checkout-v2")
	require.Equal(t, exitUnconfirmed, r.code, r.stderr)
	require.Contains(t, r.stderr, told)
	require.NotContains(t, r.stdout+r.stderr, "NOT effective")
	require.Equal(t, before, b.file(), "brought back all the same")
}

func TestTheBoardWarnsOfAKillWhoseEvaluatorIsAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := open(t, 160, 24, nil, "--config", deadEvaluator(t, b))
	pick(s, "checkout-v2")
	s.press("K")
	s.awaitText("whether it is effective could not be told after 2s")
	require.NotContains(t, s.text(), "NOT effective")
	require.Contains(t, b.file(), "DISABLED")
}
