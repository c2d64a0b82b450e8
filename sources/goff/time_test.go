package goff_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func progressive(initial, end string) string {
	return boolean("defaultRule:\n  progressiveRollout:\n    initial: {variation: \"off\", " + initial + "}\n    end: {variation: \"on\", " + end + "}")
}

func upcoming(f sources.Flag) (list []string) {
	for _, u := range f.Upcoming {
		list = append(list, u.At.Format("01-02 15:04 ")+u.What)
	}
	return list
}

func TestAProgressiveRolloutHasReachedWhatItsEvaluatorComputes(t *testing.T) {
	t.Parallel()
	const whole = "date: 2026-03-01T00:00:00Z"
	for name, tc := range map[string]struct {
		yaml string
		at   map[time.Time]string
	}{
		"to all": {progressive(whole, "date: 2026-03-05T00:00:00Z"), map[time.Time]string{
			march(1, -1): "0% progressive rollout to 100% starts 2026-03-01 00:00 UTC and ends 2026-03-05 00:00 UTC",
			march(1, 0):  "0% progressive rollout to 100% ends 2026-03-05 00:00 UTC",
			march(2, 0):  "25% progressive rollout to 100% ends 2026-03-05 00:00 UTC",
			march(3, 1):  "51.041% progressive rollout to 100% ends 2026-03-05 00:00 UTC",
			march(5, 0):  "100% progressive rollout to 100% ended 2026-03-05 00:00 UTC",
			march(30, 0): "100% progressive rollout to 100% ended 2026-03-05 00:00 UTC",
		}},
		"from 20 to 80, and on": {progressive("percentage: 20, "+whole, "percentage: 80, date: 2026-03-05T00:00:00Z"), map[time.Time]string{
			march(1, -1): "0% progressive rollout to 80% starts 2026-03-01 00:00 UTC and ends 2026-03-05 00:00 UTC",
			march(1, 0):  "20% progressive rollout to 80% ends 2026-03-05 00:00 UTC",
			march(3, 0):  "50% progressive rollout to 80% ends 2026-03-05 00:00 UTC",
			march(5, 0):  "80% progressive rollout to 80% ended 2026-03-05 00:00 UTC, but GO Feature Flag goes on at the same pace",
			march(6, 0):  "95% progressive rollout to 80% ended 2026-03-05 00:00 UTC, but GO Feature Flag goes on at the same pace",
			march(7, 0):  "100% progressive rollout to 80% ended 2026-03-05 00:00 UTC, but GO Feature Flag goes on at the same pace",
		}},
		"down to nobody": {
			strings.NewReplacer("\"off\", d", "\"on\", d", "\"on\", d", "\"off\", d").Replace(progressive(whole, "date: 2026-03-05T00:00:00Z")), map[time.Time]string{
				march(1, -1): "100% progressive rollout to 0% starts 2026-03-01 00:00 UTC and ends 2026-03-05 00:00 UTC",
				march(2, 0):  "75% progressive rollout to 0% ends 2026-03-05 00:00 UTC",
				march(9, 0):  "0% progressive rollout to 0% ended 2026-03-05 00:00 UTC",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const keys = 20_000
			var moments []time.Time
			for now, want := range tc.at {
				f := read(t, tc.yaml, now)
				require.Equal(t, want, f.Brief()+" "+f.Note)
				moments = append(moments, now)
			}
			for i, got := range evaluated(t, tc.yaml, keys, moments...) {
				f := read(t, tc.yaml, moments[i])
				near(t, f.Rollout.V, got.Variants["on"], keys)
			}
		})
	}
}

// near says that a count is the percentage, as far as so many keys can tell.
func near(t testing.TB, p sources.Percent, n, keys int, about ...any) {
	t.Helper()
	share := p.Float() / 100
	slack := 5*math.Sqrt(share*(1-share)/float64(keys)) + 1e-9
	require.InDelta(t, share, float64(n)/float64(keys), slack, about...)
}

func TestAProgressiveRolloutMovesFromSecondToSecond(t *testing.T) {
	t.Parallel()
	yaml := progressive("date: 2026-03-01T00:00:00Z", "date: 2026-03-05T00:00:00Z")
	store := func(now time.Time) sources.FlagSet {
		set, err := at(file(t, yaml), now).Flags(t.Context())
		require.NoError(t, err)
		return set
	}
	for _, now := range []time.Time{march(1, -1), march(1, 0), march(2, 3), march(4, 23), march(5, 0), march(9, 0)} {
		before := store(now)
		changed := 0
		for s := range 12 {
			later := store(now.Add(time.Duration(s) * time.Second))
			if later.Flags[0].Rollout != before.Flags[0].Rollout {
				require.NotEqual(t, before.Revision, later.Revision, "another percentage is another set")
				changed++
				before = later
			}
			require.Equal(t, before.Revision, later.Revision, "the same percentage is the same set")
			require.Equal(t, before.Flags[0].Revision, later.Flags[0].Revision, "the definition is the same all the time")
		}
		running := !now.Before(march(1, 0)) && now.Before(march(5, 0))
		require.Equal(t, running, changed > 0, now)
	}
}

