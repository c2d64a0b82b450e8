package main

import (
	"os"
	"path/filepath"
	"strings"
)

// xdgDir is the program's folder under an XDG base directory; the base directory
// must be absolute to count, as the specification asks.
func xdgDir(variable, fallback string) string {
	base := os.Getenv(variable)
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			home = os.TempDir()
		}
		base = filepath.Join(home, fallback)
	}
	return filepath.Join(base, "relctl-tui")
}

func configDir() string { return xdgDir("XDG_CONFIG_HOME", ".config") }

func stateDir() string { return xdgDir("XDG_STATE_HOME", filepath.Join(".local", "state")) }

// configPath is the config file to read and whether somebody named it: one that
// was named must exist.
func configPath(option string) (path string, named bool) {
	if option != "" {
		return option, true
	}
	if env := os.Getenv("RELCTL_CONFIG"); env != "" {
		return env, true
	}
	return filepath.Join(configDir(), "config.yaml"), false
}

// resolvePath makes a path from a config file absolute: ~ is the home directory,
// and a relative path counts from the config file, not from wherever the program
// was started.
func resolvePath(path, configFile string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if path == "" || filepath.IsAbs(path) || configFile == "" {
		return path
	}
	return filepath.Join(filepath.Dir(configFile), path)
}

// fileWord makes a name safe to be part of a file name.
func fileWord(s string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		default:
			return '_'
		}
	}, s)
	out = strings.TrimLeft(out, ".")
	if out == "" {
		return "_"
	}
	return out[:min(len(out), 80)]
}
