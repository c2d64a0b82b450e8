package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
)

func TestFaultyGuardsAreToldAtTheirPlace(t *testing.T) {
	t.Parallel()
	for guard, want := range map[string]string{
		`{preset: p99}`:                                         "a guard needs a max",
		`{preset: p98, max: 1}`:                                 `unknown guard preset "p98"`,
		`{preset: p99, query: x, max: 1s}`:                      "a preset or a query, and not both",
		`{max: 1s}`:                                             "a preset or a query, and not both",
		`{preset: p99, max: 1}`:                                 `"1" is no number for this guard`,
		`{preset: error_ratio, max: 500ms}`:                     `"500ms" is no number for this guard`,
		`{preset: breaker, max: 1}`:                             "takes neither max nor against",
		`{query: x, max: 1, min_requests: 5}`:                   "min_requests of a query needs a count",
		`{query: x, max: 1.2, against: baseline}`:               "its label and the baseline's value",
		`{query: x, max: 1.2, against: yesterday}`:              `unknown comparison "yesterday"`,
		`{preset: p99, max: 500ms, count: x}`:                   "count goes with a query",
		`{query: x, max: 2%, slack: 0.5%, against: before}`:     "",
		`{preset: error_ratio, max: 2%, tags: [payments]}`:      "",
		`{preset: p99, max: 1.2, slack: 20ms, against: before}`: "",
	} {
		t.Run(guard, func(t *testing.T) {
			t.Parallel()
			cfg, err := decodeConfig("c.yaml", []byte("contexts:\n  prod:\n    guards:\n      - "+guard+"\n"))
			require.NoError(t, err)
			err = cfg.validate()
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, want)
			require.ErrorContains(t, err, "c.yaml:4:")
		})
	}
}

func TestAFlagsOwnGuardsHoldForItAlone(t *testing.T) {
	t.Parallel()
	cfg, err := decodeConfig("c.yaml", []byte(`contexts:
  prod:
    guards: [{preset: breaker, of: ledger}]
    ramp: {hold: 10m, on_breach: kill}
    rules:
      checkout-v2:
        guards: [{preset: error_ratio, max: 2%, min_requests: 200, window: 2m}]
        ramp: {hold: 1m}
`))
	require.NoError(t, err)
	require.NoError(t, cfg.validate())
	all := guardsOf(cfg.Contexts["prod"])
	require.Len(t, all, 2)
	require.Equal(t, "breakers of ledger", all[0].Name)
	require.Empty(t, all[0].Flags)
	require.Equal(t, []string{"checkout-v2"}, all[1].Flags)
	require.InDelta(t, 0.02, all[1].Limit, 1e-12)
	require.InDelta(t, 200, all[1].MinCount, 1e-12)
}

// The stories run on the real fleet, so they take the seconds that they take.
func TestTheDemosStoriesEndAsTheyShould(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	for scenario, verdict := range map[string]string{
		"good-ramp": "verdict: the good ramp arrived at 100 %, three-ds-frictionless is at 100%",
		"bad-ramp":  "verdict: the bad ramp was stopped at 10 % and rolled back, checkout-v2 is at 1%",
	} {
		played := runIn(t, cleanEnv(t), "demo", "--scenario", scenario)
		// While the machine stands still the fleet is slow with any flag, and guards rightly
		// take that for a breach: then it is played again.
		for range 2 {
			if strings.Contains(played.stdout, verdict) || !strings.Contains(played.stdout, "breach") {
				break
			}
			played = runIn(t, cleanEnv(t), "demo", "--scenario", scenario)
		}
		require.Zero(t, played.code, played.stdout+played.stderr)
		require.Contains(t, played.stdout, verdict)
	}
	wrong := runIn(t, cleanEnv(t), "demo", "--scenario", "god-ramp")
	require.Equal(t, exitUsage, wrong.code)
	require.Contains(t, wrong.stderr, "good-ramp")
}

func TestARunnerThatIsKilledLeavesTheFlagAtItsStepUntilSomebodyTakesItOver(t *testing.T) {
	f := startFleet(t)
	config := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(config, []byte(`contexts:
  demo:
    flags: [{dsn: "flagd:`+f.flags+`", name: demo}]
    metrics: [{dsn: "scrape+`+f.metrics+`"}]
    breakers: [{preset: auto}]
    guards: [{preset: breaker, of: payment API}]
`), 0o600))
	at := func() sources.Percent {
		got, err := flagd.New("demo", f.flags).Flag(t.Context(), sources.FlagID{Source: "demo", Key: "gift-cards"})
		require.NoError(t, err)
		return got.Rollout.V
	}
	ramp := func(more ...string) []string {
		return append([]string{"ramp", "gift-cards", "--guarded", "--config", config}, more...)
	}
	first := exec.Command(binary, ramp("--hold", "5m", "--actor", "ana")...)
	first.Env = cleanEnv(t)
	require.NoError(t, first.Start())
	poll(t, "the first step", func() bool { return at() == sources.Pct(5) })
	require.NoError(t, first.Process.Kill())
	require.Error(t, first.Wait())
	r := runIn(t, cleanEnv(t), ramp("--hold", "1s", "--actor", "ben")...)
	require.Equal(t, exitConflict, r.code, r.stderr)
	require.Regexp(t, `gift-cards is run by ana on .*; --take-over stops that ramp and goes on from where the flag is\n$`, r.stderr)
	require.Equal(t, sources.Pct(5), at(), "nobody has moved it")
	r = runIn(t, cleanEnv(t), ramp("--hold", "300ms", "--to", "25", "--take-over", "--actor", "ben")...)
	require.Zero(t, r.code, r.stdout+r.stderr)
	require.Contains(t, r.stdout, "arrived")
	require.Equal(t, sources.Pct(25), at())
}

func TestAFreezeIsRefusedWithExitCodeThreeAndKillGoesThrough(t *testing.T) {
	t.Parallel()
	store := "flagd:" + newBench(t).path
	config := filepath.Join(t.TempDir(), "c.yaml")
	write := func(override string) {
		require.NoError(t, os.WriteFile(config, []byte(`contexts:
  prod:
    flags: [{dsn: "`+store+`"}]
    freeze: [{from: "2020-01-01 00:00", to: "2099-01-04 06:00", zone: Europe/Berlin, reason: peak`+override+`}]
`), 0o600))
	}
	write("")
	out, code := run(t, nil, "config", "check", config)
	require.Zero(t, code, out)
	require.Contains(t, out, "freeze   2020-01-01 00:00 to 2099-01-04 06:00 Europe/Berlin, peak (now, until 4 Jan 2099 06:00)")
	out, _ = run(t, nil, "--config", config, "doctor")
	require.Contains(t, out, "freeze   2020-01-01 00:00 to 2099-01-04 06:00 Europe/Berlin, peak (now")
	out, code = run(t, nil, "--config", config, "ramp", "checkout-v2", "50")
	require.Equal(t, exitRefused, code, out)
	require.Contains(t, out, "freeze until 4 Jan 2099 06:00: peak; kill and back go through")
	out, code = run(t, nil, "--config", config, "ramp", "checkout-v2", "next", "--override", "--reason", "must")
	require.Equal(t, exitRefused, code, out)
	write(", override: true")
	out, code = run(t, nil, "--config", config, "ramp", "checkout-v2", "next", "--override", "--reason", "must")
	require.Zero(t, code, out)
	out, code = run(t, nil, "--config", config, "kill", "checkout-v2")
	require.Zero(t, code, out)
}
