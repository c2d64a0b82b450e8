package timeline_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/timeline"
	"relctl-tui/views/viewtest"
)

func at(ago time.Duration) time.Time { return viewtest.Now().Add(-ago) }

func incident() *sources.Incident {
	now := viewtest.Now()
	in := &sources.Incident{From: now.Add(-15 * time.Minute), At: now}
	m := sources.PastMetric{Name: "payment API p99", Service: "payment API", Unit: "s", Start: in.From, Step: 5 * time.Second, Limit: .5}
	other := m
	other.Name, other.Service = "search p99", "search"
	for i := range 181 {
		v := .1
		switch {
		case i > 40 && i < 60:
			v = math.NaN()
		case i > 120 && i < 160:
			v = 2.5
		}
		m.Points, other.Points = append(m.Points, v), append(other.Points, .05)
	}
	in.Metrics = []sources.PastMetric{other, m}
	in.Events = []sources.Event{
		{Lane: sources.LaneDeploys, At: at(13 * time.Minute), Name: "search", Service: "search", Text: "1.9 to 2.0"},
		{Lane: sources.LaneFlags, At: at(5*time.Minute + 20*time.Second), Name: "checkout-v2", Service: "payment API", Text: "10% to 50%, ana: canary is clean"},
		{Lane: sources.LaneSLOs, At: at(5 * time.Minute), Until: at(100 * time.Second), Bad: true, Name: "payment API", Service: "payment API", Text: "p99 to 2.5 s, SLO 500 ms"},
		{Lane: sources.LaneBreakers, At: at(4*time.Minute + 50*time.Second), Until: at(4*time.Minute + 48*time.Second), Bad: true, Name: "payment API", Text: "closed to open"},
		{Lane: sources.LaneBreakers, At: at(4*time.Minute + 48*time.Second), Until: at(4*time.Minute + 40*time.Second), Name: "payment API", Text: "open to half-open"},
		{Lane: sources.LaneAlerts, At: at(4 * time.Minute), Lasting: true, Bad: true, Name: "CheckoutBurns", Text: "firing; page"},
		{Lane: sources.LaneGuards, At: at(3 * time.Minute), Bad: true, Name: "wallet-pay", Text: "breach: p99 of payment API 2.5 s"},
		{Lane: sources.LaneFlags, At: at(2 * time.Minute), Name: "checkout-v2", Service: "payment API", Text: "50% to killed, ben"},
		{Lane: sources.LaneBreakers, At: at(100 * time.Second), Name: "payment API", Text: "half-open to closed"},
	}
	return in
}

func build(th *themes.Theme) viewtest.Pane {
	m := timeline.New(th, views.DefaultKeyMap())
	m.SetIncident(incident(), viewtest.Now())
	return &m
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 22, build)
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, build)
}

func shown(t *testing.T) timeline.Model {
	t.Helper()
	m := timeline.New(viewtest.Theme(t, "mono", true), views.DefaultKeyMap())
	m.SetSize(100, 26)
	m.SetIncident(incident(), viewtest.Now())
	return m
}

func press(m timeline.Model, keys ...string) timeline.Model {
	for _, k := range keys {
		m, _ = m.Update(tea.KeyPressMsg{Code: []rune(k)[0], Text: k})
	}
	return m
}

func lane(m timeline.Model, name string) string {
	for line := range strings.Lines(ansi.Strip(m.View())) {
		if strings.HasPrefix(strings.TrimSpace(line), name+" ") {
			return line[8:]
		}
	}
	return ""
}

func TestEachLaneHasWhatHappenedWhereItHappened(t *testing.T) {
	t.Parallel()
	m := shown(t)
	cells := 91
	column := func(ago time.Duration) int {
		return int(math.Round(float64(cells-1) * (1 - ago.Seconds()/(15*60))))
	}
	require.Equal(t, column(13*time.Minute), strings.Index(lane(m, "deploys"), "*"))
	require.Equal(t, column(5*time.Minute+20*time.Second), strings.Index(lane(m, "flags"), "@"))
	require.Equal(t, "2", lane(m, "breaker")[column(4*time.Minute+50*time.Second):][:1], "two in one cell are counted")
	slo := lane(m, "SLO")
	require.Equal(t, column(5*time.Minute), strings.Index(slo, "X"))
	require.Equal(t, column(100*time.Second), strings.LastIndex(slo, "="), "for as long as it lasted")
	require.Equal(t, cells-1, strings.LastIndex(lane(m, "alerts"), "="), "it goes on")
}

