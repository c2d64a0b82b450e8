package ui

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/footer"
	"relctl-tui/views/palette"
)

// This file is the filters that have a name: the config's, and those that the operator has
// saved.

// SavedFilters keeps filters of the operator's own by name. Each method gives all that there
// are then, and may be called by any goroutine; commands call them.
type SavedFilters interface {
	All() (map[string]string, error)
	Save(name, filter string) (map[string]string, error)
	Forget(name string) (map[string]string, error)
}

// filterOf is what narrows a pane; "" for nothing.
func (m *Model) filterOf(p pane) string { return m.filters()[p] }

// filters are those of all panes.
func (m *Model) filters() [paneCount]string {
	return [paneCount]string{m.flags.Filter(), m.alerts.Filter(), m.breakers.Filter(), m.latency.Filter(), m.activity.Filter()}
}

// setFilter narrows a pane.
func (m *Model) setFilter(p pane, text string) {
	switch {
	case text == m.filterOf(p):
	case p == paneFlags:
		m.flags.SetFilter(text)
	case p == paneAlerts:
		m.alerts.SetFilter(text)
	case p == paneBreakers:
		m.breakers.SetFilter(text)
	case p == paneLatency:
		m.latency.SetFilter(text)
	case p == paneActivity:
		m.activity.SetFilter(text)
	}
}

// narrow narrows a pane because somebody said so: that another row is under its cursor
// then is no news.
func (m *Model) narrow(p pane, text string) {
	m.setFilter(p, text)
	if p == paneFlags {
		m.selectionMoved()
	}
	m.refocused()
}

// filterFields are what a filter of each pane can ask for besides a name.
var filterFields = [paneCount]string{
	"#tag " + views.FilterFields, "#severity state:firing store: changed<1h", "state:open store: changed<1h", "state:breached store:", "by: state:killed store: changed<1h",
}

// openFilter has somebody type a filter for what they look at.
func (m *Model) openFilter() {
	if m.screen == timelineScreen {
		m.prompt.OpenFilter(m.timeline.Filter(), "")
		return
	}
	m.prompt.OpenFilter(m.filterOf(m.focus), filterFields[m.focus])
}

// namedFilters show, save and forget them.
func (m *Model) namedFilters() []command {
	var out []command
	all := maps.Clone(m.saved)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, m.opts.Filters)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		text, does := all[name], all[name]
		if m.saved[name] != "" && m.opts.Filters[name] != "" {
			does += ", of the config, which goes before yours of that name"
		}
		out = append(out, command{palette.Entry{Text: "show " + name, Kind: "filter", Does: does}, func(palette.ChosenMsg) tea.Cmd {
			m.only(text)
			return nil
		}})
	}
	save := command{palette.Entry{Text: "save", Kind: "filter", Does: "save the filter of the flags by a name"}, func(said palette.ChosenMsg) tea.Cmd {
		if err := m.savable(said.Rest); err != nil {
			m.footer.SetStatus(sources.Sentence(err), footer.Warning)
			return nil
		}
		return keepFilter(m.opts.Saved, said.Rest, m.flags.Filter())
	}}
	save.Rest = func(name string) (string, bool) {
		if err := m.savable(name); err != nil {
			return err.Error(), false
		}
		if old := m.saved[name]; old != "" && old != m.flags.Filter() {
			return m.flags.Filter() + ", in place of " + old, true
		}
		return m.flags.Filter(), true
	}
	if m.opts.Saved == nil {
		save.Why = "nothing of yours is kept here: filters of the config have names"
	}
	out = append(out, save)
	for _, name := range slices.Sorted(maps.Keys(m.saved)) {
		out = append(out, command{palette.Entry{Text: "forget " + name, Kind: "filter", Does: m.saved[name]}, func(palette.ChosenMsg) tea.Cmd {
			return keepFilter(m.opts.Saved, name, "")
		}})
	}
	return out
}

// savable is why the filter on the board cannot be saved by a name; nil when it can.
func (m *Model) savable(name string) error {
	switch {
	case m.flags.Filter() == "":
		return fmt.Errorf("the flags have no filter to save: %s sets one", views.Named(m.keys.Filter))
	case name == "":
		return errors.New("say by which name: save NAME")
	case m.opts.Filters[name] != "":
		return fmt.Errorf("the config has a filter %s, which goes before yours: save it by another name", name)
	}
	return views.NamedFilter(name, m.flags.Filter())
}

// filtersKept takes in what was saved, forgotten or read.
func (m *Model) filtersKept(msg FiltersKeptMsg) {
	why := ""
	switch {
	case msg.Err != nil:
		if why = sources.Sentence(msg.Err); msg.Did != "" {
			m.footer.SetStatus(why, footer.Failure)
		} else if why != m.unsaved {
			m.notify(notice{level: footer.Warning, text: why})
		}
	case msg.Did != "":
		m.footer.SetStatus(msg.Did, footer.Done)
	}
	if m.unsaved = why; why == "" {
		m.saved = msg.All
	}
}
