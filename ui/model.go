package ui

import (
	"context"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/live"
	"relctl-tui/views"
	"relctl-tui/views/activity"
	"relctl-tui/views/alerts"
	"relctl-tui/views/breakers"
	"relctl-tui/views/confirm"
	"relctl-tui/views/detail"
	"relctl-tui/views/flags"
	"relctl-tui/views/footer"
	"relctl-tui/views/header"
	"relctl-tui/views/help"
	"relctl-tui/views/history"
	"relctl-tui/views/latency"
	"relctl-tui/views/palette"
	"relctl-tui/views/prompt"
	"relctl-tui/views/results"
	"relctl-tui/views/suspects"
	"relctl-tui/views/timeline"
)

// actionTimeout bounds one change from key to receipt.
const actionTimeout = 15 * time.Second

// pendingFor is how long a confirmed change may wait for the snapshot that shows it.
const pendingFor = 3 * time.Second

// inFlight is a change between its key and its receipt, or between its receipt
// and the snapshot that shows it.
type inFlight struct {
	seq  int
	text string
	done sources.Revision // the revision the store confirmed; "" while it runs
	read time.Time        // when the breaker or alert was read back; zero for a flag, and while it runs
	part sources.Part     // that then has to be read again, with read
}

// held is an intent waiting out the burst hold; agreed says that the question
// about it was answered.
type held struct {
	seq    int
	intent *sources.Intent
	batch  *batch // what to do to all that is marked, in place of intent
	agreed bool
}

// Model is the root of the board: panes, what has the focus, what is under way.
// It is one goroutine's, the program's.
type Model struct {
	ctx     context.Context //nolint:containedctx // the life of the board; commands need it
	engine  *live.Engine
	control *control.Controller
	opts    Options
	keys    views.KeyMap
	shown   views.KeyMap // those of them that do something on this board

	snapshot  *sources.Snapshot
	now       time.Time
	w, h      int
	layout    layout
	focus     pane
	zoomed    bool
	detailed  bool
	helping   bool
	quitting  bool
	reporting bool   // a report of what happened is being written
	leaving   string // the context that is opened next; "" for none

	flags    flags.Model
	alerts   alerts.Model
	breakers breakers.Model
	latency  latency.Model
	activity activity.Model
	detail   detail.Model
	header   header.Model
	footer   footer.Model
	help     help.Model
	prompt   prompt.Model
	confirm  confirm.Model
	palette  palette.Model

	trail    trail     // where the operator has been
	commands []command // what the open palette can do
	aimed    aim       // where the board was when it opened
	recent   []string  // what was said in it, the last first

	saved   map[string]string // filters of the operator's own, by name
	unsaved string            // why they cannot be read, as was said

	gate      gate
	held      held
	seq       int
	pending   map[sources.FlagID]inFlight
	rechecked map[string]recheck                   // the unconfirmed changes that were looked at again
	proving   map[sources.FlagID]ActionFinishedMsg // the change of each flag whose effect is waited for
	standing  *sources.Standing                    // of the migration that the detail is about, as last read; nil for none
	asking    sources.FlagID                       // whose standing is being read; zero for nobody's
	selected  sources.FlagID
	seen      sources.Revision // of the selected flag in the last snapshot
	changedAt time.Time        // when the selected flag last changed by itself
	breaker   onBreaker        // the selected breaker in the last snapshot
	turnedAt  time.Time        // when what stands under the breakers' cursor last changed by itself
	looks     looks            // at the breaker in the detail
	plots     plots            // of the chart in the detail
	paths     paths            // of the call path in the detail
	screen    screen           // what stands over the panes
	split     splits           // heights given by hand
	drag      pane             // whose title line the mouse holds; noDrag for none
	suspects  suspects.Model
	past      history.Model
	results   results.Model
	forming   *batch // waits for its percentage to be typed
	asked     *batch // waits for the answer to a question
	recalling bool   // the past of a flag is being read
	timeline  timeline.Model
	inquiry   inquiry

	refused refusal   // the last raise that a guard refused
	warned  time.Time // when leaving was last warned of

	work      *work
	asleep    bool      // no program runs, or it is about to end for a while: no key counts
	stopping  bool      // the process is to be stopped then
	resumedAt time.Time // when it last went on
	looked    bool      // for changes in doubt
	later     *notice   // to be said when the status line is free
	saying    string    // what is in it
	sayingAt  time.Time // since when
	tour      tour      // of somebody who has never used the board

	alarms  alarms
	title   string  // of the window, "" for none
	foreign foreign // what somebody else did, as was told

	lacks string // what a recording lacks at this moment, as was said

	frame string // the last View, until something changes
	paint paint  // what drawing costs
}

