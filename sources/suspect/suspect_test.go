package suspect_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"relctl-tui/sources/suspect"
)

// flat is a series about a level with a little noise, which rises to another at a
// point; after is 0 for never.
func flat(name, service string, level, after float64, at int) suspect.Series {
	rng := rand.New(rand.NewPCG(1, uint64(len(name))))
	s := suspect.Series{Name: name, Service: service, Unit: "s", Start: began, Step: step, Limit: level * 3}
	for i := range 120 {
		v := level
		if after > 0 && i >= at {
			v = after
		}
		s.Points = append(s.Points, v*math.Exp(0.05*rng.NormFloat64()))
	}
	return s
}

func flagChange(id, flag string, point float64, from, to float64, services ...string) suspect.Change {
	return suspect.Change{
		ID: id, Subject: flag, At: moment(point), From: from, To: to, Services: services,
		What: fmt.Sprintf("%g%% to %g%%", from*100, to*100), Rate: 100,
	}
}

func TestASuspectSaysWhyInOneSentenceWithItsNumbers(t *testing.T) {
	t.Parallel()
	series := []suspect.Series{flat("payment API p99", "payment", 0.1, 3.2, 82)}
	r := suspect.Rank(series, []suspect.Change{
		flagChange("1", "new-footer", 70, 0, 1, "web"),
		flagChange("2", "checkout-v2", 80, 0.1, 0.5, "payment"),
		flagChange("3", "search-ranking", 84, 0, 1, "payment"),
	})
	require.Len(t, r.Onsets, 1)
	require.Equal(t, moment(82), r.Onsets[0].At)
	require.Len(t, r.Suspects, 1, "what came after, and what moves something else, is no suspect")
	require.Equal(t, "strong", r.Suspects[0].Word())
	require.Equal(t, "checkout-v2 10% to 50%, 30 s before payment API p99 rose from 100 ms to 3.2 s; it is on payment; it moved 40 req/s", r.Suspects[0].Why)
}

func TestWhereNothingBreachesThereIsNoSuspect(t *testing.T) {
	t.Parallel()
	r := suspect.Rank([]suspect.Series{flat("p99", "payment", 0.1, 0, 0)}, []suspect.Change{flagChange("1", "checkout-v2", 80, 0, 1, "payment")})
	require.Empty(t, r.Onsets)
	require.Empty(t, r.Suspects)
}

func TestABreachThatNothingWasChangedBeforeHasNoSuspect(t *testing.T) {
	t.Parallel()
	r := suspect.Rank([]suspect.Series{flat("p99", "payment", 0.1, 2, 90)}, []suspect.Change{flagChange("1", "checkout-v2", 5, 0, 0.05, "web")})
	require.Len(t, r.Onsets, 1)
	require.Empty(t, r.Suspects)
}

func TestUndoingTheCauseSpeaksForItAndUndoingAnotherAgainstIt(t *testing.T) {
	t.Parallel()
	s := flat("p99", "payment", 0.1, 2, 60)
	for i := 90; i < len(s.Points); i++ {
		s.Points[i] /= 20
	}
	r := suspect.Rank([]suspect.Series{s}, []suspect.Change{
		flagChange("1", "a", 58, 0, 0.5, "payment"), flagChange("2", "b", 58, 0, 0.5, "payment"),
		flagChange("3", "b", 72, 0.5, 0, "payment"), flagChange("4", "a", 89, 0.5, 0, "payment"),
	})
	require.NotEmpty(t, r.Suspects)
	require.Equal(t, 0, r.Suspects[0].Change)
	require.True(t, r.Suspects[0].Healed)
	require.Contains(t, r.Suspects[0].Why, "undone, and it recovered")

	still := flat("p99", "payment", 0.1, 2, 60)
	r = suspect.Rank([]suspect.Series{still}, []suspect.Change{
		flagChange("1", "a", 58, 0, 0.5, "payment"), flagChange("2", "b", 57, 0, 0.5, "payment"),
		flagChange("3", "a", 80, 0.5, 0, "payment"),
	})
	require.Equal(t, 1, r.Suspects[0].Change, "taking a back changed nothing")
}

func TestADeployThatIsRolledBackIsUndoneAndAnotherVersionAfterItUndoesNothing(t *testing.T) {
	t.Parallel()
	s := flat("p99", "payment", 0.1, 2, 60)
	for i := 90; i < len(s.Points); i++ {
		s.Points[i] /= 20
	}
	deploy := func(id, was, is string, point float64) suspect.Change {
		return suspect.Change{ID: id, Subject: "payment", What: was + " to " + is, At: moment(point), Services: []string{"payment"}, To: 1, Was: was, Is: is, Rate: 100}
	}
	flag := flagChange("2", "payment", 58, 0, 1, "payment") // called as the service is
	back := suspect.Rank([]suspect.Series{s}, []suspect.Change{deploy("1", "2.0", "2.1", 58), flag, deploy("3", "2.1", "2.0", 89)})
	require.Equal(t, 0, back.Suspects[0].Change)
	require.True(t, back.Suspects[0].Healed)
	require.Contains(t, back.Suspects[0].Why, "undone, and it recovered")

	on := suspect.Rank([]suspect.Series{s}, []suspect.Change{deploy("1", "2.0", "2.1", 58), flag, deploy("3", "2.1", "2.2", 89)})
	for _, sus := range on.Suspects {
		require.Zero(t, sus.Undone)
		require.False(t, sus.Healed)
	}
}

