package flagd_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
)

const onOff = `"variants": {"on": true, "off": false}, "defaultVariant": "off"`

func enabled(rest string) string { return `{"state": "ENABLED", ` + rest + `}` }

func targeting(rule string) string { return enabled(onOff + `, "targeting": ` + rule) }

func list(t *testing.T, text string) sources.FlagSet {
	t.Helper()
	set, err := flagd.New("prod", file(t, text)).Flags(context.Background())
	require.NoError(t, err)
	return set
}

func one(t *testing.T, definition string) sources.Flag {
	t.Helper()
	set := list(t, `{"flags": {"f": `+definition+`}}`)
	require.Len(t, set.Flags, 1)
	return set.Flags[0]
}

func TestPercentagesAreReadFromEverySpelling(t *testing.T) {
	t.Parallel()
	split := func(args string) string { return targeting(`{"fractional": [` + args + `]}`) }
	for name, c := range map[string]struct {
		def     string
		want    string
		variant string
		note    string
	}{
		"boolean that is off":        {enabled(onOff), "0", "on", ""},
		"boolean that is on":         {enabled(`"variants": {"off": false, "on": true}, "defaultVariant": "on"`), "100", "on", ""},
		"empty targeting":            {targeting(`{ }`), "0", "on", ""},
		"null targeting":             {targeting(`null`), "0", "on", ""},
		"names of its own":           {enabled(`"variants": {"new": true, "old": false}, "defaultVariant": "new"`), "100", "new", ""},
		"plain split":                {split(`["on", 25], ["off", 75]`), "25", "on", ""},
		"split in the other order":   {split(`["off", 75], ["on", 25]`), "25", "on", ""},
		"by an attribute":            {split(`{"var": "email"}, ["on", 30], ["off", 70]`), "30", "on", ""},
		"by several attributes":      {split(`{"cat": [{"var": "$flagd.flagKey"}, {"var": "email"}]}, ["on", 30], ["off", 70]`), "30", "on", ""},
		"shorthand":                  {split(`["on"], ["off"]`), "50", "on", ""},
		"half a shorthand":           {split(`["on"], ["off", 3]`), "25", "on", "the weights sum to 4, not 100, and count as shares of that"},
		"tenths of a percent":        {split(`["on", 5], ["off", 995]`), "0.5", "on", ""},
		"thousandths of a percent":   {split(`["on", 1], ["off", 99999]`), "0.001", "on", ""},
		"sum that is not 100":        {split(`["on", 1], ["off", 3]`), "25", "on", "the weights sum to 4, not 100, and count as shares of that"},
		"a whole number with a dot":  {split(`["on", 25.0], ["off", 7.5e1]`), "25", "on", ""},
		"nobody":                     {split(`["on", 0], ["off", 100]`), "0", "on", ""},
		"everybody":                  {split(`["on", 100], ["off", 0]`), "100", "on", ""},
		"variants that are booleans": {enabled(`"variants": {"true": true, "false": false}, "defaultVariant": "false", "targeting": {"fractional": [[true, 20], [false, 80]]}`), "20", "true", ""},
		"strings count what is not the default": {
			enabled(`"variants": {"blue": "#00f", "red": "#f00"}, "defaultVariant": "red", "targeting": {"fractional": [["red", 90], ["blue", 10]]}`), "10", "blue", "",
		},
		"strings without a default count the first": {
			enabled(`"variants": {"blue": "#00f", "red": "#f00"}, "targeting": {"fractional": [["red", 90], ["blue", 10]]}`), "90", "red", "",
		},
		"escaped names": {`{"st\u0061te": "ENABLED", "variants": {"\u006fn": true, "off": false}, "defaultVariant": "o\u0066f", "targeting": {"fr\u0061ctional": [["o\u006e", 25], ["off", 75]]}}`, "25", "on", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := one(t, c.def)
			require.NoError(t, f.CanRamp())
			require.True(t, f.Rollout.OK)
			require.Equal(t, c.want, f.Rollout.V.String())
			require.Equal(t, f.Rollout, f.Stored)
			require.Equal(t, c.variant, f.Variant)
			require.Equal(t, c.note, f.Note)
			want := sources.FlagOn
			if c.want == "0" {
				want = sources.FlagOff
			}
			require.Equal(t, want, f.State)

			killed := one(t, strings.Replace(c.def, `"ENABLED"`, `"DISABLED"`, 1))
			require.True(t, killed.Killed)
			require.Equal(t, sources.FlagOff, killed.State)
			require.Equal(t, sources.Some(sources.Percent(0)), killed.Rollout)
			require.Equal(t, f.Stored, killed.Stored, "the split is kept")
			require.NoError(t, killed.CanRamp())
		})
	}
}

