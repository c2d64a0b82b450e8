package themes

// Glyphs are the signs that the board draws. Every one is a single cell in every
// terminal: its East Asian Width is N or Na, so that a terminal set to wide
// ambiguous characters draws the same columns. Arrow alone is two cells in ASCII.
type Glyphs struct {
	Cursor   string // before the selected row
	Rule     string // a pane's title line
	RuleHot  string // the same, of the pane that has the keys
	Sep      string // between two notes
	Ellipsis string // where text was cut
	Arrow    string // from old to new
	Pinned   string // before a kill switch, which stands first

	FlagOn, FlagRamping, FlagOff, FlagKilled, FlagCustom, FlagBroken string

	Closed, HalfOpen, Open, Forced, Unprotected string

	Good, Bad, Stale, Unknown, Idle, Neutral string

	BarFull, BarHalf, BarEmpty string

	NoReturn string // the point of no return in a track of stages

	// Spark is one cell of a sparkline by its two levels, each 0 (nothing) to 4.
	Spark [5][5]string
}

func unicodeGlyphs() Glyphs {
	return Glyphs{
		Cursor: "▸", Rule: "╌", RuleHot: "╍", Sep: "∙", Ellipsis: "⋯", Arrow: "➔", Pinned: "⚑",
		FlagOn: "◉", FlagRamping: "◒", FlagOff: "◌", FlagKilled: "✗", FlagCustom: "❖", FlagBroken: "!",
		Closed: "✓", HalfOpen: "◒", Open: "✗", Forced: "⊗", Unprotected: "⊘",
		Good: "✓", Bad: "✗", Stale: "◔", Unknown: "?", Idle: "◌", Neutral: "∙",
		BarFull: "⣿", BarHalf: "⡇", BarEmpty: "⣀", NoReturn: "⦀",
		Spark: brailleSpark(),
	}
}

func asciiGlyphs() Glyphs {
	return Glyphs{
		Cursor: ">", Rule: "-", RuleHot: "=", Sep: "|", Ellipsis: "~", Arrow: "->", Pinned: "^",
		FlagOn: "@", FlagRamping: "%", FlagOff: ".", FlagKilled: "x", FlagCustom: "*", FlagBroken: "!",
		Closed: "+", HalfOpen: "%", Open: "X", Forced: "F", Unprotected: "!",
		Good: "+", Bad: "X", Stale: "~", Unknown: "?", Idle: ".", Neutral: "-",
		BarFull: "#", BarHalf: "=", BarEmpty: ".", NoReturn: "|",
		Spark: asciiSpark(),
	}
}

// brailleSpark fills two columns of dots from below: two points to a cell, four
// levels each, and braille patterns are narrow everywhere.
func brailleSpark() (t [5][5]string) {
	left := [5]rune{0, 0x40, 0x44, 0x46, 0x47}
	right := [5]rune{0, 0x80, 0xa0, 0xb0, 0xb8}
	for l := range t {
		for r := range t[l] {
			t[l][r] = string(0x2800 + left[l] + right[r])
		}
	}
	t[0][0] = " "
	return t
}

func asciiSpark() (t [5][5]string) {
	levels := [5]string{" ", "_", "-", "=", "#"}
	for l := range t {
		for r := range t[l] {
			t[l][r] = levels[max(l, r)]
		}
	}
	return t
}