func TestAServiceThatIsCalledAndWellIsNotToBlame(t *testing.T) {
	t.Parallel()
	checkout := flat("checkout p99", "checkout", 0.2, 3, 82)
	checkout.Calls = []string{"database", "payment"}
	series := []suspect.Series{checkout, flat("database p99", "database", 0.01, 0, 0), flat("payment p99", "payment", 0.1, 2, 81)}
	r := suspect.Rank(series, []suspect.Change{
		flagChange("1", "pool", 81, 0, 0.5, "database"), flagChange("2", "retries", 79, 0, 0.5, "payment"),
	})
	require.Equal(t, 1, r.Suspects[0].Change)
	require.Equal(t, 2, r.Suspects[0].Metrics)
}

func TestASingleOutlierAndAGapAreNoBreach(t *testing.T) {
	t.Parallel()
	s := flat("p99", "payment", 0.1, 0, 0)
	s.Points[80] = 50
	for i := 90; i < 100; i++ {
		s.Points[i] = math.NaN()
	}
	require.Empty(t, suspect.Rank([]suspect.Series{s}, nil).Onsets)
}

func TestNoInputMakesItPanicOrBlameWhatCameLater(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) float64 {
			if v := rapid.Float64().Draw(t, "any"); rapid.Bool().Draw(t, "wild") {
				return v
			}
			return rapid.SampledFrom([]float64{0, 0.1, 0.1, 3, -1, math.NaN(), math.Inf(1)}).Draw(t, "v")
		}), 0, 80)
		s := suspect.Series{Name: "m", Service: "a", Start: began, Step: step, Points: values.Draw(t, "points"), Limit: rapid.Float64Range(0, 1).Draw(t, "limit")}
		changes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) suspect.Change {
			return suspect.Change{
				ID: "x", Subject: rapid.SampledFrom([]string{"f", "g"}).Draw(t, "flag"), At: moment(rapid.Float64Range(-10, 90).Draw(t, "at")),
				From: rapid.Float64().Draw(t, "from"), To: rapid.Float64().Draw(t, "to"), Services: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 0, 2).Draw(t, "services"),
			}
		}), 0, 6).Draw(t, "changes")
		r := suspect.Rank([]suspect.Series{s}, changes)
		for _, sus := range r.Suspects {
			latest := r.Onsets[0].At
			for _, o := range r.Onsets {
				if o.Until.After(latest) {
					latest = o.Until
				}
			}
			if latest.Equal(r.Onsets[0].At) {
				latest = s.Start.Add(time.Duration(len(s.Points)) * s.Step)
			}
			if changes[sus.Change].At.After(latest.Add(time.Minute)) {
				t.Fatalf("blamed %v, after %v", changes[sus.Change].At, latest)
			}
		}
	})
}

// BenchmarkRank is the largest incident that is to be judged at once: 1,000 changes,
// 200 metrics of 720 points, all of them breaching. The baseline reads every point
// once.
func BenchmarkRank(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 3))
	series := make([]suspect.Series, 200)
	for i := range series {
		s := &series[i]
		*s = suspect.Series{Name: fmt.Sprint("m", i), Service: fmt.Sprint("s", i/2), Unit: "s", Start: began, Step: 5 * time.Second, Limit: 0.5, Rate: 100}
		for p := range 720 {
			v := 0.1
			if p > 400+i {
				v = 2
			}
			s.Points = append(s.Points, v*math.Exp(0.1*rng.NormFloat64()))
		}
	}
	changes := make([]suspect.Change, 1000)
	for i := range changes {
		changes[i] = suspect.Change{
			ID: fmt.Sprint(i), Subject: fmt.Sprint("f", i%300), At: began.Add(time.Duration(rng.IntN(3600)) * time.Second),
			From: 0.1, To: 0.5, Services: []string{fmt.Sprint("s", rng.IntN(100))}, Rate: 100,
		}
	}
	b.Run("rank", func(b *testing.B) {
		for b.Loop() {
			suspect.Rank(series, changes)
		}
	})
	b.Run("baseline, one pass", func(b *testing.B) {
		sum := 0.0
		for b.Loop() {
			for i := range series {
				for _, v := range series[i].Points {
					sum += math.Log(v + 1e-3)
				}
			}
		}
		_ = sum
	})
}
