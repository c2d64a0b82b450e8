package goff_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// boolean is a flag f with two boolean variations and what else is given.
func boolean(rest string) string {
	return "f:\n  variations:\n    \"on\": true\n    \"off\": false\n" + indented(rest)
}

func indented(s string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimPrefix(s, "\n")) {
		b.WriteString("  " + strings.TrimPrefix(line, "\t\t\t"))
	}
	return strings.TrimRight(b.String(), " \t\n") + "\n"
}

func TestWhatTheDefaultRuleSaysIsOnePercentage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		yaml    string
		brief   string
		variant string
		note    string
		state   sources.FlagState
	}{
		"two percentages":         {boolean("defaultRule: {percentage: {\"on\": 25, \"off\": 75}}"), "25%", "on", "", sources.FlagOn},
		"thousandths":             {boolean("defaultRule: {percentage: {\"on\": 33.333, \"off\": 66.667}}"), "33.333%", "on", "", sources.FlagOn},
		"what floats cut":         {boolean("defaultRule: {percentage: {\"on\": 1.001, \"off\": 98.999}}"), "1%", "on", "", sources.FlagOn},
		"nobody":                  {boolean("defaultRule: {percentage: {\"on\": 0, \"off\": 100}}"), "0%", "on", "", sources.FlagOff},
		"one percentage":          {boolean("defaultRule: {percentage: {\"on\": 100}}"), "100%", "on", "", sources.FlagOn},
		"one percentage, off":     {boolean("defaultRule: {percentage: {\"off\": 100}}"), "0%", "on", "", sources.FlagOff},
		"one variation":           {boolean("defaultRule: {variation: \"on\"}"), "100%", "on", "", sources.FlagOn},
		"the other":               {boolean("defaultRule: {variation: \"off\"}"), "0%", "on", "", sources.FlagOff},
		"percentage wins":         {boolean("defaultRule: {variation: \"off\", percentage: {\"on\": 5, \"off\": 95}}"), "5%", "on", "", sources.FlagOn},
		"shares of another sum":   {boolean("defaultRule: {percentage: {\"on\": 1, \"off\": 3}}"), "25%", "on", "the percentages sum to 4, not 100, and count as shares of that", sources.FlagOn},
		"names that are no bools": {"f: {variations: {A: x, B: y}, defaultRule: {percentage: {A: 90, B: 10}}}", "10%", "B", "", sources.FlagOn},
		"true is on, whatever it is called": {
			"f: {variations: {alt: true, zed: false}, defaultRule: {percentage: {alt: 7, zed: 93}}}", "7%", "alt", "", sources.FlagOn,
		},
		"a rule that is disabled does not count": {
			boolean("targeting: [{query: a eq \"b\", variation: \"on\", disable: true}]\ndefaultRule: {variation: \"off\"}"), "0%", "on", "", sources.FlagOff,
		},
		"JSON": {"{\n\t\"f\": {\"variations\": {\"on\": true, \"off\": false},\n\t\t\"defaultRule\": {\"percentage\": {\"on\": 25, \"off\": 75}}}}", "25%", "on", "", sources.FlagOn},
		"through an alias": {
			"base: &b {variations: {\"on\": true, \"off\": false}, defaultRule: {variation: \"on\"}}\nf: *b\n", "100%", "on",
			"the percentage cannot be set: it stands elsewhere, at &b", sources.FlagOn,
		},
		"merged": {
			"base: &b {variations: {\"on\": true, \"off\": false}, defaultRule: {variation: \"on\"}}\nf:\n  <<: *b\n  trackEvents: false\n", "100%", "on",
			"the percentage cannot be set: defaultRule comes through <<", sources.FlagOn,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := read(t, tc.yaml, noon)
			require.Equal(t, tc.brief, f.Brief())
			require.Equal(t, tc.state, f.State)
			require.Equal(t, tc.variant, f.Variant)
			require.Equal(t, tc.note, f.Note)
			require.Equal(t, f.Rollout, f.Stored)
			require.Equal(t, strings.Contains(tc.note, "cannot be set"), f.CanRamp() != nil)
		})
	}
}

func TestWhatIsNotOnePercentageIsCustomAndSaysWhy(t *testing.T) {
	t.Parallel()
	for note, yaml := range map[string]string{
		"targeting: internal": boolean("targeting: [{name: internal, query: beta eq \"true\", variation: \"on\"}]\ndefaultRule: {variation: \"off\"}"),
		"targeting: rule 1, two, rule 3 and 1 more": boolean("targeting: [" +
			"{query: a eq \"1\", variation: \"on\"}, {name: two, query: a eq \"1\", variation: \"on\"}, {query: a eq \"1\", variation: \"on\"}, {query: a eq \"1\", variation: \"on\"}" +
			"]\ndefaultRule: {variation: \"off\"}"),
		"3-way split":                      "f: {variations: {a: 1, b: 2, c: 3}, defaultRule: {percentage: {a: 30, b: 30, c: 40}}}",
		"everybody gets b of 3 variations": "f: {variations: {a: 1, b: 2, c: 3}, defaultRule: {variation: b}}",
	} {
		t.Run(note, func(t *testing.T) {
			t.Parallel()
			f := read(t, yaml, noon)
			require.Equal(t, sources.FlagCustom, f.State)
			require.Equal(t, note, f.Note)
			require.ErrorIs(t, f.CanRamp(), sources.ErrUnsupported)
			after, receipt := edited(t, yaml, noon, kill())
			require.True(t, receipt.New.Killed)
			require.Equal(t, "DISABLED", only(evaluated(t, after, 50, noon)[0].Reasons))
		})
	}
}

