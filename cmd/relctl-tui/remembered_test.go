package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBoardsThatSaveFiltersAtOnceLoseNoneOfThem(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state", "filters.json")
	var boards sync.WaitGroup
	for i := range 8 {
		boards.Go(func() {
			_, err := savedFilters{path}.Save(fmt.Sprintf("mine %d", i), "rollout>10 by:ana")
			require.NoError(t, err)
		})
	}
	boards.Wait()
	all, err := savedFilters{path}.All()
	require.NoError(t, err)
	require.Len(t, all, 8)
	all, err = savedFilters{path}.Forget("mine 3")
	require.NoError(t, err)
	require.NotContains(t, slices.Collect(maps.Keys(all)), "mine 3")
	require.Len(t, all, 7)
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(file), `"mine 0": "rollout>10 by:ana"`, "people can read and mend it")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestAFileOfFiltersThatIsBrokenIsSaidAndLeftAsItIs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "filters.json")
	for content, why := range map[string]string{
		"{":                          "no JSON object of names and filters",
		"null":                       "no JSON object of names and filters",
		`{"a": 1}`:                   "no JSON object of names and filters",
		`{"a": "rollout>x"}`:         "write a number from 0 to 100",
		`{"a": ""}`:                  `the filter "a" is empty`,
		`{"\u001b[2J": "wallet"}`:    "is no name for a filter",
		strings.Repeat(" ", 70<<10):  "has more than 65536 bytes",
		`{"a": "wallet\u001b[2J\n"}`: "plain characters",
	} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := savedFilters{path}.All()
		require.ErrorContains(t, err, why)
		require.ErrorContains(t, err, "your saved filters cannot be read: ")
		require.ErrorContains(t, err, "mend or remove it")
		_, err = savedFilters{path}.Save("b", "wallet")
		require.ErrorContains(t, err, "nothing was saved: ")
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, content, string(b))
	}
}

func TestFiltersAreBoundedInNumberAndNeedAFolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "filters.json")
	var many []string
	for i := range maxFilters {
		many = append(many, fmt.Sprintf("%q: %q", fmt.Sprint("f", i), "wallet"))
	}
	require.NoError(t, os.WriteFile(path, []byte("{"+strings.Join(many, ",")+"}"), 0o600))
	_, err := savedFilters{path}.Save("one more", "wallet")
	require.EqualError(t, err, "nothing was saved: 100 filters are saved already, forget one first")
	_, err = savedFilters{path}.Save("f7", "checkout")
	require.NoError(t, err, "another filter by a name that is there is no more than before")

	_, err = savedFilters{filepath.Join(path, "below", "filters.json")}.Save("a", "wallet")
	require.ErrorContains(t, err, "not a directory")
}

func TestASavedFilterIsThereOnTheNextBoard(t *testing.T) {
	t.Parallel()
	flags, env := "flagd:"+flagFile(t, fleetFile), []string{"XDG_STATE_HOME=" + t.TempDir()}
	s := open(t, 80, 24, env, "--flags", flags)
	s.awaitLine("checkout-v2")
	typed := func(s *screen, line string) { s.press(strings.Split(line, "")...) }
	typed(s, "/steady\r")
	s.await("the flags without checkout-v2", func(text string) bool { return !strings.Contains(text, "checkout-v2") })
	typed(s, ":save calm")
	s.awaitText("enter: save ➔ steady")
	pause(pressed)
	s.press("\r")
	s.awaitText("calm is saved: steady")
	require.Zero(t, s.quit())

	next := open(t, 80, 24, env, "--flags", flags)
	next.awaitLine("checkout-v2")
	for typed(next, ":show calm"); lineWith(next.awaitText(":show calm"), "show calm", "filter", "steady") == ""; typed(next, ":show calm") {
		next.press("\x1b") // the file was not read yet when the palette opened
		next.await("the board", func(text string) bool { return !strings.Contains(text, ":show calm") })
	}
	pause(pressed)
	next.press("\r")
	next.await("the flags without checkout-v2", func(text string) bool {
		return strings.Contains(text, "steady") && !strings.Contains(text, "checkout-v2")
	})
	require.Zero(t, next.quit())
}
