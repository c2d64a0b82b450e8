package ui

import (
	"cmp"
	"fmt"
	"time"

	"relctl-tui/sources"
	"relctl-tui/views/footer"
)

// This file is what the board says of others: who acts while this operator looks.

// foreignFor is how long somebody else's action stands in the status line: with its time
// of day and no age, which would send bytes each second.
const foreignFor = time.Minute

// foreign is the last action of somebody else that was told.
type foreign struct {
	id    string
	text  string // as it stands in the status line
	names []string
	at    time.Time
}

// tellOthers says what somebody else did to a flag just now, once it is on record whose
// it was.
func (m *Model) tellOthers(before *sources.Snapshot) {
	if before == nil || m.opts.Replay != nil {
		return
	}
	for i := range m.snapshot.Activity { // the newest first
		a := &m.snapshot.Activity[i]
		if m.now.Sub(a.At) > foreignFor || a.ID == m.foreign.id && a.ID != "" {
			return
		}
		if a.ID == "" || a.Actor == "" || a.Actor == m.opts.Actor || a.Outcome.Void() || a.Outcome == sources.Pending {
			continue
		}
		said := m.footer.Status() == m.foreign.text
		m.foreign = foreign{a.ID, m.deed(a), []string{a.Name}, a.At}
		if said { // what is newer takes the place of what is older
			m.footer.SetStatus(m.foreign.text, footer.Info, m.foreign.names...)
		} else {
			m.notify(notice{level: footer.Info, text: m.foreign.text, names: m.foreign.names})
		}
		return
	}
}

// deed is who did what to which flag, and when.
func (m *Model) deed(a *sources.Activity) string {
	did, change := "changed", a.New
	if a.Old != "" {
		change = a.Old + " " + m.opts.Theme.Glyphs.Arrow + " " + a.New
	}
	switch sources.ChangeKind(a.Kind) {
	case sources.Kill:
		did = "killed"
	case sources.Undo:
		did = "undid a change of"
	case sources.ForceOpen:
		did = "forced open"
	case sources.Ramp:
		did = "ramped"
	}
	return fmt.Sprintf("%s %s %s at %s: %s", sources.Clean(a.Actor, 40), did, cmp.Or(a.Name, "a flag"), a.At.In(m.now.Location()).Format(time.TimeOnly), change)
}

// forgetOthers empties the status line of an action that is a while ago.
func (m *Model) forgetOthers() {
	if m.foreign.text == "" || m.now.Sub(m.foreign.at) <= foreignFor {
		return
	}
	if m.footer.Status() == m.foreign.text {
		m.clearStatus()
		m.relayout()
	}
	if m.later != nil && m.later.text == m.foreign.text {
		m.later = nil
	}
	m.foreign.text = ""
}
