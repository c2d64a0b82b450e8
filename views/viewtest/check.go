package viewtest

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"relctl-tui/sources"
	"relctl-tui/themes"
)

// Pane is what every view can do.
type Pane interface {
	SetSize(w, h int)
	SetSnapshot(s *sources.Snapshot, now time.Time)
	SetFocused(focused bool)
	View() string
}

// Builder makes a pane ready for a size and data.
type Builder func(th *themes.Theme) Pane

// Theme is a theme for tests; the test ends if there is none.
func Theme(t testing.TB, name string, ascii bool) *themes.Theme {
	t.Helper()
	th, err := themes.New(themes.Options{Name: name, ASCII: ascii, Profile: colorprofile.ANSI})
	if err != nil {
		t.Fatal(err)
	}
	return th
}

// RequireFrame checks that a view is exactly h lines of exactly w cells, and
// that no control character but the escape sequences of colours is in it.
func RequireFrame(t testing.TB, view string, w, h int) {
	t.Helper()
	if h == 0 {
		if view != "" {
			t.Fatalf("a view without lines must be empty, but is %q", view)
		}
		return
	}
	lines := strings.Split(view, "\n")
	if len(lines) != h {
		t.Fatalf("%d lines instead of %d:\n%s", len(lines), h, view)
	}
	for i, line := range lines {
		if got := ansi.StringWidth(line); got != w {
			t.Fatalf("line %d has %d cells instead of %d: %q", i, got, w, line)
		}
		for _, r := range ansi.Strip(line) {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("line %d holds %U: %q", i, r, line)
			}
		}
	}
}

// Goldens compares a pane of the given height with its golden files: its text in
// every state at 60, 80 and 120 columns, and its bytes at 80 columns in sixteen
// colours and in ASCII without colour.
func Goldens(t *testing.T, height int, build Builder) {
	t.Helper()
	for _, state := range States() {
		for _, width := range []int{60, 80, 120} {
			t.Run(fmt.Sprintf("%s/%d", state, width), func(t *testing.T) {
				t.Parallel()
				view := draw(build(Theme(t, "ansi", false)), state, width, height)
				RequireFrame(t, view, width, height)
				golden.RequireEqual(t, ansi.Strip(view))
			})
		}
	}
	for name, ascii := range map[string]bool{"ansi": false, "mono": true} {
		for _, state := range []State{OK, Stale} {
			t.Run(fmt.Sprintf("%s/%s", name, state), func(t *testing.T) {
				t.Parallel()
				view := draw(build(Theme(t, name, ascii)), state, 80, height)
				RequireFrame(t, view, 80, height)
				golden.RequireEqual(t, strings.ReplaceAll(view, "\x1b", `\x1b`))
			})
		}
	}
}

func draw(p Pane, state State, w, h int) string {
	p.SetSize(w, h)
	p.SetSnapshot(Snapshot(state), Now())
	p.SetFocused(true)
	return p.View()
}

// Sizes checks a pane's frame at the sizes that a terminal may have, down to
// nothing, with all states of the data and with hostile names.
func Sizes(t *testing.T, build Builder) {
	t.Helper()
	data := map[string]*sources.Snapshot{"nothing": nil, "hostile": Hostile()}
	for _, state := range States() {
		data[string(state)] = Snapshot(state)
	}
	for name, s := range data {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, ascii := range []bool{false, true} {
				p := build(Theme(t, "ansi", ascii))
				p.SetSnapshot(s, Now())
				for w := 0; w <= 140; w += 1 + w/40 {
					for _, h := range []int{0, 1, 2, 3, 5, 9} {
						p.SetSize(w, h)
						RequireFrame(t, p.View(), w, h)
					}
				}
				p.SetSize(300, 100)
				RequireFrame(t, p.View(), 300, 100)
			}
		})
	}
}

// Hostile is the fleet with names that try to break out of their column: escape
// sequences (cleaned, as every driver does), wide and combining runes, text that
// runs from right to left, and ten thousand characters.
func Hostile() *sources.Snapshot {
	names := []string{
		"\x1b[2J\x1b]0;owned\x07red\x1b[31m", "日本語のフラグ名はとても長いので切られる", "e\u0301\u0301\u0301clair", "\u0301starts-with-a-mark",
		"שלום-עולם", "\u202eevil\u202c", "👩‍👩‍👧‍👦-family", "🇩🇪🇫🇷", "☺\ufe0f", strings.Repeat("x", 10_000), "a\nb\tc", "", "\u0d4e\u0d4e", "각하",
		"\xff\xfe", "ｆｕｌｌ", "ไทยำำ",
	}
	s := Snapshot(OK)
	for i := range s.Flags {
		name := sources.Clean(names[i%len(names)], sources.MaxName)
		f := &s.Flags[i]
		f.Name, f.ChangedBy, f.Note, f.Description, f.Owner = name, name, name, name, name
	}
	for i := range s.Breakers {
		s.Breakers[i].Name = sources.Clean(names[i%len(names)], sources.MaxName)
		s.Breakers[i].Note = s.Breakers[i].Name
	}
	for i := range s.Latencies {
		s.Latencies[i].Name = sources.Clean(names[(i+6)%len(names)], sources.MaxName)
		s.Latencies[i].Calls = []string{s.Latencies[i].Name}
	}
	for i := range s.Activity {
		name := sources.Clean(names[(i*3)%len(names)], sources.MaxName)
		a := &s.Activity[i]
		a.Name, a.Actor, a.Reason, a.Old, a.New, a.Err = name, name, name, name, name, name
	}
	for i := range s.Sources {
		s.Sources[i].Err = sources.Clean(strings.Join(names, " "), 500)
	}
	s.Context = sources.Clean(names[1], 20)
	return s
}
