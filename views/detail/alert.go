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
		m.field("runbook", th.Link(th.Text, a.Runbook), orAbsent(a.Runbook)),
	)
	if !m.readOnly && a.State != sources.AlertSilenced {
		if source, why := views.Silencer(m.snap, a); source == "" {
			out = append(out, m.field("keys", th.Quiet, why))
		} else {
			out = append(out, m.field("keys", th.Quiet, views.Named(m.keys.Silence)+" silences it in "+source+" for a while"))
		}
	}
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
	out = append(append(out, blank), m.source(a.Source, sources.PartAlerts)...)
	if a.Also != "" {
		out = append(out, m.field("also from", th.Text, a.Also))
	}
	return out
}

// findGroup looks the alerts of a group up in the snapshot.
func (m *Model) findGroup() bool {
	if m.snap == nil {
		return false
	}
	var now []sources.Alert
	for i := range m.snap.Alerts {
		if a := &m.snap.Alerts[i]; views.GroupSubject(a) == m.subject {
			now = append(now, *a)
		}
	}
	if len(now) > 0 {
		m.group = now
	}
	return len(now) > 0
}

// groupLines are the alerts of a group, a line each.
func (m *Model) groupLines() []line {
	a, th := &m.group[0], m.th
	out := m.prose(nil, a.Summary, th.Text)
	out = append(out, blank)
	for i := range m.group {
		out = append(out, func(p *views.Pen) {
			one := &m.group[i]
			p.Gap(2)
			p.Cell(th.Quiet, views.AgeOf(one.Since, m.now, false), 6)
			p.Cell(th.Text, orAbsent(views.AlertAbout(one)), 26)
			p.Cell(th.Text, orAbsent(one.Value), 14)
			p.Text(th.Quiet, labelsOf(one))
			p.End()
		})
	}
	out = append(append(out, blank), m.source(a.Source, sources.PartAlerts)...)
	return append(out, m.field("keys", th.Quiet, views.Named(m.keys.Detail)+" shows them one by one"))
}

// labelsOf is the labels of an alert that its row does not say already.
func labelsOf(a *sources.Alert) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		if value := a.Labels[name]; name != "alertname" && name != "severity" && value != views.AlertAbout(a) {
			out = append(out, name+"="+value)
		}
	}
	return strings.Join(out, " ")
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
