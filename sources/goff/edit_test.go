package goff_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

const commented = `# top
f: # the flag
  # its values
  variations:
    'on': true   # new
    "off": false
  defaultRule: # who
    variation: "off" # not yet

  # end of f
g: {variations: {a: true, b: false}, defaultRule: {variation: a}}
`

func TestAnEditChangesItsValuesAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		before string
		change sources.Change
		old    string // what is replaced in before
		with   string
	}{
		"kill": {commented, kill(), "  variations:\n    'on'", "  disable: true\n  variations:\n    'on'"},
		"all":  {commented, ramp(sources.Full), "variation: \"off\" #", "variation: \"on\" #"},
		"some": {commented, ramp(sources.Pct(25)), "variation: \"off\" # not yet\n", "percentage: # not yet\n      'on': 25\n      \"off\": 75\n"},
		"kill in a line": {
			"f: {variations: {a: true, b: false}, defaultRule: {variation: a}} # c\n", kill(), "{variations", "{disable: true, variations",
		},
		"some in a line": {
			"f: {variations: {a: true, b: false}, defaultRule: {variation: a}} # c\n", ramp(sources.Pct(10)), "variation: a}", "percentage: {a: 10, b: 90}}",
		},
		"kill in JSON": {
			"{\"f\": {\n\t\"variations\": {\"a\": true, \"b\": false},\n\t\"defaultRule\": {\"variation\": \"a\"}}}", kill(),
			"{\n\t\"variations\"", "{\n\t\"disable\": true,\n\t\"variations\"",
		},
		"kill in tight JSON": {
			`{"f":{"variations":{"a":true,"b":false},"defaultRule":{"variation":"a"}}}`, kill(), `{"variations"`, `{"disable":true,"variations"`,
		},
		"some in tight JSON": {
			`{"f":{"variations":{"a":true,"b":false},"defaultRule":{"variation":"a"}}}`, ramp(12_345), `"variation":"a"}`, `"percentage":{"a":12.345,"b":87.655}}`,
		},
		"kill that was taken back": {boolean("disable: false # was on\ndefaultRule: {variation: \"on\"}"), kill(), "disable: false #", "disable: true #"},
		"kill of YAML 1.1":         {boolean("disable: no\ndefaultRule: {variation: \"on\"}"), kill(), "disable: no", "disable: true"},
		"kill of nothing":          {boolean("disable:\ndefaultRule: {variation: \"on\"}"), kill(), "disable:", "disable: true"},
		"ramp of a killed":         {boolean("disable: yes\ndefaultRule: {variation: \"on\"}"), ramp(sources.Full), "disable: yes", "disable: false"},
		"two numbers":              {boolean("defaultRule:\n  percentage: {\"off\" : 75.0,   \"on\":  25 }"), ramp(33_333), "75.0,   \"on\":  25 ", "66.667,   \"on\":  33.333 "},
		"a number that floats cut": {boolean("defaultRule: {percentage: {\"on\": 25, \"off\": 75}}"), ramp(1_001), "25, \"off\": 75", "1.0011, \"off\": 98.999"},
		"the only number":          {boolean("defaultRule:\n  percentage:\n    \"on\": 100 # all"), ramp(sources.Pct(50)), "100 # all", "50 # all\n      \"off\": 50"},
		"the only number, in line": {boolean("defaultRule: {percentage: {\"on\": 100}}"), ramp(sources.Pct(50)), "100}", "50, \"off\": 50}"},
		"Windows": {
			strings.ReplaceAll(boolean("defaultRule:\n  variation: \"on\""), "\n", "\r\n"), ramp(sources.Pct(50)),
			"variation: \"on\"\r\n", "percentage:\r\n      \"on\": 50\r\n      \"off\": 50\r\n",
		},
		"without a last line break": {
			strings.TrimSuffix(boolean("defaultRule:\n  variation: 'on'"), "\n"), ramp(sources.Pct(50)), "variation: 'on'", "percentage:\n      \"on\": 50\n      \"off\": 50",
		},
		"four spaces": {
			"f:\n    variations: {x: true, y: false}\n    defaultRule:\n        variation: x\n", ramp(sources.Pct(50)), "variation: x\n", "percentage:\n            x: 50\n            y: 50\n",
		},
		"an anchor that nobody uses": {boolean("defaultRule: &d {percentage: {\"on\": &p 25, \"off\": !!float 75}}"), ramp(sources.Pct(30)), "&p 25, \"off\": !!float 75", "&p 30, \"off\": !!float 70"},
		"a kill beside what is merged": {
			"b: &b {variations: {x: true, y: false}, defaultRule: {variation: x}}\nf:\n  <<: *b\n", kill(), "  <<: *b", "  disable: true\n  <<: *b",
		},
		"names that need quotes": {
			"f:\n  variations: {\"a, b\": true, 'it''s': false}\n  defaultRule: {variation: 'it''s'}\n", ramp(sources.Pct(50)), "variation: 'it''s'}", "percentage: {\"a, b\": 50, 'it''s': 50}}",
		},
		"wide characters": {
			"f: {variations: {\"日本\": true, é: false}, defaultRule: {variation: é}} # ü\ng: {}\n", ramp(sources.Pct(50)), "variation: é}", "percentage: {\"日本\": 50, é: 50}}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, 1, strings.Count(tc.before, tc.old), "the test names one place")
			after, receipt := edited(t, tc.before, noon, tc.change)
			require.Equal(t, strings.Replace(tc.before, tc.old, tc.with, 1), after)
			require.Empty(t, receipt.Warning)
			back, _ := edited(t, after, noon, undo(receipt))
			require.Equal(t, tc.before, back)
		})
	}
}

