package ui

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// actionKey handles the keys that change the world: each passes the gate, then
// becomes an intent that waits out the hold.
func (m *Model) actionKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	kind, ok := m.kindOf(msg)
	if !ok {
		return nil, false
	}
	if !m.admits(kind, msg.IsRepeat, m.movedAt(kind)) {
		return nil, true
	}
	return m.action(kind), true
}

// admits passes what is to be done through the gate, and says why where it does not.
func (m *Model) admits(kind sources.ChangeKind, repeat bool, moved time.Time) bool {
	reason := ""
	switch {
	case m.opts.ReadOnly:
		reason = m.denied()
	case m.waiting(): // before the gate, which would take the next press for a repeat
		reason = "one change at a time: the last key has not been done yet"
	default:
		if err := m.gate.admit(kind, repeat, m.opts.Now(), moved); err != nil {
			reason = err.Error()
		}
	}
	if reason != "" {
		m.footer.SetStatus(reason, footer.Warning)
	}
	return reason == ""
}

// action does what a key that acts means where the board is now.
func (m *Model) action(kind sources.ChangeKind) tea.Cmd {
	switch {
	case m.screen != noScreen && kind != sources.Undo:
		return m.screenAction(kind)
	case kind.OfBreaker():
		return m.switchKey(kind)
	case kind == sources.SilenceAlert:
		return m.silenceKey()
	case kind == sources.CallOff:
		m.callOffKey()
		return nil
	case kind == sources.Undo:
		return m.intended(sources.Intent{Kind: sources.Undo}, false)
	default:
		return m.flagKey(kind)
	}
}

// flagKey is a key that changes the selected flag.
func (m *Model) flagKey(kind sources.ChangeKind) tea.Cmd {
	refuse := func(reason string) tea.Cmd {
		m.footer.SetStatus(reason, footer.Warning)
		return nil
	}
	f, selected := m.flags.Selected()
	switch {
	case !m.flagInSight():
		return refuse(m.outOfSight("flag"))
	case len(m.flags.Marked()) > 0:
		return m.groupKey(kind)
	case !selected:
		if filter := m.flags.Filter(); filter != "" {
			return refuse("no flag matches /" + filter + ", so nothing is selected: " + views.Named(m.keys.Escape) + " shows all flags")
		}
		return refuse("no flag is selected")
	}
	return m.change(kind, &f)
}

// change begins what is to be done to a flag as the operator saw it.
func (m *Model) change(kind sources.ChangeKind, f *sources.Flag) tea.Cmd {
	refuse := func(reason string) tea.Cmd {
		m.footer.SetStatus(reason, footer.Warning)
		return nil
	}
	switch {
	case m.snapshot.Source(f.ID.Source).ReadOnly != "":
		return refuse(f.ID.Source + " cannot be changed from here: " + m.snapshot.Source(f.ID.Source).ReadOnly)
	case kind == sources.Guarded, kind == pauseKind:
		return m.rampKey(kind, f)
	case m.overrides(kind, f):
		return nil
	case kind == sources.Set:
		if err := f.CanRamp(); err != nil {
			return refuse(sources.Sentence(err))
		}
		m.footer.SetStatus("", footer.Info)
		m.prompt.OpenPercent(*f, m.now.In(m.zone()))
		return nil
	}
	if p, busy := m.pending[f.ID]; busy && p.done == "" && kind != sources.Kill {
		return refuse(fmt.Sprintf("%s: %s is not confirmed yet", f.Name, p.text))
	}
	return views.Act(m.snapshot, f, kind, m.opts.ReadOnly)
}

// flagInSight tells whether the selected flag is on the screen: in the table, or in
// a detail that has the screen for itself.
func (m *Model) flagInSight() bool {
	return m.layout.panes[paneFlags].h > 0 || (m.layout.detail.h > 0 && m.focus == paneFlags)
}

