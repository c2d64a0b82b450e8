package wire

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestALineIsAsFastAsWhatItTookBetweenTwoMomentsInWhichItWasFull(t *testing.T) {
	t.Parallel()
	var p pace
	now := time.Unix(0, 0)
	p.gives(5000, false, now)
	require.Equal(t, math.MaxInt, p.limit(), "nothing is known")
	p.gives(400, true, now.Add(time.Second))
	require.Equal(t, math.MaxInt, p.limit(), "it is full, and may have been for an hour")
	p.gives(600, false, now.Add(time.Second+100*time.Millisecond))
	now = now.Add(2 * time.Second)
	p.gives(10, true, now)
	require.Equal(t, 60, p.limit(), "a thousand bytes in a second")
	require.Equal(t, 10*time.Millisecond, p.wait(now))
}

func TestALineThatIsNotFullAnyMoreIsTrustedAgain(t *testing.T) {
	t.Parallel()
	p := pace{rate: 1000, since: time.Unix(0, 0)}
	for i := range 8 {
		p.gives(10, false, time.Unix(int64(31*(i+1)), 0))
	}
	require.Equal(t, math.MaxInt, p.limit())
}

func TestALineThatSaysItsSpeedIsBelieved(t *testing.T) {
	t.Parallel()
	p := pace{rate: 960, said: true}
	p.gives(100_000, true, time.Unix(0, 0))
	p.gives(100_000, true, time.Unix(1, 0))
	require.Equal(t, 57, p.limit())
}
