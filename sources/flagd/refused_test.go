package flagd_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
)

// refusedFlags is definitions over which flagd refuses the whole file.
var refusedFlags = map[string]string{
	"defaultVariant of no variant": enabled(`"variants": {"on": true, "off": false}, "defaultVariant": "gone"`),
	"killed, and still wrong":      `{"state": "DISABLED", "variants": {"on": true, "off": false}, "defaultVariant": "gone"}`,
	"no variants":                  enabled(`"defaultVariant": "off"`),
	"no state":                     `{` + onOff + `}`,
	"a state of its own":           `{"state": "PAUSED", ` + onOff + `}`,
}

const everybodyOn = `"variants": {"on": true, "off": false}, "defaultVariant": "on"`

func TestAKillThatFlagdWillNotTakeSaysWhichFlagIsToBlame(t *testing.T) {
	t.Parallel()
	for name, wrong := range refusedFlags {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, `{"flags": {"f": `+enabled(everybodyOn)+`, "other": `+wrong+`}}`)
			r, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id("f"), Kind: sources.Kill})
			require.NoError(t, err)
			require.True(t, r.New.Killed, "it is written all the same, for whoever mends the other")
			require.Contains(t, r.Warning, "applications will not see this change until other is mended in the file")
			require.Contains(t, r.Warning, "flagd refuses the whole file")
		})
	}
}

func TestAKillOfWhatIsKilledSaysTooWhichFlagKeepsItFromApplications(t *testing.T) {
	t.Parallel()
	for name, wrong := range refusedFlags {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := flagd.New("prod", file(t, `{"flags": {"f": `+killedOn+`, "other": `+wrong+`}}`))
			var planned sources.Planned
			r, err := s.Apply(context.Background(), sources.Change{ID: "1", Flag: id("f"), Kind: sources.Kill, Commit: func(p sources.Planned) error {
				planned = p
				return nil
			}})
			require.NoError(t, err)
			require.Contains(t, planned.Warning, "applications will not see this change until other is mended in the file")
			require.Contains(t, r.Warning, planned.Warning)
		})
	}
}

func TestAChangeThatMendsTheFlagThatFlagdRefusedWarnsOfNothing(t *testing.T) {
	t.Parallel()
	wrong := enabled(`"variants": {"on": true, "off": false}, "defaultVariant": "gone"`)
	s := flagd.New("prod", file(t, `{"flags": {"f": `+wrong+`, "other": `+enabled(onOff)+`}}`))
	killed, err := s.Apply(context.Background(), sources.Change{ID: "1", Flag: id("f"), Kind: sources.Kill})
	require.NoError(t, err)
	require.Contains(t, killed.Warning, "until f is mended", "a kill does not mend what defaultVariant names")
	mended, err := s.Apply(context.Background(), sources.Change{ID: "2", Flag: id("f"), Kind: sources.Undo, Restore: []byte(enabled(everybodyOn))})
	require.NoError(t, err)
	require.Empty(t, mended.Warning)
}

func TestFlagdItselfGoesOnWithWhatItHadWhenOneFlagIsRefused(t *testing.T) {
	t.Parallel()
	for name, wrong := range refusedFlags {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := `{"flags": {"f": ` + enabled(everybodyOn) + `, "other": ` + enabled(onOff) + `}}`
			path := file(t, `{"flags": {"f": `+enabled(everybodyOn)+`, "other": `+wrong+`}}`)
			_, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id("f"), Kind: sources.Kill})
			require.NoError(t, err)
			mended := `{"flags": {"f": ` + killedOn + `, "other": ` + enabled(onOff) + `}}`
			v := judged(t, []string{good, content(t, path), mended}, true)
			require.False(t, v[0].Refused)
			require.True(t, v[1].Refused)
			require.Len(t, v[1].On, judgedUsers, "everybody still has what was killed in the file")
			require.False(t, v[2].Refused)
			require.Empty(t, v[2].On)
		})
	}
}

const killedOn = `{"state": "DISABLED", ` + everybodyOn + `}`

func TestAnUndoNeverRenamesAFlagOfAList(t *testing.T) {
	t.Parallel()
	text := `{"flags": [{"key": "f", ` + onOff + `, "state": "ENABLED"}, {"key": "g", ` + onOff + `, "state": "ENABLED"}]}`
	path := file(t, text)
	s := flagd.New("prod", path)
	for _, restore := range []string{
		`{"key": "g", ` + onOff + `, "state": "ENABLED"}`,
		`{` + onOff + `, "state": "ENABLED"}`,
	} {
		_, err := s.Apply(context.Background(), sources.Change{ID: "1", Flag: id("f"), Kind: sources.Undo, Restore: []byte(restore)})
		require.ErrorIs(t, err, sources.ErrInvalid)
		require.Equal(t, text, content(t, path))
	}
	_, err := s.Apply(context.Background(), sources.Change{ID: "2", Flag: id("f"), Kind: sources.Kill})
	require.NoError(t, err)
	require.Equal(t, strings.Replace(text, "ENABLED", "DISABLED", 1), content(t, path))
}

func TestAnUndoNeverNestsDeeperThanCanBeReadBack(t *testing.T) {
	t.Parallel()
	text := `{"flags": {"f": ` + enabled(onOff) + `}}`
	path := file(t, text)
	for _, depth := range []int{253, 254, 255} { // the file's own two levels and the definition's count too
		deep := `{"state": "ENABLED", ` + onOff + `, "metadata": ` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`
		s := flagd.New("prod", path)
		_, err := s.Apply(context.Background(), sources.Change{ID: "1", Flag: id("f"), Kind: sources.Undo, Restore: []byte(deep)})
		_, rerr := s.Flags(context.Background())
		require.NoError(t, rerr, "whatever was written can be read")
		require.Equal(t, depth > 253, err != nil, "%d: %v", depth, err)
	}
}