func (m *Model) kindOf(msg tea.KeyPressMsg) (sources.ChangeKind, bool) {
	switch {
	case key.Matches(msg, m.keys.Ramp):
		return sources.Ramp, true
	case key.Matches(msg, m.keys.Back):
		return sources.Back, true
	case key.Matches(msg, m.keys.Kill):
		return sources.Kill, true
	case key.Matches(msg, m.keys.Undo):
		return sources.Undo, true
	case key.Matches(msg, m.keys.SetPercent):
		return sources.Set, true
	case key.Matches(msg, m.keys.Guarded):
		return sources.Guarded, true
	case key.Matches(msg, m.keys.Pause):
		return pauseKind, true
	case key.Matches(msg, m.keys.ForceOpen):
		return sources.ForceOpen, true
	case key.Matches(msg, m.keys.CloseBreaker):
		return sources.CloseBreaker, true
	case key.Matches(msg, m.keys.Silence):
		return sources.SilenceAlert, true
	case key.Matches(msg, m.keys.Return) && m.toCome() != nil:
		return sources.CallOff, true
	case key.Matches(msg, m.keys.Return):
		return sources.Restore, m.screen == historyScreen
	default:
		return "", false
	}
}

// movedAt is when the row that a key acts on last changed by itself, in place or
// in value.
func (m *Model) movedAt(kind sources.ChangeKind) time.Time {
	switch {
	case m.screen == historyScreen:
		return m.changedAt
	case m.screen != noScreen:
		return m.suspects.MovedAt()
	case kind.OfBreaker():
		return m.turnedAt
	case kind == sources.SilenceAlert, kind == sources.CallOff:
		return time.Time{} // it asks, and names what it is about
	}
	if at := m.flags.SelectionMovedAt(); at.After(m.changedAt) {
		return at
	}
	return m.changedAt
}

// burst voids an intent that is waiting out its hold.
func (m *Model) burst() {
	if m.waiting() {
		m.held = held{}
		m.pasteRefused()
	}
}

func (m *Model) pasteRefused() {
	m.footer.SetStatus(fmt.Sprintf(
		"%d keys within %d ms look like a paste: nothing was done", burstKeys, hold.Milliseconds()), footer.Warning)
}

// intended starts the hold of an intent. Every way to a change ends here: a key, a
// typed percentage, the answer to a question; any of them can be part of a paste.
func (m *Model) intended(in sources.Intent, agreed bool) tea.Cmd {
	if m.drowsy() {
		return nil
	}
	if m.gate.bursting(m.opts.Now()) {
		m.pasteRefused()
		return nil
	}
	m.seq++
	m.held = held{seq: m.seq, intent: &in, agreed: agreed}
	return holdFor(m.seq)
}

// waiting tells whether an intent waits out its hold.
func (m *Model) waiting() bool { return m.held.intent != nil || m.held.batch != nil }

// holdElapsed goes on with an intent: it asks first where the context wants it or
// the numbers are old, and nobody has agreed yet, else it starts.
func (m *Model) holdElapsed(msg HoldElapsedMsg) tea.Cmd {
	if !m.waiting() || m.held.seq != msg.Seq {
		return nil
	}
	h := m.held
	m.held = held{}
	if h.batch != nil {
		return m.batchHeld(h.batch, h.agreed)
	}
	var seen sources.Flag
	if f := m.snapshot.Flag(h.intent.Flag); f != nil {
		seen = *f
	}
	if h.intent.Kind.OfBreaker() {
		seen = sources.Flag{ID: h.intent.Flag, Name: m.nameOf(h.intent.Flag), Breaker: h.intent.SeenAs}
	}
	if h.intent.Kind == sources.SilenceAlert {
		seen = sources.Flag{ID: h.intent.Flag, Name: m.alertName(h.intent.Flag), Breaker: h.intent.SeenAs}
	}
	doubt := m.doubt(h.intent, &seen)
	if h.agreed || (!m.opts.Confirm && doubt == "") {
		return m.start(*h.intent)
	}
	switch err := m.control.Barred(h.intent, &seen); {
	case err != nil && h.intent.Kind == sources.Guarded:
		m.rampStarted(RampStartedMsg{Flag: h.intent.Flag, Err: err})
		return nil
	case err != nil:
		return m.actionFinished(ActionFinishedMsg{Intent: *h.intent, Err: err})
	}
	if h.intent.Kind == sources.Undo && h.intent.Change == "" {
		m.footer.SetStatus("reading what your last change was"+m.opts.Theme.Glyphs.Ellipsis, footer.Waiting)
		m.seq++
		return nextUndo(m.ctx, m.control, m.seq, m.opts.Actor)
	}
	m.confirm.Ask(*h.intent, seen, doubt)
	return nil
}

