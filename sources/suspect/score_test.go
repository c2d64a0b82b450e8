package suspect_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/suspect"
)

// A ranking is one way to name suspects: the changes' IDs, the most likely first.
type ranking func(in *incident) []string

func ours(in *incident) []string {
	r := suspect.Rank(in.Series, in.Changes)
	out := make([]string, len(r.Suspects))
	for i, s := range r.Suspects {
		out[i] = in.Changes[s.Change].ID
	}
	return out
}

// breach is when a baseline would be asked: the first point over a limit.
func breach(in *incident) (time.Time, bool) {
	var first time.Time
	for i := range in.Series {
		s := &in.Series[i]
		run := 0
		for n, v := range s.Points {
			if run++; !(v > s.Limit) {
				run = 0
			}
			if at := s.Start.Add(time.Duration(n) * s.Step); run == 3 && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
	}
	return first, !first.IsZero()
}

// newest is the baseline of most people: the last change before the breach.
func newest(in *incident) []string {
	return baseline(in, func(a, b suspect.Change) int { return b.At.Compare(a.At) })
}

// largest is the other: the change of the hour that reached most.
func largest(in *incident) []string {
	return baseline(in, func(a, b suspect.Change) int {
		x, y := math.Abs(a.To-a.From), math.Abs(b.To-b.From)
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		default:
			return b.At.Compare(a.At)
		}
	})
}

func baseline(in *incident, order func(a, b suspect.Change) int) []string {
	at, ok := breach(in)
	if !ok {
		return nil
	}
	var before []suspect.Change
	for _, c := range in.Changes {
		if !c.At.After(at) {
			before = append(before, c)
		}
	}
	slices.SortStableFunc(before, order)
	out := make([]string, len(before))
	for i, c := range before {
		out[i] = c.ID
	}
	return out
}

type tally struct{ first, three, of, alarms, quiet int }

