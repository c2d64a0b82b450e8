package main

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// homeDir is the home of whoever runs the program, also where no variable says so, as
// under cron; "" where there is none.
func homeDir() string {
	if home, err := os.UserHomeDir(); err == nil {
		return home
	}
	if u, err := user.Current(); err == nil {
		if info, err := os.Stat(u.HomeDir); err == nil && info.IsDir() {
			return u.HomeDir
		}
	}
	return ""
}

// xdgDir is the program's folder under an XDG base directory, or under home where the
// variable names none; the base directory must be absolute to count, as the
// specification asks.
func xdgDir(variable, home, fallback string) string {
	base := os.Getenv(variable)
	if !filepath.IsAbs(base) {
		if home == "" {
			return ""
		}
		base = filepath.Join(home, fallback)
	}
	return filepath.Join(base, "relctl-tui")
}

// configDir is where the config lies; "" without a home, for what lies in a folder that
// everybody may write is nobody's config.
func configDir() string { return xdgDir("XDG_CONFIG_HOME", homeDir(), ".config") }

func stateDir() string {
	home := homeDir()
	if home == "" {
		home = os.TempDir()
	}
	return xdgDir("XDG_STATE_HOME", home, filepath.Join(".local", "state"))
}

// configPath is the config file to read and whether somebody named it: one that
// was named must exist. It is "" where nobody named one and there is no place for it.
func configPath(option string) (path string, named bool) {
	if option != "" {
		return option, true
	}
	if env := os.Getenv("RELCTL_CONFIG"); env != "" {
		return env, true
	}
	dir := configDir()
	if dir == "" {
		return "", false
	}
	return filepath.Join(dir, "config.yaml"), false
}

// homeless is that there is no place for what was not named, with what to do.
func homeless(instead string) error {
	return &usageError{msg: "you have no home directory ($HOME is not set): " + instead}
}

// resolvePath makes a path from a config file absolute: ~ is the home directory,
// and a relative path counts from the config file, not from wherever the program
// was started.
func resolvePath(path, configFile string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home := homeDir(); home != "" {
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
