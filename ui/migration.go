package ui

import (
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// standingEvery is how often the migration in the detail pane is looked at: a look
// asks the metrics source once.
const standingEvery = 2 * time.Second

// migrating is the migration that the detail pane is about.
func (m *Model) migrating() (sources.FlagID, bool) {
	s := m.detail.Subject()
	f := m.snapshot.Flag(s.Flag)
	return s.Flag, m.detailed && s.Kind == views.AFlag && f != nil && f.Migration != nil
}

// askStanding has the migration on the screen looked at, when that is due: one look at
// a time, and none while no migration is shown.
func (m *Model) askStanding() tea.Cmd {
	id, shown := m.migrating()
	if !shown || m.opts.Replay != nil { // what was is not asked of what is
		m.standing = nil
		return nil
	}
	if s := m.standing; s != nil && (s.Flag.ID != id || s.Flag.Revision != m.snapshot.Flag(id).Revision) {
		m.standing = nil
	}
	fresh := m.standing != nil && m.opts.Now().Sub(m.standing.At).Abs() < standingEvery
	if fresh || m.asking == id {
		return nil
	}
	m.asking = id
	return readStanding(m.ctx, m.control, id)
}

func (m *Model) standingRead(msg StandingReadMsg) {
	if m.asking == msg.Flag {
		m.asking = sources.FlagID{}
	}
	if id, shown := m.migrating(); !shown || id != msg.Flag {
		return
	}
	if msg.Err != nil {
		msg.Standing = sources.Standing{Flag: *m.snapshot.Flag(msg.Flag), At: m.opts.Now()}
		msg.Standing.Proof.Why = sources.Sentence(msg.Err)
	}
	m.standing = &msg.Standing
	m.refresh()
}

// askName asks for the flag's name where a change needs it, and says so; nothing was
// written.
func (m *Model) askName(msg ActionFinishedMsg) bool {
	id, ok := sources.NameOf(msg.Err)
	f := m.snapshot.Flag(id)
	if !ok || f == nil || !errors.Is(msg.Err, sources.ErrConfirm) || m.prompt.Opened() || m.confirm.Opened() {
		return false
	}
	m.footer.SetStatus("", footer.Info)
	m.prompt.OpenName(*f, msg.Intent, sources.Sentence(msg.Err))
	return true
}
