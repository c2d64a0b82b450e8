// Package activity is the pane of what happened, newest first.
package activity

import (
	"slices"
	"strconv"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Model is the pane. It shows times of day and not ages, because a list of ages
// would tick. Not for concurrent use.
type Model struct {
	views.List
	detail key.Binding
}

// The columns, in drawing order.
const (
	colTime = iota
	colActor
	colName
	colChange
	colOutcome
	colWhy
)

// needs is how wide the widest of the names and of the changes are that are listed.
type needs struct{ name, change int }

// count takes one line into account.
func (n *needs) count(name, change int) {
	n.name, n.change = max(n.name, min(name, widestName)), max(n.change, change)
}

const (
	widestName = 30
	reasonFrom = 90 // the width from which a line says why
)

// columns has a change read to its end where there is room: before names have more than
// they need, but not at the cost of the reason beside it.
func columns(n needs) func(w int) []views.Column {
	return func(w int) []views.Column {
		change := 12
		switch {
		case w >= 78:
			change = 23 // "half-open ➔ forced-open"
		case w >= 64:
			change = 19 // "half-open ➔ closed"
		}
		name, most := widestName, n.change
		if most > change {
			name = max(n.name, 8)
		}
		if w >= reasonFrom {
			most = min(most, w/3)
		}
		return []views.Column{
			{Title: "", Min: 6},
			{Title: "", Min: 7, Max: 8, From: 40},
			{Title: "", Min: 8, Max: name},
			{Title: "", Min: change, Max: most},
			{Title: "", Min: 13, From: 60},
			{Title: "", Min: 12, Max: 200, From: reasonFrom},
		}
	}
}

// New is an empty pane without a size.
func New(th *themes.Theme, keys views.KeyMap) Model {
	return Model{detail: keys.Detail, List: views.NewList(th, keys, views.About{
		Name: "Activity", Columns: columns(needs{}), Feed: views.FlagFeed,
		Len:   func(s *sources.Snapshot) int { return len(s.Activity) },
		Extra: above,
		None:  "no activity: no flag store is configured, start with --flags",
		Empty: "nothing has changed since the board was opened.",
	})}
}

// SetSnapshot shows other data, with times as of now. The lines have a cursor while
// something that is scheduled can be called off; there is nothing else to do to one.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) {
	m.List.SetSnapshot(s, now)
	if s == nil {
		m.SetRows(0, nil, nil)
		return
	}
	m.SetColumns(columns(m.needs()))
	var rows []views.Subject
	lane, coming := Rolling(s), Coming(s)
	if slices.ContainsFunc(s.Upcoming[:Coming(s)], func(a sources.Activity) bool { return a.ID != "" }) {
		for i := range lane {
			rows = append(rows, views.Subject{Kind: views.Happening, Source: sources.KindDeploy, ID: s.Deploys[i].Service})
		}
		for i := range coming {
			rows = append(rows, subject(&s.Upcoming[coming-1-i]))
		}
		for i := range s.Activity {
			rows = append(rows, subject(&s.Activity[i]))
		}
	}
	m.SetRows(above(s)+len(s.Activity), rows, func(i int) views.Row {
		switch at := i - lane; {
		case at < 0:
			return views.Row{Name: s.Deploys[i].Service, Words: [3]string{sources.KindDeploy, "running"}}
		case at < coming:
			return happening(&s.Upcoming[coming-1-at])
		default:
			return happening(&s.Activity[at-coming])
		}
	})
}

// needs is how much room the lines of the snapshot want.
func (m *Model) needs() (n needs) {
	s, arrow := m.Snap, views.Width(m.Theme.Glyphs.Arrow)
	for i := range s.Deploys[:Rolling(s)] {
		from, to := versions(&s.Deploys[i])
		n.count(views.Width(s.Deploys[i].Service), across(from, to, arrow))
	}
	for _, list := range [2][]sources.Activity{s.Upcoming[:Coming(s)], s.Activity} {
		for i := range list {
			n.count(views.Width(list[i].Name), across(list[i].Old, list[i].New, arrow))
		}
	}
	return n
}

