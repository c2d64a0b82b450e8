package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// twoContexts is a config with production and staging, each with a flag file of its
// own.
func twoContexts(t *testing.T, more string) (config, prod, staging string) {
	t.Helper()
	prod, staging = flagFile(t, fleetFile), flagFile(t, strings.ReplaceAll(fleetFile, `["on", 25], ["off", 75]`, `["on", 5], ["off", 95]`))
	config = filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `default: prod
contexts:
  prod: {accent: red, flags: [{dsn: "flagd:%s"}]}
  staging: {flags: [{dsn: "flagd:%s"%s}]}
`, prod, staging, more), 0o600))
	return config, prod, staging
}

func TestOneKeySwitchesToTheNextEnvironmentAndBackAndWhatActsIsTheNewOne(t *testing.T) {
	t.Parallel()
	config, prod, staging := twoContexts(t, "")
	s := open(t, 100, 24, nil, "--config", config)
	s.awaitText("prod", "checkout-v2", "25%")
	s.press("e")
	s.awaitText("staging", "checkout-v2", "5%")
	pick(s, "checkout-v2")
	s.press("K")
	s.awaitText("killed confirmed in")
	require.Contains(t, read(t, staging), "DISABLED")
	require.NotContains(t, read(t, prod), "DISABLED")
	s.press("e")
	s.awaitText("prod", "checkout-v2", "25%")
	s.press("q")
	<-s.gone
	require.NoError(t, s.err)
}

func TestAnEnvironmentThatCannotBeOpenedLeavesTheBoardOnTheOldOneAndSaysWhy(t *testing.T) {
	t.Parallel()
	config, _, _ := twoContexts(t, `, journal: "${NOBODY_HAS_SET_THIS}"`)
	s := open(t, 120, 24, nil, "--config", config)
	s.awaitText("prod", "checkout-v2", "25%")
	s.press("e")
	s.awaitText("context staging cannot be opened, this is prod again", "NOBODY_HAS_SET_THIS is not set")
	s.awaitText("checkout-v2", "25%")
}

func TestWithoutAnotherEnvironmentTheKeySaysSo(t *testing.T) {
	t.Parallel()
	s, _ := onFlag(t, 100, 24, "checkout-v2")
	s.press("e")
	s.awaitText("there is no other context")
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}
