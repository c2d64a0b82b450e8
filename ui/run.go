package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/live"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Options is what a board needs. Engine, Control, Theme and Now are required;
// the engine is already running and outlives the board.
type Options struct {
	Engine   *live.Engine
	Control  *control.Controller
	Theme    *themes.Theme        // what it opens with; the board has a copy of its own
	Profile  colorprofile.Profile // what the terminal can show; Unknown lets the program find out
	Keys     *views.KeyMap        // nil for the default
	Mouse    bool                 // clicks and the wheel are asked for; else the terminal keeps them
	ReadOnly bool                 // keys that act are refused with the reason
	Confirm  bool                 // every change asks first
	Still    bool                 // nothing moves by itself: numbers are drawn anew each 5 s, states at once
	Title    bool                 // the window's title says the context and its worst state
	Next     string               // name of the context that the key for the next one opens; "" for none
	Effect   time.Duration        // in how long a change must be in force where flags are evaluated; 0 for a minute
	Actor    string               // who acts, for the journal
	Owner    string               // who runs this board's guarded ramps, for other boards; "" for Actor

	// Filters are those of the flags that have a name, by that name. All are good filters.
	Filters map[string]string
	// Saved are the operator's own, beside those; nil where none can be kept.
	Saved    SavedFilters
	Contexts []string // every context that can be opened, this one among them; nil where there is one

	// Themes are those that the board can be painted in, by name; none: in its own. Wear
	// makes one of them; it is pure.
	Themes []string
	Wear   func(name string) *themes.Theme

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
	// FirstTime tells whether whoever sits here has never used the board, and never again
	// that they have not; nil shows nobody the tour. It is called by a command.
	FirstTime func() bool
	Recording bool          // to a file, while nothing is said against it
	Notices   <-chan string // warnings from beside the board; nil for none

	Input  io.Reader
	Output io.Writer
	// unasking keeps Bubble Tea from asking the terminal what it asks every one.
	unasking bool
	Environ  []string
	Now      func() time.Time

	// Painted is told of each frame that was drawn: its bytes, and how long the key
	// waited that led to it, 0 for none; nil for nobody. Debug shows in the last line how
	// long that was, how many bytes a second go to the terminal, and the age of each source.
	Painted func(bytes int, sinceKey time.Duration)
	Debug   bool
	wired   func(sent func() int64) // is given the count of a terminal's bytes; nil for nobody

	// Report writes down what happened and says where; nil where that cannot be done. Found
	// is the last look that found a breach, nil for none. It is called by a command.
	Report func(ctx context.Context, found *sources.Incident) (where string, err error)

	// Notify is the sequence that calls the operator, who may look elsewhere, because of
	// what has just broken, with a clause that names it; it is pure. Nil calls nobody.
	Notify func(what string) string

	// Say prints one sentence for the operator while the board's screen is gone; nil
	// for nobody.
	Say func(sentence string)
	// Crashed keeps a report of a panic of the board's own, and returns the error with
	// which Run then ends; nil keeps none.
	Crashed func(value any, stack []byte) error
}

// keyMap is the keys of the board.
func (o *Options) keyMap() views.KeyMap {
	if o.Keys != nil {
		return *o.Keys
	}
	return views.DefaultKeyMap()
}

func (o *Options) say(sentence string) {
	if o.Say != nil {
		o.Say(sentence)
	}
}

// Run shows the board until the operator quits, ctx ends or the terminal is gone,
// and gives the terminal back as it was: after a panic as well, which is then the
// error. It returns when the changes under way have been finished; next is the
// context that the operator asked for, "" for none. A cancelled ctx is no error.
func Run(ctx context.Context, o Options) (next string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &fault{report: o.Crashed, end: cancel}
	defer f.caught(&err)
	settle(ctx, o.Engine)
	w, h := sizeOf(o.Output)
	if o.Remote != nil {
		w, h = o.Remote.Size()
	}
	if o.Remote != nil || mayAnswerLate(o.Environ) {
		o.Environ, o.unasking = asksNothing(o.Environ), true
	}
	m := New(ctx, o, w, h)
	j, end := followJobs(o.Remote == nil)
	defer end()
	o.wired = m.paint.wired
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
			_, text := m.groupOutcome(done)
			o.say(text)
		}
	}
	return m.leaving, cmp.Or(f.cause(), err)
}

