package record_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"relctl-tui/sources"
	"relctl-tui/sources/record"
)

// fleet is a board's life at a given size, two snapshots a second as with two sources
// that are read every second: every measured number moves each time, a flag changes
// now and then, and what did not change is shared, as the live engine shares it.
type fleet struct {
	r *rand.Rand
	s sources.Snapshot
}

func newFleet(flags, latencies, breakers int) *fleet {
	f := &fleet{r: rand.New(rand.NewPCG(1, 1))}
	f.s = sources.Snapshot{At: start, Context: "prod", Trends: map[string]sources.Trend{}, Exposures: &sources.ExposureSet{}, Sources: []sources.SourceStatus{
		{Name: "prod.flagd.json", Kind: "flagd", Health: sources.Fresh, Flags: true, Writable: true},
		{Name: "prometheus", Kind: "prometheus", Health: sources.Fresh, Metrics: true},
	}}
	for i := range flags {
		key := fmt.Sprintf("flag-%04d", i)
		f.s.Flags = append(f.s.Flags, sources.Flag{
			ID: sources.FlagID{Source: "prod.flagd.json", Key: key}, Name: key, Owner: "checkout", Description: "a flag among many others",
			State: sources.FlagOn, Variant: "on", Rollout: sources.Some(sources.Pct(i % 101)), Stored: sources.Some(sources.Pct(i % 101)),
			Revision: sources.RevisionOf([]byte(key)), ChangedAt: start.Add(-time.Hour), ChangedBy: "ana",
		})
	}
	for i := range latencies {
		f.s.Latencies = append(f.s.Latencies, sources.Latency{Source: "prometheus", Name: fmt.Sprintf("service %03d", i), SLO: time.Second, Verdict: sources.VerdictOK})
	}
	for i := range breakers {
		f.s.Breakers = append(f.s.Breakers, sources.Breaker{Source: "prometheus", Name: fmt.Sprintf("to service %03d", i), State: sources.BreakerClosed, Instances: 12})
	}
	f.next()
	return f
}

func (f *fleet) next() *sources.Snapshot {
	s := &f.s
	s.Seq++
	s.At = s.At.Add(time.Second / 2)
	some := func(mean float64) sources.Value { return sources.Some(mean * f.r.ExpFloat64()) }
	s.Latencies = slices.Clone(s.Latencies)
	trends := make(map[string]sources.Trend, len(s.Latencies))
	for i := range s.Latencies {
		l := &s.Latencies[i]
		q := func(mean float64) sources.Quantile {
			return sources.Quantile{Seconds: mean * f.r.ExpFloat64(), OK: true}
		}
		l.P50, l.P95, l.P99, l.Rate, l.ErrorRatio = q(.02), q(.1), q(.3), some(200), some(.001)
		trends[l.Name] = s.Trends[l.Name].Add(l.P99.Seconds)
	}
	slices.SortFunc(s.Latencies, sources.CompareLatencies)
	s.Trends = trends
	s.Breakers = slices.Clone(s.Breakers)
	for i := range s.Breakers {
		s.Breakers[i].ErrorRatio, s.Breakers[i].Rate = some(.001), some(200)
	}
	slices.SortFunc(s.Breakers, sources.CompareBreakers)
	seen := make(map[string]map[string]float64, len(s.Flags))
	for i := range s.Flags {
		seen[s.Flags[i].ID.Key] = map[string]float64{"on": f.r.Float64()}
	}
	s.Exposures = &sources.ExposureSet{ByKey: seen, ReadAt: s.At}
	if f.r.IntN(20) == 0 { // about every ten seconds
		s.Flags = slices.Clone(s.Flags)
		fl := &s.Flags[f.r.IntN(len(s.Flags))]
		was := fl.Brief()
		fl.Rollout = sources.Some(sources.Pct(f.r.IntN(101)))
		fl.Revision, fl.ChangedAt = sources.RevisionOf([]byte(fl.Brief())), s.At
		s.Activity = append([]sources.Activity{{
			ID: fmt.Sprint(s.Seq), At: s.At, Kind: "ramp", Flag: fl.ID, Name: fl.Name, Actor: "ana", Old: was, New: fl.Brief(), Outcome: sources.Confirmed,
		}}, s.Activity[:min(len(s.Activity), 199)]...)
	}
	s.Sources = slices.Clone(s.Sources)
	for i := range s.Sources {
		s.Sources[i].LastOK = s.At.Add(-time.Duration(f.r.IntN(1e6)))
	}
	out := *s
	return &out
}

