package views

import "charm.land/bubbles/v2/key"

// ReplayKeys are the keys that move through a recording. On a live board they are
// switched off.
type ReplayKeys struct {
	Play, Back, On, MinuteBack, MinuteOn key.Binding
	PrevEvent, NextEvent, Slower, Faster key.Binding
}

func replayKeys() ReplayKeys {
	bind := func(label, does string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(label, does), key.WithDisabled())
	}
	return ReplayKeys{
		Play:       bind("space", "pause or play", "space"),
		Back:       bind("left", "-10s back", "left"),
		On:         bind("right", "+10s on", "right"),
		MinuteBack: bind("shift+left", "-1m back", "shift+left"),
		MinuteOn:   bind("shift+right", "+1m on", "shift+right"),
		PrevEvent:  bind("N", "previous event", "N"),
		NextEvent:  bind("n", "next event", "n"),
		Slower:     bind("<", "slower", "<"),
		Faster:     bind(">", "faster", ">"),
	}
}

// All are the keys in the order in which help prints them.
func (r *ReplayKeys) All() []key.Binding {
	return []key.Binding{r.Play, r.Back, r.On, r.MinuteBack, r.MinuteOn, r.PrevEvent, r.NextEvent, r.Slower, r.Faster}
}

// Replay is the map of a board that shows a recording: the keys that move through time
// work, and those of a chart do not, for there is no past to read. Whether a key that
// acts is refused is the board's affair.
func (k KeyMap) Replay() KeyMap {
	for _, b := range []*key.Binding{&k.Grow, &k.Shrink, &k.Earlier, &k.Later, &k.Span, &k.Chart, &k.SaveRecording} {
		b.SetEnabled(false)
	}
	r := &k.Replaying
	for _, b := range []*key.Binding{&r.Play, &r.Back, &r.On, &r.MinuteBack, &r.MinuteOn, &r.PrevEvent, &r.NextEvent, &r.Slower, &r.Faster} {
		b.SetEnabled(true)
	}
	return k
}

// ShortHelp is the keys worth a place in one line.
func (r *ReplayKeys) ShortHelp(k *KeyMap) []key.Binding {
	return []key.Binding{r.Play, r.Back, r.On, r.NextEvent, r.PrevEvent, r.Faster, r.Slower, k.Help, k.Quit, k.Detail, k.NextPane}
}