func (t *tally) add(in *incident, named []string) {
	if in.Kind == "quiet" {
		t.quiet++
		if len(named) > 0 {
			t.alarms++
		}
		return
	}
	t.of++
	hit := func(n int) bool {
		return slices.ContainsFunc(named[:min(n, len(named))], func(id string) bool { return slices.Contains(in.Causes, id) })
	}
	if hit(1) {
		t.first++
	}
	if hit(3) {
		t.three++
	}
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

// score prints the table of a corpus and is our row of it.
func score(t *testing.T, name string, cases []incident) tally {
	t.Helper()
	var b strings.Builder
	var mine tally
	fmt.Fprintf(&b, "%s: %d cases\n%-24s %8s %8s %8s\n", name, len(cases), "", "first", "of three", "alarms")
	for _, row := range []struct {
		name string
		rank ranking
	}{{"suspects", ours}, {"most recent change", newest}, {"largest exposure", largest}} {
		all, by := tally{}, map[string]*tally{}
		for i := range cases {
			named := row.rank(&cases[i])
			all.add(&cases[i], named)
			if by[cases[i].Kind] == nil {
				by[cases[i].Kind] = &tally{}
			}
			by[cases[i].Kind].add(&cases[i], named)
		}
		fmt.Fprintf(&b, "%-24s %7.1f%% %7.1f%% %7.1f%%\n", row.name, share(all.first, all.of), share(all.three, all.of), share(all.alarms, all.quiet))
		if row.name == "suspects" {
			mine = all
			for _, kind := range kinds {
				if k := by[kind]; k != nil {
					fmt.Fprintf(&b, "  %-22s %7.1f%% %7.1f%%   of %d\n", kind, share(k.first, k.of), share(k.three, k.of), k.of)
				}
			}
		}
	}
	t.Log(b.String())
	return mine
}

// update writes the corpus anew, with go test ./sources/suspect -run Corpus -update.
var update = flag.Bool("update", false, "write testdata/corpus.json.gz anew")

const (
	kept = "testdata/corpus.json.gz"
	seed = 20260105 // of the corpus that is kept
)

// stored is a case as the file keeps it: points in thousandths of what they are
// rounded to, null for a gap.
type stored struct {
	incident
	Points [][]*float64 `json:"points"`
	Limits []float64    `json:"limits"`
}

func load(t testing.TB) []incident {
	t.Helper()
	raw, err := os.ReadFile(kept)
	require.NoError(t, err)
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	require.NoError(t, err)
	var all []stored
	require.NoError(t, json.NewDecoder(io.LimitReader(zip, 64<<20)).Decode(&all))
	out := make([]incident, len(all))
	for i := range all {
		out[i] = all[i].incident
		for n, points := range all[i].Points {
			s := &services[len(services)-1-n/2]
			what, unit := "p99", "s"
			if n%2 == 1 {
				what, unit = "errors", ""
			}
			series := suspect.Series{
				Name: s.name + " " + what, Service: s.name, Unit: unit, Start: began, Step: step,
				Limit: all[i].Limits[n], Rate: s.rate, Calls: s.calls,
			}
			for _, v := range points {
				if v == nil {
					series.Points = append(series.Points, math.NaN())
				} else {
					series.Points = append(series.Points, *v)
				}
			}
			out[i].Series = append(out[i].Series, series)
		}
	}
	return out
}

func save(t *testing.T, cases []incident) {
	t.Helper()
	all := make([]stored, len(cases))
	for i := range cases {
		all[i].incident = cases[i]
		for _, s := range cases[i].Series {
			points := make([]*float64, len(s.Points))
			for n := range s.Points {
				if !math.IsNaN(s.Points[n]) {
					points[n] = &s.Points[n]
				}
			}
			all[i].Points, all[i].Limits = append(all[i].Points, points), append(all[i].Limits, s.Limit)
		}
	}
	var b bytes.Buffer
	zip, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	require.NoError(t, err)
	require.NoError(t, json.NewEncoder(zip).Encode(all))
	require.NoError(t, zip.Close())
	require.NoError(t, os.MkdirAll("testdata", 0o750))
	require.NoError(t, os.WriteFile(kept, b.Bytes(), 0o600))
}

func TestTheTrueCauseOfTheCorpusIsNamedFirst(t *testing.T) {
	t.Parallel()
	if *update {
		save(t, corpus(seed, 200, 200))
	}
	cases := load(t)
	mine := score(t, "the corpus that is kept", cases)
	require.Equal(t, 200, mine.of)
	require.Equal(t, 200, mine.quiet)
	require.GreaterOrEqual(t, share(mine.first, mine.of), 85.0)
	require.GreaterOrEqual(t, share(mine.three, mine.of), 95.0)
	require.LessOrEqual(t, share(mine.alarms, mine.quiet), 2.0)
}

func TestTheCorpusThatIsKeptIsWhatTheGeneratorMakesOfItsSeed(t *testing.T) {
	t.Parallel()
	cases, again := load(t), corpus(seed, 200, 200)
	require.Len(t, cases, len(again))
	for i := range cases {
		require.Equal(t, again[i].Causes, cases[i].Causes)
		require.Len(t, cases[i].Changes, len(again[i].Changes))
		for n := range again[i].Series {
			require.InDeltaSlice(t, solid(again[i].Series[n].Points), solid(cases[i].Series[n].Points), 1e-12)
		}
	}
}

// solid is points without their gaps.
func solid(xs []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(xs), math.IsNaN)
}

// The rules were tuned on other seeds than the one that is kept, so a seed that
// nobody has looked at must do as well.
func TestSeedsThatNothingWasTunedOnScoreAsWell(t *testing.T) {
	t.Parallel()
	for other := uint64(101); other < 104; other++ {
		mine := score(t, fmt.Sprint("seed ", other), corpus(other, 200, 200))
		require.GreaterOrEqual(t, share(mine.first, mine.of), 85.0)
		require.GreaterOrEqual(t, share(mine.three, mine.of), 95.0)
		require.LessOrEqual(t, share(mine.alarms, mine.quiet), 2.0)
	}
}
