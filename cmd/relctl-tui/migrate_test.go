package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// comparing is a page of metrics on which a tenth of a second of comparisons is
// added at each look, all of them equal unless it is told otherwise.
type comparing struct {
	*httptest.Server
	mu              sync.Mutex
	differ          bool
	mismatch, match float64
	last            time.Time
}

func compares(t *testing.T) *comparing {
	t.Helper()
	c := &comparing{last: time.Now()}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		n := time.Since(c.last).Seconds() * 200
		c.last = time.Now()
		if c.differ {
			c.mismatch += n
		} else {
			c.match += n
		}
		fmt.Fprintf(w, "orders_comparisons_total{result=\"match\"} %f\norders_comparisons_total{result=\"mismatch\"} %f\n", c.match, c.mismatch)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *comparing) differs(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.differ = on
}

// migrating is a bench with one migration.
func migratingBench(t *testing.T, metrics, definition string) *bench {
	t.Helper()
	b := &bench{t: t, env: append(cleanEnv(t), "RELCTL_ACTOR=ana"), path: filepath.Join(t.TempDir(), "prod.flagd.json")}
	require.NoError(t, os.WriteFile(b.path, []byte(`{"flags": {"orders": `+definition+`}}`), 0o644))
	config := filepath.Join(filepath.Dir(b.path), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(`
contexts:
  prod:
    flags: [{dsn: "flagd:prod.flagd.json"}]
    metrics: [{dsn: "scrape+`+metrics+`/metrics"}]
    rules:
      orders:
        migration:
          mismatch: {metric: orders_comparisons_total, bad: 'result="mismatch"', limit: 0.1%, window: 2s, at_least: 20}
          old: orders old
          new: orders new
`), 0o600))
	b.env = append(b.env, "RELCTL_CONFIG="+config)
	return b
}

func (b *bench) plain(args ...string) result {
	b.t.Helper()
	return runIn(b.t, b.env, args...)
}

func TestAMigrationWalksStageByStageWithoutAScreen(t *testing.T) {
	t.Parallel()
	page := compares(t)
	b := migratingBench(t, page.URL, strings.Replace(sourcetest.Staged, `{"fractional": [["shadow", 90], ["live", 10]]}`, `{}`, 1))
	r := b.plain("migrate", "next", "orders")
	require.Equal(t, exitDone, r.code, r.stderr)
	require.Contains(t, r.stdout, "orders off → dualwrite confirmed")
	r = b.plain("ramp", "orders", "next")
	require.Equal(t, exitDone, r.code, r.stderr)

	page.differs(true)
	at := b.file()
	r = b.plain("migrate", "next", "orders")
	require.Equal(t, exitRefused, r.code, r.stdout)
	require.Contains(t, r.stderr, "orders stays at shadow: mismatch")
	require.Contains(t, r.stderr, "(limit 0.1% for 2s)")
	r = b.plain("ramp", "orders", "50")
	require.Equal(t, exitRefused, r.code)
	require.Equal(t, at, b.file())

	page.differs(false)
	r = b.plain("migrate", "next", "orders", "--wait", "60s")
	require.Equal(t, exitDone, r.code, r.stderr)
	require.Contains(t, r.stdout, "orders shadow → live confirmed")
	r = b.plain("migrate", "next", "orders", "--wait", "60s")
	require.Equal(t, exitRefused, r.code, "the point of no return")
	require.Contains(t, r.stderr, "--confirm orders")
	r = b.plain("migrate", "next", "orders", "--wait", "60s", "--confirm", "orders")
	require.Equal(t, exitDone, r.code, r.stderr)

	r = b.plain("kill", "orders")
	require.Equal(t, exitRefused, r.code)
	require.Contains(t, r.stderr, "not killed: at rampdown the old side is not written any more")
	r = b.plain("ramp", "orders", "back")
	require.Equal(t, exitRefused, r.code)
	require.Contains(t, r.stderr, "--confirm orders")
	require.Equal(t, exitRefused, b.plain("migrate", "sign", "orders", "delete-old").code)
	require.Equal(t, exitDone, b.plain("migrate", "next", "orders").code)
	require.Equal(t, exitRefused, b.plain("migrate", "next", "orders").code, "there is no stage beyond")
	r = b.plain("migrate", "sign", "orders", "delete-old", "--reason", "dropped")
	require.Equal(t, exitDone, r.code, r.stderr)
	require.Contains(t, r.stdout, "delete-old signed by ana")
	r = b.plain("migrate", "status", "orders", "-o", "json")
	require.Equal(t, exitDone, r.code, r.stderr)
	var status struct{ Migration standingJSON }
	strictly(t, r.stdout, &status)
	require.NotNil(t, status.Migration.Flag.ChangedAt, "as flags says it")
	require.Equal(t, "ana", status.Migration.Flag.ChangedBy)
	require.Equal(t, "complete", *status.Migration.Flag.Stage)
	require.Equal(t, "dropped", status.Migration.Signed[0].Reason)
	require.Equal(t, "ana", status.Migration.Signed[0].By)
	r = b.plain("migrate", "status", "orders")
	require.Contains(t, r.stdout, "live ║ rampdown → [complete]")
	require.Contains(t, b.plain("log").stdout, "sign-off")
}

