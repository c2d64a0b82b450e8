package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"relctl-tui/views"
)

const fullConfig = `default: prod
contexts:
  prod:
    accent: red
    confirm: false
    read_only: false
    ladder: [1, 5, 10%, 25, 50, 99.5, 100]
    stale_after: 15s
    unknown_after: 2m
    flags:
      - dsn: flagd:/srv/flags/prod.flagd.json
        name: prod
        read_only: true
        journal: /var/lib/relctl/prod.jsonl
    metrics:
      - dsn: https://prometheus.example
        name: prom
        token_file: /run/secrets/prom
        headers: {X-Scope-OrgID: shop}
        ca_file: ca.pem
        server_name: prom
        timeout: 5s
        every: 10s
        insecure_skip_verify: false
      - {dsn: "https://other.example", username: ana, password: "${PW}"}
    breakers:
      - preset: auto
      - {metric: circuit_state, values: {0: closed, 1: half-open, 2: open}, name_label: name, match: 'job="payment"'}
    latency:
      - {name: payment API, preset: http_server, match: 'job="payment"', slo: 500ms, calls: [database]}
    freeze:
      - {from: "2026-12-18 18:00", to: "2027-01-04 06:00", zone: Europe/Berlin, reason: year-end, override: true}
      - {from: Fri 18:00, to: Mon 06:00, zone: Europe/Berlin, reason: weekend, flags: [checkout-v2], tags: [payments]}
    rules:
      checkout-v2: {ladder: [1, 100], metric: payment API}
    keys: {undo: [u, f2]}
  staging:
keys: {kill: [K, f9], ramp: "+", sort: f5, report: []}
`

func TestAFullConfigIsReadWholly(t *testing.T) {
	t.Parallel()
	cfg, err := decodeConfig("full.yaml", []byte(fullConfig))
	require.NoError(t, err)
	require.NoError(t, cfg.validate())
	prod := cfg.Contexts["prod"]
	require.Equal(t, "red", prod.Accent.S)
	require.Len(t, prod.Ladder, 7)
	require.True(t, prod.Flags[0].ReadOnly)
	require.Equal(t, "flagd:/srv/flags/prod.flagd.json", prod.Flags[0].DSN.S)
	require.Equal(t, pos{11, 14}, prod.Flags[0].DSN.at)
	require.Equal(t, "${PW}", prod.Metrics[1].Password.Reveal())
	require.Equal(t, "half-open", prod.Breakers[1].Values["1"].S)
	require.Equal(t, "database", prod.Latency[0].Calls[0].S)
	require.Equal(t, "payment API", prod.Rules["checkout-v2"].Metric.S)
	require.NotNil(t, cfg.Contexts["staging"])
	keys, err := cfg.keyMap(prod)
	require.NoError(t, err)
	require.Equal(t, []string{"K", "f9"}, keys.Kill.Keys())
	require.Equal(t, []string{"u", "f2"}, keys.Undo.Keys(), "the context's own, over those of the file")
	require.Equal(t, []string{"f5"}, keys.Sort.Keys())
	require.Empty(t, views.KeysOf(keys.Report))
}

func TestAnchorsAndMergesAreFollowed(t *testing.T) {
	t.Parallel()
	cfg, err := decodeConfig("a.yaml", []byte(`contexts:
  a: &base
    confirm: true
    ladder: &l [10, 100]
  b:
    read_only: true
    ladder: [3]
    rules: {x: {ladder: *l}}
    <<: *base
`))
	require.NoError(t, err)
	require.True(t, cfg.Contexts["b"].Confirm)
	require.True(t, cfg.Contexts["b"].ReadOnly)
	require.Len(t, cfg.Contexts["b"].Rules["x"].Ladder, 2)
	require.Len(t, cfg.Contexts["b"].Ladder, 1, "what is written wins over what is merged")
}

func TestAMergeThatNamesItselfEnds(t *testing.T) {
	t.Parallel()
	_, err := decodeConfig("a.yaml", []byte("contexts:\n  a: &a\n    <<: *a\n    confirm: true\n"))
	require.NoError(t, err)
}

