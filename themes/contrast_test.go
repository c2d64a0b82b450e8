package themes_test

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/lucasb-eyer/go-colorful"
	"github.com/stretchr/testify/require"

	"relctl-tui/themes"
)

// shipped is a theme that comes with the program, as data.
func shipped(t *testing.T, name string) themes.Palette {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(".", name+".yaml"))
	require.NoError(t, err)
	p, err := themes.Parse(bytes.Replace(b, []byte("name: "+name), []byte("name: copy"), 1))
	require.NoError(t, err, name)
	return p
}

// sign tells the tones that draw lines, of which WCAG asks less than of text.
func sign(token string) bool { return token == "rule" || token == "rule_hot" }

func TestEveryToneOfAThemeStandsOutOnEveryGroundThatItIsMadeFor(t *testing.T) {
	t.Parallel()
	require.InDelta(t, 21, themes.Contrast(color.White, color.Black), 1e-9)
	require.InDelta(t, 4.54, themes.Contrast(lipgloss.Color("#767676"), color.White), 0.01, "the grey that every table of contrasts names")
	judged := 0
	for _, name := range themes.Names() {
		p := shipped(t, name)
		for token, tone := range p.All() {
			least := 4.5
			switch {
			case sign(token):
				least = 3
			case strings.HasPrefix(name, "contrast"):
				least = 7
			}
			for _, ground := range p.Grounds {
				for _, profile := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI256} {
					if !tone.Color.Fixed() {
						continue
					}
					judged++
					got := themes.Contrast(profile.Convert(tone.Color.Color), ground)
					if profile == colorprofile.ANSI256 {
						least = min(least, 4) // what comes near is a little off
					}
					require.GreaterOrEqual(t, got, least, "%s: %s on %v with %s", name, token, ground, profile)
				}
			}
		}
	}
	require.Greater(t, judged, 800)
}

// xterm is the sixteen colours as xterm has them, which few terminals make fainter.
var xterm = []string{"#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5"}

func TestWithSixteenColoursNoToneVanishesOnWhiteOrOnBlack(t *testing.T) {
	t.Parallel()
	for _, name := range themes.Names() {
		p := shipped(t, name)
		for token, tone := range p.All() {
			if !tone.Color.Fixed() {
				continue
			}
			require.NotNil(t, tone.Sixteen.Color, "%s: %s says what it is with sixteen colours", name, token)
			r, g, b, _ := tone.Sixteen.RGBA()
			i := -1
			for n := range xterm {
				if lipgloss.Color(fmt.Sprint(n)) == tone.Sixteen.Color {
					i = n
				}
			}
			require.GreaterOrEqual(t, i, 0, "%s: %s is %d %d %d", name, token, r, g, b)
			ground := "#000000"
			if strings.HasSuffix(name, "light") {
				ground = "#ffffff"
			}
			require.GreaterOrEqual(t, themes.Contrast(lipgloss.Color(xterm[i]), lipgloss.Color(ground)), 3.0, "%s: %s", name, token)
		}
	}
}

// seen is a colour as somebody sees it who lacks a kind of cones: the matrices of
// Machado, Oliveira and Fernandes (2009) at full severity, on linear light.
func seen(c color.Color, m [9]float64) colorful.Color {
	f, _ := colorful.MakeColor(c)
	r, g, b := f.LinearRgb()
	return colorful.LinearRgb(
		m[0]*r+m[1]*g+m[2]*b,
		m[3]*r+m[4]*g+m[5]*b,
		m[6]*r+m[7]*g+m[8]*b,
	).Clamped()
}

