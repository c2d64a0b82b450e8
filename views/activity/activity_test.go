package activity_test

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/activity"
	"relctl-tui/views/viewtest"
)

func build(th *themes.Theme) viewtest.Pane {
	m := activity.New(th, views.DefaultKeyMap())
	return &m
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 8, build)
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, build)
}

func lines(t *testing.T) []string {
	t.Helper()
	p := build(viewtest.Theme(t, "ansi", false))
	p.SetSize(160, 8)
	p.SetSnapshot(viewtest.Snapshot(viewtest.OK), viewtest.Now())
	return strings.Split(ansi.Strip(p.View()), "\n")
}

func TestTheNewestChangeIsFirstWithWhoWhatAndWhy(t *testing.T) {
	t.Parallel()
	row := strings.Join(strings.Fields(lines(t)[1]), " ")
	require.Equal(t, "14:31 ana checkout-v2 10% ➔ 25% ✓ confirmed next step after an hour without errors", row)
}

func TestAFailedChangeSaysThatItFailedAndWhy(t *testing.T) {
	t.Parallel()
	row := lines(t)[4]
	require.Contains(t, row, "✗ failed")
	require.Contains(t, row, "changed meanwhile, nothing was written")
}

func TestAChangeByNobodyKnownIsBySomebodyAndABreakersIsItsOwn(t *testing.T) {
	t.Parallel()
	require.Contains(t, lines(t)[5], "13 Mar  somebody")
	require.Contains(t, lines(t)[2], "breaker")
	require.Contains(t, lines(t)[2], "closed ➔ open")
}

func TestStepsToComeStandAboveWhatHappenedTheNextOneNearest(t *testing.T) {
	t.Parallel()
	p := build(viewtest.Theme(t, "ansi", false))
	p.SetSize(120, 10)
	s := *viewtest.Snapshot(viewtest.OK)
	for i, what := range []string{"50%", "100%", "off", "too far away"} {
		s.Upcoming = append(s.Upcoming, sources.Activity{
			At: viewtest.Now().Add(time.Duration(i+1) * time.Hour), Kind: sources.KindUpcoming, Name: "search-v3", New: what, Outcome: sources.Scheduled,
		})
	}
	p.SetSnapshot(&s, viewtest.Now())
	var rows []string
	for _, l := range strings.Split(ansi.Strip(p.View()), "\n")[1:5] {
		rows = append(rows, strings.Join(strings.Fields(l), " "))
	}
	require.Equal(t, []string{
		"17:32 schedule search-v3 off ◌ in 3h",
		"16:32 schedule search-v3 100% ◌ in 2h",
		"15:32 schedule search-v3 50% ◌ in 1h",
	}, rows[:3])
	require.Contains(t, rows[3], "14:31 ana checkout-v2")
	require.NotContains(t, p.View(), "too far")
}

func TestADeployUnderWayIsALaneOfItsOwnAboveTheChangesOfFlags(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	s.Deploys = []sources.Deploy{
		{Service: "payment", Versions: []sources.Running{{Version: "2.14.1", Instances: 9}, {Version: "2.14.0", Instances: 3}}},
		{Service: "search", Versions: []sources.Running{{Version: "7", Instances: 4}}},
	}
	m := activity.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(120, 8)
	m.SetSnapshot(s, viewtest.Now())
	lines := strings.Split(ansi.Strip(m.View()), "\n")
	require.Regexp(t, `deploy +payment +2\.14\.0 . 2\.14\.1 +. on 9/12`, lines[1])
	require.NotContains(t, ansi.Strip(m.View()), "deploy    search", "what stands still needs no line")
	viewtest.RequireFrame(t, m.View(), 120, 8)
}

func TestEveryTurnOfABreakerIsReadToItsEndIn80Columns(t *testing.T) {
	t.Parallel()
	m := activity.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(80, 4)
	s := *viewtest.Snapshot(viewtest.OK)
	s.Activity = []sources.Activity{
		{At: viewtest.Now(), Kind: string(sources.ForceOpen), Name: "inventory database", Actor: "ana", Old: "closed", New: "forced-open", Outcome: sources.Confirmed},
		{At: viewtest.Now(), Kind: sources.KindBreaker, Name: "payment", Old: "half-open", New: "forced-open", Outcome: sources.Seen},
	}
	s.Upcoming, s.Deploys = nil, nil
	m.SetSnapshot(&s, viewtest.Now())
	view := ansi.Strip(m.View())
	require.Contains(t, view, "inventory database")
	require.Contains(t, view, "closed ➔ forced-open")
	require.Contains(t, view, "half-open ➔ forced-open")
}

