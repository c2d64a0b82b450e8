package goff_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goccy "github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"relctl-tui/sources"
	"relctl-tui/sources/goff"
)

func change(t *rapid.T) sources.Change {
	if rapid.Bool().Draw(t, "kill") {
		return kill()
	}
	to := rapid.OneOf(
		rapid.SampledFrom([]sources.Percent{0, sources.Pct(1), sources.Pct(25), sources.Pct(50), sources.Full}),
		rapid.Custom(func(t *rapid.T) sources.Percent { return sources.Percent(rapid.IntRange(0, 100_000).Draw(t, "to")) }),
	).Draw(t, "to")
	return ramp(to)
}

func TestAnyChangeOfAnyFileTouchesItsFlagAloneAndIsUndoneByteForByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		before := content(t)
		path := filepath.Join(dir, "flags.yaml")
		require.NoError(t, os.WriteFile(path, []byte(before), 0o600))
		now := march(rapid.IntRange(1, 28).Draw(t, "day"), 12)
		store := at(path, now)
		old, err := store.Flags(t.Context())
		require.NoError(t, err, before)
		require.Len(t, old.Flags, 3, before)

		c := change(t)
		c.Flag = id(rapid.SampledFrom([]string{"a", "f", "z"}).Draw(t, "which"))
		receipt, err := store.Apply(t.Context(), c)
		after := written(t, path)
		if err != nil {
			require.True(t, errors.Is(err, sources.ErrUnsupported), "%v\n%s", err, before)
			require.Equal(t, before, after)
			return
		}
		set, err := store.Flags(t.Context())
		require.NoError(t, err, after)
		for i, f := range set.Flags {
			if f.ID != c.Flag {
				require.Equal(t, old.Flags[i], f, after)
				continue
			}
			require.Equal(t, receipt.New, f)
			if c.Kind == sources.Kill {
				require.True(t, f.Killed)
			} else {
				require.Equal(t, sources.Some(c.To), f.Rollout, after)
			}
		}
		othersAreEqual(t, before, after, c.Flag.Key)
		require.Equal(t, strings.Count(before, "\r\n") == strings.Count(before, "\n"), strings.Count(after, "\r\n") == strings.Count(after, "\n"), after)

		undoing := undo(receipt)
		undoing.Flag, undoing.Seen = c.Flag, receipt.New.Revision
		undone, err := store.Apply(t.Context(), undoing)
		require.NoError(t, err, after)
		require.Equal(t, receipt.Old, undone.New)
		require.Equal(t, before, written(t, path))
	})
}

