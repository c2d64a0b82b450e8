package ui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/footer"
	"relctl-tui/views/palette"
)

// worded are the actions that the palette has words of their own for.
var worded = []string{
	"ramp", "back", "kill", "undo", "set", "guarded", "pause", "mark", "history", "force_open", "close_breaker", "silence", "detail",
	"filter", "palette", "sort", "zoom", "span", "chart", "copy", "suspects", "timeline", "report", "save_recording", "help", "suspend", "quit",
	"play", "replay_next", "replay_prev", "slower", "faster",
}

// moves are those that only keys are any good for. They are listed where they have none.
var moves = []string{"up", "down", "page_up", "page_down", "top", "bottom", "escape"}

// asPressed is every other action by its name, done as its key would: whatever key somebody
// has taken away, what it did can still be said.
func (m *Model) asPressed() []command {
	var out []command
	for _, a := range m.keys.Actions() {
		if slices.Contains(worded, a.Name) || slices.Contains(moves, a.Name) && len(a.Keys) > 0 || (a.Scope == views.ReplayOnly) != (m.opts.Replay != nil) && a.Scope != views.Everywhere {
			continue
		}
		e := palette.Entry{Text: strings.ReplaceAll(a.Name, "_", " "), Kind: "look", Does: a.Does, Why: m.noUse(a.Name)}
		if len(a.Keys) > 0 {
			e.Key = a.Keys[0]
		}
		run := func(palette.ChosenMsg) tea.Cmd { return m.browse(a.Press()) }
		switch a.Name {
		case "return":
			e.Kind, e.Acts = "action", true
			run = m.returns
		case "mark_all":
			e.Kind = "action"
			run = func(palette.ChosenMsg) tea.Cmd { return m.paneOf(paneFlags, m.keys.MarkAll) }
		}
		out = append(out, command{e, run})
	}
	return out
}

// noUse is why an action has nothing to do where the board is now; "" where it has.
func (m *Model) noUse(action string) string {
	switch action {
	case "mark_all", "return":
		if m.opts.ReadOnly {
			return m.denied()
		}
	case "earlier", "later":
		if !m.detailed && m.screen != timelineScreen {
			return "only a chart and the timeline have a time to move in"
		}
	case "next_event", "prev_event":
		if m.screen != timelineScreen {
			return "only the timeline has events to go to"
		}
	case "next_context":
		if m.opts.Next == "" {
			return "there is no other context: the config file names them"
		}
	case "theme":
		if len(m.opts.Themes) < 2 {
			return "there is no other theme here"
		}
	}
	if action == "return" && m.screen != historyScreen && m.toCome() == nil {
		return "in a flag's history this returns it to the state under the cursor, in activity it calls off what is scheduled"
	}
	return ""
}

// returns does what the key does that returns a flag to an earlier state, or calls off what
// is to come.
func (m *Model) returns(said palette.ChosenMsg) tea.Cmd {
	kind := sources.Restore
	if m.toCome() != nil {
		kind = sources.CallOff
	}
	if why := m.noUse("return"); why != "" {
		m.footer.SetStatus(why, footer.Warning)
		return nil
	}
	return m.acts(kind)(said)
}
