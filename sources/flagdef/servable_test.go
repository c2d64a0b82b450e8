package flagdef_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
)

const good = `{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on"}`

func TestWhatEvaluatorsTakeIsServedByteForByte(t *testing.T) {
	t.Parallel()
	doc := "\n{ \"$schema\": \"x\", \"flags\" : {\"a\" : " + good + "}, \"metadata\": {\"v\": 1.0}}\n"
	for _, start := range []string{"", "\xEF\xBB\xBF"} {
		b, left, err := flagdef.Servable([]byte(start + doc))
		require.NoError(t, err)
		require.Equal(t, doc, string(b))
		require.Empty(t, left)
	}
}

func TestOneBadDefinitionIsLeftOutAndAllElseIsKept(t *testing.T) {
	t.Parallel()
	b, left, err := flagdef.Servable([]byte(`{"$evaluators":{"staff":{"==":[1,1]}},"flags":{"bad\u001b":{"state":"on","variants":{"on":true}},"a":` + good +
		`,"worse":7,"none":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"off"}},"metadata":{"v":1}}`))
	require.NoError(t, err)
	require.JSONEq(t, `{"$evaluators":{"staff":{"==":[1,1]}},"metadata":{"v":1},"flags":{"a":`+good+`}}`, string(b))
	require.Len(t, left, 3)
	require.Equal(t, "bad∙", left[0].Name)
	require.Contains(t, left[0].Why, "state")
	require.Contains(t, left[1].Why, "not an object")
	require.Contains(t, left[2].Why, "defaultVariant")
}

func TestAListOfFlagsIsServedAsAnObject(t *testing.T) {
	t.Parallel()
	b, left, err := flagdef.Servable([]byte(`{"flags":[{"key":"a","state":"ENABLED","variants":{"on":true}},{"state":"ENABLED","variants":{"on":true}},
		{"key":"b","state":"x","variants":{"on":true}}]}`))
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.JSONEq(t, `{"flags":{"a":{"key":"a","state":"ENABLED","variants":{"on":true}}}}`, string(b))
}

func FuzzWhatIsServableIsTakenByTheEvaluator(f *testing.F) {
	f.Add([]byte(`{"flags":{"a":` + good + `,"a":7}}`))
	f.Add([]byte(`{"flags":[{"key":"a","state":"x"}],"metadata":{"a":1}}`))
	f.Add([]byte(" \t{\"\\u0066lags\":{\"x\":{\"state\":\"ENABLED\",\"state\":1,\"variants\":{}}}}"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		b, left, err := flagdef.Servable(doc)
		if err != nil {
			require.ErrorIs(t, err, sources.ErrInvalid)
			return
		}
		require.True(t, json.Valid(b), "%s", b)
		_, err = flagdef.NewEvaluator(b)
		require.NoError(t, err, "%s", b)
		again, none, err := flagdef.Servable(b)
		require.NoError(t, err)
		require.Empty(t, none, "left out the first time: %v", left)
		require.Equal(t, b, again)
	})
}
