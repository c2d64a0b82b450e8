package etcd_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
	"relctl-tui/sources/etcd"
	"relctl-tui/sources/sourcetest"
)

const document = `{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "flags": {
    "b":   {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"},
    "a/b": {"state": "DISABLED",
            "variants": {"on": 1e3, "off": 0.10}, "defaultVariant": "off" },
    "ref": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"$ref": "internal"}},
    "\u00e9": {"state": "ENABLED", "variants": {"\u0061": "\ud83d\ude00"}, "defaultVariant": "a"}
  },
  "$evaluators": {"internal": {"ends_with": [{"var": "email"}, "@example.com"]}},
  "metadata": {"flagSetId": "x", "n": 1.50}
}
`

func importer(prefix string) func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("%s-%05d", prefix, n) }
}

func raws(t *testing.T, doc []byte) (flags map[string]string, rest map[string]string) {
	t.Helper()
	var top map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(doc, &top))
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(top["flags"], &all))
	flags, rest = map[string]string{}, map[string]string{}
	for k, v := range all {
		flags[k] = string(v)
	}
	for k, v := range top {
		if k != "flags" {
			rest[k] = string(v)
		}
	}
	return flags, rest
}

func TestWhatIsExportedIsWhatWasImported(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, binary string) {
		c := startCluster(t, binary, 1)
		s := c.store()
		empty, _, err := s.Export(t.Context())
		require.NoError(t, err)
		require.JSONEq(t, `{"flags": {}}`, string(empty))

		in := sources.Import{Document: []byte("\ufeff" + document), NewID: importer("i")}
		r, err := s.Import(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, 4, r.Written)
		require.True(t, r.Document)
		out, rev, err := s.Export(t.Context())
		require.NoError(t, err)
		wantFlags, wantRest := raws(t, []byte(document))
		flags, rest := raws(t, out)
		require.Equal(t, wantFlags, flags, "byte for byte")
		require.Equal(t, wantRest, rest)
		set, err := s.Flags(t.Context())
		require.NoError(t, err)
		require.Equal(t, set.Revision, rev)

		second := c.store(prefix("copy"))
		_, err = second.Import(t.Context(), sources.Import{Document: out, NewID: importer("j")})
		require.NoError(t, err)
		again, rev2, err := second.Export(t.Context())
		require.NoError(t, err)
		require.Equal(t, string(out), string(again))
		require.Equal(t, rev, rev2, "equal content, equal revision")
		r, err = second.Import(t.Context(), sources.Import{Document: out, NewID: importer("k"), Prune: true})
		require.NoError(t, err)
		require.Zero(t, r.Written)
		require.False(t, r.Document)
	})
}

// TestAnImportOfManyFlagsIsWrittenInBatches: 1,000 flags at once, with somebody
// else changing some of them meanwhile.
func TestAnImportOfManyFlagsIsWrittenInBatches(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	plain, s := c.plain(), c.store()
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `%s"flag-%04d": %s`, []string{",", ""}[btoi(i == 0)], i, percent(i%100))
	}
	put(t, plain, "test", map[string]string{"flag-0007": percent(99), "gone": split})
	ch := sourcetest.Watch(t, s, "")
	until(t, ch, "the first set", has("gone", "25%"))
	r, err := s.Import(t.Context(), sources.Import{Document: []byte(`{"flags":{` + b.String() + `}}`), Prune: true, NewID: importer("m"), Actor: "ana"})
	require.NoError(t, err)
	require.Equal(t, 1001, r.Written)
	steps := map[sources.ImportStep]int{}
	for _, f := range r.Flags {
		require.True(t, f.Written)
		steps[f.Step]++
	}
	require.Equal(t, map[sources.ImportStep]int{sources.StepAdded: 999, sources.StepChanged: 1, sources.StepRemoved: 1}, steps)
	set, err := s.Flags(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Flags, 1000)
	e, _ := until(t, ch, "all of it", func(e sources.FlagEvent) bool { return e.Set != nil && e.Set.Revision == set.Revision })
	require.Equal(t, set.Flags, e.Set.Flags, "what was followed is what a list finds")

	history, err := s.History(t.Context(), 1000)
	require.NoError(t, err)
	i := 0
	for history[i].Flag.Key != "flag-0007" {
		i++
	}
	require.Equal(t, "99%", history[i].Old)
	require.Equal(t, "import", history[i].Kind)
	_, err = s.Apply(t.Context(), sources.Change{
		ID: "undo", Flag: id("flag-0007"), Kind: sources.Undo, Seen: history[i].Revision, Restore: history[i].Restore, Undoes: history[i].ID,
	})
	require.NoError(t, err)
	got, err := plain.Get(t.Context(), "test/flags/flag-0007")
	require.NoError(t, err)
	require.Equal(t, percent(99), string(got.Kvs[0].Value))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestAnImportRacesWithOthersAndWins(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	plain, s := c.plain(), c.store()
	put(t, plain, "test", map[string]string{"a": split, "b": split, "c": split})
	calls := 0
	newID := importer("i")
	in := sources.Import{
		Document: []byte(`{"flags": {"a": ` + percent(1) + `, "b": ` + percent(2) + `, "c": ` + percent(3) + `}}`),
		NewID: func() string {
			if calls++; calls == 1 { // after the plan, before the transaction
				put(t, plain, "test", map[string]string{"a": percent(50), "b": percent(2)})
				_, err := plain.Delete(t.Context(), "test/flags/c")
				require.NoError(t, err)
			}
			return newID()
		},
	}
	r, err := s.Import(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, 2, r.Written)
	require.Equal(t, []string{"50%", "2%", "absent"}, []string{r.Flags[0].Old, r.Flags[1].Old, r.Flags[2].Old})
	require.Equal(t, sources.StepUnchanged, r.Flags[1].Step)
	require.Equal(t, sources.StepAdded, r.Flags[2].Step)
	out, _, err := s.Export(t.Context())
	require.NoError(t, err)
	flags, _ := raws(t, out)
	require.Equal(t, map[string]string{"a": percent(1), "b": percent(2), "c": percent(3)}, flags)
}

func TestDocumentsThatAreRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	s := c.store()
	for doc, says := range map[string]string{
		``:                                   "empty",
		`{`:                                  "not JSON",
		`{"flag": {}}`:                       `there is no "flags"`,
		`{"flags": [{"key": "a"}]}`:          "is a list",
		`{"flags": {"a": {}, "\u0061": {}}}`: "flag a stands in the document twice",
		`{"flags": {"": {}}}`:                "empty key",
		`{"flags": {"` + strings.Repeat("k", 2000) + `": {}}}`: "too long",
	} {
		_, err := s.Import(t.Context(), sources.Import{Document: []byte(doc), NewID: importer("x")})
		require.ErrorIs(t, err, sources.ErrInvalid, doc)
		require.ErrorContains(t, err, says, doc)
	}
	got, err := c.plain().Get(t.Context(), "test/", clientv3.WithPrefix())
	require.NoError(t, err)
	require.Empty(t, got.Kvs)
}

func TestAPageTooLargeForOneAnswerIsReadInSmallerOnes(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	plain := c.plain()
	big := `{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "metadata": {"description": "` + strings.Repeat("x", 900<<10) + `"}}`
	for i := range 12 {
		put(t, plain, "test", map[string]string{fmt.Sprint("big-", i): big})
	}
	s := c.store(etcd.SmallAnswers(4 << 20))
	set, err := s.Flags(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Flags, 12)
}
