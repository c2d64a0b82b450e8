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
	bytes   int       // of the last frame
	waited  time.Duration
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
		p.rate = 0
		if second.Sub(p.second) == time.Second {
			p.rate = p.frames
		}
		p.second, p.frames = second, 0
	}
	p.frames++
	p.bytes = len(m.frame)
	if m.opts.Debug {
		m.frame += "\n" + ansi.Truncate(m.debugLine(now), m.w, "")
	}
	if m.opts.Painted != nil {
		m.opts.Painted(p.bytes, waited)
	}
}

// debugLine says what drawing costs and how old each source is.
func (m *Model) debugLine(now time.Time) string {
	p := &m.paint
	var b strings.Builder
	fmt.Fprintf(&b, "debug %d fps, %d B, key %d us, snapshot %d", p.rate, p.bytes, p.waited.Microseconds(), m.snapshot.Seq)
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
