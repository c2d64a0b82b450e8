package views

import "charm.land/bubbles/v2/key"

// KeyMap is every key of the board. It is the one truth: views match on it, and
// help is printed from it.
type KeyMap struct {
	// Acting on the selected flag.
	Ramp, Back, Kill, Undo, SetPercent, Guarded, Pause key.Binding

	// Marking flags, so that the keys above act on all of them as one.
	Mark, MarkAll key.Binding

	// Looking at a flag's history, and returning it to a state there. Return also calls off
	// what is to come, under the cursor of Activity.
	History, Return key.Binding

	// Acting on the selected breaker.
	ForceOpen, CloseBreaker key.Binding

	// Acting on the selected alert.
	Silence key.Binding

	// Looking.
	Detail, Escape, Filter, Palette, Sort, Zoom, Grow, Shrink, Backward, Forward key.Binding

	// Looking at a chart in a detail.
	Earlier, Later, Span, Chart, Copy key.Binding

	// Looking at an incident.
	Suspects, Timeline, NextEvent, PrevEvent, Report key.Binding

	// Moving.
	Up, Down, PageUp, PageDown, Top, Bottom key.Binding
	NextPane, PrevPane                      key.Binding

	// The program.
	NextContext, NextTheme, SaveRecording, Help, Suspend, Quit key.Binding
	// Replaying a recording.
	Replaying ReplayKeys
}

// DefaultKeyMap is the keys as documented. A key without words is told with the one
// before it.
func DefaultKeyMap() KeyMap {
	bind := func(label, does string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(label, does))
	}
	return KeyMap{
		Ramp:         bind("+", "ramp to the next step", "+"),
		Back:         bind("-", "back one step", "-"),
		Kill:         bind("K", "kill", "K"),
		Undo:         bind("u", "undo the last change", "u"),
		SetPercent:   bind("=", "set a percentage", "="),
		Guarded:      bind("R", "ramp under guard", "R"),
		Pause:        bind("p", "pause that ramp", "p"),
		Mark:         bind("space/M", "mark it / all in sight", "space"),
		MarkAll:      bind("", "", "M"),
		History:      bind("U", "history", "U"),
		Return:       bind("r", "return to it / call off", "r"),
		ForceOpen:    bind("o", "open it by force", "o"),
		CloseBreaker: bind("c", "close it again", "c"),
		Silence:      bind("a", "silence the alert", "a"),
		Detail:       bind("enter", "detail", "enter"),
		Escape:       bind("esc", "close", "esc"),
		Filter:       bind("/", "filter (/! inverse)", "/"),
		Palette:      bind(":", "palette of commands", ":"),
		Sort:         bind("s", "sort the flags", "s"),
		Zoom:         bind("z/>/<", "zoom / size the pane", "z"),
		Grow:         bind("", "", ">"),
		Shrink:       bind("", "", "<"),
		Backward:     bind("[/]", "where you were / on", "["),
		Forward:      bind("", "", "]"),
		Earlier:      bind("h/l", "earlier / later", "h", "left"),
		Later:        bind("", "", "l", "right"),
		Span:         bind("w", "span of the chart", "w"),
		Chart:        bind("v", "chart / call path", "v"),
		Copy:         bind("y", "copy name or trace", "y"),
		Suspects:     bind("S", "suspects of a breach", "S"),
		Report:       bind("x", "write a report", "x"),
		Timeline:     bind("t", "timeline", "t"),
		NextEvent:    bind("n/N", "next event / before", "n"),
		PrevEvent:    bind("", "", "N"),
		Up:           bind("k/j", "up/down", "k", "up"),
		Down:         bind("", "", "j", "down"),
		PageUp:       bind("pgup/pgdn", "page up, down", "pgup", "ctrl+u"),
		PageDown:     bind("", "", "pgdown", "ctrl+d"),
		Top:          bind("g/G", "first, last", "g", "home"),
		Bottom:       bind("", "", "G", "end"),
		NextPane:     bind("tab", "next pane, shift: back", "tab"),
		PrevPane:     bind("", "", "shift+tab"),
		NextContext:  bind("e", "context switch", "e"),
		NextTheme:    bind("T", "theme", "T"),
		Help:         bind("?", "help", "?"),
		Suspend:      bind("ctrl+z", "suspend, fg resumes", "ctrl+z"),
		Quit:         bind("q", "quit", "q", "ctrl+c"),

		SaveRecording: bind("ctrl+s", "save what was shown", "ctrl+s"),
		Replaying:     replayKeys(),
	}
}

// Place is where the keys of a Group mean something. The zero Place is everywhere.
type Place int

// The places that have keys of their own.
const (
	Anywhere   Place = iota
	OverRows         // in the breakers, the alerts, activity and a history
	OverCharts       // in a detail and in the timeline
)

// Group is some keys that belong together, under one title.
type Group struct {
	Title string
	Keys  []key.Binding
	Place Place
}

// ActGroup is the title of the keys that act on the selected flag.
const ActGroup = "Act on the selected flag"

// Groups are all keys, in the order in which help prints them.
func (k KeyMap) Groups() []Group {
	groups := []Group{
		{ActGroup, []key.Binding{k.Ramp, k.Back, k.Kill, k.Undo, k.SetPercent, k.Guarded, k.Pause, k.Mark, k.MarkAll, k.History}, Anywhere},
		{"In the breakers, alerts, a history", []key.Binding{k.ForceOpen, k.CloseBreaker, k.Silence, k.Return}, OverRows},
		{"In a detail, in the timeline", []key.Binding{k.Earlier, k.Later, k.Span, k.Chart, k.NextEvent, k.PrevEvent}, OverCharts},
		{"Everywhere", []key.Binding{
			k.Detail, k.Escape, k.Filter, k.Palette, k.Sort, k.Zoom, k.Grow, k.Shrink, k.Backward, k.Forward, k.Copy, k.Suspects, k.Timeline, k.Report,
			k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom, k.NextPane, k.PrevPane,
			k.NextContext, k.NextTheme, k.SaveRecording, k.Help, k.Suspend, k.Quit,
		}, Anywhere},
	}
	if k.Replaying.Play.Enabled() {
		groups = append([]Group{{"Replay", k.Replaying.All(), Anywhere}}, groups...)
	}
	return groups
}

// ShortHelp is the keys worth a place in one line.
func (k KeyMap) ShortHelp() []key.Binding {
	return []key.Binding{k.Ramp, k.Back, k.Kill, k.Undo, k.SetPercent, k.Filter, k.Palette, k.Detail, k.Help, k.Quit, k.NextPane, k.Suspects, k.Timeline, k.Sort, k.Zoom, k.Guarded, k.Pause, k.History, k.NextContext}
}

// FullHelp is all keys, a column for each group.
func (k KeyMap) FullHelp() [][]key.Binding {
	groups := k.Groups()
	out := make([][]key.Binding, len(groups))
	for i := range groups {
		out[i] = groups[i].Keys
	}
	return out
}

// ReadOnly is the map with every key that changes something switched off, so
// that it leaves dispatch and help alike.
func (k KeyMap) ReadOnly() KeyMap {
	for _, b := range []*key.Binding{&k.Ramp, &k.Back, &k.Kill, &k.Undo, &k.SetPercent, &k.Guarded, &k.Pause, &k.Mark, &k.MarkAll, &k.Return, &k.ForceOpen, &k.CloseBreaker, &k.Silence} {
		b.SetEnabled(false)
	}
	return k
}
