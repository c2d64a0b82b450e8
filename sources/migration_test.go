package sources_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"relctl-tui/sources"
)

func sixStages(t require.TestingT) *sources.Migration {
	m, err := sources.NewMigration(sources.Migration{Mismatch: "orders", Limit: 0.001, Window: time.Minute, AtLeast: 100}, "", "")
	require.NoError(t, err)
	return m
}

// staged is a flag that serves the given stages to equal parts.
func staged(m *sources.Migration, stages ...string) *sources.Flag {
	f := &sources.Flag{Name: "orders", State: sources.FlagCustom, Custom: true, Migration: m, ID: sources.FlagID{Source: "s", Key: "orders"}}
	for _, s := range stages {
		f.Serves = append(f.Serves, sources.Share{Variant: s, Of: sources.Full / sources.Percent(len(stages))})
	}
	return f
}

func TestAMigrationOfOddStagesIsRefusedInWords(t *testing.T) {
	t.Parallel()
	ok := sources.Migration{Window: time.Minute}
	for want, c := range map[string]struct {
		m                  sources.Migration
		compared, noReturn string
	}{
		"3 to 20 stages":      {sources.Migration{Stages: []string{"a", "b"}, Window: time.Minute}, "a", "b"},
		"there twice":         {sources.Migration{Stages: []string{"a", "b", "a"}, Window: time.Minute}, "b", "a"},
		"not printable":       {sources.Migration{Stages: []string{"a", "b\x07", "c"}, Window: time.Minute}, "a", "c"},
		`"shadow" is none`:    {sources.Migration{Stages: []string{"a", "b", "c"}, Window: time.Minute}, "", "c"},
		`"d" is none`:         {sources.Migration{Stages: []string{"a", "b", "c"}, Window: time.Minute}, "b", "d"},
		"after the first":     {ok, "off", ""},
		"before no_return":    {ok, "rampdown", ""},
		"from 0% to below":    {sources.Migration{Limit: 1, Window: time.Minute}, "", ""},
		"window 1s is":        {sources.Migration{Window: time.Second}, "", ""},
		"window 48h0m0s is":   {sources.Migration{Window: 48 * time.Hour}, "", ""},
		"no_return: \"x\" is": {ok, "", "x"},
	} {
		_, err := sources.NewMigration(c.m, c.compared, c.noReturn)
		require.ErrorIs(t, err, sources.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
	m, err := sources.NewMigration(sources.Migration{Stages: []string{"old", "both", "new"}, Window: time.Minute}, "both", "new")
	require.NoError(t, err)
	require.Equal(t, 1, m.Compared)
	require.Equal(t, 2, m.NoReturn)
}

func TestNextAndBackAreOneStageAndBringCohortsTogetherFirst(t *testing.T) {
	t.Parallel()
	m := sixStages(t)
	for _, c := range []struct {
		at         []string
		next, back string
	}{
		{[]string{"off"}, "dualwrite", ""},
		{[]string{"shadow"}, "live", "dualwrite"},
		{[]string{"complete"}, "", "rampdown"},
		{[]string{"shadow", "live"}, "live", "shadow"},
		{[]string{"live", "shadow"}, "live", "shadow"},
		{[]string{"dualwrite", "live"}, "", "dualwrite"},
		{[]string{"purple"}, "", ""},
		{nil, "", ""},
	} {
		f := staged(m, c.at...)
		next, err := m.Next(f)
		require.Equal(t, c.next, next, "%v", c.at)
		require.Equal(t, c.next == "", err != nil)
		back, err := m.Back(f)
		require.Equal(t, c.back, back, "%v", c.at)
		require.Equal(t, c.back == "", err != nil)
	}
	killed := staged(m, "shadow")
	killed.Killed = true
	_, err := m.Next(killed)
	require.ErrorIs(t, err, sources.ErrUnsupported)
	require.ErrorContains(t, err, "default in their code")
}

func TestWhatAMoveNeeds(t *testing.T) {
	t.Parallel()
	m := sixStages(t)
	gone := time.Date(2026, 3, 1, 3, 0, 0, 0, time.Local)
	for _, c := range []struct {
		kind     sources.ChangeKind
		from, to []string
		past     sources.Past
		proof    bool
		name     string // part of why the name is asked for
		refused  string // part of why it is refused
	}{
		{kind: sources.Move, from: []string{"off"}, to: []string{"dualwrite"}},
		{kind: sources.Move, from: []string{"dualwrite"}, to: []string{"shadow"}},
		{kind: sources.Move, from: []string{"shadow"}, to: []string{"live"}, proof: true},
		{kind: sources.Move, from: []string{"shadow", "live"}, to: []string{"live"}, proof: true},
		{kind: sources.Move, from: []string{"live"}, to: []string{"rampdown"}, proof: true, name: "point of no return"},
		{kind: sources.Move, from: []string{"rampdown"}, to: []string{"complete"}},
		{kind: sources.Move, from: []string{"off"}, to: []string{"live"}, refused: "skip"},
		{kind: sources.Undo, from: []string{"off"}, to: []string{"live"}, refused: "an undo would take"},
		{kind: sources.Undo, from: []string{"shadow"}, to: []string{"live"}, proof: true},
		{kind: sources.Undo, from: []string{"live"}, to: []string{"rampdown"}, proof: true, name: "point of no return"},
		{kind: sources.Move, from: []string{"live"}, to: []string{"shadow"}},
		{kind: sources.Kill, from: []string{"live"}, to: []string{"off"}},
		{kind: sources.Kill, from: []string{"dualwrite", "shadow"}, to: []string{"off"}},
		{kind: sources.Kill, from: []string{"rampdown"}, to: []string{"off"}, past: sources.Past{Since: gone}, refused: "not written any more since 1 Mar 03:00"},
		{kind: sources.Kill, from: []string{"live", "rampdown"}, to: []string{"off"}, refused: "not killed"},
		{kind: sources.Kill, from: []string{"complete"}, to: []string{"off"}, refused: "lose what was written"},
		{kind: sources.Kill, from: nil, to: []string{"off"}, name: "cannot be told"},
		{kind: sources.Move, from: []string{"rampdown"}, to: []string{"live"}, past: sources.Past{Since: gone}, name: "was not written since 1 Mar 03:00"},
		{kind: sources.Undo, from: []string{"rampdown"}, to: []string{"live"}, name: "new side alone"},
		{kind: sources.Move, from: []string{"complete"}, to: []string{"rampdown"}},
		{kind: sources.Kill, from: []string{"live"}, to: []string{"off"}, past: sources.Past{Gap: true}, name: "misses what was written"},
		{kind: sources.Move, from: []string{"live"}, to: []string{"shadow"}, past: sources.Past{Unread: true}, name: "cannot be read"},
		{kind: sources.Move, from: []string{"dualwrite"}, to: []string{"shadow"}, past: sources.Past{Gap: true}},
		{kind: sources.Undo, from: []string{"live"}, to: nil, name: "cannot be told"},
	} {
		what := fmt.Sprint(c.kind, c.from, c.to)
		course, err := m.Judge(c.kind, staged(m, c.from...), staged(m, c.to...), c.past)
		if c.refused != "" {
			require.ErrorIs(t, err, sources.ErrRefused, what)
			require.ErrorContains(t, err, c.refused, what)
			continue
		}
		require.NoError(t, err, what)
		require.Equal(t, c.proof, course.Proof, what)
		require.Contains(t, course.Name, c.name, what)
		require.Equal(t, c.name == "", course.Name == "", what)
	}
	_, err := m.Judge(sources.Move, staged(m), staged(m, "off"), sources.Past{})
	require.ErrorIs(t, err, sources.ErrUnsupported)
}

func TestWhateverTheMoveNothingSkipsAndNothingCrossesUnasked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 9).Draw(t, "stages")
		stages := sources.DefaultStages()[:0]
		for i := range n {
			stages = append(stages, fmt.Sprint("s", i))
		}
		noReturn := rapid.IntRange(2, n-1).Draw(t, "no return")
		compared := rapid.IntRange(1, noReturn-1).Draw(t, "compared")
		m, err := sources.NewMigration(sources.Migration{Stages: stages, Window: time.Minute}, stages[compared], stages[noReturn])
		require.NoError(t, err)
		some := func(label string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(stages), 1, 3, rapid.ID).Draw(t, label)
		}
		from, to := some("from"), some("to")
		kind := rapid.SampledFrom([]sources.ChangeKind{sources.Move, sources.Undo, sources.Kill}).Draw(t, "kind")
		if kind == sources.Kill {
			to = stages[:1]
		}
		a, z := staged(m, from...), staged(m, to...)
		course, err := m.Judge(kind, a, z, sources.Past{Gap: rapid.Bool().Draw(t, "gap")})
		if err != nil {
			return
		}
		low, high, top := n, -1, -1
		for i, s := range stages {
			if slices.Contains(from, s) {
				low, high = min(low, i), max(high, i)
			}
			if slices.Contains(to, s) {
				top = i
			}
		}
		bottom := slices.IndexFunc(stages, func(s string) bool { return slices.Contains(to, s) })
		require.LessOrEqual(t, top, low+1, "no cohort goes more than one stage forward")
		if top > low && low >= compared && low < noReturn {
			require.True(t, course.Proof)
		}
		if top >= noReturn && low < noReturn && top > low || high >= noReturn && bottom < noReturn {
			require.NotEmpty(t, course.Name)
			require.NotEqual(t, sources.Kill, kind)
		}
	})
}

