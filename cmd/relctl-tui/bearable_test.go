package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFileOfBracketsIsRefusedInOneSentenceBeforeItIsParsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	check := func(config string) result {
		path := filepath.Join(dir, "c.yaml")
		require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
		return runIn(t, cleanEnv(t), "config", "check", path)
	}
	hostile := map[string]string{
		strings.Repeat("[", 5000):                             "nested too deeply",
		strings.Repeat("[", 5000) + strings.Repeat("]", 5000): "nested too deeply",
		"a: " + strings.Repeat("{a: ", 5000):                  "nested too deeply",
		strings.Repeat("- ", 5000) + "x":                      "nested too deeply",
		strings.Repeat("? ", 5000) + "x":                      "nested too deeply",
		"a: [" + strings.Repeat("1,", 250_000) + "1]":         "more lists and mappings than are read",
	}
	for text, why := range hostile {
		r := check(text)
		require.Equal(t, exitUsage, r.code, r.stderr)
		require.Contains(t, r.stderr, "c.yaml:1:1: "+why+": is it the right file?")
		require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)

		presets := filepath.Join(dir, "presets.yaml")
		require.NoError(t, os.WriteFile(presets, []byte(text), 0o600))
		for _, key := range []string{"breaker_presets", "latency_presets"} {
			r = check("contexts: {prod: {" + key + ": presets.yaml}}")
			require.Equal(t, exitUsage, r.code, r.stderr)
			require.Contains(t, r.stderr, "line 1: "+why)
			require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
		}
	}
}

func TestAConfigWithThousandsOfRulesIsNotTakenForAnAttack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var rules strings.Builder
	for i := range 2000 {
		rules.WriteString("      flag-" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + "-" + strings.Repeat("y", i/26) + ": {ladder: [1, 10, 50, 100], metric: \"[{a}]\"}\n")
	}
	path := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(path, []byte("contexts:\n  prod:\n    flags: [{dsn: \"flagd:"+b.path+"\"}]\n    rules:\n"+rules.String()), 0o600))
	r := runIn(t, b.env, "config", "check", path)
	require.NotContains(t, r.stderr, "is it the right file")
}
