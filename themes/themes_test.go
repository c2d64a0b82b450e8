package themes_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/width"

	"relctl-tui/themes"
)

func TestAnUnknownThemeIsAnErrorThatListsTheKnownOnes(t *testing.T) {
	t.Parallel()
	_, err := themes.New(themes.Options{Name: "neon"})
	require.EqualError(t, err, `no theme "neon": choose one of ansi, colorblind, colorblind-light, contrast, contrast-light, dark, light, mono`)
	for _, name := range append(themes.Names(), "") {
		_, err := themes.New(themes.Options{Name: name})
		require.NoError(t, err)
	}
}

// glyphs are all signs of a theme by field.
func glyphs(g themes.Glyphs) map[string]string {
	out := map[string]string{}
	v := reflect.ValueOf(g)
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String {
			out[v.Type().Field(i).Name] = f.String()
		}
	}
	for _, row := range g.Spark {
		for _, cell := range row {
			out["Spark "+cell] = cell
		}
	}
	return out
}

func theme(t *testing.T, o themes.Options) *themes.Theme {
	t.Helper()
	th, err := themes.New(o)
	require.NoError(t, err)
	return th
}

func TestEveryGlyphIsOneNarrowCellInEveryTerminal(t *testing.T) {
	t.Parallel()
	for name, g := range glyphs(theme(t, themes.Options{}).Glyphs) {
		require.Equal(t, 1, utf8.RuneCountInString(g), name)
		require.Equal(t, 1, ansi.StringWidth(g), name)
		r, _ := utf8.DecodeRuneInString(g)
		kind := width.LookupRune(r).Kind()
		require.Contains(t, []width.Kind{width.Neutral, width.EastAsianNarrow}, kind, "%s %U", name, r)
	}
}

func TestEveryGlyphHasAnASCIITwin(t *testing.T) {
	t.Parallel()
	for name, g := range glyphs(theme(t, themes.Options{ASCII: true}).Glyphs) {
		require.NotEmpty(t, g, name)
		for _, r := range g {
			require.Less(t, r, rune(0x7f), name)
		}
		if name != "Arrow" {
			require.Len(t, g, 1, name)
		}
	}
}

func TestStatesHaveDifferentGlyphsSoThatColourIsNeverAlone(t *testing.T) {
	t.Parallel()
	for _, ascii := range []bool{false, true} {
		g := theme(t, themes.Options{ASCII: ascii}).Glyphs
		for _, group := range [][]string{
			{g.FlagOn, g.FlagRamping, g.FlagOff, g.FlagKilled, g.FlagCustom, g.FlagBroken},
			{g.Closed, g.HalfOpen, g.Open, g.Forced, g.Unprotected, g.Unknown},
			{g.Good, g.Bad, g.Stale, g.Unknown, g.Idle, g.Neutral},
			{g.BarFull, g.BarHalf, g.BarEmpty},
		} {
			seen := map[string]bool{}
			for _, sign := range group {
				require.False(t, seen[sign], "%q stands for two states", sign)
				seen[sign] = true
			}
		}
	}
}

// inks are all inks of a theme by field.
func inks(th *themes.Theme) map[string]themes.Ink {
	out := map[string]themes.Ink{}
	v := reflect.ValueOf(*th)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Type == reflect.TypeFor[themes.Ink]() && f.IsExported() {
			out[f.Name] = v.Field(i).Interface().(themes.Ink)
		}
	}
	return out
}

func TestTheDefaultThemeUsesOnlyTheSixteenColoursAndNoBackground(t *testing.T) {
	t.Parallel()
	allowed := regexp.MustCompile(`^(\x1b\[(([1-7]|3[0-7]|9[0-7])(;([1-7]|3[0-7]|9[0-7]))*)m)?$`)
	for name, ink := range inks(theme(t, themes.Options{})) {
		require.Regexp(t, allowed, ink.Open(), name)
	}
}

