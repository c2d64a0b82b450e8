package views_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relctl-tui/views"
)

func TestTheNameThatIsMostLikeWhatWasTypedComesFirst(t *testing.T) {
	t.Parallel()
	for text, names := range map[string][]string{
		"pay":  {"pay", "payments", "wallet-pay", "repay", "p-a-y", "spa-today"},
		"ckv2": {"ckv2-old", "checkout-v2", "checkout-very-2"},
		"é":    {"é", "éclair", "café"},
	} {
		sorted := slices.Clone(names)
		slices.SortStableFunc(sorted, func(a, b string) int {
			x, okX := views.Likeness(a, text)
			y, okY := views.Likeness(b, text)
			require.True(t, okX && okY, "%q is in %q and %q", text, a, b)
			return x - y
		})
		require.Equal(t, names, sorted)
	}
	_, ok := views.Likeness("payments", "yap")
	require.False(t, ok, "letters count in their order")
}

// What is typed comes from anywhere, and so do names.
func FuzzLikeness(f *testing.F) {
	f.Add("checkout-v2", "ckv2")
	f.Add("\xff\xfe", "\xff")
	f.Add("É", "é")
	f.Add("abc\ufffd", "\xff")
	f.Fuzz(func(t *testing.T, name, text string) {
		text = strings.ToLower(text)
		unlike, ok := views.Likeness(name, text)
		if whole := strings.Contains(strings.ToLower(name), text); ok && (unlike <= views.Whole) != whole {
			t.Fatalf("%q in %q: unlike %d, held as it stands: %v", text, name, unlike, whole)
		}
		if !utf8.ValidString(text) {
			return
		}
		if longer, still := views.Likeness(name, text+"x"); still && !ok {
			t.Fatalf("%q is in %q (%d), and %q is not", text+"x", name, longer, text)
		}
	})
}
