package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/live"
	"relctl-tui/themes"
)

// Options is what a board needs. Engine, Control, Theme and Now are required;
// the engine is already running and outlives the board.
type Options struct {
	Engine   *live.Engine
	Control  *control.Controller
	Theme    *themes.Theme
	Profile  colorprofile.Profile // what the terminal can show; Unknown lets the program find out
	ReadOnly bool                 // keys that act are refused with the reason
	Confirm  bool                 // every change asks first
	Actor    string               // who acts, for the journal
	Banner   string               // shown in the status line until the first key
	Input    io.Reader
	Output   io.Writer
	Environ  []string
	Now      func() time.Time
}

// Run shows the board until the operator quits or ctx ends, and gives the
// terminal back as it was. A cancelled ctx is no error.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	settle(ctx, o.Engine)
	w, h := sizeOf(o.Output)
	opts := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithFPS(framesPerSecond(o.Environ)), tea.WithEnvironment(o.Environ),
	}
	if o.Profile != colorprofile.Unknown {
		opts = append(opts, tea.WithColorProfile(o.Profile))
	}
	if o.Input != nil {
		opts = append(opts, tea.WithInput(o.Input))
	}
	if o.Output != nil {
		opts = append(opts, tea.WithOutput(o.Output))
	}
	_, err := tea.NewProgram(New(ctx, o, w, h), opts...).Run()
	switch {
	case err == nil, errors.Is(err, tea.ErrInterrupted):
		return nil
	case errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil && !errors.Is(err, tea.ErrProgramPanic):
		return nil
	default:
		return fmt.Errorf("the board stopped: %w", err)
	}
}

// framesPerSecond bounds how often the screen is drawn. Nothing is drawn when
// nothing changed, so a higher bound only lets a change out sooner; over SSH,
// where the link takes longer than a frame, it saves packets to wait a little.
func framesPerSecond(environ []string) int {
	for _, v := range environ {
		if strings.HasPrefix(v, "SSH_CONNECTION=") || strings.HasPrefix(v, "SSH_TTY=") {
			return 60
		}
	}
	return 120
}

// sizeOf asks the kernel, never the terminal, so that the first frame is whole.
func sizeOf(out io.Writer) (w, h int) {
	if f, ok := out.(*os.File); ok {
		if w, h, err := term.GetSize(f.Fd()); err == nil {
			return w, h
		}
	}
	return 0, 0
}

// firstData is how long the first frame may wait for the flags, so that it is
// drawn once, with data, instead of twice. A slower store does not hold it back.
const firstData = 40 * time.Millisecond

// settle waits until every flag store has answered, well or badly, or firstData
// is over.
func settle(ctx context.Context, engine *live.Engine) {
	ctx, cancel := context.WithTimeout(ctx, firstData)
	defer cancel()
	for s := engine.Snapshot(); !answered(s); {
		next, err := engine.Next(ctx, s.Seq)
		if err != nil {
			return
		}
		s = next
	}
}

func answered(s *sources.Snapshot) bool {
	for i := range s.Sources {
		if src := &s.Sources[i]; src.Flags && src.LastOK.IsZero() && src.Err == "" {
			return false
		}
	}
	return len(s.Sources) > 0
}
