package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const twoFlags = `{
  "flags": {
    "checkout-v2": {
      "state": "ENABLED",
      "variants": {"on": true, "off": false},
      "defaultVariant": "off",
      "targeting": {"fractional": [["on", 25], ["off", 75]]}
    },
    "pricing": { "state": "ENABLED", "variants": {"a": 1, "b": 2, "c": 3}, "defaultVariant": "a",
      "targeting": {"fractional": [["a", 40], ["b", 30], ["c", 30]]} },
    "gone": { "state": "DISABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on" },
    "steady": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}
  }
}
`

// bench is one flag file and a place of its own to run in.
type bench struct {
	t    testing.TB
	env  []string
	path string
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, env: append(cleanEnv(t), "RELCTL_ACTOR=ana"), path: filepath.Join(t.TempDir(), "prod.flagd.json")}
	require.NoError(t, os.WriteFile(b.path, []byte(twoFlags), 0o644))
	return b
}

func (b *bench) run(args ...string) result {
	b.t.Helper()
	return runIn(b.t, b.env, append([]string{"--flags", "flagd:" + b.path}, args...)...)
}

func (b *bench) file() string {
	b.t.Helper()
	raw, err := os.ReadFile(b.path)
	require.NoError(b.t, err)
	return string(raw)
}

// strictly decodes exactly one JSON document without unknown fields.
func strictly(t testing.TB, text string, into any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(into), text)
	require.False(t, dec.More())
}

type flagsDoc struct {
	Flags []struct {
		Source, Key, State, Variant, Revision, Note, Metric, Owner string
		Rollout, Exposure                                          *float64
		Stored                                                     *float64   `json:"stored_rollout"`
		ChangedAt                                                  *time.Time `json:"changed_at"`
		ChangedBy                                                  string     `json:"changed_by"`
		Stale, Killed                                              bool
		Stage                                                      *string
		Stages                                                     []struct {
			Name  string
			Share *float64
		}
	}
}

type changeDoc struct {
	ID, Kind, Source, Key, Actor, Reason, Old, New, Outcome, Error, Warning string
	At                                                                      time.Time
	Accepted                                                                *time.Time `json:"accepted_at"`
	Reread                                                                  *time.Time `json:"reread_at"`
}

func TestFlagsAsJSONKeepNullApartFromZero(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Zero(t, b.run("ramp", "checkout-v2", "30").code)
	r := b.run("flags", "-o", "json")
	require.Zero(t, r.code, r.stderr)
	var doc flagsDoc
	strictly(t, r.stdout, &doc)
	require.Len(t, doc.Flags, 4)
	checkout, gone, pricing := doc.Flags[0], doc.Flags[1], doc.Flags[2]
	require.Equal(t, "prod.flagd.json", checkout.Source)
	require.Equal(t, "on", checkout.State)
	require.InDelta(t, 30, *checkout.Rollout, 0)
	require.Nil(t, checkout.Exposure)
	require.NotEmpty(t, checkout.Revision)
	require.Equal(t, "ana", checkout.ChangedBy)
	require.WithinDuration(t, time.Now(), *checkout.ChangedAt, time.Minute)
	require.True(t, gone.Killed)
	require.InDelta(t, 0, *gone.Rollout, 0)
	require.Equal(t, "custom", pricing.State)
	require.Nil(t, pricing.Rollout)
	require.Nil(t, pricing.ChangedAt)
	require.Contains(t, r.stdout, `"rollout": null`)
}

func TestTheFlagTableIsAligned(t *testing.T) {
	t.Parallel()
	r := newBench(t).run("flags")
	require.Zero(t, r.code)
	rows := lines(r.stdout)
	require.Len(t, rows, 5)
	require.Regexp(t, `^FLAG +STATE +ROLLOUT +NOTE$`, rows[0])
	require.Regexp(t, `^checkout-v2 +on +25%$`, rows[1])
	require.Regexp(t, `^gone +killed +0%`, rows[2])
	require.Regexp(t, `^pricing +custom +- +3-way split$`, rows[3])
	require.Equal(t, strings.Index(rows[0], "STATE"), strings.Index(rows[3], "custom"))
}

