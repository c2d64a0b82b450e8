package views

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// Scope is where an action's keys count. The zero Scope is everywhere.
type Scope int

// The scopes. Two actions may share a key when they never meet.
const (
	Everywhere Scope = iota
	LiveOnly         // not while a recording is shown
	ReplayOnly       // only then
)

// meets tells whether actions of two scopes can be asked for on one board.
func (s Scope) meets(other Scope) bool {
	return s == Everywhere || other == Everywhere || s == other
}

// Action is one thing that keys do, by the name that the config file and the command
// line call it.
type Action struct {
	Name  string
	Does  string // in a few words
	Scope Scope
	Acts  bool   // it changes something outside of the board
	Stays bool   // it must have a key
	With  string // the action whose key is shown in front of this one's; "" for none
	Keys  []string

	binding *key.Binding
}

// Actions is every action of the map with its keys, in the order of the help screen.
func (k *KeyMap) Actions() []Action {
	all := slices.Concat(k.acting(), k.looking(), k.Replaying.actions())
	for i := range all {
		all[i].Keys = KeysOf(*all[i].binding)
	}
	return all
}

func looks(name, does string, b *key.Binding) Action {
	return Action{Name: name, Does: does, binding: b}
}

func acts(name, does string, b *key.Binding) Action {
	return Action{Name: name, Does: does, Acts: true, binding: b}
}

func live(name, does string, b *key.Binding) Action {
	return Action{Name: name, Does: does, Scope: LiveOnly, binding: b}
}

// Press is the action's key as if it was pressed; one that is off the keyboard has one too.
func (a *Action) Press() tea.KeyPressMsg { return Press(*a.binding) }

// Press is a binding's key as if it was pressed, for what is done as a key would.
func Press(b key.Binding) tea.KeyPressMsg { return tea.KeyPressMsg{Text: b.Keys()[0]} }

func (a Action) after(name string) Action { a.With = name; return a }
func (a Action) stays() Action            { a.Stays = true; return a }

// acting are the keys of flags, breakers and alerts.
func (k *KeyMap) acting() []Action {
	return []Action{
		acts("ramp", "ramp the flag to the next step", &k.Ramp),
		acts("back", "take the flag one step back", &k.Back),
		acts("kill", "kill the flag", &k.Kill),
		acts("undo", "undo the last change", &k.Undo),
		acts("set", "type a percentage", &k.SetPercent),
		acts("guarded", "ramp under guard: start, resume, take over", &k.Guarded),
		acts("pause", "pause a guarded ramp", &k.Pause),
		live("mark", "mark the flag", &k.Mark),
		live("mark_all", "mark all flags that the filter shows", &k.MarkAll).after("mark"),
		looks("history", "history of the flag", &k.History),
		acts("return", "in a history: return the flag to that state; in Activity: call off what is scheduled", &k.Return),
		acts("force_open", "open the breaker by force", &k.ForceOpen),
		acts("close_breaker", "close the breaker again", &k.CloseBreaker),
		acts("silence", "silence the alert for a while", &k.Silence),
	}
}

