package ui

import (
	"io"
	"os"
	"runtime"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"relctl-tui/sources"
	"relctl-tui/ui/wire"
)

// drawn is a model whose frames go to the terminal by package wire: in few bytes, and
// without keys having to wait for a slow line. Bubble Tea sees a blank board and is left
// with the terminal's modes.
type drawn struct {
	model    tea.Model
	terminal *wire.Terminal
	awaited  bool // somebody waits for what is new in the frame that comes
	snapshot *sources.Snapshot
	size     func() (w, h int) // asked for where Bubble Tea is told of one row only; nil elsewhere
}

// Init is the model's.
func (d *drawn) Init() tea.Cmd { return d.model.Init() }

// Update is the model's.
func (d *drawn) Update(msg tea.Msg) (same tea.Model, cmd tea.Cmd) {
	if size, is := msg.(tea.WindowSizeMsg); is && d.size != nil {
		size.Width, size.Height = d.size()
		msg = size
	}
	d.awaited = d.awaited || !d.byItself(msg)
	switch msg := msg.(type) {
	case SnapshotPublishedMsg:
		d.snapshot = msg.Snapshot
	case tea.WindowSizeMsg:
		d.terminal.Resize(msg.Width, msg.Height)
	case tea.ModeReportMsg:
		switch {
		case msg.Value == ansi.ModeNotRecognized || msg.Value == ansi.ModePermanentlyReset:
		case msg.Mode == ansi.ModeSynchronizedOutput:
			d.terminal.ShowAtOnce()
		case msg.Mode == ansi.ModeUnicodeCore:
			d.terminal.MeasureClusters()
		}
	}
	d.model, cmd = d.model.Update(msg)
	return d, cmd
}

// byItself tells whether nobody waits for what a message changes: the fleet moves on.
// What operators do, a source that answers or fails, and all else is waited for.
func (d *drawn) byItself(msg tea.Msg) bool {
	switch msg := msg.(type) {
	case ClockTickedMsg:
		return true
	case SnapshotPublishedMsg:
		a, b := d.snapshot, msg.Snapshot
		return a != nil && a.FlagsSeq == b.FlagsSeq && !otherActivity(a.Activity, b.Activity) && !otherSources(a, b)
	default:
		return false
	}
}

// View is the model's, without what the terminal shows of it.
func (d *drawn) View() tea.View {
	v := d.model.View()
	if v.Content != "" { // else it is about to leave
		d.terminal.Show(v.Content, d.awaited)
	}
	d.awaited = false
	v.Content = " "
	return v
}

// screenFile is a terminal that Bubble Tea takes for the file it is, and writes to
// through another.
type screenFile struct {
	*os.File
	io.Writer
}

// Write is the writer's.
func (s screenFile) Write(b []byte) (int, error) { return s.Writer.Write(b) } //nolint:wrapcheck // it passes on

// unsaid is what a terminal that is no serial line says of its speed, whatever it is.
const unsaid = 38_400

// terminal is what the board is drawn on, and what Bubble Tea is given for it.
func (o *Options) terminal(w, h int) (t *wire.Terminal, out io.Writer) {
	out = o.Output
	if out == nil {
		out = os.Stdout
	}
	options := wire.Options{
		Out: out, Profile: o.Profile, FeedReturns: o.Remote != nil || runtime.GOOS == "windows",
		Every: time.Second / time.Duration(framesPerSecond(o.Environ)),
	}
	if o.Remote != nil && o.Remote.Baud < unsaid {
		options.Speed = o.Remote.Baud / 10 // a byte has a bit before and one behind it
	}
	f, isFile := out.(*os.File)
	if isFile {
		options.Speed, options.Full = lineSpeed(f), func() bool { return hasNoRoom(f) }
	}
	t = wire.NewTerminal(options)
	t.Resize(w, h)
	var to io.Writer = t
	if o.unasking {
		to = unasking{t}
	}
	if isFile {
		return t, screenFile{f, to}
	}
	return t, to
}
