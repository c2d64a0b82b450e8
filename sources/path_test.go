package sources_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func edge(from, to string, rate, mean float64) sources.CallEdge {
	return sources.CallEdge{From: from, To: to, Rate: rate, Busy: rate * mean, Failed: sources.Some(0.0)}
}

func hopNamed(t *testing.T, p sources.CallPath, name string) sources.Hop {
	t.Helper()
	for _, h := range p.Hops {
		if h.Name == name {
			return h
		}
	}
	require.Fail(t, "no hop "+name)
	return sources.Hop{}
}

func TestEachHopHasItsOwnTimeItsShareAndWhatItAddedToOneCallAtTheTop(t *testing.T) {
	t.Parallel()
	c := sources.Calls{
		Service: "shop",
		Now: []sources.CallEdge{
			edge("user", "shop", 10, 0.5),
			edge("shop", "pay", 20, 0.2), // twice a call: 0.4 of 0.5
			edge("pay", "db", 60, 0.05),  // three times a call: 0.15 of 0.2
		},
		Then: []sources.CallEdge{edge("user", "shop", 10, 0.2), edge("shop", "pay", 20, 0.05), edge("pay", "db", 60, 0.01)},
	}
	p := c.Path()
	require.Len(t, p.Hops, 3)
	shop, pay, db := p.Hops[0], p.Hops[1], p.Hops[2]
	require.Equal(t, []int{0, 1, 2}, []int{shop.Depth, pay.Depth, db.Depth})
	require.InDelta(t, 0.1, shop.Own.V, 1e-12)
	require.InDelta(t, 0.05, pay.Own.V, 1e-12)
	require.InDelta(t, 0.05, db.Own.V, 1e-12)
	require.False(t, shop.Share.OK, "nobody's part")
	require.InDelta(t, 0.8, pay.Share.V, 1e-12)
	require.InDelta(t, 0.75, db.Share.V, 1e-12)
	require.InDelta(t, 0, shop.Moved.V, 1e-12)
	require.InDelta(t, 2*(0.05-0.02), pay.Moved.V, 1e-12, "twice in each call of the shop")
	require.InDelta(t, 6*(0.05-0.01), db.Moved.V, 1e-12, "six times")
	require.InDelta(t, 0.3, shop.Moved.V+pay.Moved.V+db.Moved.V, 1e-12, "what the whole gained, and no more")
	require.Equal(t, 2, p.Most)
}

func TestNothingIsMarkedAsMovedByLessThanATwentiethOfTheWhole(t *testing.T) {
	t.Parallel()
	now := []sources.CallEdge{edge("", "shop", 10, 0.5), edge("shop", "pay", 10, 0.21)}
	c := sources.Calls{Service: "shop", Now: now, Then: []sources.CallEdge{edge("", "shop", 10, 0.5), edge("shop", "pay", 10, 0.2)}}
	require.Equal(t, -1, c.Path().Most)
	c.Then = nil
	p := c.Path()
	require.Equal(t, -1, p.Most)
	require.False(t, p.Hops[1].Moved.OK, "of a moment of which nothing is known")
}

func TestACallThatIsNewOrGoneSinceThenHasMovedByAllOfItsTime(t *testing.T) {
	t.Parallel()
	c := sources.Calls{
		Service: "shop",
		Now:     []sources.CallEdge{edge("", "shop", 10, 0.5), edge("shop", "fraud", 10, 0.3)},
		Then:    []sources.CallEdge{edge("", "shop", 10, 0.4), edge("shop", "cache", 10, 0.2)},
	}
	p := c.Path()
	require.InDelta(t, 0.3, hopNamed(t, p, "fraud").Moved.V, 1e-12)
	gone := hopNamed(t, p, "cache")
	require.InDelta(t, -0.2, gone.Moved.V, 1e-12)
	require.False(t, gone.Took.OK)
	require.False(t, gone.Rate.OK)
	require.Equal(t, "fraud", p.Hops[p.Most].Name)
}

func TestServicesThatCallEachOtherEndTheirPathAndSayWhy(t *testing.T) {
	t.Parallel()
	c := sources.Calls{Service: "a", Now: []sources.CallEdge{
		edge("", "a", 1, 1), edge("a", "b", 1, 0.5), edge("b", "a", 1, 0.2), edge("b", "b", 1, 0.1),
	}}
	p := c.Path()
	require.Len(t, p.Hops, 4)
	require.Equal(t, []bool{false, false, true, true}, []bool{p.Hops[0].Again, p.Hops[1].Again, p.Hops[2].Again, p.Hops[3].Again})
	require.False(t, p.Hops[2].Own.OK, "counted where it stands first")
}

func TestAGraphOfAnySizeIsABoundedTreeThatSaysWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	var wide []sources.CallEdge
	for i := range 40 {
		wide = append(wide, edge("gate", fmt.Sprintf("s%02d", i), 1, float64(100-i)/1000))
	}
	c := sources.Calls{Service: "gate", Now: append(wide, edge("", "gate", 1, 4))}
	p := c.Path()
	require.Len(t, p.Hops, 1+sources.MaxHopCalls)
	rest := p.Hops[sources.MaxHopCalls]
	require.Equal(t, 33, rest.Rest)
	shares := 0.0
	for _, h := range p.Hops[1:] {
		shares += h.Share.V
	}
	require.InDelta(t, 1-p.Hops[0].Own.V/p.Hops[0].Took.V, shares, 1e-9, "the rest is in one line and not lost")

	var all []sources.CallEdge // everybody calls everybody
	for i := range 30 {
		for k := range 30 {
			all = append(all, edge(fmt.Sprint("s", i), fmt.Sprint("s", k), 1, 0.1))
		}
	}
	c = sources.Calls{Service: "s0", Now: all, Then: all}
	p = c.Path()
	require.LessOrEqual(t, len(p.Hops), sources.MaxHops)
	cut, beside := false, false
	for _, h := range p.Hops {
		cut, beside = cut || h.Cut, beside || h.Beside
		require.False(t, h.Own.OK && h.Own.V < 0)
	}
	require.True(t, cut)
	require.True(t, beside, "what they call takes longer than they do")
}

func TestACallsQueryOutsideOfItsBoundsIsRefused(t *testing.T) {
	t.Parallel()
	require.NoError(t, sources.CallsQuery{Service: "a", Ago: time.Minute}.Check())
	for _, q := range []sources.CallsQuery{{Ago: time.Minute}, {Service: "a"}, {Service: "a", Ago: time.Second}, {Service: "a", Ago: 300 * 24 * time.Hour}, {Service: "a", Ago: time.Minute + 1}} {
		require.ErrorIs(t, q.Check(), sources.ErrInvalid)
	}
}