// only is the one key of a map.
func only(m map[string]int) string {
	for k := range m {
		if len(m) == 1 {
			return k
		}
	}
	return "several"
}

func TestAFlagThatGoFeatureFlagWouldNotServeIsBrokenAndSaysWhy(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ yaml, note string }{
		"no variations":   {"f: {defaultRule: {variation: a}}", "there are no variations, so GO Feature Flag leaves the flag out"},
		"no default rule": {boolean(""), "there is no defaultRule, so GO Feature Flag leaves the flag out"},
		"unknown variation": {
			boolean("defaultRule: {variation: maybe}"), "defaultRule: variation maybe is none of the variations, so GO Feature Flag leaves the flag out",
		},
		"unknown in percentage": {
			boolean("defaultRule: {percentage: {maybe: 100}}"), "defaultRule: percentage names maybe, which is none of the variations, so GO Feature Flag leaves the flag out",
		},
		"mixed types":     {"f: {variations: {a: true, b: 1}, defaultRule: {variation: a}}", "the variations are of several types, so GO Feature Flag leaves the flag out"},
		"null variation":  {"f: {variations: {a: true, b: null}, defaultRule: {variation: a}}", "variation b has no value, so GO Feature Flag leaves the flag out"},
		"all zero":        {boolean("defaultRule: {percentage: {\"on\": 0, \"off\": 0}}"), "defaultRule: the percentages are all 0, so GO Feature Flag leaves the flag out"},
		"negative":        {boolean("defaultRule: {percentage: {\"on\": -5, \"off\": 105}}"), "the percentages make no sense"},
		"infinite":        {boolean("defaultRule: {percentage: {\"on\": .inf, \"off\": 1}}"), "the percentages make no sense"},
		"tiny":            {boolean("defaultRule: {percentage: {\"on\": 0.0001, \"off\": 0.0001}}"), "the percentages are too small to reach anybody"},
		"rule sans query": {boolean("targeting: [{variation: \"on\"}]\ndefaultRule: {variation: \"on\"}"), "targeting rule 1: there is no query, so GO Feature Flag leaves the flag out"},
		"progressive without an end": {
			boolean("defaultRule: {progressiveRollout: {initial: {variation: \"on\", date: 2026-01-01}}}"),
			"defaultRule: progressiveRollout lacks its initial or its end, so GO Feature Flag leaves the flag out",
		},
		"progressive downwards": {
			boolean("defaultRule: {progressiveRollout: {initial: {variation: \"off\", percentage: 50, date: 2026-01-01}, end: {variation: \"on\", percentage: 20, date: 2026-02-01}}}"),
			"defaultRule: progressiveRollout ends below where it starts, so GO Feature Flag leaves the flag out",
		},
		"progressive backwards in time": {
			boolean("defaultRule: {progressiveRollout: {initial: {variation: \"off\", date: 2026-02-01}, end: {variation: \"on\", date: 2026-01-01}}}"), "progressiveRollout ends before it starts",
		},
		"nothing at all": {"f:\n", "there are no variations, so GO Feature Flag leaves the flag out"},
		"a scalar":       {"f: hello\n", "line 1: wrong type of value, !!str `hello`; GO Feature Flag refuses the whole file"},
		"wrong type":     {boolean("defaultRule: {percentage: lots}"), "line 5: wrong type of value, !!str `lots`; GO Feature Flag refuses the whole file"},
		"quoted boolean": {boolean("defaultRule: {variation: \"on\"}\ndisable: \"true\""), "line 6: wrong type of value, !!str `true`; GO Feature Flag refuses the whole file"},
		"twice":          {"f: {}\nf: {}\n", "this key stands in the file 2 times; GO Feature Flag refuses the whole file"},
		"twice within": {
			boolean("defaultRule: {variation: \"on\"}\ndefaultRule: {variation: \"off\"}"),
			"line 6: mapping key \"defaultRule\" already defined at line 5; GO Feature Flag refuses the whole file",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := read(t, tc.yaml, noon)
			require.Equal(t, sources.FlagBroken, f.State)
			require.Equal(t, tc.note, f.Note)
			require.False(t, f.Rollout.OK)
			require.Error(t, f.CanRamp())
			got := ask(t, question{Path: file(t, tc.yaml), Flag: "f", Keys: 20, At: []time.Time{noon}})[0]
			require.Equal(t, strings.Contains(tc.note, "refuses the whole file"), got.Refused != "" && !strings.HasPrefix(got.Refused, "panic"), got.Refused)
			if got.Refused == "" && name != "negative" && name != "infinite" {
				require.Equal(t, "SdkDefault", only(got.At[0].Variants))
			}
		})
	}
}