var lacking = map[string][9]float64{
	"deuteranopia": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
	"protanopia":   {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
}

// apart is the CIEDE2000 distance below which two colours of small text are easily
// taken for each other; 1 is the least that is seen side by side.
const apart = 13

func nearest(p *themes.Palette, m [9]float64) (least float64, pair string) {
	states := map[string]themes.Tone{"good": p.Tones.Good, "warn": p.Tones.Warn, "bad": p.Tones.Bad, "accent": p.Tones.Accent, "pending": p.Tones.Pending}
	least = math.Inf(1)
	for a, x := range states {
		for b, y := range states {
			if a >= b {
				continue
			}
			if d := 100 * seen(x.Color, m).DistanceCIEDE2000(seen(y.Color, m)); d < least {
				least, pair = d, a+" and "+b
			}
		}
	}
	return least, pair
}

func TestTheStatesOfTheColorBlindThemesStayApartWithDeuteranopiaAndProtanopia(t *testing.T) {
	t.Parallel()
	for lack, m := range lacking {
		for _, name := range []string{"colorblind", "colorblind-light"} {
			p := shipped(t, name)
			d, pair := nearest(&p, m)
			require.GreaterOrEqual(t, d, float64(apart), "%s with %s: %s", name, lack, pair)
			for token, tone := range p.All() {
				for _, ground := range p.Grounds {
					if tone.Color.Fixed() && !sign(token) {
						require.GreaterOrEqual(t, themes.Contrast(seen(tone.Color, m), ground), 3.5, "%s with %s: %s", name, lack, token)
					}
				}
			}
		}
		p := shipped(t, "light")
		d, _ := nearest(&p, m)
		require.Less(t, d, float64(apart), "an ordinary theme would not pass, so the test can fail")
	}
}

func TestAThemeOfOnesOwnSaysOnlyWhatIsDifferent(t *testing.T) {
	t.Parallel()
	p, err := themes.Parse([]byte("name: night\nbase: dark\ntones: {bad: {color: \"#ff5fd7\", underline: true}}\naccents: {red: {color: bright-red}}\n"))
	require.NoError(t, err)
	dark := shipped(t, "dark")
	require.Equal(t, dark.Tones.Good, p.Tones.Good)
	require.Equal(t, dark.Accents["blue"], p.Accents["blue"])
	require.False(t, p.Tones.Bad.Bold, "a tone that is written takes nothing from the base")
	require.True(t, p.Tones.Bad.Underline)
	th, err := themes.New(themes.Options{Own: &p})
	require.NoError(t, err)
	require.Equal(t, "night", th.Name)
	require.Contains(t, th.Bad.Open(), "38;2;255;95;215")
	sixteen, err := themes.New(themes.Options{Own: &p, Name: "dark", Profile: colorprofile.ANSI})
	require.NoError(t, err)
	require.Equal(t, "dark", sixteen.Name)
	require.Contains(t, sixteen.Good.Open(), "32", "with sixteen colours it is the one that the theme names")
}

func TestEachFaultOfAThemeIsNamedWithItsLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"name: dark\n":                                                `name: dark is a theme that comes with the program: give yours another`,
		"name: x\ntone: {}\n":                                         `line 2: theme has no "tone": its keys are about, accents, base, grounds, name, tones`,
		"name: x\ntones:\n  gud: {bold: true}\n":                      `line 3: tones has no "gud": its keys are accent, alarm, bad, good, key, label, pending, quiet, rule, rule_hot, select, select_idle, stale, strong, text, title, title_hot, warn`,
		"name: x\ntones:\n  good: {colour: red}\n":                    `line 3: tone has no "colour": its keys are bold, color, faint, italic, reverse, sixteen, underline`,
		"name: x\ntones: {good: {color: chartreuse}}\n":               `line 2: "chartreuse" is no color: write "#rrggbb" or one of black, red, green, yellow, blue, magenta, cyan, white, or bright- before one`,
		"name: x\ntones: {good: {bold: maybe}}\n":                     "line 2: cannot unmarshal !!str `maybe` into bool",
		"name: x\nbase: neon\n":                                       `base: no theme "neon": choose one of ansi, colorblind, colorblind-light, contrast, contrast-light, dark, light, mono`,
		"tones: {}\n":                                                 `a theme needs a name of up to 40 letters, digits and signs without a space`,
		"name: x\ntones: [1]\n":                                       `line 2: tones wants keys and values`,
		"name: x\nbase: light\ntones: {warn: {color: \"#ffff00\"}}\n": `warn has a contrast of 1.0 on #fdf6e3, 3 is the least that can be read`,
		"name: [":                   `line 1: did not find expected node content`,
		strings.Repeat("#", 70<<10): `larger than 64 KiB: is it the right file?`,
	} {
		_, err := themes.Parse([]byte(text))
		require.EqualError(t, err, want)
	}
}
