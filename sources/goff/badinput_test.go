package goff_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagfile"
	"relctl-tui/sources/goff"
)

func TestAFileThatIsNoYAMLIsAnErrorWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ yaml, want string }{
		"empty":           {"", "the file is empty"},
		"blank":           {"\xef\xbb\xbf \r\n", "the file is empty"},
		"an open bracket": {"a:\n  b: [1\nc: 2\n", "not YAML: line 3, column 1: did not find expected ',' or ']'"},
		"an open brace":   {"{\"a\": {\n", "not YAML: line 1, column 7: did not find expected node content"},
		"indentation":     {"a:\n  b: 1\n c: 2\n", "not YAML: line 3, column 2: did not find expected key"},
		"a tab":           {"a:\n\tb: 1\n", "not YAML: line 2, column 1: found character that cannot start any token"},
		"two colons":      {"a: b: c\n", "not YAML: line 1, column 4: mapping values are not allowed in this context"},
		"an open quote":   {"a: 1\nb: \"x\n", "not YAML: line 2, column 4: found unexpected end of stream"},
		"unknown anchor":  {"a: 1\nb: *nope\n", "not YAML: line 2, column 4: unknown anchor 'nope' referenced"},
		"control":         {"a: 1\nb: é\x01\n", "not YAML: line 2, column 5: control characters are not allowed"},
		"no UTF-8":        {"a: 1\r\nb: \xff\n", "not YAML: line 2, column 4:"},
		"a list":          {"- a\n", "the file is no mapping of flags by their keys"},
		"a word":          {"hello\n", "the file is no mapping of flags by their keys"},
		"merge conflict":  {"a: {}\n<<<<<<< HEAD\nb: {}\n=======\n", "not YAML: line 2, column 1: could not find expected ':'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, tc.yaml)
			_, err := at(path, noon).Flags(t.Context())
			require.ErrorIs(t, err, sources.ErrInvalid)
			require.Contains(t, err.Error(), tc.want)
			_, err = at(path, noon).Apply(t.Context(), sources.Change{ID: "k", Kind: sources.Kill, Flag: id("a")})
			require.ErrorIs(t, err, sources.ErrInvalid)
			require.Equal(t, tc.yaml, written(t, path))
		})
	}
}

func TestWhatIsOddAboutAFileIsAWarning(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"# nothing yet\n":         "there is no flag in it",
		"\xef\xbb\xbff: {}\n":     "the file starts with a byte order mark",
		"f: {}\n---\ng: {}\n":     "only the first document of the file counts, what stands below its --- is not read",
		"f: {}\n---\ng: {\n":      "only the first document of the file counts, what stands below its --- is not read",
		"? [a, b]\n: {}\nf: {}\n": "1 keys are no text, so GO Feature Flag refuses the whole file",
	} {
		set, err := at(file(t, yaml), noon).Flags(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{want}, set.Warnings)
	}
}

func TestAFlagInADocumentThatOthersFollowIsEditedThere(t *testing.T) {
	t.Parallel()
	for _, before := range []string{
		"---\nf: {variations: {a: true, b: false}, defaultRule: {variation: a}} # c\n---\nf: {variations: {a: 1}}\n",
		"%YAML 1.1\n---\nf: {variations: {a: true, b: false}, defaultRule: {variation: a}}\n...\n",
		"\xef\xbb\xbff: {variations: {a: true, b: false}, defaultRule: {variation: a}}",
	} {
		after, receipt := edited(t, before, noon, kill())
		require.Equal(t, strings.Replace(before, "{variations: {a: true", "{disable: true, variations: {a: true", 1), after)
		back, _ := edited(t, after, noon, undo(receipt))
		require.Equal(t, before, back)
	}
}

func TestABrokenNeighbourIsSaidBecauseApplicationsWillNotSeeTheChange(t *testing.T) {
	t.Parallel()
	before := boolean("defaultRule: {variation: \"on\"}") + "g: {disable: maybe}\n"
	_, receipt := edited(t, before, noon, kill())
	require.Equal(t, "applications will not see this change until g is mended in the file: line 6: wrong type of value, !!str `maybe`; GO Feature Flag refuses the whole file", receipt.Warning)
}