func TestStatusShowsWhatIsUnderWayAndNotWhatIsSteady(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.run("status")
	require.Zero(t, r.code)
	for _, want := range []string{"checkout-v2", "gone", "pricing", "4 flags", "fresh"} {
		require.Contains(t, r.stdout, want)
	}
	require.NotContains(t, r.stdout, "steady")
	require.Less(t, strings.Index(r.stdout, "checkout-v2"), strings.Index(r.stdout, "pricing"))
	require.Zero(t, b.run("kill", "pricing").code)
	r = b.run("status")
	require.Less(t, strings.Index(r.stdout, "pricing"), strings.Index(r.stdout, "checkout-v2"), "what changed last comes first")

	var doc struct {
		Context      string
		At           time.Time
		Sources      []map[string]any
		FlagsTotal   *int `json:"flags_total"`
		BreakersOpen *int `json:"breakers_open"`
		AlertsFiring *int `json:"alerts_firing"`
		Alerts       []map[string]any
		Flags        []map[string]any
		Breakers     []map[string]any
		Latencies    []map[string]any
		Here         []map[string]any
	}
	strictly(t, b.run("status", "-o", "json").stdout, &doc)
	require.Equal(t, 4, *doc.FlagsTotal)
	require.Nil(t, doc.BreakersOpen, "nobody was asked: unknown, not none")
	require.Nil(t, doc.AlertsFiring)
	require.Len(t, doc.Flags, 3)
}

func TestRampKillAndUndoSayWhatTheyDidAndRestoreEveryByte(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before := b.file()
	for _, step := range []struct{ args, want string }{
		{"ramp checkout-v2", "checkout-v2 25% → 50% confirmed"},
		{"ramp checkout-v2 next", "checkout-v2 50% → 100% confirmed"},
		{"ramp checkout-v2 back", "checkout-v2 100% → 50% confirmed"},
		{"ramp checkout-v2 12.5%", "checkout-v2 50% → 12.5% confirmed"},
		{"kill prod.flagd.json/checkout-v2", "checkout-v2 12.5% → killed confirmed"},
	} {
		r := b.run(strings.Fields(step.args)...)
		require.Zero(t, r.code, r.stderr)
		require.Contains(t, r.stdout, step.want)
		require.Regexp(t, `\(change \w+; undo with: relctl-tui undo \w+ --flags flagd:`, r.stdout)
		require.Len(t, lines(r.stdout), 1)
	}
	require.Contains(t, b.file(), "DISABLED")
	for range 5 {
		require.Zero(t, b.run("undo").code)
	}
	require.Equal(t, before, b.file())
	r := b.run("undo")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stderr, "nothing left to undo")
}

func TestUndoTakesBackTheChangeThatIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var doc struct{ Change changeDoc }
	strictly(t, b.run("ramp", "checkout-v2", "40", "--reason", "canary is clean", "-o", "json").stdout, &doc)
	c := doc.Change
	require.Equal(t, "set", c.Kind)
	require.Equal(t, "25%", c.Old)
	require.Equal(t, "40%", c.New)
	require.Equal(t, "confirmed", c.Outcome)
	require.Equal(t, "ana", c.Actor)
	require.NotNil(t, c.Reread)
	require.Zero(t, b.run("kill", "steady", "--actor", "ben").code)
	require.Zero(t, b.run("undo", c.ID, "--actor", "ben").code)
	require.Contains(t, b.file(), `["on", 25], ["off", 75]`)

	var log struct{ Changes []changeDoc }
	strictly(t, b.run("log", "-o", "json").stdout, &log)
	require.Len(t, log.Changes, 3)
	require.Equal(t, []string{"undo", "kill", "set"}, []string{log.Changes[0].Kind, log.Changes[1].Kind, log.Changes[2].Kind})
	require.Equal(t, "canary is clean", log.Changes[2].Reason)
	table := b.run("log")
	require.Contains(t, table.stdout, "canary is clean")
	require.Len(t, lines(table.stdout), 4)
	require.Len(t, lines(b.run("log", "-n", "1").stdout), 2)
}