// happening is what a filter can ask of a line.
func happening(a *sources.Activity) views.Row {
	return views.Row{Name: a.Name, Words: [3]string{a.Kind, string(a.Outcome), a.New}, Source: a.Flag.Source, By: a.Actor, Changed: a.At}
}

// SetFilter narrows the pane.
func (m *Model) SetFilter(text string) {
	m.List.SetFilter(text)
	m.SetSnapshot(m.Snap, m.Now)
}

// subject is what one line is told from others by.
func subject(a *sources.Activity) views.Subject {
	id := a.ID
	if id == "" {
		id = strconv.FormatInt(a.At.UnixNano(), 36)
	}
	return views.Subject{Kind: views.Happening, Flag: a.Flag, Source: a.Kind, ID: id}
}

// Update moves the cursor, or scrolls.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	if press, ok := msg.(tea.KeyPressMsg); ok && key.Matches(press, m.detail) {
		return m, nil // a line has no more to say
	}
	cmd := m.Answer(msg)
	return m, cmd
}

// Upcoming is what is to come that the cursor is on, nil for anything else.
func (m *Model) Upcoming() *sources.Activity {
	on := m.Selected()
	if m.Snap == nil || on.Source != sources.KindUpcoming {
		return nil
	}
	for i := range m.Snap.Upcoming[:Coming(m.Snap)] {
		if a := &m.Snap.Upcoming[i]; subject(a) == on {
			return a
		}
	}
	return nil
}

// View is the pane.
func (m Model) View() string {
	lane, coming := 0, 0
	if m.Snap != nil {
		lane, coming = Rolling(m.Snap), Coming(m.Snap)
	}
	return m.Draw(nil, func(p *views.Pen, i int) {
		m.Begin(p, i)
		switch at := i - lane; {
		case at < 0:
			m.deploy(p, &m.Snap.Deploys[i])
		case at < coming:
			Row(p, m.Theme, &m.Table, &m.Snap.Upcoming[coming-1-at], m.Now)
		default:
			Row(p, m.Theme, &m.Table, &m.Snap.Activity[at-coming], m.Now)
		}
	})
}

// above is how many rows stand above what has happened.
func above(s *sources.Snapshot) int { return Rolling(s) + Coming(s) }

// maxRolling is how many deploys under way have a row; the detail of a latency has its
// service's own.
const maxRolling = 3

// Rolling is how many rows are a lane of their own at the top: deploys under way. What
// runs and what users get are two things, and both move at times.
func Rolling(s *sources.Snapshot) (n int) {
	for n < len(s.Deploys) && n < maxRolling && s.Deploys[n].Rolling() {
		n++
	}
	return n
}

// deploy writes one deploy that is under way.
func (m *Model) deploy(p *views.Pen, d *sources.Deploy) {
	th, t := m.Theme, &m.Table
	since := "now"
	if len(d.Versions) > 0 && !d.Versions[0].Since.IsZero() {
		since = views.Clock(d.Versions[0].Since, m.Now)
	}
	from, to := versions(d)
	t.Cell(p, colTime, th.Quiet, since)
	t.Cell(p, colActor, th.Accent, "deploy")
	t.Cell(p, colName, th.Text, d.Service)
	t.Cell(p, colChange, th.Text, turn(th, from, to, t.Widths[colChange]))
	t.Look(p, colOutcome, views.Look{Glyph: th.Glyphs.FlagRamping, Word: "on " + part(d), Ink: th.Accent})
	t.Cell(p, colWhy, th.Quiet, d.Brief())
	p.End()
}

// versions is from what to what a deploy goes.
func versions(d *sources.Deploy) (from, to string) {
	switch len(d.Versions) {
	case 0:
		return "", d.Brief()
	case 1:
		return "", d.Versions[0].Version
	default:
		return d.Versions[1].Version, d.Versions[0].Version
	}
}

// part is how far a deploy has come: "9/12".
func part(d *sources.Deploy) string {
	switch {
	case d.Desired > 0 && d.Updated < d.Desired:
		return strconv.Itoa(d.Updated) + "/" + strconv.Itoa(d.Desired)
	case len(d.Versions) > 1:
		return strconv.Itoa(d.Versions[0].Instances) + "/" + strconv.Itoa(d.Instances())
	case d.Weight.OK:
		return views.Share(d.Weight)
	default:
		return ""
	}
}