func TestEachConfigFaultIsNamedAtItsPlace(t *testing.T) {
	t.Parallel()
	in := func(line string) string { return "contexts:\n  a:\n    " + line + "\n" }
	for _, c := range []struct{ text, want string }{
		{in("ladders: [1]"), `c.yaml:3:5: unknown key "ladders": did you mean "ladder"?`},
		{in("xyz: 1"), `c.yaml:3:5: unknown key "xyz": the keys here are accent, breaker_presets, breakers, confirm, cool_down, deploys, effective_within, filters, flags, freeze, guards, keys, ladder, latency, latency_presets, metrics, motion, mouse, notify, outlets, plain, presence, ramp, read_only, reports, rules, stale_after, theme, title, tour, unknown_after`},
		{in("confirm: maybe"), `c.yaml:3:14: "confirm" wants true or false, not "maybe"`},
		{in("confirm: [true]"), `c.yaml:3:14: "confirm" wants true or false, not a list`},
		{in("flags: {dsn: x}"), `c.yaml:3:12: "flags" wants a list, not keys and values`},
		{in("flags: flagd:x"), `c.yaml:3:12: "flags" wants a list, not "flagd:x"`},
		{in("flags: [{name: x}]"), `c.yaml:3:13: "flags" needs a "dsn"`},
		{in("flags: [flagd:x]"), `c.yaml:3:13: "flags" wants keys and values, not "flagd:x"`},
		{in("accent: [red]"), `c.yaml:3:13: "accent" wants one value, not a list`},
		{in(`accent: "a\nb"`), `c.yaml:3:13: "accent": holds a line break or another control character`},
		{in("metrics: [{dsn: 'http://p', window: 2h}]"), `c.yaml:3:41: window 2h0m0s is outside 2s..1h`},
		{in("metrics: [{dsn: 'alertmanager+http://p', window: 5m}]"), `c.yaml:3:54: a window belongs to what has rates: a Prometheus or a scraped page`},
		{in("freeze: [{from: Fri 18:00, to: Mon 06:00, zone: Europe/Berlin}]"), `c.yaml:3:14: "freeze" needs a "reason"`},
		{in("freeze: [{from: Fri 18:00, to: Mon 06:00, reason: x, zone: Mars/Base}]"), `c.yaml:3:64: unknown time zone "Mars/Base": write one such as Europe/Berlin, America/New_York or UTC`},
		{in("freeze: [{from: Fri 18:00, to: 06:00, reason: x, zone: UTC}]"), `c.yaml:3:21: freeze: from and to are of two kinds: write both with a date, both with a day of the week, or both as a time of day`},
		{in("freeze: [{from: 25:00, to: 06:00, reason: x, zone: UTC}]"), `c.yaml:3:21: freeze: from: "25:00" is no end of a window: write "2026-12-18 18:00", "Fri 18:00" or "18:00"`},
		{in("freeze: [{from: 2026-12-18 18:00, to: 2026-12-01 18:00, reason: x, zone: UTC}]"), `c.yaml:3:21: freeze: it ends before it begins`},
		{in("deploys: [{metric: 'kube pod'}]"), `c.yaml:3:24: deploys: "kube pod" is no metric name`},
		{in("deploys: [{metric: app_build_info}]"), `c.yaml:3:24: deploys: app_build_info is read anyway, leave it out`},
		{in("keys: {kil: x}"), `c.yaml:3:12: "keys": there is no "kil": did you mean "kill"?`},
		{in("keys: {kill: [K, x]}"), `c.yaml:3:22: keys: x is bound to kill and to report: give one of them another key, or none with report: []`},
		{in("keys: {kill: j}"), `c.yaml:3:18: keys: kill may not be on j: a hand rests on that key or holds it down`},
		{in("keys: {help: []}"), `c.yaml:3:18: keys: help needs a key: a board without it is a trap`},
		{in("keys: {kill: {a: b}}"), `c.yaml:3:18: "kill" wants one value, not keys and values`},
		{in("keys: {kill: f99}"), `c.yaml:3:18: keys: "f99" is no key: write one character, such as K, or a name, such as f9, ctrl+x, alt+x, shift+tab, enter, space, up, pgdown`},
		{"keys: {sort: [f5, f5]}\ncontexts: {a: {}}", `c.yaml:1:19: keys: f5 is written twice for sort`},
		{in("filters: {mine: 'rollout>x'}"), `c.yaml:3:21: the filter "mine": rollout>: write a number from 0 to 100`},
		{in("filters: {mine: 'checkout state:rampnig'}"), `c.yaml:3:21: the filter "mine": no flag is ever "rampnig": did you mean state:ramping?`},
		{in("filters: {mine: '!state:xyz'}"), `c.yaml:3:21: the filter "mine": no flag is ever "xyz": the states are broken, custom, killed, off, on, ramping`},
		{in("filters: {mine: ''}"), `c.yaml:3:21: the filter "mine" is empty`},
		{in("filters: {' x': kill}"), `c.yaml:3:21: " x" is no name for a filter: up to 40 plain characters`},
		{in("accent: rde"), `c.yaml:3:13: unknown accent "rde": did you mean "red"?`},
		{in("confirm: true\n    confirm: false"), `c.yaml:4:5: key "confirm" is written twice, first in line 3`},
		{in("ladder: [5, 1]"), `c.yaml:3:17: ladder steps must ascend: 1 follows 5`},
		{in("ladder: [0, 1]"), `c.yaml:3:14: ladder step 0 is no step: start above 0`},
		{in("ladder: [1, 200]"), `c.yaml:3:17: "ladder": "200" is no step: write percents above 0 and up to 100`},
		{in("ladder: [-5]"), `c.yaml:3:14: "ladder": "-5" is no step: write percents above 0 and up to 100`},
		{in("stale_after: 5"), `c.yaml:3:18: "stale_after": "5" is no duration: write a number above 0 and a unit, such as 500ms, 15s or 2m`},
		{in("stale_after: -5s"), `c.yaml:3:18: "stale_after": "-5s" is no duration: write a number above 0 and a unit, such as 500ms, 15s or 2m`},
		{in("stale_after: 5m\n    unknown_after: 1m"), `c.yaml:4:20: "unknown_after" must be longer than "stale_after" (5m0s)`},
		{in("flags: [{dsn: flags.json}]"), `c.yaml:3:19: "flags.json" has no scheme: write flagd:/path/to/flags.flagd.json`},
		{in(`flags: [{dsn: "flagd:"}]`), `c.yaml:3:19: flagd: names no file: write flagd:/path/to/flags`},
		{in(`flags: [{dsn: "consul://h/p"}]`), `c.yaml:3:19: unknown scheme "consul": known are ` + strings.Join(schemes(""), ", ")},
		{in(`flags: [{dsn: "https://h"}]`), `c.yaml:3:19: https: does not serve flags: write flagd:/path/to/flags.flagd.json`},
		{in(`metrics: [{dsn: "https://"}]`), `c.yaml:3:21: "https://" is no URL: write https://prometheus.example or scrape+http://host:port/metrics`},
		{in(`metrics: [{dsn: "https://h", token: a, token_file: b}]`), `c.yaml:3:21: give one of token, token_file and username, not several`},
		{in(`metrics: [{dsn: "https://h", headers: hunter2}]`), `c.yaml:3:43: "headers" wants keys and values, not one value`},
		{in(`metrics: [{dsn: "https://h", password: a}]`), `c.yaml:3:21: a password needs a username`},
		{in(`flags: [{dsn: "haproxy+tcp://h:9", token: a}]`), `c.yaml:3:19: haproxy+tcp: asks for no token, password or certificate: remove them, so that nobody takes it for protected by them`},
		{in(`flags: [{dsn: "flagd:/f", username: a}]`), `c.yaml:3:19: flagd: asks for no token, password or certificate: remove them, so that nobody takes it for protected by them`},
		{in(`metrics: [{dsn: "https://h", cert_file: a}]`), `c.yaml:3:21: cert_file and key_file go together`},
		{in("latency: [{name: x, preset: http_servr}]"), `c.yaml:3:33: unknown preset "http_servr": did you mean "http_server"?`},
		{in("latency: [{name: x}, {name: x}]"), `c.yaml:3:33: latency "x" is there twice`},
		{in("breakers: [{preset: resilience}]"), `c.yaml:3:25: unknown preset "resilience": did you mean "resilience4j"?`},
		{in("breakers: [{metric: m, values: {0: opne}}]"), `c.yaml:3:40: unknown breaker state "opne": did you mean "open"?`},
		{in("rules: {checkout: {ladder: [2, 2]}}"), `c.yaml:3:36: ladder steps must ascend: 2 follows 2`},
		{"default: prd\ncontexts: {prod: , staging: }\n", `c.yaml:1:10: default: no context "prd": did you mean "prod"?`},
		{"default: qqqqq\ncontexts: {prod: , staging: }\n", `c.yaml:1:10: default: no context "qqqqq": the contexts are prod, staging`},
		{"", `c.yaml: no contexts: write at least one under "contexts", relctl-tui config init shows how`},
		{"[]", `c.yaml:1:1: wants keys and values, not a list`},
		{"contexts: {a: *nope}", `c.yaml:1:15: the alias "*nope" has no anchor`},
		{"contexts: {}\n---\ncontexts: {}\n", `c.yaml: holds several YAML documents: keep one`},
	} {
		cfg, err := decodeConfig("c.yaml", []byte(c.text))
		if err == nil {
			err = cfg.validate()
		}
		require.EqualError(t, err, c.want, c.text)
		require.Equal(t, exitUsage, exitCode(err))
	}
}

