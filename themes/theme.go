package themes

import (
	"fmt"
	"image/color"
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
	Name    string               // one of Names; "" for Own's, else Default
	Own     *Palette             // a theme that did not come with the program; nil for none
	ASCII   bool                 // draw with ASCII signs only
	Blocks  bool                 // the font has blocks and hardly any sign: charts are drawn with them, the rest in ASCII
	Profile colorprofile.Profile // what the terminal can show; Unknown keeps every colour
	Links   bool                 // the terminal knows links
	Still   bool                 // nothing moves by itself: no sparklines
}

// Theme is everything a view needs to draw: inks by meaning, and glyphs. It may be
// shared between goroutines and sessions as long as nobody writes to it; a board that
// changes its theme has a copy of its own, which it overwrites.
type Theme struct {
	Name   string
	ASCII  bool
	Blocks bool
	Links  bool
	Still  bool
	Glyphs Glyphs

	Text, Strong, Quiet, Accent    Ink
	Good, Warn, Bad, Alarm         Ink
	Pending, Stale                 Ink
	Rule, RuleHot, Title, TitleHot Ink
	Label, Select, SelectIdle, Key Ink

	badges map[string]Ink
}

// Names are the themes that come with the program, sorted.
func Names() []string { return slices.Clone(names()) }

// About says for whom a theme is, in few words; "" for one that nobody knows.
func About(name string) string {
	p, _ := builtin(name)
	return p.About
}

// Choices are the themes that can be made of o by name: those that come with the
// program, then Own.
func (o *Options) Choices() []string {
	all := Names()
	if o.Own != nil {
		all = append(all, o.Own.Name)
	}
	return all
}

// New builds a theme. An unknown name is an error that lists the known ones.
func New(o Options) (*Theme, error) {
	if o.Own != nil && (o.Name == "" || o.Name == o.Own.Name) {
		return build(o.Own, o), nil
	}
	p, ok := builtin(orDefault(o.Name))
	if !ok {
		return nil, fmt.Errorf("no theme %q: choose one of %s", o.Name, strings.Join(names(), ", "))
	}
	return build(&p, o), nil
}

func orDefault(name string) string {
	if name == "" {
		return Default
	}
	return name
}

func build(palette *Palette, o Options) *Theme {
	ink := func(t Tone) Ink { return t.ink(o.Profile) }
	p := &palette.Tones
	th := &Theme{
		Name: palette.Name, ASCII: o.ASCII, Blocks: o.Blocks, Links: o.Links, Still: o.Still, Glyphs: unicodeGlyphs(),
		Text: ink(p.Text), Strong: ink(p.Strong), Quiet: ink(p.Quiet), Accent: ink(p.Accent),
		Good: ink(p.Good), Warn: ink(p.Warn), Bad: ink(p.Bad), Alarm: ink(p.Alarm),
		Pending: ink(p.Pending), Stale: ink(p.Stale),
		Rule: ink(p.Rule), RuleHot: ink(p.RuleHot), Title: ink(p.Title), TitleHot: ink(p.TitleHot),
		Label: ink(p.Label), Select: ink(p.Select), SelectIdle: ink(p.SelectIdle), Key: ink(p.Key),
		badges: make(map[string]Ink, len(palette.Accents)),
	}
	if o.ASCII || o.Blocks {
		th.Glyphs = asciiGlyphs()
	}
	for accent, tone := range palette.Accents {
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
	return t.badges[otherAccent]
}

// ink drops what the terminal cannot show: colours below the ANSI profile, and
// every attribute where the output is no terminal at all.
func (t Tone) ink(profile colorprofile.Profile) Ink {
	if profile == colorprofile.NoTTY {
		return Ink{style: lipgloss.NewStyle()}
	}
	s := lipgloss.NewStyle().Bold(t.Bold).Faint(t.Faint).Italic(t.Italic).Underline(t.Underline).Reverse(t.Reverse)
	if c := t.on(profile); c != nil {
		s = s.Foreground(c)
	}
	return NewInk(s)
}

// on is the colour that a terminal of a profile shows; nil for its own.
func (t Tone) on(profile colorprofile.Profile) color.Color {
	c := t.Color.Color
	if profile == colorprofile.ANSI && t.Sixteen.Color != nil {
		c = t.Sixteen.Color
	}
	if c == nil || profile == colorprofile.Unknown {
		return c
	}
	return profile.Convert(c)
}
