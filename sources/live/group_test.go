package live_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// named is a healthy source of metrics whose rows carry its name.
func named(name string) *metrics {
	m := healthy()
	m.breakers[0].Source, m.latencies[0].Source = name, name
	return m
}

func (m *metrics) asked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reads
}

// inOrder is two servers in order and, behind them, two pages.
func inOrder(list ...*metrics) []live.Source {
	all := make([]live.Source, len(list))
	for i, m := range list {
		all[i] = src(m.breakers[0].Source, m)
		all[i].Group, all[i].Tier = "metrics", min(i, 2)
	}
	return all
}

func speaker(e *live.Engine) (names []string) {
	for _, st := range e.Snapshot().Sources {
		if st.Role == sources.Speaks {
			names = append(names, st.Name)
		}
	}
	return names
}

func shownFrom(e *live.Engine) (names []string) {
	for _, b := range e.Snapshot().Breakers {
		names = append(names, b.Source)
	}
	return names
}

func TestTheFirstOfAGroupSpeaksAndTheOthersAreNotAsked(t *testing.T) {
	t.Parallel()
	a, b, c, d := named("a"), named("b"), named("c"), named("d")
	run(t, live.Options{Sources: inOrder(a, b, c, d)}, func(t *testing.T, e *live.Engine) {
		pass(10 * time.Minute)
		require.Equal(t, []string{"a"}, speaker(e))
		require.Equal(t, []string{"a"}, shownFrom(e))
		require.Len(t, e.Snapshot().Latencies, 1, "no row twice")
		require.Zero(t, b.asked()+c.asked()+d.asked())
		require.Equal(t, sources.StandsBy, e.Snapshot().Source("b").Role)
		require.Empty(t, e.Snapshot().Activity)
	})
}

func TestTheNextSpeaksWhileTheFirstIsDownAndStandsBackWhenItIsUpAgain(t *testing.T) {
	t.Parallel()
	a, b := named("a"), named("b")
	run(t, live.Options{Sources: inOrder(a, b)}, func(t *testing.T, e *live.Engine) {
		fail := func(m *metrics, err error) { m.set(func(m *metrics) { m.err = err }) }
		fail(a, errDown)
		pass(6 * time.Second)
		require.Equal(t, []string{"a"}, speaker(e), "a few failures are no outage")
		require.Positive(t, b.asked(), "but the next one is made ready")
		pass(14 * time.Second)
		require.Equal(t, []string{"b"}, speaker(e))
		require.Equal(t, []string{"b"}, shownFrom(e))
		s := e.Snapshot()
		require.Equal(t, sources.Replaced, s.Source("a").Role)
		require.Equal(t, sources.Fresh, s.Source("b").Health)
		line := s.Activity[0]
		if line.Kind != sources.KindSource {
			line = s.Activity[1]
		}
		require.Equal(t, []string{"source", "metrics", "a", "b", "connection refused"},
			[]string{line.Kind, line.Name, line.Old, line.New, line.Reason})

		fail(a, nil)
		pass(30 * time.Second)
		require.Equal(t, []string{"a"}, speaker(e))
		require.Equal(t, []string{"a"}, shownFrom(e))
		asked := b.asked()
		pass(10 * time.Minute)
		require.Equal(t, asked, b.asked(), "it stands by again")
	})
}

func TestWhenEveryServerIsDownAllPagesSpeakTogether(t *testing.T) {
	t.Parallel()
	a, b, c, d := named("a"), named("b"), named("c"), named("d")
	a.err, b.err, d.err = errDown, errDown, errDown
	run(t, live.Options{Sources: inOrder(a, b, c, d)}, func(t *testing.T, e *live.Engine) {
		pass(time.Minute)
		require.Equal(t, []string{"c", "d"}, speaker(e))
		require.Equal(t, []string{"c"}, shownFrom(e))
		require.Equal(t, sources.Replaced, e.Snapshot().Source("b").Role)
	})
}

func TestWhenNobodyCanSpeakTheLastNumbersStayWithTheirAge(t *testing.T) {
	t.Parallel()
	a, b := named("a"), named("b")
	b.err = errDown
	run(t, live.Options{Sources: inOrder(a, b)}, func(t *testing.T, e *live.Engine) {
		a.set(func(m *metrics) { m.err = errDown })
		pass(40 * time.Second)
		require.Equal(t, []string{"a"}, speaker(e))
		require.Equal(t, []string{"a"}, shownFrom(e))
		require.Equal(t, sources.Stale, e.Snapshot().Source("a").Health)
		b.set(func(m *metrics) { m.err = nil })
		pass(30 * time.Second)
		require.Equal(t, []string{"b"}, speaker(e))
	})
}

func TestOneSourceOfAGroupIsNoGroup(t *testing.T) {
	t.Parallel()
	a := named("a")
	run(t, live.Options{Sources: inOrder(a)}, func(t *testing.T, e *live.Engine) {
		require.Equal(t, sources.Alone, e.Snapshot().Source("a").Role)
	})
}
