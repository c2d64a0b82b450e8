package flags_test

import (
	"fmt"
	"testing"

	"relctl-tui/views/flags"
	"relctl-tui/views/viewtest"
)

// BenchmarkView is one frame of 120x40. Its cost must not depend on how many
// flags there are.
func BenchmarkView(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := open(b, viewtest.Many(n))
			m.SetSize(120, 31)
			b.ReportAllocs()
			for b.Loop() {
				_ = m.View()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/30, "µs/row")
		})
	}
}

// BenchmarkFilter is one key of a filter that grows over 10,000 flags, and its
// first key, which sees them all.
func BenchmarkFilter(b *testing.B) {
	s := viewtest.Many(10_000)
	run := func(b *testing.B, first, next string) {
		base := open(b, s)
		base.SetFilter(first)
		for b.Loop() {
			m := base
			m.SetFilter(next)
		}
	}
	b.Run("first", func(b *testing.B) { run(b, "", "s") })
	b.Run("next", func(b *testing.B) { run(b, "fea1", "fea12") })
	b.Run("inverse", func(b *testing.B) { run(b, "", "!7") })
}

// BenchmarkSnapshot is a snapshot with unchanged flags, as every second brings
// one, and one with changed flags.
func BenchmarkSnapshot(b *testing.B) {
	s := viewtest.Many(10_000)
	next := *s
	next.FlagsSeq++
	b.Run("measured", func(b *testing.B) {
		m := open(b, s)
		for b.Loop() {
			m.SetSnapshot(s, viewtest.Now())
		}
	})
	b.Run("flags", func(b *testing.B) {
		m := open(b, s)
		for i := 0; b.Loop(); i++ {
			if i%2 == 0 {
				m.SetSnapshot(&next, viewtest.Now())
			} else {
				m.SetSnapshot(s, viewtest.Now())
			}
		}
	})
}

var _ viewtest.Pane = (*flags.Model)(nil)