const scheduled = `
			defaultRule:
			  percentage: {"on": 0, "off": 100}
			scheduledRollout:
			  - date: 2026-03-05T00:00:00Z
			    defaultRule:
			      percentage: {"on": 10, "off": 90} # first
			  - date: 2026-03-15T00:00:00Z
			    defaultRule: {percentage: {"on": 50, "off": 50}}
			  - date: 2026-03-20T00:00:00Z
			    disable: true
			  - date: 2026-03-25T00:00:00Z
			    disable: false # again
			    defaultRule: {percentage: {"on": 100, "off": 0}}
`

func TestScheduledStepsAreAppliedWhenTheirTimeHasComeAndListedBefore(t *testing.T) {
	t.Parallel()
	yaml := boolean(scheduled)
	plan := []string{"03-05 00:00 10%", "03-15 00:00 50%", "03-20 00:00 killed", "03-25 00:00 100%"}
	moments := []time.Time{march(4, 0), march(5, 0), march(15, 0), march(20, 0), march(25, 0)}
	for i, brief := range []string{"0%", "10%", "50%", "killed", "100%"} {
		f := read(t, yaml, moments[i])
		require.Equal(t, brief, f.Brief())
		require.ElementsMatch(t, plan[i:], upcoming(f))
	}
	agree(t, yaml, moments...)
}

// agree compares what is read with what GO Feature Flag evaluates.
func agree(t testing.TB, yaml string, moments ...time.Time) {
	t.Helper()
	const keys = 5000
	for i, got := range evaluated(t, yaml, keys, moments...) {
		f := read(t, yaml, moments[i])
		switch {
		case f.State == sources.FlagCustom:
			require.Zero(t, got.Reasons["DISABLED"])
		case f.Killed || f.State == sources.FlagOff && f.Custom:
			require.Equal(t, "DISABLED", only(got.Reasons), "%v\n%s", moments[i], yaml)
		case f.State == sources.FlagBroken:
			require.Equal(t, "ERROR", only(got.Reasons), "%v %s\n%s", moments[i], f.Note, yaml)
		default:
			require.Zero(t, got.Reasons["DISABLED"]+got.Reasons["ERROR"], "%v\n%s", moments[i], yaml)
			near(t, f.Rollout.V, got.Variants[f.Variant], keys)
		}
	}
}

func TestAKillStaysWhateverTheScheduleWanted(t *testing.T) {
	t.Parallel()
	before := boolean(scheduled)
	after, receipt := edited(t, before, noon, kill())
	require.Equal(t, "1 step of its schedule with disable: false would have kept it on or switched it on again, from 2026-03-25 00:00 UTC; "+
		"they say disable: true now", receipt.Warning)
	want := strings.Replace(before, "  variations", "  disable: true\n  variations", 1)
	require.Equal(t, strings.Replace(want, "disable: false # again", "disable: true # again", 1), after)
	require.Equal(t, []string{"03-15 00:00 stays killed", "03-20 00:00 stays killed", "03-25 00:00 stays killed"}, upcoming(receipt.New))
	for i, got := range evaluated(t, after, 100, noon, march(16, 0), march(21, 0), march(26, 0), march(300, 0)) {
		require.Equal(t, "DISABLED", only(got.Reasons), i)
	}
	back, _ := edited(t, after, noon, undo(receipt))
	require.Equal(t, before, back)
}

func TestAKillWinsOverAStepThatWasTaken(t *testing.T) {
	t.Parallel()
	before := boolean("disable: true\ndefaultRule: {variation: \"on\"}\nscheduledRollout:\n- {date: 2026-03-01, disable: false}\n- {date: 2026-03-02, version: 2}\n")
	require.False(t, read(t, before, noon).Killed)
	agree(t, before, noon)
	after, receipt := edited(t, before, noon, kill())
	require.Equal(t, strings.Replace(before, "disable: false", "disable: true", 1), after)
	agree(t, after, noon, march(1, -1))
	back, _ := edited(t, after, noon, undo(receipt))
	require.Equal(t, before, back)

	revived, _ := edited(t, after, noon, ramp(sources.Full))
	require.False(t, read(t, revived, noon).Killed)
	agree(t, revived, noon)
}