func written(t require.TestingT, path string) string {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// othersAreEqual asks another YAML parser what differs: in the flag, disable,
// defaultRule and scheduledRollout at most, and nothing elsewhere.
func othersAreEqual(t require.TestingT, before, after, key string) {
	var was, is map[string]map[string]any
	require.NoError(t, goccy.Unmarshal([]byte(before), &was), before)
	require.NoError(t, goccy.Unmarshal([]byte(after), &is), after)
	for _, m := range []map[string]map[string]any{was, is} {
		for _, may := range []string{"disable", "defaultRule", "scheduledRollout"} {
			delete(m[key], may)
		}
	}
	require.Equal(t, was, is, after)
}

// generated is how many files are given to the judge in one go.
const generated = 60

func TestGeneratedFilesAndTheirEditsMeanTheSameToGoFeatureFlag(t *testing.T) {
	t.Parallel()
	n := generated
	if testing.Short() {
		n /= 6
	}
	const keys = 1000
	var questions []question
	var flags [][]sources.Flag
	for seed := range n {
		sample := rapid.Custom(func(t *rapid.T) [2]any { return [2]any{content(t), change(t)} }).Example(seed)
		text, c := sample[0].(string), sample[1].(sources.Change)
		c.Flag = id("f")
		path := file(t, text)
		format := "yaml"
		if strings.HasPrefix(text, "{") {
			format = "json"
		}
		add := func(path string, moments ...time.Time) {
			q := question{Path: path, Format: format, Flag: "f", Keys: keys, At: moments}
			var read []sources.Flag
			for _, now := range moments {
				f, err := at(path, now).Flag(t.Context(), id("f"))
				require.NoError(t, err, text)
				read = append(read, f)
			}
			questions, flags = append(questions, q), append(flags, read)
		}
		add(path, march(1, -1), noon, march(16, 3), march(29, 0))
		path = file(t, text) // the judge reads the other one later
		if _, err := at(path, noon).Apply(t.Context(), c); err != nil {
			require.ErrorIs(t, err, sources.ErrUnsupported)
			continue
		}
		if c.Kind == sources.Kill {
			add(path, noon, march(16, 3), march(29, 0))
			for _, f := range flags[len(flags)-1] {
				require.True(t, f.Killed, "a killed flag stays killed")
			}
		} else {
			add(path, noon)
		}
	}
	served := map[string]int{}
	for i, a := range ask(t, questions...) {
		text := written(t, questions[i].Path)
		require.Empty(t, a.Refused, text)
		for j, got := range a.At {
			f := flags[i][j]
			switch {
			case f.State == sources.FlagOff && (f.Killed || f.Custom):
				require.Equal(t, "DISABLED", only(got.Reasons), text)
				served["disabled"]++
			case f.State == sources.FlagBroken:
				require.Equal(t, "ERROR", only(got.Reasons), text)
				served["broken"]++
			default:
				require.Zero(t, got.Reasons["DISABLED"]+got.Reasons["ERROR"], "%v %v\n%s", f, got, text)
				near(t, f.Rollout.V, got.Variants[f.Variant], keys, "%v %v\n%s", f, got, text)
				served["served"]++
			}
		}
	}
	t.Log(served)
	require.NotZero(t, served["served"])
	require.NotZero(t, served["disabled"])
}

func TestEveryPercentageCanBeWritten(t *testing.T) {
	t.Parallel()
	stride, longer := sources.Percent(1), 0
	if testing.Short() {
		stride = 37
	}
	for _, first := range []bool{true, false} {
		for p := sources.Percent(0); p <= sources.Full; p += stride {
			on, off, ok := goff.Weights(p, first)
			require.True(t, ok, p)
			if on != p.String() || off != (sources.Full-p).String() {
				longer++
			}
		}
	}
	require.Less(t, longer, 4000, "most percentages are written as they are said")
	require.Positive(t, longer)
}

func TestAPercentageReachesExactlyTheBucketsThatItSays(t *testing.T) {
	t.Parallel()
	const keys = 8000
	for _, names := range [][2]string{{"on", "off"}, {"alt", "zed"}} {
		var questions []question
		steps := []sources.Percent{0, 1, 999, 1_001, 1_003, 4_097, 33_333, 50_000, 66_667, 98_989, 98_999, 99_999, sources.Full}
		for _, p := range steps {
			yaml := "f: {variations: {" + names[0] + ": true, " + names[1] + ": false}, defaultRule: {percentage: {" + names[0] + ": 50, " + names[1] + ": 50}}}\n"
			after, receipt := edited(t, yaml, noon, ramp(p))
			require.Equal(t, sources.Some(p), receipt.New.Rollout, after)
			questions = append(questions, question{Path: file(t, after), Flag: "f", Keys: keys, At: []time.Time{noon}})
		}
		for i, a := range ask(t, questions...) {
			require.Empty(t, a.Refused)
			want, p := 0, uint32(steps[i])
			for k := range keys {
				h := fnv.New32a()
				fmt.Fprintf(h, "fuser-%d", k)
				// The last name in the alphabet has the first buckets.
				if bucket := h.Sum32() % 100_000; names[0] == "on" && bucket < p || names[0] == "alt" && bucket >= 100_000-p {
					want++
				}
			}
			require.Equal(t, want, a.At[0].Variants[names[0]], "%v of %v", steps[i], names)
			require.Zero(t, a.At[0].Reasons["ERROR"])
		}
	}
}
