package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSeveralFlagsAreKilledAsOneAndOneUndoRestoresEveryByte(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before := b.file()
	r := b.run("kill", "checkout-v2", "pricing", "gone", "--reason", "errors at checkout")
	require.Zero(t, r.code, r.stderr)
	got := lines(r.stdout)
	require.Len(t, got, 4)
	require.Contains(t, got[0], "checkout-v2 25% → killed confirmed")
	require.Contains(t, got[2], "gone is at killed already")
	require.Regexp(t, `^2 of 3 flags changed \(group \w+; undo with: relctl-tui undo \w+ --flags flagd:`, got[3])
	require.Equal(t, 3, strings.Count(b.file(), "DISABLED"))
	r = b.run("undo")
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, before, b.file())
	r = b.run("undo")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stderr, "nothing left to undo")
}

func TestAKillByTagTakesTheFlagsThatHaveItAndNoOther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tagged := strings.Replace(b.file(), `"checkout-v2": {`, `"checkout-v2": {"metadata": {"relctl.tags": "payments,web"},`, 1)
	require.NoError(t, os.WriteFile(b.path, []byte(tagged), 0o644))
	r := b.run("kill", "--tag", "payments", "--tag", "web", "-o", "json")
	require.Zero(t, r.code, r.stderr)
	var doc struct {
		Group   string
		Changes []changeDoc
	}
	strictly(t, r.stdout, &doc)
	require.Len(t, doc.Changes, 1)
	require.Equal(t, "checkout-v2", doc.Changes[0].Key)
	require.Equal(t, 2, strings.Count(b.file(), "DISABLED"))
	require.Zero(t, b.run("undo", doc.Group).code)
	require.Equal(t, tagged, b.file())
}

func TestAMistypedNameOfAGroupKillsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before := b.file()
	for _, args := range [][]string{{"kill", "checkout-v2", "nobody"}, {"kill", "checkout-v2", "--tag", "nobody"}} {
		r := b.run(args...)
		require.Equal(t, exitFailed, r.code)
		require.Contains(t, r.stderr, "nobody")
		require.Equal(t, before, b.file())
	}
	require.Equal(t, exitUsage, b.run("kill").code)
}

func TestAGroupThatIsUndoneInPartExitsWith5AndListsWhichFlagIsWhere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Zero(t, b.run("kill", "checkout-v2", "steady").code)
	require.Zero(t, b.run("ramp", "steady", "10", "--actor", "ben").code)
	r := b.run("undo")
	require.Equal(t, exitUnconfirmed, r.code, r.stdout+r.stderr)
	require.Contains(t, r.stdout, "steady not changed: ")
	require.Contains(t, r.stdout, "checkout-v2 killed → 25% confirmed")
	require.Contains(t, r.stderr, "1 of 2 flags")
}
