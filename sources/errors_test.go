package sources_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestASentenceLeavesOutTheSentinelAndNothingElse(t *testing.T) {
	t.Parallel()
	inner := fmt.Errorf("prom refuses connections: %w", sources.ErrUnavailable)
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{inner, "prom refuses connections"},
		{fmt.Errorf("reading: %w", inner), "reading: prom refuses connections"},
		{fmt.Errorf("%w: %w", inner, sources.ErrInvalid), "prom refuses connections"},
		{sources.ErrConflict, "changed meanwhile"},
		{fmt.Errorf("it is: unavailable"), "it is: unavailable"},
		{fmt.Errorf("a\x1b[31m\nb: %w", sources.ErrNotFound), "a∙[31m b"},
	} {
		require.Equal(t, c.want, sources.Sentence(c.err))
	}
}
