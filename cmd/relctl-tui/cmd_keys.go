package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/views"
)

const keysLong = `List what each key does, with the keys of the config.

--check says which keys do not arrive, or do something else as well: those that tmux or
screen keep for themselves (yours where it runs in one, else their defaults), signals and
flow control of the terminal, keys that plain terminals cannot send, and keys that a hand
knows as something else. Exit code 3 when one clashes; a note changes nothing.`

func newKeysCmd(o *options) *cobra.Command {
	check := false
	cmd := &cobra.Command{
		Use: "keys", Short: "List what each key does, and check which ones clash", Long: keysLong,
		Args: argCount(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error { return runKeys(cmd, o, check) },
	}
	cmd.Flags().BoolVar(&check, "check", false, "say which keys clash with tmux, screen or the terminal")
	addOutput(cmd, o)
	return cmd
}

type keyRow struct {
	Action string   `json:"action"`
	Keys   []string `json:"keys"`
	Does   string   `json:"does"`
	Where  string   `json:"where"` // everywhere, live or replay
	Acts   bool     `json:"acts"`
}

type keysAnswer struct {
	Keys    []keyRow `json:"keys"`
	Clashes []clash  `json:"clashes,omitempty"`
}

func runKeys(cmd *cobra.Command, o *options, check bool) error {
	chosen, err := o.contextConfig(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	keys := views.DefaultKeyMap()
	if chosen.keys != nil {
		keys = *chosen.keys
	}
	var answer keysAnswer
	for _, a := range keys.Actions() {
		row := keyRow{Action: a.Name, Keys: a.Keys, Does: a.Does, Acts: a.Acts}
		row.Where = [...]string{views.Everywhere: "everywhere", views.LiveOnly: "live", views.ReplayOnly: "replay"}[a.Scope]
		if row.Keys == nil {
			row.Keys = []string{}
		}
		answer.Keys = append(answer.Keys, row)
	}
	around := surroundings{}
	if check {
		around = lookAround(cmd.Context(), o.stdin, os.Getenv)
		answer.Clashes = clashesOf(&keys, around)
	}
	out := cmd.OutOrStdout()
	switch {
	case o.output == "json":
		err = writeJSON(out, answer)
	case check:
		err = answer.writeClashes(out, around)
	default:
		err = answer.writeKeys(out)
	}
	if n := worst(answer.Clashes); err == nil && n > 0 {
		return fmt.Errorf("%d of the keys clash; keys: in the config gives their actions others: %w", n, errRefused)
	}
	return err
}

func (a *keysAnswer) writeKeys(out io.Writer) error {
	rows := make([][]string, len(a.Keys))
	for i := range a.Keys {
		k := &a.Keys[i]
		rows[i] = []string{k.Action, strings.Join(k.Keys, " "), k.Does}
		if len(k.Keys) == 0 {
			rows[i][1] = "none"
		}
	}
	return writeTable(out, []column{{title: "ACTION"}, {title: "KEYS"}, {title: "DOES"}}, rows)
}

func (a *keysAnswer) writeClashes(out io.Writer, around surroundings) error {
	for i := range a.Clashes {
		c := &a.Clashes[i]
		if _, err := fmt.Fprintf(out, "%-5s  %s (%s): %s\n", c.Kind, c.Key, c.Action, c.Says); err != nil {
			return err
		}
	}
	said := "no key clashes"
	if n := worst(a.Clashes); n > 0 {
		said = fmt.Sprintf("%d clash", n)
	}
	_, err := fmt.Fprintf(out, "%s; checked against %s\n", said, around.said)
	return err
}

func worst(all []clash) (n int) {
	for i := range all {
		if all[i].Kind == kindClash {
			n++
		}
	}
	return n
}

// The kinds of clash: a key that does not do what it is bound to, and one to know of.
const (
	kindClash = "clash"
	kindNote  = "note"
)

// clash is a key that does not, or not only, do what it is bound to.
type clash struct {
	Kind   string `json:"kind"`
	Key    string `json:"key"`
	Action string `json:"action"`
	Says   string `json:"says"`
}

// surroundings are what stands between the keyboard and the board.
type surroundings struct {
	taken map[string]string // by whom a key is kept
	flow  bool              // the terminal stops and goes on at ctrl+s and ctrl+q
	said  string            // what was looked at
}

// lookAround asks tmux, or reads screen's file, and looks at the terminal.
func lookAround(ctx context.Context, tty *os.File, getenv func(string) string) surroundings {
	s := surroundings{taken: map[string]string{}, flow: flowControl(tty)}
	switch {
	case getenv("TMUX") != "":
		if err := askTmux(ctx, s.taken); err != nil {
			s.taken["ctrl+b"] = "tmux's prefix by default"
			s.said = "tmux's default prefix, because tmux could not be asked (" + cleanMsg(err.Error()) + ")"
			return s
		}
		s.said = "this tmux"
	case getenv("STY") != "":
		s.taken[screenEscape(getenv)] = "screen's command key"
		s.said = "this screen"
	default:
		s.taken["ctrl+b"] = "tmux's prefix by default"
		s.taken[screenEscape(getenv)] = "screen's command key"
		s.said = "the prefixes of tmux and screen"
	}
	s.said += ", the terminal's signals and flow control, and what plain terminals can send"
	return s
}

// sameAs are keys that plain terminals cannot tell from another.
var sameAs = map[string]string{"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+[": "esc", "shift+enter": "enter", "shift+space": "space", "ctrl+enter": "enter", "ctrl+tab": "tab", "shift+backspace": "backspace"}

// clashesOf holds each key against what is around, in the order of the help screen.
func clashesOf(keys *views.KeyMap, around surroundings) []clash {
	all, usual := keys.Actions(), map[string]string{}
	byKey := map[string]views.Action{}
	def := views.DefaultKeyMap()
	for _, a := range def.Actions() {
		for _, k := range a.Keys {
			if usual[k] == "" {
				usual[k] = a.Name
			}
		}
	}
	for _, a := range all {
		for _, k := range a.Keys {
			if a.Scope != views.ReplayOnly {
				byKey[k] = a
			}
		}
	}
	var out []clash
	for _, a := range all {
		for _, k := range a.Keys {
			for _, c := range clashesWith(&a, k, around, byKey, usual) {
				c.Key, c.Action = sources.Clean(k, 40), a.Name
				out = append(out, c)
			}
		}
	}
	return out
}

func clashesWith(a *views.Action, k string, around surroundings, byKey map[string]views.Action, usual map[string]string) (out []clash) {
	add := func(bad bool, format string, args ...any) {
		c := clash{Kind: kindNote, Says: fmt.Sprintf(format, args...)}
		if bad {
			c.Kind = kindClash
		}
		out = append(out, c)
	}
	if who := around.taken[k]; who != "" {
		add(true, "it is %s and does not get here", who)
	}
	switch {
	case k == "ctrl+z" && a.Name != "suspend", k == "ctrl+\\":
		add(a.Acts, "a shell takes it for a signal wherever the board is not in front")
	case (k == "ctrl+s" || k == "ctrl+q") && around.flow:
		add(a.Acts, "the terminal takes it for flow control wherever the board is not in front; output that stopped goes on with ctrl+q")
	case sameAs[k] != "":
		add(true, "a plain terminal sends %s for it", sameAs[k])
	case strings.HasPrefix(k, "ctrl+shift+"), strings.Contains(k, "meta+"), strings.Contains(k, "super+"), strings.Contains(k, "hyper+"):
		add(true, "a plain terminal cannot send it")
	}
	if rest, ok := strings.CutPrefix(k, "alt+"); ok {
		does := byKey[rest]
		says := "over a slow link it can arrive as esc and " + rest
		if does.Name != "" {
			says += ", which is " + does.Name
		}
		add(does.Acts || a.Acts, "%s", says)
	}
	if was := usual[k]; was != "" && was != a.Name && a.Scope != views.ReplayOnly && (handKnows[k] || a.Acts) {
		add(false, "by default it is %s, and a hand may expect that", was)
	}
	return out
}

// handKnows are keys that mean the same in vi, less and the like.
var handKnows = map[string]bool{
	"j": true, "k": true, "h": true, "l": true, "g": true, "G": true, "n": true, "N": true, "up": true, "down": true, "left": true, "right": true,
	"pgup": true, "pgdown": true, "home": true, "end": true, "ctrl+d": true, "ctrl+u": true, "/": true, "?": true, "q": true, "enter": true, "tab": true,
}
