package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"relctl-tui/views"
)

// tmuxAnswers is how long tmux may take, and mostBindings how much is read of it.
const (
	tmuxAnswers  = 3 * time.Second
	mostBindings = 1 << 20
)

// askTmux notes the keys that this tmux keeps for itself: its prefixes, and what is bound
// without one.
func askTmux(ctx context.Context, taken map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, tmuxAnswers)
	defer cancel()
	ask := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "tmux", args...)
		out, err := cmd.StdoutPipe()
		if err != nil {
			return "", err
		}
		if err := cmd.Start(); err != nil {
			return "", err
		}
		text, err := io.ReadAll(io.LimitReader(out, mostBindings))
		if waited := cmd.Wait(); err == nil {
			err = waited
		}
		return string(text), err
	}
	bound, err := ask("list-keys", "-T", "root")
	if err != nil {
		return err
	}
	for line := range strings.Lines(bound) {
		if k := rootKey(line); k != "" {
			taken[k] = "bound in tmux"
		}
	}
	for _, option := range []string{"prefix", "prefix2"} {
		name, err := ask("show-options", "-gv", option)
		if err != nil {
			return err
		}
		if k := tmuxKey(strings.TrimSpace(name)); k != "" {
			taken[k] = "tmux's " + option
		}
	}
	return nil
}

// rootKey is the key of a line of tmux's list-keys; "" for the mouse's and what is no key.
func rootKey(line string) string {
	words := strings.Fields(line)
	for i, w := range words {
		if w == "root" && i > 0 && words[i-1] == "-T" && i+1 < len(words) {
			return tmuxKey(words[i+1])
		}
	}
	return ""
}

// tmuxNames are tmux's names of keys where they are other than ours.
var tmuxNames = map[string]string{"bspace": "backspace", "btab": "shift+tab", "ppage": "pgup", "pageup": "pgup", "npage": "pgdown", "pagedown": "pgdown", "dc": "delete", "ic": "insert"}

// tmuxKey is our name of a key as tmux writes it: C-b, M-S-Left, \;. "" for what is none.
func tmuxKey(name string) string {
	name = strings.Trim(name, `"'`)
	if len(name) > 1 {
		name = strings.TrimPrefix(name, `\`)
	}
	var mods strings.Builder
	for len(name) > 2 && name[1] == '-' && strings.ContainsRune("CMS", rune(name[0])) {
		mods.WriteString(map[byte]string{'C': "ctrl+", 'M': "alt+", 'S': "shift+"}[name[0]])
		name = name[2:]
	}
	if len(name) == 2 && name[0] == '^' {
		mods.WriteString("ctrl+")
		name = name[1:]
	}
	if ours := tmuxNames[strings.ToLower(name)]; ours != "" {
		name = ours
	}
	k, err := views.KeyName(mods.String() + name)
	if err != nil {
		return ""
	}
	return k
}

// screenEscape is the command key of screen, of its file or the one that it has else.
func screenEscape(getenv func(string) string) string {
	const otherwise = "ctrl+a"
	path := getenv("SCREENRC")
	if path == "" {
		path = filepath.Join(getenv("HOME"), ".screenrc")
	}
	f, err := os.Open(path)
	if err != nil {
		return otherwise
	}
	defer f.Close() //nolint:errcheck // nothing was written
	found := otherwise
	lines := bufio.NewScanner(io.LimitReader(f, mostBindings))
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 || words[0] != "escape" {
			continue
		}
		if k := screenKey(strings.Trim(words[1], `"'`)); k != "" {
			found = k
		}
	}
	return found
}

// screenKey is the first key of an escape as screen writes it: ^Bb, \002b, or `b.
func screenKey(text string) string {
	var name string
	switch {
	case len(text) >= 2 && text[0] == '^':
		name = "ctrl+" + strings.ToLower(text[1:2])
	case len(text) >= 4 && text[0] == '\\':
		n, err := strconv.ParseUint(text[1:4], 8, 8)
		if err != nil || n == 0 || n > 26 {
			return ""
		}
		name = "ctrl+" + string(rune('a'+n-1))
	case text != "":
		name = text[:1]
	}
	k, err := views.KeyName(name)
	if err != nil {
		return ""
	}
	return k
}