func TestWhatIsNoSinglePercentageIsCustomAndSaysWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ def, note string }{
		"rule":             {targeting(`{"if": [true, "on", "off"]}`), `rule "if"`},
		"shared rule":      {targeting(`{"$ref": "staff"}`), `shared rule "staff"`},
		"three ways":       {targeting(`{"fractional": [["on", 1], ["off", 1], ["on", 1]]}`), "3-way split"},
		"one way":          {targeting(`{"fractional": [["on", 100]]}`), "1-way split"},
		"nested":           {targeting(`{"fractional": [[{"if": [true, "on"]}, 1], ["off", 1]]}`), "nested rule inside the split"},
		"computed weight":  {targeting(`{"fractional": [["on", {"var": "w"}], ["off", 1]]}`), "computed weight inside the split"},
		"part to default":  {targeting(`{"fractional": [["on", 25], [null, 75]]}`), "split that leaves a part to defaultVariant"},
		"same twice":       {targeting(`{"fractional": [["on", 25], ["on", 75]]}`), "split with the same variant on both sides"},
		"fixed text":       {targeting(`{"fractional": ["x", ["on", 25], ["off", 75]]}`), "fractional with a fixed text to bucket by, so all users fall into one variant"},
		"legacy":           {targeting(`{"fractionalEvaluation": ["email", ["on", 25], ["off", 75]]}`), "fractionalEvaluation, which flagd replaced by fractional and no longer evaluates"},
		"two rules":        {targeting(`{"fractional": [["on", 25], ["off", 75]], "if": [true]}`), "targeting has 2 rules side by side, which flagd does not evaluate"},
		"text":             {targeting(`"on"`), `targeting is no rule: "on"`},
		"string variant":   {enabled(`"variants": {"a": "x", "b": "y"}, "defaultVariant": "a"`), `everybody gets "x", which is no boolean`},
		"default in code":  {enabled(`"variants": {"on": true, "off": false}, "defaultVariant": null`), "there is no defaultVariant, so everybody gets the default in code"},
		"default in code2": {enabled(`"variants": {"a": 1}`), "everybody gets the default in code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := one(t, c.def)
			require.Equal(t, sources.FlagCustom, f.State)
			require.Equal(t, c.note, f.Note)
			require.False(t, f.Rollout.OK)
			require.ErrorIs(t, f.CanRamp(), sources.ErrUnsupported)

			killed := one(t, strings.Replace(c.def, `"ENABLED"`, `"DISABLED"`, 1))
			require.Equal(t, sources.FlagOff, killed.State)
			require.True(t, killed.Killed)
			require.ErrorIs(t, killed.CanRamp(), sources.ErrUnsupported, "killed or not")
		})
	}
}

func TestABooleanWithThreeVariantsShowsItsPercentageAndCannotBeRamped(t *testing.T) {
	t.Parallel()
	f := one(t, enabled(`"variants": {"on": true, "off": false, "beta": true}, "defaultVariant": "on"`))
	require.Equal(t, "100%", f.Brief())
	require.Equal(t, sources.FlagOn, f.State)
	require.ErrorIs(t, f.CanRamp(), sources.ErrUnsupported)
}

func TestWhatCannotBeEvaluatedIsBrokenAndSaysWhy(t *testing.T) {
	t.Parallel()
	split := func(args string) string { return targeting(`{"fractional": [` + args + `]}`) }
	const refuses = "; flagd refuses the whole file"
	for name, c := range map[string]struct{ def, note string }{
		"negative weight":     {split(`["on", -5], ["off", 105]`), `weight -5 of "on" is negative`},
		"half a weight":       {split(`["on", 2.5], ["off", 97.5]`), `weight 2.5 of "on" is no whole number`},
		"text weight":         {split(`["on", "25"], ["off", 75]`), `weight "25" of "on" is no number`},
		"huge weight":         {split(`["on", 3000000000], ["off", 75]`), `weight 3000000000 of "on" is too large`},
		"huge sum":            {split(`["on", 2147483647], ["off", 75]`), "the weights are too large together"},
		"beyond numbers":      {split(`["on", 1e999], ["off", 75]`), `weight 1e999 of "on" is no number`},
		"no weight at all":    {split(`["on", 0], ["off", 0]`), "the weights are all 0"},
		"unknown variant":     {split(`["new", 5], ["off", 95]`), `the split names "new", which is none of the variants`},
		"three in a bucket":   {split(`["on", 5, 7], ["off", 95]`), `fractional holds ["on", 5, 7] where [variant, weight] belongs`},
		"empty bucket":        {split(`[], ["off", 95]`), `fractional holds [] where [variant, weight] belongs`},
		"loose list":          {split(`5, "on", "off"`), `fractional holds 5 where [variant, weight] belongs`},
		"no list":             {targeting(`{"fractional": {}}`), "fractional has no list of variants"},
		"empty list":          {split(``), "fractional has no list of variants"},
		"missing default":     {enabled(`"variants": {"on": true, "off": false}, "defaultVariant": "nope"`), `defaultVariant "nope" is none of the variants` + refuses},
		"default not text":    {enabled(`"variants": {"true": true, "off": false}, "defaultVariant": true`), `defaultVariant true is none of the variants` + refuses},
		"no variants":         {enabled(`"defaultVariant": "on"`), "there are no variants" + refuses},
		"empty variants":      {enabled(`"variants": {}, "defaultVariant": "on"`), "there are no variants" + refuses},
		"variants of a list":  {enabled(`"variants": [true, false], "defaultVariant": "on"`), "there are no variants" + refuses},
		"no state":            {`{` + onOff + `}`, "there is no state" + refuses},
		"unknown state":       {`{"state": "enabled", ` + onOff + `}`, `state is neither ENABLED nor DISABLED but "enabled"` + refuses},
		"number":              {`7`, "the definition is not an object" + refuses},
		"state twice":         {`{"state": "ENABLED", "st\u0061te": "DISABLED", ` + onOff + `}`, `"state" stands there twice`},
		"variant twice":       {enabled(`"variants": {"on": true, "\u006fn": false}, "defaultVariant": "on"`), `variant "on" stands there twice`},
		"escape in a variant": {enabled(`"variants": {"on": true}, "defaultVariant": "\u001b[31mred"`), `defaultVariant "\u001b[31mred" is none of the variants` + refuses},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := one(t, c.def)
			require.Equal(t, sources.FlagBroken, f.State)
			require.Equal(t, c.note, f.Note)
			require.False(t, f.Rollout.OK)
			require.ErrorIs(t, f.CanRamp(), sources.ErrUnsupported)
		})
	}
}

