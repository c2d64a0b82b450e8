package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// stillFor is how long numbers stand before they are drawn anew on a board on which
// nothing moves by itself.
const stillFor = 5 * time.Second

// awaitOther is awaitSnapshot for such a board: another state comes at once, and what
// is another number only when the last frame has stood for stillFor.
func awaitOther(ctx context.Context, engine *live.Engine, shown *sources.Snapshot, turn func(context.Context)) tea.Cmd {
	return func() tea.Msg {
		wait, cancel := context.WithTimeout(ctx, stillFor)
		defer cancel()
		s := shown
		for !otherState(shown, s) {
			next, err := engine.Next(wait, s.Seq)
			if err != nil {
				break
			}
			s = next
		}
		if ctx.Err() != nil {
			return nil
		}
		return awaitSnapshot(ctx, engine, shown.Seq, turn)()
	}
}

// otherState tells whether more than numbers changed: a flag, an activity, a ramp, or
// the word that stands beside a source, a breaker, a latency or an alert.
func otherState(a, b *sources.Snapshot) bool {
	return a.FlagsSeq != b.FlagsSeq || len(a.Ramps) != len(b.Ramps) || otherActivity(a.Activity, b.Activity) || otherRamps(a.Ramps, b.Ramps) ||
		otherSources(a, b) ||
		otherWords(a.Breakers, b.Breakers, func(k *sources.Breaker) (string, int) { return k.Source + "\x00" + k.Name, int(k.State) }) ||
		otherWords(a.Latencies, b.Latencies, func(l *sources.Latency) (string, int) { return l.Source + "\x00" + l.Name, int(l.Verdict) }) ||
		otherWords(a.Alerts, b.Alerts, func(al *sources.Alert) (string, int) { return al.ID, int(al.State) })
}

func otherSources(a, b *sources.Snapshot) bool {
	return otherWords(a.Sources, b.Sources, func(st *sources.SourceStatus) (string, int) { return st.Name, int(st.Health)*10 + int(st.Role) })
}

func otherActivity(a, b []sources.Activity) bool {
	return len(a) != len(b) || len(a) > 0 && a[0] != b[0]
}

func otherRamps(a, b []sources.RampStatus) bool {
	for i := range a {
		if a[i].Flag != b[i].Flag || a[i].Phase != b[i].Phase || a[i].At != b[i].At || a[i].Verdict != b[i].Verdict {
			return true
		}
	}
	return false
}

// otherWords compares the states of two lists by name, in whatever order they stand.
func otherWords[T any](a, b []T, word func(*T) (name string, state int)) bool {
	if len(a) != len(b) {
		return true
	}
	states := make(map[string]int, len(a))
	for i := range a {
		name, state := word(&a[i])
		states[name] = state
	}
	for i := range b {
		name, state := word(&b[i])
		if was, known := states[name]; !known || was != state {
			return true
		}
	}
	return false
}

// nextSnapshot waits for what is to be drawn after the present snapshot.
func (m *Model) nextSnapshot() tea.Cmd {
	if m.opts.Still {
		return awaitOther(m.ctx, m.engine, m.snapshot, m.turn())
	}
	return awaitSnapshot(m.ctx, m.engine, m.snapshot.Seq, m.turn())
}

// nextTick waits for the clock.
func (m *Model) nextTick() tea.Cmd {
	if m.opts.Still {
		return tickIn(m.ctx, stillFor, m.turn())
	}
	return tickIn(m.ctx, time.Second, m.turn())
}
