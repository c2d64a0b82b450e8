// Package prompt is the line in which an operator types a filter or a percentage.
package prompt

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Purpose is what is being typed.
type Purpose int

// The purposes.
const (
	Filter  Purpose = iota // narrows a pane while it is typed
	Percent                // a rollout for one flag
	Reason                 // why a flag is to be raised against its guards
	Name                   // the name of a flag, so that nobody passes a point of no return by a slip of the finger
	Silence                // how long an alert is to be silenced, and why
)

// ChangedMsg carries a filter as it stands after each key.
type ChangedMsg struct {
	Purpose Purpose
	Text    string
}

// SubmittedMsg carries what was typed, once it is valid and enter was pressed.
type SubmittedMsg struct {
	Purpose Purpose
	Text    string
	Flag    sources.FlagID   // for Percent: the flag that the prompt was opened on
	Seen    sources.Revision // and the revision that was on the screen then
	SeenAs  string           // the same in words
	To      sources.Percent  // for Percent
	At      time.Time        // for Percent: when, as typed behind an @; zero for now
	Intent  sources.Intent   // for Reason: what was refused; for Name and Silence: what is done now, with what was typed in it
}

// CancelledMsg says that the operator thought better of it.
type CancelledMsg struct{ Purpose Purpose }

// Model is the line. It is closed until opened, and then takes every key. Not
// for concurrent use.
type Model struct {
	th      *themes.Theme
	keys    views.KeyMap
	width   int
	height  int
	focused bool
	open    bool
	purpose Purpose
	flag    sources.Flag
	intent  sources.Intent
	now     time.Time // for Percent: when it was opened, in the zone whose clocks are meant
	why     string    // for Name: what is lost, or cannot be taken back
	input   textinput.Model
	hints   []string // the same at several lengths, the longest first; the first that fits is shown
	fields  string   // for Filter: what can be asked for
	valid   bool
}

// charLimit is how long a filter, a percentage or a reason may be.
const charLimit = 80

// New is a closed prompt without a size.
func New(th *themes.Theme, keys views.KeyMap) Model {
	in := textinput.New()
	in.Prompt = ""
	in.CharLimit = charLimit
	plain := lipgloss.NewStyle()
	state := textinput.StyleState{Text: th.Text.Style(), Placeholder: th.Quiet.Style(), Suggestion: plain, Prompt: plain}
	// No blinking: a cursor that blinks sends bytes over a link that may be slow.
	in.SetStyles(textinput.Styles{Focused: state, Blurred: state})
	return Model{th: th, keys: keys, input: in, focused: true}
}

// SetSize gives the prompt w x h cells; it writes one line and pads the others.
func (m *Model) SetSize(w, h int) {
	m.width, m.height = w, h
	m.fit()
}

// fit leaves as much room for the hint as what is typed does not need.
func (m *Model) fit() {
	wide := 24
	switch m.purpose {
	case Percent:
		wide = max(8, min(wide, views.Width(m.input.Value())+1))
	case Name:
		wide = max(wide, views.Width(m.flag.Name)+2)
	case Silence:
		wide = max(wide, m.width*3/4-37) // beside the name and the hint
	default:
	}
	m.input.SetWidth(max(1, min(wide, m.width-12)))
	m.input.SetCursor(m.input.Position()) // scrolls the text for the new width
}

// SetSnapshot is there for the sake of one interface; a prompt keeps the flag
// that it was opened on, whatever happens meanwhile.
func (m *Model) SetSnapshot(*sources.Snapshot, time.Time) {}

// SetFocused tells the prompt whether it has the keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// OpenFilter starts typing a filter, from what is there; fields are what can be asked for
// besides names, "" for nothing.
func (m *Model) OpenFilter(text, fields string) {
	m.fields = fields
	m.start(Filter, text)
	m.check()
}

// OpenPercent starts typing a percentage for a flag as the operator sees it, or one and
// a moment to come by the clocks of now: "25 @ Fri 10:00".
func (m *Model) OpenPercent(f sources.Flag, now time.Time) {
	m.start(Percent, "")
	m.flag, m.now = f, now
	m.check()
}

// OpenReason starts typing why an intent that was refused is to be done nevertheless.
func (m *Model) OpenReason(f sources.Flag, in sources.Intent) {
	m.start(Reason, "")
	m.flag, m.intent = f, in
	m.check()
}

// OpenName asks for the flag's name typed out before an intent is done; why is what
// that means.
func (m *Model) OpenName(f sources.Flag, in sources.Intent, why string) {
	m.start(Name, "")
	m.flag, m.intent, m.why = f, in, sources.Clean(why, 500)
	m.input.CharLimit = sources.MaxName // a name that cannot be typed could never be agreed to
	m.fit()
	m.check()
}