// every is samples of one ratio, one each step, the last at now.
func every(step time.Duration, now time.Time, ratios ...float64) (out []sources.RatioSample) {
	for i, r := range ratios {
		s := sources.RatioSample{At: now.Add(-time.Duration(len(ratios)-1-i) * step)}
		if r >= 0 {
			s.Ratio, s.Rate = sources.Some(r), sources.Some(10.0)
		}
		out = append(out, s)
	}
	return out
}

func TestAProofIsTheWholeWindowUnderTheLimit(t *testing.T) {
	t.Parallel()
	m := sixStages(t) // 0.1 % for a minute, 100 comparisons
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	flat := func(n int, v float64) []float64 { return slices.Repeat([]float64{v}, n) }
	for _, c := range []struct {
		what    string
		samples []sources.RatioSample
		since   time.Time
		verdict sources.ProofVerdict
		held    time.Duration
		says    string
	}{
		{"nothing", nil, time.Time{}, sources.ProofUnknown, 0, "mismatch unknown (limit 0.1% for 1m0s): nothing was measured yet"},
		{"a whole window", every(5*time.Second, now, flat(13, 0)...), time.Time{}, sources.ProofPass, time.Minute, "over 600 comparisons"},
		{"at the limit", every(5*time.Second, now, flat(13, 0.001)...), time.Time{}, sources.ProofPass, time.Minute, "mismatch 0.1% stayed"},
		{"too short", every(5*time.Second, now, flat(4, 0)...), time.Time{}, sources.ProofInsufficient, 15 * time.Second, "for 15s only over 150 comparisons (at least 100), 45s to go"},
		{"over now", every(5*time.Second, now, append(flat(13, 0), 0.03)...), time.Time{}, sources.ProofBreach, 0, "mismatch 3% is over the limit (limit 0.1% for 1m0s)"},
		{"over within the window", every(5*time.Second, now, append(append(flat(13, 0), 0.03), flat(3, 0)...)...), time.Time{}, sources.ProofInsufficient, 10 * time.Second, "50s to go"},
		{"over before the window", every(5*time.Second, now, append([]float64{0.5}, flat(13, 0)...)...), time.Time{}, sources.ProofPass, time.Minute, "stayed"},
		{"a hole", append(every(5*time.Second, now.Add(-40*time.Second), flat(13, 0)...), every(5*time.Second, now, flat(3, 0)...)...), time.Time{}, sources.ProofInsufficient, 10 * time.Second, "50s to go"},
		{"nothing compared in between", every(5*time.Second, now, append(append(flat(13, 0), -1), flat(2, 0)...)...), time.Time{}, sources.ProofInsufficient, 5 * time.Second, "55s to go"},
		{"nothing compared now", every(5*time.Second, now, append(flat(13, 0), -1)...), time.Time{}, sources.ProofUnknown, 0, "nothing is compared at the moment"},
		{"old", every(5*time.Second, now.Add(-30*time.Second), flat(13, 0)...), time.Time{}, sources.ProofUnknown, 0, "30s old"},
		{"measured at another stage", every(5*time.Second, now, flat(13, 0)...), now.Add(-20 * time.Second), sources.ProofInsufficient, 20 * time.Second, "40s to go"},
	} {
		p := m.Prove(c.samples, c.since, now)
		require.Equal(t, c.verdict, p.Verdict, c.what)
		require.Equal(t, c.held, p.Held, c.what)
		require.Contains(t, p.Sentence(), c.says, c.what)
	}
	few := every(5*time.Second, now, flat(13, 0)...)
	for i := range few {
		few[i].Rate = sources.Some(1.0)
	}
	p := m.Prove(few, time.Time{}, now)
	require.Equal(t, sources.ProofInsufficient, p.Verdict)
	require.Contains(t, p.Sentence(), "over 60 comparisons (at least 100): too few")
	for i := range few {
		few[i].Rate = sources.Value{}
	}
	p = m.Prove(few, time.Time{}, now)
	require.Equal(t, sources.ProofPass, p.Verdict, "a query does not say how often")
}

func TestDeletingTheOldSideIsSignedAtTheEndAndRefillingBeforeIt(t *testing.T) {
	t.Parallel()
	m := sixStages(t)
	require.NoError(t, m.CanSign(staged(m, "complete"), sources.SignDeleteOld))
	require.ErrorIs(t, m.CanSign(staged(m, "rampdown", "complete"), sources.SignDeleteOld), sources.ErrRefused)
	require.ErrorIs(t, m.CanSign(staged(m, "off"), sources.SignDeleteOld), sources.ErrRefused)
	require.NoError(t, m.CanSign(staged(m, "live"), sources.SignRefillOld))
	require.ErrorIs(t, m.CanSign(staged(m, "rampdown"), sources.SignRefillOld), sources.ErrRefused)
	require.ErrorIs(t, m.CanSign(staged(m, "live"), "coffee"), sources.ErrInvalid)
	require.ErrorIs(t, m.CanSign(staged(m), sources.SignDeleteOld), sources.ErrUnsupported)
}
