package flagd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
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

const judgedUsers = 2000

type verdict struct {
	On      []int          `json:"on"`
	Reasons map[string]int `json:"reasons"`
	Refused bool           `json:"refused"` // only ever by one that is running
}

// judge asks flagd's own evaluation about the flag f in each text.
func judge(t *testing.T, texts []string) []verdict {
	t.Helper()
	return judged(t, texts, false)
}

// judged can ask one running evaluation, which gets the texts one after the other.
func judged(t *testing.T, texts []string, running bool) []verdict {
	t.Helper()
	node, modules := sourcetest.Judge(t)
	var ask struct {
		Files   []string `json:"files"`
		Flag    string   `json:"flag"`
		Users   int      `json:"users"`
		Running bool     `json:"running"`
	}
	ask.Flag, ask.Users, ask.Running = "f", judgedUsers, running
	for _, text := range texts {
		ask.Files = append(ask.Files, file(t, text))
	}
	in, err := json.Marshal(ask)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), node, filepath.Join("testdata", "judge-shares.cjs"))
	// The script lies outside the folder of the modules.
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"))
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var verdicts []verdict
	require.NoError(t, json.Unmarshal(out, &verdicts))
	require.Len(t, verdicts, len(texts))
	return verdicts
}

func TestFlagdItselfServesThePercentagesThatWeWrite(t *testing.T) {
	t.Parallel()
	sourcetest.Judge(t)
	starts := map[string]string{
		"switch":       `{"flags": {"f": ` + enabled(onOff) + `}}`,
		"split":        `{"flags": {"f": ` + targeting(`{"fractional": [["on", 1], ["off", 99]]}`) + `}}`,
		"other order":  `{"flags": {"f": ` + targeting(`{"fractional": [["off", 99], ["on", 1]]}`) + `}}`,
		"by attribute": `{"flags": {"f": ` + targeting(`{"fractional": [{"var": "email"}, ["on", 1], ["off", 99]]}`) + `}}`,
		"shorthand":    `{"flags": {"f": ` + targeting(`{"fractional": [["on"], ["off"]]}`) + `}}`,
		"killed":       `{"flags": {"f": ` + strings.Replace(enabled(onOff), "ENABLED", "DISABLED", 1) + `}}`,
		"minified":     `{"flags":{"f":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off"}}}`,
	}
	steps := []string{"0", "0.5", "1", "5", "10", "12.5", "25", "30", "50", "99.999", "100"}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, start)
			s := flagd.New("prod", path)
			var texts []string
			for _, step := range steps {
				to, err := sources.ParsePercent(step)
				require.NoError(t, err)
				_, err = s.Apply(context.Background(), sources.Change{ID: step, Flag: id("f"), Kind: sources.Set, To: to})
				require.NoError(t, err)
				texts = append(texts, content(t, path))
			}
			_, err := s.Apply(context.Background(), sources.Change{ID: "kill", Flag: id("f"), Kind: sources.Kill})
			require.NoError(t, err)
			verdicts := judge(t, append(texts, content(t, path)))

			before := map[int]bool{}
			for i, step := range steps {
				to, _ := sources.ParsePercent(step)
				want := to.Float() / 100 * judgedUsers
				// Four standard deviations of a fair draw; the hash is fixed, so this never flakes.
				slack := 4*math.Sqrt(want*(1-to.Float()/100)) + 0.01
				require.InDelta(t, want, len(verdicts[i].On), slack, "%s%%", step)
				now := map[int]bool{}
				for _, user := range verdicts[i].On {
					now[user] = true
				}
				for user := range before {
					require.True(t, now[user], "user %d was in at the step before %s%%", user, step)
				}
				before = now
			}
			require.Equal(t, verdict{On: []int{}, Reasons: map[string]int{"DISABLED": judgedUsers}}, verdicts[len(steps)])
		})
	}
}

func TestFlagdItselfAgreesWithThePercentagesThatWeRead(t *testing.T) {
	t.Parallel()
	sourcetest.Judge(t)
	splits := []string{
		`["on", 1], ["off", 3]`, `["on"], ["off"]`, `["on"], ["off", 3]`, `["on", 250], ["off", 750]`, `["off", 7.5e1], ["on", 25.0]`,
		`{"cat": [{"var": "$flagd.flagKey"}, {"var": "targetingKey"}]}, ["on", 40], ["off", 60]`, `["on", 0], ["off", 5]`, `["on", 9], ["off", 0]`,
	}
	var texts []string
	for _, split := range splits {
		texts = append(texts, `{"flags": {"f": `+targeting(`{"fractional": [`+split+`]}`)+`}}`)
	}
	texts = append(texts,
		`{"flags": {"f": `+enabled(`"variants": {"on": true, "off": false}, "defaultVariant": "on"`)+`}}`,
		`{"flags": {"f": `+enabled(`"variants": {"true": true, "false": false}, "defaultVariant": "false", "targeting": {"fractional": [[true, 20], [false, 80]]}`)+`}}`)
	for i, v := range judge(t, texts) {
		f := list(t, texts[i]).Flags[0]
		require.True(t, f.Rollout.OK, texts[i])
		share := f.Rollout.V.Float() / 100
		require.InDelta(t, share*judgedUsers, len(v.On), 4*math.Sqrt(judgedUsers*share*(1-share))+0.01, texts[i])
	}
}
