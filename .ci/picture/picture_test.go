package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/themes"
)

func TestMain(m *testing.M) {
	if err := os.Chdir("../.."); err != nil {
		panic(err)
	}
	time.Local = time.UTC
	os.Exit(m.Run())
}

func TestTheSameMomentGivesTheSameBytesAndSaysWhyOneWantsTheBoard(t *testing.T) {
	t.Parallel()
	for _, theme := range themes.Names() {
		for _, e := range extents {
			t.Run(nameOf(theme, e), func(t *testing.T) {
				t.Parallel()
				frame, err := lastOf(moment)
				require.NoError(t, err)
				first, err := picture(frame.Snapshot, theme, e[0], e[1])
				require.NoError(t, err)
				frame, err = lastOf(moment)
				require.NoError(t, err)
				again, err := picture(frame.Snapshot, theme, e[0], e[1])
				require.NoError(t, err)
				require.Equal(t, string(first), string(again))
				said := textOf(t, first)
				for _, word := range []string{"holding", "burning", "open", "firing", "suspect: checkout-v2", "K"} {
					require.Contains(t, said, word)
				}
				require.Less(t, len(first), 120_000, "what a page loads")
			})
		}
	}
}

// textOf is what a picture says, if it is one.
func textOf(t *testing.T, svg []byte) string {
	t.Helper()
	var said bytes.Buffer
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return said.String()
		}
		require.NoError(t, err)
		if text, ok := token.(xml.CharData); ok {
			said.Write(text)
			said.WriteByte('\n')
		}
	}
}
