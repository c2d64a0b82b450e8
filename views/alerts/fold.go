package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// manyAlerts of one rule in one state are one row: two say more side by side.
const manyAlerts = 3

// row is one line of the pane.
type row struct {
	at     int   // the alert; of several the first, which is the worst
	group  []int // all of them, for the row that stands for several
	member []int // those of one rule that it stands below; nil for an alert alone
}

// fold makes rows of alerts, worst first: those of one rule that are in the same state
// are under one row, in the place of the first, and each has its own below that where
// the rule is unfolded. What is silenced is never under a row of what fires. Those that
// are not let through have no row.
func fold(list []sources.Alert, lets func(*sources.Alert) bool, unfolded map[string]bool) []row {
	type same struct {
		rule  string
		state sources.AlertState
	}
	of := map[same][]int{}
	for i := range list {
		if k := (same{list[i].Name, list[i].State}); lets(&list[i]) {
			of[k] = append(of[k], i)
		}
	}
	var rows []row
	for i := range list {
		switch all := of[same{list[i].Name, list[i].State}]; {
		case !slices.Contains(all, i):
		case len(all) < manyAlerts:
			rows = append(rows, row{at: i})
		case all[0] == i:
			rows = append(rows, row{at: i, group: all})
			if !unfolded[list[i].Name] {
				continue
			}
			for _, one := range all {
				rows = append(rows, row{at: one, member: all})
			}
		}
	}
	return rows
}

// name is what a row is known by: the rule, how many there are of it, or of one of
// them the labels by which it differs.
func (m *Model) name(r *row) string {
	a := &m.Snap.Alerts[r.at]
	switch {
	case len(r.group) > 0:
		return fmt.Sprintf("%s x%d", a.Name, len(r.group))
	case len(r.member) > 0:
		if text := m.differs(a, r.member); text != "" {
			return "  " + text
		}
		return "  " + a.Name
	default:
		return a.Name
	}
}

// differs is the labels of an alert that not all of a group share, but for the service
// where it has a column.
func (m *Model) differs(a *sources.Alert, group []int) string {
	var out []string
	for label, value := range a.Labels {
		if m.Table.Has(colAbout) && value == views.AlertAbout(a) {
			continue
		}
		if slices.ContainsFunc(group, func(i int) bool { return m.Snap.Alerts[i].Labels[label] != value }) {
			out = append(out, label+"="+value)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// about is the flag or the service of a row, or how many of them there are.
func (m *Model) about(r *row) string {
	if len(r.group) == 0 {
		return views.AlertAbout(&m.Snap.Alerts[r.at])
	}
	seen := map[string]bool{}
	only, flags := "", 0
	for _, i := range r.group {
		a := &m.Snap.Alerts[i]
		if about := views.AlertAbout(a); about != "" && !seen[about] {
			seen[about], only = true, about
			if a.Flag != "" {
				flags++
			}
		}
	}
	switch {
	case len(seen) < 2:
		return only
	case flags == len(seen):
		return fmt.Sprintf("%d flags", len(seen))
	default:
		return fmt.Sprintf("%d services", len(seen))
	}
}

// earliest is since when the first of several holds.
func (m *Model) earliest(group []int) (since time.Time) {
	for _, i := range group {
		since = sources.Earlier(since, m.Snap.Alerts[i].Since)
	}
	return since
}
