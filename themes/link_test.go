package themes_test

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/themes"
)

func TestALinkLeadsToAPlainAddressOfTheWebAndToNothingElse(t *testing.T) {
	t.Parallel()
	th, err := themes.New(themes.Options{Links: true})
	require.NoError(t, err)
	got := th.Link(th.Text, "https://runbooks.example/high?a=1#b").Paint("the runbook")
	require.Equal(t, "\x1b]8;;https://runbooks.example/high?a=1#b\x1b\\", got[:strings.Index(got, "\\")+1])
	require.Equal(t, "the runbook", ansi.Strip(got))
	require.True(t, strings.HasSuffix(got, "\x1b]8;;\x1b\\"))
	for _, bad := range []string{
		"", "javascript:alert(1)", "file:///etc/passwd", "ftp://x/y", "https://", "//x.example", "https://x.example/\x1b\\\x1b]0;owned\a",
		"https://x.example/a b", "https://x.example/\u009c", "https://me:secret@x.example/", "https://x.example/" + strings.Repeat("a", 3000), "see https://x.example",
	} {
		require.Equal(t, th.Text.Paint("x"), th.Link(th.Text, bad).Paint("x"), bad)
	}
	th, err = themes.New(themes.Options{})
	require.NoError(t, err)
	require.Equal(t, th.Text.Paint("x"), th.Link(th.Text, "https://x.example/").Paint("x"), "a terminal that knows no links")
}