func TestNobodyWaitsForTheProofOfAStepThatTheCalendarRefuses(t *testing.T) {
	t.Parallel()
	page := compares(t)
	page.differs(true)
	b := migratingBench(t, page.URL, strings.Replace(sourcetest.Staged, `["live", 10]`, `["live", 0]`, 1))
	config := filepath.Join(filepath.Dir(b.path), "config.yaml")
	content, err := os.ReadFile(config)
	require.NoError(t, err)
	r := b.plain("migrate", "next", "orders", "--wait", "3s")
	require.Equal(t, exitRefused, r.code, r.stderr)
	require.Contains(t, r.stderr, "waiting: ", "with the calendar open the comparisons are looked at")
	require.NoError(t, os.WriteFile(config, append(content, []byte(
		"    freeze: [{from: \"2020-01-01 00:00\", to: \"2099-01-04 06:00\", zone: UTC, reason: peak}]\n")...), 0o600))
	r = b.plain("migrate", "next", "orders", "--wait", "3s")
	require.Equal(t, exitRefused, r.code, r.stderr)
	require.Contains(t, r.stderr, "freeze until 4 Jan 2099 06:00: peak")
	require.NotContains(t, r.stderr, "waiting: ")
}

func TestCohortsAreNamedWithTheirPartsInJSON(t *testing.T) {
	t.Parallel()
	page := compares(t)
	b := migratingBench(t, page.URL, sourcetest.Staged)
	r := b.plain("flags", "-o", "json")
	require.Equal(t, exitDone, r.code, r.stderr)
	var doc flagsDoc
	strictly(t, r.stdout, &doc)
	require.Equal(t, "live", *doc.Flags[0].Stage)
	require.Len(t, doc.Flags[0].Stages, 6)
	require.InDelta(t, 90, *doc.Flags[0].Stages[2].Share, 1e-9)
	require.InDelta(t, 10, *doc.Flags[0].Stages[3].Share, 1e-9)
	require.InDelta(t, 0, *doc.Flags[0].Stages[0].Share, 1e-9)
	r = b.plain("migrate", "back", "orders")
	require.Equal(t, exitDone, r.code, r.stderr)
	require.Contains(t, r.stdout, "orders shadow 90% live 10% → shadow confirmed")
}

func TestTablesShowWhereAMigrationStandsAsTheBoardDoes(t *testing.T) {
	t.Parallel()
	page := compares(t)
	b := migratingBench(t, page.URL, sourcetest.Staged)
	for _, verb := range []string{"flags", "status"} {
		require.Regexp(t, `orders +live +shadow 90% live 10%\n`, b.plain(verb).stdout)
	}
	require.Equal(t, exitDone, b.plain("migrate", "back", "orders").code)
	for _, verb := range []string{"flags", "status"} {
		out := b.plain(verb).stdout
		require.Regexp(t, `orders +shadow +shadow 3/6 +`, out)
		require.NotContains(t, out, "no boolean", "why it would be custom")
	}
	require.Contains(t, b.plain("__complete", "kill", "").stdout, "orders\tshadow 3/6\n")
	require.Equal(t, exitDone, b.plain("kill", "orders").code)
	require.Regexp(t, `orders +off +off 1/6 +`, b.plain("flags").stdout)
}

func TestAFlagThatIsNoMigrationSaysWhatWouldMakeItOne(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.run("migrate", "next", "checkout-v2")
	require.Equal(t, exitRefused, r.code)
	require.Contains(t, r.stderr, "the config makes it one under rules")
	r = b.run("migrate", "checkout-v2")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "unknown step")
}

func TestAMigrationThatCannotBeIsRefusedAtItsLine(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		`{stages: [a, b, c]}`:                                                    `"shadow" is none of the stages a, b, c`,
		`{no_return: off}`:                                                       "compared must be a stage after the first",
		`{mismatch: {metric: x_total}}`:                                          "bad says which of the tries went wrong",
		`{mismatch: {query: "1", metric: x_total}}`:                              "give one of metric and query",
		`{mismatch: {query: "1", limit: 200%}}`:                                  "is no percentage",
		`{mismatch: {query: "1", at_least: many}}`:                               "is no number of comparisons",
		`{mismatch: {query: "1", window: 1s}}`:                                   "outside 2s..24h",
		`{mismatch: {query: "1"}, stages: [a, b, a], compared: b, no_return: a}`: "there twice",
	} {
		_, err := decodeConfig("c.yaml", []byte("contexts:\n  x:\n    rules:\n      f:\n        migration: "+rule+"\n"))
		require.NoError(t, err, rule)
		cfg, _ := decodeConfig("c.yaml", []byte("contexts:\n  x:\n    rules:\n      f:\n        migration: "+rule+"\n"))
		err = cfg.validate()
		require.ErrorContains(t, err, want, rule)
		require.ErrorContains(t, err, "c.yaml:5:", rule)
	}
}

func TestTheDemosMigrationRefusesWhileTheStoresDifferAndLosesNoOrder(t *testing.T) {
	t.Parallel()
	r := runIn(t, cleanEnv(t), "demo", "--scenario", "migration")
	require.Equal(t, exitDone, r.code, r.stdout+r.stderr)
	at := 0
	for _, line := range []string{
		"off → dualwrite confirmed", "dualwrite → shadow confirmed",
		"breach: mismatch", "refused: orders-store stays at shadow: mismatch", "repaired: ", "refused: orders-store stays at shadow",
		"pass: mismatch 0%", "shadow → live confirmed",
		"pass: mismatch 0%", "refused: orders-store live to rampdown: this is the point of no return", "live → rampdown confirmed",
		"refused: orders-store is not killed", "rampdown → complete confirmed", "rows of the old store equal the new one's", "none of ",
		"verdict: the migration refused to switch reads while the stores differed",
	} {
		i := strings.Index(r.stdout[at:], line)
		require.GreaterOrEqual(t, i, 0, "%q after %q", line, r.stdout[:at])
		at += i + len(line)
	}
	r = runIn(t, cleanEnv(t), "demo", "--scenario", "migratoin")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, `did you mean "migration"?`)
}
