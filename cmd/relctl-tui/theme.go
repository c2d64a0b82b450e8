package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/ui"
)

// aThemesFile tells the path of a theme's file from the name of a theme.
func aThemesFile(s string) bool {
	return strings.ContainsRune(s, filepath.Separator) || strings.Contains(s, ".")
}

// readTheme is the theme that a name or a file stands for.
func readTheme(named, base string) (themes.Options, error) {
	if !aThemesFile(named) {
		if named != "" && !slices.Contains(themes.Names(), named) {
			return themes.Options{}, fmt.Errorf("no theme %s%s; a file of your own is named with its path", quote(named), didYouMean(named, "themes", themes.Names()))
		}
		return themes.Options{Name: named}, nil
	}
	path := resolvePath(named, base)
	show := sources.Clean(path, sources.MaxName)
	b, err := readBounded(path)
	if err != nil {
		return themes.Options{}, fmt.Errorf("theme %s: %s", show, plainIOError(err))
	}
	p, err := themes.Parse(b)
	if err != nil {
		return themes.Options{}, fmt.Errorf("theme %s: %s", show, sources.Clean(err.Error(), 300))
	}
	return themes.Options{Name: p.Name, Own: &p}, nil
}

// readThemes reads the themes that contexts name.
func (c *Config) readThemes() error {
	for _, name := range keysOf(c.Contexts) {
		ctx := c.Contexts[name]
		if ctx == nil {
			continue
		}
		var err error
		if ctx.look, err = readTheme(ctx.Theme.S, c.file); err != nil {
			return c.errAt(ctx.Theme.at, "%s", err)
		}
	}
	return nil
}

// dress gives a context's board its themes on a terminal: the one it opens with, which
// an option chooses before the config does, and those that a key changes to.
func (s *setup) dress(o *options, board *ui.Options, t terminal) error {
	s.habits(o, board, t)
	chosen, terminal := s.theme, t.looks(o.ascii)
	terminal.Still = board.Still
	if o.theme != "" {
		own, err := readTheme(o.theme, "")
		if err != nil {
			return &usageError{msg: "--theme: " + cleanMsg(err.Error())}
		}
		chosen = own
	}
	terminal.Name, terminal.Own = chosen.Name, chosen.Own
	first, err := themes.New(terminal)
	if err != nil {
		return &usageError{msg: "--theme: " + cleanMsg(err.Error())}
	}
	board.Theme, board.Profile = first, terminal.Profile
	board.Themes = terminal.Choices()
	board.Wear = func(name string) *themes.Theme {
		one := terminal
		one.Name = name
		th, err := themes.New(one)
		if err != nil {
			panic(err) // it is one of those that there are
		}
		return th
	}
	return nil
}
