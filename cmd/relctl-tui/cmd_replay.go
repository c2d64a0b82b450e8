package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/live"
	"relctl-tui/sources/record"
	"relctl-tui/ui"
)

const replayLong = `Show a recording of the board again, at any moment and any size. A recording is made with
--record FILE, or with ctrl+s on a board, which saves the last 30 minutes. It holds what the
board was shown, not the screen; nothing can be changed from it.

space pauses and plays, the arrow keys move by 10 seconds, with shift by a minute, n and N to the
next and the previous thing that happened, < and > change the speed.

Without a terminal it says what the recording holds.`

// replaying is what was typed for a replay.
type replaying struct {
	path, at string
	speed    float64
}

func newReplayCmd(o *options) *cobra.Command {
	r := replaying{speed: 1}
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Show a recording of the board again",
		Long:  replayLong,
		Example: `relctl-tui --record incident.jsonl.gz
relctl-tui replay incident.jsonl.gz --at 14:03 --speed 10`,
		Args: argCount(1, 1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.path = args[0]
			return runReplay(cmd, o, r)
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.at, "at", "", "moment to begin at: 14:03, 14:03:20 or 2006-01-02T14:03:20Z")
	f.Float64Var(&r.speed, "speed", r.speed, "how fast it plays: 10 is ten times as fast as it was")
	addLooks(f, o)
	return cmd
}

func runReplay(cmd *cobra.Command, o *options, r replaying) error {
	if !(r.speed > 0 && r.speed <= record.SpeedMost) {
		return &usageError{msg: fmt.Sprintf("--speed: write a number above 0, and %d at most", record.SpeedMost)}
	}
	name := sources.Clean(r.path, maxPath)
	f, err := os.OpenFile(r.path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // which waits for nobody at the other end of a pipe
	if err != nil {
		var at *os.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return &usageError{msg: fmt.Sprintf("%s cannot be opened: %s", name, cleanMsg(err.Error()))}
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return &usageError{msg: name + " is no file"}
	}
	ctx := cmd.Context()
	rec, err := record.Open(readUntil{ctx, f}, info.Size())
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s was not read to its end: %w", name, ctx.Err())
	case err != nil:
		return &usageError{msg: name + " cannot be replayed: " + sources.Sentence(err)}
	}
	at := rec.From
	if r.at != "" {
		if at, err = momentOf(r.at, rec.From.Local(), rec.To.Local()); err != nil {
			return &usageError{msg: "--at: " + err.Error()}
		}
	}
	if !hasScreen(cmd.OutOrStdout()) {
		return holdings(cmd.OutOrStdout(), rec)
	}
	return showReplay(cmd, o, rec, record.PlayerOptions{At: at, Speed: r.speed, Now: o.now})
}

// readUntil reads until ctx ends: a small file can hold hours of reading, and whoever meant
// another one must be able to leave.
type readUntil struct {
	ctx context.Context //nolint:containedctx // a read ends with it
	in  io.ReaderAt
}

// ReadAt is the file's.
func (r readUntil) ReadAt(b []byte, at int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err //nolint:wrapcheck // whoever reads knows the file
	}
	return r.in.ReadAt(b, at) //nolint:wrapcheck // io.EOF must stay io.EOF
}

// momentOf reads a moment as an operator writes it, who need not write the day.
func momentOf(text string, from, to time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		if t.Before(from.Truncate(time.Second)) || t.After(to) {
			return t, notWithin(text, from, to)
		}
		return t, nil
	}
	for layout, span := range map[string]time.Duration{"15:04": time.Minute, "15:04:05": time.Second} {
		clock, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		for day := from; ; day = day.AddDate(0, 0, 1) {
			t := time.Date(day.Year(), day.Month(), day.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, from.Location())
			switch {
			case t.After(to):
				return t, notWithin(text, from, to)
			case t.Add(span).After(from):
				return t, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%s is no time of day: write 14:03, 14:03:20 or 2006-01-02T14:03:20Z", quote(text))
}

func notWithin(text string, from, to time.Time) error {
	return fmt.Errorf("%s is not recorded: the recording goes from %s to %s", quote(text), from.Format(time.DateTime), to.Format(time.DateTime))
}

// lacks says what of a recording is missing, in a clause; "" for nothing.
func lacks(rec *record.Recording) string {
	var all []string
	if rec.Lost > 0 {
		all = append(all, fmt.Sprintf("%d snapshots were too quick to be recorded, in %d gaps", rec.Lost, rec.Gaps))
	}
	if rec.Torn > 0 {
		all = append(all, fmt.Sprintf("its end is torn: %d bytes after %s cannot be read", rec.Torn, rec.To.Local().Format(time.TimeOnly)))
	}
	return strings.Join(all, "; ")
}

// holdings says what a recording holds, for those without a screen.
func holdings(out io.Writer, rec *record.Recording) error {
	text := fmt.Sprintf("%d snapshots from %s to %s (%s)\n", rec.Snapshots, rec.From.Local().Format(time.DateTime),
		rec.To.Local().Format(time.DateTime), rec.To.Sub(rec.From).Round(time.Second))
	if l := lacks(rec); l != "" {
		text += l + "\n"
	}
	_, err := io.WriteString(out, text)
	return err
}

// showReplay opens a board on the recording. Its engine has no sources, and its one
// control path no store: there is nothing that it could change.
func showReplay(cmd *cobra.Command, o *options, rec *record.Recording, p record.PlayerOptions) error {
	reports := newCrashes(o.now)
	defer reports.watch()()
	engine := live.New(live.Options{Now: o.now, Replay: true})
	p.Show = engine.Show
	player := record.NewPlayer(rec, p)
	go player.Run(cmd.Context())
	banner := fmt.Sprintf("recorded %s to %s; nothing can be changed from here", rec.From.Local().Format(time.TimeOnly), rec.To.Local().Format(time.TimeOnly))
	if l := lacks(rec); l != "" {
		banner += "; " + l
	}
	options := ui.Options{
		Engine: engine, Control: control.New(control.Options{ReadOnly: true, Now: o.now}), Replay: player,
		Environ: os.Environ(), ReadOnly: true, Actor: o.actorName(), Now: o.now, Banner: banner,
		Output: cmd.OutOrStdout(), Say: func(sentence string) { say(cmd.ErrOrStderr(), sentence) }, Crashed: reports.keep,
		Saved: ownFilters(),
	}
	if err := (&setup{}).dress(o, &options, terminalOf(os.Environ(), false)); err != nil {
		return err
	}
	if term.IsTerminal(int(o.stdin.Fd())) { // else the board finds the terminal itself
		options.Input = o.stdin
	}
	_, err := ui.Run(cmd.Context(), options)
	return err
}
