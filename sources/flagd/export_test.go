package flagd_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
)

func TestAnExportIsTheFileWithoutItsByteOrderMarkAtTheRevisionOfItsSet(t *testing.T) {
	t.Parallel()
	for _, start := range []string{"", "\xEF\xBB\xBF"} {
		s := flagd.New("prod", file(t, start+suiteFile))
		doc, rev, err := s.Export(context.Background())
		require.NoError(t, err)
		require.Equal(t, suiteFile, string(doc))
		set, err := s.Flags(context.Background())
		require.NoError(t, err)
		require.Equal(t, set.Revision, rev)
	}
}

func TestAFileThatIsNoDocumentIsNotExported(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", "[]", `{"flag": {}}`} {
		_, _, err := flagd.New("prod", file(t, text)).Export(context.Background())
		require.ErrorIs(t, err, sources.ErrInvalid)
		require.ErrorContains(t, err, "source prod")
	}
	_, _, err := flagd.New("prod", t.TempDir()+"/none.json").Export(context.Background())
	require.ErrorIs(t, err, sources.ErrNotFound)
}
