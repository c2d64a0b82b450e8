package detail

import (
	"maps"
	"slices"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// alertLines are what there is to say about the alert: what it means, what it is
// about, who has silenced it, and its labels.
func (m *Model) alertLines() []line {
	a, th := m.alert, m.th
	out := m.prose(nil, a.Summary, th.Text)
	out = append(out,
		m.field("severity", th.Text, orAbsent(a.Severity)),
		m.field("since", th.Text, views.AgeOf(a.Since, m.now, true)),
		m.field("service", th.Text, orAbsent(a.Service)),
		m.field("flag", th.Text, orAbsent(a.Flag)),
	)
	if a.State == sources.AlertSilenced {
		silence := a.Why
		if !a.Until.IsZero() {
			silence += ", until " + moment(a.Until, m.now)
		}
		out = append(out, m.field("silenced", th.Text, orAbsent(silence)))
	}
	out = append(out, blank)
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		out = append(out, m.field("", th.Quiet, name+"="+a.Labels[name]))
	}
	return append(out, blank, m.source(a.Source, sources.PartAlerts))
}
