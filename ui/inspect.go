package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// rest is how long the cursor rests, or a breaker's state holds, before it is read in
// depth: who runs through a list asks nobody for each of its rows.
const rest = 200 * time.Millisecond

// looks is the reading in depth of the breaker whose detail is open. It is made when the
// detail opens and when the breaker's state changes, and never by the clock: it may cost
// a server several queries.
type looks struct {
	seq int
	at  lookedAt
}

// lookedAt is what the last look was for; the zero value is none.
type lookedAt struct {
	on    views.Subject
	state sources.BreakerState
	open  int
	also  string
}

// inspect reads the breaker in the detail in depth after a pause, unless that was done
// for what it is now.
func (m *Model) inspect(after time.Duration) tea.Cmd {
	on := m.detail.Subject()
	b := m.snapshot.Breaker(on.Source, on.ID)
	if !m.detailed || on.Kind != views.ABreaker || b == nil || b.Own {
		m.looks.at = lookedAt{}
		return nil
	}
	is := lookedAt{on, b.State, b.OpenInstances, b.Also}
	if is == m.looks.at {
		return nil
	}
	m.looks.at = is
	m.looks.seq++
	m.detail.Inspecting()
	if after == 0 {
		return m.look()
	}
	return inspectAfter(m.looks.seq, after)
}

func (m *Model) look() tea.Cmd {
	at := &m.looks.at
	return inspectBreaker(m.ctx, m.engine, m.looks.seq, at.on.Source, at.also, at.on.ID)
}

// inspecting goes on with a look, or shows what it found. What is of an older look is of
// no use any more.
func (m *Model) inspecting(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case InspectDueMsg:
		if msg.Seq == m.looks.seq && m.looks.at != (lookedAt{}) {
			return m.look()
		}
	case BreakerInspectedMsg:
		if msg.Seq == m.looks.seq && m.looks.at != (lookedAt{}) {
			m.detail.SetInspection(&msg.Detail, msg.Err)
		}
	}
	return nil
}

// lookAgain reads the breaker in the detail anew when it is the one that was switched: on
// some instances that may have done what the row does not show.
func (m *Model) lookAgain(id sources.FlagID) tea.Cmd {
	if on := m.looks.at.on; on.ID == "" || on.Source != id.Source || on.ID != id.Key {
		return nil
	}
	m.looks.at = lookedAt{}
	return m.inspect(0)
}
