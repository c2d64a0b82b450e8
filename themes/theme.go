package themes

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// Default is the name of the theme that is used when none is named.
const Default = "ansi"

// Options choose a theme. The zero Options are the default theme with all its
// colours and glyphs.
type Options struct {
	Name    string               // one of Names; "" for Default
	ASCII   bool                 // draw with ASCII signs only
	Blocks  bool                 // the font has blocks and no braille: charts are drawn with them
	Profile colorprofile.Profile // what the terminal can show; Unknown keeps every colour
}

// Theme is everything a view needs to draw: inks by meaning, and glyphs. It is
// immutable and may be shared between goroutines and sessions.
type Theme struct {
	Name   string
	ASCII  bool
	Blocks bool
	Glyphs Glyphs

	Text, Strong, Quiet, Accent    Ink
	Good, Warn, Bad, Alarm         Ink
	Pending, Stale                 Ink
	Rule, RuleHot, Title, TitleHot Ink
	Label, Select, SelectIdle, Key Ink

	badges map[string]Ink
}

// Names are the themes that New knows, sorted.
func Names() []string { return slices.Sorted(maps.Keys(palettes())) }

// New builds a theme. An unknown name is an error that lists the known ones.
func New(o Options) (*Theme, error) {
	name := o.Name
	if name == "" {
		name = Default
	}
	p, ok := palettes()[name]
	if !ok {
		return nil, fmt.Errorf("no theme %q: choose one of %s", name, strings.Join(Names(), ", "))
	}
	return build(name, p, o), nil
}

func build(name string, p Palette, o Options) *Theme {
	ink := func(t Tone) Ink { return t.ink(o.Profile) }
	th := &Theme{
		Name: name, ASCII: o.ASCII, Blocks: o.Blocks, Glyphs: unicodeGlyphs(),
		Text: ink(p.Text), Strong: ink(p.Strong), Quiet: ink(p.Quiet), Accent: ink(p.Accent),
		Good: ink(p.Good), Warn: ink(p.Warn), Bad: ink(p.Bad), Alarm: ink(p.Alarm),
		Pending: ink(p.Pending), Stale: ink(p.Stale),
		Rule: ink(p.Rule), RuleHot: ink(p.RuleHot), Title: ink(p.Title), TitleHot: ink(p.TitleHot),
		Label: ink(p.Label), Select: ink(p.Select), SelectIdle: ink(p.SelectIdle), Key: ink(p.Key),
		badges: make(map[string]Ink, len(p.Accents)),
	}
	if o.ASCII {
		th.Glyphs = asciiGlyphs()
	}
	for accent, tone := range p.Accents {
		th.badges[accent] = ink(tone)
	}
	return th
}

// Badge is the ink of a context's name by its accent; a name that the theme does
// not know gets the theme's own accent.
func (t *Theme) Badge(accent string) Ink {
	if ink, ok := t.badges[accent]; ok {
		return ink
	}
	return t.badges[""]
}

// ink drops what the terminal cannot show: colours below the ANSI profile, and
// every attribute where the output is no terminal at all.
func (t Tone) ink(profile colorprofile.Profile) Ink {
	if profile == colorprofile.NoTTY {
		return Ink{style: lipgloss.NewStyle()}
	}
	s := lipgloss.NewStyle().Bold(t.Bold).Faint(t.Faint).Italic(t.Italic).Underline(t.Underline).Reverse(t.Reverse)
	c := t.Color
	if c != nil && profile != colorprofile.Unknown {
		c = profile.Convert(c)
	}
	if c != nil {
		s = s.Foreground(c)
	}
	return NewInk(s)
}
