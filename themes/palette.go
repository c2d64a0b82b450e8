package themes

import (
	"embed"
	"errors"
	"fmt"
	"image/color"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"charm.land/lipgloss/v2"
	"go.yaml.in/yaml/v3"
)

//go:embed *.yaml
var files embed.FS

// Tone is one token's look. The zero Tone is the terminal's own foreground.
type Tone struct {
	Color     Color // of a terminal that has it, or comes near
	Sixteen   Color // of a terminal with sixteen colours; unset for the nearest
	Bold      bool
	Faint     bool
	Italic    bool
	Underline bool
	Reverse   bool
}

// Tones is a tone per meaning.
type Tones struct {
	Text   Tone // what is read
	Strong Tone // what is read first
	Quiet  Tone // healthy, or secondary
	Accent Tone // the product's own colour, and the ramping

	Good    Tone
	Warn    Tone
	Bad     Tone
	Alarm   Tone // what must be seen from across the room
	Pending Tone // asked for, not confirmed
	Stale   Tone // known once, not known now

	Rule       Tone // a pane's title line
	RuleHot    Tone // and that of the focused pane
	Title      Tone
	TitleHot   Tone
	Label      Tone // column titles
	Select     Tone // the selected row of the focused pane
	SelectIdle Tone // the selected row of any other pane
	Key        Tone // a key in a help line
}

// Palette is a theme as data. The background is always the terminal's own.
type Palette struct {
	Name    string
	About   string  // for whom, in few words
	Base    string  // a theme that comes with the program: what is not written is as there
	Grounds []Color // backgrounds that it is made for; none where nobody can know
	Tones   Tones
	Accents map[string]Tone // contexts' accents by name; any other name uses otherAccent
}

// otherAccent is the accent of a context that names none, or one nobody knows.
const otherAccent = "other"

// Color is a colour as written in a theme. The zero Color is none: the terminal's own.
type Color struct {
	color.Color
	sixteen bool // one of the sixteen that the terminal's user chose: nobody knows how it looks
}

// Fixed tells whether a colour looks the same on every terminal that has it.
func (c Color) Fixed() bool { return c.Color != nil && !c.sixteen }

var basic = []string{"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"}

var hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// UnmarshalYAML implements yaml.Unmarshaler.
func (c *Color) UnmarshalYAML(n *yaml.Node) error {
	name, bright := strings.CutPrefix(n.Value, "bright-")
	i := slices.Index(basic, name)
	switch {
	case n.Kind == yaml.ScalarNode && i >= 0:
		if bright {
			i += len(basic)
		}
		*c = Color{lipgloss.Color(strconv.Itoa(i)), true}
	case n.Kind == yaml.ScalarNode && hexColor.MatchString(n.Value):
		*c = Color{Color: lipgloss.Color(n.Value)}
	default:
		return fmt.Errorf("line %d: %q is no color: write \"#rrggbb\" or one of %s, or bright- before one",
			n.Line, n.Value[:min(len(n.Value), 40)], strings.Join(basic, ", "))
	}
	return nil
}

