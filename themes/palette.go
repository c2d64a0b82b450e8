package themes

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// Tone is one token's look. A nil Color is the terminal's own foreground.
type Tone struct {
	Color                                   color.Color
	Bold, Faint, Italic, Underline, Reverse bool
}

// Palette is a theme as data: a tone per meaning. The background is always the
// terminal's own.
type Palette struct {
	Text   Tone // what is read
	Strong Tone // what is read first
	Quiet  Tone // healthy, or secondary
	Accent Tone // the product's own colour, and the ramping

	Good, Warn, Bad Tone
	Alarm           Tone // what must be seen from across the room
	Pending         Tone // asked for, not confirmed
	Stale           Tone // known once, not known now

	Rule, RuleHot   Tone // a pane's title line, and that of the focused pane
	Title, TitleHot Tone
	Label           Tone // column titles
	Select          Tone // the selected row of the focused pane
	SelectIdle      Tone // the selected row of any other pane
	Key             Tone // a key in a help line

	Accents map[string]Tone // contexts' accents by name; absent names use Accent
}

func palettes() map[string]Palette {
	return map[string]Palette{"ansi": ansiPalette(), "mono": monoPalette()}
}

// ansiPalette has the sixteen colours that every terminal lets its user choose.
// Quiet is faint and not bright black, which some schemes paint as background.
func ansiPalette() Palette {
	badge := func(c color.Color) Tone { return Tone{Color: c, Bold: true, Reverse: true} }
	return Palette{
		Strong:     Tone{Bold: true},
		Quiet:      Tone{Faint: true},
		Accent:     Tone{Color: lipgloss.Cyan},
		Good:       Tone{Color: lipgloss.Green},
		Warn:       Tone{Color: lipgloss.Yellow},
		Bad:        Tone{Color: lipgloss.Red, Bold: true},
		Alarm:      Tone{Color: lipgloss.Red, Bold: true, Reverse: true},
		Pending:    Tone{Color: lipgloss.Magenta, Bold: true},
		Stale:      Tone{Faint: true, Italic: true},
		Rule:       Tone{Faint: true},
		RuleHot:    Tone{Color: lipgloss.Cyan},
		Title:      Tone{Bold: true},
		TitleHot:   Tone{Color: lipgloss.Cyan, Bold: true},
		Label:      Tone{Faint: true},
		Select:     Tone{Bold: true, Reverse: true},
		SelectIdle: Tone{Bold: true, Underline: true},
		Key:        Tone{Bold: true},
		Accents: map[string]Tone{
			"red": badge(lipgloss.Red), "green": badge(lipgloss.Green), "yellow": badge(lipgloss.Yellow),
			"blue": badge(lipgloss.Blue), "magenta": badge(lipgloss.Magenta), "cyan": badge(lipgloss.Cyan),
			"white": badge(lipgloss.White), "": badge(lipgloss.Cyan),
		},
	}
}

// monoPalette says by attributes alone what the words and glyphs say anyway.
func monoPalette() Palette {
	return Palette{
		Strong:     Tone{Bold: true},
		Quiet:      Tone{Faint: true},
		Warn:       Tone{Bold: true},
		Bad:        Tone{Bold: true},
		Alarm:      Tone{Bold: true, Reverse: true},
		Pending:    Tone{Bold: true, Underline: true},
		Stale:      Tone{Faint: true},
		Rule:       Tone{Faint: true},
		RuleHot:    Tone{Bold: true},
		Title:      Tone{Bold: true},
		TitleHot:   Tone{Bold: true},
		Label:      Tone{Faint: true},
		Select:     Tone{Bold: true, Reverse: true},
		SelectIdle: Tone{Bold: true, Underline: true},
		Key:        Tone{Bold: true},
		Accents:    map[string]Tone{"": {Bold: true, Reverse: true}},
	}
}
