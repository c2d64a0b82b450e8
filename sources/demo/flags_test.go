package demo_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/demo"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/metrics"
)

func TestTheLatencyRulesNameEveryLatencyThatAFlagIsLinkedTo(t *testing.T) {
	t.Parallel()
	_, err := metrics.Config{Latency: demo.LatencyRules()}.Compile()
	require.NoError(t, err)
	names := map[string]bool{}
	for _, r := range demo.LatencyRules() {
		names[r.Name] = true
	}
	for _, r := range demo.LatencyRules() {
		for _, callee := range r.Calls {
			require.True(t, names[callee], callee)
		}
	}
	var doc struct {
		Flags map[string]struct {
			Metadata map[string]string `json:"metadata"`
		} `json:"flags"`
	}
	require.NoError(t, json.Unmarshal(demo.DefaultFlags(), &doc))
	require.Len(t, doc.Flags, 24)
	linked := map[string]bool{}
	for key, f := range doc.Flags {
		require.NotEmpty(t, f.Metadata["description"], key)
		require.NotEmpty(t, f.Metadata["owner"], key)
		if l := f.Metadata["relctl.latency"]; l != "" {
			require.True(t, names[l], "%s links to %s", key, l)
			linked[l] = true
		}
	}
	require.Len(t, linked, len(names), "each latency has a flag")
}

func TestTheCallerOwnsTheDefaultFlags(t *testing.T) {
	t.Parallel()
	was := demo.DefaultFlags()
	clear(demo.DefaultFlags())
	require.Equal(t, was, demo.DefaultFlags())
}

const judge = `
const {FlagdCore} = require("@openfeature/flagd-core");
const said = [];
const log = {debug: (...a) => said.push(a.join(" ")), info(){}, warn: (...a) => said.push(a.join(" ")), error: (...a) => said.push(a.join(" "))};
const {doc, users} = JSON.parse(require("fs").readFileSync(0, "utf8"));
const core = new FlagdCore(undefined, log);
core.setConfigurations(doc);
const flags = {};
for (const [key, f] of core.getFlags()) {
  flags[key] = f.state === "DISABLED" ? users.map(() => "/DISABLED")
    : users.map(u => { const r = f.evaluate({targetingKey: u, email: u + "@example.org"}, log); return (r.variant ?? "") + "/" + r.reason; });
}
console.log(JSON.stringify({flags, said}));
`

// TestFlagdTakesEveryDefaultFlagAndServesWhatTheFleetServes holds the demo's
// file and bucketing against flagd's own evaluation, user by user.
func TestFlagdTakesEveryDefaultFlagAndServesWhatTheFleetServes(t *testing.T) {
	t.Parallel()
	traffic := demo.NewTraffic(1)
	users := make([]string, 2000)
	for i := range users {
		users[i] = traffic.Next().User
	}
	in, err := json.Marshal(map[string]any{"doc": string(demo.DefaultFlags()), "users": users})
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "node", "-e", judge)
	cmd.Dir, cmd.Stdin = judgeDir(t), strings.NewReader(string(in))
	raw, err := cmd.Output()
	require.NoError(t, err)
	var got struct {
		Flags map[string][]string `json:"flags"`
		Said  []string            `json:"said"`
	}
	require.NoError(t, json.Unmarshal(raw, &got))
	require.Empty(t, got.Said, "flagd has nothing to complain of")
	require.Len(t, got.Flags, 24)

	e, err := flagd.NewEvaluator(demo.DefaultFlags())
	require.NoError(t, err)
	foreign := 0
	for key, verdicts := range got.Flags {
		if r := e.Evaluate(key, users[0], nil); r.Err != nil {
			require.ErrorContains(t, r.Err, "not evaluated here", key)
			foreign++
			continue
		}
		for i, user := range users {
			r := e.Evaluate(key, user, nil)
			require.Equal(t, verdicts[i], r.Variant+"/"+r.Reason, "%s for %s", key, user)
		}
	}
	require.Equal(t, 1, foreign, "only the flag with custom targeting is not evaluated")
}

// judgeDir is where flagd's own evaluation is installed.
func judgeDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("RELCTL_JUDGE_DIR")
	if dir == "" {
		root, err := filepath.Abs("../..")
		require.NoError(t, err)
		dir = filepath.Join(root, ".ci", "judge")
	}
	_, err := os.Stat(filepath.Join(dir, "node_modules", "@openfeature", "flagd-core"))
	if err == nil {
		_, err = exec.LookPath("node")
	}
	if err == nil {
		return dir
	}
	const how = "flagd's own evaluation is not installed; run: npm install --prefix .ci/judge --no-package-lock"
	if os.Getenv("RELCTL_REQUIRE_REAL") == "1" {
		t.Fatal(how)
	}
	t.Skip(how)
	return ""
}
