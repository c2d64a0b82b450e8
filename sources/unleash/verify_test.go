package unleash_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/unleash"
)

// effective asks until the evaluating side has a change, and gives its evidence.
func effective(t testing.TB, d unleash.Driver, r sources.Receipt) sources.Evidence {
	t.Helper()
	v, ok := d.(sources.Verifier)
	require.True(t, ok)
	var e sources.Evidence
	eventually(t, "the change is in force", func() bool {
		var err error
		e, err = v.Verify(t.Context(), r)
		require.NoError(t, err)
		require.False(t, e.At.IsZero())
		require.NotEmpty(t, e.Detail)
		return e.Effective
	})
	return e
}

// TestWhatIsVerifiedIsWhatTheNodeSDKServes follows a flag through its life: what the
// frontend API is said to prove is held against Unleash's own SDK.
func TestWhatIsVerifiedIsWhatTheNodeSDKServes(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		const users = 1000
		p, key := s.project(t), unique("f")
		s.flag(t, p, key, "release", with(gradual("25"), map[string]any{"parameters": map[string]any{"rollout": "25", "stickiness": "userId", "groupId": key}}))
		d := connect(t, s, p)
		share := func(want float64) []int {
			t.Helper()
			var on []int
			eventually(t, "the SDK's share", func() bool {
				on = s.judge(t, key, users)
				p := want / 100
				return math.Abs(float64(len(on))/users-p) <= 4*math.Sqrt(p*(1-p)/users)
			})
			return on
		}
		// The SDK's endpoint is cached apart from the frontend's, so it may learn later.
		nobody := func(why string) {
			t.Helper()
			eventually(t, why, func() bool { return len(s.judge(t, key, users)) == 0 })
		}
		first := share(25)
		killed := apply(t, d, kill(key))
		effective(t, d, killed)
		nobody("a kill in force for everybody")
		back := apply(t, d, undo(key, killed))
		effective(t, d, back)
		require.Equal(t, first, share(25), "an undo gives it to the same users")
		up := apply(t, d, ramp(key, 26))
		effective(t, d, up)
		more := share(26)
		eventually(t, "one percent more, seen as such", func() bool {
			more = s.judge(t, key, users)
			return len(more) > len(first)
		})
		for _, u := range first {
			require.True(t, slices.Contains(more, u), "who had it keeps it")
		}
		effective(t, d, apply(t, d, ramp(key, 100)))
		eventually(t, "the flag for everybody", func() bool { return len(s.judge(t, key, users)) == users })
		effective(t, d, apply(t, d, ramp(key, 0)))
		nobody("a flag at 0 for nobody")
	})
}

func TestEveryKindOfStickinessIsVerified(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	for _, by := range []string{"default", "userId", "sessionId", "random", "companyId"} {
		p, key := s.project(t), unique("f")
		s.flag(t, p, key, "release", with(gradual("25"), map[string]any{"parameters": map[string]any{"rollout": "25", "stickiness": by, "groupId": "g"}}))
		d := connect(t, s, p)
		r := apply(t, d, ramp(key, 75))
		effective(t, d, r)
		wrong := r
		wrong.New.Rollout, wrong.Old.Rollout = sources.Some(sources.Pct(25)), sources.Some(sources.Pct(75))
		e, err := d.(sources.Verifier).Verify(t.Context(), wrong)
		require.NoError(t, err)
		require.False(t, e.Effective, "%s: what is not so is not called effective: %s", by, e.Detail)
	}
}

func TestWhatCannotBeToldIsNotVerified(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	p, key := s.project(t), unique("f")
	s.flag(t, p, key, "release", gradual("25"), gradual("50"))
	d := connect(t, s, p)
	r := apply(t, d, kill(key))
	effective(t, d, r)
	back := apply(t, d, undo(key, r))
	_, err := d.(sources.Verifier).Verify(t.Context(), back)
	require.ErrorIs(t, err, sources.ErrUnsupported)
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, err = d.(sources.Verifier).Verify(ctx, r)
	require.Error(t, err, "what was not asked is not known")
}