func TestAKillSaysWhenAStepThatItMayNotTouchRevives(t *testing.T) {
	t.Parallel()
	before := "s: &s {date: 2026-03-25, disable: false}\nf:\n  variations: {a: true, b: false}\n  defaultRule: {variation: a}\n  scheduledRollout: [*s]\n"
	after, receipt := edited(t, before, noon, kill())
	require.Equal(t, strings.Replace(before, "  variations", "  disable: true\n  variations", 1), after)
	require.Equal(t, "its schedule switches it on again 2026-03-25 00:00 UTC: that step is shared with other flags and was left as it is", receipt.Warning)
	agree(t, after, noon, march(26, 0))
}

func TestARampIsWrittenWhereTheScheduleTookThePercentageFrom(t *testing.T) {
	t.Parallel()
	before := boolean(scheduled)
	after, receipt := edited(t, before, noon, ramp(sources.Pct(25)))
	require.Equal(t, strings.Replace(before, `{"on": 10, "off": 90}`, `{"on": 25, "off": 75}`, 1), after)
	require.Equal(t, "its schedule goes on 2026-03-15 00:00 UTC: 50%", receipt.Warning)
	agree(t, after, noon, march(16, 0))

	after, receipt = edited(t, before, march(21, 0), ramp(sources.Pct(25)))
	require.Contains(t, after, "disable: false\n    - date: 2026-03-25")
	require.Contains(t, after, `{percentage: {"on": 25, "off": 75}}`)
	require.Equal(t, "its schedule goes on 2026-03-25 00:00 UTC: 100%", receipt.Warning)
	agree(t, after, march(21, 0), march(26, 0))
}

func TestARampEndsAProgressiveRolloutAndSaysSo(t *testing.T) {
	t.Parallel()
	before := boolean("defaultRule:\n  name: default\n  progressiveRollout: # slowly\n    initial:\n      variation: \"off\"\n      date: 2026-03-01T00:00:00Z\n" +
		"    end:\n      variation: \"on\"\n      date: 2026-03-21T00:00:00Z # slow\ntrackEvents: false\n")
	require.Equal(t, sources.Some(sources.Percent(47_500)), read(t, before, noon).Rollout)
	require.Equal(t, []string{"03-21 00:00 100% (progressive rollout to 100% ended 2026-03-21 00:00 UTC)"}, upcoming(read(t, before, noon)))
	after, receipt := edited(t, before, noon, ramp(sources.Pct(50)))
	from, to := strings.Index(before, "progressiveRollout"), strings.Index(before, " # slow\n")
	require.Equal(t, before[:from]+"percentage: # slow\n      \"on\": 50\n      \"off\": 50"+before[to+len(" # slow"):], after)
	require.Equal(t, "the progressive rollout from 2026-03-01 00:00 UTC to 2026-03-21 00:00 UTC was ended, the percentage is a fixed one now", receipt.Warning)
	agree(t, after, noon, march(30, 0))
	back, _ := edited(t, after, noon, undo(receipt))
	require.Equal(t, before, back)
}

func TestAnExperimentIsServedWithinItsDatesAlone(t *testing.T) {
	t.Parallel()
	yaml := boolean("defaultRule: {percentage: {\"on\": 50, \"off\": 50}}\nexperimentation: {start: 2026-03-05T00:00:00Z, end: 2026-03-15T00:00:00Z}")
	for now, want := range map[time.Time]string{
		march(4, 0):                   "off 0% the experiment starts 2026-03-05 00:00 UTC, so everybody gets the default in code",
		march(5, 0):                   "on 50% ",
		march(15, 0):                  "on 50% ",
		march(15, 0).Add(1):           "off 0% the experiment ended 2026-03-15 00:00 UTC, so everybody gets the default in code",
		march(15, 0).Add(time.Hour):   "off 0% the experiment ended 2026-03-15 00:00 UTC, so everybody gets the default in code",
		march(5, 0).Add(-time.Second): "off 0% the experiment starts 2026-03-05 00:00 UTC, so everybody gets the default in code",
	} {
		f := read(t, yaml, now)
		require.Equal(t, want, f.State.String()+" "+f.Brief()+" "+f.Note, now)
		require.Equal(t, sources.Some(sources.Pct(50)), f.Stored)
		require.Equal(t, f.State == sources.FlagOff, f.CanRamp() != nil)
		agree(t, yaml, now)
	}
	require.Equal(t, []string{
		"03-05 00:00 50%", "03-15 00:00 0% (the experiment ended 2026-03-15 00:00 UTC, so everybody gets the default in code)",
	}, upcoming(read(t, yaml, march(4, 0))))
	after, receipt := edited(t, yaml, march(4, 0), kill())
	require.True(t, receipt.New.Killed)
	require.EqualError(t, receipt.New.CanRamp(), "f cannot be ramped (the experiment starts 2026-03-05 00:00 UTC): not supported")
	agree(t, after, march(4, 0), noon, march(20, 0))
}

