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

func columns(w int) []views.Column {
	change := 12
	switch {
	case w >= 78:
		change = 23 // "half-open ➔ forced-open"
	case w >= 64:
		change = 19 // "half-open ➔ closed"
	}
	return []views.Column{
		{Title: "", Min: 6},
		{Title: "", Min: 7, Max: 8, From: 40},
		{Title: "", Min: 8, Max: 30},
		{Title: "", Min: change},
		{Title: "", Min: 13, From: 60},
		{Title: "", Min: 12, Max: 200, From: 90},
	}
}

// New is an empty pane without a size.
func New(th *themes.Theme, keys views.KeyMap) Model {
	return Model{detail: keys.Detail, List: views.NewList(th, keys, views.About{
		Name: "Activity", Columns: columns, Feed: views.FlagFeed,
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
	since, change := "now", d.Brief()
	if len(d.Versions) > 0 {
		v := &d.Versions[0]
		if !v.Since.IsZero() {
			since = views.Clock(v.Since, m.Now)
		}
		change = v.Version
		if len(d.Versions) > 1 {
			change = d.Versions[1].Version + " " + th.Glyphs.Arrow + " " + v.Version
		}
	}
	t.Cell(p, colTime, th.Quiet, since)
	t.Cell(p, colActor, th.Accent, "deploy")
	t.Cell(p, colName, th.Text, d.Service)
	t.Cell(p, colChange, th.Text, change)
	t.Look(p, colOutcome, views.Look{Glyph: th.Glyphs.FlagRamping, Word: "on " + part(d), Ink: th.Accent})
	t.Cell(p, colWhy, th.Quiet, d.Brief())
	p.End()
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

// Table is the pane's columns laid out for other panes that list changes.
func Table(width int) views.Table { return views.Lay(columns(width), width) }

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
	change := a.New
	if a.Old != "" {
		change = a.Old + " " + th.Glyphs.Arrow + " " + a.New
	}
	t.Cell(p, colTime, th.Quiet, views.Clock(a.At, now))
	t.Cell(p, colActor, th.Text, actor)
	t.Cell(p, colName, th.Text, a.Name)
	ink := look.Ink
	if !seen(a) && (a.Outcome == sources.Confirmed || a.Outcome == sources.Seen) {
		ink = th.Text
	}
	t.Cell(p, colChange, ink, change)
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