// OpenSilence starts typing how long an alert, which is given as a flag of its name, is
// to be silenced and why. What is there already is the time that most take.
func (m *Model) OpenSilence(alert sources.Flag, in sources.Intent) {
	m.start(Silence, "1h ")
	m.flag, m.intent = alert, in
	m.input.CharLimit = 2 * charLimit // a reason is for others to read
	m.check()
}

// Lines is how many lines the prompt takes in w cells.
func (m Model) Lines(w int) int {
	if m.purpose != Name {
		return 1
	}
	return 1 + len(m.reason(w))
}

// reason is why a name is asked for, in lines.
func (m *Model) reason(w int) []string { return views.WrapLines(m.th, m.why, max(w-4, 1), 3) }

func (m *Model) start(purpose Purpose, text string) {
	m.open, m.purpose, m.flag, m.intent, m.why = true, purpose, sources.Flag{}, sources.Intent{}, ""
	m.input.CharLimit = charLimit
	m.fit()
	m.input.SetValue(text)
	m.input.CursorEnd()
	m.input.Focus()
}

// Close ends typing without a message.
func (m *Model) Close() {
	m.open = false
	m.input.Blur()
}

// Opened tells whether the prompt is open.
func (m Model) Opened() bool { return m.open }

// Value is what has been typed so far.
func (m Model) Value() string { return m.input.Value() }

// ShortHelp is the keys that the prompt answers to.
func (m Model) ShortHelp() []key.Binding {
	accept := m.keys.Detail
	accept.SetHelp("enter", "accept")
	cancel := m.keys.Escape
	cancel.SetHelp("esc", "cancel")
	return []key.Binding{accept, cancel}
}

// FullHelp is the same for the help screen.
func (m Model) FullHelp() [][]key.Binding { return [][]key.Binding{m.ShortHelp()} }

// Update types. Enter submits what is valid and nothing else; escape cancels.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	if !m.open {
		return m, nil
	}
	if press, ok := msg.(tea.KeyPressMsg); ok {
		switch {
		case press.Code == tea.KeyEscape, press.Code == 'c' && press.Mod == tea.ModCtrl:
			m.Close()
			return m, views.Send(CancelledMsg{Purpose: m.purpose})
		case press.Code == tea.KeyEnter:
			return m.submit()
		}
	}
	before := m.input.Value()
	var cmd tea.Cmd
	m.input, cmd = m.input.Update(msg)
	if m.purpose == Percent { // a moment needs more room than a number
		m.fit()
	}
	m.check()
	if m.purpose == Filter && m.input.Value() != before {
		return m, tea.Batch(cmd, views.Send(ChangedMsg{Purpose: Filter, Text: m.input.Value()}))
	}
	return m, cmd
}

func (m Model) submit() (Model, tea.Cmd) {
	if !m.valid {
		return m, nil
	}
	out := SubmittedMsg{Purpose: m.purpose, Text: m.input.Value()}
	out.Intent = m.intent
	if m.purpose == Percent {
		p, at, err := m.percent(out.Text)
		if err != nil {
			return m, nil
		}
		out.Flag, out.Seen, out.SeenAs, out.To, out.At = m.flag.ID, m.flag.Revision, m.flag.Brief(), p, at
	}
	if m.purpose == Name {
		out.Flag, out.Intent = m.flag.ID, m.intent
		out.Intent.Confirm = m.flag.Name
	}
	if m.purpose == Silence {
		out.Flag = m.flag.ID
		out.Intent.For, out.Intent.Reason, _ = quiet(out.Text)
	}
	m.Close()
	return m, views.Send(out)
}

// check works out the hint: what enter would do, or why it would not.
func (m *Model) check() {
	text := m.input.Value()
	switch m.purpose {
	case Filter:
		_, err := views.ParseFilter(text)
		if m.valid = err == nil; m.valid {
			m.say(strings.TrimRight("words; !not "+m.fields, " "))
		} else {
			m.say(err.Error())
		}
	case Reason:
		m.valid = strings.TrimSpace(text) != ""
		enter := "enter raises it to " + cmp.Or(m.intent.Stage, m.intent.ToAs, views.PercentText(m.intent.To))
		m.say(enter+" nevertheless, on record", enter+", on record", enter)
	case Name:
		if m.valid = text == m.flag.Name; m.valid {
			m.say("enter goes on")
			return
		}
		m.say("type "+m.flag.Name+" to go on, esc leaves everything as it is", "type "+m.flag.Name+" to go on, or esc", "type "+m.flag.Name)
	case Silence:
		d, _, err := quiet(text)
		if m.valid = err == nil; m.valid {
			m.say("enter silences it for " + views.Lasts(d))
		} else {
			m.say(err.Error())
		}
	default:
		m.checkPercent(text)
	}
}