func TestTheFirstFaultInTheFileIsTold(t *testing.T) {
	t.Parallel()
	for range 20 {
		_, err := decodeConfig("c.yaml", []byte("defalt: x\ncontexts:\n  a:\n    zzz: 1\n    acent: red\n"))
		require.EqualError(t, err, `c.yaml:1:1: unknown key "defalt": did you mean "default"?`)
	}
}

func TestHostileConfigKeysAreCleaned(t *testing.T) {
	t.Parallel()
	_, err := decodeConfig("c.yaml", []byte("\"\\e[31mred\\u202E\": 1\n"))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "\x1b")
	require.NotContains(t, err.Error(), "\u202e")
}

func TestEnvironmentVariablesAreExpanded(t *testing.T) {
	t.Parallel()
	lookup := func(name string) (string, bool) {
		v, ok := map[string]string{"HOST": "prom.example", "EMPTY": ""}[name]
		return v, ok
	}
	for _, c := range []struct{ in, want, err string }{
		{in: "https://${HOST}/x", want: "https://prom.example/x"},
		{in: "${HOST:-other}", want: "prom.example"},
		{in: "${NOPE:-other}", want: "other"},
		{in: "${EMPTY:-other}", want: "other"},
		{in: "${EMPTY}", want: ""},
		{in: "${NOPE:-}", want: ""},
		{in: "a$$b$${HOST}", want: "a$b${HOST}"},
		{in: "$HOST stays", want: "$HOST stays"},
		{in: "${NOPE}", err: "environment variable NOPE is not set"},
		{in: "${a b}", err: `"${a b}" is no reference to a variable: write ${NAME} or ${NAME:-default}, or $$ for a dollar`},
	} {
		got, err := expandEnv(c.in, lookup)
		if c.err != "" {
			require.EqualError(t, err, c.err, c.in)
			continue
		}
		require.NoError(t, err, c.in)
		require.Equal(t, c.want, got, c.in)
	}
}

