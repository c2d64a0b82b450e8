package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
	"relctl-tui/views/detail"
	"relctl-tui/views/footer"
)

// paths is the reading of the call path in the detail. It is read as a chart is: when it
// opens, when something else is wanted, and then at a slow pace.
type paths struct {
	seq    int
	of     detail.PathWant
	on     bool
	busy   bool
	at     time.Time // when it was last asked for
	cancel context.CancelFunc
}

// slowSpan is over how long slow calls are looked for.
const slowSpan = 15 * time.Minute

// PathReadMsg is what was read for the call path in the detail.
type PathReadMsg struct {
	Seq     int
	Calls   sources.Calls
	Err     error
	Slow    sources.ExemplarSet
	SlowErr error
}

// callPath reads the call path in the detail, when that is due. It is called after every
// message.
func (m *Model) callPath() tea.Cmd {
	want, on := m.detail.WantsPath()
	p := &m.paths
	if !m.detailed || m.quitting || m.asleep || !on {
		p.stop()
		return nil
	}
	now, after := m.opts.Now(), time.Duration(0)
	switch same := p.on && want == p.of; {
	case same && (p.busy || now.Sub(p.at) < leastPause):
		return nil
	case !same && p.on:
		after = rest
	}
	p.stop()
	ctx, cancel := context.WithCancel(m.ctx)
	p.seq++
	p.of, p.on, p.busy, p.at, p.cancel = want, true, true, now, cancel
	m.detail.ReadingPath(want)
	m.frame = ""
	return readPath(ctx, m.engine, p.seq, want, m.opts.Now, after)
}

// stop cancels what is under way.
func (p *paths) stop() {
	if p.cancel != nil {
		p.cancel()
	}
	p.on, p.busy, p.cancel = false, false, nil
}

// pathRead shows what was read, unless something else is wanted by now.
func (m *Model) pathRead(msg PathReadMsg) {
	if p := &m.paths; msg.Seq == p.seq && p.busy {
		p.cancel()
		p.busy, p.cancel = false, nil
		m.detail.SetPath(&msg.Calls, msg.Err)
		m.detail.SetSlow(&msg.Slow, msg.SlowErr)
	}
}

// readMore shows what was read for who looks closer: for the chart in the detail, for its
// call path, or for an incident.
func (m *Model) readMore(msg tea.Msg) {
	switch msg := msg.(type) {
	case SeriesReadMsg:
		m.plotted(msg)
	case PathReadMsg:
		m.pathRead(msg)
	case IncidentReadMsg:
		m.incidentRead(msg)
	}
}

// readPath reads a call path and slow calls after a pause, unless ctx ends before.
func readPath(ctx context.Context, engine *live.Engine, seq int, w detail.PathWant, now func() time.Time, after time.Duration) tea.Cmd {
	return func() tea.Msg {
		wait := time.NewTimer(after)
		defer wait.Stop()
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		msg := PathReadMsg{Seq: seq}
		msg.Calls, msg.Err = engine.Calls(ctx, w.Source, w.Query(now()))
		msg.Slow, msg.SlowErr = engine.Exemplars(ctx, w.Source, sources.ExemplarQuery{Latency: w.Latency, Span: slowSpan})
		if ctx.Err() != nil {
			return nil // nobody waits for it any more
		}
		return msg
	}
}

// copyText puts what the cursor is on into the clipboard: a name, or the trace of a slow
// call. Whether the terminal lets it nobody tells, so the whole text is shown as well.
func (m *Model) copyText() tea.Cmd {
	text := ""
	switch {
	case m.detailed:
		text = m.detail.Copied()
	case m.focus == paneBreakers:
		text = m.breakers.Selected().ID
	case m.focus == paneLatency:
		text = m.latency.Selected().ID
	case m.focus == paneFlags:
		if f, ok := m.flags.Selected(); ok {
			text = f.Name
		}
	case m.focus == paneAlerts:
		if a := m.alerts.Selected(); m.snapshot.Alert(a.Source, a.ID) != nil {
			text = m.snapshot.Alert(a.Source, a.ID).Name
		}
	}
	if text == "" {
		m.footer.SetStatus("nothing is selected that could be copied", footer.Info)
		return nil
	}
	m.footer.SetStatus("copied: "+text, footer.Info)
	return tea.SetClipboard(text)
}
