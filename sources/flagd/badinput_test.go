package flagd_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/flagfile"
)

func TestBadFilesGetOneClearSentence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, says string }{
		"empty":              {"", `the file is empty; a flag definition is at least {"flags": {}}`},
		"white space":        {" \n", `the file is empty; a flag definition is at least {"flags": {}}`},
		"text":               {"hello", `not JSON: line 1, column 1: 'h' where a value is expected`},
		"html":               {"\n <html>", `not JSON: line 2, column 2: '<' where a value is expected`},
		"cut short":          {"{\"flags\": {\n  \"é\": {", `not JSON: line 2, column 9: the file ends where a string is expected`},
		"trailing comma":     {`{"flags": {},}`, `not JSON: line 1, column 14: '}' where a string is expected`},
		"comment":            {"{\n// no\n}", `not JSON: line 2, column 1: '/' where a string is expected`},
		"two documents":      {`{"flags": {}} {}`, `not JSON: line 1, column 15: '{' where the end of the file is expected`},
		"bad escape":         {`{"flags": {"\x": 1}}`, `not JSON: line 1, column 14: an unknown escape inside a string`},
		"raw escape":         {"{\"flags\": {\"\x1b[2J\": 1}}", `not JSON: line 1, column 13: a control character inside a string`},
		"escape outside":     {"{\x1b[2J", `not JSON: line 1, column 2: '\x1b' where a string is expected`},
		"leading zero":       {`{"flags": {}, "a": 01}`, `not JSON: line 1, column 21: '1' where ',' or '}' is expected`},
		"endless string":     {`{"flags`, `not JSON: line 1, column 8: a string that never ends`},
		"after a mark":       {"\ufeff{x", `not JSON: line 1, column 2: 'x' where a string is expected`},
		"list":               {`[1, 2]`, `no flagd flag definition: the top level is not an object with "flags"`},
		"number":             {`42`, `no flagd flag definition: the top level is not an object with "flags"`},
		"no flags":           {`{"name": "package"}`, `no flagd flag definition: there is no "flags" in it`},
		"flags of text":      {`{"flags": "none"}`, `no flagd flag definition: "flags" is neither an object nor a list`},
		"flags twice":        {`{"flags": {}, "fl\u0061gs": {}}`, `no flagd flag definition: "flags" stands there 2 times, so no flag is certain`},
		"nested too deeply":  {`{"flags": ` + strings.Repeat(`{"a":`, 100_000), `nested too deeply`},
		"lists in lists":     {strings.Repeat(`[`, 1_000_000), `nested too deeply`},
		"goff is another":    {"my-flag:\n  variations: {}", `not JSON: line 1, column 1: 'm' where a value is expected`},
		"truncated constant": {`{"flags": {"a": tru}}`, `'t' where a value is expected`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, c.text)
			s := flagd.New("prod", path)
			_, err := s.Flags(context.Background())
			require.ErrorIs(t, err, sources.ErrInvalid)
			require.Contains(t, err.Error(), c.says)
			require.Contains(t, err.Error(), "source prod: "+path)
			require.NotContains(t, err.Error(), "\n")
			_, err = s.Apply(context.Background(), sources.Change{ID: "1", Flag: id("f"), Kind: sources.Kill})
			require.ErrorIs(t, err, sources.ErrInvalid)
			require.Equal(t, c.text, content(t, path))
		})
	}
}

func TestPathsThatAreNoFileSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	require.NoError(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "plain"), []byte("{}"), 0o600))
	for path, c := range map[string]struct {
		want error
		says string
	}{
		"absent":                 {sources.ErrNotFound, "there is no such file"},
		"dangling":               {sources.ErrNotFound, "there is no such file"},
		"plain/below":            {sources.ErrNotFound, "there is no such file"},
		".":                      {sources.ErrInvalid, "that is a directory"},
		"pipe":                   {sources.ErrInvalid, "that is no regular file"},
		"loop":                   {sources.ErrInvalid, "that path leads nowhere"},
		strings.Repeat("x", 300): {sources.ErrInvalid, "that path leads nowhere"},
		"plain\x00":              {sources.ErrUnavailable, "it cannot be read"},
	} {
		s := flagd.New("prod", filepath.Join(dir, path))
		_, err := s.Flags(context.Background())
		require.ErrorIs(t, err, c.want, path)
		require.Contains(t, err.Error(), c.says)
		_, err = s.Flag(context.Background(), id("f"))
		require.ErrorIs(t, err, c.want, path)
		_, err = s.Apply(context.Background(), sources.Change{ID: "1", Flag: id("f"), Kind: sources.Kill})
		require.ErrorIs(t, err, c.want, path)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 4, "a refused write leaves nothing behind")
}

func TestAHugeFileIsRefusedWithoutBeingRead(t *testing.T) {
	t.Parallel()
	path := file(t, "")
	require.NoError(t, os.Truncate(path, 100<<20))
	_, err := flagd.New("prod", path).Flags(context.Background())
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.Contains(t, err.Error(), "the file has 104857600 bytes, the most that is read is 33554432")

	_, err = flagd.New("prod", file(t, shop), flagfile.WithMaxSize(10)).Flags(context.Background())
	require.ErrorIs(t, err, sources.ErrInvalid)
}

func TestDisplayedPathsAndNamesAreClean(t *testing.T) {
	t.Parallel()
	_, err := flagd.New("pr\x1b[31mod", "/no/such/\x1b[2Jfile").Flags(context.Background())
	require.NotContains(t, err.Error(), "\x1b")
}

func TestAmbiguousFlagsAreNeverWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]string{
		"flag twice":    `{"flags": {"f": ` + enabled(onOff) + `, "f": ` + enabled(onOff) + `}}`,
		"state twice":   `{"flags": {"f": {"state": "ENABLED", "state": "ENABLED", ` + onOff + `}}}`,
		"not an object": `{"flags": {"f": 7}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, c)
			for _, kind := range []sources.ChangeKind{sources.Kill, sources.Set} {
				_, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id("f"), Kind: kind, To: sources.Pct(5)})
				require.Error(t, err)
			}
			require.Equal(t, c, content(t, path))
		})
	}
}
