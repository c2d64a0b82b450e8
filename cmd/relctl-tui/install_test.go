package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

func TestVersionSaysWhatWasBuiltAndMakesNoNumberUp(t *testing.T) {
	t.Parallel()
	r := runIn(t, cleanEnv(t), "version", "-o", "json")
	require.Zero(t, r.code, r.stderr)
	var is struct {
		Version, Go, OS, Arch string
		Commit, Date          *string
		Modified              *bool
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &is))
	require.NotNil(t, is.Modified)
	require.Regexp(t, `^(devel|v\d+\.\d+\.\d+.*)$`, is.Version)
	require.NotContains(t, is.Version, "v0.0.0")
	require.Equal(t, []string{runtime.Version(), runtime.GOOS, runtime.GOARCH}, []string{is.Go, is.OS, is.Arch})
	require.Equal(t, is.Commit == nil, is.Date == nil, "both come from the commit")

	r = runIn(t, cleanEnv(t), "version")
	require.Regexp(t, `^relctl-tui \S+\ncommit  .+\ndate    .+\ngo      go1\.\S+\nsystem  \w+/\w+\n$`, r.stdout)
	require.Contains(t, runIn(t, cleanEnv(t), "--version").stdout, is.Version)
	require.Equal(t, exitUsage, runIn(t, cleanEnv(t), "version", "-o", "xml").code)
}

func TestTheShellIsOfferedContextsAndThemes(t *testing.T) {
	t.Parallel()
	dir, env := t.TempDir(), cleanEnv(t)
	config := filepath.Join(dir, "c.yaml")
	require.NoError(t, os.WriteFile(config, []byte("default: prod\ncontexts:\n  prod: {flags: [{dsn: \"flagd:f.json\"}]}\n  staging: {flags: [{dsn: \"flagd:f.json\"}]}\n"), 0o600))
	r := runIn(t, env, "__complete", "--config", config, "status", "--context", "")
	require.Equal(t, "prod\nstaging\n:4\n", r.stdout)
	r = runIn(t, env, "__complete", "--theme", "dark")
	require.Contains(t, r.stdout, "\ndark\n")
}

func TestAShellThatCompletesIsToldNothingOfWhatFailsAndChangesNothing(t *testing.T) {
	t.Parallel()
	env, dir := cleanEnv(t), t.TempDir()
	broken := filepath.Join(dir, "broken.yaml")
	require.NoError(t, os.WriteFile(broken, []byte("contexts: [\n"), 0o600))
	for _, args := range [][]string{
		{"kill", ""}, // without a config
		{"--config", broken, "kill", ""},
		{"--config", filepath.Join(dir, "absent.yaml"), "--context", ""},
		{"--flags", "flagd:" + filepath.Join(dir, "absent.json"), "ramp", ""},
		{"--flags", "etcd://127.0.0.1:1/relctl", "kill", ""}, // where nobody answers
	} {
		r := runIn(t, env, append([]string{"__complete"}, args...)...)
		require.NotContains(t, r.stdout+r.stderr, "Error", args)
		require.Regexp(t, `^((next|back)\n)*:4\n$`, r.stdout, args)
	}
	var made []string
	require.NoError(t, filepath.WalkDir(strings.TrimPrefix(env[1], "HOME="), func(_ string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			made = append(made, e.Name())
		}
		return err
	}))
	require.Equal(t, []string{"toured"}, made, "a key press at a prompt writes no example flags")
}

func TestEachVerbHasAManPageWithAllItsOptions(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "man")
	r := runIn(t, cleanEnv(t), "man", dir)
	require.Zero(t, r.code, r.stderr)
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		b, err := os.ReadFile(filepath.Join(dir, manName(cmd)+".1"))
		require.NoError(t, err)
		page := string(b)
		require.True(t, strings.HasPrefix(page, ".TH "), page)
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				require.Contains(t, page, `\fB`+roff.Replace("--"+f.Name)+`\fR`, manName(cmd))
			}
		})
		for _, c := range manned(cmd) {
			require.Contains(t, page, roff.Replace(manName(c)))
			visit(c)
		}
	}
	visit(newRootCmd(nil))
}

func TestWhatAManPageSaysIsNeverTakenForARequest(t *testing.T) {
	t.Parallel()
	page := manPage(&cobra.Command{Use: "x", Short: `a\b`, Long: ".so /etc/passwd\n\n'br and \\fI", RunE: func(*cobra.Command, []string) error { return nil }}, build{})
	require.Contains(t, page, "\n\\&.so /etc/passwd\n")
	require.Contains(t, page, "\n\\(aqbr and \\efI\n")
	require.Contains(t, page, `a\eb`)
}