func TestAnUnsetVariableIsNamedAtItsPlaceAndOnlyForTheContextThatIsOpened(t *testing.T) {
	t.Parallel()
	cfg, err := decodeConfig("c.yaml", []byte(`contexts:
  a: {metrics: [{dsn: "http://h", token: "${SURELY_NOT_SET_A}"}]}
  b: {metrics: [{dsn: "http://h", token: "${T}"}]}
`))
	require.NoError(t, err)
	set := func(name string) (string, bool) { return "hunter2", name == "T" }
	require.NoError(t, cfg.Contexts["b"].expand("c.yaml", set))
	require.Equal(t, "hunter2", cfg.Contexts["b"].Metrics[0].Token.Reveal())
	require.NoError(t, cfg.Contexts["a"].expand("c.yaml", set), "what only measures keeps nobody from a kill")
	require.Equal(t, []string{`c.yaml:2:42: "token": environment variable SURELY_NOT_SET_A is not set`}, cfg.Contexts["a"].lacking())
	require.Empty(t, cfg.Contexts["b"].lacking())
}

func TestASecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	s := Secret{s: "hunter2"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		require.NotContains(t, fmt.Sprintf(verb, s), "hunter2")
		require.NotContains(t, fmt.Sprintf(verb, &s), "hunter2")
		require.NotContains(t, fmt.Sprintf(verb, FlagsConfig{ClientToken: s, AccessConfig: AccessConfig{Token: s, Headers: map[string]Secret{"h": s}}}), "hunter2", verb)
	}
	b, err := json.Marshal(map[string]Secret{"s": s})
	require.NoError(t, err)
	require.NotContains(t, string(b), "hunter2")
}

