package sources

import (
	"fmt"
	"slices"
	"strings"
)

// Ladder is the ascending steps of a ramp. The zero Ladder means DefaultLadder.
type Ladder []Percent

// DefaultLadder is 1 5 10 25 50 100.
func DefaultLadder() Ladder {
	return Ladder{Pct(1), Pct(5), Pct(10), Pct(25), Pct(50), Full}
}

// maxSteps bounds a ladder that is read from text.
const maxSteps = 100

// ParseLadder reads steps with commas between them, as they stand in a flag's metadata.
func ParseLadder(text string) (Ladder, error) {
	if strings.Count(text, ",") > maxSteps {
		return nil, fmt.Errorf("a ladder of more than %d steps: %w", maxSteps, ErrInvalid)
	}
	var steps []Percent
	for part := range strings.SplitSeq(text, ",") {
		p, err := ParsePercent(part)
		if err != nil {
			return nil, err
		}
		steps = append(steps, p)
	}
	return NewLadder(steps)
}

// NewLadder checks that steps are ascending, above 0 and at most 100 %.
func NewLadder(steps []Percent) (Ladder, error) {
	for i, s := range steps {
		if s <= 0 || s > Full {
			return nil, fmt.Errorf("ladder step %s is outside 0..100: %w", s, ErrInvalid)
		}
		if i > 0 && s <= steps[i-1] {
			return nil, fmt.Errorf("ladder steps must ascend, %s follows %s: %w", s, steps[i-1], ErrInvalid)
		}
	}
	return slices.Clone(Ladder(steps)), nil
}

func (l Ladder) steps() Ladder {
	if len(l) == 0 {
		return DefaultLadder()
	}
	return l
}

// Next is the lowest step above p; false at the top.
func (l Ladder) Next(p Percent) (Percent, bool) {
	for _, s := range l.steps() {
		if s > p {
			return s, true
		}
	}
	return p, false
}

// Back is the highest step below p, or 0 below the first step; false at 0.
func (l Ladder) Back(p Percent) (Percent, bool) {
	if p <= 0 {
		return 0, false
	}
	steps := l.steps()
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i] < p {
			return steps[i], true
		}
	}
	return 0, true
}
