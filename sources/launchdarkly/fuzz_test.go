package launchdarkly_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/launchdarkly"
)

// echo answers every read with the same bytes and keeps what is written.
type echo struct {
	body    []byte
	written []byte
}

func (e *echo) RoundTrip(r *http.Request) (*http.Response, error) {
	status := http.StatusOK
	if r.Method == http.MethodPatch {
		e.written, _ = io.ReadAll(r.Body)
		status = http.StatusConflict
	}
	return &http.Response{
		StatusCode: status, Request: r, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(e.body)),
	}, nil
}

// FuzzFlag: whatever a server says of a flag, it is an error or a flag that is safe to
// show, and a ramp of it never writes anything but a whole. The input is in two short
// parts, because one long one is minimised for longer than a run of CI lasts.
func FuzzFlag(f *testing.F) {
	const boolean = `"kind":"boolean","variations":[{"_id":"x","value":true},{"_id":"y","value":false}]`
	for _, env := range []string{
		`"on":true,"offVariation":1,"fallthrough":{"variation":0}`,
		`"on":false,"fallthrough":{"rollout":{"variations":[{"variation":0,"weight":100000}],"bucketBy":"k"}}`,
		`"on":true,"fallthrough":{"rollout":{"variations":[{"variation":0,"weight":-1},{"variation":1,"weight":100001}]}}`,
		`"on":true,"fallthrough":{"variation":1},"rules":[{"clauses":[{"values":[1e999,{}]}],"rollout":null}]`,
		`"on":true,"fallthrough":{"variation":1},"targets":[{"values":["a"]}],"prerequisites":[{"key":"\u001b"}]`,
		`"_summary":{"variations":{"0":{"rules":1}},"prerequisites":2},"lastModified":9e15`,
		`}}},"environments":null,"x":{"y":{"z":{`,
	} {
		f.Add(boolean, env, 30_000)
	}
	f.Add(`"description":"\u001b[2J","_maintainer":{"email":"\u202e"},"variations":[{"value":"\ud800"}]`, `"on":true`, -1)
	f.Fuzz(func(t *testing.T, head, env string, to int) {
		body := []byte(`{"key":"a",` + head + `,"environments":{"production":{` + env + `}}}`)
		var named struct {
			Key string `json:"key"`
		}
		_ = json.Unmarshal(body, &named)
		e := &echo{body: body}
		s, err := launchdarkly.New("ld", "https://ld.example", launchdarkly.Options{
			Project: project, Environment: production, Transport: e, Now: func() time.Time { return time.Unix(1, 0) },
		})
		require.NoError(t, err)
		id := sources.FlagID{Source: "ld", Key: named.Key}
		flag, err := s.Flag(t.Context(), id)
		_, listErr := s.Flags(t.Context())
		_ = listErr // the same bytes are no list, or an odd one
		if err != nil {
			return
		}
		for _, text := range []string{flag.Name, flag.Description, flag.Owner, flag.Variant, flag.Note} {
			require.Negative(t, strings.IndexFunc(text, unicode.IsControl), "%q", text)
			require.LessOrEqual(t, len([]rune(text)), 600)
		}
		ramps := flag.CanRamp() == nil
		require.Equal(t, ramps, flag.Stored.OK, "what can be ramped has a percentage")
		if flag.Stored.OK {
			require.Equal(t, flag.Stored.V.Clamp(), flag.Stored.V)
			require.True(t, flag.Rollout.OK)
		}
		_, err = s.Apply(t.Context(), sources.Change{Flag: id, Kind: sources.Set, To: sources.Percent(to), Seen: flag.Revision})
		if e.written == nil {
			return
		}
		require.ErrorIs(t, err, sources.ErrConflict)
		require.True(t, ramps)
		var p struct {
			Instructions []struct {
				Kind    string           `json:"kind"`
				Weights map[string]int64 `json:"rolloutWeights"`
			} `json:"instructions"`
		}
		require.NoError(t, json.Unmarshal(e.written, &p))
		for _, i := range p.Instructions {
			if i.Kind != "updateFallthroughVariationOrRollout" {
				continue
			}
			sum := int64(0)
			for _, w := range i.Weights {
				require.GreaterOrEqual(t, w, int64(0))
				sum += w
			}
			require.Equal(t, int64(100_000), sum)
		}
	})
}
