// Package confirm is the question asked before a change, in contexts that want
// to be asked.
package confirm

import (
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// AcceptedMsg carries the intent that the operator agreed to, as it was asked.
type AcceptedMsg struct{ Intent sources.Intent }

// RejectedMsg carries the intent that is not to be done.
type RejectedMsg struct{ Intent sources.Intent }

// KeyMap is the keys of the question.
type KeyMap struct{ Accept, Reject key.Binding }

// DefaultKeyMap is y or enter, and n or escape.
func DefaultKeyMap() KeyMap {
	return KeyMap{
		Accept: key.NewBinding(key.WithKeys("y", "enter"), key.WithHelp("y/enter", "yes")),
		Reject: key.NewBinding(key.WithKeys("n", "esc", "q", "ctrl+c"), key.WithHelp("n/esc", "no")),
	}
}

// Model is the question. It is closed until asked. Not for concurrent use.
type Model struct {
	th      *themes.Theme
	keys    KeyMap
	width   int
	height  int
	focused bool
	open    bool
	intent  sources.Intent
	flag    sources.Flag
	doubt   string
	group   string // the question about several flags; "" for one about a flag
}

// New is a closed question without a size. The board's own key map does not
// matter here: a question has only two answers.
func New(th *themes.Theme, _ views.KeyMap) Model {
	return Model{th: th, keys: DefaultKeyMap(), focused: true}
}

// SetSize gives the question w x h cells.
func (m *Model) SetSize(w, h int) { m.width, m.height = w, h }

// SetSnapshot is there for the sake of one interface: the question stays about
// the flag as it was seen.
func (m *Model) SetSnapshot(*sources.Snapshot, time.Time) {}

// SetFocused tells the question whether it has the keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// longest is how many characters a part of a question has at most.
const longest = 300

// Ask opens the question about an intent on a flag as the operator sees it. doubt,
// when not "", is what speaks against it.
func (m *Model) Ask(i sources.Intent, f sources.Flag, doubt string) {
	m.open, m.intent, m.flag, m.doubt, m.group = true, i, f, sources.Clean(doubt, longest), ""
}

// AskGroup opens a question about several flags at once; its answers carry no intent.
func (m *Model) AskGroup(question, doubt string) {
	m.open, m.intent, m.flag, m.doubt, m.group = true, sources.Intent{}, sources.Flag{}, sources.Clean(doubt, longest), sources.Clean(question, longest)
}

// Lines is how many lines the question takes in w cells: what speaks against it stands at
// its end, and is not to be cut.
func (m Model) Lines(w int) int {
	q := m.question()
	if views.Width(q)+answers <= w {
		return 1
	}
	return len(views.WrapLines(m.th, q, max(1, w-2), most)) + 1
}

// most is how many lines a question has, besides that of its answers.
const most = 4

func (m Model) question() string {
	q := m.group
	if q == "" {
		q = Question(m.th, &m.intent, &m.flag)
	}
	if m.doubt != "" {
		q = strings.TrimSuffix(q, "?") + ", though " + m.doubt + "?"
	}
	return q
}

// Close drops the question without a message.
func (m *Model) Close() { m.open = false }

// Opened tells whether there is a question.
func (m Model) Opened() bool { return m.open }

// ShortHelp is the two answers.
func (m Model) ShortHelp() []key.Binding { return []key.Binding{m.keys.Accept, m.keys.Reject} }

// FullHelp is the same for the help screen.
func (m Model) FullHelp() [][]key.Binding { return [][]key.Binding{m.ShortHelp()} }

// Update answers. Every other key is swallowed: nothing happens by accident.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok || !m.open {
		return m, nil
	}
	switch {
	case key.Matches(press, m.keys.Accept):
		m.open = false
		return m, views.Send(AcceptedMsg{Intent: m.intent})
	case key.Matches(press, m.keys.Reject):
		m.open = false
		return m, views.Send(RejectedMsg{Intent: m.intent})
	}
	return m, nil
}

// Question is the sentence: "Ramp checkout-v2 25% ➔ 50%?".
func Question(th *themes.Theme, i *sources.Intent, f *sources.Flag) string {
	to := views.PercentText(i.To)
	switch i.Kind {
	case sources.Kill:
		if to = "killed"; i.Stage != "" {
			to = i.Stage
		}
	case sources.Move:
		to = i.Stage
	case sources.Later:
		to += i.At.Format(" on Mon 2 Jan 15:04 MST")
	case sources.CallOff:
		return "Call off " + f.Name + " " + th.Glyphs.Arrow + " " + i.ToAs + i.At.Format(" on Mon 2 Jan 15:04 MST") + "?"
	case sources.Restore:
		to = i.ToAs
	case sources.ForceOpen:
		to = sources.BreakerForcedOpen.String()
	case sources.CloseBreaker:
		to = sources.BreakerClosed.String()
	case sources.SilenceAlert:
		to = "silenced for " + views.Lasts(i.For)
	case sources.Undo:
		switch {
		case i.ToAs != "":
			return "Undo " + i.ToAs + "?"
		case f.Name == "": // which change that is, the journal knows and not the screen
			return "Undo your last change?"
		}
		return "Undo the last change of " + f.Name + "?"
	default:
	}
	verbs := map[sources.ChangeKind]string{
		sources.Ramp: "Ramp", sources.Back: "Step back", sources.Set: "Set", sources.Guarded: "Ramp under guard", sources.Later: "Schedule", sources.Kill: "Kill", sources.Move: "Move",
		sources.Restore: "Return", sources.ForceOpen: "Force open", sources.CloseBreaker: "Close", sources.SilenceAlert: "Silence",
	}
	return verbs[i.Kind] + " " + f.Name + " " + f.Brief() + " " + th.Glyphs.Arrow + " " + to + "?"
}

// answers is the room that the two keys take in a question of one line.
const answers = 26

// View is the question; blank while closed.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	if !m.open {
		return p.String()
	}
	if m.height > max(2, m.Lines(m.width)) {
		p.Title(m.focused, "Confirm", nil, nil)
	}
	q := m.question()
	if m.height > 1 {
		for _, line := range views.WrapLines(m.th, q, max(1, m.width-2), min(p.Left()-1, most)) {
			p.Gap(2)
			p.Text(m.th.Strong, line)
			p.End()
		}
		p.Gap(2)
	} else {
		p.Gap(1)
		for _, line := range views.WrapLines(m.th, q, max(1, m.width-answers), 1) {
			p.Text(m.th.Strong, line)
		}
		p.Gap(2)
	}
	for _, b := range m.ShortHelp() {
		p.Text(m.th.Key, b.Help().Key)
		p.Gap(1)
		p.Text(m.th.Quiet, b.Help().Desc)
		p.Gap(3)
	}
	p.End()
	return p.String()
}
