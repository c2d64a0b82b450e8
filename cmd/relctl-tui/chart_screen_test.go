package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The whole demo: a chart of what its real fleet measures, in each terminal's signs.
func TestEnterOnALatencyOpensItsChartAndTheCrosshairReadsIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env   []string
		args  []string
		signs string // a pattern of what the lines are made of
	}{
		"braille": {signs: "[\u2801-\u28ff]"},
		"block":   {env: []string{"TERM=linux"}, signs: "[▀▄█]"},
		"ascii":   {args: []string{"--ascii"}, signs: "#"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, 100, 32, c.env, append([]string{"demo", "--seed", "3"}, c.args...)...)
			s.awaitLine("payment API", "/s")
			s.press("\t", "\t")
			s.awaitLine("payment API", "ms")
			s.press("\r")
			s.awaitText("p99", "last 15m", "newest", "none is known in this time", "knows nothing before")
			s.press("w")
			s.awaitText("last 1h")
			s.press("\x1b[D", "h", "l")
			moment, signs := regexp.MustCompile(`\d\d:\d\d:\d\d +p50 `), regexp.MustCompile(c.signs)
			text := s.await("a moment under the crosshair", func(text string) bool {
				return moment.MatchString(text) && signs.MatchString(plotOf(text)) && strings.Contains(text, "|")
			})
			if name == "ascii" {
				require.Equal(t, -1, strings.IndexFunc(text, func(r rune) bool { return r >= 0x80 }), text)
			}
			s.resize(80, 24)
			s.awaitText("last 1h")
			s.press("\x1b")
			s.await("the board again", func(text string) bool { return !strings.Contains(text, "last 1h") })
			require.Zero(t, s.quit())
		})
	}
}

// plotOf is the lines between the legend of a chart and its axis of time.
func plotOf(text string) string {
	return regexp.MustCompile(`(?s)each point over.* 0ms[^\n]*`).FindString(text)
}