// maxComing is how many steps to come stand above what has happened; a flag's
// detail has all of its own.
const maxComing = 3

// Coming is how many rows show what stores will do by themselves, the next of them
// just above the newest of what has happened.
func Coming(s *sources.Snapshot) int { return min(len(s.Upcoming), maxComing) }

// Table is the pane's columns laid out for other panes that list these changes.
func Table(th *themes.Theme, width int, list []*sources.Activity) views.Table {
	var n needs
	for _, a := range list {
		n.count(views.Width(a.Name), across(a.Old, a.New, views.Width(th.Glyphs.Arrow)))
	}
	return views.Lay(columns(n)(width), width)
}

// across is how many cells a change takes with an arrow of so many.
func across(from, to string, arrow int) int {
	if from == "" {
		return views.Width(to)
	}
	return views.Width(from) + views.Width(to) + arrow + 2
}

// turn is a change in at most width cells. What is so now matters more than what was:
// where one of them is cut it is the old state.
func turn(th *themes.Theme, from, to string, width int) string {
	if from == "" {
		return to
	}
	arrow := th.Glyphs.Arrow + " "
	room := width - views.Width(to) - views.Width(arrow) - 1
	switch {
	case room < -1: // which is no room for the arrow either
		return to
	case room < 1:
		return arrow + to
	}
	return views.Cut(th, from, room) + " " + arrow + to
}

// Row writes one line of activity.
func Row(p *views.Pen, th *themes.Theme, t *views.Table, a *sources.Activity, now time.Time) {
	look := Look(th, a)
	actor := a.Actor
	if actor == "" {
		actor = "somebody"
		if seen(a) {
			actor = a.Kind
		}
		if a.Kind == sources.KindUpcoming {
			actor = "schedule"
		}
	}
	t.Cell(p, colTime, th.Quiet, views.Clock(a.At, now))
	t.Cell(p, colActor, th.Text, actor)
	t.Cell(p, colName, th.Text, views.CutMiddle(th, a.Name, t.Widths[colName]))
	ink := look.Ink
	if !seen(a) && (a.Outcome == sources.Confirmed || a.Outcome == sources.Seen) {
		ink = th.Text
	}
	t.Cell(p, colChange, ink, turn(th, a.Old, a.New, t.Widths[colChange]))
	if seen(a) {
		look = views.OutcomeLook(th, a.Outcome)
	}
	if left := a.At.Sub(now); a.Kind == sources.KindUpcoming && left > 0 {
		look.Word = "in " + views.Age(left, false)
	}
	t.Look(p, colOutcome, look)
	if a.Err != "" {
		t.Cell(p, colWhy, th.Bad, a.Err)
	} else {
		t.Cell(p, colWhy, th.Quiet, a.Reason)
	}
	p.End()
}

// seen is what happened by itself, and is no change of a flag.
func seen(a *sources.Activity) bool {
	return a.Kind == sources.KindBreaker || a.Kind == sources.KindSource || a.Kind == sources.KindAlert || a.Kind == sources.KindDeploy
}

// Look is how one line's outcome is shown. A breaker that opened is bad news,
// whoever saw it.
func Look(th *themes.Theme, a *sources.Activity) views.Look {
	switch {
	case a.Kind == sources.KindAlert && a.New == "firing":
		return views.Look{Glyph: th.Glyphs.Bad, Word: a.New, Ink: th.Bad}
	case a.Kind == sources.KindAlert && a.New == "resolved":
		return views.Look{Glyph: th.Glyphs.Good, Word: a.New, Ink: th.Good}
	case a.Kind == sources.KindDeploy:
		return views.Look{Glyph: th.Glyphs.Good, Word: "running", Ink: th.Accent}
	case a.Kind != sources.KindBreaker:
		return views.OutcomeLook(th, a.Outcome)
	}
	for s := sources.BreakerUnknown; s <= sources.BreakerDisabled; s++ {
		if s.String() == a.New {
			look := views.BreakerLook(th, s)
			return look
		}
	}
	return views.OutcomeLook(th, a.Outcome)
}
