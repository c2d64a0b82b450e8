package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// paint is what drawing costs: for whoever measures it, and for the debug line. The
// zero paint has drawn nothing.
type paint struct {
	pressed time.Time // when the first key came that no frame has answered yet
	second  time.Time // the one that is being counted
	frames  int       // in it
	rate    int       // frames in the one before
	waited  time.Duration

	sent  func() int64 // bytes to the terminal so far; nil where nobody counts them
	until int64        // of which so many before the second
	wire  int64        // bytes a second before it
}

// wired takes another terminal's count.
func (p *paint) wired(sent func() int64) { p.sent, p.until, p.wire = sent, sent(), 0 }

// tick begins another second.
func (p *paint) tick(second time.Time) {
	gone := int64(second.Sub(p.second) / time.Second)
	p.rate = 0
	if gone == 1 {
		p.rate = p.frames
	}
	if p.sent != nil {
		now := p.sent()
		p.wire, p.until = (now-p.until)/max(1, gone), now
	}
	p.second, p.frames = second, 0
}

// key notes a key that a frame will answer.
func (p *paint) key(now time.Time) {
	if p.pressed.IsZero() {
		p.pressed = now
	}
}

// painted counts the frame that was just drawn, and puts the debug line below it.
func (m *Model) painted() {
	if m.opts.Painted == nil && !m.opts.Debug {
		return
	}
	p, now := &m.paint, m.opts.Now()
	var waited time.Duration
	if !p.pressed.IsZero() {
		waited = now.Sub(p.pressed)
		p.waited, p.pressed = waited, time.Time{}
	}
	if second := now.Truncate(time.Second); second != p.second {
		p.tick(second)
	}
	p.frames++
	bytes := len(m.frame)
	if m.opts.Debug {
		m.frame += "\n" + ansi.Truncate(m.debugLine(now), m.w, "")
	}
	if m.opts.Painted != nil {
		m.opts.Painted(bytes, waited)
	}
}

// debugLine says what drawing costs and how old each source is.
func (m *Model) debugLine(now time.Time) string {
	p := &m.paint
	var b strings.Builder
	fmt.Fprintf(&b, "debug %d fps, %d B/s, key %d us, snapshot %d", p.rate, p.wire, p.waited.Microseconds(), m.snapshot.Seq)
	for i := range m.snapshot.Sources {
		st := &m.snapshot.Sources[i]
		age := "never"
		if !st.LastOK.IsZero() {
			age = fmt.Sprintf("%.1fs", max(0, now.Sub(st.LastOK).Seconds()))
		}
		fmt.Fprintf(&b, ", %s %s", st.Name, age)
	}
	return b.String()
}

// resized takes a terminal's size, of which the debug line has its own.
func (m *Model) resized(w, h int) {
	m.w, m.h = w, h
	if m.opts.Debug && h > 0 {
		m.h--
	}
}
