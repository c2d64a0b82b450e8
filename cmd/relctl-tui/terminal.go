package main

import (
	"context"
	"os/exec"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/colorprofile"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/ui"
)

// This file is what a terminal can do besides text and colours, by its environment alone.

// terminal is what a board has to know of somebody's terminal.
type terminal struct {
	getenv  func(string) string
	profile colorprofile.Profile
	// passes says that a tmux around it lets through what it does not know itself.
	passes bool
}

func terminalOf(environ []string, passes bool) terminal {
	return terminal{getenv: lookIn(environ), profile: colours(environ), passes: passes}
}

// looks is how a theme is built for it.
func (t terminal) looks(ascii bool) themes.Options {
	return themes.Options{
		ASCII: ascii || asciiLocale(t.getenv), Blocks: t.getenv("TERM") == "linux", Profile: t.profile, Links: t.links(),
	}
}

// bare tells a terminal that knows little besides text: the console, and hardware.
func (t terminal) bare() bool {
	kind := t.getenv("TERM")
	return kind == "linux" || kind == "" || kind == "dumb" || kind == "cons25" || strings.HasPrefix(kind, "vt")
}

// links tells whether addresses may be links. Most terminals that do not know them leave
// them out without a trace; screen shows the address.
func (t terminal) links() bool {
	return !t.bare() && !strings.HasPrefix(t.getenv("TERM"), "screen") && t.profile > colorprofile.ASCII
}

// title tells whether the terminal has a window whose title can be set.
func (t terminal) title() bool { return !t.bare() }

// The ways to call an operator who looks elsewhere.
const (
	callOff     = "off"
	callBell    = "bell"
	callDesktop = "desktop"
)

var (
	callWords   = []string{callOff, callBell, callDesktop}
	motionWords = []string{motionFull, motionReduced}
	titleWords  = []string{"on", "off"}
)

// The ways to move.
const (
	motionFull    = "full"
	motionReduced = "reduced"
)

const bell = "\a"

// call is the sequence that calls the operator, by the way that was chosen; nil for none.
// Where the terminal is not known to show a notification it is the bell.
func (t terminal) call(way string) func(text string) string {
	switch way {
	case callBell:
		return func(string) string { return bell }
	case callDesktop:
		return t.notification
	default:
		return nil
	}
}

func (t terminal) notification(text string) string {
	text = "relctl-tui " + harmless(text)
	var seq string
	switch {
	case t.known("kitty", "ghostty", "wezterm", "iterm"):
		seq = "\x1b]9;" + text + bell
	case t.known("foot", "rxvt-unicode"):
		seq = "\x1b]777;notify;relctl-tui;" + text + bell
	default:
		return bell
	}
	switch {
	case t.getenv("TMUX") != "" && t.passes:
		return "\x1bPtmux;" + strings.ReplaceAll(seq, "\x1b", "\x1b\x1b") + "\x1b\\"
	case t.getenv("TMUX") != "", t.getenv("STY") != "", strings.HasPrefix(t.getenv("TERM"), "screen"), strings.HasPrefix(t.getenv("TERM"), "tmux"):
		return bell
	default:
		return seq
	}
}

// known tells whether the terminal, or the one around a tmux, is one of these.
func (t terminal) known(names ...string) bool {
	var said []string
	for _, name := range []string{"TERM", "TERM_PROGRAM", "LC_TERMINAL"} {
		said = append(said, strings.ToLower(t.getenv(name)))
	}
	for name, of := range map[string]string{
		"KITTY_WINDOW_ID": "kitty", "GHOSTTY_RESOURCES_DIR": "ghostty", "WEZTERM_PANE": "wezterm", "ITERM_SESSION_ID": "iterm",
	} {
		if t.getenv(name) != "" {
			said = append(said, of)
		}
	}
	for _, word := range said {
		for _, name := range names {
			if strings.Contains(word, name) {
				return true
			}
		}
	}
	return false
}

// longestCall bounds a notification.
const longestCall = 120

// harmless is a text without anything that could end, or divide, the sequence it stands in.
func harmless(text string) string {
	text = sources.Clean(text, longestCall)
	return strings.Map(func(r rune) rune {
		switch {
		case r == ';':
			return ','
		case !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, text)
}

// tmuxPasses asks the tmux around this process whether it lets through what it does not
// know. It is asked only where that is needed, and not for long.
func tmuxPasses(ctx context.Context, getenv func(string) string, way string) bool {
	if way != callDesktop || getenv("TMUX") == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "tmux", "show-options", "-Apv", "allow-passthrough").Output()
	word := strings.TrimSpace(string(out))
	return err == nil && (word == "on" || word == "all")
}

// habits gives a board what its operator wants of the terminal besides colours.
func (s *setup) habits(o *options, board *ui.Options, t terminal) {
	board.Still = o.still || s.motion == motionReduced
	board.Notify = t.call(s.notify)
	board.Title = s.title != "off" && t.title()
}

// wantsStill tells whether the environment asks for nothing that moves.
func wantsStill(getenv func(string) string) bool {
	v := getenv("RELCTL_REDUCED_MOTION")
	return v != "" && v != "0"
}