func TestTheScheduleIsMergedAsGoFeatureFlagMergesIt(t *testing.T) {
	t.Parallel()
	for name, rest := range map[string]string{
		"a variation loses to a percentage": `
			defaultRule: {percentage: {"on": 30, "off": 70}}
			scheduledRollout: [{date: 2026-03-01, defaultRule: {variation: "on"}}]`,
		"a percentage loses to a progressive rollout": `
			defaultRule: {progressiveRollout: {initial: {variation: "off", date: 2026-03-01}, end: {variation: "on", date: 2026-03-21}}}
			scheduledRollout: [{date: 2026-03-02, defaultRule: {percentage: {"on": 100, "off": 0}}}]`,
		"a percentage is merged name by name": `
			defaultRule: {percentage: {"on": 50, "off": 50}}
			scheduledRollout: [{date: 2026-03-01, defaultRule: {percentage: {"on": 100}}}]`,
		"a negative percentage takes a name out": `
			defaultRule: {percentage: {"on": 50, "off": 50}}
			scheduledRollout: [{date: 2026-03-01, defaultRule: {percentage: {"off": -1}}}]`,
		"the order of the list counts, not that of the dates": `
			defaultRule: {variation: "off"}
			scheduledRollout: [{date: 2026-03-05, disable: false}, {date: 2026-03-01, disable: true}]`,
		"a step without a date is none": `
			defaultRule: {variation: "off"}
			scheduledRollout: [{disable: true}]`,
		"rules of a step before the last are gone": `
			defaultRule: {variation: "off"}
			scheduledRollout:
			- {date: 2026-03-01, targeting: [{name: x, query: "key sw \"user\"", variation: "on"}]}
			- {date: 2026-03-02, version: 2}`,
		"rules of the last step stay": `
			defaultRule: {variation: "off"}
			scheduledRollout:
			- {date: 2026-03-01, targeting: [{name: x, query: "key sw \"user\"", variation: "on"}]}`,
		"a progressive rollout is moved": `
			defaultRule: {progressiveRollout: {initial: {variation: "off", date: 2026-03-01}, end: {variation: "on", date: 2026-03-21}}}
			scheduledRollout: [{date: 2026-03-02, defaultRule: {progressiveRollout: {end: {percentage: 40}}}}]`,
		"a progressive rollout comes by the schedule": `
			defaultRule: {variation: "off"}
			scheduledRollout: [{date: 2026-03-02, defaultRule: {progressiveRollout: {initial: {variation: "off", date: 2026-03-03}, end: {variation: "on", date: 2026-03-13}}}}]`,
		"half a progressive rollout comes by the schedule": `
			defaultRule: {variation: "off"}
			scheduledRollout: [{date: 2026-03-02, defaultRule: {progressiveRollout: {initial: {variation: "off", date: 2026-03-03}}}}]`,
		"an experiment comes by the schedule": `
			defaultRule: {variation: "on"}
			scheduledRollout: [{date: 2026-03-02, experimentation: {start: 2026-04-01}}]`,
		"an experiment is made longer": `
			defaultRule: {variation: "on"}
			experimentation: {end: 2026-03-05}
			scheduledRollout: [{date: 2026-03-02, experimentation: {end: 2026-03-15}}]`,
		"a variation of another name": `
			defaultRule: {variation: "on"}
			scheduledRollout: [{date: 2026-03-02, defaultRule: {variation: nope}}]`,
		"a value that is not for JSON": `
			defaultRule: {variation: "on"}
			metadata: {a: {1: b}}
			scheduledRollout: [{date: 2026-03-02, version: 2}]`,
		"quoted dates": `
			defaultRule: {percentage: {"on": 50, "off": 50}}
			scheduledRollout: [{date: "2026-03-01T00:00:00+02:00", defaultRule: {percentage: {"on": 70, "off": 30}}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			moments := []time.Time{march(1, -5), march(1, 0), march(2, 0), noon, march(14, 0), march(40, 0)}
			switch yaml := boolean(rest); name {
			case "a variation of another name":
				require.Equal(t, sources.FlagBroken, read(t, yaml, noon).State)
				require.Zero(t, evaluated(t, yaml, 10, noon)[0].Variants["on"])
			case "a value that is not for JSON":
				require.Equal(t, sources.FlagBroken, read(t, yaml, noon).State)
				require.Equal(t, "ERROR", only(evaluated(t, yaml, 10, noon)[0].Reasons))
			default:
				// What is custom has no number to compare, so only this one may be.
				require.Equal(t, name == "rules of the last step stay", read(t, yaml, noon).State == sources.FlagCustom)
				agree(t, yaml, moments...)
			}
		})
	}
}
