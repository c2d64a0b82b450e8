package views

import "charm.land/bubbles/v2/key"

// KeyMap is every key of the board. It is the one truth: views match on it, and
// help is printed from it.
type KeyMap struct {
	// Acting on the selected flag.
	Ramp, Back, Kill, Undo, SetPercent, Guarded, Pause key.Binding

	// Marking flags, so that the keys above act on all of them as one.
	Mark key.Binding

	// Looking at a flag's history, and returning it to a state there: Return means
	// nothing anywhere else, so help does not list it.
	History, Return key.Binding

	// Acting on the selected breaker.
	ForceOpen, CloseBreaker key.Binding

	// Acting on the selected alert.
	Silence key.Binding

	// Looking.
	Detail, Escape, Filter, Sort, Zoom key.Binding

	// Looking at a chart in a detail.
	Earlier, Later, Span, Chart, Copy key.Binding

	// Looking at an incident.
	Suspects, Timeline, Event, Report key.Binding

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
		Mark:         bind("space/M", "mark it / all in sight", "space", "M"),
		History:      bind("U", "history", "U"),
		Return:       bind("r", "return to that state", "r"),
		ForceOpen:    bind("o", "open by force", "o"),
		CloseBreaker: bind("c", "close again", "c"),
		Silence:      bind("a", "silence for a while", "a"),
		Detail:       bind("enter", "detail", "enter"),
		Escape:       bind("esc", "close", "esc"),
		Filter:       bind("/", "filter (/! inverse)", "/"),
		Sort:         bind("s", "sort", "s"),
		Zoom:         bind("z", "zoom the pane", "z"),
		Earlier:      bind("h/left", "earlier", "left", "h"),
		Later:        bind("l/right", "later", "right", "l"),
		Span:         bind("w", "span of the chart", "w"),
		Chart:        bind("v", "chart / call path", "v"),
		Copy:         bind("y", "copy name or trace", "y"),
		Suspects:     bind("S", "suspects of a breach", "S"),
		Report:       bind("x", "write a report", "x"),
		Timeline:     bind("t", "timeline", "t"),
		Event:        bind("n/N", "next event / before", "n", "N"),
		Up:           bind("k/j", "up/down", "k", "up"),
		Down:         bind("j/down", "down", "j", "down"),
		PageUp:       bind("pgup/pgdn", "page up, down", "pgup", "ctrl+u"),
		PageDown:     bind("", "", "pgdown", "ctrl+d"),
		Top:          bind("g/G", "first, last", "g", "home"),
		Bottom:       bind("", "", "G", "end"),
		NextPane:     bind("tab", "next pane", "tab"),
		PrevPane:     bind("shift+tab", "previous pane", "shift+tab"),
		NextContext:  bind("e", "context switch", "e"),
		NextTheme:    bind("T", "theme", "T"),
		Help:         bind("?", "help", "?"),
		Suspend:      bind("ctrl+z", "suspend, fg resumes", "ctrl+z"),
		Quit:         bind("q", "quit", "q", "ctrl+c"),

		SaveRecording: bind("ctrl+s", "save what was shown", "ctrl+s"),
		Replaying:     replayKeys(),
	}
}

// Group is some keys that belong together, under one title.
type Group struct {
	Title string
	Keys  []key.Binding
}

// Groups are all keys, in the order in which help prints them.
func (k KeyMap) Groups() []Group {
	groups := []Group{
		{"Act on the selected flag", []key.Binding{k.Ramp, k.Back, k.Kill, k.Undo, k.SetPercent, k.Guarded, k.Pause, k.Mark, k.History}},
		{"Act on the selected breaker, alert", []key.Binding{k.ForceOpen, k.CloseBreaker, k.Silence}},
		{"Look", []key.Binding{k.Detail, k.Escape, k.Filter, k.Sort, k.Zoom, k.Earlier, k.Later, k.Span, k.Chart, k.Copy, k.Suspects, k.Timeline, k.Event, k.Report}},
		{"Move", []key.Binding{k.Up, k.PageUp, k.Top, k.NextPane, k.PrevPane}},
		{"Program", []key.Binding{k.NextContext, k.NextTheme, k.SaveRecording, k.Help, k.Suspend, k.Quit}},
	}
	if k.Replaying.Play.Enabled() {
		groups = append([]Group{{"Replay", k.Replaying.All()}}, groups...)
	}
	return groups
}

// ShortHelp is the keys worth a place in one line.
func (k KeyMap) ShortHelp() []key.Binding {
	return []key.Binding{k.Ramp, k.Back, k.Kill, k.Undo, k.SetPercent, k.Filter, k.Detail, k.Help, k.Quit, k.NextPane, k.Suspects, k.Timeline, k.Sort, k.Zoom, k.Guarded, k.Pause, k.History, k.NextContext}
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
	for _, b := range []*key.Binding{&k.Ramp, &k.Back, &k.Kill, &k.Undo, &k.SetPercent, &k.Guarded, &k.Pause, &k.Mark, &k.Return, &k.ForceOpen, &k.CloseBreaker, &k.Silence} {
		b.SetEnabled(false)
	}
	return k
}
