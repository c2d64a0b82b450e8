package ui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// This file is what the board does with alerts that can be silenced.

// silencing says whether any source silences alerts, and may.
func silencing(s *sources.Snapshot) bool {
	return slices.ContainsFunc(s.Sources, func(st sources.SourceStatus) bool { return st.Silences && st.Fixed == "" })
}

// silenceKey asks how long the selected alert is to be silenced, and why. It changes
// nothing yet: what is silenced is the alert that stands in the question, wherever the
// cursor is when it is answered.
func (m *Model) silenceKey() tea.Cmd {
	refuse := func(reason string) tea.Cmd {
		m.footer.SetStatus(reason, footer.Warning)
		return nil
	}
	inSight := m.layout.panes[paneAlerts].h > 0 || m.layout.detail.h > 0
	if m.focus != paneAlerts || !inSight {
		return refuse("this key acts on the selected alert: " + views.Named(m.keys.NextPane) + " to the alerts, then press again")
	}
	on := m.alerts.Selected()
	a := m.snapshot.Alert(on.Source, on.ID)
	if a == nil {
		if why := m.alerts.Folded(); why != "" {
			return refuse(why)
		}
		return refuse("no alert is selected")
	}
	source, why := views.Silencer(m.snapshot, a)
	if source == "" {
		return refuse(why)
	}
	id := sources.FlagID{Source: source, Key: a.Key()}
	if p, busy := m.pending[id]; busy && p.read.IsZero() {
		return refuse(fmt.Sprintf("%s: %s is not confirmed yet", a.Name, p.text))
	}
	name := a.Name
	if about := views.AlertAbout(a); about != "" {
		name += " " + about
	}
	m.footer.SetStatus("", footer.Info)
	m.prompt.OpenSilence(sources.Flag{ID: id, Name: name, Breaker: a.State.String()},
		sources.Intent{Kind: sources.SilenceAlert, Flag: id, SeenAs: a.State.String()})
	return nil
}

// alertName is what an alert that is to be silenced is called on the screen.
func (m *Model) alertName(id sources.FlagID) string {
	for i := range m.snapshot.Alerts {
		a := &m.snapshot.Alerts[i]
		if a.Key() == id.Key && (a.Source == id.Source || a.Also == id.Source) {
			return a.Name
		}
	}
	return sources.Clean(id.Key, sources.MaxName)
}

// describeSilence says a silence in words: "DiskFull firing → silenced for 1h".
func (m *Model) describeSilence(in *sources.Intent) string {
	return fmt.Sprintf("%s %s %s silenced for %s", m.alertName(in.Flag), in.SeenAs, m.opts.Theme.Glyphs.Arrow, views.Lasts(in.For))
}