// looking are all other keys of a live board.
func (k *KeyMap) looking() []Action {
	return []Action{
		looks("detail", "detail of the row", &k.Detail),
		looks("escape", "close, back, clear", &k.Escape).stays(),
		looks("filter", "filter", &k.Filter),
		looks("palette", "palette of all commands", &k.Palette),
		looks("sort", "sort", &k.Sort),
		looks("zoom", "zoom the pane", &k.Zoom),
		looks("backward", "back to where you were", &k.Backward),
		looks("forward", "on again", &k.Forward).after("backward"),
		live("grow", "more lines for the pane", &k.Grow).after("zoom"),
		live("shrink", "fewer lines for the pane", &k.Shrink).after("zoom"),
		live("earlier", "in a chart, in the timeline: earlier", &k.Earlier),
		live("later", "in a chart, in the timeline: later", &k.Later).after("earlier"),
		live("span", "in a chart, in the timeline: how much time", &k.Span),
		live("chart", "in a detail: chart, call path", &k.Chart),
		looks("copy", "copy the name or the trace", &k.Copy),
		looks("suspects", "suspects of a breach", &k.Suspects),
		looks("timeline", "timeline", &k.Timeline),
		live("next_event", "in the timeline: next event", &k.NextEvent),
		live("prev_event", "in the timeline: event before", &k.PrevEvent).after("next_event"),
		looks("report", "write a report", &k.Report),
		looks("up", "one row up", &k.Up),
		looks("down", "one row down", &k.Down).after("up"),
		looks("page_up", "one page up", &k.PageUp),
		looks("page_down", "one page down", &k.PageDown).after("page_up"),
		looks("top", "first row", &k.Top),
		looks("bottom", "last row", &k.Bottom).after("top"),
		looks("next_pane", "next pane", &k.NextPane),
		looks("prev_pane", "previous pane", &k.PrevPane).after("next_pane"),
		looks("next_context", "next context", &k.NextContext),
		looks("theme", "next theme", &k.NextTheme),
		live("save_recording", "save what was shown", &k.SaveRecording),
		looks("help", "help", &k.Help).stays(),
		looks("suspend", "suspend, fg resumes", &k.Suspend),
		looks("quit", "quit", &k.Quit).stays(),
	}
}

func (r *ReplayKeys) actions() []Action {
	replay := func(name, does string, b *key.Binding) Action {
		return Action{Name: name, Does: does, Scope: ReplayOnly, binding: b}
	}
	return []Action{
		replay("play", "in a replay: pause, play", &r.Play),
		replay("seek_back", "in a replay: 10 seconds back", &r.Back),
		replay("seek_on", "in a replay: 10 seconds on", &r.On),
		replay("minute_back", "in a replay: a minute back", &r.MinuteBack),
		replay("minute_on", "in a replay: a minute on", &r.MinuteOn),
		replay("replay_prev", "in a replay: what happened before", &r.PrevEvent),
		replay("replay_next", "in a replay: what happened next", &r.NextEvent),
		replay("slower", "in a replay: slower", &r.Slower),
		replay("faster", "in a replay: faster", &r.Faster),
	}
}

// ActionNames are the names of all actions, in the order of the help screen.
func ActionNames() []string {
	k := DefaultKeyMap()
	var names []string
	for _, a := range k.Actions() {
		names = append(names, a.Name)
	}
	return names
}

// Bindings are keys for actions, by the actions' names; no key at all takes the action
// off the keyboard.
type Bindings map[string][]string

// BindError says why keys cannot be bound so.
type BindError struct {
	Action string // whose binding is at fault
	Key    string // which of its keys; "" for all of them
	Msg    string
}

// Error is the reason in one sentence.
func (e *BindError) Error() string { return e.Msg }

// These keys cannot be taken away: whoever has learnt nothing else still gets out.
var fixed = map[string]string{"esc": "escape", "ctrl+c": "quit"}

// moving are the keys that a hand rests on or holds down.
var moving = []string{
	"enter", "space", "tab", "shift+tab", "backspace", "delete", "up", "down", "left", "right",
	"pgup", "pgdown", "home", "end", "h", "j", "k", "l", "ctrl+d", "ctrl+u", "ctrl+f", "ctrl+b", "ctrl+e", "ctrl+y", "ctrl+n", "ctrl+p", "ctrl+j", "ctrl+k", "ctrl+h", "ctrl+l", "ctrl+m", "ctrl+i",
}

// Bind is the map with other keys for some actions. Its error is a *BindError: an
// action or a key that does not exist, a key with two meanings, or one that would do
// harm. Esc and ctrl+c stay with escape and quit.
func (k KeyMap) Bind(keys Bindings) (KeyMap, error) {
	all := k.Actions()
	byName := make(map[string]*Action, len(all))
	for i := range all {
		byName[all[i].Name] = &all[i]
	}
	for name := range keys {
		if byName[name] == nil {
			return k, &BindError{Action: name, Msg: fmt.Sprintf("there is no action %q", name)}
		}
	}
	for i := range all {
		a := &all[i]
		if typed, ok := keys[a.Name]; ok {
			if err := a.rebind(typed); err != nil {
				return k, err
			}
		}
	}
	if err := twice(all, keys); err != nil {
		return k, err
	}
	for i := range all {
		_, changed := keys[all[i].Name]
		if with := byName[all[i].With]; with != nil && changed {
			keys = withKey(keys, with)
		}
	}
	for i := range all {
		if _, changed := keys[all[i].Name]; changed {
			all[i].label(all)
		}
	}
	return k, nil
}

