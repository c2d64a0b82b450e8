package ui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
)

const (
	// alarmAgain is how long the same thing is not called out again.
	alarmAgain = 5 * time.Minute
	// alarmPause is how long after one call nothing else is called out: whoever looks
	// sees the rest.
	alarmPause = 10 * time.Second
)

// alarms is what was called out. The zero value has called nothing.
type alarms struct {
	broken map[string]bool      // in the last snapshot
	called map[string]time.Time // when each was called out
	last   time.Time
}

// newly is a sentence for what broke since the last snapshot, or "". What was broken when
// its source was read for the first time is no news.
func (a *alarms) newly(before, s *sources.Snapshot, now time.Time) string {
	was := a.broken
	a.broken = map[string]bool{}
	var fresh []views.Breach
	for _, b := range views.Breaches(s) {
		a.broken[b.About] = true
		if !was[b.About] && readBefore(before, b.Part) && now.Sub(a.called[b.About]) >= alarmAgain {
			fresh = append(fresh, b)
		}
	}
	for about, at := range a.called {
		if now.Sub(at) >= alarmAgain {
			delete(a.called, about)
		}
	}
	if len(fresh) == 0 {
		return ""
	}
	if a.called == nil {
		a.called = map[string]time.Time{}
	}
	for _, b := range fresh {
		a.called[b.About] = now
	}
	if now.Sub(a.last) < alarmPause {
		return ""
	}
	a.last = now
	text := fresh[0].Text
	if n := len(fresh) - 1; n > 0 {
		text += fmt.Sprintf(", and %d more", n)
	}
	return text
}

// readBefore tells whether a part of the sources had been read in a snapshot.
func readBefore(s *sources.Snapshot, part sources.Part) bool {
	if s == nil {
		return false
	}
	for i := range s.Sources {
		if p := s.Sources[i].Parts[part]; p.Has && !p.LastOK.IsZero() {
			return true
		}
	}
	return false
}

// callOut is the command that calls the operator because something has just broken.
func (m *Model) callOut(before *sources.Snapshot) tea.Cmd {
	if m.opts.Notify == nil || m.opts.Replay != nil {
		return nil
	}
	text := m.alarms.newly(before, m.snapshot, m.now)
	if text == "" {
		return nil
	}
	if m.snapshot.Context != "" {
		text = m.snapshot.Context + ": " + text
	}
	return tea.Raw(m.opts.Notify(text))
}
