package sources_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestAnAmountIsReadAtAGlanceInItsUnit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{0.0229, "s", "22.9 ms"},
		{0.9996, "s", "1 s"},
		{2.46, "s", "2.5 s"},
		{73, "s", "73 s"},
		{0.49, "", "49%"},
		{0.0031, "", "0.31%"},
		{1.1e-16, "", "0%"},
		{-1e-9, "", "0%"},
		{0, "breaker", "closed"},
		{1, "breaker", "open"},
		{math.NaN(), "s", "?"},
	} {
		require.Equal(t, c.want, sources.Amount(c.v, c.unit))
	}
}