// undoFound asks about the change that an undo would take back, by its name: it may be
// another flag's than the one under the cursor. What is agreed to is that change, whatever
// was done since.
func (m *Model) undoFound(msg UndoFoundMsg) {
	if msg.Seq != m.seq {
		return // something else was begun meanwhile
	}
	m.footer.SetStatus("", footer.Info)
	switch {
	case m.prompt.Opened(), m.palette.Opened(), m.confirm.Opened(): // what is typed there is no answer here
		m.footer.SetStatus("nothing was undone: something else was begun meanwhile", footer.Info)
		return
	case msg.Err != nil:
		m.footer.SetStatus("nothing changed: "+sources.Sentence(msg.Err), footer.Failure)
		return
	}
	a := &msg.Undo.Last
	words := fmt.Sprintf("%s %s %s %s", a.Name, a.Old, m.opts.Theme.Glyphs.Arrow, a.New)
	if n := msg.Undo.Flags; n > 1 {
		words = fmt.Sprintf("%d changes made as one, %s among them", n, words)
	}
	words += ", made " + views.Clock(a.At, m.opts.Now())
	m.confirm.Ask(sources.Intent{Kind: sources.Undo, Change: msg.Undo.Change, ToAs: words}, sources.Flag{}, "")
}

// doubt is why raising a flag should be thought over: what it does to the system
// cannot be seen. Lowering one, killing it and undoing need no eyes.
func (m *Model) doubt(in *sources.Intent, seen *sources.Flag) string {
	switch {
	case in.Kind == sources.CloseBreaker:
		return m.blindOn(in.Flag)
	case in.Kind == sources.Guarded:
		return m.takeover(in)
	case in.Override:
		return "" // it was thought over, and the guards spoke of what cannot be seen
	}
	return DoubtRaise(m.snapshot, in, seen, m.opts.Now())
}

// DoubtRaise is why raising a flag should be thought over, in a clause: the numbers that
// would show what it does are old. "" where they are not, and for what raises nothing.
func DoubtRaise(s *sources.Snapshot, in *sources.Intent, seen *sources.Flag, now time.Time) string {
	back := sources.BriefPercent(in.ToAs)
	raises := in.Kind == sources.Ramp || (in.Kind == sources.Restore && (!back.OK || back.V > seen.Rollout.Or(0))) || (in.Kind == sources.Set && in.To > seen.Rollout.Or(0))
	if !raises {
		return ""
	}
	return s.Blind(seen, now)
}

// describe says an intent in words: "checkout-v2 25% → 50%".
func (m *Model) describe(in sources.Intent) string {
	if in.Kind == sources.Undo {
		if in.ToAs != "" {
			return "undo " + in.ToAs
		}
		return "undo your last change"
	}
	if in.Kind.OfBreaker() {
		return m.describeSwitch(&in)
	}
	if in.Kind == sources.SilenceAlert {
		return m.describeSilence(&in)
	}
	from := "?"
	if f := m.snapshot.Flag(in.Flag); f != nil {
		from = f.Brief()
	}
	to := in.To.String() + "%"
	switch {
	case in.ToAs != "":
		to = in.ToAs
	case in.Stage != "":
		to = in.Stage
	case in.Kind == sources.Kill:
		to = "killed"
	}
	if in.Kind == sources.Later {
		to += " " + views.Ahead(in.At, m.now)
	}
	return fmt.Sprintf("%s %s %s %s", m.nameOf(in.Flag), from, m.opts.Theme.Glyphs.Arrow, to)
}

// start sends an intent on its way and marks the flag as pending.
func (m *Model) start(in sources.Intent) tea.Cmd {
	if in.Kind == sources.Guarded {
		return m.startRamp(in)
	}
	if in.Kind == sources.Later {
		return m.startSchedule(&in)
	}
	if in.Kind == sources.CallOff {
		return m.startCallOff(&in)
	}
	in.Actor = m.opts.Actor
	m.seq++
	text := m.describe(in)
	if in.Kind != sources.Undo {
		m.pending[in.Flag] = inFlight{seq: m.seq, text: text}
	}
	m.footer.SetStatus(text+": pending", footer.Waiting, m.nameOf(in.Flag))
	m.refresh()
	return m.work.track(m.seq, text, act(m.ctx, m.control, m.engine, m.seq, in, actionTimeout, m.opts.Now))
}

