package sources_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestTiersKeepTheOrderOfTheListAndGroupsApart(t *testing.T) {
	t.Parallel()
	type item struct {
		group string
		tier  int
	}
	list := []item{{"", 0}, {"east", 0}, {"west", 0}, {"", 0}, {"east", 1}, {"east", 9}, {"west", 0}, {"east", 9}}
	require.Equal(t, [][][]int{{{0}}, {{1}, {4}, {5, 7}}, {{2, 6}}, {{3}}},
		sources.Tiers(list, func(i *item) (string, int) { return i.group, i.tier }))
	require.Empty(t, sources.Tiers(nil, func(*item) (string, int) { return "", 0 }))
}
