package goff_test

import (
	"fmt"
	"strings"
	"testing"

	goccy "github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/goff"
)

func manyFlags(n int) []byte {
	var b strings.Builder
	one := boolean("defaultRule:\n  percentage:\n    \"on\": 25\n    \"off\": 75 # more to come\nmetadata:\n  description: what it does\n  owner: team")
	for i := range n {
		b.WriteString(strings.Replace(one, "f:", fmt.Sprintf("flag-%05d:", i), 1))
	}
	return []byte(b.String())
}

// BenchmarkTenThousandFlags reads a large file, in one run with the baseline that
// is named for it, and works out a kill in it once it was read.
func BenchmarkTenThousandFlags(b *testing.B) {
	file := manyFlags(10_000)
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			flags, _, err := goff.NewFormat().Flags("prod", file, noon)
			require.NoError(b, err)
			require.Len(b, flags, 10_000)
		}
	})
	b.Run("bare goccy", func(b *testing.B) {
		for b.Loop() {
			var m map[string]any
			require.NoError(b, goccy.Unmarshal(file, &m))
			require.Len(b, m, 10_000)
		}
	})
	format := goff.NewFormat()
	_, _, err := format.Flags("prod", file, noon)
	require.NoError(b, err)
	b.Run("read again", func(b *testing.B) {
		for b.Loop() {
			_, _, err := format.Flags("prod", file, noon)
			require.NoError(b, err)
		}
	})
	b.Run("kill", func(b *testing.B) {
		for b.Loop() {
			_, err := format.Draft("prod", file, sources.Change{ID: "1", Flag: id("flag-05000"), Kind: sources.Kill}, noon)
			require.NoError(b, err)
		}
	})
}
