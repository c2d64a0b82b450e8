package themes

import (
	"errors"
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"
	"strings"
)

// leastContrast is below what a tone of somebody's own is refused, because it could
// not be read at night: what WCAG 2.2 asks of large text and of signs.
const leastContrast = 3

// Contrast is how two colours stand out against each other, from 1 (not at all) to
// 21, as WCAG 2.2 defines it. Transparency does not count.
func Contrast(a, b color.Color) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// luminance is the relative luminance of WCAG 2.2, from 0 (black) to 1 (white).
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// All is every tone by the name that it has in a theme's file, accents as accents.NAME.
func (p *Palette) All() map[string]Tone {
	all := map[string]Tone{}
	for name, place := range p.Tones.places() {
		if tone, ok := place.(*Tone); ok {
			all[name] = *tone
		}
	}
	for name, tone := range p.Accents {
		all["accents."+name] = tone
	}
	return all
}

// legible is an error that names the tone which stands out least from one of the
// grounds, where that is less than a contrast. Colours that the terminal's user chose,
// and a theme without grounds, cannot be judged.
func (p *Palette) legible(least float64) error {
	all := p.All()
	worst, text := least, ""
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := all[name].Color
		for _, ground := range p.Grounds {
			if !c.Fixed() || !ground.Fixed() {
				continue
			}
			if got := Contrast(c, ground); got < worst {
				worst, text = got, fmt.Sprintf("%s has a contrast of %.1f on %s, %g is the least that can be read", name, got, hex(ground), least)
			}
		}
	}
	if text != "" {
		return errors.New(text)
	}
	return nil
}

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return strings.ToLower(fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8))
}
