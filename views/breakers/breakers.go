// Package breakers is the pane of circuit breakers, worst first.
package breakers

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Model is the pane. It lists the system's breakers and this board's own, worst
// first. Not for concurrent use.
type Model struct {
	views.List
	rows     []sources.Breaker
	keys     views.KeyMap
	readOnly bool
	pending  map[sources.FlagID]string
}

// The columns, in drawing order.
const (
	colState = iota
	colName
	colOpen
	colErrors
	colRate
	colRejects
	colSince
	colNote
)

func columns() []views.Column {
	return []views.Column{
		{Title: "", Min: 15},
		{Title: "", Min: 10, Max: 30},
		{Title: "open", Min: 7, Right: true, From: 40},
		{Title: "errors", Min: 6, Right: true, From: 48},
		{Title: "rate", Min: 6, Right: true, From: 58},
		{Title: "rejected", Min: 8, Right: true, From: 70},
		{Title: "since", Min: 5, Right: true, From: 78},
		{Title: "", Min: 10, Max: 200, From: 104},
	}
}

// New is an empty pane without a size.
func New(th *themes.Theme, keys views.KeyMap) Model {
	return Model{keys: keys, List: views.NewList(th, keys, views.About{
		Name: "Breakers", Columns: func(int) []views.Column { return columns() }, Feed: views.BreakerFeed,
		Len:   func(s *sources.Snapshot) int { return len(s.Breakers) },
		Extra: func(s *sources.Snapshot) int { return len(s.Own) },
		None:  "no breakers: no metrics source is configured, start with --metrics or --breakers",
		Empty: "no breakers yet: none of the metrics looks like one.",
		Warns: true, Sentence: sentence,
	})}
}

// SetSnapshot shows other data, with times as of now.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) {
	m.List.SetSnapshot(s, now)
	if m.rows = nil; s != nil {
		m.rows = worst(s.Breakers, s.Own)
	}
	rows := make([]views.Subject, len(m.rows))
	for i := range m.rows {
		rows[i] = views.BreakerSubject(&m.rows[i])
	}
	m.SetRows(len(rows), rows, func(i int) views.Row {
		b := &m.rows[i]
		r := views.Row{Name: b.Name, Source: b.Source, Changed: b.Since, Words: [3]string{b.State.String()}}
		if b.Own {
			r.Words[1] = "own"
		}
		return r
	})
}

// SetFilter narrows the pane.
func (m *Model) SetFilter(text string) {
	m.List.SetFilter(text)
	m.SetSnapshot(m.Snap, m.Now)
}

// worst merges two lists that are worst first. The system's breakers come before
// the board's own in the same state: they are what the board is there for.
func worst(system, own []sources.Breaker) []sources.Breaker {
	all := make([]sources.Breaker, 0, len(system)+len(own))
	for _, b := range own {
		n := 0
		for n < len(system) && system[n].State.Severity() >= b.State.Severity() {
			n++
		}
		all = append(append(all, system[:n]...), b)
		system = system[n:]
	}
	return append(all, system...)
}

// Wants is how many lines below its title the pane has something to say in: closed
// breakers of the board's own say nothing.
func (m Model) Wants() int {
	if m.Snap == nil {
		return 0
	}
	if len(m.Snap.Breakers) == 0 {
		return sentence + notClosed(m.Snap.Own)
	}
	return len(m.Snap.Breakers) + notClosed(m.Snap.Own)
}

// sentence is the lines that the reason takes for which there are no breakers.
const sentence = 2

// SetReadOnly refuses to switch.
func (m *Model) SetReadOnly(on bool) { m.readOnly = on }

// SetPending marks the breakers, by source and name, of which a switch is under way.
func (m *Model) SetPending(words map[sources.FlagID]string) { m.pending = words }

// Breaker is the selected breaker; nil for none.
func (m *Model) Breaker() *sources.Breaker {
	on := m.Selected()
	for i := range m.rows {
		if on.Kind == views.ABreaker && m.rows[i].Source == on.Source && m.rows[i].Name == on.ID {
			return &m.rows[i]
		}
	}
	return nil
}

// ShortHelp is the keys that the pane answers to.
func (m Model) ShortHelp() []key.Binding {
	k := m.keys
	if m.readOnly {
		k = k.ReadOnly()
	}
	return append([]key.Binding{k.ForceOpen, k.CloseBreaker, k.Undo}, m.List.ShortHelp()...)
}

