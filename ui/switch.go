package ui

import (
	"fmt"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// This file is what the board does with breakers that can be switched.

// onBreaker is what stands under the cursor of the breakers: which one, and its state.
type onBreaker struct {
	id    sources.FlagID
	state sources.BreakerState
}

func (m *Model) underCursor() onBreaker {
	b := m.breakers.Breaker()
	if b == nil {
		return onBreaker{}
	}
	return onBreaker{sources.FlagID{Source: b.Source, Key: b.Name}, b.State}
}

// noticeTurn dates what changed under the cursor by itself: another state that nobody
// here made, or another breaker where the one that was there is gone.
func (m *Model) noticeTurn(ours []sources.FlagID) {
	is := m.underCursor()
	_, waits := m.pending[is.id]
	if is != m.breaker && (m.breaker != (onBreaker{}) || m.breakers.Filter() != "") && !waits && !slices.Contains(ours, is.id) {
		m.turnedAt = m.now
	}
	m.breaker = is
}

// switchable says whether any source switches breakers, whoever may.
func switchable(s *sources.Snapshot) bool {
	return slices.ContainsFunc(s.Sources, func(st sources.SourceStatus) bool { return st.Switches })
}

// shortHelp is the keys of the pane that has them, where it has some of its own.
func (m *Model) shortHelp() []key.Binding {
	if m.opts.Replay != nil {
		return m.shown.Replaying.ShortHelp(&m.shown)
	}
	if n := len(m.flags.Marked()); n > 0 {
		return m.markedHelp(n)
	}
	if m.detailed && m.focus == paneLatency {
		k := &m.shown
		calls := k.Chart
		if m.detail.ShowsPath() { // which has a moment and no span
			calls.SetHelp(calls.Help().Key, "chart of it")
			return []key.Binding{calls, k.Earlier, k.Copy, k.Zoom, k.Escape, k.Undo, k.Help, k.Quit}
		}
		calls.SetHelp(calls.Help().Key, "path of its calls")
		return []key.Binding{calls, k.Earlier, k.Span, k.Copy, k.Zoom, k.Escape, k.Undo, k.Help, k.Quit}
	}
	if m.toCome() != nil && m.shown.Return.Enabled() {
		k := &m.shown
		off := k.Return
		off.SetHelp(off.Help().Key, "call\u00a0off")
		return []key.Binding{off, k.Undo, k.Help, k.Quit, k.NextPane, k.Zoom, k.NextContext}
	}
	if m.focus == paneAlerts && m.shown.Silence.Enabled() {
		k := &m.shown
		return []key.Binding{k.Silence, k.Undo, k.Detail, k.Help, k.Quit, k.NextPane, k.Zoom, k.NextContext}
	}
	if m.focus != paneBreakers || !m.shown.ForceOpen.Enabled() {
		return m.shown.ShortHelp()
	}
	k := &m.shown
	return []key.Binding{k.ForceOpen, k.CloseBreaker, k.Undo, k.Detail, k.Help, k.Quit, k.NextPane, k.Zoom, k.NextContext}
}

// switchKey is a key that switches the selected breaker.
func (m *Model) switchKey(kind sources.ChangeKind) tea.Cmd {
	refuse := func(reason string) tea.Cmd {
		m.footer.SetStatus(reason, footer.Warning)
		return nil
	}
	inSight := m.layout.panes[paneBreakers].h > 0 || m.layout.detail.h > 0
	if m.focus != paneBreakers || !inSight {
		return refuse("this key acts on the selected breaker: " + views.Named(m.keys.NextPane) + " to the breakers, then press again")
	}
	return m.switchTo(kind, m.breakers.Breaker())
}

// switchTo begins to switch a breaker as the operator saw it.
func (m *Model) switchTo(kind sources.ChangeKind, b *sources.Breaker) tea.Cmd {
	if b != nil && kind != sources.ForceOpen {
		if p, busy := m.pending[sources.FlagID{Source: b.Source, Key: b.Name}]; busy && p.read.IsZero() {
			m.footer.SetStatus(fmt.Sprintf("%s: %s is not confirmed yet", b.Name, p.text), footer.Warning)
			return nil
		}
	}
	return views.Switch(m.snapshot, b, kind, m.opts.ReadOnly)
}

// blindOn is why closing a breaker should be thought over: what it does cannot be seen.
func (m *Model) blindOn(id sources.FlagID) string {
	st := m.snapshot.Source(id.Source)
	part := st.Part(sources.PartBreakers)
	switch {
	case part.Health == sources.Fresh:
		return ""
	case part.LastOK.IsZero():
		return id.Source + " was never read"
	default:
		return fmt.Sprintf("%s was last read %s ago", id.Source, m.opts.Now().Sub(part.LastOK).Round(time.Second))
	}
}

// describeSwitch says a switch in words: "payments closed → forced-open".
func (m *Model) describeSwitch(in *sources.Intent) string {
	to := sources.BreakerForcedOpen
	if in.Kind == sources.CloseBreaker {
		to = sources.BreakerClosed
	}
	return fmt.Sprintf("%s %s %s %s", m.nameOf(in.Flag), in.SeenAs, m.opts.Theme.Glyphs.Arrow, to)
}

// awaitTurn keeps the row of a breaker or of an alert pending until a snapshot read it after its change:
// until then the row would show the state from before as if nothing had been done.
func (m *Model) awaitTurn(msg ActionFinishedMsg) tea.Cmd {
	id := msg.Intent.Flag
	part := sources.PartBreakers
	if msg.Intent.Kind == sources.SilenceAlert {
		part = sources.PartAlerts
	}
	m.pending[id] = inFlight{
		seq: msg.Seq, read: msg.Start.Add(msg.Took), part: part,
		text: m.nameOf(id) + " " + msg.Receipt.Old.Brief() + " " + m.opts.Theme.Glyphs.Arrow + " " + msg.Receipt.New.Brief(),
	}
	return expirePending(msg.Seq, id, pendingFor)
}

// liftTurned ends that, and says for which breakers.
func (m *Model) liftTurned() (lifted []sources.FlagID) {
	for id, p := range m.pending {
		if st := m.snapshot.Source(id.Source); !p.read.IsZero() && !st.Part(p.part).LastOK.Before(p.read) {
			delete(m.pending, id)
			lifted = append(lifted, id)
		}
	}
	return lifted
}
