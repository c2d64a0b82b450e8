package wire

import (
	"strings"

	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// unknownPen is that of a terminal on which somebody else has written.
const unknownPen = ^uint16(0)

// pens are the styles that were met, by number; 0 is the terminal's own.
type pens struct {
	profile colorprofile.Profile
	known   []style
	blanks  []uint16 // what can be seen of a blank in each; unknownPen until it is asked for
	numbers map[style]uint16
	turns   map[turn]uint16   // what a sequence makes of a pen
	steps   map[uint32]string // what is sent to make one pen another
}

// style is how a cell looks, and where it leads.
type style struct {
	uv.Style
	uv.Link
}

// turn is a pen and a sequence that changes it.
type turn struct {
	pen uint16
	by  string
}

func (p *pens) init(profile colorprofile.Profile) {
	*p = pens{profile: profile, numbers: map[style]uint16{}, turns: map[turn]uint16{}, steps: map[uint32]string{}}
	p.number(style{})
}

// crowded tells whether there are more than any board has, so that what comes from
// outside cannot fill the memory.
func (p *pens) crowded() bool { return len(p.known) > 4096 || len(p.turns) > 1<<14 }

func (p *pens) number(s style) uint16 {
	n, ok := p.numbers[s]
	if !ok {
		n = uint16(len(p.known)) // crowded keeps it far from unknownPen
		p.known, p.blanks = append(p.known, s), append(p.blanks, unknownPen)
		p.numbers[s] = n
	}
	return n
}

// sgr is the pen after a sequence of SGR.
func (p *pens) sgr(pen uint16, seq string) uint16 {
	n, ok := p.turns[turn{pen, seq}]
	if ok {
		return n
	}
	s := p.known[pen]
	parser := ansi.GetParser()
	defer ansi.PutParser(parser)
	_, _, _, _ = ansi.DecodeSequence(seq, 0, parser)
	uv.ReadStyle(parser.Params(), &s.Style)
	s.Style = uv.ConvertStyle(s.Style, p.profile)
	n = p.number(s)
	p.turns[turn{pen, strings.Clone(seq)}] = n
	return n
}

// link is the pen after the data of a hyperlink's sequence.
func (p *pens) link(pen uint16, data []byte) uint16 {
	s := p.known[pen]
	s.Link = uv.Link{}
	uv.ReadLink(data, &s.Link)
	s.Link = uv.ConvertLink(s.Link, p.profile)
	return p.number(s)
}

// forBlank is what can be seen of a blank in a style.
func (p *pens) forBlank(pen uint16) uint16 {
	if n := p.blanks[pen]; n != unknownPen {
		return n
	}
	n := pen
	if s := p.known[pen]; !inks(&s) {
		n = p.number(style{Style: uv.Style{Bg: s.Bg}})
	}
	p.blanks[pen] = n
	return n
}

// inks tells whether even a blank shows more of a style than its ground.
func inks(s *style) bool {
	return s.Attrs&(uv.AttrReverse|uv.AttrStrikethrough|uv.AttrConceal) != 0 || s.Underline != uv.UnderlineNone || !s.Link.IsZero()
}

// coversBlank tells whether a blank that is written with the pen looks as one of the
// style does.
func (p *pens) coversBlank(pen, want uint16) bool {
	if pen == want {
		return true
	}
	if pen == unknownPen {
		return false
	}
	a, b := &p.known[pen], &p.known[want]
	return !inks(a) && !inks(b) && a.Bg == b.Bg
}

// step is the shortest sequence that makes one pen another.
func (p *pens) step(from, to uint16) string {
	if from == to {
		return ""
	}
	key := uint32(from)<<16 | uint32(to)
	seq, ok := p.steps[key]
	if ok {
		return seq
	}
	was, is := style{}, p.known[to]
	if from != unknownPen {
		was = p.known[from]
	}
	switch {
	case is.Style.IsZero():
		if from == unknownPen || !was.Style.IsZero() {
			seq = ansi.ResetStyle
		}
	default:
		seq = strings.Replace(is.Style.String(), "\x1b[", "\x1b[;", 1) // from nothing
		if from != unknownPen {
			if only := is.Style.Diff(&was.Style); len(only) < len(seq) {
				seq = only
			}
		}
	}
	if was.Link != is.Link {
		seq += ansi.SetHyperlink(is.URL, is.Params)
	}
	p.steps[key] = seq
	return seq
}