func TestExitCodesTellRefusalsFromFailuresAndFromTypingErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := filepath.Join(t.TempDir(), "other.flagd.json")
	require.NoError(t, os.WriteFile(other, []byte(twoFlags), 0o644))
	before := b.file()
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"ramp steady", exitRefused, "top of its ladder"},
		{"ramp gone back", exitRefused, "0%"},
		{"ramp pricing 20", exitRefused, "custom targeting"},
		{"ramp checkout-v2 50 --read-only", exitRefused, "read-only"},
		{"kill checkout-v2 --read-only", exitRefused, "read-only"},
		{"kill checkout", exitFailed, `did you mean "checkout-v2"?`},
		{"kill nosuchthing", exitFailed, "nothing was changed"},
		{"undo 01NOSUCH", exitFailed, "01NOSUCH"},
		{"undo", exitFailed, "nothing left to undo"},
		{"ramp checkout-v2 101", exitUsage, "the most is 100"},
		{"ramp checkout-v2 -5", exitUsage, `"-5" is no percentage: write a number from 0 to 100 (or next, or back)`},
		{"schedule checkout-v2 -2.5 --at 10:00", exitUsage, `"-2.5" is no percentage: write a number from 0 to 100 (or kill)`},
		{"kill checkout-v2 -5", exitUsage, "unknown shorthand flag"},
		{"ramp checkout-v2 up", exitUsage, "or next, or back"},
		{"frobnicate", exitUsage, "the verbs are alerts, breakers"},
		{"ramp", exitUsage, "takes one flag, several, or --tag"},
		{"kill", exitUsage, "takes one flag"},
		{"kill checkout-v2 nobody", exitFailed, "nothing was changed"},
		{"flags -o yaml", exitUsage, "-o table or -o json"},
		{"log -n 0", exitUsage, "above 0"},
		{"breakers", exitUsage, "--metrics"},
		{"latency", exitUsage, "--metrics"},
		{"kil checkout-v2", exitUsage, `did you mean "kill"?`},
		{"help kil", exitUsage, `unknown verb "kil": did you mean "kill"?`},
		{"help config chek", exitUsage, `unknown verb "chek": did you mean "check"?`},
		{"help frobnicate", exitUsage, "the verbs are alerts, breakers"},
		{"--red-only", exitUsage, "did you mean --read-only?"},
		{"config chek", exitUsage, `did you mean "check"?`},
		{"config", exitUsage, "init, check, schema"},
		{"demo", exitUsage, "--headless"},
		{"kill checkout-v2 --flags flagd:" + other, exitUsage, `"prod.flagd.json/checkout-v2"`},
		{"flags --config /no/such/file.yaml", exitUsage, "config /no/such/file.yaml: no such file: name another one, or write one to start from with: relctl-tui config init /no/such/file.yaml"},
		{"flags --context prod", exitUsage, "--context prod is looked for in the config, and "},
		{"status --context prod", exitUsage, "config.yaml: no such file: leave --context out, name the config with --config, or write one with: relctl-tui config init"},
	} {
		r := b.run(strings.Fields(c.args)...)
		require.Equal(t, c.code, r.code, "%s: %s", c.args, r.stderr)
		require.Contains(t, r.stderr, c.says, c.args)
		require.Len(t, lines(r.stderr), 1, "one sentence: %s", c.args)
		require.Empty(t, r.stdout, c.args)
	}
	require.Equal(t, before, b.file())
}

func TestKillingTwiceIsNothingToDo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Zero(t, b.run("kill", "steady").code)
	after := b.file()
	r := b.run("kill", "steady")
	require.Zero(t, r.code)
	require.Contains(t, r.stdout, "nothing to do")
	require.Equal(t, after, b.file())
}

func TestTwoRampsAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Zero(t, b.run("ramp", "steady", "99").code)
	var wg sync.WaitGroup
	codes := make([]result, 2)
	for i, args := range [][]string{{"ramp", "checkout-v2", "77"}, {"ramp", "steady", "33"}} {
		wg.Go(func() { codes[i] = b.run(args...) })
	}
	wg.Wait()
	require.Zero(t, codes[0].code, codes[0].stderr)
	require.Zero(t, codes[1].code, codes[1].stderr)
	var doc flagsDoc
	strictly(t, b.run("flags", "-o", "json").stdout, &doc)
	got := map[string]float64{}
	for _, f := range doc.Flags {
		if f.Rollout != nil {
			got[f.Key] = *f.Rollout
		}
	}
	require.InDelta(t, 77, got["checkout-v2"], 0)
	require.InDelta(t, 33, got["steady"], 0)
}

