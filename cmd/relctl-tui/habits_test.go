package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnOperatorIsCalledInTheWayThatTheTerminalIsKnownToTake(t *testing.T) {
	t.Parallel()
	const osc9, osc777 = "\x1b]9;relctl-tui prod: breaker x is open\a", "\x1b]777;notify;relctl-tui;relctl-tui prod: breaker x is open\a"
	for name, c := range map[string]struct {
		environ string
		passes  bool
		want    string
	}{
		"kitty":                  {environ: "TERM=xterm-kitty", want: osc9},
		"ghostty":                {environ: "TERM=xterm-ghostty", want: osc9},
		"wezterm":                {environ: "TERM=xterm-256color TERM_PROGRAM=WezTerm", want: osc9},
		"iterm over ssh":         {environ: "TERM=xterm-256color SSH_TTY=/dev/pts/1 LC_TERMINAL=iTerm2", want: osc9},
		"foot":                   {environ: "TERM=foot", want: osc777},
		"urxvt":                  {environ: "TERM=rxvt-unicode-256color", want: osc777},
		"anything":               {environ: "TERM=xterm-256color", want: bell},
		"the console":            {environ: "TERM=linux", want: bell},
		"kitty and tmux":         {environ: "TERM=tmux-256color TMUX=/tmp/x KITTY_WINDOW_ID=1", want: bell},
		"kitty and an open tmux": {environ: "TERM=tmux-256color TMUX=/tmp/x KITTY_WINDOW_ID=1", passes: true, want: "\x1bPtmux;\x1b" + osc9 + "\x1b\\"},
		"kitty and screen":       {environ: "TERM=screen STY=1.x KITTY_WINDOW_ID=1", want: bell},
	} {
		call := terminalOf(strings.Fields(c.environ), c.passes).call(callDesktop)
		require.Equal(t, c.want, call("prod: breaker x is open"), name)
	}
	require.Equal(t, bell, terminalOf([]string{"TERM=xterm-kitty"}, false).call(callBell)("x"))
	require.Nil(t, terminalOf([]string{"TERM=xterm-kitty"}, false).call(callOff))
	require.Nil(t, terminalOf([]string{"TERM=xterm-kitty"}, false).call(""))
}

func TestACallHoldsNothingThatEndsItsSequence(t *testing.T) {
	t.Parallel()
	call := terminalOf([]string{"TERM=foot"}, false).call(callDesktop)
	got := call("prod: breaker \x1b]0;x\a;a;b\u009c\u202e" + strings.Repeat("y", 500) + " is open")
	inner := strings.TrimSuffix(strings.TrimPrefix(got, "\x1b]777;notify;relctl-tui;"), "\a")
	require.NotContains(t, inner, "\x1b")
	require.NotContains(t, inner, "\a")
	require.NotContains(t, inner, ";")
	require.NotContains(t, inner, "\u009c")
	require.NotContains(t, inner, "\u202e")
	require.Less(t, len(got), 250)
}

func TestLinksAndTitlesAreForTerminalsThatTakeThem(t *testing.T) {
	t.Parallel()
	for environ, want := range map[string][2]bool{ // links, title
		"TERM=xterm-256color": {true, true}, "TERM=tmux-256color": {true, true}, "TERM=xterm-kitty": {true, true},
		"TERM=screen-256color": {false, true}, "TERM=linux": {}, "TERM=vt100": {}, "TERM=dumb": {}, "TERM=xterm-256color NO_COLOR=yes": {false, true},
	} {
		terminal := terminalOf(strings.Fields(environ), false)
		require.Equal(t, want, [2]bool{terminal.links(), terminal.title()}, environ)
	}
}