// New is a board of w x h cells on the engine's present snapshot. Zero sizes are
// filled in by the terminal's first size message.
func New(ctx context.Context, o Options, w, h int) *Model {
	own, keys := *o.Theme, o.keyMap()
	th := &own
	o.Theme = th
	shown := keys
	if o.ReadOnly {
		shown = keys.ReadOnly()
	}
	if o.Replay != nil {
		keys = keys.Replay()
		shown = keys.ReadOnly()
		for _, b := range []*key.Binding{&shown.Suspects, &shown.Timeline, &shown.Report, &shown.History, &shown.NextEvent, &shown.PrevEvent, &shown.Mark, &shown.MarkAll} {
			b.SetEnabled(false)
		}
	}
	shown.NextContext.SetEnabled(o.Next != "")
	shown.NextTheme.SetEnabled(len(o.Themes) > 1)
	shown.SaveRecording.SetEnabled(o.SaveRecording != nil)
	shown.Suspend.SetEnabled(o.Remote == nil)
	shown.Report.SetEnabled(o.Report != nil && o.Replay == nil)
	m := &Model{
		ctx: ctx, engine: o.Engine, control: o.Control, opts: o, keys: keys, shown: shown,
		now: o.clock(), w: w, h: h, drag: noDrag,
		flags: flags.New(th, keys), alerts: alerts.New(th, keys), breakers: breakers.New(th, keys), latency: latency.New(th, keys),
		activity: activity.New(th, keys), detail: detail.New(th, keys), header: header.New(th, keys),
		footer: footer.New(th, keys), help: help.New(th, keys),
		prompt: prompt.New(th, keys), palette: palette.New(th), confirm: confirm.New(th, keys), suspects: suspects.New(th, shown), past: history.New(th, shown), results: results.New(th, shown), timeline: timeline.New(th, shown),
		pending: map[sources.FlagID]inFlight{}, proving: map[sources.FlagID]ActionFinishedMsg{}, work: newWork(),
	}
	m.flags.SetReadOnly(o.ReadOnly)
	m.breakers.SetReadOnly(o.ReadOnly)
	m.detail.SetReadOnly(o.ReadOnly)
	m.header.SetReadOnly(o.ReadOnly)
	m.past.SetReadOnly(o.ReadOnly)
	if o.Remote != nil {
		m.header.SetSelf(o.Actor)
	}
	m.showPlayback()
	m.setSnapshot(o.Engine.Snapshot())
	if !switchable(m.snapshot) {
		m.shown.ForceOpen.SetEnabled(false)
		m.shown.CloseBreaker.SetEnabled(false)
	}
	if !silencing(m.snapshot) {
		m.shown.Silence.SetEnabled(false)
	}
	if o.Replay == nil && !o.Control.KeepsLeases() {
		m.shown.Guarded.SetEnabled(false)
		m.shown.Pause.SetEnabled(false)
	}
	m.help.SetKeys(m.shown)
	m.footer.SetHelp(m.shortHelp())
	if o.Banner != "" {
		m.footer.SetStatus(o.Banner, footer.Info)
	}
	m.resized(w, h)
	m.relayout()
	m.tread()
	return m
}

// Init starts waiting for snapshots and for the clock, and looks for changes in
// doubt. When the board goes on after a stop it also learns what it has missed.
func (m *Model) Init() tea.Cmd {
	cmds := []tea.Cmd{m.nextSnapshot(), m.nextTick(), awaitNotice(m.ctx, m.opts.Notices)}
	if m.opts.Saved != nil {
		cmds = append(cmds, readFilters(m.opts.Saved))
	}
	if !m.looked && m.opts.Replay == nil {
		cmds = append(cmds, checkDoubts(m.ctx, m.control, m.engine, m.opts.Now, 0, nil))
	}
	if m.asleep {
		cmds = append(cmds, wakeUp(m.ctx, m.engine, m.snapshot.Seq))
		for _, t := range m.work.unseen() {
			cmds = append(cmds, awaitResult(t))
		}
		for _, done := range m.proving {
			cmds = append(cmds, awaitEffect(m.ctx, m.control, done, m.effectWithin()))
		}
	}
	return tea.Batch(cmds...)
}

func (m *Model) setSnapshot(s *sources.Snapshot) {
	before := m.snapshot
	m.snapshot = s
	for id, p := range m.pending {
		if f := s.Flag(id); p.done != "" && (f == nil || f.Revision == p.done) {
			delete(m.pending, id)
		}
	}
	m.entitle()
	ours := m.liftTurned()
	m.refresh()
	m.tellRamps(before)
	m.tellOthers(before)
	m.noticeChange()
	m.noticeTurn(ours)
}

// entitle names the window after the context and the worst that is so of it.
func (m *Model) entitle() {
	if m.opts.Title {
		m.title = strings.TrimSpace("relctl-tui "+sources.Clean(m.snapshot.Context, 40)) + ": " + views.Worst(m.snapshot, m.now)
	}
}

// noticeChange dates a change of the selected flag that nobody here made.
func (m *Model) noticeChange() {
	f, ok := m.flags.Selected()
	if !ok {
		return
	}
	_, ours := m.pending[f.ID]
	if f.ID == m.selected && f.Revision != m.seen && m.seen != "" && !ours && f.ChangedBy != m.opts.Actor {
		m.changedAt = m.now
	}
	m.selected, m.seen = f.ID, f.Revision
}