func TestRulesOfTheConfigHoldForTheVerbs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	config := filepath.Join(filepath.Dir(b.path), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(`
contexts:
  prod:
    ladder: [2, 40, 100]
    flags: [{dsn: "flagd:${FLAGS_FILE:-prod.flagd.json}", name: main}]
    rules: {steady: {ladder: [7, 100], metric: payment API}}
  locked:
    read_only: true
    flags: [{dsn: "flagd:prod.flagd.json"}]
`), 0o600))
	use := func(args ...string) result {
		return runIn(t, b.env, append([]string{"--config", config}, args...)...)
	}
	require.Contains(t, use("ramp", "checkout-v2", "--context", "prod").stdout, "25% → 40%")
	require.Contains(t, use("ramp", "main/steady", "back", "--context", "prod").stdout, "100% → 7%")
	r := use("kill", "steady", "--context", "locked")
	require.Equal(t, exitRefused, r.code)
	r = use("flags")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "--context (locked, prod)")
	r = use("flags", "--context", "prd")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, `did you mean "prod"?`)
	require.Contains(t, use("flags", "--context", "prod", "-o", "json").stdout, `"metric": "payment API"`)
}

func TestWithNothingConfiguredAPrivateExampleIsMadeOnce(t *testing.T) {
	t.Parallel()
	env := cleanEnv(t)
	require.Contains(t, runIn(t, env, "flags").stdout, "my-first-flag")
	var state string
	for _, v := range env {
		if dir, ok := strings.CutPrefix(v, "XDG_STATE_HOME="); ok {
			state = filepath.Join(dir, "relctl-tui")
		}
	}
	st, err := os.Stat(filepath.Join(state, "flags.flagd.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm())
	dir, err := os.Stat(state)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), dir.Mode().Perm())
	require.Zero(t, runIn(t, env, "ramp", "my-first-flag").code)
	require.Regexp(t, `my-first-flag +on +25%`, runIn(t, env, "flags").stdout)
}

func TestTheActorIsWhoWasNamedElseWhoeverRanSudo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	who := func(env []string, args ...string) string {
		var doc struct{ Change changeDoc }
		r := runIn(t, append(cleanEnv(t), env...), append([]string{"--flags", "flagd:" + b.path, "ramp", "steady", "-o", "json"}, args...)...)
		strictly(t, r.stdout, &doc)
		return doc.Change.Actor
	}
	step := 0
	next := func() string { step++; return fmt.Sprint(step) }
	require.Equal(t, "ana", who([]string{"RELCTL_ACTOR=ben", "SUDO_USER=carl"}, next(), "--actor", "ana"))
	require.Equal(t, "ben", who([]string{"RELCTL_ACTOR=ben", "SUDO_USER=carl"}, next()))
	require.Equal(t, "carl", who([]string{"SUDO_USER=carl"}, next()))
	require.Equal(t, "∙[31mx", who([]string{"RELCTL_ACTOR=\x1b[31mx"}, next()))
}

func TestHelpVersionCompletionAndManPagesCome(t *testing.T) {
	t.Parallel()
	env := cleanEnv(t)
	for args, want := range map[string]string{
		"--help": "Exit codes", "ramp --help": "ramp FLAG", "--version": "relctl-tui version", "completion bash": "relctl-tui", "man": ".TH",
	} {
		r := runIn(t, env, strings.Fields(args)...)
		require.Zero(t, r.code, args)
		require.Contains(t, r.stdout, want, args)
		require.Empty(t, r.stderr)
	}
}

func TestTheShellCompletesFlagsThatAreSafeToTypeThere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	raw := strings.Replace(b.file(), `"gone"`, `"go\u001b[31mne"`, 1)
	require.NoError(t, os.WriteFile(b.path, []byte(raw), 0o644))
	complete := func(words ...string) string {
		return runIn(t, b.env, append([]string{"__complete", "--flags", "flagd:" + b.path}, words...)...).stdout
	}
	r := complete("kill", "")
	require.Contains(t, r, "checkout-v2\ton 25%")
	require.NotContains(t, r, "31m")
	require.Contains(t, complete("ramp", "checkout-v2", ""), "next\nback")
}

func TestJSONEscapesWhatATerminalWouldObey(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	hostile := "\x1b[31m\u009b\u202e\U000E0041\x7f<&>漢"
	require.NoError(t, writeJSON(&buf, hostile))
	require.Equal(t, `"\u001b[31m\u009b\u202e\udb40\udc41\u007f<&>漢"`+"\n", buf.String())
	var back string
	require.NoError(t, json.Unmarshal(buf.Bytes(), &back))
	require.Equal(t, hostile, back)
}
