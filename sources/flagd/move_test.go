package flagd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/sourcetest"
)

// staged is ways to write a migration's definition, by what is odd about them.
func staged() map[string]string {
	const stages = `{"off": "off", "dualwrite": "dualwrite", "shadow": "shadow", "live": "live", "rampdown": "rampdown", "complete": "complete"}`
	return map[string]string{
		"cohorts":  sourcetest.Staged,
		"plain":    `{"state": "ENABLED", "variants": ` + stages + `, "defaultVariant": "off"}`,
		"minified": `{"state":"ENABLED","variants":` + strings.ReplaceAll(stages, " ", "") + `,"defaultVariant":"shadow","targeting":{"fractional":[["off",1],["live",1]]}}`,
		"without a default": `{
    "state": "ENABLED",
    "variants": ` + stages + `,
    "targeting": {"fractional": [["shadow", 1], ["live", 1]]}
  }`,
		"default null":   `{"state": "ENABLED", "variants": ` + stages + `, "defaultVariant": null}`,
		"three cohorts":  `{"state": "ENABLED", "variants": ` + stages + `, "defaultVariant": "off", "targeting": {"fractional": [["off", 50], ["dualwrite", 30], ["shadow", 20]]}}`,
		"rules":          `{"state": "ENABLED", "variants": ` + stages + `, "defaultVariant": "off", "targeting": {"if": [{"ends_with": [{"var": "email"}, "7@example.com"]}, "live", "shadow"]}}`,
		"killed":         `{"state": "DISABLED", "variants": ` + stages + `, "defaultVariant": "off", "targeting": {"fractional": [["shadow", 90], ["live", 10]]}}`,
		"numbers":        `{"state": "ENABLED", "variants": {"off": "0", "dualwrite": "1", "shadow": "2", "live": "3", "rampdown": "4", "complete": "5"}, "defaultVariant": "off"}`,
		"targeting null": `{"state": "ENABLED", "variants": ` + stages + `, "defaultVariant": "off", "targeting": null}`,
	}
}

func TestAMoveIsServedToEveryUserByFlagdItselfAndUndoneByteForByte(t *testing.T) {
	t.Parallel()
	node, modules := sourcetest.Judge(t)
	var ask struct {
		Files []string `json:"files"`
		Flag  string   `json:"flag"`
		Users int      `json:"users"`
	}
	var wanted []string
	ask.Flag, ask.Users = "f", 500
	for name, def := range staged() {
		start := `{"flags": {"a": {}, "f": ` + def + `, "z": {}}}`
		if name == "minified" {
			start = strings.ReplaceAll(start, ": ", ":")
		}
		start = strings.NewReplacer(`"a": {}, `, "", `, "z": {}`, "", `"a":{}, `, "", `, "z":{}`, "").Replace(start)
		for _, stage := range sources.DefaultStages() {
			path := file(t, start)
			s := flagd.New("prod", path)
			got, err := s.Apply(context.Background(), sources.Change{ID: "m", Flag: id("f"), Kind: sources.Move, Variant: stage})
			require.NoError(t, err, "%s to %s", name, stage)
			require.Equal(t, []sources.Share{{Variant: stage, Of: sources.Full}}, got.New.Serves, name)
			ask.Files, wanted = append(ask.Files, file(t, content(t, path))), append(wanted, stage)
			_, err = s.Apply(context.Background(), sources.Change{ID: "u", Flag: id("f"), Kind: sources.Undo, Seen: got.New.Revision, Restore: got.Restore})
			require.NoError(t, err)
			require.Equal(t, start, content(t, path), name)
		}
	}
	in, err := json.Marshal(ask)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), node, filepath.Join("testdata", "judge-variants.cjs"))
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"))
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	require.NoError(t, err)
	var counts []map[string]int
	require.NoError(t, json.Unmarshal(out, &counts))
	require.Len(t, counts, len(wanted))
	for i, stage := range wanted {
		require.Equal(t, map[string]int{stage: ask.Users}, counts[i], "%s: %s", stage, content(t, ask.Files[i]))
	}
}

func TestAMoveTouchesNothingButTheTwoValues(t *testing.T) {
	t.Parallel()
	path := file(t, "{\"flags\": {\n  \"other\":   {\"state\":\"ENABLED\",\"variants\":{\"on\":true,\"off\":false},\"defaultVariant\":\"off\"},\n  \"f\": "+sourcetest.Staged+"\n}}\n")
	before := content(t, path)
	_, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "m", Flag: id("f"), Kind: sources.Move, Variant: "shadow"})
	require.NoError(t, err)
	want := strings.Replace(before, `"defaultVariant": "off", "targeting": {"fractional": [["shadow", 90], ["live", 10]]}`, `"defaultVariant": "shadow", "targeting": {}`, 1)
	require.NotEqual(t, before, want)
	require.Equal(t, want, content(t, path))
}

func TestAMoveToNoVariantIsRefusedAndWritesNothing(t *testing.T) {
	t.Parallel()
	for name, def := range map[string]string{
		"booleans":        enabled(onOff),
		"no such variant": `{"state": "ENABLED", "variants": {"a": "a", "b": "b", "c": "c"}, "defaultVariant": "a"}`,
		"two read alike":  "{\"state\": \"ENABLED\", \"variants\": {\"live\\u0007\": \"a\", \"live\\u0008\": \"b\", \"c\": \"c\"}, \"defaultVariant\": \"c\"}",
		"no variants":     `{"state": "ENABLED", "defaultVariant": "a"}`,
	} {
		path := file(t, `{"flags": {"f": `+def+`}}`)
		before := content(t, path)
		for _, to := range []string{"live", "live∙", "on"} {
			_, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "m", Flag: id("f"), Kind: sources.Move, Variant: to})
			require.Error(t, err, "%s to %s", name, to)
		}
		require.Equal(t, before, content(t, path), name)
	}
}
