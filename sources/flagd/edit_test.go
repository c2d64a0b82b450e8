package flagd_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
)

// changed applies one change to the flag f and returns the file's text after it;
// it also undoes the change and requires every byte back.
func changed(t *testing.T, before string, kind sources.ChangeKind, to string) string {
	t.Helper()
	path := file(t, before)
	s := flagd.New("prod", path)
	c := sources.Change{ID: "1", Flag: id("f"), Kind: kind}
	if to != "" {
		p, err := sources.ParsePercent(to)
		require.NoError(t, err)
		c.To = p
	}
	got, err := s.Apply(context.Background(), c)
	require.NoError(t, err)
	after := content(t, path)
	_, err = s.Apply(context.Background(), sources.Change{ID: "2", Flag: id("f"), Kind: sources.Undo, Seen: got.New.Revision, Restore: got.Restore})
	require.NoError(t, err)
	require.Equal(t, before, content(t, path), "undo restores every byte")
	return after
}

func TestEditsKeepTheFilesOwnLayout(t *testing.T) {
	t.Parallel()
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	twoSpaces := "{\n  \"flags\": {\n    \"f\": {\n      \"state\": \"ENABLED\",\n      \"variants\": {\"on\": true, \"off\": false},\n      \"defaultVariant\": \"off\"\n    }\n  }\n}\n"
	twoSpacesSplit := "{\n  \"flags\": {\n    \"f\": {\n      \"state\": \"ENABLED\",\n      \"variants\": {\"on\": true, \"off\": false},\n      \"defaultVariant\": \"off\",\n      \"targeting\": {\n        \"fractional\": [\n          [\"on\", 25],\n          [\"off\", 75]\n        ]\n      }\n    }\n  }\n}\n"
	tabs := func(s string) string { return strings.ReplaceAll(s, "  ", "\t") }
	minified := `{"flags":{"f":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off"}}}`
	spaced := `{ "flags": { "f": { "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off" } } }`
	noState := "{\n  \"flags\": {\n    \"f\": {\n      \"variants\": {\"on\": true}\n    }\n  }\n}"
	for name, c := range map[string]struct {
		before string
		kind   sources.ChangeKind
		to     string
		after  string
	}{
		"a split is inserted in two spaces":        {twoSpaces, sources.Ramp, "25", twoSpacesSplit},
		"a split is inserted in tabs":              {tabs(twoSpaces), sources.Ramp, "25", tabs(twoSpacesSplit)},
		"a split is inserted with CRLF":            {crlf(twoSpaces), sources.Ramp, "25", crlf(twoSpacesSplit)},
		"a split is inserted after a mark":         {"\ufeff" + twoSpaces, sources.Ramp, "25", "\ufeff" + twoSpacesSplit},
		"a split is inserted without white space":  {minified, sources.Ramp, "25", `{"flags":{"f":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"fractional":[["on",25],["off",75]]}}}}`},
		"a split is inserted on one line":          {spaced, sources.Ramp, "25", `{ "flags": { "f": { "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", 25], ["off", 75]]} } } }`},
		"a split fills empty targeting":            {strings.Replace(minified, `"off"}}}`, `"off","targeting":{}}}}`, 1), sources.Ramp, "0.5", `{"flags":{"f":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"fractional":[["on",5],["off",995]]}}}}`},
		"a split keeps the names' spelling":        {strings.ReplaceAll(minified, `"on"`, `"\u006fn"`), sources.Ramp, "25", strings.Replace(strings.ReplaceAll(minified, `"on"`, `"\u006fn"`), `"off"}}}`, `"off","targeting":{"fractional":[["\u006fn",25],["off",75]]}}}}`, 1)},
		"100 of a switch swaps defaultVariant":     {twoSpaces, sources.Ramp, "100", strings.Replace(twoSpaces, `"defaultVariant": "off"`, `"defaultVariant": "on"`, 1)},
		"0 of a switch swaps it back":              {strings.Replace(minified, `"off"}}}`, `"on"}}}`, 1), sources.Back, "0", minified},
		"a kill replaces one word":                 {crlf(twoSpaces), sources.Kill, "", crlf(strings.Replace(twoSpaces, "ENABLED", "DISABLED", 1))},
		"a kill inserts a missing state":           {noState, sources.Kill, "", strings.Replace(noState, "\"variants\"", "\"state\": \"DISABLED\",\n      \"variants\"", 1)},
		"a kill inserts it without white space":    {`{"flags":{"f":{"a":1,"b":2}}}`, sources.Kill, "", `{"flags":{"f":{"state":"DISABLED","a":1,"b":2}}}`},
		"a kill fills an empty definition":         {`{"flags": {"f": {}}}`, sources.Kill, "", `{"flags": {"f": {"state": "DISABLED"}}}`},
		"a kill replaces a state of another kind":  {`{"flags": {"f": {"state": {"x": [1]}, "a": 1}}}`, sources.Kill, "", `{"flags": {"f": {"state": "DISABLED", "a": 1}}}`},
		"a ramp replaces two numbers":              {twoSpacesSplit, sources.Ramp, "50", strings.NewReplacer("25", "50", "75", "50").Replace(twoSpacesSplit)},
		"a ramp to tenths widens both":             {twoSpacesSplit, sources.Back, "12.5", strings.NewReplacer("25", "125", "75", "875").Replace(twoSpacesSplit)},
		"a ramp to thousandths widens both":        {twoSpacesSplit, sources.Back, "0.001", strings.NewReplacer("25", "1", "75", "99999").Replace(twoSpacesSplit)},
		"a ramp to 0 keeps the split":              {twoSpacesSplit, sources.Back, "0", strings.NewReplacer("25", "0", "75", "100").Replace(twoSpacesSplit)},
		"a ramp gives the shorthand its weights":   {strings.NewReplacer(", 25", "", ", 75", "").Replace(twoSpacesSplit), sources.Back, "25", twoSpacesSplit},
		"a ramp heals a sum that is not 100":       {strings.Replace(twoSpacesSplit, "75", "3", 1), sources.Set, "25", twoSpacesSplit},
		"an equal share leaves the weights":        {strings.NewReplacer("25", "1", "75", "3").Replace(twoSpacesSplit), sources.Set, "25", strings.NewReplacer("25", "1", "75", "3").Replace(twoSpacesSplit)},
		"a ramp revives in the same write":         {strings.Replace(twoSpacesSplit, "ENABLED", "DISABLED", 1), sources.Ramp, "50", strings.NewReplacer("25", "50", "75", "50").Replace(twoSpacesSplit)},
		"a switch that was killed is revived":      {strings.Replace(minified, "ENABLED", "DISABLED", 1), sources.Set, "0", minified},
		"the side that counts may stand second":    {strings.NewReplacer(`"on", 25`, `"off", 75`, `"off", 75`, `"on", 25`).Replace(twoSpacesSplit), sources.Ramp, "40", strings.NewReplacer(`"on", 25`, `"off", 60`, `"off", 75`, `"on", 40`).Replace(twoSpacesSplit)},
		"a kill of a list's flag":                  {`{"flags": [{"key": "e", "state": "ENABLED"}, {"state": "ENABLED", "key": "f"}]}`, sources.Kill, "", `{"flags": [{"key": "e", "state": "ENABLED"}, {"state": "DISABLED", "key": "f"}]}`},
		"unknown fields and evaluators are spared": {`{"$evaluators": {"a": {"if": [1]}}, "flags": {"e": 7, "f": {"x-note": [1, {"state": "ENABLED"}], "state" :  "ENABLED" }}, "x": 1e-7}`, sources.Kill, "", `{"$evaluators": {"a": {"if": [1]}}, "flags": {"e": 7, "f": {"x-note": [1, {"state": "ENABLED"}], "state" :  "DISABLED" }}, "x": 1e-7}`},
		"an escaped key is found":                  {`{"flags": {"\u0066": {"st\u0061te": "ENABLED", ` + onOff + `}}}`, sources.Kill, "", `{"flags": {"\u0066": {"st\u0061te": "DISABLED", ` + onOff + `}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.after, changed(t, c.before, c.kind, c.to))
		})
	}
}

func TestAChangeThatChangesNothingWritesNothingAndSaysSo(t *testing.T) {
	t.Parallel()
	path := file(t, shop)
	commits := 0
	got, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{
		ID: "1", Flag: id("checkout-v2"), Kind: sources.Set, To: sources.Pct(25),
		Commit: func(sources.Planned) error { commits++; return nil },
	})
	require.NoError(t, err)
	require.Equal(t, "nothing to change: checkout-v2 is 25% already", got.Warning)
	require.Equal(t, 1, commits)
	require.Equal(t, shop, content(t, path))
}

func TestUndoRefusesWhatWouldNotFit(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"nothing": "", "two values": "{} {}", "half a value": `{"a":`, "an injected flag": `{}, "g": {}`, "white space around": " {} ",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, shop)
			_, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id("dark-mode"), Kind: sources.Undo, Restore: []byte(raw)})
			require.ErrorIs(t, err, sources.ErrInvalid)
			require.Equal(t, shop, content(t, path))
		})
	}
}

func TestAConflictNamesWhatIsThereNow(t *testing.T) {
	t.Parallel()
	_, err := flagd.New("prod", file(t, shop)).Apply(context.Background(), sources.Change{ID: "1", Flag: id("checkout-v2"), Kind: sources.Ramp, To: sources.Pct(50), Seen: "0123456789abcdef"})
	require.ErrorIs(t, err, sources.ErrConflict)
	require.Contains(t, err.Error(), "checkout-v2 has changed since you saw it and is 25% now, nothing was written")
}

func TestAnUnknownKindIsRefused(t *testing.T) {
	t.Parallel()
	_, err := flagd.New("prod", file(t, shop)).Apply(context.Background(), sources.Change{ID: "1", Flag: id("checkout-v2"), Kind: sources.Edited})
	require.ErrorIs(t, err, sources.ErrUnsupported)
}