// actionFinished turns a receipt into words; the row stays pending until a
// snapshot shows what the store confirmed.
func (m *Model) actionFinished(msg ActionFinishedMsg) tea.Cmd {
	id := msg.Intent.Flag
	if p, ok := m.pending[id]; ok && p.seq == msg.Seq {
		delete(m.pending, id)
	}
	if m.askName(msg) || m.askAllTheSame(msg) {
		m.refresh()
		return nil
	}
	var cmd tea.Cmd
	if msg.Err == nil && msg.Receipt.New.ID == id {
		if f := m.snapshot.Flag(id); f != nil && f.Revision != msg.Receipt.New.Revision {
			m.pending[id] = inFlight{
				seq: msg.Seq, done: msg.Receipt.New.Revision,
				text: msg.Receipt.Old.Brief() + " " + m.opts.Theme.Glyphs.Arrow + " " + msg.Receipt.New.Brief(),
			}
			cmd = expirePending(msg.Seq, id, pendingFor)
		}
	}
	level, text := m.outcome(msg)
	if why := m.objected(msg); why != "" {
		level, text = footer.Warning, why
	}
	m.killedSuspect(msg)
	if m.provable(msg) {
		level, text = footer.Waiting, m.receipt(msg)+m.sep()+"effect pending"
		m.proving[msg.Receipt.New.ID] = msg
		cmd = tea.Batch(awaitEffect(m.ctx, m.control, msg, m.effectWithin()), cmd)
	}
	if msg.Err == nil && (msg.Intent.Kind.OfBreaker() || msg.Intent.Kind == sources.SilenceAlert) {
		cmd = m.awaitTurn(msg)
	}
	m.footer.SetStatus(text, level, msg.Receipt.New.Name)
	m.refresh()
	return tea.Batch(cmd, m.lookAgain(msg.Receipt.New.ID))
}

// undoes is how a change is taken back, in brackets; "" where undo has no key.
func (m *Model) undoes(what string) string {
	keys := views.KeysOf(m.keys.Undo)
	if len(keys) == 0 {
		return ""
	}
	return " (" + keys[0] + " undoes " + what + ")"
}

// outcome is the sentence for the operator: what was done, or what was not and
// what to do next.
func (m *Model) outcome(msg ActionFinishedMsg) (footer.Level, string) {
	r := msg.Receipt
	did := fmt.Sprintf("%s %s %s %s", r.New.Name, r.Old.Brief(), m.opts.Theme.Glyphs.Arrow, r.New.Brief())
	why := views.Unprefixed(msg.Intent.Flag.Source, sources.Sentence(msg.Err))
	switch {
	case errors.Is(msg.Err, control.ErrPartly):
		return footer.Failure, "DONE IN PART: " + why + m.undoes("it")
	case errors.Is(msg.Err, control.ErrUnconfirmed):
		return footer.Failure, fmt.Sprintf("%s: WRITTEN, NOT CONFIRMED: %s", did, why)
	case errors.Is(msg.Err, sources.ErrApprovalNeeded):
		if link := sources.LinkOf(msg.Err); link != "" && !strings.Contains(why, link) {
			why += ": " + link
		}
		return footer.Waiting, "awaiting approval, nothing changed yet: " + why
	case msg.Err != nil && strings.Contains(why, "nothing was changed"):
		return footer.Failure, why // says it itself
	case msg.Err != nil:
		return footer.Failure, "nothing changed: " + why
	}
	verb := ""
	if msg.Intent.Kind == sources.Undo {
		verb = "undone: "
	}
	text := fmt.Sprintf("%s%s confirmed in %d ms", verb, did, max(1, msg.Took.Milliseconds()))
	if r.Warning != "" {
		return footer.Warning, text + ", but " + r.Warning
	}
	if msg.Intent.Kind != sources.Undo {
		text += m.undoes("it")
	}
	return footer.Done, text
}