// withKey has the label of an action told anew whose neighbour has other keys.
func withKey(keys Bindings, a *Action) Bindings {
	if _, ok := keys[a.Name]; ok {
		return keys
	}
	out := Bindings{a.Name: a.Keys}
	for name, list := range keys {
		out[name] = list
	}
	return out
}

// rebind gives an action other keys.
func (a *Action) rebind(typed []string) error {
	refuse := func(k, format string, args ...any) error {
		return &BindError{Action: a.Name, Key: k, Msg: fmt.Sprintf(format, args...)}
	}
	var names []string
	for _, t := range typed {
		name, err := KeyName(t)
		if err != nil {
			return refuse(t, "%s", err)
		}
		switch owner := fixed[name]; {
		case owner != "" && owner != a.Name:
			return refuse(t, "%s is the way out and stays with %s", name, owner)
		case a.Acts && slices.Contains(moving, name):
			return refuse(t, "%s may not be on %s: a hand rests on that key or holds it down", a.Name, name)
		case slices.Contains(names, name):
			return refuse(t, "%s is written twice for %s", name, a.Name)
		}
		names = append(names, name)
	}
	if len(names) == 0 && a.Stays {
		return refuse("", "%s needs a key: a board without it is a trap", a.Name)
	}
	for name, owner := range fixed {
		if owner == a.Name && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	a.Keys = names
	if len(names) == 0 {
		names = []string{untyped + a.Name}
	}
	a.binding.SetKeys(names...)
	return nil
}

// untyped begins the key of an action that is on no key: nothing on a keyboard types it, so
// that the action is done when it is asked for in words and at no other time.
const untyped = "\x00"

// KeysOf are the keys of a binding that somebody can press; none for one that is off the
// keyboard.
func KeysOf(b key.Binding) []string {
	if k := b.Keys(); len(k) > 0 && strings.HasPrefix(k[0], untyped) {
		return nil
	}
	return b.Keys()
}

// twice finds a key that two actions share which can meet. Of the two the one is told
// whose binding was asked for.
func twice(all []Action, asked Bindings) error {
	for i := range all {
		for j := range all[:i] {
			a, b := &all[i], &all[j]
			if !a.Scope.meets(b.Scope) {
				continue
			}
			for _, k := range a.Keys {
				if !slices.Contains(b.Keys, k) {
					continue
				}
				if _, ok := asked[a.Name]; !ok {
					a, b = b, a
				}
				return &BindError{Action: a.Name, Key: k, Msg: fmt.Sprintf("%s is bound to %s and to %s: give one of them another key, or none with %s: []", k, a.Name, b.Name, b.Name)}
			}
		}
	}
	return nil
}

// label tells an action's keys anew, as help and footer show them.
func (a *Action) label(all []Action) {
	if a.With != "" { // it is told with the other one's
		return
	}
	var shown []string
	for _, k := range a.Keys {
		if fixed[k] == "" || len(a.Keys) == 1 {
			shown = append(shown, k)
		}
	}
	shown = shown[:min(len(shown), 2)]
	for i := range all {
		if all[i].With == a.Name && len(all[i].Keys) > 0 {
			shown = append(shown[:min(len(shown), 1)], all[i].Keys[0])
		}
	}
	a.binding.SetHelp(strings.ReplaceAll(strings.Join(shown, "/"), "pgdown", "pgdn"), a.binding.Help().Desc)
}

// Named is how a sentence calls a binding's key: the first of them, and the action's own
// name where it has none.
func Named(b key.Binding) string {
	if k := b.Keys(); len(k) > 0 {
		return strings.TrimPrefix(k[0], untyped)
	}
	return ""
}