// show runs a model in the terminal until it quits or ctx ends. gone ends ctx.
func show(ctx context.Context, gone context.CancelFunc, o Options, model *guarded, j *jobs) error {
	in, err := o.keyboard(gone, model.fault)
	if err != nil {
		return err
	}
	w, h := sizeOf(o.Output)
	if o.Remote != nil {
		w, h = o.Remote.Size()
	}
	defer o.keepTitle()() // once the last byte is out
	terminal, out := o.terminal(w, h)
	if o.wired != nil {
		o.wired(terminal.Sent)
	}
	go func() {
		defer model.catch()
		terminal.Run()
	}()
	defer terminal.End()
	opts := []tea.ProgramOption{
		tea.WithoutSignalHandler(), tea.WithFPS(framesPerSecond(o.Environ)), tea.WithEnvironment(o.Environ), tea.WithInput(in), tea.WithOutput(out),
	}
	if o.Profile != colorprofile.Unknown {
		opts = append(opts, tea.WithColorProfile(o.Profile))
	}
	d := &drawn{model: model, terminal: terminal}
	if o.Remote != nil {
		d.size = o.Remote.Size
	}
	p := tea.NewProgram(d, append(opts, o.Remote.options()...)...)
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

// keepTitle has the terminal remember its window's title, and give it back at the end.
func (o *Options) keepTitle() (giveBack func()) {
	if !o.Title || o.Output == nil {
		return func() {}
	}
	_, _ = io.WriteString(o.Output, "\x1b[22;2t")
	return func() { _, _ = io.WriteString(o.Output, "\x1b[23;2t") }
}

// keyboard is the terminal as input that says when it is gone. Bubble Tea then only
// stops reading, and the board would go on for ever without keys and unseen.
type keyboard struct {
	*os.File
	typing
}

// Read is the file's, without what a terminal says by itself: it may return nothing.
func (k keyboard) Read(b []byte) (int, error) { return k.read(k.File, b) }

// remoteKeyboard is the same of a terminal that is no file here.
type remoteKeyboard struct {
	io.Reader
	typing
}

// Read is the reader's, without what a terminal says by itself: it may return nothing.
func (k remoteKeyboard) Read(b []byte) (int, error) { return k.read(k.Reader, b) }

// typing reads what is typed.
type typing struct {
	replies *replies
	now     func() time.Time
	gone    context.CancelFunc
	fault   *fault
}

func (k typing) read(r io.Reader, b []byte) (int, error) {
	n, err := r.Read(b[:max(1, len(b)-longestCSI)]) // what was kept comes on top
	if err != nil {
		k.gone()
	}
	return copy(b, k.passed(b[:n])), err //nolint:wrapcheck // io.EOF must stay io.EOF
}

// passed is what of it was typed. A panic ends the board in good order, as one of its
// model does: nobody else would catch it on the goroutine that reads.
func (k typing) passed(b []byte) (typed []byte) {
	defer func() {
		if p := recover(); p != nil {
			k.fault.broke(p, debug.Stack())
			typed = nil
		}
	}()
	return k.replies.pass(b, k.now())
}

func (o *Options) keyboard(gone context.CancelFunc, f *fault) (io.Reader, error) {
	k := typing{&replies{}, o.Now, gone, f}
	if o.Remote != nil {
		return remoteKeyboard{o.Input, k}, nil
	}
	return keyboardOf(o.Input, k)
}

// keyboardOf is the input to read keys from: in, or the terminal itself when nil.
func keyboardOf(in io.Reader, k typing) (io.Reader, error) {
	if in == nil {
		tty, _, err := tea.OpenTTY()
		if err != nil {
			return nil, fmt.Errorf("there is no terminal to read keys from: %w", err)
		}
		in = tty
	}
	if f, ok := in.(*os.File); ok {
		return keyboard{f, k}, nil
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
