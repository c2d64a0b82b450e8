package goff_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"relctl-tui/sources"
	"relctl-tui/sources/goff"
)

// FuzzFormat: nothing panics, what is listed can be read one by one, and an edit
// that is accepted reads as intended, touches its flag alone and is undone byte for
// byte.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{
		suiteYAML, suiteJSON, commented, boolean(scheduled), progressive("date: 2026-03-01", "date: 2026-03-21"),
		"r: &r {variation: a}\nf: {variations: {a: true, b: false}, defaultRule: *r}\n<<: [*r]\n",
		"? f\n: variations: {a: true, ? b : false}\n  defaultRule:\n    variation: |-\n      a\n",
		"!!map {f: !x &y {variations: {a: true, b: false}, defaultRule: {variation: a,}}, 'g' : }",
		"f:\n- \u0085 x\u2028\n  y\n", "f: {disable: }\n", "f: \"a\n\n  b\"\r\rg: 'it''s'\r\n",
	} {
		f.Add([]byte(s), uint16(25_000), uint8(0))
		f.Add([]byte(s), uint16(333), uint8(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, percent uint16, which uint8) {
		format := goff.NewFormat()
		flags, warnings, err := format.Flags("prod", b, noon)
		if err != nil {
			require.ErrorIs(t, err, sources.ErrInvalid)
			return
		}
		for _, w := range warnings {
			require.Equal(t, sources.Clean(w, 500), w)
		}
		format.Moves(b, noon)
		if len(flags) == 0 {
			return
		}
		for i := range flags {
			require.True(t, i == 0 || flags[i-1].ID.Key < flags[i].ID.Key)
			one, err := format.Flag("prod", b, flags[i].ID.Key, noon)
			require.NoError(t, err)
			require.Equal(t, flags[i], one)
		}
		was := flags[int(which/2)%len(flags)]
		c := sources.Change{ID: "1", Flag: was.ID, Kind: sources.Kill, Seen: was.Revision}
		if which%2 == 1 {
			c.Kind, c.To = sources.Set, sources.Percent(percent)
		}
		d, err := format.Draft("prod", b, c, noon)
		if err != nil {
			return
		}
		require.Equal(t, was, d.Planned.Old)
		again, _, err := goff.NewFormat().Flags("prod", d.Bytes, noon)
		require.NoError(t, err)
		require.Len(t, again, len(flags))
		for i := range flags {
			if flags[i].ID == was.ID {
				require.Equal(t, d.Planned.New, again[i])
			} else {
				require.Equal(t, flags[i].Revision, again[i].Revision)
			}
		}
		sameElsewhere(t, b, d.Bytes, was.ID.Key)
		back, err := format.Draft("prod", d.Bytes, sources.Change{ID: "2", Flag: was.ID, Kind: sources.Undo, Restore: d.Planned.Restore, Seen: d.Planned.New.Revision}, noon)
		require.NoError(t, err)
		require.Equal(t, string(b), string(back.Bytes))
	})
}

// sameElsewhere compares what the whole file decodes to, but for the edited flag.
func sameElsewhere(t *testing.T, before, after []byte, key string) {
	decode := func(b []byte) map[string]any {
		var m map[string]any
		if yaml.Unmarshal(b, &m) != nil {
			return nil
		}
		delete(m, key)
		return m
	}
	if was := decode(before); was != nil {
		require.Equal(t, was, decode(after))
	}
}