func TestAFlagThatStandsThereTwiceIsBroken(t *testing.T) {
	t.Parallel()
	set := list(t, `{"flags": {"b": `+enabled(onOff)+`, "a": `+enabled(onOff)+`, "\u0062": `+enabled(onOff)+`}}`)
	require.Len(t, set.Flags, 2)
	require.Equal(t, sources.FlagOff, set.Flags[0].State)
	require.Equal(t, sources.FlagBroken, set.Flags[1].State)
	require.Equal(t, "this key stands in the file 2 times", set.Flags[1].Note)
}

func TestMetadataNamesOwnerMetricAndLadder(t *testing.T) {
	t.Parallel()
	set := list(t, shop)
	f := set.Flags[0]
	require.Equal(t, "ana", f.Owner)
	require.Equal(t, "The new checkout", f.Description)
	require.Equal(t, "payment API", f.Metric)
	require.Equal(t, sources.Ladder{sources.Pct(1), sources.Pct(10), sources.Full}, f.Ladder)

	f = one(t, enabled(onOff+`, "metadata": {"relctl.ladder": "10,1", "owner": 7}`))
	require.Nil(t, f.Ladder)
	require.Equal(t, `relctl.ladder "10,1" is no ladder and is ignored`, f.Note)
	require.Empty(t, f.Owner)
}

func TestNamesFromTheFileAreCleanOnTheirWayOut(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		`\u001b[2J\u001b]0;owned\u0007`, `a\u0000b\u009bc`, `\u202egnp.exe`, `日本語のフラグ`, `e\u0301\ud83d\ude00`, `lone \ud800 half`, strings.Repeat("x", 10_000),
	} {
		set := list(t, fmt.Sprintf(`{"flags": {"%s": %s}}`, key, enabled(`"variants": {"%[1]s": true, "off": false}, "defaultVariant": "off", "metadata": {"owner": "`+key+`", "description": "`+key+`", "relctl.latency": "`+key+`"}`)))
		f := set.Flags[0]
		for _, s := range []string{f.Name, f.Owner, f.Description, f.Metric, f.Variant} {
			require.True(t, utf8.ValidString(s))
			require.LessOrEqual(t, utf8.RuneCountInString(s), 501)
			for _, r := range s {
				require.False(t, unicode.IsControl(r) || unicode.Is(unicode.Cf, r), "%q", s)
			}
		}
		got, err := flagd.New("prod", file(t, `{"flags": {"`+key+`": `+enabled(onOff)+`}}`)).Flag(context.Background(), f.ID)
		require.NoError(t, err, "the identity is the store's own spelling")
		require.Equal(t, f.Name, got.Name)
	}
}

func TestAListOfFlagsIsReadWithAWarning(t *testing.T) {
	t.Parallel()
	set := list(t, `{"flags": [{"key": "b", "state": "ENABLED", `+onOff+`}, {"key": "a", "state": "DISABLED", `+onOff+`}, {"state": "ENABLED"}]}`)
	require.Len(t, set.Flags, 2)
	require.Equal(t, "a", set.Flags[0].Name)
	require.True(t, set.Flags[0].Killed)
	require.Equal(t, []string{
		`"flags" is a list, which flagd reads but in-process providers do not`,
		`1 flags have no "key" and are left out`,
	}, set.Warnings)
}

func TestAByteOrderMarkIsToleratedWithAWarning(t *testing.T) {
	t.Parallel()
	set := list(t, "\ufeff"+shop)
	require.Len(t, set.Flags, 2)
	require.Equal(t, []string{"the file starts with a byte order mark, which some evaluators refuse"}, set.Warnings)
}
