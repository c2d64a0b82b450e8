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
		"https://ana:hunter2@prom", "prometheus+https://[::1]:9090", "flagd:", "http://", "etcd://a/b", "\x1b[2J:x", "://", "a:b:c",
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
			require.NotContains(t, text, "hunter2")
			return
		}
		require.Equal(t, kind, drivers[d.Scheme].kind)
		require.NotEmpty(t, d.Target)
		name := d.sourceName()
		require.False(t, strings.ContainsFunc(name, unicode.IsControl), "%q", name)
		require.NotContains(t, name, "hunter2")
	})
}
