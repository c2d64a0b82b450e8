package ui

import (
	"cmp"
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
	Theme    *themes.Theme        // what it opens with; the board has a copy of its own
	Profile  colorprofile.Profile // what the terminal can show; Unknown lets the program find out
	ReadOnly bool                 // keys that act are refused with the reason
	Confirm  bool                 // every change asks first
	Next     string               // name of the context that the key for the next one opens; "" for none
	Effect   time.Duration        // in how long a change must be in force where flags are evaluated; 0 for a minute
	Actor    string               // who acts, for the journal
	Owner    string               // who runs this board's guarded ramps, for other boards; "" for Actor

	// NextTheme is the theme that follows one by its name; it is pure. Nil: there is one.
	NextTheme func(after string) *themes.Theme

	// Ramp is how long a flag stays at each step of a guarded ramp, and what a breach
	// leads to; nil, 0 and "" for the defaults.
	Ramp   func(key string) (time.Duration, sources.OnBreach)
	Zone   *time.Location // whose clocks are meant by a moment that is typed; nil for this machine's
	Banner string         // shown in the status line until the first key
	Remote *Remote        // the terminal where it is somebody else's; nil for this process's own

	// Replay is the recording that is shown instead of the world, which Engine is then
	// fed from; nil for none. Such a board is read-only.
	Replay Replay
	// SaveRecording keeps what the board showed of late and says where; nil where nothing
	// is recorded.
	SaveRecording func() (path string, from, to time.Time, err error)
	Recording     bool          // to a file, while nothing is said against it
	Notices       <-chan string // warnings from beside the board; nil for none

	Input   io.Reader
	Output  io.Writer
	Environ []string
	Now     func() time.Time

	// Painted is told of each frame that was drawn: its bytes, and how long the key
	// waited that led to it, 0 for none; nil for nobody. Debug shows the same, and the
	// age of each source, in the last line.
	Painted func(bytes int, sinceKey time.Duration)
	Debug   bool

	// Report writes down what happened and says where; nil where that cannot be done. Found
	// is the last look that found a breach, nil for none. It is called by a command.
	Report func(ctx context.Context, found *sources.Incident) (where string, err error)

	// Say prints one sentence for the operator while the board's screen is gone; nil
	// for nobody.
	Say func(sentence string)
	// Crashed keeps a report of a panic of the board's own, and returns the error with
	// which Run then ends; nil keeps none.
	Crashed func(value any, stack []byte) error
}

func (o *Options) say(sentence string) {
	if o.Say != nil {
		o.Say(sentence)
	}
}

// Run shows the board until the operator quits, ctx ends or the terminal is gone,
// and gives the terminal back as it was: after a panic as well, which is then the
// error. It returns when the changes under way have been finished; next says that
// the operator asked for the next context. A cancelled ctx is no error.
func Run(ctx context.Context, o Options) (next bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &fault{report: o.Crashed, end: cancel}
	defer f.caught(&err)
	settle(ctx, o.Engine)
	w, h := sizeOf(o.Output)
	if o.Remote != nil {
		w, h = o.Remote.Size()
		o.Environ = asksNothing(o.Environ)
	}
	m := New(ctx, o, w, h)
	j, end := followJobs(o.Remote == nil)
	defer end()
	model := &guarded{m, f}
	for { // from one stop of the process to the next
		err = show(ctx, cancel, o, model, j)
		if err != nil || ctx.Err() != nil || !m.asleep {
			break
		}
		m.sleep(j)
	}
	for _, t := range m.work.finish(o.say) {
		switch done := t.result.(type) {
		case ActionFinishedMsg:
			_, text := m.outcome(done)
			o.say(text)
		case GroupFinishedMsg:
			_, text := groupOutcome(done)
			o.say(text)
		}
	}
	return m.leaving, cmp.Or(f.cause(), err)
}

// show runs a model in the terminal until it quits or ctx ends. gone ends ctx.
func show(ctx context.Context, gone context.CancelFunc, o Options, model tea.Model, j *jobs) error {
	in, err := o.keyboard(gone)
	if err != nil {
		return err
	}
	opts := []tea.ProgramOption{
		tea.WithoutSignalHandler(), tea.WithFPS(framesPerSecond(o.Environ)), tea.WithEnvironment(o.Environ), tea.WithInput(in),
	}
	if o.Profile != colorprofile.Unknown {
		opts = append(opts, tea.WithColorProfile(o.Profile))
	}
	if o.Output != nil {
		opts = append(opts, tea.WithOutput(o.Output))
	}
	p := tea.NewProgram(model, append(opts, o.Remote.options()...)...)
	// Whatever ends the board ends it as the key does: a killed program closes its
	// input while somebody still reads from it.
	defer context.AfterFunc(ctx, p.Quit)()
	defer j.tell(p.Send)()
	defer o.Remote.follow(p.Send)()
	_, err = p.Run()
	if err == nil || (ctx.Err() != nil && !errors.Is(err, tea.ErrProgramPanic)) {
		return nil
	}
	return fmt.Errorf("the board stopped: %w", err)
}

// keyboard is the terminal as input that says when it is gone. Bubble Tea then only
// stops reading, and the board would go on for ever without keys and unseen.
type keyboard struct {
	*os.File
	gone context.CancelFunc
}

// Read is the file's.
func (k keyboard) Read(b []byte) (int, error) { return readKeys(k.File, b, k.gone) }

// remoteKeyboard is the same of a terminal that is no file here.
type remoteKeyboard struct {
	io.Reader
	gone context.CancelFunc
}

// Read is the reader's.
func (k remoteKeyboard) Read(b []byte) (int, error) { return readKeys(k.Reader, b, k.gone) }

func readKeys(r io.Reader, b []byte, gone context.CancelFunc) (int, error) {
	n, err := r.Read(b)
	if err != nil {
		gone()
	}
	return n, err //nolint:wrapcheck // io.EOF must stay io.EOF
}

func (o *Options) keyboard(gone context.CancelFunc) (io.Reader, error) {
	if o.Remote != nil {
		return remoteKeyboard{o.Input, gone}, nil
	}
	return keyboardOf(o.Input, gone)
}

// keyboardOf is the input to read keys from: in, or the terminal itself when nil.
func keyboardOf(in io.Reader, gone context.CancelFunc) (io.Reader, error) {
	if in == nil {
		tty, _, err := tea.OpenTTY()
		if err != nil {
			return nil, fmt.Errorf("there is no terminal to read keys from: %w", err)
		}
		in = tty
	}
	if f, ok := in.(*os.File); ok {
		return keyboard{f, gone}, nil
	}
	return in, nil
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
