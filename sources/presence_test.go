package sources_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestEverybodyIsPresentOnceWithACleanName(t *testing.T) {
	t.Parallel()
	require.Equal(t, []sources.Person{
		{Name: "ana", Boards: 3}, {Name: "ben", Watching: true, Boards: 1}, {Name: "∙[2Jeve", Boards: 1},
	}, sources.Present(
		[]sources.Person{{Name: "ben", Watching: true}, {Name: "ana", Watching: true, Boards: 2}, {}},
		[]sources.Person{{Name: "ana"}, {Name: "\x1b[2Jeve", Boards: -7}},
	))
}

func TestACrowdIsBounded(t *testing.T) {
	t.Parallel()
	var crowd []sources.Person
	for i := range 1000 {
		crowd = append(crowd, sources.Person{Name: fmt.Sprint(i, strings.Repeat("x", 1000)), Boards: 1 << 60})
	}
	got := sources.Present(crowd, crowd)
	require.Len(t, got, sources.MaxPeople)
	for _, p := range got {
		require.LessOrEqual(t, len([]rune(p.Name)), 41)
		require.LessOrEqual(t, p.Boards, sources.MaxBoards)
	}
}