func TestNamesOfSourcesAreDerivedAndUnique(t *testing.T) {
	t.Parallel()
	names := uniqueNames{}
	for _, c := range []struct{ dsn, kind, want string }{
		{"flagd:/srv/prod.flagd.json", "flags", "prod.flagd.json"},
		{"flagd:other/prod.flagd.json", "flags", "prod.flagd.json-2"},
		{"https://prometheus.example", "metrics", "prometheus.example"},
		{"scrape+http://h:9400/metrics", "metrics", "h:9400"},
	} {
		d, err := parseDSN(c.dsn, c.kind)
		require.NoError(t, err)
		require.Equal(t, c.want, names.take(d.sourceName()))
	}
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := configSchema()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("config.json", doc))
	s, err := c.Compile("config.json")
	require.NoError(t, err)
	return s
}

func asJSON(t *testing.T, text string) any {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	return doc
}

func TestTheSchemaAcceptsWhatTheDecoderAcceptsAndNothingMisspelt(t *testing.T) {
	t.Parallel()
	s := compiledSchema(t)
	require.NoError(t, s.Validate(asJSON(t, fullConfig)))
	require.NoError(t, s.Validate(asJSON(t, string(configStarter))))
	for _, bad := range []string{
		"contexts: {a: {ladders: [1]}}", "contexts: {a: {ladder: [200]}}", "contexts: {a: {confirm: maybe}}",
		"contexts: {a: {flags: [{name: x}]}}", "contexts: {a: {stale_after: 5}}", "contexts: {a: {accent: rde}}", "keys: {kil: K}", "keys: {kill: {K: 1}}",
	} {
		require.Error(t, s.Validate(asJSON(t, bad)), bad)
	}
}

func TestEveryKeyIsInTheSchemaWithAWordAboutIt(t *testing.T) {
	t.Parallel()
	raw, err := configSchema()
	require.NoError(t, err)
	var schema map[string]any
	require.NoError(t, json.Unmarshal(raw, &schema))
	keys := map[string]bool{}
	var walk func(node map[string]any)
	walk = func(node map[string]any) {
		if props, ok := node["properties"].(map[string]any); ok {
			for key, p := range props {
				require.NotEmpty(t, p.(map[string]any)["description"], key)
				keys[key] = true
			}
		}
		for _, v := range node {
			if m, ok := v.(map[string]any); ok {
				walk(m)
			}
		}
	}
	walk(schema)
	want := map[string]bool{}
	for _, name := range views.ActionNames() {
		want[name] = true
	}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[Config](), reflect.TypeFor[ContextConfig](), reflect.TypeFor[FlagsConfig](), reflect.TypeFor[VerifyConfig](), reflect.TypeFor[AccessConfig](),
		reflect.TypeFor[MetricsConfig](), reflect.TypeFor[BreakerConfig](), reflect.TypeFor[DeployConfig](), reflect.TypeFor[LatencyConfig](), reflect.TypeFor[RuleConfig](), reflect.TypeFor[MigrationConfig](), reflect.TypeFor[MismatchConfig](), reflect.TypeFor[GuardConfig](), reflect.TypeFor[RampConfig](), reflect.TypeFor[FreezeConfig](), reflect.TypeFor[OutletConfig](),
	} {
		for i := range typ.NumField() {
			if f := typ.Field(i); f.IsExported() && !f.Anonymous {
				require.NotEmpty(t, f.Tag.Get("yaml"), f.Name)
				want[f.Tag.Get("yaml")] = true
			}
		}
	}
	require.Equal(t, want, keys)
}

func TestTheStarterConfigIsValid(t *testing.T) {
	t.Parallel()
	cfg, err := decodeConfig("config.yaml", configStarter)
	require.NoError(t, err)
	require.NoError(t, cfg.validate())
}

func TestConfigInitWritesOnceAndConfigCheckReadsIt(t *testing.T) {
	t.Parallel()
	env := cleanEnv(t)
	r := runIn(t, env, "config", "init")
	require.Zero(t, r.code, r.stderr)
	r = runIn(t, env, "config", "check")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "context prod, default")
	r = runIn(t, env, "flags")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "my-first-flag")
	r = runIn(t, env, "config", "init")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stderr, "is left as it is")
	r = runIn(t, env, "config", "schema")
	require.Zero(t, r.code)
	require.True(t, json.Valid([]byte(r.stdout)))
}

