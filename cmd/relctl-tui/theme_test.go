package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachEnvironmentHasItsThemeAndAnOptionChoosesForAll(t *testing.T) {
	t.Parallel()
	config, _, _ := twoContexts(t, "")
	night := filepath.Join(filepath.Dir(config), "night.yaml")
	require.NoError(t, os.WriteFile(night, []byte("name: night\nbase: dark\ntones: {select: {color: \"#ff5fd7\", bold: true}}\n"), 0o600))
	text := read(t, config)
	text = strings.Replace(text, "accent: red", "accent: red, theme: ./night.yaml", 1)
	text = strings.Replace(text, "staging: {", "staging: {theme: light, ", 1)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	env := append(cleanEnv(t), "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8")
	const pink, teal = "38;2;255;95;215", "38;2;0;98;122"

	s := open(t, 100, 24, env, "--config", config)
	s.awaitText("prod", "checkout-v2")
	require.Contains(t, string(s.output(0)), pink)
	s.press("e")
	s.awaitText("staging", "checkout-v2")
	// The first board may still have been painting when the key came, so that only what
	// follows the other one's entry of the screen is its own.
	out := string(s.output(0))
	staging := out[strings.LastIndex(out, "\x1b[?1049h"):]
	require.Contains(t, staging, teal)
	require.NotContains(t, staging, pink)
	s.press("T")
	s.awaitText("theme mono: no colour at all")
	require.Zero(t, s.quit())

	s = open(t, 100, 24, env, "--config", config, "--theme", "mono")
	s.awaitText("prod", "checkout-v2")
	require.NotContains(t, string(s.output(0)), "38;2;")
	require.Zero(t, s.quit())
}

func TestAThemeThatCannotBeReadIsOneSentence(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	check := func(theme string) result {
		text := "contexts:\n  prod: {theme: " + theme + ", flags: [{dsn: \"flagd:" + b.path + "\"}]}\n"
		require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
		return runIn(t, cleanEnv(t), "config", "check", "--config", config)
	}
	r := check("drak")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, `config.yaml:2:17: no theme "drak": did you mean "dark"?`)
	r = check("./none.yaml")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "none.yaml: no such file")
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(config), "mine.yaml"), []byte("name: mine\ntones: {gud: {}}\n"), 0o600))
	r = check("./mine.yaml")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, `mine.yaml: line 2: tones has no "gud"`)

	s := open(t, 100, 24, nil, "--theme", "neon", "--flags", "flagd:"+b.path)
	require.Equal(t, exitUsage, s.awaitExit())
	require.Contains(t, string(s.output(0)), `no theme "neon": the themes are ansi`)
}
