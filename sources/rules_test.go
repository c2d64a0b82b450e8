package sources_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"relctl-tui/sources"
)

func TestPercentagesAreReadExactly(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]sources.Percent{
		"0": 0, "25": 25_000, "25%": 25_000, " 12.345 % ": 12_345, "0.5": 500, "007": 7_000,
		"100": sources.Full, "100.000%": sources.Full, "0.001": 1,
	} {
		got, err := sources.ParsePercent(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{
		"", "%", " ", "-1", "+1", "100.001", "101", "1000", "1.2345", ".5", "5.", "1e2", "0x10",
		"NaN", "1 2", "1.2.3", "٢٥", "25%%", "1_0", "25\x00",
	} {
		_, err := sources.ParsePercent(in)
		require.ErrorIs(t, err, sources.ErrInvalid, "%q", in)
	}
}

func TestAnyPercentageSurvivesItsTextAndItsJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := sources.Percent(rapid.IntRange(0, int(sources.Full)).Draw(t, "p"))
		back, err := sources.ParsePercent(p.String())
		if err != nil || back != p {
			t.Fatalf("%d became %q became %d, %v", p, p.String(), back, err)
		}
		raw, err := json.Marshal(p)
		var viaJSON sources.Percent
		if err != nil || json.Unmarshal(raw, &viaJSON) != nil || viaJSON != p {
			t.Fatalf("%d became %s", p, raw)
		}
		if math.Abs(p.Float()*1000-float64(p)) > 1e-6 {
			t.Fatalf("%d is %v as a float", p, p.Float())
		}
	})
}

func TestAPercentageInJSONIsABareNumber(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`"25"`, `-1`, `101`, `{}`, `true`, `1e1`} {
		var p sources.Percent
		require.Error(t, json.Unmarshal([]byte(in), &p), in)
	}
}

func TestAShareBecomesAPercentageAndSaysWhetherExactly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		part, whole int64
		want        sources.Percent
		exact       bool
	}{
		{25, 100, sources.Pct(25), true},
		{1, 3, 33_333, false},
		{2, 3, 66_667, false},
		{0, 7, 0, true},
		{7, 7, sources.Full, true},
		{1, 0, 0, false},
		{-1, 5, 0, false},
		{6, 5, 0, false},
		{math.MaxInt64, math.MaxInt64, sources.Full, true},
		{1, math.MaxInt64, 0, false},
		{math.MaxInt64 - 1, math.MaxInt64, sources.Full, false},
	} {
		got, exact := sources.PercentOf(c.part, c.whole)
		require.Equal(t, c.want, got, "%d/%d", c.part, c.whole)
		require.Equal(t, c.exact, exact, "%d/%d", c.part, c.whole)
	}
}

func TestAPercentageOutsideIsMovedInside(t *testing.T) {
	t.Parallel()
	require.Equal(t, sources.Percent(0), sources.Percent(-1).Clamp())
	require.Equal(t, sources.Full, (sources.Full + 1).Clamp())
	require.Equal(t, sources.Pct(5), sources.Pct(5).Clamp())
	require.Equal(t, "-0.5", sources.Percent(-500).String())
}

func TestLaddersAscendWithinTheirBounds(t *testing.T) {
	t.Parallel()
	for _, bad := range [][]sources.Percent{{0}, {-1}, {sources.Full + 1}, {5, 5}, {10, 5}} {
		_, err := sources.NewLadder(bad)
		require.ErrorIs(t, err, sources.ErrInvalid)
	}
	steps := []sources.Percent{5, 10}
	l, err := sources.NewLadder(steps)
	require.NoError(t, err)
	steps[0] = 7
	require.Equal(t, sources.Ladder{5, 10}, l, "the ladder is its own")
}