func TestANameThatIsNoneOfTheLatenciesIsWarnedAboutAndWhereTheyComeByThemselvesNothingIsSaid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	wrong := `guards: [{preset: p99, of: payment APl, max: 1s}, {preset: breaker, of: ledger}]
    rules: {checkout-v2: {metric: Payment API, guards: [{preset: error_ratio, of: nothing alike, max: 2%}]}}`
	named := `
    latency: [{name: payment API, calls: [databse]}, {name: database}]`
	config := configOf(t, b, wrong+named)
	var said []string
	for _, s := range []string{
		`:4:32: "payment APl" is none of the latencies here; did you mean "payment API"?`,
		`:5:35: "Payment API" is none of the latencies here; did you mean "payment API"?`,
		`:5:83: "nothing alike" is none of the latencies here`,
		`:6:43: "databse" is none of the latencies here; did you mean "database"?`,
	} {
		said = append(said, "warning: "+config+s)
	}
	r := runIn(t, b.env, "config", "check", config)
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, "relctl-tui: "+strings.Join(said, "\nrelctl-tui: ")+"\n", r.stderr)
	r = runIn(t, b.env, "doctor", "--config", config)
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "config   "+strings.Join(said, "\nconfig   ")+"\n")
	require.NotContains(t, runIn(t, b.env, "status", "--config", config).stderr, "warning")

	require.Empty(t, runIn(t, b.env, "config", "check", configOf(t, b, wrong)).stderr)
}

func TestConfigInitLeavesFlagsThatAreThereAsTheyAre(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	flags, config := filepath.Join(dir, "prod.flagd.json"), filepath.Join(dir, "config.yaml")
	r := runIn(t, cleanEnv(t), "config", "init", config)
	require.Contains(t, r.stdout, "and example flags beside it in prod.flagd.json")
	require.FileExists(t, flags)
	require.NoError(t, os.Remove(config))
	require.NoError(t, os.WriteFile(flags, []byte(twoFlags), 0o600))
	r = runIn(t, cleanEnv(t), "config", "init", config)
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "prod.flagd.json, which was there and is left as it is")
	require.Equal(t, twoFlags, read(t, flags))
}

func TestAConfigWithSecretsThatOthersCanReadIsWarnedAboutAndNeverPrinted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.yaml")
	text := `contexts: {a: {metrics: [{dsn: "http://127.0.0.1:1", token: hunter2, headers: {X-Key: swordfish}}]}}`
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	for _, args := range [][]string{{"config", "check", path}, {"--config", path, "latency"}, {"--config", path, "status", "-o", "json"}} {
		r := runIn(t, cleanEnv(t), args...)
		require.Contains(t, r.stderr, "holds a secret and others may read it", args)
		require.NotContains(t, r.stdout+r.stderr, "hunter2")
		require.NotContains(t, r.stdout+r.stderr, "swordfish")
	}
	require.NoError(t, os.Chmod(path, 0o600))
	r := runIn(t, cleanEnv(t), "config", "check", path)
	require.NotContains(t, r.stderr, "others may read")
}

func TestAPasswordOnTheCommandLineIsRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"http://ana:hunter2@h", "scrape+http://ana:hunter2@h/metrics", "hunter2@h"} {
		r := runIn(t, cleanEnv(t), "latency", "--metrics", dsn)
		require.Equal(t, exitUsage, r.code)
		require.NotContains(t, r.stderr, "hunter2")
	}
}

func FuzzAnyConfigIsReadOrRefusedInOneCleanLine(f *testing.F) {
	for _, seed := range []string{fullConfig, string(configStarter), "a: *b", "a: &a [*a]", "<<: {a: 1}", "? [a]: b", "\x00", "contexts: {a: !!binary x}", "contexts:\n  ? a\n  : b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := decodeConfig("c.yaml", data)
		if err == nil {
			err = cfg.validate()
		}
		if err != nil {
			require.NotContains(t, err.Error(), "\x1b")
			require.NotContains(t, err.Error(), "\n")
			require.Equal(t, exitUsage, exitCode(err))
		}
	})
}