func TestWhatIsSharedByAnAliasIsNotEdited(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		yaml   string
		change sources.Change
		want   string
	}{
		"a flag that stands elsewhere": {
			"g: &g {variations: {a: true, b: false}, defaultRule: {variation: a}}\nf: *g\n", kill(),
			"f was not changed: its definition is shared: it stands elsewhere, at &g; change it by hand",
		},
		"a flag that another one is": {
			"f: &f {variations: {a: true, b: false}, defaultRule: {variation: a}}\ng: *f\n", kill(),
			"f was not changed: its definition is shared: other parts of the file read it through *f; change it by hand",
		},
		"a rule that another flag has": {
			"f: {variations: {a: true, b: false}, defaultRule: &r {variation: a}}\ng: {variations: {a: true, b: false}, defaultRule: *r}\n", ramp(sources.Pct(5)),
			"f was not changed: f cannot be ramped (the percentage cannot be set: defaultRule is shared: other parts of the file read it through *r)",
		},
		"a flag that came through <<": {
			"g: &g\n  f: {variations: {a: true, b: false}, defaultRule: {variation: a}}\n<<: *g\n", kill(),
			"f was not changed: its definition is shared: it comes into the file through <<; change it by hand",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, tc.yaml)
			tc.change.Flag, tc.change.Commit = id("f"), func(sources.Planned) error { t.Error("committed"); return nil }
			_, err := at(path, noon).Apply(t.Context(), tc.change)
			require.ErrorIs(t, err, sources.ErrUnsupported)
			require.Contains(t, sources.Sentence(err), tc.want)
		})
	}
}

func TestAKillOfWhatASharedRuleServesIsPossible(t *testing.T) {
	t.Parallel()
	before := "r: &r {variation: a}\nf:\n  variations: {a: true, b: false}\n  defaultRule: *r\n"
	after, receipt := edited(t, before, noon, kill())
	require.Equal(t, "r: &r {variation: a}\nf:\n  disable: true\n  variations: {a: true, b: false}\n  defaultRule: *r\n", after)
	require.True(t, receipt.New.Killed)
	back, _ := edited(t, after, noon, undo(receipt))
	require.Equal(t, before, back)
}

func TestAFlagHasAnotherRevisionWhenWhatItReadsThroughAnAliasChanged(t *testing.T) {
	t.Parallel()
	yaml := "r: &r {variation: a}\nf: {variations: {a: true, b: false}, defaultRule: *r}\n"
	one := read(t, yaml, noon)
	two := read(t, strings.Replace(yaml, "variation: a}", "variation: b}", 1), noon)
	require.NotEqual(t, one.Revision, two.Revision)
	require.Equal(t, one.Revision, read(t, "# c\n"+yaml+"g: {}\n", noon).Revision)
}

func TestUndoRefusesWhatWouldBeMoreThanTheFlag(t *testing.T) {
	t.Parallel()
	for name, restore := range map[string]string{
		"nothing":        "",
		"another flag":   "h: {}",
		"two flags":      "f: {}\nh: {}",
		"half a flag":    "f: {",
		"an open quote":  "f: \"",
		"a new anchor":   "f: &g {trackEvents: false}",
		"a document end": "f: {}\n...\n---\nf: {}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, "g: &g {}\nf: {variations: {a: true}}\nh0: *g\ni: {}\n")
			_, err := at(path, noon).Apply(t.Context(), sources.Change{
				ID: "u", Kind: sources.Undo, Flag: id("f"), Restore: []byte(restore),
				Commit: func(sources.Planned) error { t.Error("committed"); return nil },
			})
			require.ErrorIs(t, err, sources.ErrInvalid)
		})
	}
}