// say is the hint, and what it comes down to where there is less room for it.
func (m *Model) say(hints ...string) { m.hints = hints }

func (m *Model) checkPercent(text string) {
	p, at, err := m.percent(text)
	is, later := m.flag.Brief(), "25 @ Fri 10:00"
	m.valid = err == nil && text != ""
	switch {
	case text == "":
		m.say("0 to 100, now "+is+"; later: "+later, "0-100 or "+later+", now "+is, "0-100 or "+later, "0-100, now "+is, "0-100")
	case err != nil:
		sentence := sources.Sentence(err)
		_, remedy, _ := strings.Cut(sentence, ": ") // what was typed stands beside it
		m.say(sentence, cmp.Or(remedy, sentence))
	default:
		to := m.th.Glyphs.Arrow + " " + views.PercentText(p)
		if at.IsZero() {
			m.say(is+" "+to, to)
			return
		}
		ahead := views.Ahead(at, m.now)
		m.say(is+" "+to+" "+ahead, to+" "+ahead, ahead)
	}
}

// percent is what was typed as a percentage, and when; zero for now.
func (m *Model) percent(text string) (p sources.Percent, at time.Time, err error) {
	return Percentage(text, m.now)
}

// Percentage reads "25", or with a moment to come by the clocks of now "25 @ Fri 10:00";
// at is zero without one.
func Percentage(text string, now time.Time) (p sources.Percent, at time.Time, err error) {
	text, when, later := strings.Cut(text, "@")
	if p, err = sources.ParsePercent(text); err != nil || !later {
		return p, at, err
	}
	at, err = sources.ParseMoment(when, now.Location(), now)
	if err == nil && !at.After(now) {
		err = fmt.Errorf("that lies in the past: %w", sources.ErrInvalid)
	}
	return p, at, err
}

// quiet is how long, and why, an alert is to be silent: "30m known, the fix is out",
// or an hour where no time stands in front. Its errors are hints.
func quiet(text string) (d time.Duration, why string, err error) {
	first, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	d, err = time.ParseDuration(first)
	switch {
	case err == nil:
		why = strings.TrimSpace(rest)
	case first != "" && first[0] >= '0' && first[0] <= '9':
		return 0, "", errors.New("first a time, such as 30m")
	default:
		d, why = time.Hour, strings.TrimSpace(text)
	}
	switch {
	case d < time.Minute || d > sources.MaxSilence:
		return 0, "", errors.New("from 1m to " + views.Lasts(sources.MaxSilence))
	case why == "":
		return 0, "", errors.New("now why, for the record")
	}
	return d, why, nil
}

// View is the line; blank while closed.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	if !m.open {
		return p.String()
	}
	for i, line := range m.reason(m.width) {
		if i == 0 {
			p.Gap(1)
			p.Text(m.th.Warn, m.th.Glyphs.FlagBroken)
		}
		p.To(3)
		p.Text(m.th.Warn, line)
		p.End()
	}
	p.Gap(1)
	switch m.purpose {
	case Filter:
		p.Text(m.th.Key, "/")
	case Name:
		p.Text(m.th.Key, "name:")
		p.Gap(1)
	default:
		sign := " ="
		switch m.purpose {
		case Reason:
			sign = " why:"
		case Silence:
			sign = " quiet:"
		default:
		}
		p.Text(m.th.Key, views.Cut(m.th, m.flag.Name, max(8, m.width/4))+sign)
		p.Gap(1)
	}
	field := m.input.View()
	p.Raw(field, ansi.StringWidth(field))
	p.Gap(1)
	ink := m.th.Quiet
	if !m.valid && m.input.Value() != "" && m.purpose != Silence { // which begins with half of an answer
		ink = m.th.Bad
	}
	p.Text(ink, m.hint(p.Width()-p.X()))
	p.End()
	return p.String()
}

// hint is the longest that fits into so many cells, or as much as does of the shortest.
func (m *Model) hint(room int) string {
	for _, hint := range m.hints {
		if views.Width(hint) <= room {
			return hint
		}
	}
	if len(m.hints) == 0 {
		return ""
	}
	return m.hints[len(m.hints)-1]
}
