package sources

import (
	"context"
	"fmt"
	"math"
	"time"
)

// SeriesReader reads how one number went, for a chart. It is asked for what somebody
// looks at, when it is opened and then seldom: it may cost far more than a refresh.
type SeriesReader interface {
	// Series reads a span that ends now. ErrNotFound means that the source measures no
	// such thing, and never that it has no samples of it: those are gaps.
	Series(ctx context.Context, q SeriesQuery) (Series, error)
}

// SeriesQuery names one number and a span: a latency by its name, or else the
// exposure of a variant of a flag. It can be compared with ==.
type SeriesQuery struct {
	Latency string
	Flag    string // the key, exactly as it is exported
	Variant string
	Span    time.Duration
	Points  int // how many are wanted, at most
}

// The bounds of a SeriesQuery.
const (
	MinSeriesSpan   = time.Minute
	MaxSeriesSpan   = 7 * 24 * time.Hour
	MaxSeriesPoints = 500
)

// Check is ErrInvalid where q is outside of the bounds, or names nothing or both.
func (q SeriesQuery) Check() error {
	switch {
	case (q.Latency == "") == (q.Flag == ""):
		return fmt.Errorf("a series is of one latency or of one flag: %w", ErrInvalid)
	case q.Flag != "" && q.Variant == "":
		return fmt.Errorf("the flag has no one variant whose exposure could be drawn: %w", ErrUnsupported)
	case q.Span < MinSeriesSpan || q.Span > MaxSeriesSpan:
		return fmt.Errorf("a series spans %s to %s: %w", MinSeriesSpan, MaxSeriesSpan, ErrInvalid)
	case q.Points < 2 || q.Points > MaxSeriesPoints:
		return fmt.Errorf("a series has 2 to %d points: %w", MaxSeriesPoints, ErrInvalid)
	}
	return nil
}

// Step is the whole seconds between two points, at least one.
func (q SeriesQuery) Step() time.Duration {
	return max(time.Duration(math.Ceil(q.Span.Seconds()/float64(q.Points-1)))*time.Second, time.Second)
}

// Series is one number over a span, in equal steps. Every list has the same length:
// point i is of the moment From + i x Step, by the clock of this program. What is not
// known is absent, and stays a gap.
type Series struct {
	Source string
	From   time.Time
	Step   time.Duration
	Over   time.Duration // the span that each point is taken over
	ReadAt time.Time

	P50, P95, P99 []Quantile // of a latency
	Rate          []Value    // of a latency, per second
	Errors        []Value    // of a latency, share of calls that failed, 0..1
	Share         []Value    // of an exposure, 0..1

	Since    time.Time // before it the source kept nothing; zero where that is not known
	Warnings []string
}

// Len is how many points there are.
func (s *Series) Len() int { return max(len(s.P99), len(s.Share)) }

// At is the moment of a point.
func (s *Series) At(i int) time.Time { return s.From.Add(time.Duration(i) * s.Step) }