func TestMonoAndTerminalsWithoutColourGetAttributesOnly(t *testing.T) {
	t.Parallel()
	attributes := regexp.MustCompile(`^(\x1b\[[1-7](;[1-7])*m)?$`)
	for _, o := range []themes.Options{{Name: "mono"}, {Profile: colorprofile.ASCII}} {
		for name, ink := range inks(theme(t, o)) {
			require.Regexp(t, attributes, ink.Open(), name)
		}
	}
}

func TestOutputThatIsNoTerminalGetsNoEscapeSequenceAtAll(t *testing.T) {
	t.Parallel()
	th := theme(t, themes.Options{Profile: colorprofile.NoTTY})
	for name, ink := range inks(th) {
		require.Equal(t, "x", ink.Paint("x"), name)
	}
	require.Equal(t, "prod", th.Badge("red").Paint("prod"))
}

func TestAnInkPaintsAsItsStyleWould(t *testing.T) {
	t.Parallel()
	style := lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red)
	ink := themes.NewInk(style)
	require.Equal(t, style.Render("open"), ink.Paint("open"))
	require.Equal(t, ink.Paint("open"), string(ink.Append(nil, "open")))
	require.Empty(t, ink.Paint(""))
	require.Equal(t, "open", themes.Ink{}.Paint("open"), "the zero ink is plain")
}

func TestAnAccentNobodyKnowsGetsTheThemesOwn(t *testing.T) {
	t.Parallel()
	th := theme(t, themes.Options{})
	require.Equal(t, th.Badge("").Paint("x"), th.Badge("chartreuse").Paint("x"))
	require.NotEqual(t, th.Badge("").Paint("x"), th.Badge("red").Paint("x"))
}

func TestNothingOutsideThisPackageNamesAColour(t *testing.T) {
	t.Parallel()
	literal := regexp.MustCompile(`lipgloss\.(Color\(|ANSIColor|RGBColor|(Bright)?(Black|Red|Green|Yellow|Blue|Magenta|Cyan|White)\b)|"#[0-9a-fA-F]{3,8}"|\\x1b\[[0-9;]*m|\\033\[[0-9;]*m`)
	require.True(t, literal.MatchString(`lipgloss.Color("9")`), "the pattern must be able to find one")
	read := 0
	for _, dir := range []string{"views", "ui"} {
		err := filepath.WalkDir(filepath.Join("..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "viewtest") {
				return err
			}
			src, err := os.ReadFile(path)
			require.NoError(t, err)
			read++
			for i, line := range strings.Split(string(src), "\n") {
				if literal.MatchString(line) {
					t.Errorf("%s:%d names a colour: %s", path, i+1, strings.TrimSpace(line))
				}
			}
			return nil
		})
		require.NoError(t, err)
	}
	require.Greater(t, read, 10, "the walk must see the code, or it proves nothing")
}

func BenchmarkPaint(b *testing.B) {
	style := lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red)
	ink := themes.NewInk(style)
	room := make([]byte, 0, 64)
	b.Run("lipgloss", func(b *testing.B) {
		for b.Loop() {
			_ = style.Render("half-open")
		}
	})
	b.Run("ink", func(b *testing.B) {
		for b.Loop() {
			room = ink.Append(room[:0], "half-open")
		}
	})
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		_, err := themes.New(themes.Options{})
		require.NoError(b, err)
	}
}

func TestEveryThemeHasItsPicturesAndThePageShowsThem(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../.github/THEMES.md")
	require.NoError(t, err)
	there := map[string]bool{}
	entries, err := os.ReadDir("../.github/themes")
	require.NoError(t, err)
	for _, e := range entries {
		there[e.Name()] = true
	}
	for _, name := range themes.Names() {
		require.Contains(t, string(page), "## "+name+"\n")
		for _, size := range []string{"80x24", "120x40", "200x60"} {
			file := name + "-" + size + ".svg"
			require.True(t, there[file], "%s is missing: task picture draws it", file)
			require.Contains(t, string(page), "(themes/"+file+")")
			delete(there, file)
		}
	}
	require.Empty(t, there, "pictures of no theme")
}