func TestUpAndDownALadder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SliceOfNDistinct(rapid.IntRange(1, int(sources.Full)), 0, 8, rapid.ID[int]).Draw(t, "steps")
		slices.Sort(set)
		var steps []sources.Percent
		for _, s := range set {
			steps = append(steps, sources.Percent(s))
		}
		l, err := sources.NewLadder(steps)
		if err != nil {
			t.Fatal(err)
		}
		p := sources.Percent(rapid.IntRange(0, int(sources.Full)).Draw(t, "p"))
		if up, ok := l.Next(p); ok {
			if up <= p || up > sources.Full {
				t.Fatalf("next of %s is %s", p, up)
			}
			if down, ok := l.Back(up); !ok || down > p {
				t.Fatalf("back from %s is %s, above %s", up, down, p)
			}
		} else if up != p {
			t.Fatal("at the top nothing moves")
		}
		for n := 0; p > 0; n++ { // down to 0 from anywhere
			down, ok := l.Back(p)
			if !ok || down >= p || n > 10 {
				t.Fatalf("back of %s is %s", p, down)
			}
			p = down
		}
		if _, ok := l.Back(p); ok {
			t.Fatal("there is nothing below 0")
		}
	})
}

func TestPlanIsTheOneRuleOfRampBackAndKill(t *testing.T) {
	t.Parallel()
	at := func(p int) sources.Flag {
		return sources.Flag{Name: "f", State: sources.FlagOn, Rollout: sources.Some(sources.Pct(p))}
	}
	killed := sources.Flag{Name: "f", State: sources.FlagOff, Killed: true, Rollout: sources.Some(sources.Percent(0)), Stored: sources.Some(sources.Pct(50))}
	custom := sources.Flag{Name: "f", State: sources.FlagCustom, Note: "segments"}
	for name, c := range map[string]struct {
		flag sources.Flag
		kind sources.ChangeKind
		want sources.Percent
		err  error
	}{
		"ramp from 0":          {at(0), sources.Ramp, sources.Pct(1), nil},
		"ramp between steps":   {at(30), sources.Ramp, sources.Pct(50), nil},
		"ramp at the top":      {at(100), sources.Ramp, 0, sources.ErrInvalid},
		"ramp a killed flag":   {killed, sources.Ramp, sources.Pct(1), nil},
		"back":                 {at(30), sources.Back, sources.Pct(25), nil},
		"back below the first": {at(1), sources.Back, 0, nil},
		"back at 0":            {at(0), sources.Back, 0, sources.ErrInvalid},
		"kill":                 {at(30), sources.Kill, 0, nil},
		"kill again":           {killed, sources.Kill, 0, sources.ErrInvalid},
		"kill custom":          {custom, sources.Kill, 0, nil},
		"ramp custom":          {custom, sources.Ramp, 0, sources.ErrUnsupported},
		"back on broken":       {sources.Flag{}, sources.Back, 0, sources.ErrUnsupported},
		"undo":                 {at(5), sources.Undo, 0, sources.ErrInvalid},
	} {
		got, err := c.flag.Plan(c.kind)
		require.ErrorIs(t, err, c.err, name)
		require.Equal(t, c.want, got, name)
	}
}

func TestAFlagInFewWords(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]sources.Flag{
		"killed": {Killed: true, Rollout: sources.Some(sources.Percent(0))},
		"12.5%":  {Rollout: sources.Some(sources.Percent(12_500))},
		"custom": {State: sources.FlagCustom},
		"broken": {},
	} {
		require.Equal(t, want, f.Brief())
	}
}

