package detail

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// alertLines are what there is to say about the alert: what it means, what it is
// about, who has silenced it, and its labels.
func (m *Model) alertLines() []line {
	a, th := m.alert, m.th
	out := m.prose(nil, a.Summary, th.Text)
	out = m.prose(out, a.Description, th.Quiet)
	out = append(out,
		m.field("severity", th.Text, orAbsent(a.Severity)),
		m.field("since", th.Text, views.AgeOf(a.Since, m.now, true)),
		m.field("value", th.Text, orAbsent(a.Value)),
		m.field("service", th.Text, m.linkedService(a.Service)),
		m.field("flag", th.Text, m.linkedFlags(a.Flag)),
		m.field("runbook", th.Text, orAbsent(a.Runbook)),
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
	if a.Cut > 0 {
		out = append(out, m.field("", th.Quiet, fmt.Sprintf("and %d more labels", a.Cut)))
	}
	out = append(out, blank, m.source(a.Source, sources.PartAlerts))
	if a.Also != "" {
		out = append(out, m.field("also from", th.Text, a.Also))
	}
	return out
}

// linkedFlags is the flag that an alert names, as the stores have it.
func (m *Model) linkedFlags(key string) string {
	if key == "" {
		return orAbsent("")
	}
	var found []string
	for i := range m.snap.Flags {
		if f := &m.snap.Flags[i]; f.ID.Key == key {
			found = append(found, f.Name+" "+f.Brief()+" in "+f.ID.Source)
		}
	}
	if len(found) == 0 {
		return key + ", which no store here has"
	}
	return strings.Join(found, ", ")
}

// linkedService is the service that an alert is about, and the rows of that very name.
func (m *Model) linkedService(name string) string {
	if name == "" {
		return orAbsent("")
	}
	text := name
	if l := m.snap.Latency(name); l != nil {
		text += ", p99 " + orAbsent(views.ShortSeconds(l.P99))
	}
	for i := range m.snap.Breakers {
		if b := &m.snap.Breakers[i]; b.Name == name {
			text += ", breaker " + b.State.String()
		}
	}
	return text
}
