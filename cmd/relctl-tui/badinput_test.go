package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadFlagFilesGetOneSentenceAndExitOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	huge := write("huge.json", "")
	require.NoError(t, os.Truncate(huge, 100<<20))
	unreadable := write("secret.json", twoFlags)
	require.NoError(t, os.Chmod(unreadable, 0))
	for _, c := range []struct{ path, says string }{
		{filepath.Join(dir, "missing.json"), "no such file"},
		{dir, "directory"},
		{write("text.json", "hello"), "not JSON"},
		{write("empty.json", ""), "empty.json"},
		{write("list.json", "[1]"), "list.json"},
		{write("noflags.json", `{"a": 1}`), "flags"},
		{write("half.json", twoFlags[:200]), "half.json"},
		{huge, "the most that is read"},
		{unreadable, "secret.json"},
	} {
		if c.path == unreadable && os.Geteuid() == 0 {
			continue
		}
		for _, verb := range []string{"flags", "status"} {
			r := runIn(t, cleanEnv(t), "--flags", "flagd:"+c.path, verb)
			require.Equal(t, exitFailed, r.code, "%s %s", verb, c.path)
			require.Contains(t, r.stderr, c.says, c.path)
			require.Len(t, lines(r.stderr), 1, r.stderr)
			require.LessOrEqual(t, strings.Count(r.stderr, string(filepath.Separator)+filepath.Base(c.path)), 1, "named once: %s", r.stderr)
			require.Empty(t, r.stdout)
		}
	}
}

func TestEachStoreThatFailsHasALineOfItsOwn(t *testing.T) {
	t.Parallel()
	r := runIn(t, cleanEnv(t), "--flags", "flagd:/no/a.json", "--flags", "flagd:/no/b.json", "flags")
	require.Equal(t, exitFailed, r.code)
	require.Len(t, lines(r.stderr), 2, r.stderr)
	b := newBench(t)
	r = b.run("flags", "--flags", "flagd:/no/b.json")
	require.Zero(t, r.code, "one store answered")
	require.Len(t, lines(r.stderr), 1)
	require.Contains(t, r.stdout, "checkout-v2")
}

func TestOneBadFlagStopsNoOther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.NoError(t, os.WriteFile(b.path, []byte(`{"flags": {
  "bad-default": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "nope"},
  "negative": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", -5], ["off", 105]]}},
  "good": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", 10], ["off", 90]]}}
}}`), 0o644))
	var doc flagsDoc
	strictly(t, b.run("flags", "-o", "json").stdout, &doc)
	require.Len(t, doc.Flags, 3)
	require.Equal(t, "broken", doc.Flags[0].State)
	require.NotEmpty(t, doc.Flags[0].Note)
	require.Nil(t, doc.Flags[0].Rollout)
	require.Equal(t, "good", doc.Flags[1].Key)
	require.Equal(t, "on", doc.Flags[1].State)
	require.Equal(t, "broken", doc.Flags[2].State)
	require.Equal(t, exitRefused, b.run("ramp", "bad-default", "10").code)
	require.Zero(t, b.run("kill", "negative").code)
	require.Zero(t, b.run("ramp", "good").code)
}

func TestHostileNamesReachNoTerminalAndStayExactInJSON(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	names := []string{
		"\x1b[31mred", "\x1b]0;owned\x07", "c1\u009b31m", "rtl\u202eevil", "wide漢字", "tab\there", strings.Repeat("n", 10_000), "del\x7f", "tag\U000E0041",
	}
	flags := map[string]any{}
	for _, n := range names {
		flags[n] = map[string]any{"state": "ENABLED", "variants": map[string]bool{"on": true, "off": false}, "defaultVariant": "off"}
	}
	raw, err := json.Marshal(map[string]any{"flags": flags})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(b.path, raw, 0o644))

	r := b.run("flags", "-o", "json") // runIn itself refuses escape sequences
	var doc flagsDoc
	strictly(t, r.stdout, &doc)
	var got []string
	for _, f := range doc.Flags {
		got = append(got, f.Key)
	}
	require.ElementsMatch(t, names, got)
	require.NotRegexp(t, regexp.MustCompile("[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f]"), r.stdout)
	table := b.run("flags").stdout
	require.NotRegexp(t, regexp.MustCompile("[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f]"), table)
	for _, line := range lines(table) {
		require.LessOrEqual(t, len([]rune(line)), 200)
	}
	require.Zero(t, b.run("kill", names[1]).code)
	require.Equal(t, exitFailed, b.run("kill", "\x1b[31mblue").code)
	b.run("log")
	b.run("status")
}

// brokenServers are Prometheuses that went wrong, and a word of what is said.
func brokenServers(t *testing.T) map[string]string {
	t.Helper()
	serve := func(h http.HandlerFunc) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	stop := make(chan struct{})
	hanging := serve(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	})
	t.Cleanup(func() { close(stop) })
	shut, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	refusing := "http://" + shut.Addr().String()
	require.NoError(t, shut.Close())
	return map[string]string{
		refusing: "refuse",
		hanging:  "500ms",
		serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>\x1b[31mLogin</html>"))
		}): "",
		serve(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "\x1b[31mdown", http.StatusServiceUnavailable)
		}): "503",
		serve(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`))
		}): "",
	}
}

func TestABrokenPrometheusIsOneSentenceAndNeverHidesTheFlags(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for url, says := range brokenServers(t) {
		config := filepath.Join(t.TempDir(), "c.yaml")
		require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(
			"contexts: {a: {flags: [{dsn: %q}], metrics: [{dsn: %q, timeout: 500ms}]}}", "flagd:"+b.path, url)), 0o600))
		for _, verb := range []string{"latency", "breakers"} {
			r := runIn(t, b.env, "--config", config, verb)
			require.Equal(t, exitFailed, r.code, "%s: %s%s", url, r.stdout, r.stderr)
			require.Contains(t, r.stderr, says)
			require.Empty(t, r.stdout)
			require.Len(t, lines(r.stderr), 1, r.stderr)
		}
		r := runIn(t, b.env, "--config", config, "status")
		require.Zero(t, r.code, r.stderr)
		require.Contains(t, r.stdout, "checkout-v2")
		require.Contains(t, r.stdout, "breakers and latencies unknown")
		require.NotEmpty(t, r.stderr)
	}
}