func TestTheNumberThatWentFurthestBeyondItsLimitIsDrawnAndItsGapIsAGap(t *testing.T) {
	t.Parallel()
	m := shown(t)
	text := ansi.Strip(m.View())
	require.Contains(t, text, "Timeline payment API p99")
	var base string // the row of dots at the level before the breach
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "   0 ms") {
			base = line[8:]
		}
	}
	require.Equal(t, "     ", base[22:27], "nothing is drawn over what is not known: %q", base)
	require.Contains(t, base[:20], "####")
	m.SetFilter("search")
	require.Contains(t, ansi.Strip(m.View()), "Timeline search p99")
}

func TestNAndShiftNJumpFromEventToEvent(t *testing.T) {
	t.Parallel()
	m := press(shown(t), "N", "N")
	require.Contains(t, ansi.Strip(m.View()), "> 14:29:10  ! guards")
	m = press(m, "n")
	require.Contains(t, ansi.Strip(m.View()), "> 14:30:10  x flags")
	m = press(m, "g")
	require.Contains(t, ansi.Strip(m.View()), "> 14:19:10  * deploys")
	in := incident()
	in.Events = in.Events[1:] // the oldest has left the time that is looked at
	m.SetIncident(in, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "> 14:26:50")
}

func TestPanAndZoomMoveTheWindowAndAskForWhatIsMissing(t *testing.T) {
	t.Parallel()
	m := shown(t)
	require.Equal(t, 15*time.Minute, m.Wants())
	m = press(m, "h", "h")
	require.Contains(t, ansi.Strip(m.View()), "15 min to 14:24:40")
	require.GreaterOrEqual(t, m.Wants(), 22*time.Minute)
	require.Equal(t, -1, strings.Index(lane(m, "alerts"), "="), "what came later is not on the screen")
	m = press(m, "l", "l", "l")
	require.Contains(t, ansi.Strip(m.View()), "last 15 min", "never past now")
	m = press(m, "w", "w", "w")
	require.Equal(t, 24*time.Hour, m.Wants())
	for range 100 {
		m = press(m, "h")
	}
	require.LessOrEqual(t, m.Wants(), sources.MaxSeriesSpan)
	m = press(press(m, "w", "h", "h", "h", "h", "h", "h"), "G")
	require.Contains(t, ansi.Strip(m.View()), "> 14:30:30", "the window comes along with the cursor")
}

func TestTheFilterLetsThroughServicesFlagsAndLanesOrTheirOpposite(t *testing.T) {
	t.Parallel()
	m := shown(t)
	for filter, want := range map[string]string{"checkout-v2": "50% to killed, ben", "payment": "half-open to closed", "ALERTS": "CheckoutBurns"} {
		m.SetFilter(filter)
		text := ansi.Strip(m.View())
		require.NotContains(t, text, "1.9 to 2.0", filter)
		require.Contains(t, text, want)
	}
	m.SetFilter("!search")
	require.NotContains(t, ansi.Strip(m.View()), "1.9 to 2.0")
	m.SetFilter("nobody")
	require.Contains(t, ansi.Strip(m.View()), "nothing matches /nobody")
}

func TestThousandsOfEventsAreDrawnWithinTheScreen(t *testing.T) {
	t.Parallel()
	m := shown(t)
	in := incident()
	for i := range 3000 {
		in.Events = append(in.Events, sources.Event{Lane: sources.LaneFlags, At: at(time.Duration(3000-i) * time.Second), Name: fmt.Sprint("flag", i), Text: "0% to 1%"})
	}
	m.SetIncident(in, viewtest.Now())
	viewtest.RequireFrame(t, m.View(), 100, 26)
}

func TestAScreenOnWhichNothingHappensStaysAsItIs(t *testing.T) {
	t.Parallel()
	m := shown(t)
	in := incident()
	in.Events = in.Events[:5] // nothing that goes on
	m.SetIncident(in, viewtest.Now())
	m.SetSnapshot(nil, viewtest.Now().Add(time.Second))
	before := m.View()
	m.SetSnapshot(nil, viewtest.Now().Add(8*time.Second))
	require.Equal(t, before, m.View())
}

func TestHowLongAnEventLastsIsReadBesideShortNamesIn80Columns(t *testing.T) {
	t.Parallel()
	in := incident()
	in.Events = []sources.Event{{Lane: sources.LaneSLOs, At: at(66 * time.Second), Lasting: true, Bad: true, Name: "payment API", Service: "payment API", Text: "p99 to 692 ms, SLO 500 ms"}}
	m := timeline.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(80, 22)
	m.SetIncident(in, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "payment API   p99 to 692 ms, SLO 500 ms, 66 s so far")
}