// refresh hands the snapshot and the time to every view.
func (m *Model) refresh() {
	texts := make(map[sources.FlagID]string, len(m.pending))
	for id, p := range m.pending {
		texts[id] = p.text
	}
	m.flags.SetPending(texts)
	m.breakers.SetPending(texts)
	m.alerts.SetPending(texts)
	m.flags.SetSnapshot(m.snapshot, m.now)
	m.alerts.SetSnapshot(m.snapshot, m.now)
	m.breakers.SetSnapshot(m.snapshot, m.now)
	m.latency.SetSnapshot(m.snapshot, m.now)
	m.activity.SetSnapshot(m.snapshot, m.now)
	m.header.SetSnapshot(m.snapshot, m.now)
	m.pointDetail()
	m.detail.SetSnapshot(m.snapshot, m.now)
	m.detail.SetStanding(m.standing)
	m.suspects.SetSnapshot(m.snapshot, m.now)
	m.past.SetSnapshot(m.snapshot, m.now)
	m.timeline.SetSnapshot(m.snapshot, m.now)
	m.prove()
}

// pointDetail makes the detail pane follow the selection of the pane that has the
// keys.
func (m *Model) pointDetail() {
	switch m.focus {
	case paneBreakers:
		on := m.breakers.Selected()
		m.detail.SetSubject(on)
		m.detail.SetPending(m.pending[sources.FlagID{Source: on.Source, Key: on.ID}].text)
	case paneLatency:
		m.detail.SetSubject(m.latency.Selected())
	case paneAlerts:
		m.detail.SetSubject(m.alerts.Selected())
	default:
		if f, ok := m.flags.Selected(); ok {
			m.detail.SetSubject(views.FlagSubject(f.ID))
			m.detail.SetPending(m.pending[f.ID].text)
		}
	}
}

// bottomLines is how many lines the bottom of the screen has something to say in.
func (m *Model) bottomLines() int {
	switch {
	case m.confirm.Opened():
		return m.confirm.Lines(m.w)
	case m.prompt.Opened():
		return m.prompt.Lines(m.w)
	case m.palette.Opened():
		return palette.Lines(m.h)
	}
	return m.footer.Lines(m.w)
}

func (m *Model) relayout() {
	want := wants{
		flags: len(m.snapshot.Flags), alerts: m.alerts.Wants(), breakers: m.breakers.Wants(),
		latency: len(m.snapshot.Latencies), activity: len(m.snapshot.Activity) + activity.Coming(m.snapshot) + activity.Rolling(m.snapshot),
		status: m.bottomLines(), tips: len(m.tour.tips) > 0, split: m.split,
	}
	left, right := m.w, m.w
	if m.w >= sideBySide {
		left, right = leftOf(m.w), m.w-leftOf(m.w)
	}
	want.trouble = [paneCount]int{m.flags.TroubleLines(m.w), m.alerts.TroubleLines(m.w), m.breakers.TroubleLines(left), m.latency.TroubleLines(right), 0}
	if m.detailed { // the detail can use what a filter leaves free; the board would only jump
		want.flags, _ = m.flags.Len()
	}
	m.layout = arrange(m.w, m.h, want, m.detailed, m.zoomed, m.focus)
	l := m.layout
	m.header.SetSize(l.header.w, l.header.h)
	m.footer.SetSize(l.footer.w, l.footer.h)
	m.flags.SetSize(l.panes[paneFlags].w, l.panes[paneFlags].h)
	m.alerts.SetSize(l.panes[paneAlerts].w, l.panes[paneAlerts].h)
	m.breakers.SetSize(l.panes[paneBreakers].w, l.panes[paneBreakers].h)
	m.latency.SetSize(l.panes[paneLatency].w, l.panes[paneLatency].h)
	m.activity.SetSize(l.panes[paneActivity].w, l.panes[paneActivity].h)
	m.detail.SetSize(l.detail.w, l.detail.h)
	m.detail.SetBrief(!m.detailed)
	m.help.SetSize(m.w, max(0, m.h-l.header.h-l.footer.h))
	m.suspects.SetSize(m.w, max(0, m.h-l.header.h-l.footer.h))
	m.results.SetSize(m.w, max(0, m.h-l.header.h-l.footer.h))
	m.past.SetSize(m.w, max(0, m.h-l.header.h-l.footer.h))
	m.timeline.SetSize(m.w, max(0, m.h-l.header.h-l.footer.h))
	m.prompt.SetSize(l.footer.w, l.footer.h)
	m.confirm.SetSize(l.footer.w, l.footer.h)
	m.palette.SetSize(l.footer.w, l.footer.h)
	m.flags.SetFocused(m.focus == paneFlags)
	m.alerts.SetFocused(m.focus == paneAlerts)
	m.breakers.SetFocused(m.focus == paneBreakers)
	m.latency.SetFocused(m.focus == paneLatency)
	m.activity.SetFocused(m.focus == paneActivity)
	if !m.helping && m.screen == noScreen {
		m.footer.SetHelp(m.shortHelp())
	}
}
