package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/anmitsu/go-shlex"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/ui"
)

// inLines tells whether lines of text are wanted in place of the board, and where nobody
// asked for them, why.
func (o *options) inLines(s *setup, out io.Writer) (why string, lines bool) {
	switch {
	case o.plain || s.plain:
		return "", true
	case hasScreen(out):
		return "", false
	}
	return noScreen() + ", so this is the line mode: help lists what can be typed", true
}

// noScreen is why a terminal cannot be drawn on.
func noScreen() string {
	kind := os.Getenv("TERM")
	if kind == "" {
		return "TERM is not set"
	}
	return "TERM=" + sources.Clean(kind, 40) + " is no terminal to draw on"
}

// showLines follows a context in lines of text. Where out is a terminal it takes verbs
// as they are typed; elsewhere it only follows, until it is told to stop or nobody reads.
func showLines(ctx context.Context, o *options, s *setup, t *tape, out, errOut io.Writer) error {
	signal.Ignore(syscall.SIGPIPE) // a reader that is gone is an error of a write, and the end
	r := s.start(ctx, o)
	defer r.end()
	go giveBack(r.life, r.engine)
	defer t.follow(ctx, r.engine)()
	s.shared = r
	if s.banner != "" {
		say(errOut, s.banner)
	}
	if asciiLocale(os.Getenv) || o.ascii {
		out = asciiOnly{out}
	}
	lines := ui.PlainOptions{
		Engine: r.engine, Now: o.now, Out: out,
		Stamp: func(at time.Time) string { return at.Local().Format(time.RFC3339) },
	}
	if isTerminal(out) && term.IsTerminal(int(o.stdin.Fd())) {
		lines.Stamp = func(at time.Time) string { return at.Local().Format("15:04:05") }
		lines.Typed, lines.Help = o.stdin, plainHelp(r)
		lines.Verb = func(ctx context.Context, line string, out io.Writer, ask func(string) bool) {
			o.typed(ctx, r, line, out, ask)
		}
	}
	return ui.Plain(ctx, lines)
}

