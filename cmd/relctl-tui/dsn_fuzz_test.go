package main

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func FuzzAnyDSNIsReadOrRefusedWithoutItsPassword(f *testing.F) {
	for _, s := range []string{
		"flagd:/srv/a.json", "https://prom.example/x", "scrape+http://10.0.0.7:9090/metrics#payment",
		"https://ana:hunter2@prom", "ana:hunter2@prom", "https://ana@x:hunter2@prom", "hunter2", "prometheus+https://[::1]:9090", "flagd:", "http://", "etcd://a/b", "\x1b[2J:x", "://", "a:b:c",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, flags bool) {
		kind := "metrics"
		if flags {
			kind = "flags"
		}
		d, err := parseDSN(s, kind)
		if err != nil {
			text := err.Error()
			require.NotEmpty(t, text)
			require.False(t, strings.ContainsFunc(text, unicode.IsControl), "%q", text)
			if passwordIn(s) {
				require.NotContains(t, text, "hunter2")
			}
			return
		}
		require.Equal(t, kind, drivers[d.Scheme].kind)
		require.NotEmpty(t, d.Target)
		name := d.sourceName()
		require.False(t, strings.ContainsFunc(name, unicode.IsControl), "%q", name)
		if passwordIn(s) && !drivers[d.Scheme].path {
			require.NotContains(t, name, "hunter2")
		}
	})
}

// passwordIn says whether hunter2 stands where a password does, between the
// first colon and the last @, and nowhere else: elsewhere it is a word like any
// other, which an error may quote.
func passwordIn(s string) bool {
	before, rest, _ := strings.Cut(s, ":")
	at := strings.LastIndexByte(rest, '@')
	return at >= 0 && strings.Contains(rest[:at], "hunter2") && !strings.Contains(before+rest[at:], "hunter2")
}