func TestALatencyIsHeldAgainstItsSLO(t *testing.T) {
	t.Parallel()
	p99 := func(s float64) sources.Quantile { return sources.Quantile{Seconds: s, OK: true} }
	over := func(s float64) sources.Quantile { return sources.Quantile{Seconds: s, OK: true, Over: true} }
	slo := 500 * time.Millisecond
	for name, c := range map[string]struct {
		q    sources.Quantile
		rate sources.Value
		slo  time.Duration
		want sources.Verdict
	}{
		"within":                        {p99(0.4), sources.Some(1.0), slo, sources.VerdictOK},
		"exactly":                       {p99(0.5), sources.Some(1.0), slo, sources.VerdictOK},
		"above":                         {p99(0.51), sources.Some(1.0), slo, sources.VerdictBreached},
		"over a bucket at the SLO":      {over(0.5), sources.Some(1.0), slo, sources.VerdictBreached},
		"over a bucket below the SLO":   {over(0.1), sources.Some(1.0), slo, sources.VerdictUnknown},
		"no SLO":                        {p99(9), sources.Some(1.0), 0, sources.VerdictNone},
		"no metric":                     {sources.Quantile{}, sources.Value{}, slo, sources.VerdictUnknown},
		"no traffic":                    {sources.Quantile{}, sources.Some(0.0), slo, sources.VerdictNoTraffic},
		"traffic but no quantile of it": {sources.Quantile{}, sources.Some(3.0), slo, sources.VerdictUnknown},
	} {
		require.Equal(t, c.want, sources.Judge(c.q, c.rate, c.slo), name)
	}
}

func TestTheWorstComesFirst(t *testing.T) {
	t.Parallel()
	breakers := []sources.Breaker{
		{Name: "closed", State: sources.BreakerClosed},
		{Name: "disabled", State: sources.BreakerDisabled},
		{Name: "unknown"},
		{Name: "open 2", State: sources.BreakerOpen, ErrorRatio: sources.Some(0.1)},
		{Name: "half", State: sources.BreakerHalfOpen},
		{Name: "open 1", State: sources.BreakerForcedOpen, ErrorRatio: sources.Some(0.9)},
		{Name: "open 3", State: sources.BreakerOpen},
	}
	slices.SortFunc(breakers, sources.CompareBreakers)
	var names []string
	for _, b := range breakers {
		names = append(names, b.Name)
	}
	require.Equal(t, []string{"open 1", "open 2", "open 3", "half", "unknown", "disabled", "closed"}, names)

	latencies := []sources.Latency{
		{Name: "idle", Verdict: sources.VerdictNoTraffic},
		{Name: "ok", Verdict: sources.VerdictOK, P99: sources.Quantile{Seconds: 0.1, OK: true}},
		{Name: "slower", Verdict: sources.VerdictNone, P99: sources.Quantile{Seconds: 2, OK: true}},
		{Name: "unknown"},
		{Name: "breached", Verdict: sources.VerdictBreached, P99: sources.Quantile{Seconds: 1, OK: true}},
	}
	slices.SortFunc(latencies, sources.CompareLatencies)
	names = nil
	for _, l := range latencies {
		names = append(names, l.Name)
	}
	require.Equal(t, []string{"breached", "unknown", "slower", "ok", "idle"}, names)
}

func TestAnAbsentNumberIsNullAndNeverZero(t *testing.T) {
	t.Parallel()
	for in, want := range map[sources.Value]string{
		{}:                        "null",
		{V: 3}:                    "null",
		sources.Some(0.0):         "0",
		sources.Some(0.25):        "0.25",
		sources.Some(math.Inf(1)): "null",
		sources.Measured(0):       "0",
	} {
		raw, err := json.Marshal(in)
		require.NoError(t, err)
		require.Equal(t, want, string(raw))
	}
	require.False(t, sources.Measured(math.NaN()).OK)
	require.InDelta(t, 7, sources.Value{}.Or(7), 0)

	v := sources.Some(1.0)
	require.NoError(t, json.Unmarshal([]byte(" null "), &v))
	require.Equal(t, sources.Value{}, v)
	require.NoError(t, json.Unmarshal([]byte("2"), &v))
	require.Equal(t, sources.Some(2.0), v)
	require.Error(t, json.Unmarshal([]byte(`"x"`), &v))
	require.False(t, v.OK, "what could not be read is not there")
}

