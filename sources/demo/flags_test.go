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
	"relctl-tui/sources/flagdef"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/sourcetest"
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
	require.Len(t, doc.Flags, 25)
	linked := map[string]bool{}
	for key, f := range doc.Flags {
		require.NotEmpty(t, f.Metadata["description"], key)
		require.NotEmpty(t, f.Metadata["owner"], key)
		if l := f.Metadata["relctl.latency"]; l != "" {
			require.True(t, names[l], "%s links to %s", key, l)
			linked[l] = true
		}
	}
	require.Len(t, linked, len(names)-1, "each latency has a flag, but for the old side of the migration")
}

func TestTheBoardReadsTheDefaultFlagsAsTheyAreMeant(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "demo.flagd.json")
	require.NoError(t, os.WriteFile(path, demo.DefaultFlags(), 0o600))
	set, err := flagd.New("demo", path).Flags(t.Context())
	require.NoError(t, err)
	require.Empty(t, set.Warnings)
	brief := map[string]string{}
	for i := range set.Flags {
		brief[set.Flags[i].ID.Key] = set.Flags[i].Brief()
	}
	require.Equal(t, map[string]string{
		"checkout-v2": "0%", "express-shipping": "5%", "gift-cards": "1%", "guest-checkout": "100%", "one-click-reorder": "50%",
		"address-autocomplete": "25%", "buy-button-copy": "custom", "saved-cards": "100%", "wallet-pay": "50%",
		"payment-retries": "100%", "fraud-scoring": "100%", "three-ds-frictionless": "25%", "invoice-pdf-v2": "5%",
		"price-cache": "100%", "search-ranking": "25%", "recommendations": "50%", "stock-reservations": "100%",
		"async-stock-updates": "5%", "backorder-badges": "1%", "read-replicas": "killed", "pooled-statements": "100%",
		"email-receipts": "100%", "loyalty-points": "50%", "partner-portal": "custom", demo.OrdersFlag: "custom",
	}, brief)
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
	node, dir := sourcetest.Judge(t)
	cmd := exec.CommandContext(t.Context(), node, "-e", judge)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(string(in))
	raw, err := cmd.Output()
	require.NoError(t, err)
	var got struct {
		Flags map[string][]string `json:"flags"`
		Said  []string            `json:"said"`
	}
	require.NoError(t, json.Unmarshal(raw, &got))
	require.Empty(t, got.Said, "flagd has nothing to complain of")
	require.Len(t, got.Flags, 25)

	e, err := flagdef.NewEvaluator(demo.DefaultFlags())
	require.NoError(t, err)
	for key, verdicts := range got.Flags {
		for i, user := range users {
			r := e.Evaluate(key, user, map[string]any{"email": user + "@example.org"})
			require.Equal(t, verdicts[i], r.Variant+"/"+r.Reason, "%s for %s", key, user)
		}
	}
}