// What it costs to record a board, beside the plain way in the same run: every snapshot
// as JSON into the same compression. The share of a CPU is that at two snapshots a second.
func BenchmarkRecordingABoard(b *testing.B) {
	for _, size := range []struct{ flags, latencies, breakers int }{{25, 6, 4}, {200, 30, 20}, {1000, 100, 60}} {
		f := newFleet(size.flags, size.latencies, size.breakers)
		shots := make([]*sources.Snapshot, 240)
		for i := range shots {
			shots[i] = f.next()
		}
		name := fmt.Sprintf("flags=%d/latencies=%d", size.flags, size.latencies)
		var cells int
		b.Run(name+"/recorder", func(b *testing.B) {
			var out counted
			before := spent(b)
			for b.Loop() {
				out = 0
				w := record.NewWriter(func() io.Writer { return &out })
				for i, s := range shots {
					if err := w.Add(s, 0); err != nil {
						b.Fatal(err)
					}
					if i%2 == 1 { // each second, as a file is flushed
						_ = w.Flush()
					}
				}
				_ = w.Close()
				cells = w.Stats().Cells
			}
			report(b, spent(b)-before, len(shots), cells, out)
		})
		b.Run(name+"/flight and file", func(b *testing.B) {
			before := spent(b)
			var bytes counted
			for b.Loop() {
				path := filepath.Join(b.TempDir(), "r.gz")
				_ = os.Remove(path)
				file, err := record.Create(path)
				if err != nil {
					b.Fatal(err)
				}
				flight := record.NewFlight(0, 0)
				for i, s := range shots {
					if err := flight.Add(s, 0); err != nil {
						b.Fatal(err)
					}
					if i%2 == 1 {
						_ = file.Copy(flight)
					}
				}
				if _, err := file.Close(flight); err != nil {
					b.Fatal(err)
				}
				bytes = counted(flight.Size())
			}
			report(b, spent(b)-before, len(shots), cells, bytes)
		})
		b.Run(name+"/plain", func(b *testing.B) {
			var out counted
			before := spent(b)
			for b.Loop() {
				out = 0
				zip, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
				enc := json.NewEncoder(zip)
				for i, s := range shots {
					if err := enc.Encode(s); err != nil {
						b.Fatal(err)
					}
					if i%2 == 1 {
						_ = zip.Flush()
					}
				}
				_ = zip.Close()
			}
			report(b, spent(b)-before, len(shots), cells, out)
		})
	}
}

// spent is the CPU time of this process, which a busy machine does not change.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func report(b *testing.B, cpu time.Duration, shots, cells int, out counted) {
	b.Helper()
	each := float64(cpu) / float64(b.N) / float64(shots)
	b.ReportMetric(each/1e3, "µs/snapshot")
	b.ReportMetric(each*2/1e9*100, "%CPU")
	b.ReportMetric(float64(out)/float64(cells), "B/cell")
	b.ReportMetric(0, "ns/op")
}

type counted int

func (c *counted) Write(p []byte) (int, error) { *c += counted(len(p)); return len(p), nil }

// How long a seek to any moment of half an hour takes.
func BenchmarkSeekingInHalfAnHour(b *testing.B) {
	f := newFleet(200, 30, 20)
	var file bytes.Buffer
	w := record.NewWriter(func() io.Writer { return &file })
	for range 3600 {
		if err := w.Add(f.next(), 0); err != nil {
			b.Fatal(err)
		}
	}
	_ = w.Close()
	rec := open(b, file.Bytes())
	dice := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		if _, _, err := rec.At(rec.From.Add(time.Duration(dice.Int64N(int64(rec.To.Sub(rec.From)))))); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(file.Len())/(1<<20), "MB")
}