func TestExposuresTellNotSeenFromZero(t *testing.T) {
	t.Parallel()
	var none *sources.ExposureSet
	require.False(t, none.Exposure("a", "on").OK)
	s := &sources.ExposureSet{ByKey: map[string]map[string]float64{"a": {"off": 1}}}
	require.Equal(t, sources.Some(0.0), s.Exposure("a", "on"))
	require.Equal(t, sources.Some(1.0), s.Exposure("a", "off"))
	require.False(t, s.Exposure("b", "on").OK)
}

func TestATrendOverwritesItsOldestPointAndLeavesTheOneBeforeAlone(t *testing.T) {
	t.Parallel()
	var tr sources.Trend
	for i := range sources.TrendLen + 3 {
		before := tr
		tr = tr.Add(float64(i))
		require.Equal(t, min(i, sources.TrendLen), before.Len)
	}
	require.Equal(t, sources.TrendLen, tr.Len)
	require.Equal(t, 3, tr.Head)
	require.InDelta(t, sources.TrendLen+2, tr.Points[2], 0)
	require.InDelta(t, 3, tr.Points[3], 0)
}

func TestWordsOfValuesNobodyKnowsAreTheCautiousOnes(t *testing.T) {
	t.Parallel()
	require.Equal(t, "unknown", sources.BreakerState(99).String())
	require.Equal(t, "unknown", sources.BreakerState(-1).String())
	require.Equal(t, "broken", sources.FlagState(99).String())
	for _, odd := range []int{-1, 99} {
		require.Equal(t, "unknown", sources.Health(odd).String())
		require.Equal(t, "unknown", sources.Verdict(odd).String())
	}
}

func TestCleanMakesAnythingSafeToPrint(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":             "plain",
		"":                  "",
		"a\x1b[31mb":        "a∙[31mb",
		"tab\there\r\n":     "tab here  ",
		"\u202egpj":         "∙gpj",
		"a\u0085b\x7f":      "a∙b∙",
		"\xff\xfe":          "∙∙",
		"\ufffd":            "\ufffd",
		"nb\u00a0sp\u2028x": "nb sp x",
		"\ue000":            "∙",
		"grüße 你好":          "grüße 你好",
		"0123456789abc":     "0123456789⋯",
		"éééééééééé":        "éééééééééé",
	} {
		require.Equal(t, want, sources.Clean(in, 10), "%q", in)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "ok", "\x1b[2J", "\xff", "é\u202e", "\U000e0041"} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := sources.Clean(s, limit)
		require.True(t, utf8.ValidString(got))
		require.LessOrEqual(t, utf8.RuneCountInString(got), max(0, limit)+1)
		for _, r := range got {
			require.False(t, unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs), "%q", r)
		}
		require.Equal(t, got, sources.Clean(got, max(0, limit)+1), "clean stays clean")
	})
}

func FuzzParsePercent(f *testing.F) {
	for _, s := range []string{"25", "0.5%", "-1", "1e9", "100.0000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := sources.ParsePercent(s)
		if err != nil {
			require.ErrorIs(t, err, sources.ErrInvalid)
			return
		}
		require.Equal(t, p, p.Clamp())
		back, err := sources.ParsePercent(p.String() + "%")
		require.NoError(t, err)
		require.Equal(t, p, back)
	})
}

func TestExposureIsAbsentWhereNothingWasSeenOrThereIsNoOneVariant(t *testing.T) {
	t.Parallel()
	var none *sources.ExposureSet
	require.False(t, none.Exposure("a", "on").OK)
	s := &sources.ExposureSet{ByKey: map[string]map[string]float64{"a": {"on": 0.25, "off": 0.75}}}
	require.Equal(t, sources.Some(0.25), s.Exposure("a", "on"))
	require.Equal(t, sources.Some(0.0), s.Exposure("a", "new"), "evaluated, and nobody got it")
	require.False(t, s.Exposure("a", "").OK, "custom targeting has no one variant")
	require.False(t, s.Exposure("b", "on").OK)
}
