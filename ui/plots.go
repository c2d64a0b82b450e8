package ui

import (
	"context"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/views/detail"
)

// plots is the reading of the chart in the detail. It is made when the chart opens, when
// what it shows or its size changes, and again and again at a slow pace; whatever is
// under way for an older question is cancelled.
type plots struct {
	seq    int
	of     detail.Plot
	on     bool
	busy   bool
	at     time.Time // when it was last asked for
	cancel context.CancelFunc
}

// leastPause is how long a chart that is read again has held at least. A long one moves
// by a point no sooner than its step.
const leastPause = 15 * time.Second

// plot reads the chart in the detail, when that is due. It is called after every message.
func (m *Model) plot() tea.Cmd {
	want, on := m.detail.Wants()
	p := &m.plots
	if !m.detailed || m.quitting || m.asleep || !on {
		p.stop()
		return nil
	}
	now, after := m.opts.Now(), time.Duration(0)
	switch same := p.on && want == p.of; {
	case same && (p.busy || now.Sub(p.at) < max(leastPause, want.Query.Step())):
		return nil
	case !same && p.on:
		after = rest // whoever runs through a list, or drags a window, asks for none of it
	}
	p.stop()
	ctx, cancel := context.WithCancel(m.ctx)
	p.seq++
	p.of, p.on, p.busy, p.at, p.cancel = want, true, true, now, cancel
	m.detail.Plotting(want)
	m.frame = ""
	return readSeries(ctx, m.engine, p.seq, want, after)
}

// stop cancels what is under way.
func (p *plots) stop() {
	if p.cancel != nil {
		p.cancel()
	}
	p.on, p.busy, p.cancel = false, false, nil
}

// plotted shows what was read, unless something else is wanted by now.
func (m *Model) plotted(msg SeriesReadMsg) {
	if p := &m.plots; msg.Seq == p.seq && p.busy {
		p.cancel()
		p.busy, p.cancel = false, nil
		m.detail.SetSeries(&msg.Series, msg.Err)
	}
}

// isChartKey tells whether a key belongs to the chart in the detail, wherever the cursor is.
func (m *Model) isChartKey(msg tea.KeyPressMsg) bool {
	return m.detailed && key.Matches(msg, m.keys.Earlier, m.keys.Later, m.keys.Span, m.keys.Chart)
}