// Update moves the selection, asks for the detail of what it is on, and switches it.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	if press, ok := msg.(tea.KeyPressMsg); ok {
		switch {
		case key.Matches(press, m.keys.ForceOpen):
			return m, views.Switch(m.Snap, m.Breaker(), sources.ForceOpen, m.readOnly)
		case key.Matches(press, m.keys.CloseBreaker):
			return m, views.Switch(m.Snap, m.Breaker(), sources.CloseBreaker, m.readOnly)
		}
	}
	cmd := m.Answer(msg)
	return m, cmd
}

// View is the pane.
func (m Model) View() string {
	return m.Draw(m.notes(), func(p *views.Pen, i int) { m.row(p, i) })
}

// notes is what the title says besides the number: how many are not closed.
func (m *Model) notes() (notes []views.Note) {
	if m.Snap == nil {
		return nil
	}
	open, half := Count(m.Snap.Breakers)
	switch {
	case open > 0 && m.Feed.AllOld:
		notes = append(notes, views.Note{Ink: m.Theme.Warn, Text: strconv.Itoa(open) + " open when last seen"})
	case open > 0:
		notes = append(notes, views.Note{Ink: m.Theme.Alarm, Text: " " + strconv.Itoa(open) + " open "})
	}
	if half > 0 {
		notes = append(notes, views.Note{Ink: m.Theme.Warn, Text: strconv.Itoa(half) + " half-open"})
	}
	if mine := notClosed(m.Snap.Own); mine > 0 {
		notes = append(notes, views.Note{Ink: m.Theme.Warn, Text: strconv.Itoa(mine) + " of this board's own open"})
	}
	return notes
}

func notClosed(list []sources.Breaker) (n int) {
	for i := range list {
		if list[i].State != sources.BreakerClosed {
			n++
		}
	}
	return n
}

// Count is how many breakers are open (forced or not) and how many half-open.
func Count(list []sources.Breaker) (open, half int) {
	for i := range list {
		switch list[i].State {
		case sources.BreakerOpen, sources.BreakerForcedOpen:
			open++
		case sources.BreakerHalfOpen:
			half++
		default:
		}
	}
	return open, half
}

func (m *Model) row(p *views.Pen, i int) {
	th, t, b := m.Theme, &m.Table, &m.rows[i]
	look := views.BreakerLook(th, b.State)
	name, number := th.Text, th.Text
	if b.State == sources.BreakerClosed {
		number = th.Quiet
	} else {
		name = th.Strong
	}
	health := views.Health(m.Snap, b.Source, sources.PartBreakers)
	fresh := b.Own || health == sources.Fresh
	switch {
	case !fresh:
		look.Ink, name, number = th.Stale, th.Stale, th.Stale
	case b.Own && b.State == sources.BreakerClosed: // says nothing of the system
		look.Ink, name = th.Quiet, th.Quiet
	case b.Own:
		look.Ink, name = th.Warn, th.Text
	}
	errors := number
	if fresh && b.ErrorRatio.OK && b.ErrorRatio.V >= 0.05 {
		errors = th.Bad
	}
	if b.Inferred {
		look.Word += "?" // worked out, not exported
	}
	words, waits := m.pending[sources.FlagID{Source: b.Source, Key: b.Name}]
	if waits && !b.Own {
		look = views.Look{Glyph: th.Glyphs.Stale, Word: "pending", Ink: th.Pending}
	}
	m.Begin(p, i)
	t.Look(p, colState, look)
	m.Name(p, i, colName, name, b.Name)
	t.Cell(p, colOpen, number, instances(b))
	t.Cell(p, colErrors, errors, views.Ratio(b.ErrorRatio))
	t.Cell(p, colRate, number, views.Rate(b.Rate))
	t.Cell(p, colRejects, number, views.Rate(b.RejectRate))
	switch {
	case fresh:
		t.Cell(p, colSince, th.Quiet, views.AgeOf(b.Since, m.Now, false))
	case health == sources.Stale:
		t.Cell(p, colSince, th.Warn, health.String())
	default: // the row's state says so already
		t.Cell(p, colSince, th.Warn, views.Absent)
	}
	if waits && !b.Own {
		t.Cell(p, colNote, th.Pending, strings.TrimPrefix(words, b.Name+" "))
	} else {
		t.Cell(p, colNote, th.Quiet, note(b))
	}
	p.End()
}

// note says what kind of breaker a row is where that is not a breaker of errors.
func note(b *sources.Breaker) string {
	switch {
	case !b.Limit:
		return b.Note
	case b.Note == "":
		return "limit"
	default:
		return "limit; " + b.Note
	}
}

// instances is "3/12", or nothing where only one instance is known of.
func instances(b *sources.Breaker) string {
	if b.Instances <= 0 {
		return views.Absent
	}
	return fmt.Sprintf("%d/%d", b.OpenInstances, b.Instances)
}