func TestABrokenFlagIsKilledWhereThatCanBeDone(t *testing.T) {
	t.Parallel()
	after, receipt := edited(t, boolean("defaultRule: {variation: nope}"), noon, kill())
	require.Contains(t, after, "f:\n  disable: true\n")
	require.True(t, receipt.New.Killed)
	for _, yaml := range []string{"f: hello\n", "f:\n", "f: [a]\n", "f: {}\nf: {}\n", "f: {disable: true, disable: false}\n"} {
		path := file(t, yaml)
		_, err := at(path, noon).Apply(t.Context(), sources.Change{ID: "k", Kind: sources.Kill, Flag: id("f")})
		require.ErrorIs(t, err, sources.ErrInvalid, yaml)
		require.Equal(t, yaml, written(t, path))
	}
}

func TestHostileFilesAreReadInBoundedTimeAndCleaned(t *testing.T) {
	t.Parallel()
	laughs := "a0: &a0 {x: y}\n"
	for i := range 30 {
		laughs += fmt.Sprintf("a%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i, i)
	}
	var plan strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&plan, "  - {date: 2026-04-01T00:00:%02d.%04dZ, defaultRule: {variation: \"%s\"}}\n", i%60, i, []string{"on", "off"}[i%2])
	}
	for name, yaml := range map[string]string{
		"billion laughs":     laughs + "f: *a30\n",
		"an alias to itself": "f: &f\n  metadata: {x: *f}\n  variations: *f\n",
		"merged into itself": "f: &f\n  <<: *f\n",
		"deep braces":        "f: " + strings.Repeat("{a: ", 9000) + strings.Repeat("}", 9000) + "\n",
		"deeper lists":       "f: " + strings.Repeat("[", 200_000),
		"one long line":      "{" + strings.Repeat("\"é\": {variations: {a: true}}, ", 1) + strings.Repeat("\"ü\": 1, ", 100_000) + "f: {}}",
		"a long plan":        boolean("defaultRule: {variation: \"on\"}\nscheduledRollout:\n" + plan.String()),
		"escape sequences":   "\"f\\e[2J\": {metadata: {owner: \"a\\e]0;x\\a\", description: \"\\u202e\"}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, yaml)
			began := time.Now()
			set, err := at(path, noon).Flags(t.Context())
			if err == nil {
				for _, f := range set.Flags {
					require.NotContains(t, f.Name+f.Note+f.Owner+f.Description, "\x1b")
					require.LessOrEqual(t, len(f.Upcoming), sources.MaxUpcoming)
				}
			} else {
				require.ErrorIs(t, err, sources.ErrInvalid)
			}
			_, _ = at(path, noon).Apply(t.Context(), sources.Change{ID: "k", Kind: sources.Kill, Flag: id("f")})
			require.Less(t, time.Since(began), time.Minute)
		})
	}
}

func TestAWatchFollowsAProgressiveRolloutWithoutAnyEdit(t *testing.T) {
	t.Parallel()
	yaml := progressive("date: 2026-03-10T12:00:00Z", "date: 2026-03-10T12:00:10Z")
	var seconds atomic.Int64
	clock := func() time.Time { return noon.Add(time.Duration(seconds.Load()) * time.Second) }
	store := goff.New("prod", file(t, yaml), flagfile.WithNow(clock), flagfile.WithPollInterval(time.Millisecond), flagfile.WithoutNotify())
	events, err := store.Watch(t.Context(), "")
	require.NoError(t, err)
	seen := map[string]bool{}
	for e := range events {
		require.NoError(t, e.Err)
		f := e.Set.Flags[0]
		seen[f.Brief()] = true
		if f.Brief() == "100%" {
			break
		}
		seconds.Add(1) // once it has been seen
	}
	require.Greater(t, len(seen), 2, "steps on the way")
}