// UnmarshalYAML implements yaml.Unmarshaler. A tone that is written is what is written,
// and takes nothing from the theme's base.
func (t *Tone) UnmarshalYAML(n *yaml.Node) error {
	*t = Tone{}
	return keysOf(n, "tone", map[string]any{
		"color": &t.Color, "sixteen": &t.Sixteen, "bold": &t.Bold, "faint": &t.Faint,
		"italic": &t.Italic, "underline": &t.Underline, "reverse": &t.Reverse,
	})
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (t *Tones) UnmarshalYAML(n *yaml.Node) error { return keysOf(n, "tones", t.places()) }

// places is where each tone is kept, by its name in a file.
func (t *Tones) places() map[string]any {
	return map[string]any{
		"text": &t.Text, "strong": &t.Strong, "quiet": &t.Quiet, "accent": &t.Accent,
		"good": &t.Good, "warn": &t.Warn, "bad": &t.Bad, "alarm": &t.Alarm, "pending": &t.Pending, "stale": &t.Stale,
		"rule": &t.Rule, "rule_hot": &t.RuleHot, "title": &t.Title, "title_hot": &t.TitleHot,
		"label": &t.Label, "select": &t.Select, "select_idle": &t.SelectIdle, "key": &t.Key,
	}
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (p *Palette) UnmarshalYAML(n *yaml.Node) error {
	return keysOf(n, "theme", map[string]any{
		"name": &p.Name, "about": &p.About, "base": &p.Base, "grounds": &p.Grounds, "tones": &p.Tones, "accents": &p.Accents,
	})
}

// keysOf decodes each key of a mapping to its place. A key that has none is an error.
func keysOf(n *yaml.Node, what string, places map[string]any) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: %s wants keys and values", n.Line, what)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		place, ok := places[key.Value]
		if !ok {
			return fmt.Errorf("line %d: %s has no %q: its keys are %s", key.Line, what, key.Value[:min(len(key.Value), 40)],
				strings.Join(slices.Sorted(maps.Keys(places)), ", "))
		}
		if err := value.Decode(place); err != nil {
			return err
		}
	}
	return nil
}

const ending = ".yaml"

// names is the themes that come with the program, sorted.
var names = sync.OnceValue(func() (all []string) {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // they are in the program
	}
	for _, e := range entries {
		all = append(all, strings.TrimSuffix(e.Name(), ending))
	}
	slices.Sort(all)
	return all
})

// builtin is one of them; false for a name that is not among them. It is read when it
// is asked for, because reading all would be seen in the first frame.
func builtin(name string) (Palette, bool) {
	if !slices.Contains(names(), name) {
		return Palette{}, false
	}
	b, err := files.ReadFile(name + ending)
	if err != nil {
		panic(err)
	}
	p, err := parse(b, nil)
	if err != nil {
		panic(name + ending + ": " + err.Error())
	}
	return p, true
}

// maxTheme is how large a theme may be, in bytes.
const maxTheme = 64 << 10

// Parse reads a theme of somebody's own, in the form of those that come with the
// program: strictly, so that a misspelt key or color is an error with its line, and
// so is a tone that can hardly be read on one of the theme's grounds.
func Parse(b []byte) (Palette, error) {
	if len(b) > maxTheme {
		return Palette{}, fmt.Errorf("larger than %d KiB: is it the right file?", maxTheme>>10)
	}
	var head struct{ Base string }
	if err := yaml.Unmarshal(b, &head); err != nil {
		return Palette{}, plain(err)
	}
	base, ok := builtin(orDefault(head.Base))
	if !ok {
		return Palette{}, fmt.Errorf("base: no theme %q: choose one of %s", head.Base, strings.Join(Names(), ", "))
	}
	p, err := parse(b, &base)
	if err != nil {
		return Palette{}, err
	}
	if slices.Contains(names(), p.Name) {
		return Palette{}, fmt.Errorf("name: %s is a theme that comes with the program: give yours another", p.Name)
	}
	return p, p.legible(leastContrast)
}

// parse reads a palette over a base; nil for none.
func parse(b []byte, base *Palette) (Palette, error) {
	var p Palette
	if base != nil {
		p = *base
		p.Name, p.About, p.Accents = "", "", nil
	}
	if err := yaml.Unmarshal(b, &p); err != nil {
		return Palette{}, plain(err)
	}
	if p.Name == "" || strings.ContainsFunc(p.Name, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || len(p.Name) > 40 {
		return Palette{}, errors.New("a theme needs a name of up to 40 letters, digits and signs without a space")
	}
	if base != nil {
		for name, tone := range base.Accents {
			if _, own := p.Accents[name]; !own {
				if p.Accents == nil {
					p.Accents = map[string]Tone{}
				}
				p.Accents[name] = tone
			}
		}
	}
	return p, nil
}

// plain is the decoder's error in one line.
func plain(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimSpace(strings.TrimPrefix(text, "unmarshal errors:"))
	first, _, _ := strings.Cut(text, "\n")
	return errors.New(first)
}