func TestTheCursorIsThereWhileSomethingCanBeCalledOffAndFindsItAgain(t *testing.T) {
	t.Parallel()
	m := activity.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(120, 10)
	m.SetFocused(true)
	s := *viewtest.Snapshot(viewtest.OK)
	m.SetSnapshot(&s, viewtest.Now())
	require.Nil(t, m.Upcoming())
	require.Equal(t, views.Subject{}, m.Selected(), "nothing is to be done to what has happened")
	for i, id := range []string{"s1", "s2"} {
		s.Upcoming = append(s.Upcoming, sources.Activity{
			ID: id, At: viewtest.Now().Add(time.Duration(i+1) * time.Hour), Kind: sources.KindUpcoming, Name: "search-v3", New: "50%", Outcome: sources.Scheduled,
		})
	}
	m.SetSnapshot(&s, viewtest.Now())
	require.Equal(t, "s2", m.Upcoming().ID)
	down := tea.KeyPressMsg{Code: 'j', Text: "j"}
	m, _ = m.Update(down)
	require.Equal(t, "s1", m.Upcoming().ID)
	earlier := sources.Activity{ID: "s0", At: viewtest.Now().Add(time.Minute), Kind: sources.KindUpcoming, Name: "b", New: "10%", Outcome: sources.Scheduled}
	s.Upcoming = append([]sources.Activity{earlier}, s.Upcoming...)
	m.SetSnapshot(&s, viewtest.Now())
	require.Equal(t, "s1", m.Upcoming().ID, "the cursor is on a schedule and not on a line")
	m, _ = m.Update(down)
	require.Equal(t, "s0", m.Upcoming().ID)
	m, _ = m.Update(down)
	require.Nil(t, m.Upcoming(), "what has happened is not called off")
	viewtest.RequireFrame(t, m.View(), 120, 10)
}

// turns is the pane with three long changes, and a reason for each.
func turns(t *testing.T, w int) string {
	t.Helper()
	m := activity.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(w, 6)
	s := *viewtest.Snapshot(viewtest.OK)
	s.Activity = nil
	for _, c := range [][2]string{{"dualwrite 2/6", "shadow 3/6"}, {"custom, 3 rules, else 25%", "custom, 3 rules, else 50%"}, {"closed", "forced-open"}} {
		s.Activity = append(s.Activity, sources.Activity{
			At: viewtest.Now(), Kind: "set", Name: "orders-store", Actor: "ana", Old: c[0], New: c[1],
			Outcome: sources.Confirmed, Reason: "the shards agree",
		})
	}
	s.Upcoming, s.Deploys = nil, nil
	m.SetSnapshot(&s, viewtest.Now())
	viewtest.RequireFrame(t, m.View(), w, 6)
	return ansi.Strip(m.View())
}

func TestAChangeIsReadToItsEndWhereTheLineHasTheRoom(t *testing.T) {
	t.Parallel()
	require.Contains(t, turns(t, 80), "dualwrite 2/6 ➔ shadow 3/6")
	require.Contains(t, turns(t, 120), "dualwrite 2/6 ➔ shadow 3/6")
	wide := turns(t, 160)
	require.Contains(t, wide, "custom, 3 rules, else 25% ➔ custom, 3 rules, else 50%")
	require.Equal(t, 3, strings.Count(wide, "the shards agree"), "and the reason is read as well")
}

func TestAChangeThatIsCutStillSaysWhatIsSoNow(t *testing.T) {
	t.Parallel()
	for _, w := range []int{80, 100, 120} {
		require.Contains(t, turns(t, w), "⋯ ➔ custom, 3 rules, else 50% ", "%d cells", w)
	}
	require.Equal(t, 3, strings.Count(turns(t, 100), "the shards "), "nor does it take the room of the reason")
	narrow := turns(t, 60)
	require.Contains(t, narrow, "➔ shadow 3/6")
	require.Contains(t, narrow, " forced-open")
	require.Contains(t, narrow, " custom, ")
}
