package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// meanwhile runs a verb and lets somebody else act when it has looked and not yet
// compared.
func (b *bench) meanwhile(act func(), args ...string) result {
	return b.follow(func(s step) bool {
		if (s == step{name: "openat lock", n: 1}) {
			act()
		}
		return false
	}, args...).result
}

func TestAVerbThatMeetsAnothersChangeNamesBothValuesAndWritesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ verb, other, says string }{
		{"ramp checkout-v2 next", "ramp checkout-v2 30", "checkout-v2 is 30% now, and was 25% when you looked, so it was not set to 50%; look again and repeat"},
		{"ramp checkout-v2 back", "kill checkout-v2", "checkout-v2 is killed now, and was 25% when you looked, so it was not set to 10%; look again and repeat"},
		{"ramp checkout-v2 40", "ramp checkout-v2 60", "checkout-v2 is 60% now, and was 25% when you looked, so it was not set to 40%; look again and repeat"},
		{"undo", "ramp checkout-v2 60", "checkout-v2 is 60% now and not 25% as the change left it, so it was not undone; to return it to 10% all the same: relctl-tui restore checkout-v2 --before CHANGE --flags flagd:FILE"},
	} {
		t.Run(c.verb, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			require.Zero(t, b.run("ramp", "checkout-v2", "10").code)
			require.Zero(t, b.run("ramp", "checkout-v2", "25").code)
			var theirs, log string
			r := b.meanwhile(func() {
				require.Zero(t, b.run(append(strings.Fields(c.other), "--actor", "ben")...).code)
				theirs, log = b.file(), b.run("log").stdout
			}, strings.Fields(c.verb)...)
			require.Equal(t, exitConflict, r.code, r.stdout)
			said := regexp.MustCompile(`[0-9A-Z]{26}`).ReplaceAllString(strings.ReplaceAll(r.stderr, b.path, "FILE"), "CHANGE")
			require.Equal(t, "relctl-tui: "+c.says+"\n", said)
			require.Empty(t, r.stdout)
			require.NotEmpty(t, theirs)
			require.Equal(t, theirs, b.file())
			require.Equal(t, log, b.run("log").stdout)
		})
	}
}

func TestAKillThatMeetsAnothersChangeHoldsAllTheSame(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.meanwhile(func() { require.Zero(t, b.run("ramp", "checkout-v2", "60", "--actor", "ben").code) }, "kill", "checkout-v2")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "checkout-v2 60% → killed confirmed")
	require.Contains(t, b.file(), `"state": "DISABLED"`)
	require.Zero(t, b.run("undo").code)
	require.Contains(t, b.file(), `[["on", 60], ["off", 40]]`)
}