// isTerminal tells whether out is a terminal, whatever can be drawn on it.
func isTerminal(out io.Writer) bool {
	if a, ok := out.(asciiOnly); ok {
		out = a.to
	}
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// plainHelp is what can be typed.
func plainHelp(r *running) []string {
	help := []string{
		"status                          how things stand",
		"flags, breakers, latency        tables; so are alerts, deploys, log, schedules, suspects",
	}
	if !r.readOnly {
		help = append(help,
			"ramp FLAG [PERCENT|next|back]   set a flag, or take a step of its ladder",
			"kill FLAG                       switch a flag off, at once",
			"undo [CHANGE]                   take back your last change, or another one",
			"migrate, restore, schedule      as on the command line; VERB --help says how",
		)
	}
	return append(help,
		"quit                            leave, after what is under way; ctrl+d does too",
		"ctrl+r                          shows again what you have typed, when a line came between",
	)
}

// plainVerbs are the verbs that can be typed, on options of their own.
func plainVerbs(o *options) []*cobra.Command {
	return []*cobra.Command{
		newFlagsCmd(o), newBreakersCmd(o), newLatencyCmd(o), newAlertsCmd(o), newDeploysCmd(o), newLogCmd(o), newSuspectsCmd(o), newStatusCmd(o),
		newRampCmd(o), newMigrateCmd(o), newKillCmd(o), newUndoCmd(o), newRestoreCmd(o), newScheduleCmd(o), newSchedulesCmd(o),
	}
}

// typed does a verb that was typed, as the command line would, on what runs here: with
// the same control path, and with the questions of the board.
func (o *options) typed(ctx context.Context, r *running, line string, out io.Writer, ask func(string) bool) {
	words, err := shlex.Split(line, true)
	if err != nil {
		say(out, "a quotation mark is not closed: nothing was done")
		return
	}
	own := &options{
		actor: o.actorName(), now: o.now, stdin: o.stdin, followed: true, agree: ask,
		opened: func(string) (*setup, error) { return r.setup, nil },
	}
	root := verbsAs("relctl-tui", out, out, plainVerbs(own)...)
	if cmd, _, err := root.Find(words); err != nil || cmd == root {
		say(out, fmt.Sprintf("no verb %s: help lists them, and nothing was done", quote(cmp.Or(firstOr(words, ""), line))))
		return
	} else if cmd.Flags().Lookup("guarded") != nil {
		noGuarded(cmd, "a guarded ramp is started on the board, or with: relctl-tui ramp FLAG --guarded; nothing was changed")
	}
	root.SetArgs(words)
	if err := root.ExecuteContext(ctx); err != nil {
		say(out, errorSentences(err)...)
	}
	for i := range r.stores {
		r.engine.Nudge(r.stores[i].name)
	}
}

// beforehand is what a change waits for: the proof of a step of a migration, then the
// answer to a question.
func (o *options) beforehand(cmd *cobra.Command, ctl *control.Controller, s *setup, in sources.Intent) error {
	if err := o.watchProof(cmd, ctl, s, in); err != nil {
		return err
	}
	return o.agreed(s, in)
}

// agreed asks about a change where the context wants that, or where what it does could
// not be seen. Nobody to ask agrees.
func (o *options) agreed(s *setup, ins ...sources.Intent) error {
	if o.agree == nil || len(ins) == 0 {
		return nil
	}
	snap, doubt := s.shared.engine.Snapshot(), ""
	names := make([]string, len(ins))
	for i := range ins {
		in := &ins[i]
		names[i] = sources.Clean(in.Flag.Key, sources.MaxName)
		if f := snap.Flag(in.Flag); f != nil && doubt == "" && !in.Override {
			doubt = ui.DoubtRaise(snap, in, f, o.now())
		}
	}
	if !s.confirm && doubt == "" {
		return nil
	}
	if barred := s.barred(snap, ins); len(barred) == len(ins) {
		return severalErrors(barred)
	}
	text := string(ins[0].Kind) + " " + strings.Join(names, ", ")
	if len(ins) == 1 {
		text = question(&ins[0], names[0])
	}
	if doubt != "" {
		text = doubt + ", so what this does may not be seen. " + text
	}
	if !o.agree(text + "?") {
		return fmt.Errorf("nothing was done: %w", errRefused)
	}
	return nil
}

// barred is what of several changes the calendar refuses, so that nobody is asked about it.
func (s *setup) barred(snap *sources.Snapshot, ins []sources.Intent) (errs []error) {
	for i := range ins {
		f := snap.Flag(ins[i].Flag)
		if f == nil {
			continue
		}
		if err := s.shared.control.Barred(&ins[i], f); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// question is a change as it is asked about.
func question(in *sources.Intent, name string) string {
	to := cmp.Or(in.ToAs, in.Stage)
	switch in.Kind {
	case sources.Undo:
		return "Undo " + cmp.Or(in.Change, "your last change")
	case sources.Ramp, sources.Back, sources.Set:
		to = in.To.String() + "%"
	default:
	}
	text := strings.ToUpper(string(in.Kind[:1])) + string(in.Kind[1:]) + " " + name
	if in.SeenAs != "" {
		text += " from " + in.SeenAs
	}
	if to != "" {
		text += " to " + to
	}
	return text
}

// noGuarded takes the guarded ramps from a verb, and says why when one is asked for.
func noGuarded(cmd *cobra.Command, why string) {
	_ = cmd.Flags().MarkHidden("guarded")
	cmd.PreRunE = chain(cmd.PreRunE, func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("guarded") {
			return fmt.Errorf("%s: %w", why, errRefused)
		}
		return nil
	})
}

// asciiOnly writes text in ASCII, with a stand-in for every other character.
type asciiOnly struct{ to io.Writer }

var asciiStandIns = strings.NewReplacer("→", "->", "➔", "->", "·", "|", "∙", "|", "⋯", "~", "…", "~", "✓", "+", "✗", "x")

// Write writes b; its count is that of b's bytes.
func (a asciiOnly) Write(b []byte) (int, error) {
	ascii := bytes.Map(func(r rune) rune {
		if r >= 0x80 {
			return '?'
		}
		return r
	}, []byte(asciiStandIns.Replace(string(b))))
	if _, err := a.to.Write(ascii); err != nil {
		return 0, err
	}
	return len(b), nil
}
