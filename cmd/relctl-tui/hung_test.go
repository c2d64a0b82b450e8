package main

import (
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// silentStore is the address of a server that takes connections and says nothing, as one that is
// suspended does.
func silentStore(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func TestAVerbThatAHungStoreKeepsFromActingSaysFirstThatNothingWasDone(t *testing.T) {
	t.Parallel()
	for verb, says := range map[string]string{
		"kill checkout-v2":                                    "checkout-v2 was not killed, nothing was written: ",
		"ramp checkout-v2 next":                               "checkout-v2 was not changed, nothing was written: ",
		"ramp checkout-v2 back":                               "checkout-v2 was not changed, nothing was written: ",
		"ramp checkout-v2 40":                                 "checkout-v2 was not changed, nothing was written: ",
		"ramp checkout-v2 --guarded --to 40":                  "checkout-v2 was not changed, nothing was written: ",
		"restore checkout-v2 --to 1":                          "checkout-v2 was not changed, nothing was written: ",
		"schedule checkout-v2 kill --at 2099-01-01T12:00:00Z": "checkout-v2 was not scheduled, nothing was written: ",
		"kill checkout-v2 dark-mode":                          "no flag was killed, nothing was written: ",
		"kill --tag payments":                                 "no flag was killed, nothing was written: ",
		"ramp checkout-v2 dark-mode 40":                       "no flag was changed, nothing was written: ",
	} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			address := silentStore(t)
			r := runIn(t, cleanEnv(t), append(strings.Fields(verb), "--flags", "etcd://"+address+"/flags")...)
			require.Equal(t, exitFailed, r.code, r.stderr)
			require.Regexp(t, "^relctl-tui: "+regexp.QuoteMeta(says), r.stderr)
			require.Equal(t, 1, strings.Count(r.stderr, address), "the source is named once: %s", r.stderr)
			require.NotContains(t, r.stderr, "source ")
		})
	}
}
