package ui

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/views"
)

// The README's key table is checked against the key map both ways: every key in
// it works, and every key that works is in it, but for plain cursor movement.
func TestTheReadmesKeyTableIsTheKeyMap(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(readme), "| key | does |")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n\n")
	written := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \| [^|]+ \|$`).FindAllStringSubmatch(table, -1) {
		for _, k := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			written[k[1]] = true
		}
	}
	keys := views.DefaultKeyMap()
	works := map[string]bool{}
	for _, column := range keys.FullHelp() {
		for _, b := range column {
			for _, k := range b.Keys() {
				works[k] = true
			}
		}
	}
	for k := range written {
		require.True(t, works[k], "README promises %q, the key map does not have it", k)
	}
	for _, g := range keys.Groups() {
		for _, b := range g.Keys {
			moves := slices.Contains([]string{"k", "j", "pgup", "pgdown", "g", "G"}, b.Keys()[0])
			require.True(t, moves || written[b.Keys()[0]], "the key %q (%s) is not in the README", b.Help().Key, b.Help().Desc)
		}
	}
}
