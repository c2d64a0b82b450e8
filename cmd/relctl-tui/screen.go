package main

import (
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"
)

// hasScreen tells whether a board can be drawn on out.
func hasScreen(out io.Writer) bool {
	f, ok := out.(*os.File)
	kind := os.Getenv("TERM")
	return ok && term.IsTerminal(int(f.Fd())) && kind != "dumb" && kind != ""
}

// colours is what the terminal can show, by its environment alone: asking it would
// delay the first frame. NO_COLOR counts whatever its value, as no-color.org says, and DEC's
// terminals have none.
func colours(environ []string) colorprofile.Profile {
	p := colorprofile.Env(environ)
	if look := lookIn(environ); look("NO_COLOR") != "" || strings.HasPrefix(look("TERM"), "vt1") || strings.HasPrefix(look("TERM"), "vt2") {
		return min(p, colorprofile.ASCII)
	}
	return p
}

// lookIn is os.Getenv for an environment that may be somebody else's.
func lookIn(environ []string) func(name string) string {
	return func(name string) string {
		for i := len(environ) - 1; i >= 0; i-- {
			if v, ok := strings.CutPrefix(environ[i], name+"="); ok {
				return v
			}
		}
		return ""
	}
}

// asciiLocale tells whether the locale rules out anything but ASCII. One that is
// not set says nothing: over SSH it often is lost on the way.
func asciiLocale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(name)); v != "" {
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return false
}
